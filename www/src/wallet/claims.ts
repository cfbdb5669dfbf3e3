/**
 * Reads the claims that the engine wants submitted, which may in truth come from whoever got hold
 * of it: a closed list of fields, of this chain and vault, for the connected account only, so that
 * nobody has the user pay the fee of somebody else's claim.
 */

import { ownedAddress, readAddress, type Address } from "./address.js";
import { UINT128_MAX } from "./amount.js";
import { vaultOf, type Chain } from "./chain.js";
import { items } from "./peek.js";
import { ownFields, refuse } from "./request.js";
import { readSignature } from "./signature.js";

/** Most claims in one transaction: with more of them it could reach the fee's limit. */
export const CLAIMS_MAX = 10;

/** A claim as it is asked for: the grant of its session, and a voucher of it. Bytes are hex. */
export interface ClaimRequest {
  readonly chainId: number;
  readonly vault: string;
  readonly owner: string;
  readonly key: string;
  readonly cap: bigint;
  /** In seconds since 1970. */
  readonly expiry: number;
  readonly salt: string;
  readonly ownerSignature: string;
  readonly payee: string;
  readonly amount: bigint;
  readonly keySignature: string;
}

/** A claim that was checked; bytes are hex without `0x`. */
export interface Claim {
  readonly grant: {
    readonly owner: Address;
    readonly key: Address;
    readonly cap: bigint;
    readonly expiry: number;
    readonly salt: string;
  };
  readonly ownerSignature: string;
  readonly payee: Address;
  readonly amount: bigint;
  readonly keySignature: string;
}

const FIELDS: readonly (keyof ClaimRequest)[] = [
  "chainId", "vault", "owner", "key", "cap", "expiry", "salt", "ownerSignature", "payee", "amount",
  "keySignature",
];

/** Reads claims for `account`; refuses all of them where one is not in order. */
export function readClaims(raw: unknown, chain: Chain, account: Address): Claim[] {
  const all = items(raw, CLAIMS_MAX + 1);
  if (all === null) throw refuse("is no list of claims");
  if (all.length < 1 || all.length > CLAIMS_MAX) {
    throw refuse(`has ${all.length} claims or more, at least 1 and at most ${CLAIMS_MAX}`);
  }
  const claims = all.map((each) => readClaim(each, chain, account));
  const sessions = new Set(claims.map(({ grant }) => Object.values(grant).join()));
  if (sessions.size < claims.length) throw refuse("claims of one session twice");
  return claims;
}

function readClaim(raw: unknown, chain: Chain, account: Address): Claim {
  const fields = ownFields(raw, FIELDS);
  const field = (name: keyof ClaimRequest): unknown => fields.get(name);
  if (field("chainId") !== chain.id) throw refuse(`names another chain than ${chain.id}`);
  if (readAddress(field("vault")) !== vaultOf(chain)) throw refuse("names another vault");
  const payee = readAddress(field("payee"));
  if (payee !== account) throw refuse("claims for another account");
  const [owner, key] = [field("owner"), field("key")].map((each) => ownedAddress(each, "a signer"));
  const [cap, amount, expiry] = [field("cap"), field("amount"), field("expiry")];
  const areAmounts = typeof cap === "bigint" && typeof amount === "bigint"
    && amount >= 1n && amount <= cap && cap <= UINT128_MAX;
  if (!areAmounts) throw refuse("has an amount that is none, or above the cap");
  if (typeof expiry !== "number" || !Number.isSafeInteger(expiry) || expiry < 1) {
    throw refuse("has an expiry that is no whole number");
  }
  return {
    grant: { owner: owner as Address, key: key as Address, cap, expiry,
      salt: hexOfLength(field("salt"), 32) },
    ownerSignature: signatureIn(field("ownerSignature")),
    payee, amount,
    keySignature: signatureIn(field("keySignature")),
  };
}

function hexOfLength(value: unknown, bytes: number): string {
  const isHex = typeof value === "string" && value.length === 2 * bytes
    && /^[0-9a-f]*$/.test(value);
  if (!isHex) throw refuse(`has bytes that are no ${bytes} in hex`);
  return value;
}

function signatureIn(value: unknown): string {
  const hex = hexOfLength(value, 65);
  try {
    readSignature(hex);
  } catch {
    throw refuse("has a signature that the vault takes from nobody");
  }
  return hex;
}
