/**
 * Checks a wallet's signature for its form: 65 bytes, r and s in range, s in the lower half as the
 * vault demands, v known. Whose it is, the engine finds out by recovering the signer.
 */

import { bytesOf } from "./address.js";
import { fault } from "./fault.js";

/** Order of secp256k1. */
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/** Reads a signature of `r`, `s` and `v`; `v` comes out as 27 or 28. */
export function readSignature(answer: unknown): Uint8Array {
  const hex = typeof answer === "string" ? /^(?:0x)?([0-9a-fA-F]{130})$/.exec(answer)?.[1] : null;
  if (!hex) throw bad("is not 65 bytes in hex");
  const r = BigInt(`0x${hex.slice(0, 64)}`);
  const s = BigInt(`0x${hex.slice(64, 128)}`);
  if (r === 0n || r >= ORDER) throw bad("has r out of range");
  if (s === 0n || s > ORDER / 2n) throw bad("has s out of range");
  const bytes = bytesOf(hex);
  const v = bytes[64] ?? 0;
  const plain = v < 27 ? v + 27 : v;
  if (plain !== 27 && plain !== 28) throw bad(`has v = ${v}, allowed are 0, 1, 27, 28`);
  bytes[64] = plain;
  return bytes;
}

function bad(why: string): Error {
  return fault("wallet-bad-answer", `the wallet's signature ${why}`);
}
