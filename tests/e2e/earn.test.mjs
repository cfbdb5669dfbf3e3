// A page that earns: it sells its upload, another page buys through TronWeb 6.5.1 behind a TIP-6963
// provider, and what was earned survives a crash and is claimed by the seller's own wallet.

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { openTab } from "./harness/chromium.mjs";
import { oneFile } from "./harness/content.mjs";
import {
  figure, held, openExchange, openLedger, openSharer, owed, sell,
} from "./harness/market.mjs";
import { ask, limit, openStage, until } from "./harness/stage.mjs";
import { bringWallet } from "./harness/wallet.mjs";

/** Runs in a page that knows the API: puts money into the vault, grants, and buys. */
async function buyInPage(given) {
  const { Discovery, openBridge, testLedger } = await import("/headwater-wallet.js");
  const found = await new Promise((done) => {
    const told = (wallets) => wallets.length > 0 && done(wallets[0]);
    told(new Discovery(told).wallets);
  });
  const chain = testLedger(given.chain);
  const around = {
    seconds: () => Math.floor(Date.now() / 1000),
    sleep: (ms) => new Promise((done) => setTimeout(done, ms)),
    random: (bytes) => crypto.getRandomValues(bytes),
    isUserActing: () => true,
  };
  const bridge = openBridge(found, chain, around);
  await bridge.connect();
  const one = 10n ** 18n;
  await bridge.deposit(100n * one);
  const payment = await (await window.peer.client()).payment();
  const [key, cap, expiry] = [await payment.sessionKey(), 50n * one, around.seconds() + 3600];
  bridge.agree({ key, cap, expiry });
  const { vault, id: chainId } = chain;
  const grant = await bridge.grant({ want: "grant", key, vault, chainId, cap, expiry });
  payment.listen((news) => {
    if (news.is !== "spending") return;
    window.bought = { spent: String(news.spent), bytes: news.purchases.map((one) => one.bytes) };
  });
  await payment.start({ grant, token: given.chain.token, pricePerMiB: (40n * one) / 1024n });
}

async function openBuyer(stage, ledger, server) {
  const { id, vault, token } = await (await fetch(`${server.site}/pay.json`)).json();
  const context = await stage.context();
  const [{ key }] = ledger.accounts;
  await bringWallet(context, { node: ledger.url, key, chainId: ledger.chain_id });
  const page = await stage.tab(context, "headwater");
  await page.evaluate(buyInPage, { chain: { id, kind: "tron", vault, token } });
  return page;
}

/** Runs in the page: puts a record that is none beside those that were earned. */
function spoilInPage() {
  return new Promise((done, fail) => {
    const opening = indexedDB.open("headwater-earnings", 1);
    opening.onerror = fail;
    opening.onsuccess = () => {
      const writing = opening.result.transaction("records", "readwrite");
      writing.objectStore("records").put(new Uint8Array(400), "ab".repeat(32));
      writing.oncomplete = () => {
        opening.result.close();
        done();
      };
    };
  });
}

test("a page earns, keeps it over a crash, and claims it by its own wallet", limit, async (t) => {
  const stage = openStage(t);
  const ledger = await openLedger(stage);
  const server = await openExchange(stage, ledger);
  const content = oneFile(14);
  const { context, page: seller, magnet } = await openSharer(stage, ledger, server, content);
  await sell(seller);
  const buyer = await openBuyer(stage, ledger, server);
  await ask(buyer, "add", magnet, server.url);
  await until("the file", () => buyer.evaluate(() => window.torrent.progress === 1), 60);
  // The last voucher follows once nothing is wanted any more.
  let said;
  await until("both to agree on all that was bought", async () => {
    const { spent, bytes } = await buyer.evaluate(() => window.bought);
    said = { spent: BigInt(spent), bytes, earned: await figure(seller, "earned") };
    // Each link is counted by itself, and its part of a base unit rounded up.
    const all = bytes.reduce((sum, one) => sum + owed(one), 0n);
    return all > 0n && said.spent === all && said.earned === all;
  }).catch((error) => {
    throw new Error(`${error.message}: ${inspect(said)}`);
  });
  const earned = await figure(seller, "earned");
  assert.equal(await figure(seller, "unclaimed"), earned);
  const { prompts: signed } = await seller.evaluate(() => window.testWallet);
  assert.deepEqual(signed, [], "to sell signs nothing");

  await seller.reload();
  await seller.evaluate(spoilInPage);
  await seller.click("#pay-open");
  await until("what was earned", async () => (await figure(seller, "earned")) === earned);
  assert.equal(await seller.isChecked("#pay-sell-on"), false, "it sells only when told to");
  assert.match(await seller.innerText(".pay"), /cannot be read, and are left as they are: 1\./);

  const second = await openTab(context, `${server.site}/`);
  await second.click("#pay-open");
  await second.click("#pay-sell-on");
  await second.click(".pay-wallets button");
  await second.click('button:text-is("Sell")');
  await until("a word", async () => /second-tab/.test(await second.innerText(".pay-trouble")));
  await second.close();

  await seller.click("#pay-sell-on");
  await seller.click(".pay-wallets button");
  await seller.waitForSelector("#pay-sell-price");
  await seller.click('button:text-is("Claim")');
  await until("the vault's payment", async () => /The vault paid/.test(
    await seller.innerText("[data-pay=claiming]")), 60);
  await until("nothing to be left", async () => (await figure(seller, "unclaimed")) === 0n);
  assert.equal(await held(ledger, ledger.accounts[1].address), earned);
  const { prompts } = await seller.evaluate(() => window.testWallet);
  assert.deepEqual(prompts, ["sign"], "one transaction");
  assert.deepEqual(seller.trouble, []);
});
