// Runs the `headwater` program and ends it with the test.

import { spawn } from "node:child_process";
import { mkdtemp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { endsWithUs } from "./children.mjs";
import { bytesOf, hashOf, sorted } from "./content.mjs";

export const root = fileURLToPath(new URL("../../..", import.meta.url));
export const program = process.env.HEADWATER_PROGRAM ?? join(root, "target/debug/headwater");

/**
 * Starts the program, by another if that is named. `lines` are what it wrote to stdout, `log` what
 * it wrote to stderr.
 */
export function start(args, { env = {}, by = [] } = {}) {
  if (!existsSync(program)) throw new Error(`${program} is missing: cargo xtask test builds it`);
  const stdio = ["ignore", "pipe", "pipe"];
  const [first, ...rest] = [...by, program, ...args];
  const child = endsWithUs(spawn(first, rest, { stdio, env: { ...process.env, ...env } }));
  const run = { child, lines: [], log: [], code: null };
  const waiting = new Set();
  const wake = () => [...waiting].forEach((look) => look());
  const keep = (stream, into, name) =>
    createInterface({ input: stream }).on("line", (line) => {
      into.push(line);
      if (process.env.HEADWATER_TEST_LOG) console.error(`[${args[0]} ${name}] ${line}`);
      wake();
    });
  keep(child.stdout, run.lines, "out");
  keep(child.stderr, run.log, "err");
  run.ended = new Promise((done) => {
    child.on("close", (code) => {
      run.code = code;
      wake();
      done(code);
    });
  });
  /** Resolves with the first line of stdout that passes, past or to come. */
  run.line = (passes) =>
    new Promise((done, fail) => {
      const look = () => {
        const found = run.lines.find(passes);
        const over = run.code !== null;
        if (found === undefined && !over) return;
        waiting.delete(look);
        if (found !== undefined) done(found);
        else fail(new Error(`headwater ${args[0]} ended with ${run.code}: ${run.log.join("\n")}`));
      };
      waiting.add(look);
      look();
    });
  run.close = async (signal = "SIGTERM") => {
    if (run.code === null) child.kill(signal);
    const late = setTimeout(() => child.kill("SIGKILL"), 5000);
    await run.ended;
    clearTimeout(late);
  };
  return run;
}

/** Runs the program to its end. */
export async function finish(args, options) {
  const run = start(args, options);
  const code = await run.ended;
  return { code, lines: run.lines, log: run.log, text: run.lines.join("\n") };
}

/** Starts `headwater serve` on a free port. `url` has no slash at its end. */
export async function serve({ dir, listen = "127.0.0.1:0", more = [], env = {}, by } = {}) {
  // Without a folder of its own its state would lie in that of whoever runs the tests.
  const seeds = dir ? ["--dir", dir] : ["--control", "off"];
  const here = ["--listen", listen, "--interface", "127.0.0.1"];
  const run = start(["serve", ...here, ...seeds, ...more], { env, by });
  const first = await run.line((line) => line.includes("http://"));
  const url = first.match(/http:\/\/[^\s"/]+/)[0];
  const get = async (path) => (await fetch(url + path)).text();
  return {
    run,
    name: "our tracker",
    url: `${url.replace("http", "ws")}/tracker`,
    site: url,
    port: Number(new URL(url).port),
    /** What it seeds, once it seeds `count` torrents. */
    torrents: async (count = 1) => {
      for (;;) {
        const listed = JSON.parse(await get("/torrents.json"));
        const torrents = Array.isArray(listed) ? listed : listed.torrents;
        if (torrents.length >= count) return torrents;
        await new Promise((done) => setTimeout(done, 100));
      }
    },
    metrics: () => get("/metrics"),
    close: (signal) => run.close(signal),
  };
}

/** A folder that ends with the test. */
export async function openFolder() {
  const path = await mkdtemp(join(tmpdir(), "headwater-"));
  return { path, close: () => rm(path, { recursive: true, force: true }) };
}

/** Writes a torrent's files under `dir` and returns the path to share. */
export async function writeContent(dir, content) {
  for (const file of content.files) {
    const path = join(dir, content.folder, file.path);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytesOf(file.seed, file.length));
  }
  return join(dir, content.name);
}

/** What lies under `dir` of a torrent, in the form of `manifestOf`; our records apart. */
export async function readManifest(dir, content) {
  const base = content.folder ? join(dir, content.folder) : dir;
  const rows = [];
  for (const entry of await readdir(base, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || (entry.parentPath ?? entry.path).includes(".headwater")) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    const bytes = await readFile(path);
    const inside = relative(base, path);
    rows.push({ path: inside, length: bytes.length, sha256: await hashOf(bytes) });
  }
  return sorted(rows);
}
