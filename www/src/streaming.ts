/**
 * The page's end of the service worker: registers it, keeps it awake while a read waits, and
 * routes its requests to the engine worker. No byte of a file passes through here.
 */

import { HeadwaterError } from "./error.js";
import type { FileRequest, SwMessage } from "./message.js";

/** How often a waiting read keeps the service worker awake; Firefox ends an idle one after 30 s. */
const PING_MS = 8000;
/** Longest wait for the service worker to take charge of this page. */
const CLAIM_MS_MAX = 5000;

/** Takes a request of the service worker; `false` when this page lacks the torrent. */
export type Serve = (request: FileRequest, port: MessagePort) => boolean;

/** Whether this page can use service workers at all. */
export function hasServiceWorker(): boolean {
  return typeof navigator === "object" && "serviceWorker" in navigator && isSecureContext;
}

/** URLs of files that `<video>`, `<img>` and `fetch` can read. */
export class Streaming {
  readonly #base: URL;
  #ping: ReturnType<typeof setInterval> | undefined;
  readonly #hear: (event: MessageEvent<SwMessage>) => void;

  private constructor(base: URL, serve: Serve) {
    this.#base = base;
    this.#hear = (event) => {
      const [port] = event.ports;
      if (event.data?.headwater !== "serve" || !port) return;
      if (!serve(event.data.request, port)) port.postMessage({ has: false });
    };
    navigator.serviceWorker.addEventListener("message", this.#hear);
    navigator.serviceWorker.startMessages();
  }

  /** Registers the script and waits until it answers this page's requests. */
  static async open(script: URL, serve: Serve): Promise<Streaming> {
    if (!hasServiceWorker()) {
      throw new HeadwaterError("no-service-worker", "this page cannot use service workers");
    }
    try {
      const registration = await navigator.serviceWorker.register(script);
      await controlled(registration);
      return new Streaming(new URL("headwater/", registration.scope), serve);
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      const message = `no service worker from ${script.href}: ${why}`;
      throw new HeadwaterError("no-service-worker", message, { cause: thrown });
    }
  }

  /** Where a file can be read. */
  url(infoHash: string, path: string): string {
    const parts = [infoHash, ...path.split("/")].map(encodeURIComponent);
    return new URL(parts.join("/"), this.#base).href;
  }

  /** Keeps the service worker awake for as long as reads wait. */
  keepAwake(isWaiting: boolean): void {
    clearInterval(this.#ping);
    if (!isWaiting) return;
    const ping = (): void => void fetch(new URL("ping", this.#base)).catch(() => undefined);
    this.#ping = setInterval(ping, PING_MS);
  }

  /** Stops answering. The registration stays: other tabs use it. */
  close(): void {
    clearInterval(this.#ping);
    navigator.serviceWorker.removeEventListener("message", this.#hear);
  }
}

/** A page loaded past its service worker (a forced reload) has no controller until claimed. */
async function controlled(registration: ServiceWorkerRegistration): Promise<void> {
  const container = navigator.serviceWorker;
  if (container.controller) return;
  await new Promise<void>((resolve, reject) => {
    const claim: SwMessage = { headwater: "claim" };
    const retry = setInterval(() => registration.active?.postMessage(claim), 250);
    const end = (): void => {
      clearTimeout(timer);
      clearInterval(retry);
      container.removeEventListener("controllerchange", done);
    };
    const timer = setTimeout(() => {
      end();
      reject(new Error("it did not take charge"));
    }, CLAIM_MS_MAX);
    const done = (): void => {
      if (!container.controller) return;
      end();
      resolve();
    };
    container.addEventListener("controllerchange", done);
    registration.active?.postMessage(claim);
    done();
  });
}
