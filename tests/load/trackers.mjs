// Announces a second at our tracker beside the npm tracker: the same sockets, swarms and offers,
// by turns, while everything else goes on.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { endsWithUs } from "../e2e/harness/children.mjs";
import { startCrowd } from "./crowd.mjs";
import { goingFirst } from "./first.mjs";
import { look } from "./watch.mjs";

/** Starts the npm tracker in a process of its own. */
async function openNpmProcess() {
  const script = fileURLToPath(new URL("npm_tracker.mjs", import.meta.url));
  const stdio = ["ignore", "pipe", "inherit"];
  const [by, ...more] = goingFirst;
  const child = endsWithUs(spawn(by, [...more, process.execPath, script], { stdio }));
  const url = await new Promise((done, fail) => {
    createInterface(child.stdout).once("line", done);
    child.on("close", (code) => fail(new Error(`npm's tracker ended with ${code}`)));
  });
  return { url, pid: child.pid, close: () => child.kill("SIGKILL") };
}

/** Announces answered a second, and for each CPU second of the tracker's process. */
async function round({ url, pid }, sockets, seconds) {
  const before = (await look(pid)).cpu;
  const args = ["--tracker", url, "--count", sockets, "--seconds", seconds];
  const end = await startCrowd(["announcers", ...args]).end;
  const cpu = (await look(pid)).cpu - before;
  const { announces, refused, offers, hung_up: hungUp } = end;
  return { rate: announces / end.seconds, perCpu: announces / cpu, refused, offers, hungUp };
}

/**
 * Plays rounds in turns, and the order around; each pair makes a ratio. Pairs are `apart` so many
 * milliseconds, in which the crowd makes up for what it had to wait.
 */
export async function compareTrackers(ours, { rounds, sockets, seconds, apart = 0 }) {
  const npm = await openNpmProcess();
  const pairs = [];
  try {
    for (let at = 0; at < rounds; at += 1) {
      if (at > 0) await new Promise((done) => setTimeout(done, apart));
      const pair = {};
      const turns = [["ours", ours], ["npm", npm]];
      for (const [name, tracker] of at % 2 ? turns.reverse() : turns) {
        pair[name] = await round(tracker, sockets, seconds);
      }
      pairs.push(pair);
    }
  } finally {
    npm.close();
  }
  return pairs;
}
