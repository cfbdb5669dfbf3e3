// Who goes first while a server and a crowd share a machine. In truth the crowd has machines of its
// own, so here it gets what the server and whatever is measured beside it leave.

import { existsSync, readFileSync, writeFileSync } from "node:fs";

/** Linux divides the machine between sessions first, then between the processes in each. */
const SESSION = "/proc/self/autogroup";

/** Starts a program in a session of its own, which goes before this one. */
export const goingFirst = ["setsid"];

/** Starts a program that gets what all others of this session leave. */
export const goingLast = ["chrt", "--idle", "0"];

/** Lets this session, which has the crowd in it, wait for all others until this process ends. */
export function yieldToOthers() {
  // Only root may take it back, and a user's shell may be in the session.
  const why = process.getuid() === 0 ? "this kernel divides by processes alone" : "not root";
  if (process.getuid() !== 0 || !existsSync(SESSION)) {
    console.error(`${why}: the crowd slows down what is measured; run it as root, on a larger`
      + " machine");
    return;
  }
  const before = readFileSync(SESSION, "utf8").match(/nice (-?\d+)/)[1];
  writeFileSync(SESSION, "19");
  process.on("exit", () => writeFileSync(SESSION, before));
}
