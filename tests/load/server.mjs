// One `headwater serve` with many small torrents, and how it is asked and told.

import { readFile, writeFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { bytesOf } from "../e2e/harness/content.mjs";
import { openFolder, serve } from "../e2e/harness/program.mjs";
import { goingFirst } from "./first.mjs";

/** Starts a server that shares `count` films of so many bytes. */
export async function openServer({ count, length, more = [] }) {
  const folder = await openFolder();
  const dir = join(folder.path, "films");
  await mkdir(dir);
  for (let at = 0; at < count; at += 1) {
    const name = `film ${String(at).padStart(3, "0")}.bin`;
    await writeFile(join(dir, name), bytesOf(1000 + at, length));
  }
  const args = ["--transports", "tcp,webrtc", "--stun", "none", "--control", "on", ...more];
  const server = await serve({ dir, more: args, by: goingFirst });
  await server.torrents(count);
  const { peer_port: port } = await ask(server, dir, "GET", "server");
  return {
    pid: server.run.child.pid,
    url: server.url,
    log: server.run.log,
    torrents: join(dir, ".headwater"),
    address: `127.0.0.1:${port}`,
    folder: folder.path,
    figures: async () => figures(await server.metrics()),
    ask: (method, path, body) => ask(server, dir, method, path, body),
    close: async () => {
      await server.close();
      await folder.close();
    },
  };
}

/** Asks the control API. Bytes are sent as a torrent file. */
async function ask(server, dir, method, path, body) {
  const token = (await readFile(join(dir, ".headwater/control-token"), "utf8")).trim();
  const type = body instanceof Uint8Array ? "application/x-bittorrent" : "application/json";
  const headers = { authorization: `Bearer ${token}`, ...(body && { "content-type": type }) };
  const answer = await fetch(`${server.site}/api/v1/${path}`, { method, headers, body });
  const told = await answer.json();
  if (!answer.ok) throw new Error(`${method} ${path}: ${JSON.stringify(told)}`);
  return told;
}

/** Prometheus text as an object. */
function figures(text) {
  const rows = text.split("\n").filter((line) => line.startsWith("headwater_"));
  return Object.fromEntries(rows.map((row) => row.slice("headwater_".length).split(" ")).map(
    ([name, value]) => [name, Number(value)],
  ));
}
