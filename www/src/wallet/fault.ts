/**
 * What goes wrong with a wallet, by stable codes. Reads the many ways in which wallets say no.
 */

import { HeadwaterError } from "../error.js";
import { peek, plainText } from "./peek.js";

/** The codes of this folder. */
export type WalletCode =
  | "wallet-missing"
  | "wallet-rejected"
  | "wallet-locked"
  | "wallet-busy"
  | "wallet-wrong-chain"
  | "wallet-wrong-account"
  | "wallet-disconnected"
  | "wallet-unsupported"
  | "wallet-bad-answer"
  | "wallet-failed"
  | "bad-amount"
  | "bad-address"
  | "prompt-refused"
  | "transaction-reverted"
  | "transaction-unconfirmed";

/** Most characters of a wallet's own words that are shown. */
const WORDS_MAX = 200;

/** Numbers of EIP-1193, TIP-1193, JSON-RPC and the older TronLink. */
const NUMBERS = new Map<number, WalletCode>([
  [4000, "wallet-busy"],
  [4001, "wallet-rejected"],
  [4100, "wallet-locked"],
  [4200, "wallet-unsupported"],
  [4900, "wallet-disconnected"],
  [4901, "wallet-disconnected"],
  [4902, "wallet-wrong-chain"],
  [-32002, "wallet-busy"],
  [-32601, "wallet-unsupported"],
  [-32602, "wallet-unsupported"],
]);

/** TronLink rejects a signature with a bare sentence and no number. */
const DECLINED = /declin|reject|denied|cancel/i;
const LOCKED = /\block(ed)?\b|unlock/i;

/** Makes an error of one of the codes. */
export function fault(code: WalletCode, message: string): HeadwaterError {
  return new HeadwaterError(code, message);
}

/** Reads whatever a wallet threw while it was `doing` something. */
export function faultFrom(thrown: unknown, doing: string): HeadwaterError {
  if (thrown instanceof HeadwaterError) return thrown;
  const words = wordsOf(thrown);
  const code = codeOf(thrown, words);
  const said = words === "" ? "" : `: ${words}`;
  return fault(code, `the wallet ended ${doing}${said}`);
}

/** The wallet's own words. */
export function wordsOf(thrown: unknown): string {
  const message = peek(thrown, "message");
  return plainText(typeof thrown === "string" ? thrown : message, WORDS_MAX);
}

/** The number an error carries. */
export function numberOf(thrown: unknown): number | null {
  const code = peek(thrown, "code");
  return typeof code === "number" ? code : null;
}

function codeOf(thrown: unknown, words: string): WalletCode {
  const number = numberOf(thrown);
  const known = number === null ? undefined : NUMBERS.get(number);
  if (known !== undefined) return known;
  if (DECLINED.test(words)) return "wallet-rejected";
  if (LOCKED.test(words)) return "wallet-locked";
  return "wallet-failed";
}
