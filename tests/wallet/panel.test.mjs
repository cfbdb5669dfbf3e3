// The payment panel in Chromium, with TronWeb 6.5.1 behind a TIP-6963 provider and a port that
// plays a script: by mouse and keyboard, light and dark, narrow and wide, with hostile text.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { openTab } from "../e2e/harness/chromium.mjs";
import { limit, openStage, until } from "../e2e/harness/stage.mjs";
import { BTT, hasSigned, lib, TOKEN, VAULT } from "./stage.mjs";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const owner = "0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a";

async function openPanel(t, { query = "", ...options } = {}) {
  const stage = openStage(t);
  const site = await stage.site();
  const context = stage.keep(await (await stage.browser()).newContext(options));
  const page = await openTab(context, `${site.origin}/pay.html${query}`);
  await page.waitForFunction(() => window.pay);
  return { page, site };
}

async function connect(page) {
  await page.check("#pay-on");
  await page.click(".pay-wallets button");
  await page.waitForSelector(".pay-terms");
}

const prompts = (page) => page.evaluate(() => window.pay.wallet.prompts);
const calls = (page) => page.evaluate(() =>
  window.pay.port.calls.filter((name) => name !== "recall"));
const value = (page, name) => page.getAttribute(`[data-pay=${name}]`, "data-value");
const trouble = (page) => page.innerText(".pay-trouble");

const purchases = [
  { seller: "headwater serve", bytes: 48_000_000, before: 60_000, after: 2_400_000 },
  { seller: "<img src=x onerror=alert(1)>\u202e", bytes: 9_000_000, before: 0, after: 800_000 },
];

function spend(page, btt = 12, rows = purchases) {
  return page.evaluate(([amount, given]) => {
    const one = 10n ** 18n;
    window.pay.port.tell({
      is: "spending", spent: BigInt(amount) * one, cap: 50n * one,
      purchases: given.map((row, at) => ({ ...row, amount: BigInt(9 - at * 6) * one })),
    });
  }, [btt, rows]);
}

function earn(page, unclaimed, fee) {
  return page.evaluate(([left, cost, unit]) => window.pay.port.tell({
    is: "earning", earned: 900n * 10n ** 18n, unclaimed: BigInt(left) * 10n ** 18n,
    fee: cost === null ? null : { amount: BigInt(cost) * 10n ** (unit === "TRX" ? 6n : 18n), unit },
    damaged: 0,
  }), [unclaimed, ...fee]);
}

test("paying is off and nothing of it is loaded until it is switched on", limit, async (t) => {
  const { page, site } = await openPanel(t);
  assert.equal(await page.isChecked("#pay-on"), false);
  assert.equal(await page.isVisible(".pay-body"), false);
  assert.deepEqual(await prompts(page), []);
  await page.check("#pay-on");
  await page.waitForSelector(".pay-wallets button");
  assert.deepEqual(await prompts(page), []);
  assert.ok(site.requests.get("/headwater-wallet.js") > 0);
});

test("one signature grants, and it is the owner's for what was typed", limit, async (t) => {
  const { page } = await openPanel(t);
  await connect(page);
  await page.fill("#pay-cap", "12.5");
  await page.fill("#pay-price", "2048");
  assert.match(await page.innerText("#pay-promise"), /at most 12\.5 BTT until .* vault T/);
  await page.click('button:text-is("Grant")');
  await until("a start", async () => (await calls(page)).includes("start"));
  assert.deepEqual(await prompts(page), ["eth_requestAccounts", "_signTypedData"]);
  const { cap, price, ...rest } = await page.evaluate(() => {
    const { grant: { grant, signature, chainId, vault }, pricePerMiB } = window.pay.port.purse;
    return {
      ...grant, cap: String(grant.cap), salt: [...grant.salt], signature: [...signature], chainId,
      vault, price: String(pricePerMiB),
    };
  });
  const { salt, signature, chainId, vault, ...grant } = rest;
  assert.equal(BigInt(price), 2n * BTT);
  assert.equal(BigInt(cap), 125n * BTT / 10n);
  assert.equal(vault, VAULT);
  const chain = lib.testLedger({ id: chainId, kind: "tron", vault, token: TOKEN });
  const signed = {
    grant: { ...grant, cap: BigInt(cap), salt: Uint8Array.from(salt) },
    signature: Uint8Array.from(signature),
  };
  assert.ok(hasSigned(chain, signed, owner));
  assert.ok(grant.expiry <= Date.now() / 1000 + 3600);
  assert.ok(new Set(salt).size > 8, "the salt is not random");
});

