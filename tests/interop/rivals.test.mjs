// The foreign engines among themselves, over our tracker and over theirs. What fails over theirs is
// the stage, not Headwater; what fails over ours alone is our tracker.

import assert from "node:assert/strict";
import { test } from "node:test";
import { manifestOf, severalFiles } from "../e2e/harness/content.mjs";
import { openLibtorrent } from "../e2e/harness/libtorrent.mjs";
import { readManifest } from "../e2e/harness/program.mjs";
import { ask, limit, openStage, trackers } from "../e2e/harness/stage.mjs";


for (const [over, open] of trackers) {
  test(`WebTorrent seeds, WebTorrent and libtorrent get, over ${over}`, limit, async (t) => {
    const stage = openStage(t);
    const tracker = await open(stage);
    const content = severalFiles();
    const seed = await stage.peer("webtorrent");
    const { magnet } = await ask(seed, "seed", content, tracker.url);
    const got = await ask(await stage.peer("webtorrent"), "get", magnet, tracker.url);
    assert.deepEqual(got, await manifestOf(content.files));
    const { path: dir } = await stage.folder();
    const options = { tracker: tracker.url, dir };
    const libtorrent = stage.keep(await openLibtorrent("get", magnet, options));
    await libtorrent.event("done");
    assert.deepEqual(await readManifest(dir, content), await manifestOf(content.files));
  });
}
