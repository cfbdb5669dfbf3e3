// libtorrent 2.1.1 as a peer over TCP, uTP or both.

import { openLibtorrent } from "../../e2e/harness/libtorrent.mjs";
import { freePort } from "./child.mjs";

/** Makes ready; it runs once it is told of a torrent. */
export async function openLibtorrentPeer({ encryption = "on", transports, dht }) {
  const port = await freePort();
  let run;
  const open = async (source, dir) => {
    const more = [
      "--port", `${port}`,
      "--transports", transports.join(),
      "--encryption", encryption,
      ...(dht ? ["--dht", dht] : []),
    ];
    run = await openLibtorrent("get", source, { dir, more });
  };
  const done = () => run.event("done");
  return {
    name: "libtorrent",
    address: `127.0.0.1:${port}`,
    get log() {
      return run?.heard.map((one) => JSON.stringify(one)) ?? [];
    },
    async seed(file, dir) {
      await open(file, dir);
      await done();
    },
    get: open,
    dial: (address) => run.dial(address),
    done,
    close: () => run?.close(),
  };
}
