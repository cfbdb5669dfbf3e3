// Bundles the wallet bridge, its inner modules included, so that node can test them.

import { createRequire } from "node:module";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const www = fileURLToPath(new URL("../../www/", import.meta.url));
const { build } = createRequire(join(www, "package.json"))("esbuild");

const modules = [
  "abi", "address", "amount", "announced", "backend", "bridge", "built", "call", "chain",
  "claims", "discovery", "envelope", "evm", "log", "peek", "prompt", "request", "sha256",
  "signature", "terms", "tron", "typed", "wallet",
];

/** Everything the folder's modules export, in one object. */
export function loadWallet() {
  return load(modules);
}

/** The names that pages can reach. */
export async function publicNames() {
  return Object.keys(await load(["wallet"]));
}

/** What other modules of `www/src` export. */
export function loadSource(...names) {
  return load(names, "src");
}

async function load(names, from = "src/wallet") {
  const folder = await mkdtemp(join(tmpdir(), "headwater-wallet-"));
  const outfile = join(folder, "wallet.mjs");
  const contents = names.map((name) => `export * from "./${name}.ts";`).join("\n");
  try {
    await build({
      stdin: { contents, resolveDir: join(www, from), loader: "ts" },
      bundle: true, format: "esm", target: "es2022", outfile, logLevel: "warning",
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    await rm(folder, { recursive: true });
  }
}
