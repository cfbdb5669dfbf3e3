// Paid priority, whole: a ledger, a seller with little upload, pages that want it. One page pays
// through TronWeb 6.5.1 behind a TIP-6963 provider; the others know nothing of it.
//
// Alone: who gets how much of an upload is measured.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { openTab } from "./harness/chromium.mjs";
import {
  fact, grant, held, openLedger, openPayer, openSeller, owed, pay, spent,
} from "./harness/market.mjs";
import { openFolder, root, start } from "./harness/program.mjs";
import { ask, limit, openStage, until } from "./harness/stage.mjs";

const { build } = createRequire(join(root, "www/package.json"))("esbuild");

/** Files that nobody loads who does not pay. */
const PAYMENT = /\/(pay\.(js|css)|headwater-(pay|paying|payment|wallet)\.(js|wasm))$/;

/** What `cargo xtask demo --pay` bundles: the wallet, for this ledger. */
async function bundleWallet(ledger, folder) {
  const outfile = join(folder, "test-wallet.js");
  const define = {
    NODE: JSON.stringify(ledger.url), KEY: JSON.stringify(ledger.accounts[0].key),
    CHAIN_ID: `${ledger.chain_id}`,
  };
  const entryPoints = [join(root, "tests/wallet/built_in.mjs")];
  await build({ entryPoints, outfile, define, bundle: true, format: "iife", platform: "browser" });
  return outfile;
}

function isDone(page) {
  return page.evaluate(() => window.torrent.progress === 1);
}

/** What the seller sends in a second, how much everybody wants, and how many there are. */
const UPLOAD = 600_000;
const MIB = 4;
const LEECHES = 10;

test("a page pays for a faster slot, and ledger, seller and page agree", limit, async (t) => {
  const stage = openStage(t);
  const ledger = await openLedger(stage);
  const { server, folder, claimKey, payee } =
    await openSeller(stage, ledger, { upload: UPLOAD, mib: MIB });
  const [{ magnet }] = await server.torrents();
  const page = await openPayer(stage, ledger, server, magnet);
  const free = await Promise.all([0, 1].map(() => stage.peer("headwater", "?up=1000")));
  const began = Date.now();
  const took = free.map(async (one) => {
    await ask(one, "add", magnet);
    await until("a free page to finish", () => isDone(one), 100);
    return Date.now() - began;
  });
  for (let number = 0; number < LEECHES - 3; number += 1) {
    const into = stage.keep(await openFolder());
    const get = stage.keep(start(["get", magnet, "--interface", "127.0.0.1",
      "--upload-limit", "1000", "-o", into.path]));
    took.push(get.ended.then((code) => {
      assert.equal(code, 0, get.log.join("\n"));
      return Date.now() - began;
    }));
  }
  const all = Promise.all(took);
  await until("free bytes", async () => (await fact(page, "fetched")) > 0);
  assert.deepEqual(page.asked.filter((path) => PAYMENT.test(path)), [], "loaded before its time");

  await grant(page, { deposit: "100", cap: "50", price: "40" });
  await until("a purchase", async () => (await spent(page)) > 0n);
  const from = { bytes: await fact(page, "fetched"), ms: Date.now() };
  await until("the whole file", async () => (await fact(page, "progress")) === 1, 60);
  const rate = (await fact(page, "fetched") - from.bytes) / (Date.now() - from.ms) * 1000;
  const unpaid = UPLOAD / LEECHES;
  assert.ok(rate >= 3 * unpaid, `${rate} bytes a second are paid for, ${unpaid} would be free`);
  // The last voucher follows once nothing is wanted any more; the button would keep it back.
  const folderOf = ["--dir", folder.path];
  await until("the last voucher", async () => (await pay("status", ...folderOf)).live.owed === "0");
  await page.click("[data-pay=stop]");

  const { prompts } = await page.evaluate(() => window.testWallet);
  assert.deepEqual(prompts, ["sign", "sign", "_signTypedData"], "approve, deposit, one grant");
  const { live, earned } = await pay("status", ...folderOf);
  const [{ sold_bytes: bytes, charged }] = live.links;
  assert.ok(bytes > 1 << 20, `${bytes} bytes were sold`);
  assert.equal(BigInt(charged), owed(bytes));
  assert.equal(BigInt(earned), owed(bytes));
  const paid = owed(bytes);
  const figures = await server.metrics();
  const [, whole, part] = /^headwater_pay_earned_btt_total (\d+)\.?(\d*)$/m.exec(figures);
  assert.equal(BigInt(whole + part.padEnd(18, "0")), paid);
  assert.match(figures, /^headwater_pay_owed_btt 0$/m);
  await until("the page to show it all", async () => (await spent(page)) === paid);
  const claimed = await pay("claim", ...folderOf, "--claim-key", claimKey, "--all",
    "--pay-node", ledger.url, "--vault", ledger.vault);
  assert.equal(BigInt(claimed.paid), paid);
  assert.equal(await held(ledger, payee), paid);

  // Whoever does not pay is served on: as fast as if nobody had paid, but for a fifth at most.
  const times = await all;
  const mean = times.reduce((sum, ms) => sum + ms, 0) / times.length / 1000;
  const alone = (LEECHES * MIB * 2 ** 20) / UPLOAD;
  assert.ok(mean <= alone / 0.8, `it took ${mean} s, and ${alone} s without payment`);
  assert.deepEqual(page.trouble, []);
});

test("a film that stalls plays once it is paid for with the demo's wallet", limit, async (t) => {
  const stage = openStage(t);
  const ledger = await openLedger(stage);
  const folder = stage.keep(await openFolder());
  const state = stage.keep(await openFolder());
  const wallet = await bundleWallet(ledger, folder.path);
  const server = await stage.serve({
    dir: join(root, "tests/data/film"),
    more: [
      "--state", state.path, "--sell", "--payee", ledger.accounts[1].address, "--price", "10",
      "--pay-node", ledger.url, "--vault", ledger.vault, "--pay-chain", "local",
      "--test-wallet", wallet, "--upload-limit", "240000",
    ],
  });
  await until("the server to sell", async () => (await fetch(`${server.site}/pay.json`)).ok);
  const [{ magnet }] = await server.torrents();
  for (let number = 0; number < 4; number += 1) {
    const into = stage.keep(await openFolder());
    stage.keep(start(["get", magnet, "--interface", "127.0.0.1", "--upload-limit", "1000",
      "-o", into.path]));
  }
  const page = await openTab(await stage.context(), `${server.site}/#${magnet}`);
  await page.waitForSelector("video", { state: "attached" });
  await page.evaluate(() => {
    const video = document.querySelector("video");
    video.muted = true;
    void video.play();
  });
  const at = () => page.evaluate(() => document.querySelector("video").currentTime);
  const stalls = () => page.evaluate(() => document.querySelector("video").readyState < 3);
  await until("the film to stall", stalls);

  await grant(page, { deposit: "100", cap: "50", price: "40" });
  await until("a purchase", async () => (await spent(page)) > 0n);
  // A fifth of the upload plays ten seconds in sixteen; what is sold plays as time goes by.
  await until("ten seconds of film in at most twelve", async () => {
    const from = { at: await at(), ms: Date.now() };
    while (Date.now() - from.ms < 12_000) {
      if ((await at()) > from.at + 10) return true;
      await new Promise((done) => setTimeout(done, 200));
    }
    return false;
  }, 60);
});
