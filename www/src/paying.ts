/**
 * Payment inside the worker, a file of its own that is loaded once the user pays: carries news and
 * orders between the engine's wasm and payment's, and figures to the page. Decides nothing about
 * money but which torrents are in a hurry.
 */

import init, { contentOf, Payer } from "../pkg/pay/headwater-pay.js";
import { Node } from "./asking.js";
import { Contents } from "./contents.js";
import { HeadwaterError } from "./error.js";
import type { PayTold, PayWish } from "./message.js";
import { Records } from "./records.js";

/** How often figures go to the page, and torrents are looked at. */
const SHOW_MS = 500;
/** How often payment is told the date. */
const DATE_MS = 20_000;
/** How long a torrent stays in a hurry after something waited for its bytes. */
const HURRY_MS = 30_000;

/** What the engine has for payment: a word, a link, a number, bytes. */
export type PayNews = [word: string, link: number, number: number, bytes: Uint8Array];

/** What payment needs of the engine. */
export interface PayEngine {
  /** Gives it an order. */
  order(...order: PayNews): void;
  /** Asks for a turn soon. */
  due(): void;
  /** When something last waited for bytes of each torrent; `null` for one that nobody reads. */
  waits(): Map<number, number | null>;
  /** Bytes that are verified at once, of a torrent that lacks any. */
  verifiedAtOnce(torrent: number): number | undefined;
  tell(told: PayTold): void;
}

/** Loads payment from beside this file. */
export async function openPaying(engine: PayEngine): Promise<Paying> {
  await init({ module_or_path: new URL("headwater-pay.wasm", import.meta.url) });
  return new Paying(engine);
}

/** A wish that waits to be answered. */
interface Waiting<T> {
  resolve(answer: T): void;
  reject(why: Error): void;
}

/** Payment of one worker. The session's key lives and ends with it; what was earned is kept. */
export class Paying {
  /** The keys of paid content. */
  readonly contents = new Contents();
  readonly #engine: PayEngine;
  readonly #payer: Payer;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #looks: ReturnType<typeof setInterval> | undefined;
  #shown = "";
  #earned = "";
  #opening: Promise<void> | null = null;
  #records: Records | null = null;
  #node: Node | null = null;
  #selling: Waiting<null> | null = null;
  #claiming: Waiting<string> | null = null;
  /** Who waits for each key, by what it is known. */
  readonly #purchases = new Map<string, Waiting<null>[]>();