test("the total runs, purchases are listed, and stop stops at once", limit, async (t) => {
  const { page } = await openPanel(t);
  await connect(page);
  await page.click('button:text-is("Grant")');
  await page.waitForSelector("[data-pay=stop]");
  await spend(page);
  assert.equal(await value(page, "spent"), String(12n * BTT));
  assert.match(await page.innerText("[data-pay=spent]"), /^12 BTT of 50 BTT$/);
  const rows = await page.locator(".pay-table tbody tr").allInnerTexts();
  assert.match(rows[0], /headwater serve\s+48 MB\s+9 BTT\s+60 kB\/s\s+2\.4 MB\/s \(40 ×\)/);
  assert.match(rows[1], /<img src=x/);
  await page.click("[data-pay=stop]");
  assert.deepEqual(await calls(page), ["start", "stop"]);
  assert.equal(await page.isVisible("[data-pay=stop]"), false);
  assert.equal(await page.isVisible(".pay-table"), true);
  await spend(page, 13);
  assert.equal(await value(page, "spent"), String(13n * BTT), "what was promised last is shown");
  assert.equal(await page.isVisible("[data-pay=stop]"), false);
  assert.equal(await page.evaluate(() => document.activeElement.id), "pay-cap");
});

test("switching off stops, lets go of the wallet, and on again asks anew", limit, async (t) => {
  const { page } = await openPanel(t);
  await connect(page);
  await page.click('button:text-is("Grant")');
  await page.waitForSelector("[data-pay=stop]");
  await page.uncheck("#pay-on");
  await until("a stop", async () => (await calls(page)).includes("stop"));
  assert.equal(await page.isVisible(".pay-body"), false);
  await page.check("#pay-on");
  await page.waitForSelector(".pay-wallets button");
  assert.equal(await page.locator(".pay-terms").count(), 0);
});

test("a script's own click gets no prompt", limit, async (t) => {
  const { page } = await openPanel(t, { query: "?clicks" });
  await until("a refusal", async () => /prompt-refused/.test(await trouble(page)));
  assert.deepEqual(await prompts(page), []);
});

test("a rejected grant is said plainly, and the next try asks again", limit, async (t) => {
  const { page } = await openPanel(t);
  await connect(page);
  await page.evaluate(() => (window.pay.wallet.refusal = "Confirmation declined by user"));
  await page.click('button:text-is("Grant")');
  await until("words", async () => /You said no.*wallet-rejected/.test(await trouble(page)));
  assert.deepEqual(await calls(page), []);
  await page.click('button:text-is("Grant")');
  await page.waitForSelector("[data-pay=stop]");
  assert.equal(await trouble(page), "");
});

test("a wallet that arrives late is offered", limit, async (t) => {
  const { page } = await openPanel(t, { query: "?late" });
  await page.check("#pay-on");
  await page.waitForSelector("text=No wallet was found");
  await page.evaluate(() => window.pay.arrive());
  await page.click(".pay-wallets button");
  await page.waitForSelector(".pay-terms");
  assert.equal(await page.locator(".pay-wallets li").count(), 1);
});

test("another account in the wallet ends the connection", limit, async (t) => {
  const { page } = await openPanel(t);
  await connect(page);
  await page.evaluate(() => window.pay.wallet.switchAccount(1));
  await page.waitForSelector(".pay-wallets button");
  assert.equal(await page.locator(".pay-terms").count(), 0);
});

