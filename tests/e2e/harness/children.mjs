// Programs that tests start outlive no test, however it ends.

const running = new Set();

/** Ends the program with this process, unless it ends before. */
export function endsWithUs(child) {
  running.add(child);
  child.on("close", () => running.delete(child));
  return child;
}

const killAll = () => running.forEach((child) => child.kill("SIGKILL"));
process.on("exit", killAll);
// A signal's own way out would skip what is to be done at the exit.
for (const [signal, number] of [["SIGINT", 2], ["SIGTERM", 15], ["SIGHUP", 1]]) {
  process.once(signal, () => process.exit(128 + number));
}
