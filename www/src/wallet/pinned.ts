/**
 * The parts of an injected TronWeb that are used, as they were when the user connected. Whoever
 * exchanges one later is found out before the user is asked anything.
 */

import { readAddress, type Address } from "./address.js";
import { fault } from "./fault.js";
import { method, peek } from "./peek.js";

const TRX = ["sign", "sendRawTransaction"] as const;
const BUILDER = ["triggerSmartContract", "triggerConstantContract", "sendToken"] as const;
const SIGN_TYPED = ["_signTypedData", "signTypedData"] as const;
/** The first answers as soon as a block holds a transaction, the second a minute later. */
const INFO = ["getUnconfirmedTransactionInfo", "getTransactionInfo"] as const;
const BLOCK = ["getBlockByNumber", "getBlock"] as const;

type Method = (...given: unknown[]) => unknown;

interface Pin {
  readonly holder: "trx" | "transactionBuilder";
  readonly name: string;
  readonly found: unknown;
  /** Some wallets make a new function each time they are looked at; those cannot be compared. */
  readonly isSteady: boolean;
  readonly call: Method;
}

/** A TronWeb, pinned. */
export class PinnedTronWeb {
  readonly #provider: unknown;
  readonly #tronWeb: unknown;
  readonly #isSteady: boolean;
  readonly #pins: readonly Pin[];

  constructor(provider: unknown) {
    this.#provider = provider;
    this.#tronWeb = peek(provider, "tronWeb");
    this.#isSteady = peek(provider, "tronWeb") === this.#tronWeb;
    const names = [...TRX, ...SIGN_TYPED, ...INFO, ...BLOCK].map((name) => ["trx", name] as const);
    const builders = BUILDER.map((name) => ["transactionBuilder", name] as const);
    this.#pins = [...names, ...builders].flatMap(([holder, name]) => {
      const from = peek(this.#tronWeb, holder);
      const call = method(from, name);
      if (call === null) return [];
      const found = peek(from, name);
      const isSteady = peek(peek(this.#tronWeb, holder), name) === found;
      return [{ holder, name, found, isSteady, call }];
    });
    if (!this.#pins.some(({ name }) => name === "sign")) {
      throw fault("wallet-locked", "the wallet gives no TronWeb: it is locked");
    }
  }

  /** The account that the wallet is on; `null` while it is locked. */
  get account(): Address | null {
    return readAddress(peek(peek(this.#tronWeb, "defaultAddress"), "base58"));
  }

  /** Calls the first of these methods that there is, and only if nobody exchanged it. */
  call(names: readonly string[], ...given: unknown[]): unknown {
    this.mustBeSame();
    const pin = names.flatMap((name) => this.#pins.filter((each) => each.name === name))[0];
    if (pin === undefined) throw fault("wallet-unsupported", `the wallet has no ${names[0]}`);
    return pin.call(...given);
  }

  /** Signs typed data. */
  signTyped(domain: unknown, types: unknown, message: unknown): unknown {
    return this.call(SIGN_TYPED, domain, types, message);
  }

  /** What a block says of a transaction. */
  info(id: string): unknown {
    return this.call(INFO, id);
  }

  /** The chain's first block. */
  firstBlock(): unknown {
    return this.call(BLOCK, 0);
  }

  /** Refuses when the wallet's object is another than the one the user connected. */
  mustBeSame(): void {
    const isSame = !this.#isSteady || peek(this.#provider, "tronWeb") === this.#tronWeb;
    const isWhole = this.#pins.every((pin) => !pin.isSteady
      || peek(peek(this.#tronWeb, pin.holder), pin.name) === pin.found);
    if (isSame && isWhole) return;
    throw fault("wallet-disconnected", "the wallet was exchanged: connect again");
  }
}
