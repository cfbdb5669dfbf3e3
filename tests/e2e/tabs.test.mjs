// Two tabs of one origin share storage: neither may spoil what the other keeps.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOf, hashOf, manifestOf, oneFile, severalFiles } from "./harness/content.mjs";
import { ask, limit, openStage } from "./harness/stage.mjs";

test("two tabs get the same torrent at once and both get it right", limit, async (t) => {
  const stage = openStage(t);
  const tracker = await stage.npmTracker();
  const content = oneFile(4);
  const { magnet } = await ask(await stage.peer("headwater"), "seed", content, tracker.url);
  const context = await stage.context();
  const tabs = [await stage.tab(context, "headwater"), await stage.tab(context, "headwater")];
  const got = await Promise.all(tabs.map((tab) => ask(tab, "get", magnet, tracker.url)));
  for (const one of got) assert.deepEqual(one, await manifestOf(content.files));
  await tabs[0].close();
  await tabs[1].reload();
  await tabs[1].waitForFunction(() => window.peer);
  const again = await ask(tabs[1], "get", magnet, tracker.url);
  assert.deepEqual(again, await manifestOf(content.files));
});

test("two tabs with a torrent each stay out of each other's way", limit, async (t) => {
  const stage = openStage(t);
  const tracker = await stage.npmTracker();
  const contents = [oneFile(2), severalFiles()];
  const magnets = [];
  for (const content of contents) {
    const { magnet } = await ask(await stage.peer("headwater"), "seed", content, tracker.url);
    magnets.push(magnet);
  }
  const context = await stage.context();
  const getting = magnets.map(async (magnet) => {
    const tab = await stage.tab(context, "headwater");
    return [tab, await ask(tab, "get", magnet, tracker.url)];
  });
  for (const [at, [tab, got]] of (await Promise.all(getting)).entries()) {
    assert.deepEqual(got, await manifestOf(contents[at].files));
    const read = await tab.evaluate(async () => {
      const [file] = window.torrent.files;
      const answer = await fetch(file.url);
      const digest = await crypto.subtle.digest("SHA-256", await answer.arrayBuffer());
      return [answer.status, file.path, Array.from(new Uint8Array(digest))];
    });
    const [status, path, digest] = read;
    const isRead = (file) => file.path.endsWith(path) || path.endsWith(file.path);
    const source = contents[at].files.find(isRead);
    const hash = await hashOf(bytesOf(source.seed, source.length));
    assert.deepEqual([status, Buffer.from(digest).toString("hex")], [200, hash]);
  }
});
