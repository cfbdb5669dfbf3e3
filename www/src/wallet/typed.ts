/**
 * The one thing a wallet signs off the chain: a grant, as typed data with its cap, expiry and
 * vault in plain sight. Built from checked fields only.
 */

import { addressText, hexOf, type Address } from "./address.js";
import { build } from "./built.js";
import { vaultOf, type Chain } from "./chain.js";

/** What a wallet allows a session's key to promise. */
export interface Grant {
  readonly owner: Address;
  readonly key: Address;
  readonly cap: bigint;
  /** In seconds since 1970. */
  readonly expiry: number;
  /** 32 bytes. */
  readonly salt: Uint8Array;
}

/** A field of a structure, as EIP-712 and TIP-712 name them. */
export interface Field {
  readonly name: string;
  readonly type: string;
}

/** Typed data as wallets take it. */
export interface TypedData {
  readonly domain: {
    readonly name: string;
    readonly version: string;
    /** A Number: TronLink takes no other kind. */
    readonly chainId: number;
    readonly verifyingContract: string;
  };
  readonly types: { readonly Grant: readonly Field[] };
  readonly message: {
    readonly owner: string;
    readonly key: string;
    readonly cap: string;
    readonly expiry: string;
    readonly salt: string;
  };
}

/** The name in the domain; the vault computes the same. */
const DOMAIN_NAME = "Headwater";
const DOMAIN_VERSION = "1";

/** The domain's own type, which EVM wallets want beside the others. */
export const DOMAIN_TYPE: readonly Field[] = [
  { name: "name", type: "string" },
  { name: "version", type: "string" },
  { name: "chainId", type: "uint256" },
  { name: "verifyingContract", type: "address" },
];

/** Builds the typed data of a grant on this chain's vault. */
export function typedGrant(chain: Chain, grant: Grant): Readonly<TypedData> {
  const text = (address: Address): string => addressText(address, chain.kind);
  return build({
    domain: {
      name: DOMAIN_NAME,
      version: DOMAIN_VERSION,
      chainId: chain.id,
      verifyingContract: text(vaultOf(chain)),
    },
    types: {
      Grant: [
        { name: "owner", type: "address" },
        { name: "key", type: "address" },
        { name: "cap", type: "uint128" },
        { name: "expiry", type: "uint64" },
        { name: "salt", type: "bytes32" },
      ],
    },
    message: {
      owner: text(grant.owner),
      key: text(grant.key),
      cap: grant.cap.toString(),
      expiry: grant.expiry.toString(),
      salt: `0x${hexOf(grant.salt)}`,
    },
  });
}
