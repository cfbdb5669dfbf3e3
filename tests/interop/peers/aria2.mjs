// aria2 1.36 as a peer, told what to do on its command line and asked over its RPC. It speaks TCP
// and reads v1 alone, and takes a hybrid for v1.

import { PATIENCE, freePort, openChild } from "./child.mjs";
import { until } from "../../e2e/harness/stage.mjs";

/** What it requires of who links to it; it cannot be kept from encrypting where it is asked to. */
const encryptions = {
  off: [],
  on: [],
  required: ["--bt-require-crypto=true", "--bt-min-crypto-level=arc4"],
};
/** What it says of our asking, over and over. */
const OF_RPC = /Http|rpc/;

/** Makes ready; it runs once it is told of a torrent. */
export async function openAria2({ folder, encryption = "on", dht }) {
  const [port, dhtPort, rpcPort] = [await freePort(), await freePort(), await freePort()];
  let child;
  const active = () => {
    child.check();
    return call(rpcPort, "aria2.tellActive").catch(() => []);
  };
  const run = (source, dir, more) => {
    child = openChild("aria2c", [
      source,
      "--no-conf",
      `--dir=${dir}`,
      `--listen-port=${port}`,
      // Trackers over UDP need its DHT, which knows nobody unless told.
      "--enable-dht=true",
      `--dht-listen-port=${dhtPort}`,
      `--dht-file-path=${folder}/dht.dat`,
      ...(dht ? [`--dht-entry-point=${dht}`] : []),
      "--enable-peer-exchange=false",
      "--seed-ratio=0.0",
      "--file-allocation=none",
      "--disk-cache=0",
      "--enable-rpc=true",
      `--rpc-listen-port=${rpcPort}`,
      "--log=-",
      "--log-level=info",
      "--console-log-level=error",
      "--summary-interval=0",
      "--show-console-readout=false",
      ...encryptions[encryption],
      ...more,
    ], { tells: (line) => /^\d.*\[/.test(line) && !OF_RPC.test(line) });
  };
  const whole = async () => (await active()).some(isWhole);
  const done = () => until("aria2 to have all", whole, PATIENCE);
  return {
    name: "aria2",
    address: `127.0.0.1:${port}`,
    get log() {
      return child?.log ?? [];
    },
    async seed(file, dir) {
      run(file, dir, ["--check-integrity=true"]);
      await done();
    },
    async get(source, dir) {
      run(source, dir, []);
      await until("aria2 to be there", async () => (await active()).length > 0);
    },
    done,
    close: () => child?.close(),
  };
}

/** Whether it is a torrent's data, and not only its metadata, and all is there. */
function isWhole({ seeder, completedLength, totalLength }) {
  return seeder === "true" && completedLength === totalLength;
}

async function call(port, method) {
  const body = JSON.stringify({ jsonrpc: "2.0", id: "", method, params: [] });
  const answer = await fetch(`http://127.0.0.1:${port}/jsonrpc`, { method: "POST", body });
  return (await answer.json()).result;
}
