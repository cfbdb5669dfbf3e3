// Peer exchange with libtorrent 2.1.1 over WebRTC: ours takes what it tells, and has two of them
// that know nothing of each other meet by TCP.

import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { severalFiles } from "../e2e/harness/content.mjs";
import { openLibtorrent } from "../e2e/harness/libtorrent.mjs";
import { serve, start, writeContent } from "../e2e/harness/program.mjs";
import { limit, openStage } from "../e2e/harness/stage.mjs";

/** Nobody is there. */
const nowhere = "ws://127.0.0.1:1";

/** An address of this host at which others in its network reach it. */
const here =
  Object.values(networkInterfaces())
    .flat()
    .find((one) => one.family === "IPv4" && !one.internal)?.address ?? "127.0.0.1";

/** So slow that nobody is done before the test is. */
const slow = ["--everywhere", "--rate", "12000"];

test("headwater takes and tells addresses over WebRTC", limit, async (t) => {
  const stage = openStage(t);
  const [near, far] = [stage.keep(await serve()), stage.keep(await serve())];
  const content = severalFiles();
  const { path: from } = await stage.folder();
  const path = await writeContent(from, content);
  const seedsAt = { tracker: near.url, more: slow };
  const seed = stage.keep(await openLibtorrent("seed", path, seedsAt));
  const getter = async (tracker, more) => {
    const { path: dir } = await stage.folder();
    const options = { tracker, dir, more: [...slow, ...more] };
    return stage.keep(await openLibtorrent("get", seed.magnet, options));
  };

  // A companion that only the seed knows, by TCP.
  await getter(nowhere, ["--connect", `${here}:${seed.port}`]);
  await seed.event("peer");

  const { path: dir } = await stage.folder();
  const trackers = ["--tracker", near.url, "--tracker", far.url, "--stun", "none"];
  const pace = ["--download-limit", "4000"];
  const ours = stage.keep(start(["get", seed.magnet, "-o", dir, "--json", ...trackers, ...pace]));
  const told = (line) => JSON.parse(line).addresses_known ?? 0;
  // One is the seed's own; the others came from it.
  await ours.line((line) => told(line) > 1);

  const stranger = await getter(far.url, []);
  const meet = (one, other) => one.event("peer", (peer) => peer.port === other.port);
  await Promise.any([meet(seed, stranger), meet(stranger, seed)]);
  assert.equal(ours.code, null, "it was done before they met");
});
