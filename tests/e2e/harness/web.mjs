// A web server that holds a torrent's files: the web seed of BEP 19, honest or not.

import { createServer } from "node:http";
import { bytesOf } from "./content.mjs";

/** What lets a page of another origin read ranges and check them. */
const open = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "range",
  "access-control-expose-headers": "content-range",
};

/** Serves the files of `content` in ranges. With `lies` one bit of each answer is wrong. */
export async function openWeb(content, { lies = false } = {}) {
  const files = new Map(content.files.map(({ path, seed, length }) => {
    return [`/${content.folder}${path}`, bytesOf(seed, length)];
  }));
  const web = { url: "", sent: 0, close: () => {} };
  const server = createServer((request, response) => {
    if (request.method === "OPTIONS") {
      response.writeHead(204, open).end();
      return;
    }
    const file = files.get(decodeURIComponent(new URL(request.url, "http://web").pathname));
    const range = request.headers.range?.match(/^bytes=(\d+)-(\d+)$/);
    if (!file || !range) {
      response.writeHead(file ? 400 : 404, open).end();
      return;
    }
    const [first, last] = [Number(range[1]), Math.min(Number(range[2]), file.length - 1)];
    const body = file.slice(first, last + 1);
    if (lies) body[0] ^= 1;
    const told = { "content-range": `bytes ${first}-${last}/${file.length}`, ...open };
    response.writeHead(206, { ...told, "content-length": body.length }).end(body);
    web.sent += body.length;
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  web.url = `http://127.0.0.1:${server.address().port}/`;
  web.close = () => {
    server.closeAllConnections();
    server.close();
  };
  return web;
}
