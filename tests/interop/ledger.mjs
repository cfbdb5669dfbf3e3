// Starts the test ledger and reads where its things are from what it prints.

import { spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const built = process.env.HEADWATER_PROGRAM ?? path.join(root, "target/debug/headwater");
const program = path.join(path.dirname(built), "examples/ledger");
const ACCOUNTS = 10;

/// A ledger of its own for a test, in memory or in a file.
export async function openLedger(t, file) {
  const child = spawn(program, ["0", ...(file ? [file] : [])], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const gone = new Promise((done) => child.once("exit", done));
  const stop = () => {
    child.kill();
    return gone;
  };
  t.after(stop);
  const lines = await printed(child);
  const [url] = lines;
  const field = (name) => lines.find((line) => line.startsWith(name)).split(/\s+/).at(-1);
  const accounts = lines.slice(-ACCOUNTS).map((line) => {
    const [address, key] = line.trim().split(" ");
    return { address, key };
  });
  const ask = async (where, fields) => {
    const body = JSON.stringify(fields);
    return (await fetch(`${url}/${where}`, { method: "POST", body })).json();
  };
  return {
    url,
    banner: lines.join("\n"),
    chainId: Number(field("chain id")),
    vault: field("vault"),
    btt: field("test BTT"),
    accounts,
    ask,
    advance: (seconds) => ask("devnet/advance", { seconds }),
    stop,
  };
}

/// What the program prints when it is ready.
function printed(child) {
  return new Promise((done, fail) => {
    const lines = [];
    let told = false;
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line.startsWith("test accounts")) told = true;
      lines.push(line);
      const keys = lines.filter((known) => known.startsWith("  ")).length;
      if (told && keys === ACCOUNTS) done(lines);
    });
    child.once("error", fail);
    child.once("exit", (code) => fail(new Error(`the ledger ended with ${code}`)));
  });
}
