// Measures hashing in one Chromium worker: the engine's wasm, one after another and in lanes,
// beside WebCrypto. Prints `name MiB/s` lines of medians; what is measured takes turns.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";

import { openBrowser, openPage } from "../e2e/harness/chromium.mjs";

const rounds = Number(process.argv[2]);
const files = {
  "/": ["text/html", Buffer.from("<!doctype html><title>hashing</title>")],
  "/worker.js": ["text/javascript", Buffer.from(`(${worker})();`)],
  "/headwater.js": ["text/javascript", await built("pkg/headwater.js")],
  "/headwater.wasm": ["application/wasm", await built("dist/headwater.wasm")],
};

function built(path) {
  return readFile(new URL(`../../www/${path}`, import.meta.url));
}

/** Runs in the worker: answers with MiB a second of everything, one list a name. */
function worker() {
  const SPAN_MS = 60;
  const algorithms = [["SHA-1", 262144], ["SHA-256", 16384]];
  self.onmessage = async ({ data: rounds }) => {
    const { default: init, hashParts } = await import("/headwater.js");
    await init({ module_or_path: "/headwater.wasm" });
    const bytes = new Uint8Array(2 ** 20).map((_, at) => (at * 31) ^ (at >> 7));
    const cases = algorithms.flatMap(([algorithm, length]) => {
      const name = algorithm.toLowerCase();
      const at = Array.from({ length: bytes.length / length }, (_, index) => index * length);
      const parts = at.map((start) => bytes.slice(start, start + length));
      return [
        [`${name} one by one`, () => parts.map((part) => hashParts(algorithm, part, length))],
        [`${name} lanes`, () => hashParts(algorithm, bytes, length)],
        [
          `${name} webcrypto`,
          () => Promise.all(parts.map((part) => crypto.subtle.digest(algorithm, part))),
        ],
      ];
    });
    const found = Object.fromEntries(cases.map(([name]) => [name, []]));
    for (let round = -1; round < rounds; round += 1) {
      for (const [name, work] of round % 2 ? [...cases].reverse() : cases) {
        const start = performance.now();
        let spent = 0;
        let done = 0;
        for (; spent < SPAN_MS; spent = performance.now() - start) {
          await work();
          done += 1;
        }
        // The first round is for the compiler.
        if (round >= 0) found[name].push((done * 1000) / spent);
      }
    }
    self.postMessage(found);
  };
}

const server = createServer((request, response) => {
  const [type, body] = files[request.url] ?? ["text/plain", ""];
  response.writeHead(body ? 200 : 404, { "content-type": type }).end(body);
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const browser = await openBrowser();
const page = await openPage(browser, `http://127.0.0.1:${server.address().port}/`);
const found = await page.evaluate(
  (rounds) =>
    new Promise((done, fail) => {
      const worker = new Worker("/worker.js");
      worker.onmessage = ({ data }) => done(data);
      worker.onerror = ({ message }) => fail(new Error(message));
      worker.postMessage(rounds);
    }),
  rounds,
);
for (const [name, values] of Object.entries(found)) {
  console.log(`${name}\t${values.sort((a, b) => a - b)[values.length >> 1].toFixed(1)}`);
}
await browser.close();
server.close();
