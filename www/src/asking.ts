/**
 * Posts payment's questions to a chain's node: a few at once, each for a bounded time and with an
 * answer of bounded size. What the answers are worth is payment's matter.
 */

import { HeadwaterError } from "./error.js";

/** How long a node may take for one answer. */
const ANSWER_MS_MAX = 15_000;
/** Largest answer that is read: an account is under 2 KiB, a receipt of ten claims under 16. */
const ANSWER_BYTES_MAX = 256 * 1024;
/** Questions under way at once. Public nodes count them. */
const ASKED_MAX = 4;
/** Questions that wait; beyond that they are answered by nothing. */
const WAITING_MAX = 512;

/** Hears an answer; `null` where none came. */
export type Answered = (bytes: Uint8Array | null) => void;

/** A chain's node. */
export class Node {
  readonly #base: string;
  #asked = 0;
  #waiting: (() => Promise<void>)[] = [];

  constructor(url: string) {
    this.#base = baseOf(url);
  }

  /** Posts one question after a while. */
  ask(after: number, path: string, body: string, answered: Answered): void {
    const post = async (): Promise<void> => answered(await this.#post(path, body));
    if (after > 0) setTimeout(() => this.#enqueue(post, answered), after);
    else this.#enqueue(post, answered);
  }

  #enqueue(post: () => Promise<void>, answered: Answered): void {
    if (this.#waiting.length >= WAITING_MAX) {
      // Whoever asks may be in the middle of something.
      queueMicrotask(() => answered(null));
      return;
    }
    this.#waiting.push(post);
    this.#next();
  }

  #next(): void {
    while (this.#asked < ASKED_MAX) {
      const post = this.#waiting.shift();
      if (post === undefined) return;
      this.#asked += 1;
      void post().finally(() => {
        this.#asked -= 1;
        this.#next();
      });
    }
  }

  /** Nodes answer most failures with status 200, so that it says nothing. */
  async #post(path: string, body: string): Promise<Uint8Array | null> {
    try {
      const answer = await fetch(`${this.#base}${path}`, {
        method: "POST", body, headers: { "content-type": "application/json" },
        cache: "no-store", credentials: "omit", redirect: "error", referrerPolicy: "no-referrer",
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
      });
      return answer.body === null ? null : await read(answer.body);
    } catch {
      return null;
    }
  }
}

async function read(body: ReadableStream<Uint8Array>): Promise<Uint8Array | null> {
  const reader = body.getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    if (size > ANSWER_BYTES_MAX) {
      await reader.cancel();
      return null;
    }
    parts.push(value);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

function baseOf(text: string): string {
  const bad = (why: string): Error =>
    new HeadwaterError("bad-node", `${text.slice(0, 200)} is no address of a node: ${why}`);
  if (!URL.canParse(text)) throw bad("no URL");
  const url = new URL(text);
  const isHttp = url.protocol === "https:" || url.protocol === "http:";
  if (!isHttp) throw bad("http: or https: expected");
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw bad("a password, a query or a fragment has no place in it");
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}
