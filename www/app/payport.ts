/**
 * What the payment panel needs of the engine, and what the engine tells it. The engine's side makes
 * a port; the panel knows nothing else of it.
 */
import type { Chain } from "headwater-wallet";
import type { Claimer, PaymentNews, Purse, Sale } from "headwater";

export type { Fee, PaymentNews as PayNews, Purchase, Purse, Sale } from "headwater";

/** The engine, as the panel sees it; `Payment` is one. */
export interface PayPort {
  /** Address of the session's key, which was made in the engine and stays there. */
  sessionKey(): Promise<string>;
  /** Starts to buy within the grant. */
  start(purse: Purse): Promise<void>;
  /** Ends buying at once; nothing more is promised. */
  stop(): Promise<void>;
  /** Takes up what was earned before; news tell of it. */
  recall(): Promise<void>;
  /** Sells upload slots. */
  sell(sale: Sale): Promise<void>;
  /** Sells no more. */
  stopSelling(): Promise<void>;
  /** Has the wallet claim what its account earned; answers what the vault paid. */
  claim(wallet: Claimer, node: string): Promise<bigint>;
  /** Hears what changes until the returned function is called. */
  listen(listener: (news: PaymentNews) => void): () => void;
}

/** What the panel is given besides the port. */
export interface PaySetup {
  /** A chain of each kind it may use, vaults included. */
  readonly chains: readonly Chain[];
  /** A node of the chain that pages may ask; nothing is sold or claimed without it. */
  readonly node?: string;
  /** Limits all upload to so many bytes a second, or not: what is sold goes first within it. */
  limitUpload?(bytes: number | null): Promise<void>;
}
