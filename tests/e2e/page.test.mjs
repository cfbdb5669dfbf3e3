// The page of `headwater serve` as its users meet it: bad input, a second visit, the keyboard,
// removal, files of one's own, and what axe finds in both themes.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { openTab } from "./harness/chromium.mjs";
import { root } from "./harness/program.mjs";
import { limit, openStage, until } from "./harness/stage.mjs";

const film = join(root, "tests/data/film");
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

test("what cannot be opened is named with its code, and nothing is lost", limit, async (t) => {
  const { page } = await openPage(openStage(t));
  await open(page, "magnet:?dn=nothing");
  await until("the notice", async () => /no-info-hash/.test(await page.innerText("#notices")));
  await open(page, "nonsense");
  assert.match(await page.innerText("#source-trouble"), /bad-magnet/);
  assert.equal(await page.inputValue("#source"), "nonsense");
  const mimeType = "application/x-bittorrent";
  const file = { name: "a.torrent", mimeType, buffer: Buffer.from("x") };
  await page.setInputFiles("#torrent-input", file);
  await until("the second notice", async () => (await page.locator(".notice").count()) === 2);
  await page.click("#served button");
  await until("the film", () => phaseOf(page).then((phase) => phase === "complete"), 60);
});

test("a second visit has the film from storage and shows it paused or not", limit, async (t) => {
  const { page } = await openPage(openStage(t));
  await page.click("#served button");
  await until("the film", () => phaseOf(page).then((phase) => phase === "complete"), 60);
  assert.ok((await fact(page, "fetched")) > 6_000_000);
  await page.click("article .acts >> text=Pause");
  await until("a pause", () => phaseOf(page).then((phase) => phase === "paused"));
  await page.reload();
  await until("the film again", () => phaseOf(page).then((phase) => phase === "paused"));
  await page.click("article .fold");
  await page.click("article .acts >> text=Resume");
  await until("the whole film", () => phaseOf(page).then((phase) => phase === "complete"));
  await until("bytes from storage", () => fact(page, "stored").then((bytes) => bytes > 6_000_000));
  assert.equal(await fact(page, "fetched"), 0);
});

test("a removed torrent is gone for good when its data is deleted", limit, async (t) => {
  const { page } = await openPage(openStage(t));
  await page.click("#served button");
  await until("the film", () => phaseOf(page).then((phase) => phase === "complete"), 60);
  await page.click("article .acts >> text=Remove");
  await page.check("dialog input[type=checkbox]");
  await page.click("dialog button.danger");
  await until("an empty list", async () => (await page.locator("article").count()) === 0);
  await page.reload();
  await page.click("#served button");
  await until("the film again", () => phaseOf(page).then((phase) => phase === "complete"), 60);
  assert.ok((await fact(page, "fetched")) > 6_000_000, "it was still stored");
});

test("a file shared from one page is opened by its link in another", limit, async (t) => {
  const stage = openStage(t);
  const { page, server } = await openPage(stage);
  const buffer = Buffer.alloc(300_000, "headwater ");
  await page.setInputFiles("#files-input", { name: "note.txt", mimeType: "text/plain", buffer });
  await until("the share", () => phaseOf(page).then((phase) => phase === "complete"));
  await page.click("article .acts >> text=Share");
  const link = await page.inputValue("dialog input");
  assert.ok(link.startsWith(`${server.site}/#magnet:?`), link);
  const other = await openTab(await stage.context(), link);
  await until("the file", () => phaseOf(other).then((phase) => phase === "complete"), 60);
  const [download] = await Promise.all([
    other.waitForEvent("download"),
    other.click("article a[target=saving]"),
  ]);
  assert.deepEqual(await readFile(await download.path()), buffer);
});

test("a part that is unfolded is drawn at once", limit, async (t) => {
  const { page } = await openPage(openStage(t), { viewport: { width: 390, height: 844 } });
  await page.click("#served button");
  await until("the film", () => phaseOf(page).then((phase) => phase === "complete"), 60);
  const shown = await page.evaluate(async () => {
    const part = [...document.querySelectorAll("article .section")].at(-1);
    const drawn = new Promise((done) => part.addEventListener("toggle", done));
    part.open = true;
    await drawn;
    return [part.querySelector(".section-note").textContent, part.querySelectorAll("td").length];
  });
  assert.equal(shown[0], "1");
  assert.ok(shown[1] > 0, "nobody is shown of one");
});

