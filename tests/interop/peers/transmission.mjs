// transmission-daemon 3.00 as a peer, told what to do over its RPC. It reads v1 alone, takes a
// hybrid for v1, and dials no loopback address: it is dialled.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { until } from "../../e2e/harness/stage.mjs";
import { PATIENCE, freePort, openChild } from "./child.mjs";

const encryptions = { off: 0, on: 1, required: 2 };
/** What its RPC calls the states of a torrent. */
const SEEDING = 6;

/** Starts it with settings of its own in `folder`. */
export async function openTransmission({ folder, encryption = "on", transports, dht }) {
  const [port, rpcPort] = [await freePort(), await freePort()];
  await mkdir(folder, { recursive: true });
  const settings = {
    "bind-address-ipv4": "127.0.0.1",
    "bind-address-ipv6": "::1",
    "cache-size-mb": 0,
    "dht-enabled": dht !== undefined,
    "download-dir": folder,
    encryption: encryptions[encryption],
    "lpd-enabled": false,
    "message-level": 3,
    "peer-port": port,
    "pex-enabled": false,
    "port-forwarding-enabled": false,
    "rename-partial-files": false,
    "rpc-bind-address": "127.0.0.1",
    "rpc-host-whitelist-enabled": false,
    "rpc-port": rpcPort,
    "utp-enabled": transports.includes("utp"),
  };
  await writeFile(`${folder}/settings.json`, JSON.stringify(settings));
  const args = ["--foreground", "--config-dir", folder, "--log-debug"];
  const env = { TRANSMISSION_WEB_HOME: folder };
  const tells = (line) => !line.includes("[LAZY]");
  const child = openChild("transmission-daemon", args, { env, tells });
  const call = openRpc(`http://127.0.0.1:${rpcPort}/transmission/rpc`);
  await until("transmission to answer", () => {
    child.check();
    return call("session-get").catch(() => null);
  });
  const status = async () => {
    child.check();
    const fields = ["status", "leftUntilDone", "metadataPercentComplete", "errorString"];
    const { torrents: [torrent] } = await call("torrent-get", { fields });
    if (torrent.errorString) throw new Error(`transmission: ${torrent.errorString}`);
    return torrent;
  };
  const done = () => until("transmission to have all", async () => {
    const { status: state, metadataPercentComplete: known, leftUntilDone: left } = await status();
    return state === SEEDING && known === 1 && left === 0;
  }, PATIENCE);
  return {
    name: "transmission",
    address: `127.0.0.1:${port}`,
    log: child.log,
    async seed(file, dir) {
      const metainfo = (await readFile(file)).toString("base64");
      await call("torrent-add", { metainfo, "download-dir": dir });
      await done();
    },
    get: (source, dir) => call("torrent-add", { filename: source, "download-dir": dir }),
    done,
    close: child.close,
  };
}

/** Calls its RPC, which wants the session's id that its first answer tells. */
function openRpc(url) {
  let session = "";
  return async function call(method, given = {}) {
    const body = JSON.stringify({ method, arguments: given });
    const headers = { "x-transmission-session-id": session };
    const answer = await fetch(url, { method: "POST", body, headers });
    if (answer.status === 409) {
      session = answer.headers.get("x-transmission-session-id");
      return call(method, given);
    }
    const { result, arguments: told } = await answer.json();
    if (result !== "success") throw new Error(`transmission, ${method}: ${result}`);
    return told;
  };
}
