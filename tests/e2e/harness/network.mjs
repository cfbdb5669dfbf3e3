// Two network namespaces with a cable between them, which a test can pull. Needs root.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

/** Addresses of the two ends, which nobody else can reach. */
export const ENDS = ["10.77.0.1", "10.77.0.2"];

/** Makes them. `by[0]` and `by[1]` are what a program is started by at either end. */
export function openNetwork() {
  const { names, close } = openNamespaces(ENDS.length);
  const cables = ENDS.map((_, end) => `hw${process.pid}-${end}`);
  const ends = cables.map((cable, end) => [cable, "netns", names[end]]);
  ip("link", "add", ...ends[0], "type", "veth", "peer", "name", ...ends[1]);
  for (const [end, name] of names.entries()) {
    ip("-n", name, "addr", "add", `${ENDS[end]}/24`, "dev", cables[end]);
    ip("-n", name, "link", "set", cables[end], "up");
  }
  const set = (state) => ip("-n", names[0], "link", "set", cables[0], state);
  return {
    by: names.map((name) => ["ip", "netns", "exec", name]),
    pull: () => set("down"),
    plug: () => set("up"),
    close,
  };
}

/** Makes so many namespaces, each with loopback and nothing else, which end with this process. */
export function openNamespaces(count) {
  sweep();
  const names = Array.from({ length: count }, (_, n) => `headwater-${process.pid}-${n}`);
  const close = () => {
    for (const name of names) {
      try {
        ip("netns", "del", name);
      } catch {
        // It was never made.
      }
    }
  };
  process.on("exit", close);
  for (const name of names) {
    ip("netns", "add", name);
    ip("-n", name, "link", "set", "lo", "up");
  }
  return { names, close };
}

/** Removes what a test left that was killed. */
function sweep() {
  const names = `${ip("netns", "list")}`.matchAll(/^headwater-(\d+)-\d/gm);
  for (const [name, pid] of names) {
    if (!existsSync(`/proc/${pid}`)) ip("netns", "del", name);
  }
}

export function ip(...args) {
  return execFileSync("ip", args, { stdio: ["ignore", "pipe", "pipe"] });
}
