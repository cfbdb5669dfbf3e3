// A download through a proxy: the tracker and the peer are reached, and nothing goes around it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { manifestOf, oneFile } from "./harness/content.mjs";
import { ENDS, openNetwork } from "./harness/network.mjs";
import { readManifest, start, writeContent } from "./harness/program.mjs";
import { proxies } from "./harness/proxies.mjs";
import { sockets } from "./harness/sockets.mjs";
import { limit, openStage } from "./harness/stage.mjs";

const [HERE, THERE] = ENDS;
const PORT = 1080;

for (const [scheme, open] of Object.entries(proxies)) {
  test(`a download goes through a ${scheme} proxy and in no other way`, limit, async (t) => {
    const stage = openStage(t);
    const network = stage.keep(openNetwork());
    const [by, theirs] = network.by;
    const { path: from } = await stage.folder();
    const content = oneFile(2);
    const path = await writeContent(from, content);
    const lonely = ["--interface", THERE, "--no-dht", "--no-lsd", "--stun", "none"];
    const listen = ["--listen", `${THERE}:7420`, "--control", "off"];
    const server = stage.keep(start(["serve", ...listen, ...lonely], { by: theirs }));
    await server.line((line) => line.includes("http://"));
    const named = ["--tracker", `http://${THERE}:7420/announce`];
    const seed = stage.keep(start(["seed", path, "--json", ...named, ...lonely], { by: theirs }));
    const { magnet } = JSON.parse(await seed.line((line) => line.includes("magnet:")));
    const proxy = stage.keep(await open({ folder: from, at: THERE, port: PORT, by: theirs }));
    const get = async (more) => {
      const { path: to } = await stage.folder();
      const fetching = ["get", magnet, "-o", to, "--json", "--proxy", proxy.url, ...more];
      return { to, run: stage.keep(start(fetching, { by })) };
    };

    const { to, run } = await get(["--seed"]);
    await run.line((line) => line.includes('"event":"done"'));
    assert.deepEqual(await readManifest(to, content), await manifestOf(content.files));
    const used = await sockets(run.child.pid);
    assert.ok(used.length > 0, "no socket at all");
    for (const socket of used) {
      const { kind, listens, to: whom } = socket;
      assert.deepEqual([kind, listens, whom], ["tcp", false, `${THERE}:${PORT}`]);
    }
    await run.close();

    await proxy.close();
    const { run: stuck } = await get([]);
    const said = await stuck.line((line) => line.includes("out of reach"));
    assert.ok(said.includes(`${scheme}://${THERE}:${PORT}`) && !said.includes("secret"), said);
    const around = (await sockets(stuck.child.pid)).map((socket) => socket.to);
    assert.deepEqual(around.filter((whom) => whom !== `${THERE}:${PORT}`), [], HERE);
  });
}
