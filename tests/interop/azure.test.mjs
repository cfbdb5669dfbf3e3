// A seed whose content lies in Azure Blob Storage, by Azurite. HEADWATER_FULL=1 plays it, as
// `cargo xtask test --full` does.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { manifestOf, oneFile, severalFiles } from "../e2e/harness/content.mjs";
import { readManifest, start } from "../e2e/harness/program.mjs";
import { limit, openStage } from "../e2e/harness/stage.mjs";
import { openAzurite } from "./peers/azurite.mjs";

const HERE = ["--interface", "127.0.0.1", "--transports", "tcp", "--no-dht", "--no-lsd", "--json"];

if (process.env.HEADWATER_FULL) {
  test("a blob and a folder of blobs are seeded from Azure", limit, async (t) => {
    const stage = openStage(t);
    const azurite = stage.keep(await openAzurite());
    const { path: folder } = await stage.folder();
    const env = { ...azurite.env, XDG_STATE_HOME: join(folder, "state") };
    const play = async (content, at) => {
      const seed = stage.keep(start(["seed", at, ...HERE], { env }));
      const { magnet, port } = JSON.parse(await seed.line((line) => line.includes('"port"')));
      const { path: to } = await stage.folder();
      const from = ["--peer", `127.0.0.1:${port}`];
      const get = stage.keep(start(["get", magnet, "-o", to, ...from, ...HERE]));
      assert.equal(await get.ended, 0, get.log.join("\n"));
      assert.deepEqual(await readManifest(to, content), await manifestOf(content.files));
    };
    await azurite.fill("", oneFile(2));
    await azurite.fill("music/album/", severalFiles());
    await play(oneFile(2), "az://films/film.bin");
    await play(severalFiles(), "az://films/music/album");
  });
}
