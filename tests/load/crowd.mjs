// Runs crowds of peers in processes of their own, and adds up what they say.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { endsWithUs } from "../e2e/harness/children.mjs";
import { program as headwater } from "../e2e/harness/program.mjs";
import { goingFirst, goingLast } from "./first.mjs";

const crowd = process.env.HEADWATER_CROWD ?? join(dirname(headwater), "examples/crowd");

/** Starts one process. `state` is what it said last, `end` resolves with its last line. */
export function startCrowd(args) {
  if (!existsSync(crowd)) {
    throw new Error(`${crowd} is missing: cargo build -p headwater-hybrid --example crowd`);
  }
  const stdio = ["ignore", "pipe", "inherit"];
  // Sockets that measure a tracker are as much a part of the measurement as it is.
  const [by, ...more] = args[0] === "announcers" ? goingFirst : goingLast;
  const child = endsWithUs(spawn(by, [...more, crowd, ...args.map(String)], { stdio }));
  const run = { child, state: { live: 0, visits: 0, failed: 0 } };
  let last;
  createInterface({ input: child.stdout }).on("line", (line) => {
    const told = JSON.parse(line);
    if (told.event === "state") run.state = told;
    else last = told;
  });
  run.end = new Promise((done, fail) => {
    child.on("close", (code) => {
      if (last && code === 0) done(last);
      else fail(new Error(`a crowd of ${args[0]} ended early, with ${code}`));
    });
  });
  // Whoever ended it does not wait for what it would have said.
  run.end.catch(() => {});
  run.close = () => child.kill("SIGKILL");
  return run;
}

/** Starts `count` peers in `processes` processes. */
export function startCrowds(kind, { count, processes, more }) {
  const runs = [];
  for (let at = 0, first = 0; at < processes; at += 1) {
    const share = Math.floor(count / processes) + (at < count % processes ? 1 : 0);
    if (share > 0) runs.push(startCrowd([kind, ...more, "--count", share, "--first", first]));
    first += share;
  }
  const sum = (figure) => runs.reduce((total, run) => total + run.state[figure], 0);
  return {
    state: () => ({ live: sum("live"), visits: sum("visits"), failed: sum("failed") }),
    end: async () => added(await Promise.all(runs.map((run) => run.end))),
    close: () => runs.forEach((run) => run.close()),
  };
}

function added(ends) {
  const failed = {};
  for (const end of ends) {
    for (const [why, times] of Object.entries(end.failed)) failed[why] = (failed[why] ?? 0) + times;
  }
  const all = (figure) => ends.flatMap((end) => end[figure]).sort((a, b) => a - b);
  const sum = (figure) => ends.reduce((total, end) => total + end[figure], 0);
  const [first, whole] = [all("first"), all("whole")];
  const sums = { bytes: sum("bytes"), cut: sum("cut"), away: sum("turned_away") };
  return { visits: whole.length, first, whole, ...sums, failed };
}

/** The value below which so great a part of sorted values lies. */
export function quantile(sorted, part) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
}
