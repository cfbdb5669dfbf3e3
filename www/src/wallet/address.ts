/**
 * Addresses of accounts and contracts: one form inside, `0x` and 40 lower-case hex digits, and the
 * text each kind of chain shows. Knows no wallet.
 */

import { fault } from "./fault.js";
import { sha256 } from "./sha256.js";

/** 20 bytes as `0x` and 40 lower-case hex digits. */
export type Address = `0x${string}`;

/** How a chain writes addresses and takes transactions. */
export type ChainKind = "tron" | "evm";

const DIGITS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/** TRON puts this byte before the 20. */
const TRON_PREFIX = 0x41;
const ZERO = `0x${"0".repeat(40)}`;

/** Reads an address in any of its forms: `T…`, `41` and 40 digits, `0x` and 40. */
export function readAddress(text: unknown): Address | null {
  if (typeof text !== "string") return null;
  if (/^0x[0-9a-fA-F]{40}$/.test(text)) return text.toLowerCase() as Address;
  if (/^41[0-9a-fA-F]{40}$/.test(text)) return `0x${text.slice(2).toLowerCase()}`;
  return /^T[1-9A-HJ-NP-Za-km-z]{33}$/.test(text) ? readTron(text) : null;
}

/** Reads an address that somebody can own; refuses the zero address. */
export function ownedAddress(text: unknown, what: string): Address {
  const address = readAddress(text);
  if (address === null) throw fault("bad-address", `${what} is no address`);
  if (address === ZERO) throw fault("bad-address", `${what} is the zero address`);
  return address;
}

/** Writes an address as the chain's wallets show it. */
export function addressText(address: Address, kind: ChainKind): string {
  return kind === "tron" ? tronText(address) : address;
}

/** Writes the 21 bytes of TRON's own forms in hex, without `0x`. */
export function tronHex(address: Address): string {
  return `41${address.slice(2)}`;
}

function tronText(address: Address): string {
  const raw = bytesOf(tronHex(address));
  const whole = new Uint8Array(25);
  whole.set(raw);
  whole.set(sha256(sha256(raw)).subarray(0, 4), 21);
  let rest = BigInt(`0x${hexOf(whole)}`);
  let text = "";
  while (rest > 0n) {
    text = `${DIGITS.charAt(Number(rest % 58n))}${text}`;
    rest /= 58n;
  }
  return text;
}

function readTron(text: string): Address | null {
  let number = 0n;
  for (const digit of text) number = number * 58n + BigInt(DIGITS.indexOf(digit));
  const hex = number.toString(16).padStart(50, "0");
  if (hex.length !== 50) return null;
  const bytes = bytesOf(hex);
  const sum = hexOf(sha256(sha256(bytes.subarray(0, 21))).subarray(0, 4));
  if (bytes[0] !== TRON_PREFIX || sum !== hex.slice(42)) return null;
  return `0x${hex.slice(2, 42)}`;
}

/** Reads hex digits, an even number of them. */
export function bytesOf(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length / 2);
  for (let at = 0; at < bytes.length; at += 1) {
    bytes[at] = Number.parseInt(hex.slice(at * 2, at * 2 + 2), 16);
  }
  return bytes;
}

/** Writes bytes as hex digits. */
export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
