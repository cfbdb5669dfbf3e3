/**
 * What the wallet bundle gives to the page: finding wallets, opening one on a chain, amounts as
 * text. Loaded only when payments are switched on. The makers of typed data and of calls stay in.
 */

import type { FoundWallet } from "./announced.js";
import { BROWSER, type Surroundings } from "./backend.js";
import { Bridge } from "./bridge.js";
import type { Chain } from "./chain.js";
import { EvmWallet } from "./evm.js";
import { TronWallet } from "./tron.js";

/** Opens a found wallet on a chain. Nothing is asked of it before `connect`. */
export function openBridge(
  found: FoundWallet,
  chain: Chain,
  around: Surroundings = BROWSER,
  place: EventTarget = window,
): Bridge {
  const wallet = found.kind === "tron" ? new TronWallet(found, around, place)
    : new EvmWallet(found, around);
  return new Bridge(wallet, chain, around);
}

export { HeadwaterError } from "../error.js";
export { addressText, readAddress, type Address, type ChainKind } from "./address.js";
export { amountText, parseAmount, BTT_DECIMALS, UINT128_MAX } from "./amount.js";
export type { FoundWallet } from "./announced.js";
export type { Receipt, Surroundings, WalletChange } from "./backend.js";
export { Bridge, type Balance, type SignedGrant, type Step } from "./bridge.js";
export { CLAIMS_MAX, type ClaimRequest } from "./claims.js";
export { CHAINS, testLedger, withVault, type Chain } from "./chain.js";
export { Discovery } from "./discovery.js";
export type { HistoryEntry } from "./log.js";
export { SESSION_SECONDS_MAX, type Terms } from "./terms.js";
export type { Grant } from "./typed.js";
