// How the two sides of a cell come to know each other.
//
// Each makes an object: `args` for ours once the other side's peer is there, `tracker` and `dht`
// for theirs, `weDial` or `theyDial` where one is told of the other, and `announced`, which waits
// until whoever seeds can be found.

import { openDht } from "./peers/dht.mjs";

export const meetings = {
  "we dial": async () => ({ weDial: true, args: (peer) => ["--peer", peer.address] }),
  "they dial": async () => ({ theyDial: true, args: () => [] }),
  "our tracker": async (stage) => {
    const { url } = await stage.ourTracker();
    return { tracker: url, args: () => ["--tracker", url] };
  },
  "the DHT": async (stage, made) => {
    const dht = stage.keep(await openDht());
    return {
      dht: dht.address,
      args: () => ["--dht-bootstrap", dht.address],
      announced: () => dht.announced(topic(made.magnet)),
    };
  },
};

/** The hash by which a torrent is looked for: v1's where it has one, else the start of v2's. */
function topic(magnet) {
  return magnet.match(/urn:(?:btih:|btmh:1220)([0-9a-f]{40})/)[1];
}
