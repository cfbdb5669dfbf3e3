// Puts one server under load: simulated browsers over WebRTC and bare peers over TCP, who come,
// fetch, check by hash, leave and come again, while two trackers are measured by turns.

import { quantile, startCrowds } from "./crowd.mjs";
import { openServer } from "./server.mjs";
import { compareTrackers } from "./trackers.mjs";
import { watch } from "./watch.mjs";

/** Browsers in one swarm. */
const VIEWERS = 3;

/** Seconds in which everybody has come and is linked. */
const COMING = 60;

/** Runs it and says what came of it. */
export async function runLoad(plan) {
  const { browsers, streams, processes, seconds, rate, length, every } = plan;
  const count = Math.ceil(browsers / VIEWERS);
  // Whoever leaves is closed a moment later than the next one comes.
  const room = ["--max-peers", streams + 2 * browsers, "--max-webrtc-peers", 2 * browsers];
  const server = await openServer({ count, length, more: room.map(String) });
  const open = [server];
  try {
    const look = watch(server.pid, 1_000, () => server.figures());
    open.push(look);
    const start = await look.sample();
    const common = ["--torrents", server.torrents, "--seconds", seconds];
    const web = startCrowds("browsers", {
      count: browsers,
      processes,
      more: ["--tracker", server.url, "--rate", rate, ...common],
    });
    open.push(web);
    const tcp = startCrowds("streams", {
      count: streams,
      processes: 1,
      more: ["--address", server.address, "--every", every, ...common],
    });
    open.push(tcp);
    const live = [];
    const counting = setInterval(() => live.push([web.state().live, tcp.state().live]), 1_000);
    open.push({ close: () => clearInterval(counting) });
    const late = seconds > 3 * COMING ? COMING : seconds / 3;
    await new Promise((done) => setTimeout(done, late * 1_000));
    live.length = 0;
    const trackers = await compareTrackers(server, plan.trackers);
    const ends = { web: await web.end(), tcp: await tcp.end() };
    const end = await look.sample();
    return { ...ends, trackers, start, end, samples: look.samples, live, log: server.log };
  } finally {
    for (const one of open.reverse()) await one.close();
  }
}

/** Figures of a run as lines for a person. */
export function told(result) {
  const { start, end, samples, live } = result;
  const most = (figure) => Math.max(...samples.map((sample) => sample[figure]));
  const median = (at) => quantile(live.map((one) => one[at]).sort((a, b) => a - b), 0.5);
  const mib = (value) => `${value.toFixed(0)} MiB`;
  const seconds = (end.cpu - start.cpu) / (end.seconds - start.seconds);
  return [
    `linked at a time, median: ${median(0)} browsers, ${median(1)} TCP peers`,
    crowd("browsers", result.web),
    crowd("TCP peers", result.tcp),
    `server memory: ${mib(start.rss)} before, ${mib(most("rss"))} peak, ${mib(end.rss)} at the end`,
    `server: ${most("fds")} descriptors, ${most("threads")} threads, ${most("links")} links and ` +
      `attempts at most, ${(seconds * 100).toFixed(0)} % of a core`,
    ...result.trackers.map(({ ours, npm }) => {
      const rates = `tracker ${ours.rate.toFixed(0)}, npm ${npm.rate.toFixed(0)} announces/s`;
      const cpus = `a CPU second ${ours.perCpu.toFixed(0)} and ${npm.perCpu.toFixed(0)}`;
      return `${rates} (${(ours.rate / npm.rate).toFixed(1)} times); ${cpus}`;
    }),
  ];
}

function crowd(name, { visits, cut, away, failed, first, whole, bytes }) {
  const at = (values, part) => (quantile(values, part) / 1000).toFixed(1);
  const times = (values) => `p50 ${at(values, 0.5)} s, p99 ${at(values, 0.99)} s`;
  const why = Object.entries(failed).map(([reason, count]) => `${count} × ${reason}`);
  const size = `${(bytes / 1048576).toFixed(0)} MiB`;
  return (
    `${name}: ${visits} visits, ${size}, ${cut} cut short by the end, ${away} dials turned away, ` +
    `failed: ${why.join(", ") || "none"}; first piece ${times(first)}; all ${times(whole)}`
  );
}

/** What must be true of every run; throws with what is not. */
export function judge(result, { trackerRatio }) {
  const failed = [result.web, result.tcp].flatMap((crowd) => Object.entries(crowd.failed));
  if (failed.length > 0) throw new Error(`failed transfers: ${JSON.stringify(failed)}`);
  for (const crowd of [result.web, result.tcp]) {
    if (crowd.visits === 0) throw new Error("nobody got anything");
  }
  const refused = result.trackers.reduce((sum, { ours }) => sum + ours.refused, 0);
  if (refused > 0) throw new Error(`our tracker refused ${refused} announces`);
  const lost = result.trackers.reduce((sum, { ours, npm }) => sum + ours.hungUp + npm.hungUp, 0);
  if (lost > 0) throw new Error(`${lost} announcing sockets were lost`);
  const ratios = result.trackers.map(({ ours, npm }) => ours.rate / npm.rate);
  const ratio = quantile(ratios.sort((a, b) => a - b), 0.5);
  if (ratio < trackerRatio) {
    throw new Error(`our tracker answers ${ratio.toFixed(1)} times what npm's does`);
  }
}
