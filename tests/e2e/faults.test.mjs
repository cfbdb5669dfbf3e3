// What goes wrong around a program goes by: a cable that is pulled, a tracker that dies again and
// again, a clock that jumps. Where a cut has a length, it is what is tested.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { manifestOf, oneFile } from "./harness/content.mjs";
import { ENDS, openNetwork } from "./harness/network.mjs";
import { finish, readManifest, serve, start, writeContent } from "./harness/program.mjs";
import { limit, openStage } from "./harness/stage.mjs";

/** Seconds that a cable is pulled for: longer than streams go without repeating what they sent. */
const CUT = 8;
/** Seconds after which bytes must come again. */
const BACK = 20;
/** Slow enough to be interrupted. */
const SLOW = ["--download-limit", "2M"];

for (const transport of ["tcp", "utp", "webrtc"]) {
  test(`a download over ${transport} goes on after the cable was pulled`, limit, async (t) => {
    const stage = openStage(t);
    const network = stage.keep(openNetwork());
    const { path: from } = await stage.folder();
    const { path: to } = await stage.folder();
    const content = oneFile(12);
    const path = await writeContent(from, content);
    const at = (end) => ["--interface", ENDS[end], "--no-dht", "--transports", transport];
    const listen = ["--listen", `${ENDS[0]}:7420`, "--control", "off", "--stun", "none"];
    const server = stage.keep(start(["serve", ...listen, ...at(0)], { by: network.by[0] }));
    await server.line((line) => line.includes("http://"));
    const tracker = `ws://${ENDS[0]}:7420/tracker`;
    const sharing = ["seed", path, "--json", "--tracker", tracker, "--stun", "none", ...at(0)];
    const seed = stage.keep(start(sharing, { by: network.by[0] }));
    const { magnet, port } = JSON.parse(await seed.line((line) => line.includes("magnet:")));
    const peer = port ? ["--peer", `${ENDS[0]}:${port}`] : [];
    const fetching = ["get", magnet, "-o", to, "--json", "--stun", "none", ...SLOW, ...peer];
    const get = stage.keep(start([...fetching, ...at(1)], { by: network.by[1] }));
    await get.line((line) => stored(line) > 2_000_000);
    network.pull();
    await pause(CUT * 1000);
    const before = latest(get);
    network.plug();
    const plugged = performance.now();
    await get.line((line) => stored(line) > before);
    const back = (performance.now() - plugged) / 1000;
    t.diagnostic(`bytes came again after ${back.toFixed(1)} s`);
    assert.ok(back < BACK, `bytes came again after ${back} s`);
    await get.line((line) => line.includes('"event":"done"'));
    assert.deepEqual(await readManifest(to, content), await manifestOf(content.files));
  });
}

test("peers meet and stay though their tracker dies again and again", limit, async (t) => {
  const stage = openStage(t);
  const { path: from } = await stage.folder();
  const content = oneFile(12);
  const path = await writeContent(from, content);
  let server = await serve();
  const listen = new URL(server.site).host;
  const here = ["--interface", "127.0.0.1", "--json"];
  const seed = stage.keep(start(["seed", path, "--tracker", server.url, ...here]));
  const { magnet } = JSON.parse(await seed.line((line) => line.includes("magnet:")));
  const fetching = async (more = []) => {
    const { path: to } = await stage.folder();
    return { to, run: stage.keep(start(["get", magnet, "-o", to, ...here, ...more])) };
  };
  const slow = await fetching(SLOW);
  for (const part of [2, 5, 8]) {
    await slow.run.line((line) => stored(line) > part * 1_000_000);
    await server.close("SIGKILL");
    server = await serve({ listen });
  }
  await server.close("SIGKILL");
  const late = await fetching();
  await late.run.line((line) => line.includes("tracker-unreachable"));
  server = stage.keep(await serve({ listen }));
  for (const { to, run } of [slow, late]) {
    await run.line((line) => line.includes('"event":"done"'));
    assert.deepEqual(await readManifest(to, content), await manifestOf(content.files));
    const warnings = run.lines.filter((line) => line.includes('"event":"warning"'));
    assert.ok(warnings.length <= 5, warnings.join("\n"));
  }
  const announces = Number((await server.metrics()).match(/announces_total (\d+)/)[1]);
  assert.ok(announces < 20, `${announces} announces of three peers`);
});

test("a clock that jumps by a year either way changes nothing", limit, async (t) => {
  const stage = openStage(t);
  const library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";
  assert.ok(existsSync(library), `${library} is missing: cargo xtask setup installs it`);
  const { path: from } = await stage.folder();
  const { path: to } = await stage.folder();
  const content = oneFile(8);
  const path = await writeContent(from, content);
  const clock = join(from, "clock");
  const set = (shift) => writeFile(clock, `${shift}\n`);
  await set("+0");
  const env = {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: clock,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  };
  const server = await stage.serve();
  const here = ["--interface", "127.0.0.1", "--json"];
  const seed = stage.keep(start(["seed", path, "--tracker", server.url, ...here], { env }));
  const { magnet } = JSON.parse(await seed.line((line) => line.includes("magnet:")));
  const args = ["get", magnet, "-o", to, ...here];
  const get = stage.keep(start([...args, ...SLOW], { env }));
  await get.line((line) => stored(line) > 1_000_000);
  await set("-366d");
  await get.line((line) => stored(line) > 3_000_000);
  await set("+366d");
  await get.line((line) => line.includes('"event":"done"'));
  await get.close();
  assert.deepEqual(await readManifest(to, content), await manifestOf(content.files));
  await set("-3660d");
  const again = await finish(args, { env });
  const done = JSON.parse(again.lines.find((line) => line.includes('"event":"done"')));
  assert.equal(done.downloaded, 0, "what is stored is known whatever the clock says");
});

/** Bytes stored, as a line of progress tells; none in other lines. */
function stored(line) {
  return Number(line.match(/"stored":(\d+)/)?.[1] ?? 0);
}

/** Bytes stored, as the last line of progress told. */
function latest(run) {
  return Math.max(...run.lines.map(stored));
}
