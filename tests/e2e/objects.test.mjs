// Seeds whose content lies in an object store: read in parts, remembered, healed, never written.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { openBucket } from "./harness/buckets.mjs";
import { bytesOf, manifestOf, oneFile, severalFiles } from "./harness/content.mjs";
import { finish, readManifest, start, writeContent } from "./harness/program.mjs";
import { limit, openStage, until } from "./harness/stage.mjs";

const HERE = ["--interface", "127.0.0.1", "--transports", "tcp", "--no-dht", "--no-lsd", "--json"];

for (const scheme of ["s3", "gs", "file"]) {
  test(`a folder in ${scheme}:// is seeded, and read once however often`, limit, async (t) => {
    const scene = await openScene(t);
    const { bucket, folder } = scene;
    const content = severalFiles();
    await bucket.fill("music/album/", content);
    await bucket.put("music/album/disc one/", "");
    await writeContent(folder, content);
    const at = scheme === "file" ? `file://${folder}/album` : `${scheme}://films/music/album`;
    const first = await scene.seed([at]);
    await scene.fetch(content, first);
    await first.close();
    const before = bucket.reads;
    const again = await scene.seed([at]);
    assert.equal(again.info_hash, first.info_hash);
    assert.equal(bucket.reads, before, "nothing is read before somebody asks");
    await scene.fetch(content, again);
    assert.ok(scheme === "file" || bucket.reads > before);
  });
}

test("a store that is killed comes back, and the download goes on", limit, async (t) => {
  const scene = await openScene(t);
  const { bucket } = scene;
  const content = oneFile(12);
  await bucket.fill("", content);
  const seed = await scene.seed(["s3://films/film.bin", "--upload-limit", "3M"]);
  const { to, run } = await scene.get(seed);
  await run.line((line) => /"stored":[1-9]/.test(line));
  await bucket.kill();
  await until("it to be missed", async () => seed.says("object store out of reach"), 60);
  await bucket.start();
  assert.equal(await run.ended, 0, run.log.join("\n"));
  assert.deepEqual(await readManifest(to, content), await manifestOf(content.files));
});

test("of an object that was replaced nothing is shared, of the others all", limit, async (t) => {
  const scene = await openScene(t);
  const { bucket, folder } = scene;
  const files = [
    { path: "kept.bin", seed: 4, length: 2 << 20 },
    { path: "replaced.bin", seed: 5, length: 2 << 20 },
  ];
  const content = { name: "two", folder: "two/", files };
  await bucket.fill("two/", content);
  const seed = await scene.seed(["s3://films/two"]);
  await bucket.put("two/replaced.bin", bytesOf(6, 2 << 20));
  const { to, run } = await scene.get(seed);
  await until("what was replaced to be missed", async () => seed.says("piece-lost"), 60);
  const whole = await scene.seed([await writeContent(folder, content)]);
  assert.equal(whole.info_hash, seed.info_hash);
  await run.close();
  await scene.fetch(content, seed, { to, more: ["--peer", `127.0.0.1:${whole.port}`] });
});

test("a server shares what lies in a bucket, also one that is reached late", limit, async (t) => {
  const scene = await openScene(t);
  const { bucket, folder } = scene;
  await bucket.fill("", oneFile(1));
  await bucket.kill();
  const more = ["--share", "s3://films/film.bin", "--state", join(folder, "state")];
  const open = () => scene.stage.serve({ more, env: bucket.env });
  const server = await open();
  const says = (words) => server.run.log.some((line) => line.includes(words));
  await until("it to be missed", async () => says("not shared yet"), 60);
  assert.equal(await (await fetch(`${server.site}/healthz`)).text(), "ok\n");
  await bucket.start();
  const [torrent] = await server.torrents(1);
  assert.equal(torrent.name, "film.bin");
  await server.close();
  const before = bucket.reads;
  assert.deepEqual((await (await open()).torrents(1))[0].info_hash_v1, torrent.info_hash_v1);
  assert.equal(bucket.reads, before, "it is remembered what it is");
});

test("a torrent made elsewhere is seeded from a bucket if it fits", limit, async (t) => {
  const scene = await openScene(t);
  const { bucket, folder } = scene;
  const content = oneFile(1);
  await bucket.put("renamed.bin", bytesOf(7, 1 << 20));
  await bucket.put("other.bin", bytesOf(7, (1 << 20) - 1));
  const torrent = join(folder, "film.torrent");
  const path = await writeContent(folder, content);
  assert.equal((await finish(["create", path, "--hybrid", "-o", torrent])).code, 0);
  for (const at of ["s3://films/renamed.bin", path]) {
    await scene.fetch(content, await scene.seed(["--torrent", torrent, at]));
  }
  const told = async (at) => {
    const options = { env: scene.env };
    const { code, text } = await finish(["seed", "--torrent", torrent, at, ...HERE], options);
    assert.equal(code, 2);
    return text;
  };
  assert.match(await told("s3://films/other.bin"), /other-content.*1048575 bytes, .* 1048576/);
  assert.match(await told(torrent), /other-content.*film.torrent is not what the torrent/);
});

test("no secret is taken from a URL or told", limit, async (t) => {
  const { bucket } = await openScene(t);
  const told = async (at, env) => (await finish(["seed", at, ...HERE], { env })).text;
  const given = await told("s3://me:secret@films/film.bin", bucket.env);
  assert.match(given, /bad-url.*environment/);
  const wrong = { ...bucket.env, AWS_SECRET_ACCESS_KEY: "topsecret" };
  const refused = await told("s3://films/film.bin", wrong);
  assert.match(refused, /"code":"(unreachable|nothing-there)"/);
  assert.doesNotMatch(given + refused, /secret/);
});

/** A bucket, a folder, and programs that know both. */
async function openScene(t) {
  const stage = openStage(t);
  const bucket = stage.keep(await openBucket());
  const { path: folder } = await stage.folder();
  const env = { ...bucket.env, XDG_STATE_HOME: join(folder, "state") };
  const scene = { stage, bucket, folder, env };
  /** Starts a seed; answers what it says of its torrent. */
  scene.seed = async (args) => {
    const run = stage.keep(start(["seed", ...args, ...HERE], { env }));
    const told = JSON.parse(await run.line((line) => line.includes('"port"')));
    const says = (words) => run.log.some((line) => line.includes(words));
    return { ...told, says, close: run.close };
  };
  /** Starts a download from it alone. */
  scene.get = async ({ magnet, port }, { to, more = [] } = {}) => {
    const into = to ?? (await stage.folder()).path;
    const args = ["get", magnet, "-o", into, "--peer", `127.0.0.1:${port}`, ...more, ...HERE];
    return { to: into, run: stage.keep(start(args)) };
  };
  /** Downloads it all and compares. */
  scene.fetch = async (content, seed, how) => {
    const { to, run } = await scene.get(seed, how);
    assert.equal(await run.ended, 0, run.log.join("\n"));
    assert.deepEqual(await readManifest(to, content), await manifestOf(content.files));
  };
  return scene;
}
