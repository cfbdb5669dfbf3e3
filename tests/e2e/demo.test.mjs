// The main job: `headwater serve` and a magnet link in the address play the sample film in
// Chromium, over WebRTC.
//
// Alone: how soon something plays is measured.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openTab } from "./harness/chromium.mjs";
import { root } from "./harness/program.mjs";
import { limit, openStage, until } from "./harness/stage.mjs";

const film = join(root, "tests/data/film");
const FRAMES = 1920;
const FRAMES_A_SECOND = 24;

test("the film plays over WebRTC, seeks, and is handed on to a second page", limit, async (t) => {
  assert.ok(existsSync(film), "the film is missing");
  const stage = openStage(t);
  const server = await stage.serve({ dir: film, more: ["--log", "debug"] });
  const torrents = await server.torrents();
  const { magnet } = torrents.find((one) => one.name.endsWith(".mp4")) ?? torrents[0];
  const first = await openFilm(stage, server, magnet);
  const { page, asked } = first;

  await play(page);
  await until("the film to play", () => at(page).then((seconds) => seconds > 1.5));
  const shown = await frame(page);
  assert.ok(shown.whole, "the picture is not whole");
  const off = Math.abs(shown.number - shown.seconds * FRAMES_A_SECOND);
  assert.ok(off < 24, `frame ${shown.number} at ${shown.seconds} s`);

  const took = await seek(page, 0.8);
  assert.ok(took < 3000, `frames after ${took} ms`);
  const later = await frame(page);
  assert.ok(later.whole, "the picture is not whole after the seek");
  assert.ok(later.number >= FRAMES * 0.8 - 24, `frame ${later.number} after the seek`);

  // Not over HTTP: no request for the film left the page, and WebRTC carried its bytes.
  const left = asked.filter((url) => /\.mp4|\/headwater\//.test(url));
  assert.deepEqual(left, []);
  await until("the whole film", () => fact(page, "progress").then((part) => part === 1));
  assert.ok((await fact(page, "fetched")) >= 6_000_000, "bytes from people");
  const log = server.run.log.join("\n");
  assert.match(log, /webrtc/i, "the server's log names WebRTC");

  const second = await openFilm(stage, server, magnet);
  await play(second.page);
  await until("the second page to play", () => at(second.page).then((seconds) => seconds > 1));
  await until("blocks from the first page", () => fact(page, "given").then((given) => given > 0));
});

async function openFilm(stage, server, magnet) {
  const context = await stage.context();
  const page = await openTab(context, "about:blank");
  const asked = [];
  // The page's own requests for the film end in the service worker; those of the worker leave.
  context.on("request", (request) => {
    const url = request.url();
    if (request.serviceWorker() || !url.includes("/headwater/")) asked.push(url);
  });
  await page.goto(`${server.site}/#${magnet}`);
  return { page, asked };
}

async function play(page) {
  await page.waitForSelector("video", { state: "attached", timeout: 30_000 });
  await page.evaluate(async () => {
    const video = document.querySelector("video");
    video.muted = true;
    await video.play();
  });
}

function at(page) {
  return page.evaluate(() => document.querySelector("video").currentTime);
}

function fact(page, name) {
  return page.evaluate((fact) => {
    const value = document.querySelector(`[data-fact=${fact}]`)?.dataset.value;
    return Number(value ?? 0);
  }, name);
}

/** Seeks to a part of the film; milliseconds until a frame from there is shown. */
function seek(page, part) {
  return page.evaluate(async (where) => {
    const video = document.querySelector("video");
    const target = video.duration * where;
    const from = performance.now();
    video.currentTime = target;
    for (;;) {
      const meta = await new Promise((done) =>
        video.requestVideoFrameCallback((now, frame) => done(frame)),
      );
      if (meta.mediaTime >= target - 1) return performance.now() - from;
    }
  }, part);
}

/** The frame's number, read from the squares that the film carries in its picture. */
function frame(page) {
  return page.evaluate(() => {
    const video = document.querySelector("video");
    const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
    const context = canvas.getContext("2d");
    context.drawImage(video, 0, 0);
    const seconds = video.currentTime;
    const squares = Array.from({ length: 16 }, (_, index) => {
      const [red] = context.getImageData(24 + 16 * index, 336, 1, 1).data;
      return red > 128 ? 1 : 0;
    });
    const whole = squares[0] === 1 && !squares[1] && !squares[14] && squares[15] === 1;
    const number = squares.slice(2, 14).reduce((sum, bit) => sum * 2 + bit, 0);
    return { whole, number, seconds };
  });
}
