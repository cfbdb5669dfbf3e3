#!/usr/bin/env -S node --no-warnings
// Runs one of cargo's test programs, compiled to wasm32, under node. It gets arguments, a clock,
// entropy and stdout, and nothing else: no files, no sockets.

import { readFile } from "node:fs/promises";
import { setFlagsFromString } from "node:v8";
import { WASI } from "node:wasi";

// Node 20 corrupts its memory when optimised wasm calls WASI by V8's short cut.
setFlagsFromString("--no-turbo-fast-api-calls");

const [program, ...args] = process.argv.slice(2);
const given = { version: "preview1", args: [program, ...args], env: {}, returnOnExit: true };
const wasi = new WASI(given);
const module = await WebAssembly.compile(await readFile(program));
const imports = WebAssembly.Module.imports(module);
const foreign = imports.find((one) => one.module !== "wasi_snapshot_preview1");
if (foreign) {
  console.error(`${program} imports ${foreign.module} ${foreign.name}`);
  process.exit(1);
}
process.exitCode = wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));
