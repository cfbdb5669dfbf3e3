// `cargo xtask load`: takes browsers, TCP peers, processes and minutes.

import { yieldToOthers } from "./first.mjs";
import { judge, runLoad, told } from "./load.mjs";

const [browsers, streams, processes, minutes] = process.argv.slice(2, 6).map(Number);
yieldToOthers();
const result = await runLoad({
  browsers,
  streams,
  processes,
  seconds: minutes * 60,
  rate: 48 * 1024,
  length: 4 << 20,
  every: 4_000,
  // So many sockets that none meets the limit of messages for one, and that a tracker has always
  // something to answer.
  trackers: { rounds: Math.max(1, minutes - 2), sockets: 1_000, seconds: 5, apart: 45_000 },
});
console.log(`${browsers} browsers in ${processes} processes, ${streams} TCP peers, ${minutes} min`);
for (const line of told(result)) console.log(line);
judge(result, { trackerRatio: 3 });
process.exit(0);
