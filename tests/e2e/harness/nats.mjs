// A NATS server on loopback, which `cargo xtask setup` installs.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { endsWithUs } from "./children.mjs";

/** Starts one for whoever knows the password. `port` lets a second one take the first's place. */
export async function openNats(port = -1) {
  const [user, pass] = ["headwater", "secret"];
  const args = ["-a", "127.0.0.1", "-p", `${port}`, "--user", user, "--pass", pass];
  // Debian keeps servers where users who are not root do not look.
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
  const stdio = ["ignore", "ignore", "pipe"];
  const child = endsWithUs(spawn("nats-server", args, { stdio, env }));
  const ended = new Promise((done) => child.on("close", done));
  const listens = /client connections on 127\.0\.0\.1:(\d+)/;
  const bound = await new Promise((done, fail) => {
    const log = [];
    child.on("error", (error) => fail(new Error(`nats-server: ${error.message}`)));
    createInterface({ input: child.stderr }).on("line", (line) => {
      log.push(line);
      const found = line.match(listens);
      if (found) done(Number(found[1]));
    });
    ended.then(() => fail(new Error(`nats-server ended: ${log.join("\n")}`)));
  });
  return {
    url: `nats://${user}:${pass}@127.0.0.1:${bound}`,
    port: bound,
    close: async (signal = "SIGTERM") => {
      child.kill(signal);
      await ended;
    },
  };
}
