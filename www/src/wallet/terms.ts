/**
 * What the user agreed to by their own hand: once, for a short time, for one key. The bridge lets
 * no request go beyond it.
 */

import { ownedAddress, type Address } from "./address.js";
import { baseUnits } from "./amount.js";
import type { Surroundings } from "./backend.js";
import { vaultOf, type Chain } from "./chain.js";
import { fault } from "./fault.js";
import { refuse, type GrantRequest } from "./request.js";

/** Longest that a session may last, in seconds; the vault allows no more. */
export const SESSION_SECONDS_MAX = 24 * 60 * 60;
/** How long an agreement waits for its request. */
const AGREED_SECONDS_MAX = 120;

/** What the user typed, and whose key it is for. */
export interface Terms {
  /** Address of the session's key, as the engine told it. */
  readonly key: string;
  /** Most that may be promised, in base units. */
  readonly cap: bigint;
  /** In seconds since 1970. */
  readonly expiry: number;
}

/** An agreement. */
export interface Agreement {
  readonly key: Address;
  readonly cap: bigint;
  readonly expiry: number;
  readonly madeAt: number;
}

/** Takes the user's terms, if the user is there and the terms can be. */
export function agreementOf(
  terms: Terms,
  owner: Address,
  chain: Chain,
  around: Surroundings,
): Agreement {
  mustAct(around);
  const now = around.seconds();
  const key = ownedAddress(terms.key, "the session's key");
  const token = chain.btt.is === "token" ? chain.btt.address : null;
  if (key === owner || key === vaultOf(chain) || key === token) {
    throw fault("bad-address", "the session's key is an account or a contract");
  }
  mustEnd(terms.expiry, now);
  return { key, cap: baseUnits(terms.cap, "the cap"), expiry: terms.expiry, madeAt: now };
}

/** Refuses a request that goes beyond what was agreed. */
export function mustBeAgreed(
  request: GrantRequest,
  agreed: Agreement | null,
  chain: Chain,
  now: number,
): void {
  const age = agreed === null ? 0 : now - agreed.madeAt;
  if (agreed === null || age < 0 || age > AGREED_SECONDS_MAX) {
    throw refuse("comes without the user's agreement");
  }
  if (request.chainId !== chain.id) {
    throw refuse(`names chain ${request.chainId}, agreed is ${chain.id}`);
  }
  if (request.vault !== vaultOf(chain)) throw refuse("names another vault");
  if (request.key !== agreed.key) throw refuse("names another key than the session's");
  if (request.cap < 1n || request.cap > agreed.cap) {
    throw refuse(`has a cap of ${request.cap}, agreed are ${agreed.cap}`);
  }
  mustEnd(request.expiry, now);
  if (request.expiry > agreed.expiry) {
    throw refuse(`ends at ${request.expiry}, agreed is ${agreed.expiry}`);
  }
}

/** Refuses unless the user has just clicked or pressed a key. */
export function mustAct(around: Surroundings): void {
  if (!around.isUserActing()) throw refuse("does not follow a click or a key");
}

function mustEnd(expiry: number, now: number): void {
  const isFair = Number.isSafeInteger(expiry) && expiry > now
    && expiry <= now + SESSION_SECONDS_MAX;
  if (isFair) return;
  throw refuse(`ends at ${expiry}, after ${now} and at most ${SESSION_SECONDS_MAX} s later`);
}
