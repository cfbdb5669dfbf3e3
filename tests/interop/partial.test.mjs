// Partial seeds (BEP 21) over WebRTC: who wanted only some files and has them serves those, and is
// neither taken for a seed nor left alone while it has something to give.

import assert from "node:assert/strict";
import { test } from "node:test";
import { manifestOf, threeFiles } from "../e2e/harness/content.mjs";
import { openLibtorrent } from "../e2e/harness/libtorrent.mjs";
import { readManifest, start, writeContent } from "../e2e/harness/program.mjs";
import { ask, limit, openStage, until } from "../e2e/harness/stage.mjs";

/** The file that partial seeds hold is the first, so that its index is the same in each version. */
const HELD = 0;
const content = threeFiles();
/** Bytes a second that ours give: libtorrent leaves a partial seed once it has what is there. */
const SLOW = 300_000;
const versions = ["v1", "v2", "hybrid"];

for (const version of versions) {
  test(`libtorrent holds one file of ${version}, a page gets it there`, limit, async (t) => {
    const { stage, tracker, magnet, again } = await openPartial(t, version, libtorrentHolds);
    const page = await stage.peer("headwater");
    await ask(page, "add", magnet, tracker.url);
    await until("the file", async () => (await ask(page, "figures")).files[HELD] === 1);
    const { state, peers, files } = await ask(page, "figures");
    assert.deepEqual([state, peers.length], ["leeching", 1]);
    assert.match(peers[0].client, /libtorrent/);
    assert.ok(peers[0].progress < 1 && files[1] < 1, "it holds all");
    await again();
    const got = await page.evaluate(async () => {
      await window.torrent.done;
      return window.peer.manifest(window.torrent);
    });
    assert.deepEqual(got, await manifestOf(content.files));
    const { heard } = await ask(page, "figures");
    const end = heard.findIndex((one) => one.type === "done");
    const left = heard.slice(0, end).filter((one) => one.id === peers[0].id && !one.joined);
    assert.deepEqual(left, [], "a peer that had something to give was left");
    assert.deepEqual(page.trouble, []);
  });

  test(`a page holds one file of ${version}, libtorrent gets it there`, limit, async (t) => {
    const { stage, tracker, magnet, again } = await openPartial(t, version, pageHolds);
    const { path: dir } = await stage.folder();
    const options = { tracker: tracker.url, dir };
    const libtorrent = stage.keep(await openLibtorrent("get", magnet, options));
    await getsFromPartialSeed(libtorrent, again);
    assert.deepEqual(await readManifest(dir, content), await manifestOf(content.files));
  });
}

test("libtorrent holds one file, headwater get gets it there", limit, async (t) => {
  const { stage, tracker, magnet, again } = await openPartial(t, "hybrid", libtorrentHolds);
  const { path: dir } = await stage.folder();
  const get = stage.keep(start(["get", magnet, "-o", dir, "--json", ...meet(tracker)]));
  const [{ length }] = content.files;
  await get.line((line) => JSON.parse(line).stored >= length);
  await again();
  assert.equal(await get.ended, 0, get.log.join("\n"));
  assert.deepEqual(await readManifest(dir, content), await manifestOf(content.files));
});

test("headwater get holds one file, libtorrent gets it there", limit, async (t) => {
  const { stage, tracker, magnet, again } = await openPartial(t, "hybrid", programHolds);
  const { path: dir } = await stage.folder();
  const libtorrent = stage.keep(await openLibtorrent("get", magnet, { tracker: tracker.url, dir }));
  await getsFromPartialSeed(libtorrent, again);
  assert.deepEqual(await readManifest(dir, content), await manifestOf(content.files));
});

/** Has a peer get one file of a seed that leaves then; `again` brings a seed back. */
async function openPartial(test, version, holds) {
  const stage = openStage(test);
  const tracker = await stage.npmTracker();
  const { path: from } = await stage.folder();
  const path = await writeContent(from, content);
  const args = ["seed", path, `--${version}`, ...meet(tracker)];
  const again = async () => {
    const seed = stage.keep(start(args));
    const line = await seed.line((text) => text.includes("magnet:"));
    return { seed, magnet: line.match(/magnet:\S+/)[0] };
  };
  const { seed, magnet } = await again();
  await holds(stage, tracker, magnet);
  await seed.close();
  return { stage, tracker, magnet, again };
}

async function libtorrentHolds(stage, tracker, magnet) {
  const { path: dir } = await stage.folder();
  const options = { tracker: tracker.url, dir, files: [HELD] };
  const libtorrent = stage.keep(await openLibtorrent("get", magnet, options));
  await libtorrent.event("finished");
  assert.ok(!libtorrent.said("done"), "it has more than one file");
}

async function pageHolds(stage, tracker, magnet) {
  const page = await stage.peer("headwater", `?up=${SLOW}`);
  await ask(page, "add", magnet, tracker.url, { files: [HELD] });
  await page.evaluate(() => window.torrent.done);
}

async function programHolds(stage, tracker, magnet) {
  const { path: dir } = await stage.folder();
  const chosen = `${magnet}&so=${HELD}`;
  const slow = ["--upload-limit", `${SLOW}`, ...meet(tracker)];
  const get = stage.keep(start(["get", chosen, "-o", dir, "--seed", "--json", ...slow]));
  await get.line((line) => JSON.parse(line).event === "done");
}

/** Watches libtorrent get what a partial seed of ours has, and then the rest of a seed. */
async function getsFromPartialSeed(libtorrent, again) {
  const peer = await libtorrent.event("peer", (one) => one.upload_only);
  assert.deepEqual([peer.seed, /headwater/i.test(peer.client)], [false, true], peer.client);
  await libtorrent.event("file", (one) => one.index === HELD);
  assert.ok(!libtorrent.said("done"), "the partial seed had all");
  await again();
  await libtorrent.event("done");
}

function meet(tracker) {
  return ["--tracker", tracker.url, "--interface", "127.0.0.1"];
}
