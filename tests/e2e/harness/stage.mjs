// What most tests need at once: a browser, a site, trackers and peers, all closed in the end.

import { openBrowser, openPage, openTab } from "./chromium.mjs";
import { openSite } from "./site.mjs";
import { openNpmTracker } from "./tracker.mjs";
import { openFolder, serve } from "./program.mjs";

/** Opens a stage for one test. Everything opened on it is closed after the test, in reverse. */
export function openStage(test) {
  const closers = [];
  test.after(async () => {
    for (const close of closers.reverse()) await Promise.resolve(close()).catch(() => {});
  });
  const keep = (thing, close = () => thing.close()) => {
    closers.push(close);
    return thing;
  };
  let browser;
  let site;
  const stage = {
    keep,
    browser: async () => (browser ??= keep(await openBrowser())),
    site: async () => (site ??= keep(await openSite())),
    npmTracker: async () => keep(await openNpmTracker()),
    ourTracker: async () => keep(await serve()),
    serve: async (options) => keep(await serve(options)),
    folder: async () => keep(await openFolder()),
    /** A page with storage of its own; `kind` is `headwater` or `webtorrent`. */
    peer: async (kind, query = "") => {
      const url = `${(await stage.site()).origin}/${kind}.html${query}`;
      return ready(await openPage(await stage.browser(), url));
    },
    /** Pages that share storage. */
    context: async () => keep(await (await stage.browser()).newContext()),
    tab: async (context, kind, query = "") => {
      return ready(await openTab(context, `${(await stage.site()).origin}/${kind}.html${query}`));
    },
  };
  return stage;
}

async function ready(page) {
  await page.waitForFunction(() => window.peer);
  return page;
}

/** Calls a function of `window.peer` in the page. */
export function ask(page, name, ...args) {
  return page.evaluate(([call, given]) => window.peer[call](...given), [name, args]);
}

/** Waits until `probe` returns something true; fails with `what` after `seconds`. */
export async function until(what, probe, seconds = 30) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await probe();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited ${seconds} s for ${what}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** Time that a test may take, in milliseconds. Loaded machines are slow, endless waits are bugs. */
export const limit = { timeout: 120_000 };

/** The trackers that peers meet over, each by its name. */
export const trackers = [
  ["our tracker", (stage) => stage.ourTracker()],
  ["the npm tracker", (stage) => stage.npmTracker()],
];
