// A peer that lies: every block it sends has one bit wrong. It must be banned by name, and what is
// fetched must be right all the same.

import assert from "node:assert/strict";
import { test } from "node:test";
import { manifestOf, oneFile } from "./harness/content.mjs";
import { ask, limit, openStage, until } from "./harness/stage.mjs";

test("a peer that poisons is banned and named, and the bytes are right", limit, async (t) => {
  const stage = openStage(t);
  const tracker = await stage.npmTracker();
  const content = oneFile(3);
  const poisoner = await stage.peer("webtorrent");
  const { magnet } = await ask(poisoner, "seed", content, tracker.url);
  await poisoner.evaluate(() => {
    window.peer.bend(window.torrent, (index, bytes, answer) => {
      const spoilt = bytes.slice();
      spoilt[0] ^= 1;
      answer(spoilt);
    });
  });
  const getter = await stage.peer("headwater");
  await ask(getter, "add", magnet, tracker.url);
  const named = await until("the liar to be named", async () => {
    const { heard } = await ask(getter, "figures");
    return heard.find((one) => one.code === "peer-banned");
  });
  assert.ok(named);
  const { progress } = await ask(getter, "figures");
  assert.equal(progress, 0);
  const honest = await stage.peer("webtorrent");
  await ask(honest, "seed", content, tracker.url);
  const got = await getter.evaluate(async () => {
    await window.torrent.done;
    return window.peer.manifest(window.torrent);
  });
  assert.deepEqual(got, await manifestOf(content.files));
  const { heard, peers } = await ask(getter, "figures");
  assert.equal(heard.filter((one) => one.code === "peer-banned").length, 1);
  assert.equal(peers.length, 1, "the liar is linked again");
});
