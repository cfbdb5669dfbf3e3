/**
 * Calls of the vault and of tokens as contracts take them. All their values are words of 32 bytes.
 */

import { readAddress, tronHex, addressText, type Address } from "./address.js";
import { fault } from "./fault.js";
import { plainText } from "./peek.js";

/** A value that a call takes. */
export type Value = { type: "address"; value: Address } | { type: `uint${number}`; value: bigint };

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
  return values.map((each) => {
    const hex = each.type === "address" ? each.value.slice(2) : (each.value as bigint).toString(16);
    return hex.padStart(64, "0");
  }).join("");
}

/** Encodes a whole call; hex without `0x`. */
export function encodeCall(name: CallName, values: readonly Value[]): string {
  return `${SHAPES[name].selector}${encodeValues(values)}`;
}

/** A call's values as TronWeb takes them. */
export function tronValues(values: readonly Value[]): { type: string; value: string }[] {
  return values.map((each) => ({
    type: each.type,
    value: each.type === "address" ? addressText(each.value, "tron") : each.value.toString(),
  }));
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
