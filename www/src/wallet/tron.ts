/**
 * A wallet that injects TronWeb: TIP-1193 with TIP-1102, or the older TronLink. Signs and sends
 * through the wallet's own TronWeb, as it was when the user connected; checks account and chain
 * again before each prompt, and every answer after it.
 */

import { encodeValues, revertReason, SHAPES, tronValues } from "./abi.js";
import { addressText, bytesOf, readAddress, type Address } from "./address.js";
import type { FoundWallet } from "./announced.js";
import type { Receipt, Surroundings, Wallet, WalletChange } from "./backend.js";
import { mustBeBuilt } from "./built.js";
import type { Call, Question } from "./call.js";
import { chainHex, readChainId, type Chain } from "./chain.js";
import { FEE_LIMIT_SUN, mustCarry, signedId } from "./envelope.js";
import { fault, faultFrom } from "./fault.js";
import { readLogs } from "./log.js";
import { items, method, peek, plainText } from "./peek.js";
import { PinnedTronWeb } from "./pinned.js";
import { hear, Listeners, Prompts } from "./prompt.js";
import { readSignature } from "./signature.js";
import type { TypedData } from "./typed.js";

/** How often a transaction's block is asked for, and how long each waits: blocks take 3 s. */
const RECEIPT_TRIES_MAX = 60;
const RECEIPT_MS = 3000;
const WORDS_MAX = 200;

/** What the older TronLink posts to its own window when something changed. */
const CHANGES = ["accountsChanged", "setAccount", "setNode", "disconnect", "disconnectWeb"];

type Request = (call: { method: string; params?: unknown[] }) => unknown;

/** A TRON wallet. */
export class TronWallet implements Wallet {
  readonly kind = "tron";
  readonly name: string;
  readonly #found: FoundWallet;
  readonly #request: Request;
  readonly #around: Surroundings;
  readonly #prompts = new Prompts();
  readonly #listeners = new Listeners<WalletChange>();
  readonly #unlisten: readonly (() => void)[];
  #tronWeb: PinnedTronWeb | null = null;
  #account: Address | null = null;
  #connecting: Promise<Address> | null = null;

  constructor(found: FoundWallet, around: Surroundings, place: EventTarget) {
    const request = method(found.provider, "request");
    if (request === null) throw fault("wallet-missing", "the wallet takes no requests");
    this.name = found.name;
    this.#found = found;
    this.#request = request as Request;
    this.#around = around;
    this.#unlisten = found.isLegacy ? [this.#hearPosts(place)] : this.#hearEvents(found.provider);
  }

  get account(): Address | null {
    return this.#account;
  }

  connect(): Promise<Address> {
    this.#connecting ??= this.#connect().finally(() => (this.#connecting = null));
    return this.#connecting;
  }

