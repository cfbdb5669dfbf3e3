// Paid priority on BTTC, where BTT is the chain's own coin. A server or a page sells, a page pays
// by a wallet that speaks EIP-1193 and announces itself (EIP-6963), and whoever sold claims. The
// chain is anvil.

import assert from "node:assert/strict";
import { test } from "node:test";
import { oneFile } from "../e2e/harness/content.mjs";
import {
  fact, figure, grant, openExchange, openPayer, openSeller, openSharer, owed, pay, sell, spent,
} from "../e2e/harness/market.mjs";
import { start } from "../e2e/harness/program.mjs";
import { limit, openStage, until } from "../e2e/harness/stage.mjs";
import { bringEvmWallet } from "../e2e/harness/wallet.mjs";
import { openAnvil, rpc } from "./peers/anvil.mjs";

/** `accounts(address)`, as the vault is asked. */
const ACCOUNTS = "0x5e5c06e2";

async function heldOn(chain, account) {
  const data = ACCOUNTS + account.slice(2).toLowerCase().padStart(64, "0");
  const answer = await rpc(chain.url, "eth_call", { to: chain.vault, data }, "latest");
  return BigInt(answer.slice(0, 66));
}

test("a page pays on BTTC, and the seller claims what was promised, to the unit", limit,
  async (t) => {
    const stage = openStage(t);
    const chain = await openAnvil(stage);
    const { server, folder, claimKey, payee } = await openSeller(stage, chain, {
      upload: 600_000, mib: 4, more: ["--pay-chain", "donau"],
    });
    const [{ magnet }] = await server.torrents();
    const page = await openPayer(stage, chain, server, magnet, bringEvmWallet);
    await until("free bytes", async () => (await fact(page, "fetched")) > 0);
    await grant(page, { deposit: "100", cap: "50", price: "40" });
    await until("the whole file", async () => (await fact(page, "progress")) === 1, 60);
    const folderOf = ["--dir", folder.path];
    await until("the last voucher", async () =>
      (await pay("status", ...folderOf)).live.owed === "0");
    const { prompts } = await page.evaluate(() => window.testWallet);
    assert.deepEqual(prompts, ["eth_sendTransaction", "eth_signTypedData_v4"],
      "one deposit, one grant");
    const { live, earned, payers } = await pay("status", ...folderOf);
    const [{ sold_bytes: bytes }] = live.links;
    assert.ok(bytes > 1 << 18, `${bytes} bytes were sold`);
    assert.equal(BigInt(earned), owed(bytes));
    assert.equal(payers[0].payee, payee.toLowerCase(), "accounts are shown as the chain does");
    await until("the page to show it all", async () => (await spent(page)) === owed(bytes));

    const claim = start(["pay", "claim", ...folderOf, "--claim-key", claimKey, "--all", "--json",
      "--pay-chain", "donau", "--pay-node", chain.url, "--vault", chain.vault]);
    stage.keep(claim);
    await until("the claim to be final", async () => {
      await rpc(chain.url, "anvil_mine", "0x10");
      return claim.code !== null;
    }, 60);
    assert.equal(claim.code, 0, claim.log.join("\n"));
    const done = JSON.parse(claim.lines.at(-1));
    assert.equal(BigInt(done.paid), owed(bytes));
    assert.equal(await heldOn(chain, payee), owed(bytes));
    assert.deepEqual(page.trouble, []);
  });

test("a page sells on BTTC, and its own wallet claims what was promised", limit, async (t) => {
  const stage = openStage(t);
  const chain = await openAnvil(stage);
  const server = await openExchange(stage, chain, ["--pay-chain", "donau"]);
  const content = oneFile(8);
  const { page: seller, magnet } = await openSharer(stage, chain, server, content, bringEvmWallet);
  await sell(seller);
  const buyer = await openPayer(stage, chain, server, magnet, bringEvmWallet);
  await grant(buyer, { deposit: "100", cap: "50", price: "40" });
  await until("the whole file", async () => (await fact(buyer, "progress")) === 1, 60);
  await until("both to agree on what was bought", async () => {
    const earned = await figure(seller, "earned");
    return earned > 0n && earned === (await spent(buyer));
  });
  assert.match(await seller.innerText("[data-pay=worth]"), /59 BTT/);
  await seller.click('button:text-is("Claim")');
  await until("the vault's payment", async () => {
    await rpc(chain.url, "anvil_mine", "0x10");
    return /The vault paid/.test(await seller.innerText("[data-pay=claiming]"));
  }, 60);
  const held = await heldOn(chain, chain.accounts[1].address);
  assert.ok(held > 0n);
  // A last voucher may have come after the claim.
  await until("the page to say the same", async () =>
    held === (await figure(seller, "earned")) - (await figure(seller, "unclaimed")));
  const { prompts } = await seller.evaluate(() => window.testWallet);
  assert.deepEqual(prompts, ["eth_sendTransaction"], "one transaction");
  assert.deepEqual(seller.trouble, []);
});
