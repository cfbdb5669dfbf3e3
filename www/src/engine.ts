/**
 * The page's end of the engine worker: asks it, hears its news, and gives it peer connections.
 * Knows messages only; what they mean is for `headwater.ts` and `torrent.ts`.
 */

import { errorOf, HeadwaterError } from "./error.js";
import type { Ask, ToPage, ToWorker } from "./message.js";
import { Peers } from "./peers.js";

/** What the worker says that is neither an answer nor an order to peer connections. */
export type News = Exclude<ToPage, { id: number } | { peer: string } | { crashed: string }>;

/** Who hears the worker's news. */
export interface Listener {
  news(news: News): void;
  crashed(error: HeadwaterError): void;
}

interface Waiting {
  resolve(answer: unknown): void;
  reject(error: HeadwaterError): void;
  hashing: ((fraction: number) => void) | undefined;
}

/** One worker with one engine in it. */
export class Engine {
  readonly #worker: Worker;
  readonly #peers: Peers;
  readonly #listener: Listener;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #isLoaded = false;
  #ended: HeadwaterError | null = null;

  constructor(workerUrl: string | URL, iceServers: RTCIceServer[], listener: Listener) {
    this.#listener = listener;
    this.#worker = new Worker(workerUrl, { type: "module", name: "headwater" });
    this.#peers = new Peers(iceServers, (news, transfer) => void this.post(news, transfer));
    this.#worker.onmessage = ({ data }: MessageEvent<ToPage>) => this.#hear(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      if (this.#isLoaded) this.#crash("engine-crashed", event.message);
      else this.#crash("engine-missing", `the engine worker does not load from ${workerUrl}`);
    };
  }

  /** Asks the worker for something and waits for its answer. */
  ask<T>(ask: Ask, transfer: Transferable[] = [], hashing?: (part: number) => void): Promise<T> {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = ++this.#lastId;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (answer: unknown) => void, reject, hashing });
      this.post({ id, ask }, transfer);
    });
  }

  /** Sends the worker a message that has no answer; answers why not when there is no worker. */
  post(message: ToWorker, transfer: Transferable[] = []): HeadwaterError | null {
    if (!this.#ended) this.#worker.postMessage(message, transfer);
    return this.#ended;
  }

  /** Ends worker and peer connections; every open question fails with `error`. */
  end(error: HeadwaterError): void {
    if (this.#ended) return;
    this.#ended = error;
    this.#peers.close();
    this.#worker.terminate();
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }

  #hear(message: ToPage): void {
    this.#isLoaded = true;
    if ("peer" in message) this.#peers.obey(message);
    else if ("crashed" in message) this.#crash("engine-crashed", message.crashed);
    else if ("id" in message) this.#answer(message);
    else this.#listener.news(message);
  }

  #answer(message: Extract<ToPage, { id: number }>): void {
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    if ("hashing" in message) {
      waiting.hashing?.(message.hashing);
      return;
    }
    this.#waiting.delete(message.id);
    if ("fault" in message) waiting.reject(errorOf(message.fault));
    else waiting.resolve(message.answer);
  }

  #crash(code: string, message: string): void {
    if (this.#ended) return;
    const error = new HeadwaterError(code, message);
    this.end(error);
    this.#listener.crashed(error);
  }
}
