// A tab reaches an ordinary swarm through `headwater serve --bridge open`: the only seed speaks TCP
// and knows nothing of WebRTC; the server fetches what the tab asks for, and little else.
//
// Alone: how soon something plays is measured.

import assert from "node:assert/strict";
import { copyFile, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { openLibtorrentPeer } from "../interop/peers/libtorrent.mjs";
import { beforeRound } from "../interop/peers/rounds.mjs";
import { openOpentracker } from "../interop/peers/opentracker.mjs";
import { openTransmission } from "../interop/peers/transmission.mjs";
import { openTab } from "./harness/chromium.mjs";
import { bytesOf, hashOf, manifestOf, oneFile, severalFiles } from "./harness/content.mjs";
import { finish, root, start, writeContent } from "./harness/program.mjs";
import { ask, limit, openStage, until } from "./harness/stage.mjs";

const film = join(root, "tests/data/film");

/**
 * Milliseconds that opening a link or a seek may take: twice what is promised, since tests share
 * their machine with each other. What it took is told.
 */
const SOON = 10_000;

test("a film that only libtorrent has, over TCP, plays in a tab soon", limit, async (t) => {
  const stage = openStage(t);
  const { server, magnet } = await openBridge(stage, await copyFilm(stage), openLibtorrentPeer);
  const took = await play(stage, server, magnet);
  t.diagnostic(`played after ${Math.round(took)} ms`);
  assert.ok(took < SOON, `played after ${took} ms`);
});

// Transmission takes 2.5 s to give metadata, and unchokes in rounds of 10 s: the link is opened as
// long before a round as the way there takes, so that what is measured is not its clock.
test("a film that only transmission has plays in a tab soon", limit, async (t) => {
  const stage = openStage(t);
  const bridge = await openBridge(stage, await copyFilm(stage), openTransmission);
  const { server, magnet, client, hash } = bridge;
  await beforeRound(client.address, hash, 4_000);
  const took = await play(stage, server, magnet);
  t.diagnostic(`played after ${Math.round(took)} ms`);
  assert.ok(took < SOON, `played after ${took} ms`);
  const again = await play(stage, server, magnet);
  t.diagnostic(`in a second tab after ${Math.round(again)} ms`);
  assert.ok(again < SOON, `played after ${again} ms`);
});

test("a tab seeks to 90 % of 300 MiB soon and the middle is not fetched", limit, async (t) => {
  const stage = openStage(t);
  const { path: dir } = await stage.folder();
  const content = oneFile(300, "big.bin");
  const [{ seed, length }] = content.files;
  const path = await writeContent(dir, content);
  const { server, magnet } = await openBridge(stage, path, openTransmission);
  const page = await stage.peer("headwater");
  await ask(page, "add", magnet, [], { files: [] });
  const bytes = bytesOf(seed, length);
  const read = async (start) => {
    const { took, sha256 } = await readPart(page, start, start + 1_000_000);
    assert.equal(sha256, await hashOf(bytes.subarray(start, start + 1_000_000)));
    return took;
  };
  t.diagnostic(`start: ${Math.round(await read(0))} ms`);
  const took = await read(Math.floor(length * 0.9));
  t.diagnostic(`seek: ${Math.round(took)} ms`);
  assert.ok(took < SOON, `the seek took ${took} ms`);
  const fetched = await figure(server, "downloaded_bytes_total");
  t.diagnostic(`${Math.round(fetched / 1e6)} of ${Math.round(length / 1e6)} MB fetched`);
  assert.ok(fetched < length / 5, `${fetched} bytes fetched`);
});

test("an unmodified WebTorrent page gets all of it", limit, async (t) => {
  const stage = openStage(t);
  const { path: dir } = await stage.folder();
  const content = severalFiles();
  const path = await writeContent(dir, content);
  const { server, magnet } = await openBridge(stage, path, openTransmission);
  const page = await stage.peer("webtorrent");
  assert.deepEqual(await ask(page, "get", magnet, server.url), await manifestOf(content.files));
  assert.equal(await figure(server, "bridge_torrents"), 1);
});

test("a bridge asks the UDP tracker that a tab's link names", limit, async (t) => {
  const stage = openStage(t);
  const { path: dir } = await stage.folder();
  const content = severalFiles();
  const path = await writeContent(dir, content);
  const made = await finish(["create", path, "-o", `${path}.torrent`, "--json"]);
  const { magnet: link } = JSON.parse(made.text);
  const { path: folder } = await stage.folder();
  const tracker = stage.keep(await openOpentracker({ folder, magnets: [link] }));
  const alone = ["--interface", "127.0.0.1", "--transports", "tcp"];
  const seed = stage.keep(start(["seed", path, "--tracker", tracker.udp, ...alone]));
  await seed.line((line) => line.includes("magnet:"));
  const scrape = `${tracker.scrape}?info_hash=${escaped(link)}`;
  const counted = async () => (await fetch(scrape)).text();
  await until("a seed at the tracker", async () => /8:completei1/.test(await counted()));
  const { path: cache } = await stage.folder();
  const more = ["--bridge", "open", "--bridge-dir", cache, "--local-trackers"];
  const server = await stage.serve({ more });
  const page = await stage.peer("headwater");
  const [hash] = link.match(/urn:btih:[0-9a-f]{40}/);
  const both = [server.url, tracker.udp].map((url) => `&tr=${encodeURIComponent(url)}`);
  const got = await ask(page, "get", `magnet:?xt=${hash}${both.join("")}`, server.url);
  assert.deepEqual(got, await manifestOf(content.files));
});

test("pay is refused in words as long as nobody can pay", async () => {
  const here = ["--listen", "127.0.0.1:0", "--interface", "127.0.0.1"];
  const { code, log } = await finish(["serve", ...here, "--bridge", "paid"]);
  assert.equal(code, 2);
  assert.match(log.join("\n"), /error \[bridge-paid\]: .*--bridge open/);
});

/** A folder with the sample film; answers the film's path. */
async function copyFilm(stage) {
  const { path: dir } = await stage.folder();
  const [name] = (await readdir(film)).filter((file) => file.endsWith(".mp4"));
  await copyFile(join(film, name), join(dir, name));
  return join(dir, name);
}

/** Opens a link in the app; milliseconds until its film plays. */
async function play(stage, server, magnet) {
  const page = await openTab(await stage.context(), "about:blank");
  const from = performance.now();
  await page.goto(`${server.site}/#${magnet}`);
  await page.waitForSelector("video", { state: "attached", timeout: 30_000 });
  await page.evaluate(async () => {
    const video = document.querySelector("video");
    video.muted = true;
    await video.play();
  });
  const took = performance.now() - from;
  const at = () => page.evaluate(() => document.querySelector("video").currentTime);
  await until("the film to go on", async () => (await at()) > 1);
  return took;
}

/** The info-hash of a link as a query has it. */
function escaped(link) {
  return link.match(/urn:btih:([0-9a-f]{40})/)[1].replace(/../g, "%$&");
}

/** Reads part of the torrent's file in the page; milliseconds, and what it hashes to. */
function readPart(page, start, end) {
  return page.evaluate(
    async ([start, end]) => {
      const from = performance.now();
      await torrent.ready;
      const bytes = await torrent.files[0].bytes(start, end);
      const digest = await crypto.subtle.digest("SHA-256", bytes);
      const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0"));
      return { took: performance.now() - from, sha256: hex.join("") };
    },
    [start, end],
  );
}

/** A client seeds what lies at `path`; a server bridges it. The link names the server alone. */
async function openBridge(stage, path, openClient) {
  const torrent = `${path}.torrent`;
  const made = await finish(["create", path, "-o", torrent]);
  assert.equal(made.code, 0, made.log.join("\n"));
  const { path: folder } = await stage.folder();
  const client = stage.keep(await openClient({ folder, transports: ["tcp"] }));
  await client.seed(torrent, dirname(path));
  const { path: cache } = await stage.folder();
  const more = ["--bridge", "open", "--bridge-dir", cache, "--peer", client.address];
  const server = await stage.serve({ more });
  const { text } = await finish(["show", torrent, "--json"]);
  const { info_hash_v1: hash } = JSON.parse(text);
  const magnet = `magnet:?xt=urn:btih:${hash}&tr=${encodeURIComponent(server.url)}`;
  return { server, client, hash, magnet };
}

/** One of the server's figures. */
async function figure(server, name) {
  const line = (await server.metrics()).match(new RegExp(`^headwater_${name} (\\d+)$`, "m"));
  return Number(line?.[1]);
}
