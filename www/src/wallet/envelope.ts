/**
 * Compares a transaction that TRON's node or a wallet's TronWeb made with what was asked for, field
 * by field, before it is signed and after. Whatever differs is not signed or not sent.
 */

import { encodeCall, namesAddress } from "./abi.js";
import type { Address } from "./address.js";
import type { Call } from "./call.js";
import { fault } from "./fault.js";
import { items, peek } from "./peek.js";

/** Most TRX, in sun, that one call may burn. */
export const FEE_LIMIT_SUN = 100_000_000;

/** Refuses a transaction that is not exactly this call from this account. */
export function mustCarry(transaction: unknown, call: Readonly<Call>, from: Address): void {
  const id = peek(transaction, "txID");
  const raw = peek(transaction, "raw_data");
  const contracts = items(peek(raw, "contract"), 2);
  const [only] = contracts ?? [];
  const value = peek(peek(only, "parameter"), "value");
  // A memo costs a fee of its own.
  const isBare = peek(raw, "data") === undefined && peek(only, "Permission_id") === undefined;
  const isOne = contracts?.length === 1 && isId(id) && isBare
    && namesAddress(peek(value, "owner_address"), from);
  const isAsked = call.is === "contract"
    ? carriesContract(peek(only, "type"), value, call) && isCheap(peek(raw, "fee_limit"))
    : call.is === "asset" && carriesAsset(peek(only, "type"), value, call);
  if (isOne && isAsked) return;
  throw fault("wallet-bad-answer", "the transaction that came back is not the one asked for");
}

/** Reads a signed transaction's id; refuses one that became another while it was signed. */
export function signedId(signed: unknown, unsigned: unknown): string {
  const id = peek(signed, "txID");
  const [signature] = items(peek(signed, "signature"), 1) ?? [];
  const isSigned = typeof signature === "string" && /^(?:0x)?[0-9a-fA-F]{130}$/.test(signature);
  const isSame = isId(id) && id === peek(unsigned, "txID")
    && JSON.stringify(peek(signed, "raw_data")) === JSON.stringify(peek(unsigned, "raw_data"));
  if (isSigned && isSame) return id as string;
  throw fault("wallet-bad-answer", "the signed transaction is not the one asked for");
}

function carriesContract(
  type: unknown,
  value: unknown,
  call: Readonly<Call> & { is: "contract" },
): boolean {
  const data = peek(value, "data");
  return type === "TriggerSmartContract"
    && namesAddress(peek(value, "contract_address"), call.to)
    && typeof data === "string" && data.toLowerCase() === encodeCall(call.name, call.values)
    && amountOf(peek(value, "call_value")) === call.coins
    && amountOf(peek(value, "call_token_value")) === 0n;
}

function carriesAsset(
  type: unknown,
  value: unknown,
  call: Readonly<Call> & { is: "asset" },
): boolean {
  const name = peek(value, "asset_name");
  const hex = [...call.id].map((digit) => digit.charCodeAt(0).toString(16)).join("");
  return type === "TransferAssetContract"
    && namesAddress(peek(value, "to_address"), call.to)
    && (name === hex || name === call.id)
    && amountOf(peek(value, "amount")) === call.amount;
}

/** Zeros are left out of TRON's JSON. */
function amountOf(value: unknown): bigint | null {
  if (value === undefined) return 0n;
  return typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : null;
}

function isCheap(feeLimit: unknown): boolean {
  return typeof feeLimit === "number" && feeLimit >= 0 && feeLimit <= FEE_LIMIT_SUN;
}

function isId(value: unknown): boolean {
  return typeof value === "string" && /^[0-9a-f]{64}$/i.test(value);
}