  constructor(engine: PayEngine) {
    this.#engine = engine;
    this.#payer = new Payer(this.#host());
    this.#date();
    setInterval(() => this.#date(), DATE_MS);
  }

  /** Does what the page wishes. */
  async do(wish: PayWish): Promise<string | null> {
    switch (wish.pay) {
      case "key":
        return this.#payer.sessionKey();
      case "start":
        this.#date();
        this.#payer.buy(JSON.stringify(wish.grant));
        clearInterval(this.#looks);
        this.#looks = setInterval(() => this.#look(), SHOW_MS);
        break;
      case "stop":
        this.#end();
        break;
      case "buy":
        return this.#buy(wish.magnet);
      case "has":
        return (await this.contents.has(wish.magnet)) ? "yes" : "no";
      case "recall":
        await this.#recall();
        break;
      case "sell":
        return this.#sell(wish);
      case "unsell":
        this.#payer.stopSelling();
        break;
      case "claim":
        return this.#claim(wish);
      case "submitted":
        return this.#follow(wish.id);
    }
    this.#engine.due();
    return null;
  }

  /** Buys the key of paid content, unless it is here. */
  async #buy(magnet: string): Promise<null> {
    if (contentOf(magnet) !== undefined && (await this.contents.has(magnet))) return null;
    await this.contents.mustKeep();
    this.#date();
    const check = this.#payer.buyContent(magnet);
    return new Promise((resolve, reject) => {
      const waiting = this.#purchases.get(check) ?? [];
      this.#purchases.set(check, [...waiting, { resolve, reject }]);
    });
  }

  /** Takes up what was earned before; fails while another tab holds it. */
  #recall(): Promise<void> {
    this.#opening ??= this.#openRecords().catch((thrown: unknown) => {
      this.#opening = null;
      throw thrown;
    });
    return this.#opening;
  }

  async #openRecords(): Promise<void> {
    this.#records ??= await Records.open();
    for (const [name, bytes] of await this.#records.read()) this.#payer.recall(name, bytes);
    setInterval(() => this.#showEarnings(), SHOW_MS);
    this.#showEarnings();
    this.#engine.due();
  }

  async #sell({ terms, node }: PayWish & { pay: "sell" }): Promise<null> {
    await this.#recall();
    this.#node = new Node(node);
    this.#payer.sell(JSON.stringify(terms));
    const sold = new Promise<null>((resolve, reject) => (this.#selling = { resolve, reject }));
    this.#date();
    return sold;
  }

  /** Answers which claims the wallet may submit, once the vault said that it would take them. */
  async #claim({ account, chain, vault, node }: PayWish & { pay: "claim" }): Promise<string> {
    await this.#recall();
    this.#node = new Node(node);
    this.#payer.claim(account, chain, vault);
    return this.#claims();
  }

  /** Answers what the submitted claims came to, once that is final. */
  #follow(id: string | null): Promise<string> {
    const claims = this.#claims();
    this.#payer.submitted(id ?? undefined);
    return claims;
  }

  #claims(): Promise<string> {
    this.#engine.due();
    return new Promise((resolve, reject) => (this.#claiming = { resolve, reject }));
  }

  /** What the payer calls; nothing here calls it back before returning. */
  #host() {
    return {
      order: (...order: PayNews) => this.#engine.order(...order),
      ended: (why: string) => queueMicrotask(() => this.#ended(why)),
      ask: (id: number, after: number, path: string, body: string) => {
        const answered = (bytes: Uint8Array | null): void => {
          this.#payer.told(id, bytes ?? undefined);
          this.#engine.due();
        };
        if (this.#node === null) queueMicrotask(() => answered(null));
        else this.#node.ask(after, path, body, answered);
      },
      store: (job: number, name: string, bytes: Uint8Array) => {
        const done = (isStored: boolean): void => {
          this.#payer.stored(job, isStored);
          this.#engine.due();
        };
        if (this.#records === null) queueMicrotask(() => done(false));
        else this.#records.change(name, bytes.slice(), done);
      },
      forget: (name: string) => this.#records?.change(name, null, () => undefined),
      keep: (job: number, check: string, key: Uint8Array) => {
        void this.contents.keep(check, key.slice()).then(() => {
          this.#payer.kept(job);
          this.#engine.due();
        });
      },
      bought: (check: string, code: string | undefined, why: string | undefined) => {
        const waiting = this.#purchases.get(check) ?? [];
        this.#purchases.delete(check);
        for (const { resolve, reject } of waiting) {
          if (code === undefined) resolve(null);
          else reject(new HeadwaterError(code, why ?? ""));
        }
      },
      sold: (why: string | undefined) => {
        if (why === undefined) this.#selling?.resolve(null);
        else this.#selling?.reject(new HeadwaterError("no-vault", why));
        this.#selling = null;
      },
      claims: (claims: string) => {
        this.#claiming?.resolve(claims);
        this.#claiming = null;
      },
    };
  }

  /** A turn after the engine's: takes its news, gives it orders. */
  turn(news: PayNews[]): void {
    clearTimeout(this.#timer);
    for (const one of news) this.#payer.hear(...one);
    const wait = this.#payer.pump();
    if (wait >= 0) this.#timer = setTimeout(() => this.#engine.due(), wait);
  }

  #date(): void {
    this.#payer.clock(Math.floor(Date.now() / 1000));
    this.#engine.due();
  }

  #look(): void {
    const now = Date.now();
    const waits = this.#engine.waits();
    const isRead = [...waits.values()].some((waited) => waited !== null);
    for (const [torrent, waited] of waits) {
      // What somebody watches comes first, and comes free where that is fast enough.
      const isUrgent = isRead ? waited !== null && now - waited < HURRY_MS : true;
      const unit = isUrgent ? this.#engine.verifiedAtOnce(torrent) : undefined;
      this.#payer.hurry(torrent, unit);
    }
    this.#show();
    this.#engine.due();
  }

  #show(): void {
    const spending = this.#payer.spending();
    if (spending !== this.#shown) this.#engine.tell({ spending });
    this.#shown = spending;
  }

  #showEarnings(): void {
    const earning = this.#payer.earnings();
    if (earning !== this.#earned) this.#engine.tell({ earning });
    this.#earned = earning;
  }

  #ended(why: string): void {
    this.#end();
    this.#engine.tell({ stopped: why });
    this.#engine.due();
  }

  #end(): void {
    clearInterval(this.#looks);
    this.#payer.stop();
    this.#show();
  }
}
