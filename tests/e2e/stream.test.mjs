// `file.url` answers like a good file server: RFC 9110 ranges, heads, conditions, cancels; bytes
// from strangers stay harmless; a stall is waited out, and a failure never looks like an end.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOf, hashOf, oneFile } from "./harness/content.mjs";
import { ask, limit, openStage, until } from "./harness/stage.mjs";

const LENGTH = 1_000_000;
const film = { path: "film.mp4", seed: 9, length: LENGTH };
const content = { name: film.path, folder: "", files: [film] };

/** Range header, status, first and last byte of the body; `cut` where a shorter body may come. */
const ranges = [
  [null, 200, 0, LENGTH - 1],
  ["bytes=0-0", 206, 0, 0],
  ["bytes=100-199", 206, 100, 199],
  ["bytes=65535-65536", 206, 65_535, 65_536],
  ["bytes=-5", 206, LENGTH - 5, LENGTH - 1],
  ["bytes=-2000000", 206, 0, LENGTH - 1],
  ["bytes=999999-", 206, LENGTH - 1, LENGTH - 1],
  ["bytes=999990-2000000", 206, 999_990, LENGTH - 1],
  ["bytes=0-", 206, 0, LENGTH - 1, "cut"],
  ["bytes=500000-", 206, 500_000, LENGTH - 1, "cut"],
  ["bytes=1000000-", 416],
  ["bytes=1000000-1000001", 416],
  ["bytes=-0", 416],
  ["bytes=5-2", 200, 0, LENGTH - 1],
  ["bytes=a-b", 200, 0, LENGTH - 1],
  ["bytes=-", 200, 0, LENGTH - 1],
  ["items=0-1", 200, 0, LENGTH - 1],
  ["bytes=0-1,4-5", 200, 0, LENGTH - 1],
];

test("every range of RFC 9110 is answered by its rule", limit, async (t) => {
  const stage = openStage(t);
  const page = await seedPage(stage);
  const bytes = bytesOf(9, LENGTH);
  for (const [range, status, first, last, cut] of ranges) {
    const got = await fetchFile(page, { headers: range ? { range } : {} });
    assert.equal(got.status, status, `status of ${range}`);
    assert.equal(got.headers["accept-ranges"], "bytes", `of ${range}`);
    if (status === 416) {
      assert.equal(got.headers["content-range"], `bytes */${LENGTH}`, `of ${range}`);
      continue;
    }
    const end = cut ? first + got.length : last + 1;
    assert.ok(end <= last + 1 && got.length > 0, `${range}: ${got.length} bytes`);
    assert.equal(got.length, end - first, `length of ${range}`);
    assert.equal(got.headers["content-length"], String(end - first), `of ${range}`);
    assert.equal(got.sha256, await hashOf(bytes.subarray(first, end)), `body of ${range}`);
    const span = status === 206 ? `bytes ${first}-${end - 1}/${LENGTH}` : undefined;
    assert.equal(got.headers["content-range"], span, `of ${range}`);
  }
});

test("heads, conditions, other methods and other paths are answered by rule", limit, async (t) => {
  const stage = openStage(t);
  const page = await seedPage(stage);
  const head = await fetchFile(page, { method: "HEAD", headers: { range: "bytes=0-9" } });
  assert.deepEqual([head.status, head.length], [200, 0]);
  assert.equal(head.headers["content-length"], String(LENGTH));
  assert.equal(head.headers["content-type"], "video/mp4");
  assert.equal(head.headers["x-content-type-options"], "nosniff");
  const { etag } = head.headers;
  const same = await fetchFile(page, { headers: { range: "bytes=0-9", "if-range": etag } });
  assert.deepEqual([same.status, same.length], [206, 10]);
  const other = await fetchFile(page, { headers: { range: "bytes=0-9", "if-range": '"x"' } });
  assert.deepEqual([other.status, other.length], [200, LENGTH]);
  const known = await fetchFile(page, { headers: { "if-none-match": etag }, cache: "no-store" });
  assert.deepEqual([known.status, known.length], [304, 0]);
  const post = await fetchFile(page, { method: "POST" });
  assert.equal(post.status, 405);
  const missing = await fetchFile(page, {}, "/nothing-there");
  assert.equal(missing.status, 404);
});

test("a reader that goes away leaves the next one undisturbed", limit, async (t) => {
  const stage = openStage(t);
  const page = await seedPage(stage);
  const cut = await page.evaluate(async () => {
    const control = new AbortController();
    const answer = await fetch(window.torrent.files[0].url, { signal: control.signal });
    const reader = answer.body.getReader();
    const { value } = await reader.read();
    control.abort();
    return value.length;
  });
  assert.ok(cut > 0 && cut < LENGTH);
  const whole = await fetchFile(page, {});
  assert.equal(whole.sha256, await hashOf(bytesOf(9, LENGTH)));
});

