// A crowd on one server, for a minute: nobody goes without, and nothing piles up.
//
// Alone: the crowd fills the machine.

import { test } from "node:test";
import { judge as judgeLoad, runLoad, told as toldLoad } from "../load/load.mjs";
import { judge as judgeSoak, runSoak, told as toldSoak } from "../load/soak.mjs";

const limit = { timeout: 150_000 };

test("browsers and TCP peers on one server all get their bytes", limit, async (t) => {
  const result = await runLoad({
    browsers: 12,
    streams: 150,
    processes: 4,
    seconds: 30,
    rate: 128 * 1024,
    length: 1 << 20,
    every: 500,
    // A socket is held to 1,500 messages at once and 50 a second: so many that none meets that.
    trackers: { rounds: 1, sockets: 120, seconds: 2 },
  });
  toldLoad(result).forEach((line) => t.diagnostic(line));
  // A build for tests is no measure of speed: `cargo xtask load` holds the tracker to 3 times.
  judgeLoad(result, { trackerRatio: 0 });
});

test("comings and goings leave nothing behind", limit, async (t) => {
  const plan = { browsers: 6, streams: 60, processes: 2, seconds: 45, every: 1_000 };
  const result = await runSoak(plan);
  toldSoak(result).forEach((line) => t.diagnostic(line));
  judgeSoak(result);
});
