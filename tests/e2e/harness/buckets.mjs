// A bucket of an S3 server (npm's s3rver) that can be killed and comes back with what it held.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { endsWithUs } from "./children.mjs";
import { bytesOf } from "./content.mjs";
import { openFolder } from "./program.mjs";

const script = fileURLToPath(new URL("s3_server.mjs", import.meta.url));

/** Whom s3rver lets in. */
const KEY = "S3RVER";

/** Opens the bucket `films`, which is empty. */
export async function openBucket() {
  const folder = await openFolder();
  const bucket = { port: 0, reads: 0 };
  let child;
  /** Starts the server, where it was before if it was. */
  bucket.start = async () => {
    const stdio = ["ignore", "pipe", "inherit"];
    const args = [script, folder.path, `${bucket.port}`];
    child = endsWithUs(spawn(process.execPath, args, { stdio }));
    const lines = createInterface({ input: child.stdout });
    bucket.port = await new Promise((done, fail) => {
      child.on("close", (code) => fail(new Error(`the S3 server ended with ${code}`)));
      lines.on("line", (line) => {
        const [, port] = line.match(/^port (\d+)$/) ?? [];
        if (port) done(Number(port));
        // What is answered with part of an object.
        if (/ 206 /.test(line)) bucket.reads += 1;
      });
    });
  };
  bucket.kill = () =>
    new Promise((done) => {
      child.on("close", done);
      child.kill("SIGKILL");
    });
  bucket.close = async () => {
    await bucket.kill();
    await folder.close();
  };
  bucket.put = async (key, body) => {
    const path = key.split("/").map(encodeURIComponent).join("/");
    const url = `http://127.0.0.1:${bucket.port}/films/${path}`;
    const { status } = await fetch(url, { method: "PUT", body });
    if (status !== 200) throw new Error(`PUT ${key} was answered with ${status}`);
  };
  /** Puts a torrent's files there, under these keys. */
  bucket.fill = async (prefix, content) => {
    for (const { path, seed, length } of content.files) {
      await bucket.put(prefix + path, bytesOf(seed, length));
    }
  };
  await bucket.start();
  const url = `http://127.0.0.1:${bucket.port}`;
  /** The environment in which programs find it, as S3 and as Google's XML API, which is alike. */
  bucket.env = {
    AWS_ACCESS_KEY_ID: KEY,
    AWS_SECRET_ACCESS_KEY: KEY,
    AWS_REGION: "us-east-1",
    AWS_ENDPOINT: url,
    AWS_ALLOW_HTTP: "true",
    GOOGLE_BASE_URL: url,
    GOOGLE_SKIP_SIGNATURE: "true",
    GOOGLE_ALLOW_HTTP: "true",
  };
  return bucket;
}
