// Plays one cell of the interop matrix: one side seeds a torrent, the other gets it by its magnet
// link, and what was got is compared by hash. A cell that fails shows what both sides said.

import assert from "node:assert/strict";
import { join } from "node:path";
import { manifestOf } from "../e2e/harness/content.mjs";
import { finish, readManifest, start, writeContent } from "../e2e/harness/program.mjs";
import { openStage } from "../e2e/harness/stage.mjs";
import { encryptions } from "./cells.mjs";
import { meetings } from "./meetings.mjs";
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
  const made = await make(stage, cell.version);
  const meeting = await meetings[cell.meet](stage, made);
  const [ours, theirs] = encryptions[cell.encryption];
  const { path: folder } = await stage.folder();
  const options = { folder, transports: [cell.transport], encryption: theirs, dht: meeting.dht };
  const peer = stage.keep(await cell.client.open(options));
  const port = await freePort();
  const how = ["--transports", cell.transport, "--encryption", ours, "--stun", "none"];
  const args = ["--interface", "127.0.0.1", "--port", `${port}`, ...how, ...meeting.args(peer)];
  const { path: out } = await stage.folder();
  const sides = { meeting, peer, address: `127.0.0.1:${port}`, out, made };
  const runs = [];
  const run = (words) => runs[runs.push(stage.keep(start([...words, "--json", ...args]))) - 1];
  try {
    await (cell.does === "seeds" ? theySeed : theyGet)({ ...sides, run });
    const skips = cell.does === "gets" && cell.client.skipsEmpty;
    const files = content.files.filter(({ length }) => length > 0 || !skips);
    assert.deepEqual(await readManifest(out, content), await manifestOf(files));
  } catch (error) {
    tell(test, "headwater", runs.flatMap(({ lines, log }) => [...lines, ...log]));
    tell(test, peer.name, peer.log);
    throw error;
  }
}

async function theySeed({ run, meeting, peer, address, out, made }) {
  await peer.seed(await named(made, meeting.tracker), made.dir);
  await meeting.announced?.();
  const get = run(["get", made.magnet, "-o", out]);
  if (meeting.theyDial) await peer.dial(address);
  assert.equal(await get.ended, 0, "headwater get failed");
}

async function theyGet({ run, meeting, peer, address, out, made }) {
  const link = meeting.tracker ? `${made.magnet}&tr=${meeting.tracker}` : made.magnet;
  if (meeting.weDial) await peer.get(link, out);
  const seed = run(["seed", made.path, `--${made.version}`]);
  await seed.line((line) => line.includes("magnet:"));
  await meeting.announced?.();
  if (!meeting.weDial) await peer.get(link, out);
  if (meeting.theyDial) await peer.dial(address);
  await peer.done();
}

/** The torrent that `headwater seed` makes too, and its magnet link, which names no tracker. */
async function make(stage, version) {
  const { path: dir } = await stage.folder();
  const path = await writeContent(dir, content);
  const { path: beside } = await stage.folder();
  const file = join(beside, "parcel.torrent");
  const made = { dir, path, file, version };
  const { text } = await create(made, []);
  return { ...made, magnet: text.match(/magnet:\S+/)[0] };
}

/** Its file, which names the tracker where there is one. */
async function named(made, tracker) {
  if (tracker) await create(made, ["--tracker", tracker]);
  return made.file;
}

async function create({ path, file, version }, more) {
  const run = await finish(["create", path, "-o", file, `--${version}`, ...more]);
  assert.equal(run.code, 0, run.log.join("\n"));
  return run;
}

function tell(test, who, lines) {
  for (const line of lines.slice(-LINES_SHOWN)) test.diagnostic(`${who}: ${line}`);
}
