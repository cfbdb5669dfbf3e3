// `cargo xtask soak`: takes minutes; a sample each ten seconds.

import { judge, runSoak, told } from "./soak.mjs";

const minutes = Number(process.argv[2]);
const every = minutes < 10 ? 2_000 : 10_000;
const plan = { browsers: 20, streams: 200, processes: 5, seconds: minutes * 60, every };
const result = await runSoak(plan);
console.log(`${plan.browsers} browsers, ${plan.streams} TCP peers, ${minutes} min`);
for (const line of told(result)) console.log(line);
judge(result);
process.exit(0);