test("wrong amounts are named where they stand, and nothing is asked", limit, async (t) => {
  const { page } = await openPanel(t);
  await connect(page);
  for (const text of ["", "0", "-5", "1e9", "abc", "1.0000000000000000001"]) {
    await page.fill("#pay-cap", text);
    await page.press("#pay-cap", "Enter");
    assert.match(await page.innerText("#pay-terms-trouble"), /bad-amount/, text);
    assert.equal(await page.getAttribute("#pay-cap", "aria-invalid"), "true");
  }
  assert.deepEqual((await prompts(page)).filter((name) => /sign/i.test(name)), []);
});

test("money goes in with two prompts and shows in the vault and its history", limit, async (t) => {
  const { page } = await openPanel(t);
  await connect(page);
  await until("a balance", async () => (await value(page, "free")) === String(900n * BTT));
  await page.fill("#pay-amount", "100");
  await page.click('button:text-is("Put in")');
  await until("the deposit", async () => (await value(page, "held")) === String(100n * BTT));
  assert.deepEqual((await prompts(page)).slice(1), ["sign", "sign"]);
  await page.click("text=What happened");
  assert.match(await page.innerText(".pay-history"), /Put in: 100 BTT/);
  await page.fill("#pay-amount", "40");
  await page.click('button:text-is("Ask back")');
  await until("a date", async () => /40 BTT can be taken out from/.test(
    await page.innerText(".pay")));
  assert.equal(await page.isDisabled('button:text-is("Take it out now")'), true);
});

for (const [unclaimed, fee, told] of [
  [900, [45, "BTT"], /Worth claiming: the fee of about 45 BTT is 5 % of it/],
  [899, [45, "BTT"], /Better wait: .* would take 5 % of it/],
  [45, [45, "BTT"], /Not worth claiming/],
  [900, [9, "TRX"], /about 9 TRX\. Compare/],
  [900, [null], /not known/],
]) {
  test(`of ${unclaimed} BTT with a fee of ${fee.join(" ")}: ${told}`, limit, async (t) => {
    const { page } = await openPanel(t);
    await connect(page);
    await earn(page, unclaimed, fee);
    assert.match(await page.innerText("[data-pay=worth]"), told);
    await page.click('button:text-is("Claim")');
    await until("words", async () => /The vault paid 40 BTT/.test(await claiming(page)));
    assert.deepEqual(await calls(page), ["claim"]);
    const claimed = await page.evaluate(() => window.pay.port.claimed);
    assert.deepEqual(claimed, { account: owner, node: "https://node.example.org" });
  });
}

const claiming = (page) => page.innerText("[data-pay=claiming]");

test("what was earned earlier is shown with everything off, and its claim wants a wallet", limit,
  async (t) => {
    const { page } = await openPanel(t);
    assert.deepEqual(await page.evaluate(() => window.pay.port.calls), ["recall"]);
    await earn(page, 0, [0, "TRX"]);
    assert.equal(await page.isVisible('button:text-is("Claim")'), false, "all is claimed");
    await earn(page, 300, [9, "TRX"]);
    await page.click('button:text-is("Claim")');
    await until("words", async () => /Connect the wallet/.test(await claiming(page)));
    assert.deepEqual(await calls(page), []);
    assert.equal(await page.isVisible(".pay-body"), false);
  });

test("a claim that fails is said plainly and can be tried again", limit, async (t) => {
  const { page } = await openPanel(t);
  await connect(page);
  await earn(page, 300, [9, "TRX"]);
  await page.evaluate(() => (window.pay.port.refusal = {
    code: "claim-unsettled", message: "the claim is not final after 60 looks",
  }));
  await page.click('button:text-is("Claim")');
  await until("words", async () => /nothing is paid twice.*claim-unsettled/.test(
    (await trouble(page)).replaceAll("\n", " ")));
  assert.equal(await page.isEnabled('button:text-is("Claim")'), true);
});

