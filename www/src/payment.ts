/**
 * Paid priority, as a page sees it: buying is off until `start`, selling until `sell`; nothing of
 * it is loaded before it is used.
 */

import { HeadwaterError, type Torrent } from "headwater";
import init, { publicationOf as proven } from "../pkg/pay/headwater-pay.js";
import type { GrantGiven, PayTold, PayWish, TermsGiven } from "./message.js";

/** Most slots sold at once, unless a page says otherwise. */
const SLOTS = 4;
/** Most that one payer may have promised and not paid on the chain, unless told otherwise. */
const UNSECURED = 1000n * 10n ** 18n;

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

/** What a page sells. */
export interface Sale {
  /** The account that is paid, as 20 bytes in hex. */
  readonly payee: string;
  /** Least that is taken for a MiB, in base units. */
  readonly pricePerMiB: bigint;
  /** The chain, as in typed data, its vault, and a node of it that pages may ask. */
  readonly chainId: number;
  readonly vault: string;
  readonly node: string;
  /** Most slots sold at once; never more than half of all. */
  readonly slots?: number;
  /** Most that one payer may have promised and not paid on the chain, in base units. */
  readonly maxUnsecured?: bigint;
}

/** What the vault takes for a claim; bytes are hex, amounts base units. */
export interface Claim {
  readonly chainId: number;
  readonly vault: string;
  readonly owner: string;
  readonly key: string;
  readonly cap: bigint;
  readonly expiry: number;
  readonly salt: string;
  readonly ownerSignature: string;
  readonly payee: string;
  readonly amount: bigint;
  readonly keySignature: string;
}

/** A wallet that submits claims, as the wallet bridge does. */
export interface Claimer {
  readonly account: string | null;
  readonly chain: { readonly id: number; readonly vault: string | null };
  /** Has the claims submitted that `find` brings; it may be called once the user has acted. */
  claim(find: () => Promise<readonly Claim[]>): Promise<{ readonly id: string }>;
}

/** What a claim costs. On TRON that is in TRX, so it is not compared with BTT. */
export interface Fee {
  readonly amount: bigint;
  readonly unit: "BTT" | "TRX";
}

/** What payment tells, whenever it changed. */
export type PaymentNews =
  | { readonly is: "spending"; spent: bigint; cap: bigint; purchases: readonly Purchase[] }
  | EarningNews
  | { readonly is: "stopped"; readonly why: string };

/** What was earned in sessions that can still be claimed. */
export interface EarningNews {
  readonly is: "earning";
  readonly earned: bigint;
  /** What of it the chain has not paid, and about what claiming all of that costs. */
  readonly unclaimed: bigint;
  readonly fee: Fee | null;
  /** Records that could not be read; they are left as they are. */
  readonly damaged: number;
}

/** Hears payment's news. */
export type PaymentListener = (news: PaymentNews) => void;

/** Buys faster slots within what the user's wallet granted, and sells slots of this page. */
export class Payment {
  readonly #ask: (wish: PayWish) => Promise<string>;
  readonly #listeners = new Set<PaymentListener>();
  #purse: Purse | null = null;

  constructor(ask: (wish: PayWish) => Promise<string>) {
    this.#ask = ask;
  }

  /** What is bought with; `null` while nothing is. */
  get purse(): Purse | null {
    return this.#purse;
  }

  /** Address of the session's key, which is made in the engine's worker and never leaves it. */
  sessionKey(): Promise<string> {
    return this.#ask({ pay: "key" });
  }

  /** Starts to buy within the grant. */
  async start(purse: Purse): Promise<void> {
    const { grant: { grant, chainId, vault, signature }, token, pricePerMiB } = purse;
    const given: GrantGiven = {
      chain: chainId, vault, token: token ?? "0".repeat(40), owner: grant.owner, key: grant.key,
      cap: String(grant.cap), expiry: grant.expiry, salt: hex(grant.salt),
      signature: hex(signature), price: String(pricePerMiB),
    };
    await this.#ask({ pay: "start", grant: given });
    this.#purse = purse;
  }

  /** Ends buying at once; nothing more is promised. */
  async stop(): Promise<void> {
    this.#purse = null;
    await this.#ask({ pay: "stop" });
  }

