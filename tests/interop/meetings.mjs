// How the two sides of a cell come to know each other.
//
// Each makes an object: `args` for ours once the other side's peer is there, `tracker` for theirs,
// and `weDial` or `theyDial` where one is told of the other.

export const meetings = {
  "we dial": async () => ({ weDial: true, args: (peer) => ["--peer", peer.address] }),
  "they dial": async () => ({ theyDial: true, args: () => [] }),
  "our tracker": async (stage) => {
    const { url } = await stage.ourTracker();
    return { tracker: url, args: () => ["--tracker", url] };
  },
};
