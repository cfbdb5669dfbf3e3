// The tracker goes away in the middle and comes back: links that work go on, and peers that come
// later still find the others.

import assert from "node:assert/strict";
import { test } from "node:test";
import { manifestOf, oneFile } from "./harness/content.mjs";
import { serve } from "./harness/program.mjs";
import { openNpmTracker } from "./harness/tracker.mjs";
import { ask, limit, openStage, until } from "./harness/stage.mjs";

const trackers = [
  ["our tracker", (port) => serve({ listen: `127.0.0.1:${port}` })],
  ["the npm tracker", (port) => openNpmTracker(port)],
];

for (const [name, open] of trackers) {
  test(`${name} is killed in the middle and comes back`, limit, async (t) => {
    const stage = openStage(t);
    const first = await open(0);
    const content = oneFile(4);
    const { magnet } = await ask(await stage.peer("headwater"), "seed", content, first.url);
    const slow = await stage.peer("headwater", "?down=400000");
    const getting = ask(slow, "get", magnet, first.url);
    await until("some of it", async () => (await progressOf(slow)) > 0.1);
    await first.close("SIGKILL");
    assert.ok((await progressOf(slow)) < 1, "it was over before the tracker went");
    await until("the tracker's trouble to be told", async () => {
      const { trackers: told } = await ask(slow, "figures");
      return told.some((one) => one.trouble);
    });
    const second = stage.keep(await open(first.port));
    assert.ok((await progressOf(slow)) < 1, "it was over before the tracker came back");
    assert.deepEqual(await getting, await manifestOf(content.files));
    const late = await stage.peer("headwater");
    const got = await ask(late, "get", magnet, second.url);
    assert.deepEqual(got, await manifestOf(content.files));
  });
}

async function progressOf(page) {
  return page.evaluate(() => window.torrent?.progress ?? 0);
}
