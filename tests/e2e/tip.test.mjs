// Tips, whole: a publisher says in a torrent whom to tip, a page finds that it is signed, and pays
// through TronWeb 6.5.1 behind a TIP-6963 provider. The ledger has the last word.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { TronWeb } from "tronweb";
import { oneFile } from "./harness/content.mjs";
import { assetsOf, tokensOf } from "./harness/ledger.mjs";
import { openLedger, openVisitor } from "./harness/market.mjs";
import { finish, openFolder, writeContent } from "./harness/program.mjs";
import { limit, openStage, until } from "./harness/stage.mjs";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const BTT = 10n ** 18n;
/** Files that nobody loads who looks at a torrent that names no publisher. */
const PAYMENT = /\/(tip\.js|pay\.(js|css)|headwater-(pay|paying|payment|wallet)\.(js|wasm))$/;

/** A server that shares a file and names the ledger's chain, and links to the file. */
async function openPublisher(stage, ledger) {
  const folder = stage.keep(await openFolder());
  await writeContent(folder.path, oneFile(1));
  const server = await stage.serve({
    dir: folder.path,
    more: ["--sell", "--payee", ledger.accounts[2].address, "--pay-node", ledger.url,
      "--vault", ledger.vault],
  });
  await until("the server to sell", async () => (await fetch(`${server.site}/pay.json`)).ok);
  const [{ name, magnet }] = await server.torrents();
  const made = stage.keep(await openFolder());
  const payee = ledger.accounts[1].address;
  const { code, lines, log } = await finish(["create", join(folder.path, name), "--json",
    "-o", join(made.path, "made.torrent"), "--payee", payee, "--tip", "2.5",
    "--publisher-key", join(made.path, "publisher.key")]);
  assert.equal(code, 0, log.join("\n"));
  const said = new URL(JSON.parse(lines.at(-1)).magnet).searchParams.get("x.hw");
  return { server, payee, plain: magnet, signed: `${magnet}&x.hw=${said}` };
}

/** A visitor at a torrent that is whole. */
async function openViewer(stage, ledger, server, magnet, options) {
  const page = await openVisitor(stage, ledger, server, magnet, options);
  await page.waitForSelector("[data-phase=complete]", { state: "attached" });
  return page;
}

const tipButton = 'button:text-is("Tip")';

async function connect(page) {
  await page.click(tipButton);
  await page.click(".tip .pay-wallets button");
  await page.waitForSelector(".tip-form:not([hidden])");
}

async function paid(page) {
  const id = page.locator("[data-tip=id]");
  await id.waitFor();
  return id.innerText();
}

test("a page tips a publisher, and the ledger has it to the unit", limit, async (t) => {
  const stage = openStage(t);
  const ledger = await openLedger(stage);
  const { server, payee, signed } = await openPublisher(stage, ledger);
  const page = await openViewer(stage, ledger, server, signed);
  const tokens = await tokensOf(ledger, ledger.token, payee);
  await connect(page);
  assert.equal(await page.innerText("[data-tip=payee]"), payee);
  assert.equal(await page.inputValue("#tip-amount"), "2.5", "what the publisher suggests");
  await page.keyboard.press("Enter");
  const id = await paid(page);
  assert.equal(await tokensOf(ledger, ledger.token, payee), tokens + (5n * BTT) / 2n);
  const { receipt } = await new TronWeb({ fullHost: ledger.url }).trx.getTransactionInfo(id);
  assert.equal(receipt.result, "SUCCESS");
  await page.click('.tip button:text-is("Close")');

  // The older asset, which is counted in its smallest parts.
  const assets = await assetsOf(ledger, "1002000", payee);
  await connect(page);
  await page.selectOption("#tip-unit", "asset");
  await page.fill("#tip-amount", "1234567");
  await page.click('button:text-is("Send the tip")');
  await paid(page);
  assert.equal(await assetsOf(ledger, "1002000", payee), assets + 1_234_567n);
  const { prompts } = await page.evaluate(() => window.testWallet);
  assert.deepEqual(prompts, ["sign", "sign"], "one prompt a tip, and no grant");
  assert.deepEqual(page.trouble, []);
});

test("who did not sign for this torrent is paid nothing", limit, async (t) => {
  const stage = openStage(t);
  const ledger = await openLedger(stage);
  const { server, payee, plain, signed } = await openPublisher(stage, ledger);
  const silent = await openViewer(stage, ledger, server, plain);
  assert.equal(await silent.locator(tipButton).count(), 0);
  assert.deepEqual(silent.asked.filter((path) => PAYMENT.test(path)), []);
  // One digit of what is signed is another.
  const at = signed.indexOf("x.hw=") + 40;
  const forged = `${signed.slice(0, at)}${signed[at] === "A" ? "B" : "A"}${signed.slice(at + 1)}`;
  const page = await openViewer(stage, ledger, server, forged);
  await page.locator(tipButton).waitFor();
  assert.deepEqual(page.asked.filter((path) => PAYMENT.test(path)), [], "loaded before its time");
  await page.click(tipButton);
  const notice = page.locator('.notice:has-text("nothing proves")');
  await notice.waitFor();
  const { y, height } = await notice.boundingBox();
  assert.ok(y >= 0 && y + height <= page.viewportSize().height, `it is seen: from ${y} on`);
  assert.equal(await page.locator(".tip").count(), 0);
  const judge = (link) => page.evaluate(async (given) => {
    const { publicationOf } = await import("/headwater-payment.js");
    return (await publicationOf(given))?.payee ?? null;
  }, link);
  assert.equal(await judge(forged), null);
  assert.equal(TronWeb.address.fromHex((await judge(signed)).replace("0x", "41")), payee);
});

test("the dialog works by keyboard, for screen readers and in any width", limit, async (t) => {
  const stage = openStage(t);
  const ledger = await openLedger(stage);
  const { server, payee, signed } = await openPublisher(stage, ledger);
  const tokens = await tokensOf(ledger, ledger.token, payee);
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [360, 1280]) {
      const viewport = { width, height: 800 };
      const options = { colorScheme, viewport, bypassCSP: true };
      const page = await openViewer(stage, ledger, server, signed, options);
      await page.focus(tipButton);
      await page.keyboard.press("Enter");
      await page.focus(".tip .pay-wallets button");
      await page.keyboard.press("Enter");
      await page.waitForSelector(".tip-form:not([hidden])");
      assert.equal(await page.evaluate(() => document.activeElement.id), "tip-amount");
      await page.fill("#tip-amount", "0");
      await page.keyboard.press("Enter");
      assert.match(await page.innerText(".tip .trouble"), /bad-amount/);
      const name = `tip-${colorScheme}-${width}.png`;
      const shots = process.env.HEADWATER_SHOTS;
      if (shots !== undefined) await page.screenshot({ path: join(shots, name) });
      await page.addScriptTag({ path: axe });
      const { violations } = await page.evaluate(() => window.axe.run(".tip"));
      assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes[0]?.html]), [], name);
      const wide = await page.evaluate(() => document.querySelector(".tip").scrollWidth
        > document.querySelector(".tip").clientWidth);
      assert.equal(wide, false, name);
      await page.keyboard.press("Escape");
      await page.waitForSelector(".tip", { state: "detached" });
      assert.equal(await page.evaluate(() => document.activeElement.textContent), "Tip");
    }
  }
  assert.equal(await tokensOf(ledger, ledger.token, payee), tokens, "nothing was paid");
});
