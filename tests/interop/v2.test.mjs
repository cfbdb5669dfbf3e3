// Torrents of v2 alone and hybrids, from magnets: libtorrent 2.1.1 with Headwater in the browser
// and with the headwater program, and WebTorrent 3.0.21, which knows the v1 half of a hybrid.

import assert from "node:assert/strict";
import { test } from "node:test";
import { manifestOf, oneFile, severalFiles } from "../e2e/harness/content.mjs";
import { openLibtorrent } from "../e2e/harness/libtorrent.mjs";
import { finish, readManifest, start, writeContent } from "../e2e/harness/program.mjs";
import { ask, limit, openStage } from "../e2e/harness/stage.mjs";

for (const version of ["v2", "hybrid"]) {
  test(`libtorrent seeds ${version}, ours in the browser gets`, limit, async (t) => {
    const stage = openStage(t);
    const tracker = await stage.npmTracker();
    const content = severalFiles();
    const { magnet } = await libtorrentSeed(stage, content, tracker.url, version);
    const got = await ask(await stage.peer("headwater"), "get", magnet, tracker.url);
    assert.deepEqual(got, await manifestOf(content.files));
  });

  test(`libtorrent seeds ${version}, headwater get gets`, limit, async (t) => {
    const stage = openStage(t);
    const tracker = await stage.npmTracker();
    const content = severalFiles();
    const { magnet } = await libtorrentSeed(stage, content, tracker.url, version);
    const { path: dir } = await stage.folder();
    const args = ["get", magnet, "-o", dir, "--tracker", tracker.url, "--interface", "127.0.0.1"];
    const { code, log } = await finish(args);
    assert.equal(code, 0, log.join("\n"));
    assert.deepEqual(await readManifest(dir, content), await manifestOf(content.files));
  });

  test(`ours in the browser seeds ${version}, libtorrent gets`, limit, async (t) => {
    const stage = openStage(t);
    const tracker = await stage.npmTracker();
    const content = oneFile(3);
    const magnet = await pageSeed(stage, content, tracker.url, version);
    checkTopics(magnet, version);
    const { path: dir } = await stage.folder();
    const options = { tracker: tracker.url, dir };
    const libtorrent = stage.keep(await openLibtorrent("get", magnet, options));
    await libtorrent.event("done");
    assert.deepEqual(await readManifest(dir, content), await manifestOf(content.files));
  });

  test(`headwater seed seeds ${version}, libtorrent gets`, limit, async (t) => {
    const stage = openStage(t);
    const tracker = await stage.npmTracker();
    const content = severalFiles();
    const magnet = await programSeed(stage, content, tracker.url, version);
    checkTopics(magnet, version);
    const { path: dir } = await stage.folder();
    const options = { tracker: tracker.url, dir };
    const libtorrent = stage.keep(await openLibtorrent("get", magnet, options));
    await libtorrent.event("done");
    assert.deepEqual(await readManifest(dir, content), await manifestOf(content.files));
  });

  test(`ours in the browser seeds ${version}, ours in another gets`, limit, async (t) => {
    const stage = openStage(t);
    const tracker = await stage.npmTracker();
    const content = severalFiles();
    const seed = await stage.peer("headwater");
    const { magnet } = await ask(seed, "seed", content, tracker.url, { version });
    const got = await ask(await stage.peer("headwater"), "get", magnet, tracker.url);
    assert.deepEqual(got, await manifestOf(content.files));
  });
}

for (const topic of ["btih", "btmh"]) {
  test(`a hybrid by its ${topic} alone: libtorrent seeds, a page gets`, limit, async (t) => {
    const stage = openStage(t);
    const tracker = await stage.npmTracker();
    const content = severalFiles();
    const { magnet } = await libtorrentSeed(stage, content, tracker.url, "hybrid");
    const half = only(topic, magnet);
    const got = await ask(await stage.peer("headwater"), "get", half, tracker.url);
    assert.deepEqual(got, await manifestOf(content.files));
  });
}

for (const shell of ["page", "program"]) {
  test(`a hybrid by its btmh alone: a ${shell} seeds, libtorrent gets`, limit, async (t) => {
    const stage = openStage(t);
    const tracker = await stage.npmTracker();
    const content = oneFile(3);
    const seed = shell === "page" ? pageSeed : programSeed;
    const magnet = await seed(stage, content, tracker.url, "hybrid");
    checkTopics(magnet, "hybrid");
    const { path: dir } = await stage.folder();
    const options = { tracker: tracker.url, dir };
    const half = only("btmh", magnet);
    const libtorrent = stage.keep(await openLibtorrent("get", half, options));
    await libtorrent.event("done");
    assert.deepEqual(await readManifest(dir, content), await manifestOf(content.files));
  });
}

for (const [from, to] of [["headwater", "webtorrent"], ["webtorrent", "headwater"]]) {
  test(`${from} gives a hybrid to ${to}`, limit, async (t) => {
    const stage = openStage(t);
    const tracker = await stage.npmTracker();
    const content = oneFile(2);
    const first = await stage.peer("headwater");
    const { magnet } = await ask(first, "seed", content, tracker.url, { version: "hybrid" });
    const expected = await manifestOf(content.files);
    const got = await ask(await stage.peer("webtorrent"), "get", magnet, tracker.url);
    assert.deepEqual(got, expected);
    if (from === "webtorrent") {
      // WebTorrent makes no hybrids, so it gives on what it got, and ours leaves first.
      await first.close();
      const second = await ask(await stage.peer(to), "get", magnet, tracker.url);
      assert.deepEqual(second, expected);
    }
  });
}

async function libtorrentSeed(stage, content, tracker, version) {
  const { path: dir } = await stage.folder();
  const path = await writeContent(dir, content);
  const seed = stage.keep(await openLibtorrent("seed", path, { tracker, version }));
  checkTopics(seed.magnet, version);
  return seed;
}

async function pageSeed(stage, content, tracker, version) {
  const seed = await stage.peer("headwater");
  const { magnet } = await ask(seed, "seed", content, tracker, { version });
  return magnet;
}

async function programSeed(stage, content, tracker, version) {
  const { path: dir } = await stage.folder();
  const path = await writeContent(dir, content);
  const args = ["seed", path, `--${version}`, "--tracker", tracker, "--interface", "127.0.0.1"];
  const seed = stage.keep(start(args));
  const line = await seed.line((text) => text.includes("magnet:"));
  return line.match(/magnet:\S+/)[0];
}

/** A link of v2 has nothing of v1 in it, and that of a hybrid has both. */
function checkTopics(magnet, version) {
  const topics = [magnet.includes("xt=urn:btih:"), magnet.includes("xt=urn:btmh:1220")];
  assert.deepEqual(topics, [version === "hybrid", true], magnet);
}

/** The link without its other topic. */
function only(topic, magnet) {
  const [, given] = magnet.match(new RegExp(`xt=(urn:${topic}:[0-9a-f]+)`));
  return `magnet:?xt=${given}`;
}
