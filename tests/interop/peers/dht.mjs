// A DHT on loopback that is nobody else's: a few libtorrent nodes.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { root } from "../../e2e/harness/program.mjs";

/** Starts it. `address` is the node to enter it by. */
export async function openDht() {
  const args = [`${root}tests/interop/dht_nodes.py`];
  const stdio = ["pipe", "pipe", "inherit"];
  const child = spawn(`${root}target/venv/bin/python`, args, { stdio });
  const ended = new Promise((done) => child.on("close", done));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const hear = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error("the DHT's nodes ended");
    return JSON.parse(value);
  };
  const { address } = await hear();
  return {
    address,
    /** Waits until somebody announced the torrent. */
    announced: (infoHash) => {
      child.stdin.write(`${infoHash}\n`);
      return hear();
    },
    close: () => {
      child.stdin.end();
      return ended;
    },
  };
}
