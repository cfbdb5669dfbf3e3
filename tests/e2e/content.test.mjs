// Paid content, whole: a publisher encrypts a film and sells its key; a page buys that through
// TronWeb 6.5.1 behind a TIP-6963 provider, plays the film, and never pays for it again.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { hashOf } from "./harness/content.mjs";
import { held, openLedger, openVisitor, pay } from "./harness/market.mjs";
import { root, start } from "./harness/program.mjs";
import { limit, openStage, until } from "./harness/stage.mjs";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const name = "headwater.mp4";
const film = join(root, "tests/data/film", name);
const BTT = 10n ** 18n;
/** More than the twenty fees from which a claim is worth it on a test chain. */
const PRICE = 30n;
/** Files that nobody loads who opens a torrent that names no price. */
const PAYMENT = /\/(buy\.js|pay\.(js|css)|headwater-(pay|paying|payment|wallet)\.(js|wasm))$/;

/** A server whose pages pay on the ledger, and a publisher that seeds the encrypted film. */
async function openShop(stage, ledger) {
  const folder = stage.keep(await stage.folder());
  const chain = ["--pay-node", ledger.url, "--vault", ledger.vault];
  const server = await stage.serve({
    more: ["--state", join(folder.path, "serve"), "--sell", "--payee", ledger.accounts[3].address,
      ...chain],
  });
  await until("the server to sell", async () => (await fetch(`${server.site}/pay.json`)).ok);
  const claimKey = join(folder.path, "claim.key");
  await writeFile(claimKey, `${ledger.accounts[2].key}\n`, { mode: 0o600 });
  const payee = ledger.accounts[1].address;
  const publisher = stage.keep(start(["seed", film, "--json", "--hybrid", "--tracker", server.url,
    "--stun", "none", "--price", `${PRICE}`, "--payee", payee, "--publisher-key",
    join(folder.path, "publisher.key"), "--claim-key", claimKey, ...chain,
    "--state", join(folder.path, "seed")]));
  const { magnet } = JSON.parse(await publisher.line((line) => line.includes("magnet:")));
  return { server, publisher, payee, magnet, state: join(folder.path, "seed") };
}

const buyButton = '.stage button:text-is("Buy")';

/** Connects, puts the price into the vault, and buys. */
async function buy(page) {
  await page.click(buyButton);
  await page.click(".buy .pay-wallets button");
  await page.click('.buy button:text-is("Put in")');
  await page.waitForSelector("text=Your wallet will show a grant of this price");
  await page.click(`.buy button:text-is("Buy for ${PRICE} BTT")`);
  await page.waitForSelector("text=It is bought", { timeout: 60_000 });
  await page.click('.buy button:text-is("Close")');
}

/** What a visitor's page reads of the film by its address. */
function fetchFilm(page, magnet, range) {
  return page.evaluate(async ([hash, path, asked]) => {
    const headers = asked === null ? {} : { Range: asked };
    const answer = await fetch(`./headwater/${hash}/${path}`, { headers });
    const bytes = [...new Uint8Array(await answer.arrayBuffer())];
    const digest = await crypto.subtle.digest("SHA-256", Uint8Array.from(bytes));
    const hex = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0"));
    return { status: answer.status, sha256: hex.join(""), head: bytes.slice(0, 16) };
  }, [/btih:([0-9a-f]{40})/.exec(magnet)[1], name, range ?? null]);
}

function told(publisher, text) {
  return until(text, () => publisher.log.some((line) => line.includes(text)));
}

function playing(page) {
  return until("the film to play", () =>
    page.evaluate(() => (document.querySelector("video")?.currentTime ?? 0) > 0.5));
}

test("a page buys a film, plays it, and never pays for it again", limit, async (t) => {
  const stage = openStage(t);
  const ledger = await openLedger(stage);
  const { server, publisher, payee, magnet, state } = await openShop(stage, ledger);
  const page = await openVisitor(stage, ledger, server, magnet);
  await page.waitForSelector(`text=sells the key for ${PRICE} BTT`);
  const plain = await readFile(film);
  assert.equal((await fetchFilm(page, magnet)).status, 402, "not before it is paid");
  await buy(page);
  await playing(page);
  const whole = await fetchFilm(page, magnet);
  assert.deepEqual([whole.status, whole.sha256], [200, await hashOf(plain)]);
  const part = await fetchFilm(page, magnet, "bytes=1000001-1000016");
  assert.deepEqual([part.status, part.head], [206, [...plain.subarray(1_000_001, 1_000_017)]]);

  await told(publisher, "the key was sold to");
  await told(publisher, `claimed ${PRICE} BTT`);
  assert.equal(await held(ledger, payee), PRICE * BTT, "what it costs, to the unit");

  // The next visit needs neither a wallet nor the publisher.
  await publisher.close();
  const { earned, claimed, keys_sold: keys } = await pay("status", "--state", state);
  assert.deepEqual([BigInt(earned), BigInt(claimed), keys], [PRICE * BTT, PRICE * BTT, 1]);
  await page.reload();
  await playing(page);
  assert.equal(await page.locator(buyButton).count(), 0);
  assert.equal((await fetchFilm(page, magnet)).sha256, await hashOf(plain));
  assert.equal(await held(ledger, payee), PRICE * BTT);
});