  async chainId(): Promise<number> {
    const told = this.#found.isLegacy ? null : await this.#toldChainId();
    if (told !== null) return told;
    const tronWeb = this.#pinned();
    const id = peek(await this.#plainly("the chain", () => tronWeb.firstBlock()), "blockID");
    const isId = typeof id === "string" && /^[0-9a-fA-F]{64}$/.test(id);
    const chainId = isId ? readChainId(`0x${id.slice(-8)}`) : null;
    if (chainId === null) throw fault("wallet-bad-answer", "the wallet names no chain");
    return chainId;
  }

  async switchChain(chain: Chain): Promise<void> {
    if ((await this.chainId()) === chain.id) return;
    if (this.#found.isLegacy) {
      throw fault("wallet-wrong-chain", `change to ${chain.name} inside the wallet`);
    }
    const params = [{ chainId: chainHex(chain) }];
    const ask = (): unknown => this.#request({ method: "wallet_switchEthereumChain", params });
    await this.#prompts.open(`changing to ${chain.name}`, ask, () => undefined);
    await this.#mustBeOn(chain.id);
  }

  async signTyped(data: Readonly<TypedData>): Promise<Uint8Array> {
    mustBeBuilt(data, "the typed data");
    const owner = this.#mustBe(readAddress(data.message.owner));
    await this.#mustBeOn(data.domain.chainId);
    this.#mustBe(owner);
    // A copy, since some wallets write into what they get.
    const { domain, types, message } = structuredClone(data) as TypedData;
    const ask = (): unknown => this.#pinned().signTyped(domain, types, message);
    const signature = await this.#prompts.open("the grant", ask, readSignature);
    this.#mustBe(owner);
    return signature;
  }

  async send(call: Readonly<Call>): Promise<Receipt> {
    mustBeBuilt(call, "the transaction");
    const from = this.#mustBe(this.#account);
    const tronWeb = this.#pinned();
    const unsigned = await this.#plainly("the transaction", () => this.#make(call, from));
    mustCarry(unsigned, call, from);
    this.#mustBe(from);
    const sign = (): unknown => tronWeb.call(["sign"], unsigned);
    const signed = await this.#prompts.open("the transaction", sign, (answer) => {
      signedId(answer, unsigned);
      return answer;
    });
    const id = signedId(signed, unsigned);
    const send = (): unknown => tronWeb.call(["sendRawTransaction"], signed);
    const answer = await this.#plainly("sending", send);
    if (peek(answer, "result") !== true) throw notTaken(answer);
    return this.#receipt(id, call);
  }

  async ask(question: Question): Promise<string> {
    const { to, name, values } = question;
    const from = this.#account === null ? to : this.#account;
    const answer = await this.#plainly(name, () => this.#pinned().call(
      ["triggerConstantContract"], addressText(to, "tron"), SHAPES[name].signature, {},
      tronValues(values), addressText(from, "tron"),
    ));
    const [result] = items(peek(answer, "constant_result"), 1) ?? [];
    const isRevert = peek(peek(answer, "result"), "message") !== undefined;
    if (isRevert || typeof result !== "string") {
      throw fault("wallet-bad-answer", `${name} was not answered: ${revertReason(result)}`);
    }
    return result;
  }

  coins(): Promise<bigint> {
    return Promise.reject(fault("wallet-unsupported", "BTT is no coin of TRON"));
  }

  listen(listener: (change: WalletChange) => void): () => void {
    return this.#listeners.add(listener);
  }

  close(): void {
    for (const unlisten of this.#unlisten) unlisten();
    this.#listeners.clear();
    this.#prompts.close();
    this.#account = null;
    this.#tronWeb = null;
  }

  async #connect(): Promise<Address> {
    const { isLegacy, provider } = this.#found;
    const name = isLegacy ? "tron_requestAccounts" : "eth_requestAccounts";
    const ask = (): unknown => this.#request({ method: name });
    const said = await this.#prompts.open("connecting", ask, isLegacy ? readLegacy : readAccount);
    const tronWeb = new PinnedTronWeb(provider);
    const account = tronWeb.account;
    if (account === null) throw fault("wallet-locked", "the wallet is locked");
    if (said !== null && said !== account) {
      throw fault("wallet-bad-answer", "the wallet names two accounts at once");
    }
    this.#tronWeb = tronWeb;
    this.#account = account;
    return account;
  }

  async #toldChainId(): Promise<number | null> {
    try {
      return readChainId(await this.#request({ method: "eth_chainId" }));
    } catch {
      // Many wallets know no such request; the first block says it too.
      return null;
    }
  }

  #pinned(): PinnedTronWeb {
    if (this.#tronWeb === null) throw fault("wallet-disconnected", "no account is connected");
    this.#tronWeb.mustBeSame();
    return this.#tronWeb;
  }

  /** Refuses when the wallet's account is not the one that was connected. */
  #mustBe(account: Address | null): Address {
    const now = this.#pinned().account;
    if (now === null) throw fault("wallet-locked", "the wallet is locked");
    if (account === null || now !== account || this.#account !== account) {
      throw fault("wallet-wrong-account", "the wallet changed to another account");
    }
    return account;
  }

  async #mustBeOn(wanted: number): Promise<void> {
    const id = await this.chainId();
    if (id === wanted) return;
    throw fault("wallet-wrong-chain", `the wallet is on chain ${id}, wanted is ${wanted}`);
  }

  async #make(call: Readonly<Call>, from: Address): Promise<unknown> {
    const owner = addressText(from, "tron");
    const to = addressText(call.to, "tron");
    const tronWeb = this.#pinned();
    switch (call.is) {
      case "contract": {
        const plain = tronValues(call.values);
        const options = {
          feeLimit: FEE_LIMIT_SUN, callValue: Number(call.coins),
          // TronWeb encodes words only; structures are handed over as they are.
          ...(plain === null ? { rawParameter: encodeValues(call.values) } : {}),
        };
        const made = await tronWeb.call(["triggerSmartContract"], to,
          SHAPES[call.name].signature, options, plain ?? [], owner);
        return peek(made, "transaction");
      }
      case "asset":
        return tronWeb.call(["sendToken"], to, exactNumber(call.amount), call.id, owner);
      case "coin":
        throw fault("wallet-unsupported", "BTT is no coin of TRON");
    }
  }

  async #plainly(doing: string, ask: () => unknown): Promise<unknown> {
    try {
      return await ask();
    } catch (thrown) {
      throw faultFrom(thrown, doing);
    }
  }

  async #receipt(id: string, call: Readonly<Call>): Promise<Receipt> {
    for (let tries = 0; tries < RECEIPT_TRIES_MAX; tries += 1) {
      const info = await this.#plainly("the receipt", () => this.#pinned().info(id));
      if (peek(info, "id") !== undefined) {
        mustHaveWorked(info, call);
        return { id, logs: readLogs(peek(info, "log")) };
      }
      await this.#around.sleep(RECEIPT_MS);
    }
    throw fault("transaction-unconfirmed", `no block holds transaction ${id} yet`);
  }

  #hearEvents(provider: object): (() => void)[] {
    return [
      hear(provider, "accountsChanged", (said) => this.#accountIs(items(said, 1)?.[0])),
      hear(provider, "chainChanged", (said) => {
        const chainId = readChainId(peek(said, "chainId") ?? said);
        this.#listeners.tell({ is: "chain", chainId });
      }),
      hear(provider, "disconnect", () => {
        this.#account = null;
        this.#listeners.tell({ is: "gone" });
      }),
    ];
  }

  /** Anybody can post such a message, so it only says that it is time to look. */
  #hearPosts(place: EventTarget): () => void {
    const heard = (event: Event): void => {
      const action = peek(peek(peek(event, "data"), "message"), "action");
      if (typeof action !== "string" || !CHANGES.includes(action)) return;
      const tronWeb = peek(this.#found.provider, "tronWeb");
      this.#accountIs(peek(peek(tronWeb, "defaultAddress"), "base58"));
    };
    place.addEventListener("message", heard);
    return () => place.removeEventListener("message", heard);
  }

  #accountIs(said: unknown): void {
    const account = readAddress(said);
    if (account === this.#account) return;
    // Whoever is there has not been asked for; it counts after the next `connect`.
    this.#account = null;
    this.#listeners.tell({ is: "account", account });
  }
}

