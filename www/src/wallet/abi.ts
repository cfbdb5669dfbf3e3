/**
 * Calls of the vault and of tokens as contracts take them: words of 32 bytes, and for claims bytes
 * and structures.
 */

import { readAddress, tronHex, addressText, type Address } from "./address.js";
import { fault } from "./fault.js";
import { plainText } from "./peek.js";

/** A value of one word. */
export type Word = { type: "address"; value: Address } | { type: `uint${number}`; value: bigint };

/** A value that a call takes; bytes are hex without `0x`. */
export type Value =
  | Word
  | { type: "bytes32" | "bytes"; value: string }
  | { type: "tuple" | "tuple[]"; value: Value[] };

interface Shape {
  readonly signature: string;
  readonly selector: string;
}

/** Every call there is; selectors are the first four bytes of the signature's Keccak-256. */
export const SHAPES = {
  accounts: { signature: "accounts(address)", selector: "5e5c06e2" },
  allowance: { signature: "allowance(address,address)", selector: "dd62ed3e" },
  approve: { signature: "approve(address,uint256)", selector: "095ea7b3" },
  balanceOf: { signature: "balanceOf(address)", selector: "70a08231" },
  claim: {
    signature: "claim((address,address,uint128,uint64,bytes32),bytes,address,uint128,bytes)",
    selector: "d8750edb",
  },
  claimMany: {
    signature:
      "claimMany(((address,address,uint128,uint64,bytes32),bytes,address,uint128,bytes)[])",
    selector: "215a4271",
  },
  deposit: { signature: "deposit(uint128)", selector: "54469aea" },
  exit: { signature: "exit()", selector: "e9fad8ee" },
  requestExit: { signature: "requestExit(uint128)", selector: "8965f647" },
  transfer: { signature: "transfer(address,uint256)", selector: "a9059cbb" },
} as const satisfies Record<string, Shape>;

/** The name of a call. */
export type CallName = keyof typeof SHAPES;

/** Most words read of an answer. */
const WORDS_MAX = 64;
const ERROR_TEXT = "08c379a0";
const ERROR_PANIC = "4e487b71";

/** Encodes a call's values, without its selector; hex without `0x`. */
export function encodeValues(values: readonly Value[]): string {
  const wholes = values.map((each) => ({ hex: encode(each), isApart: isDynamic(each) }));
  // What has no fixed size follows all others, which say where.
  let at = wholes.reduce((sum, { hex, isApart }) => sum + (isApart ? 64 : hex.length), 0);
  const heads = wholes.map(({ hex, isApart }) => {
    if (!isApart) return hex;
    const head = numberWord(at / 2);
    at += hex.length;
    return head;
  });
  return heads.join("") + wholes.map(({ hex, isApart }) => (isApart ? hex : "")).join("");
}

function encode(each: Value): string {
  switch (each.type) {
    case "address":
      return (each.value as Address).slice(2).padStart(64, "0");
    case "bytes32":
      return each.value as string;
    case "bytes": {
      const hex = each.value as string;
      return numberWord(hex.length / 2) + hex.padEnd(Math.ceil(hex.length / 64) * 64, "0");
    }
    case "tuple":
      return encodeValues(each.value as Value[]);
    case "tuple[]":
      return numberWord(each.value.length) + encodeValues(each.value as Value[]);
    default:
      return (each.value as bigint).toString(16).padStart(64, "0");
  }
}

function isDynamic({ type, value }: Value): boolean {
  return type === "bytes" || type === "tuple[]"
    || (type === "tuple" && (value as Value[]).some(isDynamic));
}

function numberWord(value: number): string {
  return value.toString(16).padStart(64, "0");
}

/** Encodes a whole call; hex without `0x`. */
export function encodeCall(name: CallName, values: readonly Value[]): string {
  return `${SHAPES[name].selector}${encodeValues(values)}`;
}

/** A call's values as TronWeb takes them; `null` where one of them is no word. */
export function tronValues(values: readonly Value[]): { type: string; value: string }[] | null {
  const words = values.filter(isWord);
  if (words.length < values.length) return null;
  return words.map((each) => ({
    type: each.type,
    value: each.type === "address" ? addressText(each.value as Address, "tron")
      : each.value.toString(),
  }));
}

function isWord(value: Value): value is Word {
  return value.type === "address" || typeof value.value === "bigint";
}

/** Reads an answer of at least `amount` words. */
export function readWords(answer: unknown, amount: number): bigint[] {
  const hex = typeof answer === "string" ? /^(?:0x)?([0-9a-fA-F]*)$/.exec(answer)?.[1] : undefined;
  if (hex === undefined || hex.length % 64 !== 0 || hex.length > WORDS_MAX * 64) {
    throw fault("wallet-bad-answer", "a contract's answer is not made of 32-byte words");
  }
  const words = (hex.match(/.{64}/g) ?? []).map((word) => BigInt(`0x${word}`));
  if (words.length < amount) {
    throw fault("wallet-bad-answer", `a contract answered ${words.length} words of ${amount}`);
  }
  return words;
}

/** Says why a contract reverted; empty where it said nothing that can be read. */
export function revertReason(answer: unknown): string {
  const hex = typeof answer === "string" ? /^(?:0x)?([0-9a-fA-F]*)$/.exec(answer)?.[1] : undefined;
  if (!hex || hex.length < 8 || hex.length > 8 + WORDS_MAX * 64) return "";
  const selector = hex.slice(0, 8).toLowerCase();
  const body = hex.slice(8);
  if (selector === ERROR_PANIC && body.length >= 64) {
    return `panic ${BigInt(`0x${body.slice(0, 64)}`)}`;
  }
  if (selector !== ERROR_TEXT) return `error 0x${selector}`;
  const length = Number.parseInt(body.slice(64, 128), 16);
  if (!Number.isSafeInteger(length)) return "";
  const text = (body.slice(128, 128 + length * 2).match(/../g) ?? [])
    .map((pair) => Number.parseInt(pair, 16));
  return plainText(new TextDecoder().decode(Uint8Array.from(text)), 200);
}

/** Whether a text from TRON names this address: in hex with `41`, or as `T…`. */
export function namesAddress(text: unknown, address: Address): boolean {
  if (typeof text !== "string") return false;
  return text.toLowerCase() === tronHex(address) || readAddress(text) === address;
}
