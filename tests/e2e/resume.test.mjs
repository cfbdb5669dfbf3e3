// A page that is reloaded in the middle goes on where it was: what is stored is not fetched again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { manifestOf, oneFile } from "./harness/content.mjs";
import { ask, limit, openStage, until } from "./harness/stage.mjs";

/** Pieces that may be open, and so lost, when the page goes. */
const OPEN_PIECES_MAX = 20;
const PIECE = 65_536;

test("a reloaded page fetches nothing twice beyond its open pieces", limit, async (t) => {
  const stage = openStage(t);
  const tracker = await stage.npmTracker();
  const content = oneFile(8);
  const [{ length }] = content.files;
  const seed = await stage.peer("headwater");
  const { magnet } = await ask(seed, "seed", content, tracker.url, { pieceLength: PIECE });
  const context = await stage.context();
  const page = await stage.tab(context, "headwater", "?down=1500000");
  await ask(page, "add", magnet, tracker.url);
  await until("half of it", () => page.evaluate(() => window.torrent.progress > 0.5));
  const stored = await page.evaluate(() => {
    return window.torrent.pieces().filter((state) => state === "stored").length;
  });
  await page.reload();
  await page.waitForFunction(() => window.peer);
  const got = await ask(page, "get", magnet, tracker.url);
  assert.deepEqual(got, await manifestOf(content.files));
  const second = await page.evaluate(() => window.torrent.downloaded);
  const missing = length - stored * PIECE;
  assert.ok(stored > 40 && second <= missing, `${second} bytes came for ${missing} missing`);
  const { uploaded } = await ask(seed, "figures");
  const most = length + OPEN_PIECES_MAX * PIECE;
  assert.ok(uploaded <= most, `${uploaded} bytes were sent for ${length}, at most ${most}`);
});

test("a page that comes back to a whole torrent has it without any peer", limit, async (t) => {
  const stage = openStage(t);
  const tracker = await stage.npmTracker();
  const content = oneFile(2);
  const seed = await stage.peer("headwater");
  const { magnet } = await ask(seed, "seed", content, tracker.url);
  const page = await stage.tab(await stage.context(), "headwater");
  await ask(page, "get", magnet, tracker.url);
  await seed.context().close();
  await page.reload();
  await page.waitForFunction(() => window.peer);
  const got = await ask(page, "get", magnet, tracker.url);
  assert.deepEqual(got, await manifestOf(content.files));
  assert.equal(await page.evaluate(() => window.torrent.downloaded), 0);
});
