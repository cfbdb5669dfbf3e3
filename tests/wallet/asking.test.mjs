// How a page asks a chain's node: bounded in number, time and size, whatever the node does.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { loadSource } from "./bundle.mjs";

const { Node } = await loadSource("asking");

/** A node on loopback; `respond` takes each question. */
async function openNode(t, respond) {
  const asked = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    asked.push({ path: request.url, body, type: request.headers["content-type"] });
    respond(response, asked.length);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { asked, url: `http://127.0.0.1:${server.address().port}` };
}

const ask = (node, path = "/wallet/x", body = "{}", after = 0) =>
  new Promise((done) => node.ask(after, path, body, done));
const text = (bytes) => bytes && new TextDecoder().decode(bytes);

test("a question is posted below the node's address and answered as it came", async (t) => {
  const { asked, url } = await openNode(t, (response) => response.end("[1]"));
  assert.equal(text(await ask(new Node(`${url}/tron/`), "/wallet/y", "{\"a\":1}")), "[1]");
  const type = "application/json";
  assert.deepEqual(asked, [{ path: "/tron/wallet/y", body: "{\"a\":1}", type }]);
});

test("at most four questions are under way, and all are answered", async (t) => {
  let open = 0;
  let most = 0;
  const { url } = await openNode(t, (response) => {
    open += 1;
    most = Math.max(most, open);
    setImmediate(() => {
      open -= 1;
      response.end("x");
    });
  });
  const node = new Node(url);
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(node)));
  assert.deepEqual(answers.map(text), Array(20).fill("x"));
  assert.ok(most <= 4, `${most} at once`);
});

test("questions that would wait behind five hundred others are answered by nothing", async (t) => {
  const held = [];
  let isHolding = true;
  const { url } = await openNode(t, (response) => {
    if (isHolding) held.push(response);
    else response.end("x");
  });
  const node = new Node(url);
  const first = Array.from({ length: 4 + 512 }, () => ask(node));
  assert.ok((await ask(node)) === null);
  isHolding = false;
  for (const response of held) response.end("x");
  assert.ok((await Promise.all(first)).every((bytes) => text(bytes) === "x"));
});

test("an answer too large, a redirect and a node that is gone are no answers", async (t) => {
  const large = await openNode(t, (response) => response.end(Buffer.alloc(256 * 1024 + 1)));
  assert.ok((await ask(new Node(large.url))) === null);
  const away = await openNode(t, (response, count) => {
    if (count > 1) response.end("stolen");
    else response.writeHead(307, { location: "/elsewhere" }).end();
  });
  assert.ok((await ask(new Node(away.url))) === null);
  assert.equal(away.asked.length, 1, "nobody followed");
  const broken = await openNode(t, (response) => response.destroy());
  assert.ok((await ask(new Node(broken.url))) === null);
});

test("a node that says nothing is waited for only so long", async (t) => {
  const { url } = await openNode(t, (response) => response.write("{"));
  const stop = new AbortController();
  let allowed = 0;
  t.mock.method(AbortSignal, "timeout", (ms) => {
    allowed = ms;
    return stop.signal;
  });
  const asked = ask(new Node(url));
  stop.abort();
  assert.ok((await asked) === null);
  assert.equal(allowed, 15_000);
});

test("what is no address of a node is refused", () => {
  const wrong = [
    "", "node", "//node", "javascript:alert(1)", "file:///etc", "ftp://node", "data:,x",
    "https://user@node", "https://user:word@node", "https://node/?key=1", "https://node/#x",
    `https://${"x".repeat(10)}:99999`,
  ];
  for (const url of wrong) {
    assert.throws(() => new Node(url), (error) => error.code === "bad-node", url);
  }
});
