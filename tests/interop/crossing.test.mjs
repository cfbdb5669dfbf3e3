// Offers that cross: each side offers before it hears of the other's offer. WebTorrent alone loses
// both links then; with ours on one side at least, exactly one link must work.

import assert from "node:assert/strict";
import { test } from "node:test";
import { manifestOf, oneFile } from "../e2e/harness/content.mjs";
import { openCrossingTracker } from "../e2e/harness/crossing.mjs";
import { ask, limit, openStage, until } from "../e2e/harness/stage.mjs";

/** How long the one link is watched: figures are told twice a second. */
const STEADY_MS = 1500;

const sides = [
  ["headwater", "headwater"],
  ["webtorrent", "headwater"],
  ["headwater", "webtorrent"],
];

for (const [seeder, getter] of sides) {
  test(`offers of a ${seeder} seed and a ${getter} getter cross`, limit, async (t) => {
    const stage = openStage(t);
    const tracker = stage.keep(await openCrossingTracker());
    const content = oneFile(1);
    const seed = await stage.peer(seeder);
    const { magnet } = await ask(seed, "seed", content, tracker.url);
    const get = await stage.peer(getter);
    const getting = ask(get, "get", magnet, tracker.url);
    await tracker.crossed;
    assert.deepEqual(await getting, await manifestOf(content.files));
    for (const [kind, page] of [[seeder, seed], [getter, get]]) {
      if (kind !== "headwater") continue;
      // Two links open where the offers cross, one after the other; then one of them goes.
      await until("one link for a while", async () => {
        for (const start = Date.now(); Date.now() - start < STEADY_MS; ) {
          if ((await ask(page, "figures")).peers.length !== 1) return false;
        }
        return true;
      });
    }
  });
}
