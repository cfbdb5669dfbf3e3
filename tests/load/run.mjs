// `cargo xtask load`: takes browsers, TCP peers, processes and minutes.

import { judge, runLoad, told } from "./load.mjs";

const [browsers, streams, processes, minutes] = process.argv.slice(2, 6).map(Number);
const result = await runLoad({
  browsers,
  streams,
  processes,
  seconds: minutes * 60,
  rate: 48 * 1024,
  length: 4 << 20,
  every: 4_000,
  // So many sockets that none meets the limit of messages for one.
  trackers: { rounds: minutes > 3 ? 5 * Math.floor(minutes / 3) : 1, sockets: 400, seconds: 5 },
});
console.log(`${browsers} browsers in ${processes} processes, ${streams} TCP peers, ${minutes} min`);
for (const line of told(result)) console.log(line);
judge(result, { trackerRatio: 3 });
process.exit(0);
