// qbittorrent-nox 4.5 (libtorrent 2.0) as a peer, told what to do over its web API.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { until } from "../../e2e/harness/stage.mjs";
import { PATIENCE, freePort, openChild } from "./child.mjs";

const encryptions = { on: 0, required: 1, off: 2 };
const RESOLVING = "metaDL";
const seeding = ["uploading", "stalledUP", "forcedUP", "queuedUP"];

/** Starts it with a profile of its own in `folder`. */
export async function openQbittorrent({ folder, encryption = "on", transports, dht }) {
  const [port, webPort] = [await freePort(), await freePort()];
  const profile = `${folder}/qBittorrent/config`;
  await mkdir(profile, { recursive: true });
  const protocol = transports.length > 1 ? "Both" : transports[0].toUpperCase();
  const said = settings({ port, webPort, protocol, dht, encryption });
  await writeFile(`${profile}/qBittorrent.conf`, said);
  const args = [`--profile=${folder}`];
  const child = openChild("qbittorrent-nox", args, { env: { HOME: folder } });
  const call = openApi(`http://127.0.0.1:${webPort}/api/v2`);
  await until("qbittorrent to answer", () => {
    child.check();
    return call("app/version").catch(() => null);
  });
  const torrents = async () => {
    child.check();
    return JSON.parse(await call("torrents/info"));
  };
  const trouble = async () => {
    const said = JSON.parse(await call("log/main"));
    return ["qbittorrent stopped", ...said.map(({ message }) => message)].join("\n");
  };
  const done = () => until("qbittorrent to have all", async () => {
    const [torrent] = await torrents();
    if (/error|missing/i.test(torrent?.state)) throw new Error(await trouble());
    return torrent?.progress === 1 && seeding.includes(torrent.state);
  }, PATIENCE);
  return {
    name: "qbittorrent",
    address: `127.0.0.1:${port}`,
    log: child.log,
    async seed(file, dir) {
      const torrent = new File([await readFile(file)], basename(file));
      await call("torrents/add", { torrents: torrent, savepath: dir });
      await done();
    },
    get: (source, dir) => call("torrents/add", { urls: source, savepath: dir }),
    async dial(address) {
      const add = ({ hash }) => call("torrents/addPeers", { hashes: hash, peers: address });
      const torrent = await until("qbittorrent's torrent", async () => (await torrents())[0]);
      await add(torrent);
      if (torrent.state !== RESOLVING) return;
      // It forgets its peers when it has the metadata.
      const known = async () => (await torrents()).find(({ state }) => state !== RESOLVING);
      await add(await until("qbittorrent to have the metadata", known, PATIENCE));
    },
    done,
    close: child.close,
  };
}

function settings({ port, webPort, protocol, dht, encryption }) {
  const session = {
    BTProtocol: protocol,
    DHTEnabled: dht !== undefined,
    Encryption: encryptions[encryption],
    Interface: "lo",
    InterfaceName: "lo",
    LSDEnabled: false,
    MultiConnectionsPerIp: true,
    PeXEnabled: false,
    Port: port,
    QueueingSystemEnabled: false,
    SSRFMitigation: false,
  };
  return [
    "[BitTorrent]",
    ...Object.entries(session).map(([name, value]) => `Session\\${name}=${value}`),
    "[LegalNotice]",
    "Accepted=true",
    "[Network]",
    "PortForwardingEnabled=false",
    "[Preferences]",
    "WebUI\\Address=127.0.0.1",
    `WebUI\\Port=${webPort}`,
    "WebUI\\LocalHostAuth=false",
    "WebUI\\UseUPnP=false",
    "",
  ].join("\n");
}

/** Calls its web API: with a form, where something is given. */
function openApi(url) {
  return async function call(method, given) {
    const options = {};
    if (given) {
      options.method = "POST";
      options.body = new FormData();
      for (const [name, value] of Object.entries(given)) options.body.append(name, value);
    }
    const answer = await fetch(`${url}/${method}`, options);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`qbittorrent, ${method}: ${answer.status} ${text}`);
    return text;
  };
}
