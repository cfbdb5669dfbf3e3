// Looks at a process from outside, by /proc: memory, descriptors, threads, CPU time.

import { readFile, readdir } from "node:fs/promises";

/** Clock ticks a second in /proc. */
const TICKS = 100;

/** What a process holds now; `cpu` is in seconds since its start. */
export async function look(pid) {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const [user, system] = stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(11, 13);
  const field = (name) => Number(status.match(new RegExp(`^${name}:\\s+(\\d+)`, "m"))[1]);
  return {
    rss: field("VmRSS") / 1024,
    threads: field("Threads"),
    fds: (await readdir(`/proc/${pid}/fd`)).length,
    cpu: (Number(user) + Number(system)) / TICKS,
  };
}

/** Looks every so many milliseconds; `also` gives figures of one's own. */
export function watch(pid, every, also = async () => ({})) {
  const from = performance.now();
  const samples = [];
  const sample = async () => {
    const seconds = (performance.now() - from) / 1000;
    const one = { seconds, ...(await look(pid)), ...(await also()) };
    samples.push(one);
    return one;
  };
  // A process that is gone is no news here: whoever uses it says so.
  const timer = setInterval(() => sample().catch(() => {}), every);
  return { samples, sample, close: () => clearInterval(timer) };
}

/** Growth of a figure an hour, by the straight line that fits best. */
export function growthPerHour(samples, figure) {
  const mean = (of) => samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const [x, y] = [mean((one) => one.seconds), mean((one) => one[figure])];
  const across = mean((one) => (one.seconds - x) * (one[figure] - y));
  const along = mean((one) => (one.seconds - x) ** 2);
  return along > 0 ? (across / along) * 3600 : 0;
}
