// Serves what the pages of the tests load: the built client, the foreign engine, the test pages.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const tests = join(here, "../..");

/** Folders that are looked through in this order. */
const folders = [
  join(tests, "../www/dist"),
  join(tests, "node_modules/webtorrent/dist"),
  join(tests, "node_modules/tronweb/dist"),
  join(tests, "e2e/pages"),
  join(tests, "wallet"),
  here,
];

const types = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".wasm": "application/wasm",
};

/** A site on loopback with an origin of its own. `requests` counts what was asked for, by path. */
export async function openSite() {
  const requests = new Map();
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, "http://site").pathname;
    requests.set(path, (requests.get(path) ?? 0) + 1);
    const found = await find(path);
    if (!found) {
      response.writeHead(404).end();
      return;
    }
    const type = types[path.slice(path.lastIndexOf("."))] ?? "application/octet-stream";
    response.writeHead(200, { "content-type": type, "cache-control": "no-store" }).end(found);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const origin = `http://127.0.0.1:${server.address().port}`;
  return {
    origin,
    requests,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function find(path) {
  const safe = normalize(decodeURIComponent(path)).replace(/^(\.\.[/\\])+/, "");
  for (const folder of folders) {
    const bytes = await readFile(join(folder, safe)).catch(() => null);
    if (bytes) return bytes;
  }
  return null;
}
