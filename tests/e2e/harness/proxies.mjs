// Proxies of others, which `cargo xtask setup` installs: SOCKS5 by microsocks, HTTP by tinyproxy.

import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { endsWithUs } from "./children.mjs";
import { until } from "./stage.mjs";
import { sockets } from "./sockets.mjs";

/** Whom they let in. */
const [USER, PASSWORD] = ["me", "secret"];

/** Each by what it speaks: starts it in `folder`, by another program, at an address and port. */
export const proxies = {
  socks5: (options) => open("socks5", options, (at, port) => [
    "microsocks", "-i", at, "-p", `${port}`, "-u", USER, "-P", PASSWORD,
  ]),
  http: async (options) => {
    const { folder, at, port } = options;
    const file = join(folder, "tinyproxy.conf");
    await writeFile(file, `Port ${port}\nListen ${at}\nBasicAuth ${USER} ${PASSWORD}\n`);
    return open("http", options, () => ["tinyproxy", "-d", "-c", file]);
  },
};

async function open(scheme, { at, port, by }, command) {
  const [first, ...rest] = [...by, ...command(at, port)];
  const child = endsWithUs(spawn(first, rest, { stdio: "ignore" }));
  const ended = new Promise((done) => child.on("close", done));
  await until(`${scheme} proxy`, async () => {
    if (child.exitCode !== null) throw new Error(`${command(at, port)[0]} ended`);
    return (await sockets(child.pid)).some((one) => one.listens && one.port === port);
  });
  return {
    url: `${scheme}://${USER}:${PASSWORD}@${at}:${port}`,
    close: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
