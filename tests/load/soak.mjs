// Hours of comings and goings on one server: browsers, TCP peers, torrents that are added and
// removed. What it holds must not grow once it has warmed up.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bytesOf } from "../e2e/harness/content.mjs";
import { finish } from "../e2e/harness/program.mjs";
import { startCrowds } from "./crowd.mjs";
import { openServer } from "./server.mjs";
import { growthPerHour, watch } from "./watch.mjs";

/** Part of the time in which it warms up: caches fill, memory is laid out. */
const WARM_UP = 1 / 3;

/** Milliseconds between two torrents that are added. */
const ADD_EVERY = 1_000;

/** Torrents of strangers that are there at a time. */
const GUESTS = 10;

/** What may be added over the time that is judged: noise, and a tenth of what is held. */
const SLACK = { rss: 24, fds: 60, tasks: 150, threads: 8 };

/** Runs it and says what came of it. */
export async function runSoak({ browsers, streams, processes, seconds, every }) {
  const count = Math.ceil(browsers / 2);
  const room = ["--max-peers", streams + 4 * browsers, "--max-webrtc-peers", 4 * browsers];
  const server = await openServer({ count, length: 1 << 20, more: room.map(String) });
  const open = [server];
  try {
    const common = ["--torrents", server.torrents, "--seconds", seconds];
    const web = startCrowds("browsers", {
      count: browsers,
      processes,
      more: ["--tracker", server.url, "--rate", 128 * 1024, ...common],
    });
    open.push(web);
    const tcp = startCrowds("streams", {
      count: streams,
      processes: 1,
      more: ["--address", server.address, "--every", 300, ...common],
    });
    open.push(tcp);
    const look = watch(server.pid, every, () => server.figures());
    open.push(look);
    const guests = startGuests(server, seconds);
    const [ofWeb, ofTcp, ofGuests] = await Promise.all([web.end(), tcp.end(), guests]);
    return { web: ofWeb, tcp: ofTcp, guests: ofGuests, samples: look.samples, log: server.log };
  } finally {
    for (const one of open.reverse()) await one.close();
  }
}

/** Adds torrents by the control API and removes the oldest, data and all. */
async function startGuests(server, seconds) {
  const end = performance.now() + seconds * 1000;
  const here = [];
  let added = 0;
  while (performance.now() < end) {
    const from = performance.now();
    const torrent = await guest(server.folder, added);
    const { info_hash: hash } = await server.ask("POST", "torrents?folder=guests", torrent);
    added += 1;
    here.push(hash);
    if (here.length > GUESTS) await server.ask("DELETE", `torrents/${here.shift()}?data=true`);
    const rest = ADD_EVERY - (performance.now() - from);
    await new Promise((done) => setTimeout(done, Math.max(0, rest)));
  }
  return added;
}

/** A torrent that nobody has. */
async function guest(folder, number) {
  const [file, torrent] = [join(folder, "guest.bin"), join(folder, "guest.torrent")];
  await writeFile(file, bytesOf(50_000 + number, 100_000));
  const made = await finish(["create", file, "-o", torrent]);
  if (made.code !== 0) throw new Error(made.log.join("\n"));
  return readFile(torrent);
}

/** Growth over the time after the warm-up, for each figure, and what is allowed. */
export function growth(samples) {
  const last = samples.at(-1).seconds;
  const judged = samples.filter((sample) => sample.seconds > last * WARM_UP);
  const hours = (last - judged[0].seconds) / 3600;
  return Object.entries(SLACK).map(([figure, slack]) => {
    const mean = judged.reduce((sum, sample) => sum + sample[figure], 0) / judged.length;
    const grown = growthPerHour(judged, figure) * hours;
    return { figure, mean, grown, allowed: slack + mean / 10 };
  });
}

/** Figures of a run as lines for a person. */
export function told({ web, tcp, guests, samples }) {
  const most = (figure) => Math.max(...samples.map((sample) => sample[figure]));
  return [
    `${web.visits} visits of browsers, ${tcp.visits} of TCP peers, ${guests} torrents added`,
    ...growth(samples).map(
      ({ figure, mean, grown, allowed }) =>
        `${figure}: ${mean.toFixed(1)} on average, ${most(figure).toFixed(0)} at most, ` +
        `${grown.toFixed(1)} grown after the warm-up (${allowed.toFixed(1)} allowed)`,
    ),
  ];
}

/** What must be true of every run; throws with what is not. */
export function judge({ web, tcp, guests, samples }) {
  const failed = [web, tcp].flatMap((crowd) => Object.entries(crowd.failed));
  if (failed.length > 0) throw new Error(`failed transfers: ${JSON.stringify(failed)}`);
  if (Math.min(web.visits, tcp.visits, guests) === 0) throw new Error("nothing happened");
  for (const { figure, grown, allowed } of growth(samples)) {
    if (grown > allowed) throw new Error(`${figure} grew by ${grown.toFixed(1)}`);
  }
}
