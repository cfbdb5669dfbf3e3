// A market for tests: a ledger, a server that sells its upload, and pages whose wallet is TronWeb
// 6.5.1 behind a TIP-6963 provider.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TronWeb } from "tronweb";
import { openTab } from "./chromium.mjs";
import { bytesOf, oneFile } from "./content.mjs";
import { finish, openFolder, start, writeContent } from "./program.mjs";
import { until } from "./stage.mjs";
import { bringWallet } from "./wallet.mjs";

const BTT = 10n ** 18n;
/** What a GiB costs, in BTT. */
const PRICE = 10n;

/** A ledger that runs as long as the test. */
export async function openLedger(stage) {
  const run = stage.keep(start(["devnet", "--listen", "127.0.0.1:0", "--json"]));
  return JSON.parse(await run.line((line) => line.startsWith("{")));
}

/** A server that sells, with so many bytes a second to give. */
export async function openSeller(stage, ledger, { upload, mib, more = [] }) {
  const folder = stage.keep(await openFolder());
  await writeContent(folder.path, oneFile(mib));
  const claimKey = join((stage.keep(await openFolder())).path, "claim.key");
  await writeFile(claimKey, `${ledger.accounts[2].key}\n`, { mode: 0o600 });
  const payee = ledger.accounts[1].address;
  const server = await stage.serve({
    dir: folder.path,
    more: [
      "--sell", "--payee", payee, "--price", `${PRICE}`, "--pay-node", ledger.url,
      "--vault", ledger.vault, "--claim-key", claimKey, "--claim-factor", "4000000000",
      "--upload-limit", `${upload}`, ...more,
    ],
  });
  await until("the server to sell", async () => (await fetch(`${server.site}/pay.json`)).ok);
  return { server, folder, claimKey, payee };
}

/** A server whose pages may pay and sell; it seeds nothing itself. */
export async function openExchange(stage, ledger, more = []) {
  const state = stage.keep(await stage.folder());
  const server = await stage.serve({
    more: [
      "--state", state.path, "--sell", "--payee", ledger.accounts[3].address,
      "--pay-node", ledger.url, "--vault", ledger.vault, ...more,
    ],
  });
  await until("the server to sell", async () => (await fetch(`${server.site}/pay.json`)).ok);
  return server;
}

/** The app, with the wallet of another account, sharing something. */
export async function openSharer(stage, ledger, server, content, bring = bringWallet) {
  const context = await stage.context();
  const [, { key }] = ledger.accounts;
  await bring(context, { node: ledger.url, key, chainId: ledger.chain_id, account: 1 });
  const page = await openTab(context, `${server.site}/`);
  const [{ path: name, seed, length }] = content.files;
  const buffer = Buffer.from(bytesOf(seed, length));
  const mimeType = "application/octet-stream";
  // The page takes files once its engine runs.
  await page.waitForSelector("#pay-open");
  await page.setInputFiles("#files-input", { name, mimeType, buffer });
  await page.click("article .acts >> text=Share");
  const link = await page.inputValue("dialog input");
  await page.keyboard.press("Escape");
  return { context, page, magnet: link.slice(link.indexOf("magnet:")) };
}

/** Sells by the page's own controls. */
export async function sell(page) {
  await page.click("#pay-open");
  await page.click("#pay-sell-on");
  await page.click(".pay-wallets button");
  // What `owed` counts with.
  await page.fill("#pay-sell-price", "10");
  await page.fill("#pay-sell-limit", "0.8");
  await page.click('button:text-is("Sell")');
  await page.waitForSelector('button:text-is("Stop selling")');
}

/** A figure of payment's panel, in base units. */
export async function figure(page, name) {
  return BigInt((await page.getAttribute(`[data-pay=${name}]`, "data-value")) ?? "0");
}

/** The app in a context with these options, with a wallet; `asked` is what was fetched. */
export async function openVisitor(stage, ledger, server, magnet, options = {}) {
  const context = stage.keep(await (await stage.browser()).newContext(options));
  const [{ key }] = ledger.accounts;
  await bringWallet(context, { node: ledger.url, key, chainId: ledger.chain_id });
  const asked = [];
  context.on("request", (request) => asked.push(new URL(request.url()).pathname));
  const page = await openTab(context, `${server.site}/#${magnet}`);
  return Object.assign(page, { asked });
}

/** The app, with a wallet, at a torrent. */
export async function openPayer(stage, ledger, server, magnet, bring = bringWallet) {
  const context = await stage.context();
  const [{ key }] = ledger.accounts;
  await bring(context, { node: ledger.url, key, chainId: ledger.chain_id });
  const page = await openTab(context, `${server.site}/#${magnet}`);
  page.asked = [];
  context.on("request", (request) => page.asked.push(new URL(request.url()).pathname));
  return page;
}

/** Puts money into the vault and grants some of it, by the page's own controls. */
export async function grant(page, { deposit, cap, price }) {
  await page.click("#pay-open");
  await page.click("#pay-on");
  await page.click(".pay-wallets button");
  await page.fill("#pay-amount", deposit);
  await page.click('button:text-is("Put in")');
  await until("the deposit", async () => {
    const held = await page.getAttribute("[data-pay=held]", "data-value");
    return held === `${BigInt(deposit) * BTT}`;
  });
  await page.fill("#pay-cap", cap);
  await page.fill("#pay-price", price);
  await page.click('button:text-is("Grant")');
  await page.waitForSelector("[data-pay=stop]");
}

/** What so many bytes cost, rounded up as both sides do. */
export function owed(bytes) {
  const price = (PRICE * BTT) / 1024n;
  const mib = 1n << 20n;
  return (BigInt(bytes) * price + mib - 1n) / mib;
}

export function spent(page) {
  return figure(page, "spent");
}

/** A figure that the app shows. */
export function fact(page, name) {
  return page.evaluate((fact) =>
    Number(document.querySelector(`[data-fact=${fact}]`)?.dataset.value ?? 0), name);
}

/** What `headwater pay` says. */
export async function pay(...args) {
  const { code, lines, log } = await finish(["pay", ...args, "--json"]);
  assert.equal(code, 0, log.join("\n"));
  return JSON.parse(lines.at(-1));
}

/** What the vault holds for an account, as the ledger tells. */
export async function held(ledger, account) {
  const tronWeb = new TronWeb({ fullHost: ledger.url });
  const { constant_result: [answer] } = await tronWeb.transactionBuilder.triggerConstantContract(
    ledger.vault, "accounts(address)", {}, [{ type: "address", value: account }], account,
  );
  return BigInt(`0x${answer.slice(0, 64)}`);
}
