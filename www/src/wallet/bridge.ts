/**
 * Between the engine and the user's wallet: connects it, has one grant signed per session, and
 * moves money in and out of the vault. Decides what a wallet may be asked; holds no key.
 */

import { readWords } from "./abi.js";
import type { Address } from "./address.js";
import { baseUnits } from "./amount.js";
import {
  BROWSER, type Receipt, type Surroundings, type Wallet, type WalletChange,
} from "./backend.js";
import {
  accountQuestion, allowanceQuestion, approveCall, balanceQuestion, claimCall, depositCall,
  exitCall, requestExitCall, tipCall, type Call, type TipIn,
} from "./call.js";
import { vaultOf, type Chain } from "./chain.js";
import { readClaims } from "./claims.js";
import { fault } from "./fault.js";
import { historyOf, readLogs, type HistoryEntry } from "./log.js";
import { readRequest, refuse } from "./request.js";
import { agreementOf, mustAct, mustBeAgreed, type Agreement, type Terms } from "./terms.js";
import { typedGrant, type Grant } from "./typed.js";

/** Entries of the account's history that are kept. */
const HISTORY_MAX = 500;

/** A grant with the wallet's signature. */
export interface SignedGrant {
  readonly grant: Grant;
  readonly chainId: number;
  readonly vault: Address;
  /** 65 bytes, `v` 27 or 28. */
  readonly signature: Uint8Array;
}

/** What an account holds, in base units. */
export interface Balance {
  /** In the wallet. */
  readonly free: bigint;
  /** In the vault, and what of it is reserved or on its way out. */
  readonly vault: bigint;
  readonly reserved: bigint;
  readonly exiting: bigint;
  /** When the exit can be taken, in seconds since 1970; 0 where none was asked for. */
  readonly exitAt: number;
}

/** Which of a flow's steps goes on, for the page to say. */
export type Step = "approving" | "depositing";

/** A wallet on one chain. */
export class Bridge {
  /** Where it is. */
  readonly chain: Chain;
  readonly #wallet: Wallet;
  readonly #around: Surroundings;
  readonly #unlisten: () => void;
  #agreed: Agreement | null = null;
  #history: HistoryEntry[] = [];
  #isMoving = false;

  constructor(wallet: Wallet, chain: Chain, around: Surroundings = BROWSER) {
    if (wallet.kind !== chain.kind) {
      throw fault("wallet-wrong-chain", `${wallet.name} is no wallet for ${chain.name}`);
    }
    this.chain = chain;
    this.#wallet = wallet;
    this.#around = around;
    // Whatever changes, the user agreed to something else.
    this.#unlisten = wallet.listen(() => this.withdraw());
  }

  /** The connected account; `null` before, and after the wallet changed. */
  get account(): Address | null {
    return this.#wallet.account;
  }

