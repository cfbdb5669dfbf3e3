// The npm tracker, which WebTorrent users run, on loopback.

import Server from "bittorrent-tracker/server";

/** Starts it. `port` lets a second one take the place of the first. */
export async function openNpmTracker(port = 0) {
  const ws = { clientTracking: true };
  const server = new Server({ http: false, udp: false, ws, interval: 5_000 });
  server.on("warning", () => {});
  server.on("error", (error) => console.error(`npm tracker: ${error.message}`));
  await new Promise((done) => server.listen(port, "127.0.0.1", done));
  const { port: bound } = server.http?.address() ?? server.ws.address();
  return {
    name: "npm tracker",
    url: `ws://127.0.0.1:${bound}`,
    port: bound,
    /** How many peers it knows of the torrent. */
    peers: (infoHash) => server.torrents[infoHash]?.peers?.length ?? 0,
    close: () =>
      new Promise((done) => {
        for (const client of server.ws?.clients ?? []) client.terminate();
        server.close(() => done());
      }),
  };
}
