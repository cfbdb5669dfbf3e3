// Peer exchange with libtorrent 2.1.1 over WebRTC: ours takes the addresses it tells. It does not
// say there on which port it listens, so nobody can be told of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { severalFiles } from "../e2e/harness/content.mjs";
import { openLibtorrent } from "../e2e/harness/libtorrent.mjs";
import { start, writeContent } from "../e2e/harness/program.mjs";
import { limit, openStage } from "../e2e/harness/stage.mjs";

/** Nobody is there. */
const nowhere = "ws://127.0.0.1:1";

/** So slow that nobody is done before the test is. */
const slow = ["--rate", "12000"];

test("headwater takes the addresses that libtorrent tells over WebRTC", limit, async (t) => {
  const stage = openStage(t);
  const tracker = await stage.ourTracker();
  const content = severalFiles();
  const { path: from } = await stage.folder();
  const path = await writeContent(from, content);
  const seedsAt = { tracker: tracker.url, more: slow };
  const seed = stage.keep(await openLibtorrent("seed", path, seedsAt));

  // A companion that only the seed knows, by TCP.
  const { path: beside } = await stage.folder();
  const more = [...slow, "--connect", `127.0.0.1:${seed.port}`];
  const companion = { tracker: nowhere, dir: beside, more };
  stage.keep(await openLibtorrent("get", seed.magnet, companion));
  await seed.event("peer");

  const { path: dir } = await stage.folder();
  const pace = ["--tracker", tracker.url, "--interface", "127.0.0.1", "--download-limit", "4000"];
  const ours = stage.keep(start(["get", seed.magnet, "-o", dir, "--json", ...pace]));
  const known = (line) => JSON.parse(line).addresses_known ?? 0;
  await ours.line((line) => known(line) > 0);
  const told = ours.lines.length;
  await ours.line(() => ours.lines.length > told);
  const most = Math.max(...ours.lines.map(known));
  assert.equal(most, 1, "the companion's; a link alone brings no address");
});
