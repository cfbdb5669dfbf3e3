// Measures one torrent from page to page: ours, WebTorrent, and a bare data channel for what the
// browser itself allows. Rounds are interleaved and turned around, so that a slow minute of the
// machine hits all alike; medians and ratios are told.

import { openBrowser, openPage } from "../e2e/harness/chromium.mjs";
import { openSite } from "../e2e/harness/site.mjs";
import { openNpmTracker } from "../e2e/harness/tracker.mjs";
import { ask } from "../e2e/harness/stage.mjs";

const [rounds, mib, form] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];
const total = mib * 1048576;
const PIECE = 1048576;
const ROUND_MS_MAX = 180_000;

const runners = { pump, webtorrent: engine("webtorrent"), headwater: engine("headwater") };

/** Seconds of work on the main thread of each page since it was opened. */
async function mainThread(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  return async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    const value = (name) => metrics.find((metric) => metric.name === name)?.value ?? 0;
    return value("TaskDuration");
  };
}

async function measured(pages, run) {
  const read = await Promise.all(pages.map(mainThread));
  const before = await Promise.all(read.map((one) => one()));
  const start = performance.now();
  await run();
  const seconds = (performance.now() - start) / 1000;
  const after = await Promise.all(read.map((one) => one()));
  const [sender, receiver] = after.map((one, at) => one - before[at]);
  return { mibPerSecond: mib / seconds, senderCpu: sender, receiverCpu: receiver };
}

async function pump(open) {
  const [from, to] = [await open("pump"), await open("pump")];
  const offer = await ask(from, "offer");
  await ask(from, "accept", await ask(to, "answer", offer, total));
  await from.evaluate(() => window.opened);
  return measured([from, to], async () => {
    await Promise.all([ask(from, "pump", total), to.evaluate(() => window.received)]);
  });
}

/**
 * From `add` with a magnet link to the last verified and stored byte, signalling and metadata
 * included. Both store as they do unless told otherwise: in the origin's private file system.
 */
function engine(kind) {
  return async (open, tracker, round) => {
    const [from, to] = [await open(kind), await open(kind)];
    const path = `round-${round}.bin`;
    const content = { name: path, folder: "", files: [{ path, seed: round + 1, length: total }] };
    const { magnet } = await ask(from, "seed", content, tracker.url, { pieceLength: PIECE });
    return measured([from, to], () =>
      to.evaluate(
        async ([kind, magnet, tracker]) => {
          await window.peer.add(magnet, tracker);
          if (kind === "headwater") await window.torrent.done;
          else await new Promise((done) => window.torrent.on("done", done));
        },
        [kind, magnet, tracker.url],
      ),
    );
  };
}

async function once(name, round, site, tracker) {
  const browser = await openBrowser();
  const late = setTimeout(() => browser.close(), ROUND_MS_MAX);
  try {
    const open = async (kind) => {
      const page = await openPage(browser, `${site.origin}/${kind}.html`);
      await page.waitForFunction(() => window.peer);
      return page;
    };
    return await runners[name](open, tracker, round);
  } finally {
    clearTimeout(late);
    await browser.close();
  }
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** Medians of each, and medians of ours over theirs of the same round. */
function summary(results) {
  const row = (name) => {
    const of = (figure) => median(results[name].map((one) => one[figure]));
    const [senderCpu, receiverCpu] = [of("senderCpu"), of("receiverCpu")];
    return { name, mibPerSecond: of("mibPerSecond"), senderCpu, receiverCpu };
  };
  const ratio = (figure, other) => {
    return median(results.headwater.map((one, at) => one[figure] / results[other][at][figure]));
  };
  const ratios = {
    "speed / pump": ratio("mibPerSecond", "pump"),
    "speed / webtorrent": ratio("mibPerSecond", "webtorrent"),
    "sender cpu / webtorrent": ratio("senderCpu", "webtorrent"),
    "receiver cpu / webtorrent": ratio("receiverCpu", "webtorrent"),
  };
  return { mib, rounds, medians: Object.keys(results).map(row), ratios };
}

function print({ medians, ratios }) {
  const cell = (value) => String(typeof value === "number" ? value.toFixed(2) : value).padStart(12);
  const heads = ["", "MiB/s", "sender s", "receiver s"];
  console.log(`${mib} MiB, medians of ${rounds} rounds; seconds are of the page's main thread`);
  console.log(heads.map(cell).join(""));
  for (const { name, mibPerSecond, senderCpu, receiverCpu } of medians) {
    console.log([name, mibPerSecond, senderCpu, receiverCpu].map(cell).join(""));
  }
  for (const [name, ratio] of Object.entries(ratios)) {
    console.log(`${name.padStart(28)} ${ratio.toFixed(2)}`);
  }
}

const site = await openSite();
const tracker = await openNpmTracker();
const names = Object.keys(runners);
const results = Object.fromEntries(names.map((name) => [name, []]));
for (let round = 0; round < rounds; round += 1) {
  for (const name of round % 2 ? [...names].reverse() : names) {
    const result = await once(name, round, site, tracker);
    results[name].push(result);
    if (form !== "json") {
      const figures = Object.values(result).map((value) => value.toFixed(2));
      console.error(`round ${round + 1} ${name}: ${figures.join(" ")}`);
    }
  }
}
const told = summary(results);
if (form === "json") console.log(JSON.stringify({ ...told, results }));
else print(told);
site.close();
await tracker.close();
process.exit(0);
