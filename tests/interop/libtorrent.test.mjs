// libtorrent 2.1.1 with Headwater in the browser and with the headwater program.

import assert from "node:assert/strict";
import { test } from "node:test";
import { manifestOf, oneFile, severalFiles } from "../e2e/harness/content.mjs";
import { openLibtorrent } from "../e2e/harness/libtorrent.mjs";
import { finish, readManifest, start, writeContent } from "../e2e/harness/program.mjs";
import { ask, limit, openStage, trackers } from "../e2e/harness/stage.mjs";


for (const [over, open] of trackers) {
  test(`libtorrent seeds, ours in the browser gets, over ${over}`, limit, async (t) => {
    const stage = openStage(t);
    const tracker = await open(stage);
    const content = severalFiles();
    const { magnet } = await libtorrentSeed(stage, content, tracker.url);
    const got = await ask(await stage.peer("headwater"), "get", magnet, tracker.url);
    assert.deepEqual(got, await manifestOf(content.files));
  });

  test(`libtorrent seeds, headwater get gets, over ${over}`, limit, async (t) => {
    const stage = openStage(t);
    const tracker = await open(stage);
    const content = severalFiles();
    const { magnet } = await libtorrentSeed(stage, content, tracker.url);
    const { path: dir } = await stage.folder();
    const args = ["get", magnet, "-o", dir, "--tracker", tracker.url, "--interface", "127.0.0.1"];
    const { code, log } = await finish(args);
    assert.equal(code, 0, log.join("\n"));
    assert.deepEqual(await readManifest(dir, content), await manifestOf(content.files));
  });

  test(`headwater seed seeds, libtorrent gets, over ${over}`, limit, async (t) => {
    const stage = openStage(t);
    const tracker = await open(stage);
    const content = severalFiles();
    const { path: from } = await stage.folder();
    const path = await writeContent(from, content);
    const args = ["seed", path, "--tracker", tracker.url, "--interface", "127.0.0.1"];
    const seed = stage.keep(start(args));
    const line = await seed.line((text) => text.includes("magnet:"));
    const magnet = line.match(/magnet:\S+/)[0];
    const { path: dir } = await stage.folder();
    const options = { tracker: tracker.url, dir };
    const libtorrent = stage.keep(await openLibtorrent("get", magnet, options));
    await libtorrent.event("done");
    assert.deepEqual(await readManifest(dir, content), await manifestOf(content.files));
  });
}

test("ours in the browser seeds, libtorrent gets", limit, async (t) => {
  const stage = openStage(t);
  const tracker = await stage.npmTracker();
  const content = oneFile(3);
  const { magnet } = await ask(await stage.peer("headwater"), "seed", content, tracker.url);
  const { path: dir } = await stage.folder();
  const options = { tracker: tracker.url, dir };
  const libtorrent = stage.keep(await openLibtorrent("get", magnet, options));
  await libtorrent.event("done");
  assert.deepEqual(await readManifest(dir, content), await manifestOf(content.files));
});

async function libtorrentSeed(stage, content, tracker) {
  const { path: dir } = await stage.folder();
  const path = await writeContent(dir, content);
  return stage.keep(await openLibtorrent("seed", path, { tracker }));
}
