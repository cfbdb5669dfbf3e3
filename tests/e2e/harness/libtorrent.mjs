// Runs libtorrent as a peer of its own, told and heard through pipes.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const python = `${root}target/venv/bin/python`;
const script = `${root}tests/interop/libtorrent_peer.py`;

/**
 * Starts `seed PATH`, as a torrent of that version, or `get SOURCE`, a magnet link or torrent file,
 * of which `files` are the indices wanted; `more` are options, `by` another program to start it by.
 */
export async function openLibtorrent(what, source, options) {
  const { tracker, dir = ".", version = "v1", files, more = [], by = [] } = options;
  if (!existsSync(python)) throw new Error("no libtorrent found: run cargo xtask setup");
  const said = ["--dir", dir, "--version", version, ...more];
  if (tracker) said.push("--tracker", tracker);
  if (files) said.push("--files", files.join());
  const [first, ...rest] = [...by, python, script, what, source, ...said];
  const child = spawn(first, rest, { stdio: ["pipe", "pipe", "inherit"] });
  const heard = [];
  const waiting = new Set();
  createInterface({ input: child.stdout }).on("line", (line) => {
    heard.push(JSON.parse(line));
    if (process.env.HEADWATER_TEST_LOG) console.error(`[libtorrent] ${line}`);
    for (const wake of waiting) wake();
  });
  /** Resolves with the first event of that name that passes, past or to come. */
  const event = (name, passes = () => true) =>
    new Promise((done, fail) => {
      const look = () => {
        const found = heard.find((one) => one.event === name && passes(one));
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
    pid: child.pid,
    magnet: ready.magnet,
    infoHash: ready.info_hash,
    port: ready.port,
    event,
    /** Has it connect to `ip:port`. */
    dial: (address) => child.stdin.write(`${address}\n`),
    /** Whether it said such a thing so far. */
    said: (name, passes = () => true) => heard.some((one) => one.event === name && passes(one)),
    close: async () => {
      child.stdin.end();
      if (child.exitCode === null) await new Promise((done) => child.on("exit", done));
    },
  };
}
