/**
 * A wallet that speaks EIP-1193, for BTTC. Pins the provider's `request` when it is opened, checks
 * account and chain again before each prompt, and every answer after it.
 */

import { encodeCall, revertReason } from "./abi.js";
import type { FoundWallet } from "./announced.js";
import { readAddress, type Address } from "./address.js";
import type { Receipt, Surroundings, Wallet, WalletChange } from "./backend.js";
import { mustBeBuilt } from "./built.js";
import type { Call, Question } from "./call.js";
import { chainHex, readChainId, type Chain } from "./chain.js";
import { fault, faultFrom, numberOf } from "./fault.js";
import { readLogs } from "./log.js";
import { items, method, peek } from "./peek.js";
import { hear, Listeners, Prompts } from "./prompt.js";
import { readSignature } from "./signature.js";
import { DOMAIN_TYPE, type TypedData } from "./typed.js";

/** How often a transaction's receipt is asked for, and how long each waits. */
const RECEIPT_TRIES_MAX = 90;
const RECEIPT_MS = 2000;

/** Numbers by which wallets say that they do not know a chain. */
const UNKNOWN_CHAIN = 4902;

type Request = (call: { method: string; params?: unknown[] }) => unknown;

/** An EIP-1193 wallet. */
export class EvmWallet implements Wallet {
  readonly kind = "evm";
  readonly name: string;
  readonly #request: Request;
  readonly #around: Surroundings;
  readonly #prompts = new Prompts();
  readonly #listeners = new Listeners<WalletChange>();
  readonly #unlisten: readonly (() => void)[];
  #account: Address | null = null;
  #connecting: Promise<Address> | null = null;

  constructor(found: FoundWallet, around: Surroundings) {
    const request = method(found.provider, "request");
    if (request === null) throw fault("wallet-missing", "the wallet takes no requests");
    this.name = found.name;
    this.#request = request as Request;
    this.#around = around;
    const { provider } = found;
    this.#unlisten = [
      hear(provider, "accountsChanged", (said) => this.#accountIs(first(said))),
      hear(provider, "chainChanged", (said) => {
        this.#listeners.tell({ is: "chain", chainId: readChainId(said) });
      }),
      hear(provider, "disconnect", () => this.#lose()),
    ];
  }

  get account(): Address | null {
    return this.#account;
  }

  connect(): Promise<Address> {
    this.#connecting ??= this.#connect().finally(() => (this.#connecting = null));
    return this.#connecting;
  }

  async chainId(): Promise<number> {
    const id = readChainId(await this.#plainly("eth_chainId"));
    if (id === null) throw fault("wallet-bad-answer", "the wallet names no chain");
    return id;
  }

  async switchChain(chain: Chain): Promise<void> {
    if ((await this.chainId()) === chain.id) return;
    const change = (): unknown => this.#request({
      method: "wallet_switchEthereumChain", params: [{ chainId: chainHex(chain) }],
    });
    try {
      await this.#prompts.open(`changing to ${chain.name}`, change, () => undefined);
    } catch (thrown) {
      if (codeOf(thrown) !== "wallet-wrong-chain" || chain.rpc === "") throw thrown;
      await this.#addChain(chain);
    }
    await this.#mustBeOn(chain.id);
  }

