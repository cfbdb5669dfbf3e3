// The sockets of the network namespace that a process is in, by /proc.

import { readFile } from "node:fs/promises";

/** The state of a socket that listens, and that of UDP sockets, which know no other side. */
const LISTENS = { tcp: "0A", udp: "07" };

/** Every TCP and UDP socket: its port, whether it listens, and `to` whom it leads. */
export async function sockets(pid) {
  const found = [];
  for (const file of ["tcp", "tcp6", "udp", "udp6"]) {
    const kind = file.slice(0, 3);
    const rows = (await readFile(`/proc/${pid}/net/${file}`, "utf8")).trim().split("\n").slice(1);
    for (const row of rows) {
      const [, from, to, state] = row.trim().split(/\s+/);
      const listens = state === LISTENS[kind];
      found.push({ kind, port: port(from), listens, to: `${address(to)}:${port(to)}` });
    }
  }
  return found;
}

function port(text) {
  return parseInt(text.split(":")[1], 16);
}

/** An IPv4 address as people write it, in whichever family it stands; others as they are. */
function address(text) {
  const bytes = text.split(":")[0].slice(-8).match(/../g);
  return bytes.reverse().map((byte) => parseInt(byte, 16)).join(".");
}
