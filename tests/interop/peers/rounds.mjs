// Transmission unchokes whoever is interested in rounds of ten seconds, and nobody between them.
// A test that measures the time to the first bytes has to know when a round is.

import { connect } from "node:net";

const ROUND = 10_000;
const HANDSHAKE_LENGTH = 68;
const UNCHOKE = 1;
const INTERESTED = Buffer.from([0, 0, 0, 1, 2]);

/** Resolves so many milliseconds before a round of the seed at that address. */
export async function beforeRound(address, infoHash, milliseconds) {
  await unchoked(address, infoHash);
  await new Promise((done) => setTimeout(done, ROUND - milliseconds));
}

/** Links to a seed like any peer, and resolves when it is unchoked. */
async function unchoked(address, infoHash) {
  const [host, port] = address.split(":");
  const socket = connect(Number(port), host);
  const name = Buffer.from("\x13BitTorrent protocol");
  const id = Buffer.from("-XX0000-000000000000");
  socket.write(Buffer.concat([name, Buffer.alloc(8), Buffer.from(infoHash, "hex"), id]));
  socket.write(INTERESTED);
  try {
    await new Promise((done, fail) => {
      let said = Buffer.alloc(0);
      socket.on("error", fail).on("close", () => fail(new Error("the seed hung up")));
      socket.on("data", (bytes) => {
        said = Buffer.concat([said, bytes]);
        if (hears(said, UNCHOKE)) done();
      });
    });
  } finally {
    socket.removeAllListeners("close").destroy();
  }
}

/** Whether such a message is among those that follow a handshake. */
function hears(said, id) {
  let at = HANDSHAKE_LENGTH;
  while (said.length > at + 4) {
    const length = said.readUInt32BE(at);
    if (length > 0 && said[at + 4] === id) return true;
    at += 4 + length;
  }
  return false;
}
