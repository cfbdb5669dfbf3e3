// Compiles the contracts and keeps what comes out beside them, as one JSON file for each.
// `node tests/contracts/compile.mjs` writes the files; the test beside this one compares them.

import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import solc from "solc";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");

/// Every contract that is kept compiled: its source, its name, and where the result lies.
export const contracts = [
  contract("crates/tron/contracts", "Vault", "vault"),
  contract("crates/devnet/contracts", "TestBtt", "test_btt"),
  contract("crates/devnet/contracts", "HostileToken", "hostile_token"),
  contract("crates/devnet/contracts", "Account", "account"),
];

function contract(dir, name, file) {
  return { source: `${dir}/${name}.sol`, name, made: `${dir}/${file}.json` };
}

// TRON has no PUSH0 before a vote, and nothing of Cancun: Paris is the last that runs everywhere.
const settings = {
  evmVersion: "paris",
  optimizer: { enabled: true, runs: 1_000 },
  metadata: { bytecodeHash: "none" },
};

/// The text of the file that a contract is kept in.
export async function compile({ source, name }) {
  const content = await readFile(path.join(root, source), "utf8");
  const outputs = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"];
  const input = {
    language: "Solidity",
    sources: { [path.basename(source)]: { content } },
    settings: { ...settings, outputSelection: { "*": { "*": outputs } } },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  const told = (output.errors ?? []).map((error) => error.formattedMessage);
  if (told.length > 0) throw new Error(`${source}: ${told.join("\n")}`);
  const { abi, evm } = output.contracts[path.basename(source)][name];
  const kept = {
    contract: name,
    compiler: solc.version(),
    settings,
    source: path.basename(source),
    sourceSha256: createHash("sha256").update(content).digest("hex"),
    abi,
    bytecode: evm.bytecode.object,
    deployedBytecode: evm.deployedBytecode.object,
  };
  return `${JSON.stringify(kept, null, 2)}\n`;
}

/// What is kept of a contract, as it lies there.
export function kept({ made }) {
  return readFile(path.join(root, made), "utf8");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const contract of contracts) {
    await writeFile(path.join(root, contract.made), await compile(contract));
  }
}