  /**
   * Buys the key of a torrent's paid content, for the price that its `publication()` names and out
   * of the grant that `start` was given; then its files can be read. It is kept and never bought
   * again: a key that this browser has, or that the grant's owner bought once, costs nothing.
   * Fails with `no-publisher` when nobody who sells it answers for two minutes.
   */
  async buy(torrent: Pick<Torrent, "magnet">): Promise<void> {
    await this.#ask({ pay: "buy", magnet: torrent.magnet });
  }

  /** Whether a torrent's files can be read here: its content is free, or its key was bought. */
  async has(torrent: Pick<Torrent, "magnet">): Promise<boolean> {
    return (await this.#ask({ pay: "has", magnet: torrent.magnet })) === "yes";
  }

  /**
   * Takes up what was earned before, which news then tell. Fails with `second-tab` while another
   * tab holds it.
   */
  async recall(): Promise<void> {
    await this.#ask({ pay: "recall" });
  }

  /** Sells upload slots, once the node has said that the vault is one; again for new terms. */
  async sell({ payee, pricePerMiB, chainId, vault, node, ...more }: Sale): Promise<void> {
    const { slots = SLOTS, maxUnsecured = UNSECURED } = more;
    const terms: TermsGiven = {
      chain: chainId, vault, payee, price: String(pricePerMiB), slots,
      unsecured: String(maxUnsecured),
    };
    await this.#ask({ pay: "sell", terms, node });
  }

  /** Sells no more. What was earned stays and can be claimed. */
  async stopSelling(): Promise<void> {
    await this.#ask({ pay: "unsell" });
  }

  /**
   * Has the wallet claim what its account earned, ten sessions at most in one transaction. Answers
   * what the vault paid once that is final, which takes a minute or two.
   */
  async claim(wallet: Claimer, node: string): Promise<bigint> {
    const { account, chain: { id: chain, vault } } = wallet;
    if (account === null || vault === null) {
      throw new HeadwaterError("wallet-disconnected", "no account is connected");
    }
    let found: ClaimsTold | null = null;
    const find = async (): Promise<readonly Claim[]> => {
      found = readClaims(await this.#ask({ pay: "claim", account, chain, vault, node }));
      if (found.offered.length > 0) return found.offered;
      const why = found.why ?? "nothing of this account is open at this vault";
      throw new HeadwaterError("nothing-to-claim", why);
    };
    let id: string | null = null;
    try {
      ({ id } = await wallet.claim(find));
    } catch (thrown) {
      // Closures assign, which the compiler does not follow.
      const { offered, paid } = (found as ClaimsTold | null) ?? { offered: [], paid: 0n };
      if (offered.length > 0) await this.#ask({ pay: "submitted", id: null });
      else if (paid > 0n) return paid;
      throw thrown;
    }
    const { paid, why } = readClaims(await this.#ask({ pay: "submitted", id }));
    if (paid === 0n && why !== null) throw new HeadwaterError("claim-unsettled", why);
    return paid;
  }

  /** Hears what changes until the returned function is called. */
  listen(listener: PaymentListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes the worker's news. */
  hear(told: PayTold): void {
    const news = readNews(told);
    if (news.is === "stopped") this.#purse = null;
    for (const listener of this.#listeners) listener(news);
  }
}

/** What a torrent's link says of its publisher; `null` where nothing is said, or not proven. */
export async function publicationOf(magnet: string): Promise<Publication | null> {
  await init({ module_or_path: new URL("headwater-pay.wasm", import.meta.url) });
  const told = proven(magnet);
  return told === undefined ? null : readAmounts(told) as Publication;
}

/** What the worker tells of claims. */
interface ClaimsTold {
  readonly offered: readonly Claim[];
  readonly paid: bigint;
  readonly why: string | null;
}

const AMOUNTS = ["spent", "cap", "amount", "earned", "unclaimed", "paid", "tip", "price"];

function readNews(told: PayTold): PaymentNews {
  if ("stopped" in told) return { is: "stopped", why: told.stopped };
  const [is, json] = "earning" in told ? ["earning", told.earning] : ["spending", told.spending];
  return { is, ...(readAmounts(json) as object) } as PaymentNews;
}

function readClaims(told: string): ClaimsTold {
  return readAmounts(told) as ClaimsTold;
}

function readAmounts(json: string): unknown {
  return JSON.parse(json, (key, value) =>
    AMOUNTS.includes(key) && value !== null ? BigInt(value) : value);
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
