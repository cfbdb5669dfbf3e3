// opentracker, the tracker over HTTP and UDP that most public ones run. Debian's is built to serve
// only the torrents of a list.

import { chmod, writeFile } from "node:fs/promises";
import { until } from "../../e2e/harness/stage.mjs";
import { freePort, openChild } from "./child.mjs";

/** Starts it for the torrents of these magnet links. */
export async function openOpentracker({ folder, magnets }) {
  const port = await freePort();
  await writeFile(`${folder}/list`, `${magnets.flatMap(topics).join("\n")}\n`);
  // It reads the list as nobody and, where root started it, shut up in the folder.
  await chmod(folder, 0o755);
  const args = ["-i", "127.0.0.1", "-p", `${port}`, "-P", `${port}`, "-d", folder, "-w", "list"];
  const child = openChild("opentracker", args);
  const http = `http://127.0.0.1:${port}`;
  await until("opentracker to answer", () => {
    child.check();
    return fetch(`${http}/stats`).catch(() => null);
  });
  return {
    name: "opentracker",
    http: `${http}/announce`,
    scrape: `${http}/scrape`,
    udp: `udp://127.0.0.1:${port}/announce`,
    log: child.log,
    close: child.close,
  };
}

/** The hashes a torrent is announced by: that of v2 is cut to the length of v1's. */
function topics(magnet) {
  return [...magnet.matchAll(/urn:btih:([0-9a-f]{40})|urn:btmh:1220([0-9a-f]{40})/g)]
    .map(([, v1, v2]) => v1 ?? v2);
}
