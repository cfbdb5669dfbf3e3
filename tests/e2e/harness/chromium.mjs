// Starts the system's Chromium without a window and opens pages in it.

import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Loopback needs no mDNS names: plain addresses let peers of other programs connect. */
const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-features=WebRtcHideLocalIpsWithMdns",
  "--autoplay-policy=no-user-gesture-required",
];

/** Starts a browser. Close it, or it outlives the test. */
export async function openBrowser(more = []) {
  const named = process.env.HEADWATER_CHROMIUM;
  const executablePath = named ?? places.find((place) => existsSync(place));
  if (!executablePath) throw new Error("no Chromium found: run cargo xtask setup");
  return chromium.launch({ executablePath, args: [...args, ...more] });
}

/** Opens a page with storage of its own. What it logs as an error is kept in `page.trouble`. */
export async function openPage(browser, url) {
  const context = await browser.newContext();
  return openTab(context, url);
}

/** Opens a page that shares storage with the other pages of `context`. */
export async function openTab(context, url) {
  const page = await context.newPage();
  page.trouble = [];
  page.on("pageerror", (error) => page.trouble.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") page.trouble.push(message.text());
    if (process.env.HEADWATER_TEST_LOG) console.error(`[${message.type()}] ${message.text()}`);
  });
  await page.goto(url);
  return page;
}
