// A tracker that makes offers cross: it keeps back the first offers of two peers until both have
// offered, hands each the other's, and never hands out another. If the crossing ends both links,
// nothing heals it.

import { WebSocketServer } from "ws";

/** Starts it. `crossed` resolves when both offers are on their way. */
export async function openCrossingTracker() {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await new Promise((done) => server.on("listening", done));
  const peers = new Map();
  let crossed;
  const crossing = new Promise((done) => (crossed = done));
  let isCrossed = false;

  function cross() {
    const both = [...peers.values()].filter((peer) => peer.offer);
    if (isCrossed || both.length < 2) return;
    isCrossed = true;
    const [a, b] = both;
    for (const [to, from] of [[a, b], [b, a]]) {
      const { offer, offer_id } = from.offer;
      const { info_hash, peer_id } = from;
      to.send({ action: "announce", info_hash, peer_id, offer, offer_id });
    }
    crossed();
  }

  function hear(send, message) {
    if (message.action !== "announce") return;
    const { info_hash, peer_id } = message;
    if (message.answer) {
      const { answer, offer_id } = message;
      const to = peers.get(message.to_peer_id);
      to?.send({ action: "announce", info_hash, peer_id, answer, offer_id });
      return;
    }
    const offer = message.offers?.[0] ?? peers.get(peer_id)?.offer;
    peers.set(peer_id, { info_hash, peer_id, offer, send });
    send({ action: "announce", info_hash, interval: 120, complete: 1, incomplete: 1 });
    cross();
  }

  server.on("connection", (socket) => {
    const send = (message) => socket.send(JSON.stringify(message));
    socket.on("message", (text) => hear(send, JSON.parse(text)));
  });
  return {
    url: `ws://127.0.0.1:${server.address().port}`,
    crossed: crossing,
    close: () => {
      for (const client of server.clients) client.terminate();
      server.close();
    },
  };
}
