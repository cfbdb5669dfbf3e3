// WebTorrent 3.0.21 and libtorrent 2.1.1 beside a page that pays for its slot at the same seller:
// both get everything, at no time nothing, and nobody says a word of payment to them.
//
// Alone: nobody may wait for long, which is measured.

import assert from "node:assert/strict";
import { test } from "node:test";
import { manifestOf, oneFile } from "../e2e/harness/content.mjs";
import { openLibtorrent } from "../e2e/harness/libtorrent.mjs";
import {
  fact, grant, openLedger, openPayer, openSeller, pay,
} from "../e2e/harness/market.mjs";
import { readManifest } from "../e2e/harness/program.mjs";
import { ask, limit, openStage, until } from "../e2e/harness/stage.mjs";
import { freePort } from "./peers/child.mjs";

const MIB = 12;
/** The longest that a peer without payment may wait for its next bytes: two choke rounds. */
const PATIENCE_MS = 20_000;

/** Notes what `read` counts until it counts all; answers the longest time it stood still. */
async function watch(read, all) {
  let [seen, at, longest] = [0, Date.now(), 0];
  await until("a peer without payment to finish", async () => {
    const count = await read();
    longest = Math.max(longest, Date.now() - at);
    if (count > seen) [seen, at] = [count, Date.now()];
    return count >= all;
  }, 100);
  return longest;
}

test("peers of other clients are served beside one that pays, and hear nothing of it", limit,
  async (t) => {
    const stage = openStage(t);
    const ledger = await openLedger(stage);
    const port = await freePort();
    const { server, folder } = await openSeller(stage, ledger, {
      upload: 600_000, mib: MIB, more: ["--port", `${port}`],
    });
    const [{ magnet }] = await server.torrents();

    const webtorrent = await stage.peer("webtorrent");
    await ask(webtorrent, "add", magnet, server.url);
    const { path: dir } = await stage.folder();
    const libtorrent = stage.keep(await openLibtorrent("get", magnet, { dir }));
    libtorrent.dial(`127.0.0.1:${port}`);
    const counts = [
      () => webtorrent.evaluate(() => window.torrent.downloaded),
      () => libtorrent.heard.findLast(({ event }) => event === "progress")?.bytes ?? 0,
    ];
    for (const count of counts) await until("free bytes", async () => (await count()) > 0);

    const page = await openPayer(stage, ledger, server, magnet);
    await grant(page, { deposit: "100", cap: "50", price: "40" });
    const waits = Promise.all(counts.map((count) => watch(count, MIB << 20)));
    await until("the payer to have it all", async () => (await fact(page, "progress")) === 1, 60);
    for (const longest of await waits) {
      assert.ok(longest < PATIENCE_MS, `nothing came for ${longest} ms`);
    }

    const { live } = await pay("status", "--dir", folder.path);
    assert.equal(live.links.length, 1, "one peer paid");
    assert.ok(live.links[0].sold_bytes > 1 << 20, `${live.links[0].sold_bytes} bytes were sold`);
    const content = oneFile(MIB);
    assert.deepEqual(await ask(webtorrent, "files"), await manifestOf(content.files));
    await libtorrent.event("done");
    assert.deepEqual(await readManifest(dir, content), await manifestOf(content.files));
    const heard = new Set(await ask(webtorrent, "heard"));
    assert.ok(heard.has("handshake"), "extension handshakes were listened to");
    for (const name of ["handshake", "ut_metadata", "ut_pex"]) heard.delete(name);
    assert.deepEqual([...heard], [], "messages that WebTorrent did not ask for");
    assert.deepEqual(await webtorrent.evaluate(() => window.peer.errors), []);
    const troubles = libtorrent.heard.filter(({ event, what = "" }) =>
      event === "trouble" || /ban|peer_error/.test(what));
    assert.deepEqual(troubles, []);
    assert.deepEqual(server.run.log.filter((line) => line.includes("banned")), []);
  });
