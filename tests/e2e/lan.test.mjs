// Programs on one local network find each other with nobody's help, libtorrent's too.

import assert from "node:assert/strict";
import { test } from "node:test";
import { manifestOf, oneFile } from "./harness/content.mjs";
import { openLibtorrent } from "./harness/libtorrent.mjs";
import { ENDS, openNetwork } from "./harness/network.mjs";
import { readManifest, start, writeContent } from "./harness/program.mjs";
import { limit, openStage } from "./harness/stage.mjs";

test("a magnet link without trackers is enough on a local network", limit, async (t) => {
  const stage = openStage(t);
  const network = stage.keep(openNetwork());
  const { path: from } = await stage.folder();
  const { path: to } = await stage.folder();
  const content = oneFile(2);
  const path = await writeContent(from, content);
  const at = (end) => ["--json", "--interface", ENDS[end], "--no-dht", "--stun", "none"];
  const seed = stage.keep(start(["seed", path, ...at(0)], { by: network.by[0] }));
  const { magnet } = JSON.parse(await seed.line((line) => line.includes("magnet:")));
  assert.ok(!magnet.includes("&tr="), magnet);
  const get = stage.keep(start(["get", magnet, "-o", to, ...at(1)], { by: network.by[1] }));
  await get.line((line) => line.includes('"event":"done"'));
  assert.deepEqual(await readManifest(to, content), await manifestOf(content.files));
});

test("libtorrent and we find each other on a local network, either way", limit, async (t) => {
  const stage = openStage(t);
  const network = stage.keep(openNetwork());
  const content = oneFile(2);
  const { path: from } = await stage.folder();
  const { path: to } = await stage.folder();
  const path = await writeContent(from, content);
  const expected = await manifestOf(content.files);
  const theirs = { by: network.by[0], more: ["--address", ENDS[0], "--lsd"] };
  const ours = ["--json", "--interface", ENDS[1], "--no-dht", "--stun", "none"];

  const seed = stage.keep(await openLibtorrent("seed", path, theirs));
  const get = stage.keep(
    start(["get", seed.magnet, "-o", to, "--seed", ...ours], { by: network.by[1] }),
  );
  await get.line((line) => line.includes('"event":"done"'));
  assert.deepEqual(await readManifest(to, content), expected);
  await seed.close();

  const { path: back } = await stage.folder();
  const leech = stage.keep(await openLibtorrent("get", seed.magnet, { ...theirs, dir: back }));
  await leech.event("done");
  assert.deepEqual(await readManifest(back, content), expected);
});
