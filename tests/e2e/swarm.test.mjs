// Headwater with Headwater: pages and programs find each other by a magnet link alone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { manifestOf, oneFile, severalFiles } from "./harness/content.mjs";
import { finish, readManifest, start, writeContent } from "./harness/program.mjs";
import { ask, limit, openStage, trackers } from "./harness/stage.mjs";

const contents = [
  ["one file", oneFile(5)],
  ["several files", severalFiles()],
];

for (const [what, content] of contents) {
  for (const [over, open] of trackers) {
    test(`a page gets ${what} from a page, over ${over}`, limit, async (t) => {
      const stage = openStage(t);
      const tracker = await open(stage);
      const { magnet } = await ask(await stage.peer("headwater"), "seed", content, tracker.url);
      const getter = await stage.peer("headwater");
      const got = await ask(getter, "get", magnet, tracker.url);
      assert.deepEqual(got, await manifestOf(content.files));
      assert.deepEqual(getter.trouble, []);
    });
  }
}

test("a page that keeps everything in memory gets what others get", limit, async (t) => {
  const stage = openStage(t);
  const tracker = await stage.npmTracker();
  const content = severalFiles();
  const { magnet } = await ask(await stage.peer("headwater"), "seed", content, tracker.url);
  const getter = await stage.peer("headwater", "?storage=memory");
  const got = await ask(getter, "get", magnet, tracker.url);
  assert.deepEqual(got, await manifestOf(content.files));
});

test("headwater get gets from headwater seed, and again from what it got", limit, async (t) => {
  const stage = openStage(t);
  const tracker = await stage.ourTracker();
  const content = severalFiles();
  const seed = await seedFrom(stage, content, tracker.url);
  const magnet = await magnetOf(seed);
  const { path: dir } = await stage.folder();
  const args = ["get", magnet, "-o", dir, "--tracker", tracker.url, "--interface", "127.0.0.1"];
  const first = await finish(args);
  assert.equal(first.code, 0, first.log.join("\n"));
  assert.deepEqual(await readManifest(dir, content), await manifestOf(content.files));
  await seed.close();
  const again = await finish(args);
  assert.equal(again.code, 0, again.log.join("\n"));
  assert.deepEqual(await readManifest(dir, content), await manifestOf(content.files));
});

test("a page gets from headwater seed and headwater get gets from the page", limit, async (t) => {
  const stage = openStage(t);
  const tracker = await stage.ourTracker();
  const content = oneFile(3);
  const seed = await seedFrom(stage, content, tracker.url);
  const magnet = await magnetOf(seed);
  const page = await stage.peer("headwater");
  const expected = await manifestOf(content.files);
  assert.deepEqual(await ask(page, "get", magnet, tracker.url), expected);
  await seed.close();
  const { path: dir } = await stage.folder();
  const args = ["get", magnet, "-o", dir, "--tracker", tracker.url, "--interface", "127.0.0.1"];
  const { code, log } = await finish(args);
  assert.equal(code, 0, log.join("\n"));
  assert.deepEqual(await readManifest(dir, content), expected);
});

async function seedFrom(stage, content, tracker) {
  const { path: dir } = await stage.folder();
  const path = await writeContent(dir, content);
  return stage.keep(start(["seed", path, "--tracker", tracker, "--interface", "127.0.0.1"]));
}

async function magnetOf(seed) {
  const line = await seed.line((text) => text.includes("magnet:"));
  return line.match(/magnet:\S+/)[0];
}
