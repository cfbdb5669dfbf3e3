// Runs a foreign program and ends it with the test.

import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { endsWithUs } from "../../e2e/harness/children.mjs";

/** Seconds that a download may take: others unchoke every ten, and the machine may be busy. */
export const PATIENCE = 90;
/** Lines that are kept of what a program says. */
const LINES_MAX = 2_000;
/** Ports to choose from, below those that the system gives away. */
const PORT_FIRST = 18_000;
const PORT_COUNT = 14_000;
const PORT_TRIES = 100;

/** Starts the program. `log` is what it says that `tells` something, on either stream. */
export function openChild(program, args, { env = {}, tells = () => true } = {}) {
  const stdio = ["ignore", "pipe", "pipe"];
  const child = endsWithUs(spawn(program, args, { stdio, env: { ...process.env, ...env } }));
  const log = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      if (!tells(line)) return;
      log.push(line);
      if (log.length > LINES_MAX) log.shift();
      if (process.env.HEADWATER_TEST_LOG) console.error(`[${program}] ${line}`);
    });
  }
  let failure;
  child.on("error", (error) => (failure = error));
  const ended = new Promise((done) => child.on("close", done));
  return {
    log,
    /** Throws once the program is gone. */
    check: () => {
      const over = failure ?? (child.exitCode ?? child.signalCode);
      if (over !== null) throw new Error(`${program} ended: ${over}\n${log.slice(-20).join("\n")}`);
    },
    /** Ends it at once: nothing it would save or tell anybody is needed. */
    close: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** A port of loopback that is free for TCP and for UDP. */
export async function freePort() {
  for (let tries = 0; tries < PORT_TRIES; tries += 1) {
    const port = PORT_FIRST + Math.floor(Math.random() * PORT_COUNT);
    if ((await binds(openTcp, port)) && (await binds(openUdp, port))) return port;
  }
  throw new Error(`no free port in ${PORT_TRIES} tries`);
}

function binds(open, port) {
  return new Promise((done) => {
    const socket = open(port, () => socket.close(() => done(true)));
    socket.on("error", () => done(false));
  });
}

function openTcp(port, bound) {
  return createServer().listen(port, "127.0.0.1", bound);
}

function openUdp(port, bound) {
  return createSocket("udp4").bind(port, "127.0.0.1", bound);
}
