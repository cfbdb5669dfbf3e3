/**
 * What Headwater needs of a wallet, whichever kind it is. Backends say no to whatever was not
 * built in this folder; they keep no key and see none.
 */

import type { Address, ChainKind } from "./address.js";
import type { Call, Question } from "./call.js";
import type { Chain } from "./chain.js";
import type { TypedData } from "./typed.js";

/** What changed in a wallet. */
export type WalletChange =
  | { readonly is: "account"; readonly account: Address | null }
  | { readonly is: "chain"; readonly chainId: number | null }
  | { readonly is: "gone" };

/** An entry that a contract wrote while a transaction ran. */
export interface Log {
  readonly address: Address;
  /** Hex with `0x`. */
  readonly topics: readonly string[];
  /** Hex without `0x`. */
  readonly data: string;
}

/** A transaction that a block holds and that did what it should. */
export interface Receipt {
  readonly id: string;
  readonly logs: readonly Log[];
}

/** A wallet. Every method may fail with a `HeadwaterError`. */
export interface Wallet {
  readonly kind: ChainKind;
  readonly name: string;
  /** The account that was connected; `null` before, and after it was changed or taken away. */
  readonly account: Address | null;
  /** Asks the wallet for its account; a second call joins the first. */
  connect(): Promise<Address>;
  /** Asks the wallet for its chain. */
  chainId(): Promise<number>;
  /** Has the wallet change to a chain, and sees that it did. */
  switchChain(chain: Chain): Promise<void>;
  /** Has typed data signed that `typed.ts` built. */
  signTyped(data: Readonly<TypedData>): Promise<Uint8Array>;
  /** Has a call sent that `call.ts` built; resolves when its receipt says that it succeeded. */
  send(call: Readonly<Call>): Promise<Receipt>;
  /** Asks a contract; the answer is hex. */
  ask(question: Question): Promise<string>;
  /** The account's coins in their base units: sun on TRON. */
  coins(): Promise<bigint>;
  /** Hears of changes until the returned function is called. */
  listen(listener: (change: WalletChange) => void): () => void;
  /** Lets go of the wallet. */
  close(): void;
}

/** What time, chance and the user's hand are, so that tests can be them. */
export interface Surroundings {
  /** Seconds since 1970. */
  seconds(): number;
  sleep(ms: number): Promise<void>;
  random(bytes: Uint8Array<ArrayBuffer>): void;
  /** Whether the user has just clicked or pressed a key. */
  isUserActing(): boolean;
}

/** The browser's own. */
export const BROWSER: Surroundings = {
  seconds: () => Math.floor(Date.now() / 1000),
  sleep: (ms) => new Promise((done) => setTimeout(done, ms)),
  random: (bytes) => void crypto.getRandomValues(bytes),
  isUserActing: () => navigator.userActivation?.isActive ?? false,
};
