// Azurite, Microsoft's emulator of Azure Blob Storage, and a container in it. `cargo xtask test
// --full` installs it: it is too large for every run.

import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { endsWithUs } from "../../e2e/harness/children.mjs";
import { bytesOf } from "../../e2e/harness/content.mjs";
import { root } from "../../e2e/harness/program.mjs";

const script = `${root}target/azurite/node_modules/azurite/dist/src/blob/main.js`;

/** The account that every Azurite has; the key is in its documentation. */
const ACCOUNT = "devstoreaccount1";
const KEY =
  "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/** Starts it with an empty container `films`. */
export async function openAzurite() {
  if (!existsSync(script)) throw new Error(`${script} is missing: run cargo xtask test --full`);
  const quiet = ["--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck"];
  const args = [script, "--blobHost", "127.0.0.1", "--blobPort", "0", ...quiet];
  const child = endsWithUs(spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] }));
  const url = await new Promise((done, fail) => {
    child.on("close", (code) => fail(new Error(`Azurite ended with ${code}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const [found] = line.match(/http:\/\/127\.0\.0\.1:[1-9]\d*$/) ?? [];
      if (found) done(found);
    });
  });
  await put(url, "/films", undefined, { query: "restype=container" });
  return {
    /** The environment in which programs find it. */
    env: { AZURE_STORAGE_USE_EMULATOR: "true", AZURITE_BLOB_STORAGE_URL: url },
    /** Puts a torrent's files there, under these keys. */
    fill: async (prefix, content) => {
      for (const { path, seed, length } of content.files) {
        const key = (prefix + path).split("/").map(encodeURIComponent).join("/");
        const headers = { "x-ms-blob-type": "BlockBlob" };
        await put(url, `/films/${key}`, bytesOf(seed, length), { headers });
      }
    },
    close: () => child.kill("SIGKILL"),
  };
}

/** Puts a container or a blob, signed by the account's key (SharedKey, version 2021-08-06). */
async function put(url, path, body, { headers = {}, query = "" }) {
  const date = new Date().toUTCString();
  const sent = { "x-ms-date": date, "x-ms-version": "2021-08-06", ...headers };
  const ours = Object.keys(sent).sort().map((name) => `${name}:${sent[name]}\n`);
  const about = query ? `\n${query.replace("=", ":")}` : "";
  const length = body?.length ? `${body.length}` : "";
  const resource = `/${ACCOUNT}/${ACCOUNT}${path}${about}`;
  // Verb, encoding, language, length and eight headers that are not sent.
  const text = `PUT\n\n\n${length}\n${"\n".repeat(8)}${ours.join("")}${resource}`;
  const signed = createHmac("sha256", Buffer.from(KEY, "base64")).update(text).digest("base64");
  const authorization = `SharedKey ${ACCOUNT}:${signed}`;
  const where = `${url}/${ACCOUNT}${path}${query && `?${query}`}`;
  const answer = await fetch(where, { method: "PUT", body, headers: { ...sent, authorization } });
  if (answer.status === 201) return;
  throw new Error(`PUT ${path}: ${answer.status} ${await answer.text()}`);
}
