/**
 * The service worker: turns requests for `headwater/<info-hash>/<path>` into streams from whichever
 * tab has the torrent. Holds no state, so that the browser may stop it at any time.
 */

import type { FileRequest, PortAnswer, PortAsk, SwMessage } from "./message.js";

/** How long the asking tab may think before the others are asked too. */
const OWN_TAB_MS = 300;
/** How long any tab may take to say whether it has the torrent. */
const TABS_MS = 4000;

const scope = self as unknown as ServiceWorkerScope;
const base = new URL("headwater/", scope.registration.scope);

scope.addEventListener("install", () => void scope.skipWaiting());
scope.addEventListener("activate", (event) => event.waitUntil(scope.clients.claim()));
scope.addEventListener("message", (event) => {
  const message = event.data as SwMessage | null;
  if (message?.headwater === "claim") event.waitUntil(scope.clients.claim());
});
scope.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (url.origin !== base.origin || !url.pathname.startsWith(base.pathname)) return;
  event.respondWith(respond(event, url.pathname.slice(base.pathname.length)));
});

async function respond({ request, clientId }: FetchEvent, path: string): Promise<Response> {
  if (path === "ping") return new Response(null, { status: 204 });
  const wanted = parse(request, path);
  const tab = wanted && (await find(wanted, clientId));
  if (!tab) return new Response("No open tab has this torrent.", { status: 404 });
  const answer = await tab.next();
  if (!("head" in answer)) return new Response("The torrent went away.", { status: 503 });
  const { status, body } = answer.head;
  const isSave = new URL(request.url).searchParams.has("save");
  const headers = isSave ? answer.head.headers.map(attached) : answer.head.headers;
  return new Response(body ? stream(tab) : null, { status, headers });
}

/** Chromium asks the network, not us, for links with `download`; `?save` is our own way. */
function attached([name, value]: [string, string]): [string, string] {
  return [name, name === "Content-Disposition" ? value.replace(/^inline/, "attachment") : value];
}

function parse(request: Request, path: string): FileRequest | null {
  const [infoHash = "", ...parts] = path.split("/");
  const header = (name: string): string | null => request.headers.get(name);
  try {
    return {
      infoHash: infoHash.toLowerCase(),
      path: parts.map(decodeURIComponent).join("/"),
      method: request.method,
      range: header("range"),
      ifRange: header("if-range"),
      ifNoneMatch: header("if-none-match"),
    };
  } catch {
    return null;
  }
}

/** One tab's answers, in order; none is lost between two waits. */
class Answers {
  readonly #port: MessagePort;
  readonly #come: PortAnswer[] = [];
  #wake: (() => void) | undefined;

  constructor(port: MessagePort) {
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<PortAnswer>) => this.#take(data);
    port.addEventListener("close", () => {
      this.#take({ fault: { code: "closed", message: "the tab was closed" } });
    });
  }

  #take(answer: PortAnswer): void {
    this.#come.push(answer);
    this.#wake?.();
  }

  async next(): Promise<PortAnswer> {
    for (;;) {
      const answer = this.#come.shift();
      if (answer) return answer;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  pull(): Promise<PortAnswer> {
    this.#tell("pull");
    return this.next();
  }

  cancel(): void {
    this.#tell("cancel");
    this.close();
  }

  close(): void {
    this.#port.close();
  }

  #tell(message: PortAsk): void {
    this.#port.postMessage(message);
  }
}

/** The first tab that has the torrent; the asking tab is asked before the others. */
async function find(request: FileRequest, clientId: string): Promise<Answers | null> {
  const tabs = await scope.clients.matchAll({ type: "window", includeUncontrolled: true });
  const own = tabs.filter((tab) => tab.id === clientId);
  const others = tabs.filter((tab) => tab.id !== clientId);
  const asked = own.map((tab) => ask(tab, request));
  const first = await Promise.race([...asked, later(OWN_TAB_MS)]);
  return first ?? firstOf([...asked, ...others.map((tab) => ask(tab, request))]);
}

async function ask(tab: Client, request: FileRequest): Promise<Answers | null> {
  const { port1, port2 } = new MessageChannel();
  const message: SwMessage = { headwater: "serve", request };
  const answers = new Answers(port1);
  tab.postMessage(message, [port2]);
  const answer = await Promise.race([answers.next(), later(TABS_MS)]);
  if (answer && "has" in answer && answer.has) return answers;
  answers.cancel();
  return null;
}

/** The first that comes; every other that comes later is told that nobody wants it. */
function firstOf(asked: Promise<Answers | null>[]): Promise<Answers | null> {
  return new Promise((resolve) => {
    let chosen: Answers | null = null;
    const take = (answers: Answers | null): void => {
      if (!answers) return;
      if (chosen) answers.cancel();
      else resolve((chosen = answers));
    };
    void Promise.all(asked.map((one) => one.then(take))).then(() => resolve(null));
  });
}

/** Bytes as they are pulled. A failure breaks the stream: a short body must not look whole. */
function stream(tab: Answers): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const part = await tab.pull();
        if ("bytes" in part) {
          controller.enqueue(part.bytes);
          return;
        }
        tab.close();
        if ("end" in part) controller.close();
        else controller.error(new TypeError("the torrent's bytes stopped coming"));
      },
      cancel: () => tab.cancel(),
    },
    { highWaterMark: 0 },
  );
}

function later(ms: number): Promise<null> {
  return new Promise((resolve) => setTimeout(resolve, ms, null));
}