  async signTyped(data: Readonly<TypedData>): Promise<Uint8Array> {
    mustBeBuilt(data, "the typed data");
    const owner = await this.#mustBe(readAddress(data.message.owner));
    await this.#mustBeOn(data.domain.chainId);
    const whole = JSON.stringify({
      domain: data.domain,
      types: { EIP712Domain: DOMAIN_TYPE, ...data.types },
      primaryType: "Grant",
      message: data.message,
    });
    const ask = (): unknown => this.#request({
      method: "eth_signTypedData_v4", params: [owner, whole],
    });
    const signature = await this.#prompts.open("the grant", ask, readSignature);
    await this.#mustBe(owner);
    return signature;
  }

  async send(call: Readonly<Call>): Promise<Receipt> {
    mustBeBuilt(call, "the transaction");
    const from = await this.#mustBe(this.#account);
    const transaction = { from, ...transactionOf(call) };
    const ask = (): unknown => this.#request({
      method: "eth_sendTransaction", params: [transaction],
    });
    const id = await this.#prompts.open("the transaction", ask, readHash);
    return this.#receipt(id, transaction);
  }

  async ask(question: Question): Promise<string> {
    const data = `0x${encodeCall(question.name, question.values)}`;
    const answer = await this.#plainly("eth_call", [{ to: question.to, data }, "latest"]);
    if (typeof answer !== "string") throw fault("wallet-bad-answer", "a call was answered oddly");
    return answer;
  }

  async coins(): Promise<bigint> {
    const answer = await this.#plainly("eth_getBalance", [this.#account, "latest"]);
    if (typeof answer !== "string" || !/^0x[0-9a-fA-F]{1,64}$/.test(answer)) {
      throw fault("wallet-bad-answer", "the wallet's balance is no number");
    }
    return BigInt(answer);
  }

  listen(listener: (change: WalletChange) => void): () => void {
    return this.#listeners.add(listener);
  }

  close(): void {
    for (const unlisten of this.#unlisten) unlisten();
    this.#listeners.clear();
    this.#prompts.close();
    this.#account = null;
  }

  async #connect(): Promise<Address> {
    const ask = (): unknown => this.#request({ method: "eth_requestAccounts" });
    const account = await this.#prompts.open("connecting", ask, (answer) => {
      const accounts = items(answer, 1);
      if (accounts?.length === 0) throw fault("wallet-locked", "the wallet is locked");
      const address = readAddress(accounts?.[0]);
      if (address === null) throw fault("wallet-bad-answer", "the wallet names no account");
      return address;
    });
    this.#account = account;
    return account;
  }

  async #addChain(chain: Chain): Promise<void> {
    const params = [{
      chainId: chainHex(chain), chainName: chain.name, rpcUrls: [chain.rpc],
      nativeCurrency: { name: "BTT", symbol: "BTT", decimals: 18 },
    }];
    const ask = (): unknown => this.#request({ method: "wallet_addEthereumChain", params });
    await this.#prompts.open(`adding ${chain.name}`, ask, () => undefined);
  }

  /** Refuses when the wallet's account is not the one that was connected. */
  async #mustBe(account: Address | null): Promise<Address> {
    if (account === null) throw fault("wallet-disconnected", "no account is connected");
    const answer = items(await this.#plainly("eth_accounts"), 1);
    if (answer?.length === 0) throw fault("wallet-locked", "the wallet is locked");
    if (readAddress(answer?.[0]) !== account || this.#account !== account) {
      throw fault("wallet-wrong-account", "the wallet changed to another account");
    }
    return account;
  }

  async #mustBeOn(wanted: number): Promise<void> {
    const id = await this.chainId();
    if (id === wanted) return;
    throw fault("wallet-wrong-chain", `the wallet is on chain ${id}, wanted is ${wanted}`);
  }

  async #plainly(name: string, params: unknown[] = []): Promise<unknown> {
    try {
      return await this.#request({ method: name, params });
    } catch (thrown) {
      throw faultFrom(thrown, name);
    }
  }

  async #receipt(id: string, transaction: object): Promise<Receipt> {
    for (let tries = 0; tries < RECEIPT_TRIES_MAX; tries += 1) {
      const receipt = await this.#plainly("eth_getTransactionReceipt", [id]);
      if (receipt !== null && receipt !== undefined) {
        if (peek(receipt, "status") === "0x1") return { id, logs: readLogs(peek(receipt, "logs")) };
        throw await this.#reverted(transaction);
      }
      await this.#around.sleep(RECEIPT_MS);
    }
    throw fault("transaction-unconfirmed", `no block holds transaction ${id} yet`);
  }

  /** A receipt does not say why; the same call, only asked, does. */
  async #reverted(transaction: object): Promise<Error> {
    let why = "";
    try {
      await this.#request({ method: "eth_call", params: [transaction, "latest"] });
    } catch (thrown) {
      const data = peek(thrown, "data");
      why = revertReason(typeof data === "string" ? data : peek(data, "data"));
    }
    return fault("transaction-reverted", `the contract refused${why === "" ? "" : `: ${why}`}`);
  }

  #accountIs(account: Address | null): void {
    if (account === this.#account) return;
    // Whoever is there has not been asked for; it counts after the next `connect`.
    this.#account = null;
    this.#listeners.tell({ is: "account", account });
  }

  #lose(): void {
    this.#account = null;
    this.#listeners.tell({ is: "gone" });
  }
}

function first(said: unknown): Address | null {
  return readAddress(items(said, 1)?.[0]);
}

function codeOf(thrown: unknown): unknown {
  return numberOf(thrown) === UNKNOWN_CHAIN ? "wallet-wrong-chain" : peek(thrown, "code");
}

function transactionOf(call: Readonly<Call>): { to: Address; data?: string; value: string } {
  switch (call.is) {
    case "contract": {
      const data = `0x${encodeCall(call.name, call.values)}`;
      return { to: call.to, data, value: `0x${call.coins.toString(16)}` };
    }
    case "coin":
      return { to: call.to, value: `0x${call.coins.toString(16)}` };
    case "asset":
      throw fault("wallet-unsupported", "TRC-10 assets live on TRON only");
  }
}

function readHash(answer: unknown): string {
  if (typeof answer === "string" && /^0x[0-9a-fA-F]{64}$/.test(answer)) return answer.toLowerCase();
  throw fault("wallet-bad-answer", "the wallet's transaction has no id");
}
