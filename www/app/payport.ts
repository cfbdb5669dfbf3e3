/**
 * What the payment panel needs of the engine, and what the engine tells it. The engine's side makes
 * a port; the panel knows nothing else of it.
 */
import type { Chain } from "headwater-wallet";
import type { PaymentNews, Purse } from "headwater";

export type { Purchase, Purse } from "headwater";

/** What it costs to claim. On TRON the fee is in TRX, so it is not compared with BTT. */
export interface Fee {
  readonly amount: bigint;
  readonly unit: "BTT" | "TRX";
}

/** Something the engine tells, whenever it changed. */
export type PayNews =
  | PaymentNews
  | { readonly is: "earning"; earned: bigint; unclaimed: bigint; fee: Fee | null };

/** The engine, as the panel sees it; `Payment` is one. */
export interface PayPort {
  /** Address of the session's key, which was made in the engine and stays there. */
  sessionKey(): Promise<string>;
  /** Starts to buy within the grant. */
  start(purse: Purse): Promise<void>;
  /** Ends buying at once; nothing more is promised. */
  stop(): Promise<void>;
  /** Claims what was earned; an engine that only buys has no such thing. */
  claim?(): Promise<void>;
  /** Hears what changes until the returned function is called. */
  listen(listener: (news: PayNews) => void): () => void;
}

/** What the panel is given besides the port: a chain of each kind it may use, vaults included. */
export interface PaySetup {
  readonly chains: readonly Chain[];
}
