// A seed at home, behind a real router, is met from outside: the router leads to it, by each of the
// protocols, and trackers are told the port that it gave.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { endsWithUs } from "./harness/children.mjs";
import { manifestOf, oneFile } from "./harness/content.mjs";
import { OUTSIDE, ROUTER, TRACKER_PORT, openHome } from "./harness/home.mjs";
import { readManifest, start, writeContent } from "./harness/program.mjs";
import { limit, openStage, until } from "./harness/stage.mjs";

/** The seed's port. */
const OWN = 7777;

for (const { protocol, transport, taken } of [
  { protocol: "PCP", transport: "tcp", taken: true },
  { protocol: "NAT-PMP", transport: "tcp", taken: false },
  { protocol: "UPnP", transport: "utp", taken: false },
]) {
  const how = `${protocol}, which gives ${taken ? "another" : "the same"} port`;
  test(`a seed behind a router is met over ${transport} by ${how}`, limit, async (t) => {
    const stage = openStage(t);
    const home = stage.keep(await openHome(protocol));
    const { path: from } = await stage.folder();
    const { path: to } = await stage.folder();
    const content = oneFile(3);
    const path = await writeContent(from, content);
    if (taken) stage.keep(await take(home));
    const listen = ["--listen", `${OUTSIDE}:${TRACKER_PORT}`, "--interface", OUTSIDE];
    const quiet = ["--stun", "none", "--no-dht", "--no-lsd"];
    const serving = ["serve", ...listen, "--control", "off", ...quiet];
    const server = stage.keep(start(serving, { by: home.outside }));
    await server.line((line) => line.includes("http://"));
    const tracker = ["--tracker", `http://${OUTSIDE}:${TRACKER_PORT}/announce`];
    const common = ["--json", "--transports", transport, ...tracker, ...quiet];
    const sharing = ["seed", path, "--port", `${OWN}`, ...common];
    const seed = stage.keep(start(sharing, { by: home.inside }));
    const { magnet } = JSON.parse(await seed.line((line) => line.includes("magnet:")));
    const leads = /leads peers here from its port (\d+) \((.+)\)/;
    const [, port, by] = await until("the router", () => seed.log.join("\n").match(leads));
    assert.equal(by, protocol);
    assert.equal(Number(port) !== OWN, taken, `port ${port}`);
    const kind = transport === "tcp" ? "tcp" : "udp";
    assert.deepEqual(home.mapped(), [`${kind} ${port} ${OWN}`]);
    const fetching = ["get", magnet, "-o", to, "--interface", OUTSIDE, ...common];
    const get = stage.keep(start(fetching, { by: home.outside }));
    await get.line((line) => line.includes('"event":"done"'));
    assert.deepEqual(await readManifest(to, content), await manifestOf(content.files));
    await seed.close();
    assert.equal(seed.code, 0, seed.log.join("\n"));
    assert.deepEqual(home.mapped(), [], `${ROUTER} still leads inside`);
  });
}

test("a server shows its owner which port leads to it", limit, async (t) => {
  const stage = openStage(t);
  const home = stage.keep(await openHome("PCP"));
  const { path: dir } = await stage.folder();
  const serving = ["serve", "--dir", dir, "--listen", "127.0.0.1:7420", "--port", `${OWN}`];
  const quiet = ["--stun", "none", "--no-dht", "--no-lsd"];
  const server = stage.keep(start([...serving, ...quiet], { by: home.inside }));
  const url = await server.line((line) => line.includes("http://"));
  const token = await readFile(join(dir, ".headwater/control-token"), "utf8");
  const get = (path) => {
    const headers = JSON.stringify({ authorization: `Bearer ${token.trim()}` });
    const code = `fetch("${url}${path}", { headers: ${headers} }).then((answer) => answer.text())
      .then((text) => process.stdout.write(text))`;
    const [first, ...rest] = [...home.inside, process.execPath, "-e", code];
    return `${execFileSync(first, rest)}`;
  };
  const mapping = await until("the router", () => {
    const { port_mapping: mapping } = JSON.parse(get("api/v1/server"));
    return mapping.state === "asking" ? null : mapping;
  });
  const ports = { peer_port: OWN, dht_port: null };
  const expect = { state: "mapped", trouble: null, protocol: "PCP", ...ports, address: ROUTER };
  assert.deepEqual(mapping, expect);
  assert.match(get("metrics"), /^headwater_ports_mapped 2$/m);
  const log = () => server.log.join("\n");
  await until("its log", () => log().includes("the router leads peers here"));
  assert.ok(!log().includes(ROUTER), log());
});

/** Has the router itself use the seed's port, so that it gives another. */
async function take(home) {
  const code = `require("net").createServer().listen(${OWN}, "${ROUTER}", () => console.log("up"))`;
  const [first, ...rest] = [...home.router, process.execPath, "-e", code];
  const child = endsWithUs(spawn(first, rest, { stdio: ["ignore", "pipe", "inherit"] }));
  await new Promise((done) => child.stdout.once("data", done));
  return { close: () => child.kill("SIGKILL") };
}
