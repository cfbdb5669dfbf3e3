// `headwater show --json` on torrents that others broke on purpose. The folder of them is no part
// of the project; where it is, as in CI, every verdict must agree. The rules themselves are tested
// in crates/metainfo.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { finish, root, writeContent } from "./harness/program.mjs";
import { severalFiles } from "./harness/content.mjs";
import { openStage } from "./harness/stage.mjs";

const folder = process.env.HEADWATER_TORRENTS ?? join(root, "../shared/testdata/torrents");

test("what headwater create makes, headwater show reads", async (t) => {
  const stage = openStage(t);
  const { path: dir } = await stage.folder();
  const content = severalFiles();
  const path = await writeContent(dir, content);
  const out = join(dir, "album.torrent");
  const tracker = "ws://127.0.0.1:7420/tracker";
  const more = ["--tracker", tracker, "--piece-length", "32768"];
  const made = await finish(["create", path, "-o", out, ...more]);
  assert.equal(made.code, 0, made.log.join("\n"));
  const { code, text } = await finish(["show", "--json", out]);
  assert.equal(code, 0);
  const shown = JSON.parse(text);
  const length = content.files.reduce((sum, file) => sum + file.length, 0);
  assert.equal(shown.valid, true);
  assert.match(shown.info_hash_v1, /^[0-9a-f]{40}$/);
  assert.equal(shown.info_hash_v2, null);
  assert.equal(shown.version, "v1");
  assert.deepEqual(
    [shown.name, shown.length, shown.piece_length, shown.pieces, shown.private],
    ["album", length, 32_768, Math.ceil(length / 32_768), false],
  );
  const expected = content.files.map((file) => ({ path: file.path, length: file.length }));
  const byPath = (a, b) => (a.path < b.path ? -1 : 1);
  const bare = (file) => ({ path: file.path.replace(/^album\//, ""), length: file.length });
  assert.deepEqual(shown.files.map(bare).sort(byPath), expected.sort(byPath));
  assert.deepEqual(shown.trackers, [[tracker]]);
  assert.deepEqual(shown.web_seeds, []);
});

test("what is no torrent is refused with a code and exit 2", async (t) => {
  const stage = openStage(t);
  const { path: dir } = await stage.folder();
  for (const source of [join(dir, "missing.torrent"), "magnet:?xt=urn:btih:zz", program()]) {
    const { code, text } = await finish(["show", "--json", source]);
    const shown = JSON.parse(text);
    assert.deepEqual([code, shown.valid], [2, false], source);
    assert.match(shown.error.code, /^[a-z0-9]+(-[a-z0-9]+)*$/, source);
    assert.ok(shown.error.message.length > 0);
  }
});

/** Symbolic links and the number of equal names are policy: a clear answer is enough. */
const policy = /symlink|duplicate_files2/;

if (existsSync(folder)) test("verdicts agree with those of the torrents at hand", agree);
else console.log(`no torrents at ${folder}: crates/metainfo has its own cases`);

async function agree() {
  const rows = readFileSync(join(folder, "verdicts.tsv"), "utf8").trim().split("\n").slice(1);
  const wrong = [];
  for (const row of rows) {
    const [file, verdict, v1, v2] = row.split("\t").map((word) => (word === "-" ? null : word));
    const { code, text } = await finish(["show", "--json", join(folder, file)]);
    const shown = JSON.parse(text);
    const clear = shown.valid ? code === 0 : code === 2 && shown.error.code;
    if (!clear) wrong.push(`${file}: no clear answer: ${code} ${text}`);
    if (policy.test(file)) continue;
    if (verdict === "reject") {
      if (shown.valid) wrong.push(`${file}: accepted, but ${v1}`);
    } else if (shown.info_hash_v1 !== v1 || shown.info_hash_v2 !== v2) {
      wrong.push(`${file}: ${v1} and ${v2} expected, got ${text}`);
    }
  }
  assert.ok(rows.length > 0);
  assert.deepEqual(wrong, []);
}

function program() {
  return join(root, "Cargo.lock");
}
