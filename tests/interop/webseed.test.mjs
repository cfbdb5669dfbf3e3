// Web seeds (BEP 19) beside libtorrent's links over WebRTC: what one lacks the other gives, what
// comes from a server is handed on, and a server that lies is left for peers that do not.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { manifestOf, threeFiles } from "../e2e/harness/content.mjs";
import { openLibtorrent } from "../e2e/harness/libtorrent.mjs";
import { finish, readManifest, start, writeContent } from "../e2e/harness/program.mjs";
import { ask, limit, openStage, until } from "../e2e/harness/stage.mjs";
import { openWeb } from "../e2e/harness/web.mjs";

/** The file that libtorrent holds where it holds only one. */
const HELD = 0;
const content = threeFiles();
const [held, ...others] = content.files;
const rest = { ...content, files: others };
const wanted = () => manifestOf(content.files);

test("a page gets a file from libtorrent, the others from a web seed", limit, async (t) => {
  const { stage, tracker, magnet, libtorrent } = await openShare(t, "hybrid");
  const web = stage.keep(await openWeb(rest));
  const page = await stage.peer("headwater");
  const got = await ask(page, "get", named(magnet, web), tracker.url);
  assert.deepEqual(got, await wanted());
  // Two ends that want nothing more part, so that libtorrent's link may be gone by then.
  const { downloaded, webSeeds: [server] } = await ask(page, "figures");
  assert.ok(server.downloaded >= 540_000, `${server.downloaded} bytes from the web seed`);
  const linked = downloaded - server.downloaded;
  assert.ok(linked >= held.length, `${linked} bytes from libtorrent`);
  assert.ok(!libtorrent.said("done"), "libtorrent has more than one file");
});

test("headwater get gets a file from libtorrent, others from a web seed", limit, async (t) => {
  const { stage, tracker, magnet } = await openShare(t, "hybrid");
  const web = stage.keep(await openWeb(rest));
  const { path: dir } = await stage.folder();
  const args = ["get", magnet, "-o", dir, "--web-seed", web.url, ...meet(tracker)];
  const { code, log } = await finish(args);
  assert.equal(code, 0, log.join("\n"));
  assert.deepEqual(await readManifest(dir, content), await wanted());
  assert.ok(web.sent >= 540_000, `${web.sent} bytes from the web seed`);
});

test("a page hands on to libtorrent what comes from a web seed", limit, async (t) => {
  const { stage, tracker, magnet, torrent } = await openTorrent(t, "v2");
  const web = stage.keep(await openWeb(content));
  const page = await stage.peer("headwater");
  const more = { webSeeds: [web.url] };
  assert.deepEqual(await ask(page, "get", torrent, tracker.url, more), await wanted());
  await libtorrentGets(stage, tracker, magnet);
});

test("headwater get hands on to libtorrent what comes from a web seed", limit, async (t) => {
  const { stage, tracker, magnet, file } = await openTorrent(t, "v1");
  const web = stage.keep(await openWeb(content));
  const { path: dir } = await stage.folder();
  const more = ["--web-seed", web.url, "--seed", ...meet(tracker)];
  stage.keep(start(["get", file, "-o", dir, ...more]));
  await libtorrentGets(stage, tracker, magnet);
});

test("a web seed that lies is banned, libtorrent is not and gives the truth", limit, async (t) => {
  const { stage, tracker, magnet, file, dir } = await openShare(t, "v2");
  const liar = stage.keep(await openWeb(content, { lies: true }));
  const page = await stage.peer("headwater");
  await ask(page, "add", named(magnet, liar), tracker.url);
  await until("the liar to be named", async () => (await bans(page)).length > 0);
  await until("the one file", async () => (await ask(page, "figures")).files[HELD] === 1);
  stage.keep(await openLibtorrent("get", file, { tracker: tracker.url, dir }));
  const got = await page.evaluate(async () => {
    await window.torrent.done;
    return window.peer.manifest(window.torrent);
  });
  assert.deepEqual(got, await wanted());
  assert.deepEqual((await bans(page)).map((one) => one.code), ["web-seed-refused"]);
  const { webSeeds: [server] } = await ask(page, "figures");
  assert.deepEqual([server.working, /wrong data/.test(server.trouble)], [false, true]);
});

/** The link with a web seed in it. */
function named(magnet, web) {
  return `${magnet}&ws=${encodeURIComponent(web.url)}`;
}

/** What a page said of those it will have no more to do with. */
async function bans(page) {
  const codes = ["web-seed-refused", "peer-banned", "metadata-false"];
  return (await ask(page, "figures")).heard.filter((one) => codes.includes(one.code));
}

/** A torrent that nobody shares yet. */
async function openTorrent(test, version) {
  const stage = openStage(test);
  const tracker = await stage.npmTracker();
  const { path: dir } = await stage.folder();
  const path = await writeContent(dir, content);
  const file = join(dir, "show.torrent");
  const made = await finish(["create", path, "-o", file, `--${version}`]);
  const magnet = made.text.match(/magnet:\S+/)[0];
  return { stage, tracker, dir, path, file, magnet, torrent: [...(await readFile(file))] };
}

/** A torrent of which libtorrent holds one file, got of a seed of ours that left. */
async function openShare(test, version) {
  const made = await openTorrent(test, version);
  const { stage, tracker, magnet, path } = made;
  const seed = stage.keep(start(["seed", path, `--${version}`, ...meet(tracker)]));
  const { path: dir } = await stage.folder();
  const options = { tracker: tracker.url, dir, files: [HELD] };
  const libtorrent = stage.keep(await openLibtorrent("get", magnet, options));
  await libtorrent.event("finished");
  await seed.close();
  return { ...made, libtorrent };
}

async function libtorrentGets(stage, tracker, magnet) {
  const { path: dir } = await stage.folder();
  const libtorrent = stage.keep(await openLibtorrent("get", magnet, { tracker: tracker.url, dir }));
  await libtorrent.event("done");
  assert.deepEqual(await readManifest(dir, content), await wanted());
}

function meet(tracker) {
  return ["--tracker", tracker.url, "--interface", "127.0.0.1"];
}