  /** Connects the wallet and has it change to the bridge's chain. The user must be acting. */
  async connect(): Promise<Address> {
    mustAct(this.#around);
    const account = await this.#wallet.connect();
    await this.#wallet.switchChain(this.chain);
    return account;
  }

  /** Takes what the user typed; one request may follow within two minutes. */
  agree(terms: Terms): void {
    this.#agreed = agreementOf(terms, this.#mustHaveAccount(), this.chain, this.#around);
  }

  /** Takes the user's agreement back. */
  withdraw(): void {
    this.#agreed = null;
  }

  /** Has the wallet sign the grant that was asked for, if the user agreed to it. */
  async grant(raw: unknown): Promise<SignedGrant> {
    const request = readRequest(raw);
    mustBeAgreed(request, this.#agreed, this.chain, this.#around.seconds());
    const owner = this.#mustHaveAccount();
    // One agreement is one prompt, whatever becomes of it.
    this.withdraw();
    const salt = new Uint8Array(32);
    this.#around.random(salt);
    const { key, cap, expiry } = request;
    const grant = { owner, key, cap, expiry, salt };
    const signature = await this.#wallet.signTyped(typedGrant(this.chain, grant));
    return { grant, chainId: this.chain.id, vault: vaultOf(this.chain), signature };
  }

  /** Asks what the account holds. */
  async balance(): Promise<Balance> {
    const owner = this.#mustHaveAccount();
    const free = this.chain.btt.is === "coin" ? await this.#wallet.coins()
      : await this.#oneWord(balanceQuestion(this.chain, owner));
    const answer = await this.#wallet.ask(accountQuestion(this.chain, owner));
    const [vault = 0n, reserved = 0n, exiting = 0n, exitAt = 0n] = readWords(answer, 4);
    return { free, vault, reserved, exiting, exitAt: Number(exitAt) };
  }

  /** Puts `amount` into the vault; lets the vault take it first where that is needed. */
  deposit(amount: bigint | string, onStep: (step: Step) => void = () => {}): Promise<Receipt> {
    return this.#move(async () => {
      const units = baseUnits(amount, "the deposit");
      if (this.chain.btt.is === "token" && (await this.#allowance()) < units) {
        onStep("approving");
        await this.#send(approveCall(this.chain, units));
        const allowed = await this.#allowance();
        if (allowed < units) {
          throw fault("transaction-reverted", `the vault may take ${allowed} of ${units}`);
        }
      }
      onStep("depositing");
      return this.#send(depositCall(this.chain, units));
    });
  }

  /** Asks the vault for `amount` back. It can be taken when running sessions are over. */
  requestExit(amount: bigint | string): Promise<Receipt> {
    return this.#move(() => this.#send(requestExitCall(this.chain, amount)));
  }

  /** Takes what was asked back. */
  exit(): Promise<Receipt> {
    return this.#move(() => this.#send(exitCall(this.chain)));
  }

  /**
   * Has the vault pay into the account's balance what was promised to it: the claims that `find`
   * brings, which the engine looks for once the user has clicked. Only the fee is spent.
   */
  claim(find: () => Promise<unknown>): Promise<Receipt> {
    return this.#move(async () => {
      const claims = readClaims(await find(), this.chain, this.#mustHaveAccount());
      return this.#send(claimCall(this.chain, claims));
    });
  }

  /** Pays somebody directly, in BTT or in the older TRC-10 asset. */
  tip(to: string, amount: bigint | string, paid: TipIn = "btt"): Promise<Receipt> {
    return this.#move(() => this.#send(tipCall(this.chain, to, amount, paid)));
  }

  /** What happened to the account: in what a node told (`logs`), and by this bridge. */
  history(logs: unknown = []): HistoryEntry[] {
    const told = historyOf(readLogs(logs), vaultOf(this.chain), this.#mustHaveAccount());
    return [...told, ...this.#history];
  }

  /** Hears of the wallet's changes until the returned function is called. */
  listen(listener: (change: WalletChange) => void): () => void {
    return this.#wallet.listen(listener);
  }

  /** Lets go of the wallet. */
  close(): void {
    this.withdraw();
    this.#unlisten();
    this.#wallet.close();
  }

  /** One flow at a time, each begun by the user's hand and on the right chain. */
  async #move(work: () => Promise<Receipt>): Promise<Receipt> {
    mustAct(this.#around);
    if (this.#isMoving) throw fault("wallet-busy", "another transaction is under way");
    this.#isMoving = true;
    try {
      await this.#mustBeOnChain();
      return await work();
    } finally {
      this.#isMoving = false;
    }
  }

  async #send(call: Readonly<Call>): Promise<Receipt> {
    await this.#mustBeOnChain();
    const owner = this.#mustHaveAccount();
    const receipt = await this.#wallet.send(call);
    const { vault } = this.chain;
    const happened = vault === null ? [] : historyOf(receipt.logs, vault, owner);
    this.#history = [...this.#history, ...happened].slice(-HISTORY_MAX);
    return receipt;
  }

  async #mustBeOnChain(): Promise<void> {
    const id = await this.#wallet.chainId();
    if (id === this.chain.id) return;
    throw fault("wallet-wrong-chain", `the wallet is on chain ${id}, not ${this.chain.name}`);
  }

  #allowance(): Promise<bigint> {
    return this.#oneWord(allowanceQuestion(this.chain, this.#mustHaveAccount()));
  }

  async #oneWord(question: Parameters<Wallet["ask"]>[0]): Promise<bigint> {
    return readWords(await this.#wallet.ask(question), 1)[0] ?? 0n;
  }

  #mustHaveAccount(): Address {
    const { account } = this.#wallet;
    if (account === null) throw refuse("comes while no account is connected");
    return account;
  }
}
