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
  return clients.flatMap((client) => roles(client).flatMap((role) => cellsOf(client, role)));
}

/** What the foreign client does, and who dials whom. */
function roles({ dials }) {
  const dialling = dials ? ["we dial", "they dial"] : ["we dial"];
  return ["seeds", "gets"].flatMap((does) => dialling.map((meet) => ({ does, meet })));
}

function cellsOf(client, { does, meet }) {
  const found = [];
  for (const version of client.versions) {
    for (const transport of client.transports) {
      for (const encryption of Object.keys(encryptions)) {
        const cell = { client, does, meet, version, transport, encryption };
        if (isSlow(cell)) continue;
        found.push({ ...cell, quick: isQuick(cell) });
      }
    }
  }
  return found;
}

/**
 * qBittorrent forgets its links when it has a magnet's metadata, and waits a minute before it dials
 * the same peer again: once is enough.
 */
function isSlow({ client, does, meet, version, transport, encryption }) {
  const once = version === "v1" && transport === "tcp" && encryption === PLAIN;
  return client.name === "qbittorrent" && does === "gets" && meet === "they dial" && !once;
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
  ],
  qbittorrent: [
    ["seeds", "we dial", "hybrid", "utp", THEIRS],
    ["gets", "we dial", "v1", "tcp", OURS],
  ],
  transmission: [
    ["seeds", "we dial", "v1", "tcp", THEIRS],
    ["gets", "we dial", "v1", "utp", PLAIN],
  ],
  aria2: [
    ["seeds", "we dial", "v1", "tcp", OURS],
    ["gets", "we dial", "v1", "tcp", THEIRS],
  ],
};

/** The name of its test. */
export function title({ client, does, meet, version, transport, encryption }) {
  return `${client.name} ${does} ${version} over ${transport}, ${encryption}, ${meet}`;
}
