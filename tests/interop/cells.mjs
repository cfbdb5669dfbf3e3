// The interop matrix as a table: who seeds, who gets, over what, how encrypted, and how they meet.

import { clients } from "./peers/all.mjs";

/** How each side treats encryption, by the cell's name for it: ours, then theirs. */
export const encryptions = {
  plain: ["off", "off"],
  "encrypted, as they require": ["on", "required"],
  "encrypted, as we require": ["required", "on"],
};
const [PLAIN, THEIRS, OURS] = Object.keys(encryptions);

/** Every cell. Those that are `quick` belong to each run, all others to `--full`. */
export function cells() {
  return clients.flatMap((client) => [...dialled(client), ...met(client), ...offered(client)])
    .filter((cell) => !isSlow(cell))
    .map((cell) => ({ ...cell, quick: isQuick(cell) }));
}

/** Cells where one side is told of the other. */
function dialled(client) {
  const meets = client.dials ? ["we dial", "they dial"] : ["we dial"];
  const { versions, transports } = client;
  return product({
    client: [client],
    does: ["seeds", "gets"],
    meet: meets,
    version: versions,
    transport: transports,
    encryption: Object.keys(encryptions),
  });
}

/** Cells where the leech is told of the seed by others, and dials it. */
function met(client) {
  const meets = ["opentracker over HTTP", "opentracker over UDP"];
  const row = { client: [client], version: client.versions, transport: ["tcp"] };
  const rest = { ...row, meet: client.dht ? [...meets, "the DHT"] : meets, encryption: [PLAIN] };
  return product({ ...rest, does: client.heeds ? ["seeds", "gets"] : ["seeds"] });
}

/** Cells where offers and answers go over our WebSocket tracker. */
function offered(client) {
  const row = { client: client.offers ? [client] : [], version: client.versions };
  const rest = { ...row, meet: ["our tracker"], transport: ["webrtc"], encryption: [PLAIN] };
  return product({ ...rest, does: ["seeds", "gets"] });
}

/** Every way to choose one value of each list. */
function product(lists) {
  return Object.entries(lists).reduce(
    (rows, [name, values]) => rows.flatMap((row) => values.map((one) => ({ ...row, [name]: one }))),
    [{}],
  );
}

/**
 * qBittorrent forgets its links when it has a magnet's metadata, and waits a minute before it dials
 * the same peer again: once is enough.
 */
function isSlow({ client, does, meet, version, transport, encryption }) {
  const isOnce = version === "v1" && transport === "tcp" && encryption === PLAIN;
  const isForgetful = client.name === "qbittorrent" && does === "gets" && meet !== "we dial";
  return isForgetful && !(isOnce && meet === "they dial");
}

/**
 * Each client once in each role, each transport, each version and each kind of encryption both
 * ways: what breaks in one cell alone is found by the full run.
 */
function isQuick({ client, does, meet, version, transport, encryption }) {
  return QUICK[client.name].some((row) =>
    row.join() === [does, meet, version, transport, encryption].join());
}

const QUICK = {
  libtorrent: [
    ["seeds", "we dial", "v1", "tcp", PLAIN],
    ["seeds", "we dial", "v2", "utp", OURS],
    ["seeds", "they dial", "hybrid", "tcp", THEIRS],
    ["gets", "they dial", "v1", "utp", PLAIN],
    ["gets", "they dial", "v2", "tcp", THEIRS],
    ["gets", "we dial", "hybrid", "utp", OURS],
    ["gets", "opentracker over HTTP", "v1", "tcp", PLAIN],
    ["gets", "opentracker over UDP", "hybrid", "tcp", PLAIN],
    ["seeds", "opentracker over UDP", "v2", "tcp", PLAIN],
    ["seeds", "the DHT", "v1", "tcp", PLAIN],
    ["gets", "the DHT", "hybrid", "tcp", PLAIN],
    ["seeds", "our tracker", "v1", "webrtc", PLAIN],
    ["gets", "our tracker", "hybrid", "webrtc", PLAIN],
  ],
  qbittorrent: [
    ["seeds", "we dial", "hybrid", "utp", THEIRS],
    ["gets", "we dial", "v1", "tcp", OURS],
    ["seeds", "opentracker over HTTP", "hybrid", "tcp", PLAIN],
  ],
  transmission: [
    ["seeds", "we dial", "v1", "tcp", THEIRS],
    ["gets", "we dial", "v1", "utp", PLAIN],
    ["seeds", "opentracker over UDP", "v1", "tcp", PLAIN],
  ],
  aria2: [
    ["seeds", "we dial", "v1", "tcp", OURS],
    ["gets", "we dial", "v1", "tcp", THEIRS],
    ["gets", "opentracker over HTTP", "v1", "tcp", PLAIN],
    ["gets", "the DHT", "v1", "tcp", PLAIN],
  ],
};

/** The name of its test. */
export function title({ client, does, meet, version, transport, encryption }) {
  return `${client.name} ${does} ${version} over ${transport}, ${encryption}, ${meet}`;
}
