// How the two sides of a cell come to know each other.
//
// Each makes an object: `args` for ours once the other side's peer is there, `tracker` and `dht`
// for theirs, `weDial` or `theyDial` where one is told of the other, and `announced`, which waits
// until whoever seeds can be found.

import { until } from "../e2e/harness/stage.mjs";
import { openDht } from "./peers/dht.mjs";
import { openOpentracker } from "./peers/opentracker.mjs";

export const meetings = {
  "we dial": async () => ({ weDial: true, args: (peer) => ["--peer", peer.address] }),
  "they dial": async () => ({ theyDial: true, args: () => [] }),
  "opentracker over HTTP": (stage, made) => opentracker(stage, made, "http"),
  "opentracker over UDP": (stage, made) => opentracker(stage, made, "udp"),
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

async function opentracker(stage, made, scheme) {
  const { path: folder } = await stage.folder();
  const tracker = stage.keep(await openOpentracker({ folder, magnets: [made.magnet] }));
  return atTracker(tracker[scheme], tracker.scrape, made);
}

function atTracker(tracker, scrape, { magnet }) {
  const hash = topic(magnet).replace(/../g, "%$&");
  const hasSeed = async () => {
    const answer = await fetch(`${scrape}?info_hash=${hash}`);
    return /8:completei[1-9]/.test(await answer.text());
  };
  return {
    tracker,
    args: () => ["--tracker", tracker],
    announced: () => until("a seed at the tracker", hasSeed),
  };
}

/** The hash by which a torrent is looked for: v1's where it has one, else the start of v2's. */
function topic(magnet) {
  return magnet.match(/urn:(?:btih:|btmh:1220)([0-9a-f]{40})/)[1];
}
