// WebTorrent 3.0.21 in one page and Headwater in another, by magnet alone, in both directions.

import assert from "node:assert/strict";
import { test } from "node:test";
import { manifestOf, oneFile, severalFiles } from "../e2e/harness/content.mjs";
import { ask, limit, openStage, trackers } from "../e2e/harness/stage.mjs";

const contents = [
  ["one file", oneFile(3)],
  ["several files", severalFiles()],
];

for (const [what, content] of contents) {
  for (const [over, open] of trackers) {
    test(`WebTorrent seeds ${what}, ours gets, over ${over}`, limit, async (t) => {
      const stage = openStage(t);
      const tracker = await open(stage);
      const seed = await stage.peer("webtorrent");
      const { magnet } = await ask(seed, "seed", content, tracker.url);
      const got = await ask(await stage.peer("headwater"), "get", magnet, tracker.url);
      assert.deepEqual(got, await manifestOf(content.files));
    });

    test(`ours seeds ${what}, WebTorrent gets, over ${over}`, limit, async (t) => {
      const stage = openStage(t);
      const tracker = await open(stage);
      const seed = await stage.peer("headwater");
      const { magnet } = await ask(seed, "seed", content, tracker.url);
      const got = await ask(await stage.peer("webtorrent"), "get", magnet, tracker.url);
      assert.deepEqual(got, await manifestOf(content.files));
    });
  }
}

test("two of each end with everything when only one began with it", limit, async (t) => {
  const stage = openStage(t);
  const tracker = await stage.npmTracker();
  const content = oneFile(4);
  const { magnet } = await ask(await stage.peer("webtorrent"), "seed", content, tracker.url);
  const kinds = ["headwater", "webtorrent", "headwater"];
  const pages = await Promise.all(kinds.map((kind) => stage.peer(kind)));
  const got = await Promise.all(pages.map((page) => ask(page, "get", magnet, tracker.url)));
  const expected = await manifestOf(content.files);
  for (const one of got) assert.deepEqual(one, expected);
});
