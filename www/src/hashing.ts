/**
 * WebCrypto beside the wasm's own hashing: finds out which is faster here, and hashes batches with
 * the former. Knows bytes, never pieces.
 */

import type { Bytes } from "./message.js";

/** What both can hash with. */
export type Algorithm = "SHA-1" | "SHA-256";

/** For which work WebCrypto gives the same digests, and sooner. */
export interface Faster {
  sha1One: boolean;
  sha1Many: boolean;
  sha256One: boolean;
  sha256Many: boolean;
}

/** Hashes equal parts of bytes, all at once; gives the digests one after another. */
type HashParts = (algorithm: Algorithm, bytes: Uint8Array, partLen: number) => Uint8Array;

/** Longest that one side of one case is measured. Four cases of two sides stay within 20 ms. */
const SPAN_MS = 2.5;
/** How long a browser may take to compile the wasm's hashing well, before it is judged. */
const RIPEN_MS = 300;

/** Work of the kind a download brings, with the `mark` of its digests by another implementation. */
const CASES = {
  sha1One: { algorithm: "SHA-1", parts: 1, partLen: 65536, mark: 462823885 },
  sha1Many: { algorithm: "SHA-1", parts: 4, partLen: 65536, mark: 237638708 },
  sha256One: { algorithm: "SHA-256", parts: 1, partLen: 16384, mark: 16631973 },
  sha256Many: { algorithm: "SHA-256", parts: 4, partLen: 16384, mark: -435393264 },
} as const satisfies Record<keyof Faster, Case>;

interface Case {
  algorithm: Algorithm;
  parts: number;
  partLen: number;
  mark: number;
}

/** Measures both, shortly and in the background. */
export async function findFaster(hashParts: HashParts): Promise<Faster> {
  const faster = { sha1One: false, sha1Many: false, sha256One: false, sha256Many: false };
  if (!globalThis.crypto?.subtle) return faster;
  const bytes = sample();
  const names = Object.keys(CASES) as (keyof Faster)[];
  for (const name of names) {
    const { algorithm, parts, partLen } = CASES[name];
    hashParts(algorithm, bytes.subarray(0, parts * partLen), partLen);
  }
  await new Promise((resolve) => setTimeout(resolve, RIPEN_MS));
  for (const name of names) {
    faster[name] = await isFaster(CASES[name], bytes, hashParts).catch(() => false);
  }
  return faster;
}

async function isFaster(one: Case, sample: Bytes, hashParts: HashParts): Promise<boolean> {
  const { algorithm, parts, partLen } = one;
  const bytes = sample.subarray(0, parts * partLen);
  const starts = Array.from({ length: parts }, (_, at) => at * partLen);
  const inputs = starts.map((start) => bytes.subarray(start, start + partLen));
  const outside = (): Promise<Uint8Array> =>
    joined(inputs.map((input) => crypto.subtle.digest(algorithm, input)));
  const inside = (): Uint8Array => hashParts(algorithm, bytes, partLen);
  if (mark(await outside()) !== one.mark) return false;
  if (mark(inside()) !== one.mark) return true;
  return (await rate(outside)) > (await rate(inside));
}

/** How often work is done in a millisecond. */
async function rate(work: () => Promise<unknown> | unknown): Promise<number> {
  const start = performance.now();
  let rounds = 0;
  let spent = 0;
  for (; spent < SPAN_MS; spent = performance.now() - start) {
    const done = work();
    if (done instanceof Promise) await done;
    rounds += 1;
  }
  return rounds / spent;
}

/** Bytes that repeat late enough to tell the parts of every case apart. */
function sample(): Bytes {
  const bytes = new Uint8Array(4 * 65536);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = (at * 31) ^ (at >> 7);
  return bytes;
}

/** One number that any wrong bit of the digests, or any wrong order, changes. */
function mark(digests: Uint8Array): number {
  return digests.reduce((sum, byte) => (Math.imul(sum, 31) + byte) | 0, 0);
}

async function joined(asked: Promise<ArrayBuffer>[]): Promise<Uint8Array> {
  const found = await Promise.all(asked);
  const [first] = found;
  const all = new Uint8Array(found.length * (first?.byteLength ?? 0));
  found.forEach((digest, at) => all.set(new Uint8Array(digest), at * digest.byteLength));
  return all;
}

/** Batches that WebCrypto hashes, each answered as a whole. */
export class Digests {
  readonly #batches = new Map<number, Promise<ArrayBuffer>[]>();
  readonly #answer: (batch: number, digests: Uint8Array) => void;

  /** `answer` hears of each batch once; of one that failed without digests. */
  constructor(answer: (batch: number, digests: Uint8Array) => void) {
    this.#answer = answer;
  }

  /** Takes the next input of a batch. WebCrypto copies it before this returns. */
  take(batch: number, algorithm: Algorithm, bytes: Uint8Array, isLast: boolean): void {
    const asked = this.#batches.get(batch) ?? [];
    asked.push(crypto.subtle.digest(algorithm, bytes as Bytes));
    this.#batches.set(batch, asked);
    if (!isLast) return;
    this.#batches.delete(batch);
    joined(asked).then(
      (digests) => this.#answer(batch, digests),
      () => this.#answer(batch, new Uint8Array()),
    );
  }
}