test("everything is reached and worked by keyboard", limit, async (t) => {
  const { page } = await openPage(openStage(t));
  await page.focus("#source");
  await page.keyboard.type(await page.evaluate(async () => {
    const [first] = await (await fetch("./torrents.json")).json();
    return first.magnet;
  }));
  await page.keyboard.press("Enter");
  await until("the card", async () => (await page.locator("article video").count()) === 1, 60);
  const wanted = new Set(["Pause", "Share", "Remove", "Save headwater.mp4", "Play headwater.mp4"]);
  for (let step = 0; step < 60 && wanted.size > 0; step += 1) {
    await page.keyboard.press("Tab");
    wanted.delete(await page.evaluate(() => {
      const at = document.activeElement;
      return at.getAttribute("aria-label") ?? at.textContent;
    }));
  }
  assert.deepEqual([...wanted], []);
  await page.focus("article .acts >> text=Share");
  await page.keyboard.press("Enter");
  assert.ok(await page.evaluate(() => document.activeElement.closest("dialog") !== null));
  await page.keyboard.press("Escape");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Share");
});

for (const colorScheme of ["light", "dark"]) {
  for (const width of [1280, 360]) {
    test(`axe finds nothing in the ${colorScheme} theme at ${width} pixels`, limit, async (t) => {
      const viewport = { width, height: 800 };
      const { page } = await openPage(openStage(t), { colorScheme, viewport, bypassCSP: true });
      await page.addScriptTag({ path: axe });
      await page.click("#served button");
      await until("the film", async () => (await page.locator("article video").count()) === 1, 60);
      await check(page);
      await page.click("article .acts >> text=Share");
      await check(page);
      await page.keyboard.press("Escape");
      await page.click("article .acts >> text=Remove");
      await check(page);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(over <= 0, `${over} pixels too wide`);
    });
  }
}

const lacking = [
  ["peer connections", /What is stored already still plays/, "delete self.RTCPeerConnection"],
  ["private files", /held in memory/, "delete StorageManager.prototype.getDirectory"],
  ["service workers", /only when .* complete/, "delete self.Navigator.prototype.serviceWorker"],
];

for (const [what, told, lack] of lacking) {
  test(`a browser without ${what} is told what still works`, limit, async (t) => {
    const stage = openStage(t);
    const { page } = await openPage(stage, { bypassCSP: true }, [takeAway, lack]);
    await page.click("#served button");
    await until("the card", async () => (await page.locator("article").count()) === 1);
    await until("plain words", async () => told.test(await page.innerText("main")));
    if (what === "peer connections") return;
    await until("the film", () => phaseOf(page).then((phase) => phase === "complete"), 60);
  });
}

test("a browser without WebAssembly SIMD is told which ones have it", limit, async (t) => {
  const stage = openStage(t);
  const server = await stage.serve({ dir: film });
  const context = stage.keep(await (await stage.browser()).newContext({ bypassCSP: true }));
  await context.addInitScript(takeAway, "WebAssembly.validate = () => false");
  const page = await openTab(context, server.site);
  const told = /lacks WebAssembly SIMD: Chrome has it since 91/;
  await until("plain words", async () => told.test(await page.innerText("main")));
});

/** Runs in the page before its own scripts: takes a feature from it and from its workers. */
function takeAway(lack) {
  const take = `try { ${lack} } catch {}`;
  new Function(take)();
  const Plain = window.Worker;
  window.Worker = class extends Plain {
    constructor(url, options) {
      const first = `data:text/javascript,${encodeURIComponent(take)}`;
      const code = `import ${JSON.stringify(first)}; import ${JSON.stringify(String(url))};`;
      super(URL.createObjectURL(new Blob([code], { type: "text/javascript" })), options);
    }
  };
}

async function openPage(stage, options = {}, script = undefined) {
  const server = await stage.serve({ dir: film });
  await server.torrents();
  const context = stage.keep(await (await stage.browser()).newContext(options));
  if (script) await context.addInitScript(...script);
  const page = await openTab(context, server.site);
  await page.waitForSelector("#served button");
  return { page, server };
}

async function open(page, source) {
  await page.fill("#source", source);
  await page.press("#source", "Enter");
}

function phaseOf(page) {
  return page.evaluate(() => document.querySelector("article")?.dataset.phase);
}

function fact(page, name) {
  const selector = `[data-fact=${name}]`;
  return page.evaluate((at) => Number(document.querySelector(at)?.dataset.value ?? 0), selector);
}

async function check(page) {
  const found = await page.evaluate(() => window.axe.run());
  const told = found.violations.map((one) => `${one.id}: ${one.nodes[0].html}`);
  assert.deepEqual(told, []);
}