async function openSale(page) {
  await page.check("#pay-sell-on");
  await page.click(".pay-wallets button");
  await page.waitForSelector("#pay-sell-price");
}

test("selling is off until it is switched on, and is paid to the wallet's account", limit,
  async (t) => {
    const { page } = await openPanel(t);
    assert.equal(await page.isChecked("#pay-sell-on"), false);
    await openSale(page);
    assert.equal(await page.isVisible(".pay-terms"), false, "nothing is bought");
    await page.fill("#pay-sell-price", "2048");
    await page.fill("#pay-sell-limit", "0.5");
    await page.click('button:text-is("Sell")');
    await until("the sale", async () => /sold at 2,048 BTT per GiB or more, paid to T/.test(
      await page.innerText("[data-pay=sale]")));
    const { sale, limits } = await page.evaluate(() => {
      const { sale, limits } = window.pay.port;
      return { sale: { ...sale, pricePerMiB: String(sale.pricePerMiB) }, limits };
    });
    const node = "https://node.example.org";
    const pricePerMiB = String(2n * BTT);
    assert.deepEqual(sale, { payee: owner, pricePerMiB, chainId: 0xcd8690dc, vault: VAULT, node });
    assert.deepEqual(limits, [500_000]);
    assert.deepEqual(await prompts(page), ["eth_requestAccounts"], "selling signs nothing");
    await page.click('button:text-is("Stop selling")');
    assert.deepEqual(await calls(page), ["sell", "stopSelling"]);
    await until("no limit", () => page.evaluate(() => window.pay.port.limits.at(-1) === null));
    assert.equal(await page.evaluate(() => document.activeElement.id), "pay-sell-price");
  });

test("switching selling off stops it and keeps what pays", limit, async (t) => {
  const { page } = await openPanel(t);
  await openSale(page);
  await page.check("#pay-on");
  await page.waitForSelector(".pay-terms");
  await page.click('button:text-is("Sell")');
  await page.waitForSelector('button:text-is("Stop selling")');
  await page.uncheck("#pay-sell-on");
  await until("an end", async () => (await calls(page)).includes("stopSelling"));
  assert.equal(await page.isVisible("#pay-sell-price"), false);
  assert.equal(await page.isVisible(".pay-terms"), true);
  await page.uncheck("#pay-on");
  assert.equal(await page.isVisible(".pay-body"), false);
});

test("a sale that cannot be is said, and wrong prices are named where they stand", limit,
  async (t) => {
    const { page } = await openPanel(t);
    await openSale(page);
    for (const [field, text] of [["price", ""], ["price", "0"], ["limit", "-1"], ["limit", "x"]]) {
      await page.fill("#pay-sell-price", "10");
      await page.fill("#pay-sell-limit", "1");
      await page.fill(`#pay-sell-${field}`, text);
      await page.press(`#pay-sell-${field}`, "Enter");
      assert.match(await trouble(page), /bad-amount/, `${field} ${text}`);
      assert.equal(await page.getAttribute(`#pay-sell-${field}`, "aria-invalid"), "true");
    }
    assert.deepEqual(await calls(page), []);
    await page.fill("#pay-sell-limit", "1");
    await page.evaluate(() => (window.pay.port.refusal = { code: "second-tab", message: "x" }));
    await page.click('button:text-is("Sell")');
    await until("words", async () => /Another tab.*second-tab/.test(await trouble(page)));
    assert.equal(await page.isVisible('button:text-is("Stop selling")'), false);
  });

test("a second tab shows no earnings and complains of nothing until it sells", limit, async (t) => {
  const { page } = await openPanel(t, { query: "?second-tab" });
  assert.deepEqual(await page.evaluate(() => window.pay.port.calls), ["recall"]);
  assert.equal(await trouble(page), "");
});

