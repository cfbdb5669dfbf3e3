// A swarm whose tracker is killed goes on meeting: a newcomer that knows one of it is introduced to
// the rest.

import assert from "node:assert/strict";
import { test } from "node:test";
import { manifestOf, oneFile } from "./harness/content.mjs";
import { start, writeContent } from "./harness/program.mjs";
import { ask, limit, openStage, until } from "./harness/stage.mjs";

/** Slow enough that a newcomer wants links while it meets everybody. */
const SLOW = "?down=150000";
const content = oneFile(6);

const seeds = [
  ["a page", fromPage],
  ["headwater seed", fromProgram],
];

for (const [what, seed] of seeds) {
  test(`a newcomer meets a swarm of four without a tracker, ${what} seeding`, limit, async (t) => {
    const stage = openStage(t);
    const doomed = await stage.ourTracker();
    const other = await stage.npmTracker();
    const magnet = await seed(stage, doomed.url);
    const swarm = await Promise.all([1, 2, 3].map(() => stage.peer("headwater")));
    const [known] = swarm;
    const expected = await manifestOf(content.files);
    const trackers = (page) => (page === known ? [doomed.url, other.url] : [doomed.url]);
    const got = await Promise.all(swarm.map((page) => ask(page, "get", magnet, trackers(page))));
    for (const one of got) assert.deepEqual(one, expected);
    await doomed.close("SIGKILL");
    await until("the tracker's trouble to be told", async () => {
      const { trackers: told } = await ask(known, "figures");
      return told.some((one) => one.trouble);
    });

    const fifth = await stage.peer("headwater", SLOW);
    await ask(fifth, "add", bare(magnet), other.url);
    const linked = async () => (await ask(fifth, "figures")).peers.length === 4;
    await until("links to all four", linked, 45);
    assert.deepEqual(await fifth.evaluate(finished), expected);
    const all = (await ask(fifth, "figures")).peers;
    assert.equal(new Set(all.map((peer) => peer.id)).size, 4, "four peers, one link each");
    assert.deepEqual(fifth.trouble, []);
  });
}

/** What the page has once it has everything. */
async function finished() {
  await window.torrent.done;
  return window.peer.manifest(window.torrent);
}

async function fromPage(stage, tracker) {
  const { magnet } = await ask(await stage.peer("headwater"), "seed", content, tracker);
  return magnet;
}

async function fromProgram(stage, tracker) {
  const { path: dir } = await stage.folder();
  const path = await writeContent(dir, content);
  const seed = stage.keep(start(["seed", path, "--tracker", tracker, "--interface", "127.0.0.1"]));
  const line = await seed.line((text) => text.includes("magnet:"));
  return line.match(/magnet:\S+/)[0];
}

/** A magnet link without trackers. */
function bare(magnet) {
  return magnet.match(/magnet:\?xt=[^&]+/)[0];
}
