/**
 * Paid priority, as a page sees it. Off until `start`; nothing of it is loaded before it is used.
 */

import init, { publicationOf as proven } from "../pkg/pay/headwater-pay.js";
import type { GrantGiven, PayTold, PayWish } from "./message.js";

/** An account as `0x` and 40 hex digits. */
type Account = `0x${string}`;

/**
 * What a torrent says of its publisher, found to be signed by that publisher for this torrent.
 * Anybody may sign for any torrent: show whom it names before anything is paid.
 */
export interface Publication {
  /** The chain's id: 728126428 is TRON. */
  readonly chain: number;
  /** The vault in which prices are paid; zeros where there are only tips. */
  readonly vault: Account;
  /** The token of tips and prices; zeros for the chain's own coin. */
  readonly token: Account;
  /** Who gets them. */
  readonly payee: Account;
  /** The address of the key that signed. */
  readonly publisher: Account;
  /** A tip that is suggested, in base units. */
  readonly tip: bigint | null;
  /** What the content costs, in base units; `null` where it is free. */
  readonly price: bigint | null;
}

/** A grant that the user's wallet signed, and how it is to be used. */
export interface Purse {
  readonly grant: {
    readonly grant: {
      readonly owner: string;
      readonly key: string;
      readonly cap: bigint;
      readonly expiry: number;
      readonly salt: Uint8Array;
    };
    readonly chainId: number;
    readonly vault: string;
    readonly signature: Uint8Array;
  };
  /** The token that the vault holds; `null` for the chain's own coin. */
  readonly token: string | null;
  /** Most that is bid for a MiB, in base units. */
  readonly pricePerMiB: bigint;
}

/** What was bought from one seller; amounts are in base units, speeds in bytes a second. */
export interface Purchase {
  /** The account that was paid, as 20 bytes in hex. */
  readonly seller: string;
  readonly bytes: number;
  readonly amount: bigint;
  /** How fast it came before it was paid for, and since. */
  readonly before: number;
  readonly after: number;
}

/** What payment tells, whenever it changed. */
export type PaymentNews =
  | { readonly is: "spending"; spent: bigint; cap: bigint; purchases: readonly Purchase[] }
  | { readonly is: "stopped"; readonly why: string };

/** Hears payment's news. */
export type PaymentListener = (news: PaymentNews) => void;

/** Buys faster slots within what the user's wallet granted. */
export class Payment {
  readonly #ask: (wish: PayWish) => Promise<string>;
  readonly #listeners = new Set<PaymentListener>();

  constructor(ask: (wish: PayWish) => Promise<string>) {
    this.#ask = ask;
  }

  /** Address of the session's key, which is made in the engine's worker and never leaves it. */
  sessionKey(): Promise<string> {
    return this.#ask({ pay: "key" });
  }

  /** Starts to buy within the grant. */
  async start({ grant: { grant, chainId, vault, signature }, token, pricePerMiB }: Purse) {
    const given: GrantGiven = {
      chain: chainId, vault, token: token ?? "0".repeat(40), owner: grant.owner, key: grant.key,
      cap: String(grant.cap), expiry: grant.expiry, salt: hex(grant.salt),
      signature: hex(signature), price: String(pricePerMiB),
    };
    await this.#ask({ pay: "start", grant: given });
  }

  /** Ends buying at once; nothing more is promised. */
  async stop(): Promise<void> {
    await this.#ask({ pay: "stop" });
  }

  /** Hears what changes until the returned function is called. */
  listen(listener: PaymentListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes the worker's news. */
  hear(told: PayTold): void {
    const news = readNews(told);
    for (const listener of this.#listeners) listener(news);
  }
}

/** What a torrent's link says of its publisher; `null` where nothing is said, or not proven. */
export async function publicationOf(magnet: string): Promise<Publication | null> {
  await init({ module_or_path: new URL("headwater-pay.wasm", import.meta.url) });
  const told = proven(magnet);
  const amounts = ["tip", "price"];
  return told === undefined ? null : JSON.parse(told, (key, value) =>
    amounts.includes(key) && value !== null ? BigInt(value) : value);
}

function readNews(told: PayTold): PaymentNews {
  if ("stopped" in told) return { is: "stopped", why: told.stopped };
  const amounts = ["spent", "cap", "amount"];
  return JSON.parse(told.spending, (key, value) =>
    key === "" ? { is: "spending", ...value } : amounts.includes(key) ? BigInt(value) : value);
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