test("where no node is told nothing is sold", limit, async (t) => {
  const { page } = await openPanel(t, { query: "?no-node" });
  assert.equal(await page.locator("#pay-sell-on").count(), 0);
  assert.deepEqual(await page.evaluate(() => window.pay.port.calls), []);
});

test("everything is reached and worked by keyboard", limit, async (t) => {
  const { page } = await openPanel(t);
  await page.focus("#pay-on");
  await page.keyboard.press("Space");
  await page.waitForSelector(".pay-wallets button");
  await until("the focus", () => focusText(page).then((text) => /^Connect/.test(text)));
  await page.keyboard.press("Enter");
  await page.waitForSelector(".pay-terms");
  await until("the focus", () => focusText(page).then((text) => text === "Disconnect"));
  for (let step = 0; step < 10 && (await focusText(page)) !== "Grant"; step += 1) {
    await page.keyboard.press("Tab");
  }
  await page.keyboard.press("Enter");
  await until("stop has the focus", async () => (await focusText(page)) === "Stop paying");
  await page.keyboard.press("Enter");
  assert.deepEqual(await calls(page), ["start", "stop"]);
});

test("selling is reached and worked by keyboard", limit, async (t) => {
  const { page } = await openPanel(t);
  await page.focus("#pay-sell-on");
  await page.keyboard.press("Space");
  await until("the focus", () => focusText(page).then((text) => /^Connect/.test(text)));
  await page.keyboard.press("Enter");
  await until("the focus", () => focusText(page).then((text) => text === "Disconnect"));
  for (let step = 0; step < 12 && (await focusText(page)) !== "Sell"; step += 1) {
    await page.keyboard.press("Tab");
  }
  await page.keyboard.press("Enter");
  await until("stop has the focus", async () => (await focusText(page)) === "Stop selling");
  await page.keyboard.press("Enter");
  assert.deepEqual(await calls(page), ["sell", "stopSelling"]);
});

function focusText(page) {
  return page.evaluate(() => document.activeElement?.textContent ?? "");
}

test("a chain without a vault is told and cannot be granted on", limit, async (t) => {
  const { page } = await openPanel(t, { query: "?no-vault" });
  await page.check("#pay-on");
  await page.click(".pay-wallets button");
  await until("words", async () => /no vault is known on TRON/.test(await trouble(page)));
  assert.equal(await page.locator(".pay-terms").count(), 0);
});

for (const colorScheme of ["light", "dark"]) {
  for (const width of [1280, 360]) {
    test(`axe finds nothing in the ${colorScheme} theme at ${width} pixels`, limit, async (t) => {
      const viewport = { width, height: 900 };
      const { page } = await openPanel(t, { colorScheme, viewport, bypassCSP: true });
      await page.addScriptTag({ path: axe });
      await check(page, `${colorScheme}-${width}-off`);
      await connect(page);
      await until("a balance", async () => (await value(page, "free")) !== null);
      await earn(page, 300, [45, "BTT"]);
      await check(page, `${colorScheme}-${width}-form`);
      await page.click('button:text-is("Grant")');
      await page.waitForSelector("[data-pay=stop]");
      await spend(page);
      await page.check("#pay-sell-on");
      await check(page, `${colorScheme}-${width}-selling`);
      await page.click('button:text-is("Sell")');
      await page.waitForSelector('button:text-is("Stop selling")');
      await check(page, `${colorScheme}-${width}-running`);
    });
  }
}

/** What axe finds, and whether anything is cut off; keeps a picture where a folder is named. */
async function check(page, name) {
  const folder = process.env.HEADWATER_PICTURES;
  if (folder) await page.screenshot({ path: `${folder}/pay-${name}.png`, fullPage: true });
  const found = await page.evaluate(async () => {
    const { violations } = await window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa",
      "wcag21aa", "wcag22aa", "best-practice"] });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map((each) => each.html)}`);
  });
  assert.deepEqual(found, []);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(over <= 0, `${over} pixels too wide`);
  assert.deepEqual(page.trouble, []);
}
