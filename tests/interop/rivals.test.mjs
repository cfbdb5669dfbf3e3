// The foreign engines among themselves: what fails here is the stage, not Headwater.

import assert from "node:assert/strict";
import { test } from "node:test";
import { join } from "node:path";
import { manifestOf, oneFile, severalFiles } from "../e2e/harness/content.mjs";
import { openLibtorrent } from "../e2e/harness/libtorrent.mjs";
import { readManifest } from "../e2e/harness/program.mjs";
import { ask, limit, openStage } from "../e2e/harness/stage.mjs";

test("WebTorrent gets from WebTorrent and libtorrent gets too", limit, async (t) => {
  const stage = openStage(t);
  const tracker = await stage.npmTracker();
  const content = severalFiles();
  const seed = await stage.peer("webtorrent");
  const { magnet } = await ask(seed, "seed", content, tracker.url);
  const got = await ask(await stage.peer("webtorrent"), "get", magnet, tracker.url);
  assert.deepEqual(got, await manifestOf(content.files));
  const { path: dir } = await stage.folder();
  const libtorrent = stage.keep(await openLibtorrent("get", magnet, { tracker: tracker.url, dir }));
  await libtorrent.event("done");
  assert.deepEqual(await readManifest(dir, content), await manifestOf(content.files));
});