test("hostile names are fetched by their URL and run nowhere", limit, async (t) => {
  const stage = openStage(t);
  const paths = [
    "<img src=x onerror=alert(1)>.html",
    "a b#c?d&e%2f.txt",
    "script.svg",
    "日本語 \u202egpj.exe",
    "it's \"quoted\".js",
  ];
  const files = paths.map((path, at) => ({ path, seed: at + 1, length: 1000 + at }));
  // Marks that turn text around make an .exe look like a picture: names lose them.
  const shown = (path) => path.replace("\u202e", "");
  const page = await seedPage(stage, { name: "odd", folder: "odd/", files });
  const got = await page.evaluate(async () => {
    const rows = [];
    for (const file of window.torrent.files) {
      const answer = await fetch(file.url);
      const digest = await crypto.subtle.digest("SHA-256", await answer.arrayBuffer());
      const bytes = Array.from(new Uint8Array(digest));
      rows.push({ path: file.path, bytes, headers: Object.fromEntries(answer.headers) });
    }
    return rows;
  });
  assert.deepEqual(got.map((row) => row.path).sort(), paths.map(shown).sort());
  for (const { path, bytes, headers } of got) {
    const source = files.find((file) => shown(file.path) === path);
    const hash = await hashOf(bytesOf(source.seed, source.length));
    assert.equal(Buffer.from(bytes).toString("hex"), hash);
    assert.equal(headers["x-content-type-options"], "nosniff");
    const policy = headers["content-security-policy"] ?? "";
    assert.match(policy, /\bsandbox\b/, path);
    assert.ok(!policy.includes("allow-scripts"), path);
  }
});

test("a stall of 40 s is waited out", limit, async (t) => {
  const stage = openStage(t);
  const tracker = await stage.npmTracker();
  const big = oneFile(6);
  const seed = await stage.peer("webtorrent");
  const { magnet } = await ask(seed, "seed", big, tracker.url, { pieceLength: 65_536 });
  // Everything past the first quarter is held back for 40 s.
  await seed.evaluate(() => {
    const held = new Promise((open) => (window.open40 = open));
    window.peer.bend(window.torrent, (index, bytes, answer) => {
      if (index * 4 < window.torrent.pieces.length) answer(bytes);
      else void held.then(() => answer(bytes));
    });
  });
  const page = await stage.peer("headwater");
  await ask(page, "add", magnet, tracker.url);
  await page.evaluate(() => window.torrent.ready);
  const reading = fetchFile(page, {});
  await until("the quarter that flows", () => page.evaluate(() => window.torrent.progress >= 0.2));
  await new Promise((done) => setTimeout(done, 40_000));
  assert.ok((await page.evaluate(() => window.torrent.progress)) < 0.9, "nothing was held back");
  await seed.evaluate(() => window.open40());
  const got = await reading;
  assert.equal(got.status, 200);
  assert.equal(got.sha256, await hashOf(bytesOf(7, 6 * 1048576)));
});

test("a body that cannot go on breaks and never ends short", limit, async (t) => {
  const stage = openStage(t);
  const tracker = await stage.npmTracker();
  const content = oneFile(6);
  const seed = await stage.peer("headwater", "?up=1000000");
  const { magnet } = await ask(seed, "seed", content, tracker.url, { pieceLength: 65_536 });
  const page = await stage.peer("headwater");
  await ask(page, "add", magnet, tracker.url);
  const told = await page.evaluate(async () => {
    await window.torrent.ready;
    const answer = await fetch(window.torrent.files[0].url);
    const reader = answer.body.getReader();
    await reader.read();
    await window.torrent.remove({ data: true });
    try {
      for (;;) if ((await reader.read()).done) return "ended";
    } catch (error) {
      return error.name;
    }
  });
  assert.equal(told, "TypeError");
});

async function seedPage(stage, what = content) {
  const tracker = await stage.npmTracker();
  const page = await stage.peer("headwater");
  await ask(page, "seed", what, tracker.url);
  return page;
}

async function fetchFile(page, options, more = "") {
  return page.evaluate(
    async ([given, suffix]) => {
      const { hashOf } = await import("/content.mjs");
      const answer = await fetch(window.torrent.files[0].url + suffix, given);
      const bytes = new Uint8Array(await answer.arrayBuffer());
      const headers = Object.fromEntries(answer.headers);
      return { status: answer.status, headers, length: bytes.length, sha256: await hashOf(bytes) };
    },
    [options, more],
  );
}
