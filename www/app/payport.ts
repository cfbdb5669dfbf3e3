/**
 * What the payment panel needs of the engine, and what the engine tells it. The engine's side makes
 * a port; the panel knows nothing else of it.
 */
import type { Chain, SignedGrant } from "headwater-wallet";

/** How much may be paid, and from whose grant. */
export interface Purse {
  readonly grant: SignedGrant;
  /** Most that is bid for a MiB, in base units. */
  readonly pricePerMiB: bigint;
}

/** What was bought from one seller in this session. */
export interface Purchase {
  /** How the seller is called; any text at all. */
  readonly seller: string;
  readonly bytes: number;
  readonly amount: bigint;
  /** Bytes a second from this seller, before it was paid and since. */
  readonly before: number;
  readonly after: number;
}

/** What it costs to claim. On TRON the fee is in TRX, so it is not compared with BTT. */
export interface Fee {
  readonly amount: bigint;
  readonly unit: "BTT" | "TRX";
}

/** Something the engine tells, whenever it changed. */
export type PayNews =
  | { readonly is: "spending"; spent: bigint; cap: bigint; purchases: readonly Purchase[] }
  | { readonly is: "earning"; earned: bigint; unclaimed: bigint; fee: Fee | null }
  | { readonly is: "stopped"; readonly why: string };

/** The engine, as the panel sees it. */
export interface PayPort {
  /** Address of the session's key, which was made in the engine and stays there. */
  sessionKey(): Promise<string>;
  /** Starts to buy within the grant. */
  start(purse: Purse): Promise<void>;
  /** Ends buying at once; nothing more is promised. */
  stop(): Promise<void>;
  /** Claims what was earned. */
  claim(): Promise<void>;
  /** Hears what changes until the returned function is called. */
  listen(listener: (news: PayNews) => void): () => void;
}

/** What the panel is given besides the port: a chain of each kind it may use, vaults included. */
export interface PaySetup {
  readonly chains: readonly Chain[];
}
