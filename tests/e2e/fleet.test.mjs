// Several `headwater serve` are one tracker and one pool of bridges through NATS, and each goes on
// alone where NATS or another one is gone.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { test } from "node:test";
import WebSocket from "ws";
import { manifestOf, oneFile } from "./harness/content.mjs";
import { openNats } from "./harness/nats.mjs";
import { ask, limit, openStage, until } from "./harness/stage.mjs";

const bridging = ["--bridge", "open", "--bridge-torrents-per-browser", "99"];
const bridged = (server) => figure(server, "bridge_torrents");
const joins = (server) => figure(server, "bridge_joined_total");

test("pages of two processes meet while NATS is there, else those of one", limit, async (t) => {
  const stage = openStage(t);
  const first = stage.keep(await openNats());
  const [a, b] = await openFleet(stage, first, 2);
  const content = oneFile(2);
  const expected = await manifestOf(content.files);
  const seed = await stage.peer("headwater");
  // A link would name the tracker, and the page would ask it.
  const { infoHash } = await ask(seed, "seed", content, a.url);
  const fetch = async (from) => {
    const page = await stage.peer("headwater");
    assert.deepEqual(await ask(page, "get", infoHash, from.url), expected);
    await page.close();
  };
  await until("the seed to be known", async () => (await counts(b, infoHash)).complete === 1);
  await fetch(b);
  assert.ok((await figure(b, "fleet_offers_crossed_total")) > 0);

  await first.close("SIGKILL");
  for (const one of [a, b]) await until("NATS to be missed", async () => (await up(one)) === 0);
  // The page that fetched is a seed there until the end of its socket is noticed.
  await until("only its own to count", async () => (await counts(b, infoHash)).complete === 0);
  await fetch(a);

  stage.keep(await openNats(first.port));
  await until("the seed to be known again", async () => (await counts(b, infoHash)).complete === 1);
  await fetch(b);

  await b.close("SIGKILL");
  await fetch(a);
  await until("it to be missed", async () => (await figure(a, "fleet_processes")) === 0);
  const [c] = await openFleet(stage, { url: a.fleet }, 1);
  await until("the seed to be known", async () => (await counts(c, infoHash)).complete === 1);
  await fetch(c);
});

test("a torrent has one bridge in the fleet, and another when that is gone", limit, async (t) => {
  const stage = openStage(t);
  const nats = stage.keep(await openNats());
  const [a, b] = await openFleet(stage, nats, 2, bridging);
  const browser = await openClient(stage, a);
  const torrents = 16;
  await browser.seek(torrents);
  const all = async () => (await bridged(a)) + (await bridged(b));
  await until("all to be bridged", async () => (await all()) === torrents);
  const joined = async () => (await joins(a)) + (await joins(b));
  assert.ok((await bridged(a)) > 0 && (await bridged(b)) > 0, "each bridges some");
  await browser.seekAgain();
  assert.equal(await all(), torrents);
  assert.equal(await joined(), torrents, "none is bridged twice");
  await b.close("SIGKILL");
  await until("all to be bridged again", async () => (await bridged(a)) === torrents);
});

test("a bridge without room hands on what it cannot take", limit, async (t) => {
  const stage = openStage(t);
  const nats = stage.keep(await openNats());
  const few = [...bridging, "--bridge-torrents", "5"];
  const [a, b] = await openFleet(stage, nats, 2, few);
  const browser = await openClient(stage, a);
  await browser.seek(10);
  await until("one to be full", async () => (await bridged(a)) === 5);
  await until("the other to be full", async () => (await bridged(b)) === 5);
});

test("without NATS each process bridges for its own browsers", limit, async (t) => {
  const stage = openStage(t);
  const nats = stage.keep(await openNats());
  const [a, b] = await openFleet(stage, nats, 2, bridging);
  const browser = await openClient(stage, a);
  await browser.seek(16);
  await until("all to be bridged", async () => (await bridged(a)) + (await bridged(b)) === 16);
  await nats.close("SIGKILL");
  await until("one to bridge all", async () => (await bridged(a)) === 16);
});

/** Starts processes of a fleet, and waits until each knows the others. */
async function openFleet(stage, nats, count, bridge = []) {
  const servers = [];
  for (let number = 0; number < count; number++) {
    const { path } = await stage.folder();
    const more = ["--fleet", nats.url, "--no-dht", "--bridge-dir", path, ...bridge];
    servers.push({ ...(await stage.serve({ more })), fleet: nats.url });
  }
  for (const server of servers) {
    const others = async () => (await figure(server, "fleet_processes")) >= count - 1;
    await until("the others to be known", others);
    await until("NATS to be there", async () => (await up(server)) === 1);
  }
  return servers;
}

/** A browser, as far as the tracker can tell. */
async function openClient(stage, server) {
  const socket = new WebSocket(server.url);
  stage.keep(socket, () => socket.terminate());
  const peer = randomBytes(20).toString("latin1");
  await once(socket, "open");
  const announce = async (hash) => {
    const [action, info_hash] = ["announce", hash.toString("latin1")];
    const sizes = { uploaded: 0, downloaded: 0, left: 9, numwant: 0 };
    const answered = once(socket, "message");
    socket.send(JSON.stringify({ action, info_hash, peer_id: peer, ...sizes }));
    await answered;
  };
  const hashes = [];
  return {
    /** Announces so many torrents that it lacks, and once more those that it did. */
    seek: async (count) => {
      hashes.push(...Array.from({ length: count }, () => randomBytes(20)));
      for (const hash of hashes) await announce(hash);
    },
    seekAgain: async () => {
      for (const hash of hashes) await announce(hash);
    },
  };
}

/** What a process says of a swarm to somebody who is not in it. */
async function counts(server, infoHash) {
  const query = infoHash.replace(/../g, "%$&");
  const body = await (await fetch(`${server.site}/scrape?info_hash=${query}`)).text();
  const count = (name) => Number(body.match(new RegExp(`${name}i(\\d+)e`))?.[1] ?? 0);
  return { complete: count("8:complete"), incomplete: count("10:incomplete") };
}

async function figure(server, name) {
  const found = (await server.metrics()).match(new RegExp(`^headwater_${name} (\\d+)$`, "m"));
  return Number(found?.[1]);
}

const up = (server) => figure(server, "fleet_up");
