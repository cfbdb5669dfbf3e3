/**
 * The worker's HTTP fetches of parts of files, for web seeds. Judges nothing of what servers say:
 * that is the engine's; only what a browser hides is explained here.
 */

/** Who hears how fetches go. */
export interface FetchListener {
  /** Headers: range, length, encoding, when to come again; empty where there is none. */
  answered(job: number, status: number, headers: string[]): void;
  bytes(job: number, bytes: Uint8Array): void;
  ended(job: number, end: "done" | "refused" | "unreachable", why: string): void;
}

/** What a fetch says of itself to a server, and what it does not: no cookies, no page's address. */
const QUIET: RequestInit = {
  credentials: "omit",
  referrerPolicy: "no-referrer",
  cache: "no-store",
  redirect: "follow",
};

/** Every fetch of one engine. */
export class Fetches {
  readonly #aborts = new Map<number, AbortController>();
  readonly #listener: FetchListener;

  constructor(listener: FetchListener) {
    this.#listener = listener;
  }

  /** Fetches the bytes from `start` up to `end`. Nothing is told from within. */
  get(job: number, url: string, start: number, end: number): void {
    const abort = new AbortController();
    this.#aborts.set(job, abort);
    queueMicrotask(() => void this.#run(job, url, `bytes=${start}-${end - 1}`, abort.signal));
  }

  /** Gives a fetch up; nothing more is told of it. */
  drop(job: number): void {
    this.#aborts.get(job)?.abort();
    this.#aborts.delete(job);
  }

  async #run(job: number, url: string, range: string, signal: AbortSignal): Promise<void> {
    let end: "done" | "refused" | "unreachable" = "done";
    let why = "";
    try {
      const response = await fetch(url, { ...QUIET, headers: { Range: range }, signal });
      if (isDowngraded(url, response)) {
        [end, why] = ["refused", "it redirects from https to http"];
        this.#aborts.get(job)?.abort();
      } else {
        await this.#read(job, response);
      }
    } catch (thrown) {
      if (signal.aborted) return;
      why = thrown instanceof Error ? thrown.message : String(thrown);
      [end, why] = await explain(url, why, signal);
    }
    if (!this.#aborts.delete(job)) return;
    this.#listener.ended(job, end, why);
  }

  async #read(job: number, response: Response): Promise<void> {
    if (!this.#aborts.has(job)) return;
    const of = (name: string): string => response.headers.get(name) ?? "";
    const range = of("Content-Range") || (response.type === "cors" ? "?" : "");
    const rest = [of("Content-Length"), of("Content-Encoding"), of("Retry-After")];
    this.#listener.answered(job, response.status, [range, ...rest]);
    const reader = response.body?.getReader();
    while (reader) {
      const { value, done } = await reader.read();
      if (done || !this.#aborts.has(job)) return;
      this.#listener.bytes(job, value);
    }
  }
}

function isDowngraded(url: string, { url: from }: Response): boolean {
  return /^https:/i.test(url) && /^http:/i.test(from);
}

/** A browser says only that a fetch failed. Whether the server is there tells why it did. */
async function explain(
  url: string,
  why: string,
  signal: AbortSignal,
): Promise<["refused" | "unreachable", string]> {
  if (location.protocol === "https:" && /^http:/i.test(url)) {
    return ["refused", "a page that came over https may not fetch over http"];
  }
  try {
    await fetch(url, { ...QUIET, method: "HEAD", mode: "no-cors", signal });
  } catch {
    return ["unreachable", why];
  }
  if (new URL(url).origin === location.origin) return ["unreachable", why];
  const remedy = "it must answer with Access-Control-Allow-Origin, also to requests with Range";
  return ["refused", `the server is there but lets no page read it: ${remedy}`];
}
