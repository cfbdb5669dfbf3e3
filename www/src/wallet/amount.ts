/**
 * Amounts of BTT: whole base units as BigInt, 10^18 to one BTT, and their text. No amount is ever
 * a Number, which is exact only up to 2^53.
 */

import { fault } from "./fault.js";

/** Decimals of BTT as a TRC-20 token and as the coin of BTTC. */
export const BTT_DECIMALS = 18;
/** Most a grant, a deposit or a promise may name. */
export const UINT128_MAX = (1n << 128n) - 1n;
/** Most that TRON's own transfers can carry. */
export const INT64_MAX = (1n << 63n) - 1n;

/** Reads an amount as people type it, for example `1.5`; `null` for anything else. */
export function parseAmount(text: string, decimals = BTT_DECIMALS): bigint | null {
  const match = /^(\d{1,39})(?:\.(\d{1,18}))?$/.exec(text.trim());
  const part = match?.[2] ?? "";
  if (match === null || part.length > decimals) return null;
  const amount = BigInt(`${match[1] ?? ""}${part.padEnd(decimals, "0")}`);
  return amount > UINT128_MAX ? null : amount;
}

/** Writes an amount exactly, without zeros at its end. */
export function amountText(amount: bigint, decimals = BTT_DECIMALS): string {
  const sign = amount < 0n ? "-" : "";
  const digits = (amount < 0n ? -amount : amount).toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const part = digits.slice(digits.length - decimals).replace(/0+$/, "");
  return part === "" ? `${sign}${whole}` : `${sign}${whole}.${part}`;
}

/** Reads base units from a BigInt or decimal digits; refuses Numbers, zero and what is too much. */
export function baseUnits(value: unknown, what: string, max = UINT128_MAX): bigint {
  const isDigits = typeof value === "string" && /^\d{1,39}$/.test(value);
  if (typeof value !== "bigint" && !isDigits) {
    throw fault("bad-amount", `${what} is neither a BigInt nor decimal digits`);
  }
  const amount = BigInt(value);
  if (amount <= 0n) throw fault("bad-amount", `${what} is ${amount}, at least 1 base unit`);
  if (amount > max) throw fault("bad-amount", `${what} is ${amount}, at most ${max}`);
  return amount;
}
