// Plays one cell of the interop matrix: one side seeds a torrent, the other gets it by its magnet
// link, and what was got is compared by hash. A cell that fails shows what both sides said.

import assert from "node:assert/strict";
import { join } from "node:path";
import { manifestOf } from "../e2e/harness/content.mjs";
import { finish, readManifest, start, writeContent } from "../e2e/harness/program.mjs";
import { openStage } from "../e2e/harness/stage.mjs";
import { encryptions } from "./cells.mjs";
import { freePort } from "./peers/child.mjs";

/** Lines that a cell that fails shows of each side. */
const LINES_SHOWN = 60;

/** Several files that share pieces, among them an empty one. */
const content = {
  name: "parcel",
  folder: "parcel/",
  files: [
    { path: "a film.bin", seed: 21, length: 3_000_017 },
    { path: "empty", seed: 22, length: 0 },
    { path: "inside/one block", seed: 24, length: 16_384 },
    { path: "inside/ünïcode.ogg", seed: 23, length: 333_333 },
    { path: "notes.txt", seed: 25, length: 1 },
  ],
};

/** Plays it: see `cells` for what a cell says. */
export async function playCell(test, cell) {
  const stage = openStage(test);
  const [ours, theirs] = encryptions[cell.encryption];
  const { path: folder } = await stage.folder();
  const options = { folder, transports: [cell.transport], encryption: theirs };
  const peer = stage.keep(await cell.client.open(options));
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const how = ["--transports", cell.transport, "--encryption", ours, "--stun", "none"];
  const args = ["--interface", "127.0.0.1", "--port", `${port}`, ...how];
  if (cell.meet === "we dial") args.push("--peer", peer.address);
  const meet = async () => cell.meet === "they dial" && peer.dial(address);
  const { path: out } = await stage.folder();
  const sides = { stage, peer, args, meet, out, made: await make(stage, cell.version) };
  const program = cell.does === "seeds" ? theySeed : theyGet;
  const runs = [];
  try {
    await program({ ...sides, run: (words) => runs[runs.push(stage.keep(start(words))) - 1] });
    const skips = cell.does === "gets" && cell.client.skipsEmpty;
    const files = content.files.filter(({ length }) => length > 0 || !skips);
    assert.deepEqual(await readManifest(out, content), await manifestOf(files));
  } catch (error) {
    const said = runs.flatMap(({ lines, log }) => [...lines.slice(-LINES_SHOWN), ...log]);
    tell(test, "headwater", said);
    tell(test, peer.name, peer.log);
    throw error;
  }
}

async function theySeed({ run, peer, args, meet, out, made }) {
  await peer.seed(made.file, made.dir);
  const get = run(["get", made.magnet, "-o", out, "--json", ...args]);
  await meet();
  assert.equal(await get.ended, 0, "headwater get failed");
}

async function theyGet({ run, peer, args, meet, out, made }) {
  const early = args.includes("--peer");
  if (early) await peer.get(made.magnet, out);
  const seed = run(["seed", made.path, `--${made.version}`, "--json", ...args]);
  await seed.line((line) => line.includes("magnet:"));
  if (!early) await peer.get(made.magnet, out);
  await meet();
  await peer.done();
}

/** The torrent that `headwater seed` makes too. */
async function make(stage, version) {
  const { path: dir } = await stage.folder();
  const path = await writeContent(dir, content);
  const { path: beside } = await stage.folder();
  const file = join(beside, "parcel.torrent");
  const { code, text, log } = await finish(["create", path, "-o", file, `--${version}`]);
  assert.equal(code, 0, log.join("\n"));
  return { dir, path, file, version, magnet: text.match(/magnet:\S+/)[0] };
}

function tell(test, who, lines) {
  for (const line of lines.slice(-LINES_SHOWN)) test.diagnostic(`${who}: ${line}`);
}
