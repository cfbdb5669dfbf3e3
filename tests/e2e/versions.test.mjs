// A page makes torrents of every version, and `headwater show` reads of them what the page says.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { severalFiles } from "./harness/content.mjs";
import { finish } from "./harness/program.mjs";
import { ask, limit, openStage } from "./harness/stage.mjs";

test("a page makes torrents of v1, v2 and both", limit, async (t) => {
  const stage = openStage(t);
  const tracker = await stage.npmTracker();
  const { path: dir } = await stage.folder();
  const content = severalFiles();
  for (const version of ["v1", "v2", "hybrid"]) {
    const page = await stage.peer("headwater", "?storage=memory");
    await ask(page, "seed", content, tracker.url, { version, pieceLength: 32_768 });
    const said = await page.evaluate(async () => ({
      bytes: [...(await window.torrent.torrentFile())],
      version: window.torrent.version,
      infoHash: window.torrent.infoHash,
      infoHashV2: window.torrent.infoHashV2,
      magnet: window.torrent.magnet,
      state: window.torrent.state,
      files: window.torrent.files.length,
    }));
    const file = join(dir, `${version}.torrent`);
    await writeFile(file, Uint8Array.from(said.bytes));
    const shown = JSON.parse((await finish(["show", "--json", file])).text);
    assert.equal(shown.valid, true, JSON.stringify(shown));
    assert.deepEqual([said.version, said.state], [version, "seeding"]);
    assert.equal(said.files, content.files.length);
    assert.deepEqual([shown.version, shown.info_hash_v2], [version, said.infoHashV2]);
    const [v1, v2] = [version !== "v2", version !== "v1"];
    assert.equal(shown.info_hash_v1, v1 ? said.infoHash : null);
    assert.equal(said.infoHashV2?.length, v2 ? 64 : undefined);
    if (!v1) assert.equal(said.infoHash, said.infoHashV2.slice(0, 40));
    assert.deepEqual([said.magnet.includes("btih:"), said.magnet.includes("btmh:1220")], [v1, v2]);
    const linked = JSON.parse((await finish(["show", "--json", said.magnet])).text);
    assert.equal(linked.info_hash_v2, said.infoHashV2);
  }
});
