// Runs libtorrent as a peer of its own, told and heard through pipes.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const python = `${root}target/venv/bin/python`;
const script = `${root}tests/interop/libtorrent_peer.py`;

/** Starts `seed PATH`, as a torrent of that version, or `get MAGNET`. */
export async function openLibtorrent(what, source, { tracker, dir = ".", version = "v1" }) {
  if (!existsSync(python)) throw new Error("no libtorrent found: run cargo xtask setup");
  const args = [script, what, source, "--tracker", tracker, "--dir", dir, "--version", version];
  const child = spawn(python, args, { stdio: ["pipe", "pipe", "inherit"] });
  const heard = [];
  const waiting = new Set();
  createInterface({ input: child.stdout }).on("line", (line) => {
    heard.push(JSON.parse(line));
    if (process.env.HEADWATER_TEST_LOG) console.error(`[libtorrent] ${line}`);
    for (const wake of waiting) wake();
  });
  /** Resolves with the first event of that name, past or to come. */
  const event = (name) =>
    new Promise((done, fail) => {
      const look = () => {
        const found = heard.find((one) => one.event === name);
        if (!found) return;
        waiting.delete(look);
        done(found);
      };
      waiting.add(look);
      child.on("exit", () => fail(new Error(`libtorrent ended before ${name}`)));
      look();
    });
  const ready = await event("ready");
  return {
    heard,
    magnet: ready.magnet,
    infoHash: ready.info_hash,
    event,
    close: async () => {
      child.stdin.end();
      if (child.exitCode === null) await new Promise((done) => child.on("exit", done));
    },
  };
}
