/**
 * Waits for a wallet's answer: one prompt at a time, and an end to waiting when the wallet goes
 * away or the user never answers.
 */

import { fault, faultFrom, type WalletCode } from "./fault.js";
import { method } from "./peek.js";

/** How long a prompt may stand open. */
const PROMPT_MS_MAX = 5 * 60_000;

/** The prompts of one wallet. */
export class Prompts {
  readonly #gone = new AbortController();
  #doing: string | null = null;

  /** Opens a prompt; refuses while another is open. */
  async open<T>(doing: string, ask: () => unknown, read: (answer: unknown) => T): Promise<T> {
    if (this.#gone.signal.aborted) throw fault("wallet-disconnected", "the wallet is gone");
    if (this.#doing !== null) {
      throw fault("wallet-busy", `the wallet still asks about ${this.#doing}`);
    }
    this.#doing = doing;
    try {
      return read(await this.#answer(doing, ask));
    } catch (thrown) {
      throw faultFrom(thrown, doing);
    } finally {
      this.#doing = null;
    }
  }

  /** Ends whatever waits, and refuses what comes. */
  close(): void {
    this.#gone.abort();
  }

  #answer(doing: string, ask: () => unknown): Promise<unknown> {
    const { signal } = this.#gone;
    return new Promise((resolve, reject) => {
      const end = (code: WalletCode, why: string): void => {
        done();
        reject(fault(code, why));
      };
      const late = (): void => end("wallet-busy", `no answer about ${doing} for 5 min`);
      const gone = (): void => end("wallet-disconnected", `the wallet went away during ${doing}`);
      const timer = setTimeout(late, PROMPT_MS_MAX);
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", gone);
      };
      signal.addEventListener("abort", gone, { once: true });
      // Inside `then`, since a hostile wallet may throw where it should promise.
      Promise.resolve().then(ask).finally(done).then(resolve, reject);
    });
  }
}

/** Listeners of a wallet's changes. */
export class Listeners<T> {
  readonly #all = new Set<(value: T) => void>();

  /** Adds one; the returned function takes it away. */
  add(listener: (value: T) => void): () => void {
    this.#all.add(listener);
    return () => void this.#all.delete(listener);
  }

  /** Tells all. */
  tell(value: T): void {
    for (const listener of [...this.#all]) listener(value);
  }

  /** Forgets all. */
  clear(): void {
    this.#all.clear();
  }
}

/** Hears of a provider's event until the returned function is called. */
export function hear(
  provider: unknown,
  event: string,
  heard: (said: unknown) => void,
): () => void {
  try {
    method(provider, "on")?.(event, heard);
  } catch {
    return () => undefined;
  }
  return () => {
    try {
      method(provider, "removeListener")?.(event, heard);
    } catch {
      // A wallet that cannot be left is left all the same.
    }
  };
}
