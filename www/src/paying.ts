/**
 * Payment inside the worker, a file of its own that is loaded once the user pays: carries news and
 * orders between the engine's wasm and payment's, and figures to the page. Decides nothing about
 * money but which torrents are in a hurry.
 */

import init, { Payer } from "../pkg/pay/headwater-pay.js";
import type { PayTold, PayWish } from "./message.js";

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

/** Payment of one worker. The session's key lives and ends with it. */
export class Paying {
  readonly #engine: PayEngine;
  readonly #payer: Payer;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #looks: ReturnType<typeof setInterval> | undefined;
  #shown = "";

  constructor(engine: PayEngine) {
    this.#engine = engine;
    this.#payer = new Payer({
      order: (...order: PayNews) => engine.order(...order),
      ended: (why: string) => queueMicrotask(() => this.#ended(why)),
    });
    this.#date();
    setInterval(() => this.#date(), DATE_MS);
  }

  /** Does what the page wishes. */
  do(wish: PayWish): string | null {
    if (wish.pay === "key") return this.#payer.sessionKey();
    if (wish.pay === "start") {
      this.#date();
      this.#payer.buy(JSON.stringify(wish.grant));
      clearInterval(this.#looks);
      this.#looks = setInterval(() => this.#look(), SHOW_MS);
    } else {
      this.#end();
    }
    this.#engine.due();
    return null;
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