test("who bought a film gets its key in another browser for nothing", limit, async (t) => {
  const stage = openStage(t);
  const ledger = await openLedger(stage);
  const { server, publisher, payee, magnet } = await openShop(stage, ledger);
  const first = await openVisitor(stage, ledger, server, magnet);
  // Two that hold all of it have nothing to swap, and must meet all the same.
  await first.waitForSelector("[data-phase=complete]", { state: "attached" });
  await first.reload();
  await buy(first);
  await told(publisher, `claimed ${PRICE} BTT`);
  await first.context().close();
  const second = await openVisitor(stage, ledger, server, magnet);
  await buy(second);
  await told(publisher, "the key was given again to");
  await playing(second);
  assert.equal(await held(ledger, payee), PRICE * BTT, "paid once");
});

test("a vault that held too little is filled, and one grant is enough", limit, async (t) => {
  const stage = openStage(t);
  const ledger = await openLedger(stage);
  const { server, publisher, payee, magnet } = await openShop(stage, ledger);
  const page = await openVisitor(stage, ledger, server, magnet);
  const again = `.buy button:text-is("Buy for ${PRICE} BTT")`;
  await page.click(buyButton);
  await page.click(".buy .pay-wallets button");
  await page.click(again);
  await page.waitForSelector("text=no-funds");
  // What is granted stays so when the dialog is closed; it asks for the wallet once that is needed.
  await page.click('.buy button:text-is("Close")');
  await page.click(buyButton);
  await page.click(again);
  await page.click(".buy .pay-wallets button");
  await page.fill("#pay-amount", `${2n * PRICE}`);
  await page.click('.buy button:text-is("Put in")');
  await page.waitForSelector("text=out of the allowance that is granted already");
  await page.click(again);
  await page.waitForSelector("text=It is bought", { timeout: 60_000 });
  await told(publisher, `claimed ${PRICE} BTT`);
  const { prompts } = await page.evaluate(() => window.testWallet);
  assert.deepEqual(prompts, ["_signTypedData", "sign", "sign"], "one grant, approve, deposit");
  assert.equal(await held(ledger, payee), PRICE * BTT, "one price");
});

/** Runs in a page that knows the API: what is said of a torrent that nobody here has paid for. */
async function lookInPage([magnet, tracker]) {
  const { Headwater } = await import("/headwater.js");
  const code = (work) => work.then(() => null, (error) => error.code);
  const client = await Headwater.open({ trackers: [tracker], storage: "memory" });
  const torrent = await client.add(magnet);
  await torrent.ready;
  const [file] = torrent.files;
  const payment = await client.payment();
  const free = magnet.replace(/&x\.hw=[^&]*/, "");
  // One letter of the signature: whoever wrote that is no publisher of this torrent.
  const forged = magnet.replace(/(x\.hw=.{300})./, (_, head) => `${head}A`);
  return {
    paid: torrent.paid,
    read: await code(file.bytes(0, 16)),
    buy: await code(payment.buy(torrent)),
    has: await Promise.all([magnet, free, forged].map((link) => payment.has({ magnet: link }))),
    free: await code(payment.buy({ magnet: free })),
    forged: await code(payment.buy({ magnet: forged })),
  };
}

test("what is not bought is refused in words, and what is free loads nothing", limit, async (t) => {
  const stage = openStage(t);
  const ledger = await openLedger(stage);
  const { server, magnet } = await openShop(stage, ledger);
  const page = await openVisitor(stage, ledger, server, "");
  assert.deepEqual(await page.evaluate(lookInPage, [magnet, server.url]), {
    paid: true, read: "not-bought", buy: "nothing-granted", has: [false, true, true],
    free: "not-for-sale", forged: "not-for-sale",
  });
  const visitor = await openVisitor(stage, ledger, server, magnet.replace(/&x\.hw=[^&]*/, ""));
  await visitor.waitForSelector("[data-phase=complete]", { state: "attached" });
  assert.deepEqual(visitor.asked.filter((path) => PAYMENT.test(path)), []);
});

test("the dialog works by keyboard, for screen readers and in any width", limit, async (t) => {
  const stage = openStage(t);
  const ledger = await openLedger(stage);
  const { server, payee, magnet } = await openShop(stage, ledger);
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [360, 1280]) {
      const name = `buy-${colorScheme}-${width}.png`;
      const viewport = { width, height: 800 };
      const options = { colorScheme, viewport, bypassCSP: true };
      const page = await openVisitor(stage, ledger, server, magnet, options);
      await page.focus(buyButton);
      await shoot(page, `stage-${name}`);
      await page.keyboard.press("Enter");
      await page.focus(".buy .pay-wallets button");
      await page.keyboard.press("Enter");
      await page.waitForSelector("text=The vault holds only 0 BTT");
      await page.click(`.buy button:text-is("Buy for ${PRICE} BTT")`);
      await page.waitForSelector("text=no-funds");
      await shoot(page, name);
      await page.addScriptTag({ path: axe });
      const { violations } = await page.evaluate(() => window.axe.run(".buy"));
      assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes[0]?.html]), [], name);
      const wide = await page.evaluate(() => document.querySelector(".buy").scrollWidth
        > document.querySelector(".buy").clientWidth);
      assert.equal(wide, false, name);
      await page.keyboard.press("Escape");
      await page.waitForSelector(".buy", { state: "detached" });
      assert.equal(await page.evaluate(() => document.activeElement.textContent), "Buy");
    }
  }
  assert.equal(await held(ledger, payee), 0n, "nothing was paid");
});

async function shoot(page, name) {
  const shots = process.env.HEADWATER_SHOTS;
  if (shots !== undefined) await page.screenshot({ path: join(shots, name) });
}
