/**
 * Finds wallets: those that announce themselves (TIP-6963, EIP-6963) and those that sit on
 * `window`. Goes on listening, since a wallet may arrive after the page. Trusts none of them.
 */

import {
  fromOldWindow, fromWindow, LEGACY_NAME, readAnnouncement, type FoundWallet,
} from "./announced.js";
import { peek } from "./peek.js";

/** Most wallets listed; whoever announces more is up to something. */
const WALLETS_MAX = 16;
/** Announcements that are read at all. */
const ANNOUNCEMENTS_MAX = 256;
/** When `window` is looked at again after the first time, in milliseconds. */
const LOOKS = [100, 400, 1500, 4000];

const ANNOUNCED = [
  ["tron", "TIP6963:announceProvider"],
  ["evm", "eip6963:announceProvider"],
] as const;
const REQUESTS = ["TIP6963:requestProvider", "eip6963:requestProvider"];
/** Said by wallets that have just put themselves on `window`. */
const ARRIVALS = ["tronLink#initialized", "tron#initialized", "ethereum#initialized"];

/** Looks for wallets until it is closed. */
export class Discovery {
  readonly #stop = new AbortController();
  readonly #place: EventTarget;
  readonly #onFound: (wallets: readonly FoundWallet[]) => void;
  #wallets: FoundWallet[] = [];
  #announcements = 0;

  constructor(onFound: (wallets: readonly FoundWallet[]) => void, place: EventTarget = window) {
    this.#place = place;
    this.#onFound = onFound;
    const { signal } = this.#stop;
    for (const [kind, event] of ANNOUNCED) {
      place.addEventListener(event, (said) => {
        this.#announcements += 1;
        if (this.#announcements > ANNOUNCEMENTS_MAX) return;
        this.#take(readAnnouncement(kind, peek(said, "detail")));
      }, { signal });
    }
    for (const event of ARRIVALS) place.addEventListener(event, () => this.look(), { signal });
    for (const ms of LOOKS) {
      const timer = setTimeout(() => this.look(), ms);
      signal.addEventListener("abort", () => clearTimeout(timer));
    }
    this.look();
  }

  /** What was found so far. */
  get wallets(): readonly FoundWallet[] {
    return this.#wallets;
  }

  /** Asks and looks once more. */
  look(): void {
    for (const request of REQUESTS) this.#place.dispatchEvent(new Event(request));
    this.#take(fromWindow("tron", peek(this.#place, "tron")));
    this.#take(fromWindow("evm", peek(this.#place, "ethereum")));
    const old = peek(this.#place, "tronLink");
    this.#take(fromOldWindow(old, true));
    if (old === undefined) this.#take(this.#bareTronWeb());
  }

  /** Stops looking. */
  close(): void {
    this.#stop.abort();
  }

  /** The oldest wallets inject TronWeb alone, which is connected as soon as it has an address. */
  #bareTronWeb(): FoundWallet | null {
    const tronWeb = peek(this.#place, "tronWeb");
    if (typeof peek(peek(tronWeb, "trx"), "sign") !== "function") return null;
    // `request` answers as TronLink does for a site that is connected already.
    return fromOldWindow({ tronWeb, request: async () => ({ code: 200 }) }, false);
  }

  #take(found: FoundWallet | null): void {
    if (found === null || this.#wallets.some((known) => isSame(known, found))) return;
    const kept = this.#wallets.filter((known) => !isReplacedBy(known, found));
    if (kept.length >= WALLETS_MAX) return;
    this.#wallets = [...kept, found];
    this.#onFound(this.#wallets);
  }
}

/** Whether a wallet is listed already, perhaps by another way in. */
function isSame(known: FoundWallet, found: FoundWallet): boolean {
  if (known.kind !== found.kind) return false;
  if (known.provider === found.provider) return !isReplacedBy(known, found);
  if (found.uuid !== "" && found.uuid === known.uuid) return true;
  if (found.rdns !== "" && found.rdns === known.rdns) return true;
  if (found.isLegacy) return isOlderWayIn(found, known);
  return found.uuid === "" && !known.isLegacy && isTwin(known, found);
}

/** Whether what was found is the same wallet by a better way in. */
function isReplacedBy(known: FoundWallet, found: FoundWallet): boolean {
  if (known.kind !== found.kind) return false;
  if (known.isLegacy) return !found.isLegacy && isOlderWayIn(known, found);
  const isNamed = known.uuid === "" && found.uuid !== "";
  return isNamed && (known.provider === found.provider || isTwin(known, found));
}

/**
 * One TronLink shows itself in three ways, the older ones for who knows no newer. A bare TronWeb
 * says not whose it is, and every wallet injects one.
 */
function isOlderWayIn(old: FoundWallet, other: FoundWallet): boolean {
  return isTwin(old, other) || other.name === old.name || old.name !== LEGACY_NAME;
}

/** TronLink gives `window` and announcements two objects around one TronWeb. */
function isTwin(known: FoundWallet, found: FoundWallet): boolean {
  const tronWeb = tronWebOf(known);
  return typeof tronWeb === "object" && tronWeb !== null && tronWeb === tronWebOf(found);
}

function tronWebOf(found: FoundWallet): unknown {
  return peek(found.provider, "tronWeb");
}
