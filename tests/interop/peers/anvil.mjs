// anvil 1.7.1, an Ethereum node for tests, in the place of BTTC's test chain, with a vault of its
// coin. Its accounts are those that everybody knows.

import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { endsWithUs } from "../../e2e/harness/children.mjs";
import { root } from "../../e2e/harness/program.mjs";
import { freePort } from "./child.mjs";

const DONAU = 1029;
const arch = process.arch === "x64" ? "amd64" : process.arch;
const program = join(root, `tests/node_modules/@foundry-rs/anvil-linux-${arch}/bin/anvil`);

/** Starts it; what it answers has the shape of `headwater devnet --json`. */
export async function openAnvil(stage) {
  const { path: folder } = await stage.folder();
  const port = await freePort();
  const config = join(folder, "anvil.json");
  const args = ["--host", "127.0.0.1", "--port", `${port}`, "--chain-id", `${DONAU}`,
    "--config-out", config];
  const child = endsWithUs(spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] }));
  stage.keep({ close: () => child.kill() });
  await new Promise((done, fail) => {
    child.on("error", fail);
    child.on("close", (code) => fail(new Error(`anvil ended with ${code}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line.startsWith("Listening on")) done();
    });
  });
  const url = `http://127.0.0.1:${port}`;
  const { available_accounts: addresses, private_keys: keys } = JSON.parse(await readFile(config));
  const accounts = addresses.map((address, at) => ({ address, key: keys[at].slice(2) }));
  const vault = await deploy(url, addresses[0]);
  return { url, vault, accounts, chain_id: DONAU };
}

/** Asks the node; fails where it refuses. */
export async function rpc(url, method, ...params) {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const headers = { "content-type": "application/json" };
  const { result, error } = await (await fetch(url, { method: "POST", headers, body })).json();
  if (error) throw new Error(`${method}: ${error.message}`);
  return result;
}

async function deploy(url, from) {
  const text = await readFile(join(root, "crates/tron/contracts/vault.json"), "utf8");
  const data = `0x${JSON.parse(text).bytecode}${"0".repeat(64)}`;
  const id = await rpc(url, "eth_sendTransaction", { from, data });
  return (await rpc(url, "eth_getTransactionReceipt", id)).contractAddress;
}
