// Foreign clients that know no more than `/announce` of `headwater serve`: they find each other
// there. Its answers are npm's tracker's, as npm's client reads them.

import assert from "node:assert/strict";
import { test } from "node:test";
import Server from "bittorrent-tracker/server";
import { EventEmitter } from "node:events";
import { join } from "node:path";
import { manifestOf, severalFiles } from "../e2e/harness/content.mjs";
import { finish, readManifest, writeContent } from "../e2e/harness/program.mjs";
import { limit, openStage, until } from "../e2e/harness/stage.mjs";
import { openAria2 } from "./peers/aria2.mjs";
import { openLibtorrentPeer } from "./peers/libtorrent.mjs";
import { openTransmission } from "./peers/transmission.mjs";
// The whole client does not load without WebRTC for node.
import HttpTracker from "../node_modules/bittorrent-tracker/lib/client/http-tracker.js";

/** Whoever gets dials, and transmission dials nobody on loopback. */
const pairs = [
  ["libtorrent", openLibtorrentPeer, "libtorrent", openLibtorrentPeer],
  ["transmission", openTransmission, "libtorrent", openLibtorrentPeer],
  ["libtorrent", openLibtorrentPeer, "aria2", openAria2],
];

for (const [seeds, openSeed, gets, openGet] of pairs) {
  const title = `${gets} finds a ${seeds} that seeds at /announce, and gets all from it`;
  test(title, limit, async (t) => {
    const stage = openStage(t);
    const { site, metrics } = await stage.ourTracker();
    const made = await make(stage, `${site}/announce`);
    const seed = await open(stage, openSeed);
    await seed.seed(made.file, made.dir);
    await until("a seed at the tracker", async () => (await sizes(site, made.hash))[0] === 1);
    const get = await open(stage, openGet);
    const { path: out } = await stage.folder();
    await get.get(made.magnet, out);
    await get.done();
    assert.deepEqual(await readManifest(out, made.content), await manifestOf(made.content.files));
    await until("two seeds", async () => (await sizes(site, made.hash))[0] === 2);
    const told = (await metrics()).match(/\nheadwater_tracker_addresses_told_total (\d+)\n/)[1];
    assert.ok(Number(told) > 0);
  });
}


test("npm's client hears the same of our tracker as of npm's", limit, async (t) => {
  const stage = openStage(t);
  const { site } = await stage.ourTracker();
  const npm = new Server({ http: true, udp: false, ws: false, stats: false });
  await new Promise((done) => npm.listen(0, "127.0.0.1", done));
  stage.keep(npm, () => new Promise((done) => npm.close(done)));
  const ours = await story(stage, `${site}/announce`);
  const theirs = await story(stage, `http://127.0.0.1:${npm.http.address().port}/announce`);
  assert.deepEqual(ours, theirs);
  const sizes = [[1, 0], [1, 1], [0, 1]];
  assert.deepEqual(ours, { told: ["127.0.0.1:7001"], sizes, scraped: [1, 1] });
});

/** A seed comes, a leecher comes and scrapes, the seed leaves. */
async function story(stage, announce) {
  const open = (letter, port) => npmClient(stage, announce, letter, port);
  const [seed, leecher] = [open("s", 7001), open("l", 7002)];
  const told = [];
  leecher.events.on("peer", (address) => {
    // Npm's tracker tells everybody of itself too.
    if (!address.endsWith(":7002")) told.push(address);
  });
  const came = await seed.announce({ left: 0, event: "started" });
  const joined = await leecher.announce({ left: 5, event: "started" });
  const scraped = await leecher.scrape();
  await seed.announce({ left: 0, event: "stopped" });
  const alone = await leecher.announce({ left: 5 });
  const counts = ({ complete, incomplete }) => [complete, incomplete];
  return { told, sizes: [came, joined, alone].map(counts), scraped: counts(scraped) };
}

/** What npm's client does at one tracker. */
function npmClient(stage, url, letter, port) {
  const events = new EventEmitter();
  const binary = { _infoHashBinary: "\xf0".repeat(20), _peerIdBinary: letter.repeat(20) };
  const tracker = new HttpTracker(Object.assign(events, binary, { _port: port }), url);
  stage.keep(tracker, () => new Promise((done) => tracker.destroy(done)));
  const heard = (event, act) =>
    new Promise((done, fail) => {
      events.once(event, done);
      events.once("warning", fail);
      act();
    });
  return {
    events,
    announce: (fields) => heard("update", () => tracker.announce({ numwant: 50, ...fields })),
    scrape: () => heard("scrape", () => tracker.scrape({})),
  };
}

async function open(stage, how) {
  const { path: folder } = await stage.folder();
  return stage.keep(await how({ folder, transports: ["tcp", "utp"] }));
}

/** Content, and a torrent of v1 that names this tracker alone. */
async function make(stage, tracker) {
  const content = severalFiles();
  const { path: dir } = await stage.folder();
  const path = await writeContent(dir, content);
  const { path: beside } = await stage.folder();
  const file = join(beside, "album.torrent");
  const run = await finish(["create", path, "-o", file, "--v1", "--tracker", tracker]);
  assert.equal(run.code, 0, run.log.join("\n"));
  const magnet = run.text.match(/magnet:\S+/)[0];
  return { content, dir, file, magnet, hash: magnet.match(/urn:btih:([0-9a-f]{40})/)[1] };
}

/** Complete and incomplete, by a scrape. */
async function sizes(site, hash) {
  const answer = await fetch(`${site}/scrape?info_hash=${hash.replace(/../g, "%$&")}`);
  const text = await answer.text();
  return ["complete", "incomplete"].map((key) => Number(text.match(`:${key}i(\\d+)e`)[1]));
}
