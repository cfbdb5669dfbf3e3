// Measures one torrent from program to program over TCP on loopback: headwater to headwater beside
// libtorrent to libtorrent, same data, same disk; then over WebRTC from each to one Chromium page.
// Rounds are interleaved and turned around; medians and ratios of the same round are told.

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { openBrowser, openPage } from "../e2e/harness/chromium.mjs";
import { oneFile } from "../e2e/harness/content.mjs";
import { openLibtorrent } from "../e2e/harness/libtorrent.mjs";
import { finish, openFolder, serve, start, writeContent } from "../e2e/harness/program.mjs";
import { openSite } from "../e2e/harness/site.mjs";
import { freePort } from "../interop/peers/child.mjs";
import { look } from "../load/watch.mjs";

const [rounds, mib, webMib] = process.argv.slice(2, 5).map(Number);
const HERE = ["--interface", "127.0.0.1"];

/** CPU seconds of a process so far. */
const cpu = async (pid) => (await look(pid)).cpu;

/** A file of so many MiB, and its torrent. */
async function openShared(size) {
  const folder = await openFolder();
  const path = await writeContent(folder.path, oneFile(size, "film.bin"));
  const torrent = join(folder.path, "film.torrent");
  const made = await finish(["create", path, "-o", torrent]);
  if (made.code !== 0) throw new Error(made.log.join("\n"));
  return { dir: folder.path, path, torrent, close: folder.close };
}

/** MiB and CPU seconds of both ends for each GiB. */
function figures(size, seconds, seed, leech) {
  const gib = size / 1024;
  const [both, speed] = [(seed + leech) / gib, size / seconds];
  return { speed, seed: seed / gib, leech: leech / gib, both };
}

async function libtorrent({ dir, torrent }, to) {
  const port = await freePort();
  const more = ["--transports", "tcp", "--encryption", "off"];
  const seed = await openLibtorrent("get", torrent, { dir, more: [...more, "--port", `${port}`] });
  await seed.event("done");
  const leech = await openLibtorrent("get", torrent, { dir: to, more });
  const before = [await cpu(seed.pid), await cpu(leech.pid)];
  const from = performance.now();
  leech.dial(`127.0.0.1:${port}`);
  await leech.event("done");
  const seconds = (performance.now() - from) / 1000;
  const used = [(await cpu(seed.pid)) - before[0], (await cpu(leech.pid)) - before[1]];
  await leech.close();
  await seed.close();
  return figures(mib, seconds, ...used);
}

async function headwater({ dir, path, torrent }, to) {
  const tcp = [...HERE, "--transports", "tcp", "--encryption", "off", "--json"];
  const seed = start(["seed", path, ...tcp]);
  const { port } = JSON.parse(await seed.line((line) => line.includes('"port"')));
  const before = await cpu(seed.child.pid);
  const from = performance.now();
  const address = ["--peer", `127.0.0.1:${port}`];
  const leech = start(["get", torrent, "-o", to, "--seed", ...address, ...tcp]);
  await leech.line((line) => line.includes('"done"'));
  const seconds = (performance.now() - from) / 1000;
  const used = [(await cpu(seed.child.pid)) - before, await cpu(leech.child.pid)];
  await leech.close();
  await seed.close();
  await rm(join(dir, ".headwater"), { recursive: true, force: true });
  return figures(mib, seconds, ...used);
}

/** One page fetches from one program over WebRTC; `open` starts the program. */
async function toPage(shared, site, open) {
  const tracker = await serve();
  const seed = await open(shared, tracker.url);
  const browser = await openBrowser();
  const page = await openPage(browser, `${site.origin}/headwater.html?storage=memory`);
  await page.waitForFunction(() => window.peer);
  const before = await cpu(seed.pid);
  const from = performance.now();
  await page.evaluate(
    async ([magnet, tracker]) => {
      await window.peer.add(magnet, tracker);
      await window.torrent.done;
    },
    [seed.magnet, tracker.url],
  );
  const seconds = (performance.now() - from) / 1000;
  const used = (await cpu(seed.pid)) - before;
  await browser.close();
  await seed.close();
  await tracker.close();
  return figures(webMib, seconds, used, 0);
}

async function headwaterWeb({ path }, tracker) {
  const seed = start(["seed", path, "--tracker", tracker, "--json", ...HERE]);
  const { magnet } = JSON.parse(await seed.line((line) => line.includes('"magnet"')));
  return { magnet, pid: seed.child.pid, close: () => seed.close() };
}

async function libtorrentWeb({ path }, tracker) {
  const seed = await openLibtorrent("seed", path, { tracker });
  await seed.event("done");
  return seed;
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

function tell(title, names, results) {
  const cell = (value) => String(typeof value === "number" ? value.toFixed(2) : value).padStart(14);
  console.log(title);
  console.log(["", "MiB/s", "seed s/GiB", "leech s/GiB", "both s/GiB"].map(cell).join(""));
  for (const name of names) {
    const of = (figure) => median(results[name].map((one) => one[figure]));
    console.log([name, ...["speed", "seed", "leech", "both"].map(of)].map(cell).join(""));
  }
  for (const figure of ["speed", "both"]) {
    const [ours, theirs] = names;
    const ratios = results[ours].map((one, at) => one[figure] / results[theirs][at][figure]);
    console.log(`${figure}: ours is ${median(ratios).toFixed(2)} of theirs`);
  }
}

/** Plays all runners by turns. */
async function play(runners) {
  const names = Object.keys(runners);
  const results = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const name of round % 2 ? [...names].reverse() : names) {
      const to = await openFolder();
      const result = await runners[name](to.path);
      await to.close();
      results[name].push(result);
      const told = Object.entries(result).map(([figure, value]) => `${figure} ${value.toFixed(2)}`);
      console.error(`round ${round + 1} ${name}: ${told.join(", ")}`);
    }
  }
  return [names, results];
}

const shared = await openShared(mib);
const tcp = await play({
  headwater: (to) => headwater(shared, to),
  libtorrent: (to) => libtorrent(shared, to),
});
await shared.close();
const [web, site] = [await openShared(webMib), await openSite()];
const pages = await play({
  headwater: () => toPage(web, site, headwaterWeb),
  libtorrent: () => toPage(web, site, libtorrentWeb),
});
await web.close();
site.close();
tell(`TCP, ${mib} MiB, medians of ${rounds} rounds`, ...tcp);
tell(`WebRTC to a Chromium page, ${webMib} MiB, medians of ${rounds} rounds`, ...pages);
process.exit(0);