function readAccount(answer: unknown): Address {
  const accounts = items(answer, 1);
  if (accounts?.length === 0) throw fault("wallet-locked", "the wallet is locked");
  const address = readAddress(accounts?.[0]);
  if (address === null) throw fault("wallet-bad-answer", "the wallet names no account");
  return address;
}

/** The older TronLink answers refusals instead of throwing them, and nothing while locked. */
function readLegacy(answer: unknown): null {
  const code = peek(answer, "code");
  if (code === 200) return null;
  if (typeof code === "number") throw answer;
  throw fault("wallet-locked", "the wallet is locked");
}

/** TronWeb takes these amounts as Numbers, which are exact only so far. */
function exactNumber(amount: bigint): number {
  const number = Number(amount);
  if (Number.isSafeInteger(number)) return number;
  throw fault("bad-amount", `the tip is ${amount}, at most ${Number.MAX_SAFE_INTEGER}`);
}

function notTaken(answer: unknown): Error {
  const code = plainText(peek(answer, "code"), WORDS_MAX);
  return fault("wallet-failed", `the chain refused the transaction: ${code} ${saidBy(answer)}`);
}

function mustHaveWorked(info: unknown, call: Readonly<Call>): void {
  const result = peek(peek(info, "receipt"), "result");
  const [answer] = items(peek(info, "contractResult"), 1) ?? [];
  const isContract = call.is === "contract";
  const hasWorked = peek(info, "result") !== "FAILED"
    && (isContract ? result === "SUCCESS" : result === undefined || result === "SUCCESS");
  if (!hasWorked) {
    const why = revertReason(answer) || saidBy(peek(info, "resMessage")) || String(result ?? "");
    throw fault("transaction-reverted", `the contract refused: ${plainText(why, WORDS_MAX)}`);
  }
  // A token may say no by answering false.
  if (isContract && typeof answer === "string" && /^0{64}$/.test(answer)) {
    throw fault("transaction-reverted", `the token answered false to ${call.name}`);
  }
}

/** A node's message, which is hex unless it was asked to be text. */
function saidBy(answer: unknown): string {
  const text = typeof answer === "string" ? answer : peek(answer, "message");
  if (typeof text !== "string" || text.length > 4 * WORDS_MAX) return "";
  const isHex = text.length % 2 === 0 && /^[0-9a-fA-F]+$/.test(text);
  return plainText(isHex ? new TextDecoder().decode(bytesOf(text)) : text, WORDS_MAX);
}
