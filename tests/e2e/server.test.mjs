// The server's own view: who has the token sees and does everything there; nobody else gets in.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { openTab } from "./harness/chromium.mjs";
import { oneFile, manifestOf } from "./harness/content.mjs";
import { readManifest, writeContent } from "./harness/program.mjs";
import { limit, openStage, until } from "./harness/stage.mjs";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

test("the owner fetches, limits, pauses and removes on the server", limit, async (t) => {
  const stage = openStage(t);
  const content = oneFile(2);
  const seeds = await folderWith(stage, content);
  const seed = await stage.serve({ dir: seeds });
  const [{ magnet }] = await seed.torrents();
  const { path: dir } = await stage.folder();
  const server = await stage.serve({ dir });
  const page = await enter(stage, server, dir);
  await page.fill("#server-magnet", magnet);
  await page.press("#server-magnet", "Enter");
  await until("the fetch", async () => /Complete/.test(await sentence(page)), 60);
  assert.deepEqual(await readManifest(dir, content), await manifestOf(content.files));
  await page.fill("#server-limit-down", "250");
  await page.click("text=Set limits");
  const bearer = { headers: { authorization: `Bearer ${await tokenOf(dir)}` } };
  const limits = async () =>
    (await (await fetch(`${server.site}/api/v1/server`, bearer)).json()).limits;
  await until("the limit", async () => (await limits()).download_limit === 250_000);
  await page.click("#server-torrents >> text=Pause");
  await until("the pause", async () => /Paused/.test(await sentence(page)));
  await page.click("#server-torrents >> text=Resume");
  await until("it to go on", async () => /Complete/.test(await sentence(page)));
  await page.click("#server-torrents >> text=Remove");
  await page.check("dialog input[type=checkbox]");
  await page.click("dialog button.danger");
  await until("an empty list", async () => (await page.locator(".hosted").count()) === 0);
  await until("its data to go", async () => (await readManifest(dir, content)).length === 0);
  assert.deepEqual(page.trouble, []);
});

test("a wrong token is refused in words, and one in the link is taken", limit, async (t) => {
  const stage = openStage(t);
  const dir = await folderWith(stage, oneFile(1));
  const server = await stage.serve({ dir });
  const page = await openTab(await stage.context(), `${server.site}/#server`);
  await page.fill("#server-token", "guess");
  await page.press("#server-token", "Enter");
  await until("the refusal", async () => /not the server's token/.test(await trouble(page)));
  assert.ok(await page.isVisible("#server-token"));
  const link = `${server.site}/#server=${await tokenOf(dir)}`;
  const owner = await openTab(await stage.context(), link);
  await until("the torrent", async () => (await owner.locator(".hosted").count()) === 1);
  assert.ok(!owner.url().includes("="), "the token is still in the address");
  await owner.reload();
  await until("the torrent again", async () => (await owner.locator(".hosted").count()) === 1);
  await owner.click("text=Back to your torrents");
  assert.ok(await owner.isVisible("#source"));
});

for (const colorScheme of ["light", "dark"]) {
  for (const width of [1280, 360]) {
    test(`axe finds nothing in the ${colorScheme} view at ${width} pixels`, limit, async (t) => {
      const stage = openStage(t);
      const dir = await folderWith(stage, oneFile(1));
      const server = await stage.serve({ dir });
      const viewport = { width, height: 800 };
      const page = await enter(stage, server, dir, { colorScheme, viewport, bypassCSP: true });
      await until("the film", async () => /Complete/.test(await sentence(page)));
      await page.click(".hosted summary");
      await page.addScriptTag({ path: axe });
      const { violations } = await page.evaluate(() => window.axe.run());
      const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html)}`);
      assert.deepEqual(told, []);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(over <= 0, `${over} pixels too wide`);
      const shots = process.env.HEADWATER_SHOTS;
      const path = shots && join(shots, `server-${colorScheme}-${width}.png`);
      if (path) await page.screenshot({ path, fullPage: true });
    });
  }
}

async function folderWith(stage, content) {
  const { path } = await stage.folder();
  await writeContent(path, content);
  return path;
}

async function tokenOf(dir) {
  return (await readFile(join(dir, ".headwater/control-token"), "utf8")).trim();
}

/** Opens the view and gives it the token by hand. */
async function enter(stage, server, dir, options = {}) {
  const context = stage.keep(await (await stage.browser()).newContext(options));
  const page = await openTab(context, `${server.site}/`);
  await page.click("text=Control this server");
  await page.fill("#server-token", await tokenOf(dir));
  await page.press("#server-token", "Enter");
  await page.waitForSelector("#server-body:not([hidden])");
  return page;
}

async function sentence(page) {
  const found = page.locator(".hosted .sentence");
  return (await found.count()) === 1 ? found.innerText() : "";
}

async function trouble(page) {
  return page.innerText("#server-trouble");
}
