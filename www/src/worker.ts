/**
 * The engine worker: carries messages between the page, sockets, data channels and the wasm shell,
 * which this file alone touches. Decides nothing about torrents.
 */

import init, { hashParts, Shell } from "../pkg/headwater.js";
import { Channels } from "./channels.js";
import { type Fault, faultOf, HeadwaterError } from "./error.js";
import { type Algorithm, Digests, findFaster } from "./hashing.js";
import type {
  Added, Ask, Bytes, Decrypt, EngineOptions, FileShape, LinkEnd, PayWish, PeerOrder, ToPage,
  TorrentEvent, ToWorker,
} from "./message.js";
import { Fetches } from "./fetches.js";
import { makeTorrent } from "./making.js";
import type { PayNews, Paying } from "headwater-paying";
import { Places } from "./places.js";
import { type Served, Serving } from "./serving.js";
import { Sockets } from "./sockets.js";

/** How often figures go to the page, at most. */
const SHOW_MS = 500;
/** Largest `.torrent` file fetched from a URL. */
const TORRENT_BYTES_MAX = 16 * 1024 * 1024;
/** How long trackers and peers have to hear the farewell. */
const FAREWELL_MS = 200;
/** A module of one SIMD instruction, to see whether the browser takes any. */
const SIMD_PROBE = Uint8Array.of(
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15,
  11,
);

interface Known extends Served {
  known: () => void;
  shown: string;
  pieces: Bytes;
}

function tell(message: ToPage, transfer: Transferable[] = []): void {
  self.postMessage(message, { transfer });
}

/** One engine with everything it drives. */
class Engine {
  readonly #shell: Shell;
  readonly #places: Places;
  readonly #known = new Map<number, Known>();
  /** Stores outlive what the page knows of their torrents. */
  readonly #hashes = new Map<number, string>();
  readonly #channels: Channels;
  readonly #sockets: Sockets;
  readonly #serving: Serving;
  readonly #fetches: Fetches;
  readonly #digests = new Digests((batch, digests) => {
    this.#shell.hashed(batch, digests);
    this.#due();
  });
  readonly #turn = new MessageChannel();
  #isTurnDue = false;
  /** The user changed something, and should see it at once. */
  #isChanged = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #events: { torrent: number; event: TorrentEvent }[] = [];
  readonly #trackers: string[];
  #totals = "";
  #payNews: PayNews[] = [];
  #payLoads: Promise<Paying> | null = null;
  #paying: Paying | null = null;

  constructor(options: EngineOptions) {
    this.#trackers = options.trackers;
    this.#places = new Places(options.storage);
    this.#shell = new Shell(
      this.#host(),
      options.trackers,
      options.maxPeers ?? undefined,
      options.uploadLimit ?? undefined,
      options.downloadLimit ?? undefined,
    );
    this.#channels = this.#makeChannels();
    this.#sockets = this.#makeSockets();
    this.#serving = this.#makeServing();
    this.#fetches = this.#makeFetches();
    this.#turn.port1.onmessage = () => this.#pump();
    setInterval(() => this.#show(), SHOW_MS);
    void findFaster(hashParts).then(({ sha1One, sha1Many, sha256One, sha256Many }) =>
      this.#shell.chooseHashing(sha1One, sha1Many, sha256One, sha256Many),
    );
  }

  /** Takes a message of the page. */
  hear(message: ToWorker): void {
    if ("peer" in message) this.#channels.hear(message);
    else if ("ask" in message) void this.#answer(message.id, message.ask);
    else if ("serve" in message) {
      const { serve, port } = message;
      void this.#serving.serve(serve, port, this.#byHash(serve.infoHash));
    } else {
      const served = this.#known.get(message.read.torrent) ?? null;
      void this.#serving.read(message.read, message.port, served);
    }
  }

  async #answer(id: number, ask: Ask): Promise<void> {
    try {
      tell({ id, answer: await this.#do(id, ask) });
    } catch (thrown) {
      tell({ id, fault: faultOf(thrown) });
    }
    this.#isChanged = true;
    this.#due();
  }

  #do(id: number, ask: Ask): unknown {
    switch (ask.ask) {
      case "add":
        return this.#add(ask.source, ask.options);
      case "seed":
        return this.#seed(id, ask);
      case "remove":
        this.#shell.change(ask.torrent, ask.data ? "delete" : "remove", new Uint8Array());
        return this.#forget(ask.torrent);
      case "pause":
      case "resume":
      case "super":
      case "plain":
        this.#shell.change(ask.torrent, ask.ask, new Uint8Array());
        return null;
      case "choose":
        this.#shell.change(ask.torrent, ask.ask, Uint8Array.from(ask.priorities));
        return null;
      case "limits":
        return this.#limit(ask.torrent, ask.upload ?? undefined, ask.download ?? undefined);
      case "queue":
        this.#shell.queue(ask.downloads ?? undefined, ask.seeds ?? undefined);
        return null;
      case "place":
        this.#shell.place(ask.torrent, ask.place);
        return null;
      case "torrentFile":
        return this.#shell.torrentFile(ask.torrent) ?? unknownYet();
      case "pay":
        return this.#pay(ask.wish);
      case "open":
        return null;
      case "close":
        return this.#close();
    }
  }

  #limit(torrent: number | null, upload?: number, download?: number): null {
    if (torrent === null) this.#shell.limit(upload, download);
    else this.#shell.limitOne(torrent, upload, download);
    return null;
  }

  async #pay(wish: PayWish): Promise<string | null> {
    return (await this.#payment()).do(wish);
  }

  async #payment(): Promise<Paying> {
    this.#payLoads ??= this.#loadPaying();
    return (this.#paying = await this.#payLoads);
  }

  /** Only where a price is named, payment is loaded to see who named it. */
  async #decrypts(torrent: number, file: FileShape): Promise<Decrypt | null> {
    const metadata = this.#known.get(torrent)?.metadata;
    if (!metadata?.paid) return null;
    return (await this.#payment()).contents.decrypts(metadata.magnet, metadata.files, file);
  }

  async #loadPaying(): Promise<Paying> {
    try {
      const { openPaying } = await import("headwater-paying");
      return await openPaying({
        order: (...order) => {
          this.#shell.pay(...order);
          this.#due();
        },
        due: () => this.#due(),
        waits: () => this.#serving.waits(this.#known.keys()),
        verifiedAtOnce: (torrent) => this.#shell.verifiedAtOnce(torrent),
        tell: (paid) => tell({ paid }),
      });
    } catch (thrown) {
      this.#payLoads = null;
      const { message } = faultOf(thrown);
      throw new HeadwaterError("payment-missing", `payment does not load: ${message}`);
    }
  }

  /** A turn of the event loop may bring much; all of it is worked on together. */
  #due(): void {
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    this.#turn.port2.postMessage(null);
  }

  #pump(): void {
    this.#isTurnDue = false;
    clearTimeout(this.#timer);
    const wait = this.#shell.pump();
    const news = this.#payNews;
    this.#payNews = [];
    this.#paying?.turn(news);
    if (wait >= 0) this.#timer = setTimeout(() => this.#due(), wait);
    const events = this.#events;
    this.#events = [];
    for (const { torrent, event } of events) this.#pass(torrent, event);
    if (this.#isChanged) this.#show();
    this.#isChanged = false;
  }

  #pass(torrent: number, event: TorrentEvent): void {
    const known = this.#known.get(torrent);
    if (!known) return;
    if (event.type === "metadata") {
      known.metadata = event.metadata;
      known.known();
    }
    if (event.type === "done" || event.type === "error") this.#showOne(known);
    tell({ torrent, event });
  }

  async #add(source: string | Bytes, options: { files: number[] | null } & Rest): Promise<Added> {
    const bytes = typeof source === "string" ? await bytesOf(source) : source;
    const files = options.files ? Uint32Array.from(options.files) : undefined;
    const add = (given: Uint8Array): Added & New =>
      JSON.parse(
        this.#shell.add(given, options.trackers, files, options.paused, options.webSeeds),
      );
    const added = add(bytes);
    if (options.sequential) this.#shell.change(added.torrent, "sequential", new Uint8Array());
    if (!added.new) return added;
    this.#know(added);
    if (added.metadata) return added;
    const kept = await this.#places.remembered(added.infoHash);
    const known = this.#known.get(added.torrent);
    if (!known) return added;
    // What was told meanwhile found nobody in the page: the answer says how things stand.
    known.shown = "";
    known.pieces = new Uint8Array();
    try {
      if (kept) return this.#learn(add(kept));
    } catch {
      // A spoiled copy of the metadata is asked of peers again.
    }
    return this.#learn(add(bytes));
  }

  async #seed(id: number, { files, options }: Extract<Ask, { ask: "seed" }>): Promise<Added> {
    const trackers = options.trackers.length > 0 ? options.trackers : this.#trackers;
    const made = await makeTorrent(files, { ...options, trackers }, (hashing) =>
      tell({ id, hashing }),
    );
    const added = JSON.parse(this.#shell.add(made.bytes, [], undefined, false, [])) as Added & New;
    if (added.new) {
      this.#places.share(added.infoHash, made.files);
      this.#know(added);
    }
    if (options.superSeed) this.#shell.change(added.torrent, "super", new Uint8Array());
    return added;
  }

  #learn(added: Added): Added {
    const known = this.#known.get(added.torrent);
    if (known && added.metadata) {
      known.metadata = added.metadata;
      known.known();
    }
    return added;
  }

  #know(added: Added): void {
    const { torrent, infoHash } = added;
    this.#hashes.set(torrent, infoHash);
    let known = (): void => undefined;
    const whenKnown = new Promise<void>((resolve) => (known = resolve));
    const pieces = new Uint8Array();
    const unknown = { metadata: null, shown: "", pieces };
    const decrypts = (file: FileShape): Promise<Decrypt | null> => this.#decrypts(torrent, file);
    this.#known.set(torrent, { torrent, infoHash, whenKnown, known, decrypts, ...unknown });
    this.#learn(added);
  }

  #forget(torrent: number): null {
    const known = this.#known.get(torrent);
    if (known) this.#places.unshare(known.infoHash);
    known?.known();
    this.#known.delete(torrent);
    return null;
  }

  #byHash(infoHash: string): Known | null {
    for (const known of this.#known.values()) if (known.infoHash === infoHash) return known;
    return null;
  }

  async #close(): Promise<null> {
    for (const torrent of this.#known.keys()) {
      this.#shell.change(torrent, "remove", new Uint8Array());
    }
    this.#due();
    await new Promise((resolve) => setTimeout(resolve, FAREWELL_MS));
    return null;
  }

  /** Tells the page what changed since it was last told. */
  #show(): void {
    const totals = this.#shell.totals();
    if (totals !== this.#totals) tell({ totals: JSON.parse(totals) });
    this.#totals = totals;
    for (const known of this.#known.values()) this.#showOne(known);
  }

  #showOne(known: Known): void {
    const { torrent } = known;
    const snapshot = this.#shell.snapshot(torrent);
    if (snapshot === undefined) return;
    const pieces = this.#shell.pieces(torrent) as Bytes;
    const isMoved = !sameBytes(pieces, known.pieces);
    if (snapshot === known.shown && !isMoved) return;
    known.shown = snapshot;
    known.pieces = pieces;
    tell({ snapshot, torrent, pieces: isMoved ? pieces : null });
  }

  async #openStore(torrent: number, infoHash: string): Promise<void> {
    const metainfo = this.#shell.torrentFile(torrent) as Bytes;
    const place = await this.#places.open(infoHash, metainfo);
    if (place.warning) {
      this.#pass(torrent, { type: "warning", ...place.warning });
    }
    this.#shell.storeOpened(torrent, place.found, place.parts);
    this.#isChanged = true;
    this.#due();
  }

  /** What the shell calls; nothing here calls it back before returning. */
  #host() {
    return {
      send: (link: number, bytes: Uint8Array) => this.#channels.send(link, bytes),
      setLow: (link: number, bytes: number) => this.#channels.setLow(link, bytes),
      digest: (batch: number, algorithm: Algorithm, bytes: Uint8Array, isLast: boolean) =>
        this.#digests.take(batch, algorithm, bytes, isLast),
      peer: (order: PeerOrder["peer"], link: number, sdp: string) => this.#peer(order, link, sdp),
      tracker: (order: "open" | "send" | "close", tracker: number, text: string) =>
        this.#sockets[order](tracker, text),
      fetch: (order: "get" | "drop", job: number, url: string, start: number, end: number) =>
        order === "get" ? this.#fetches.get(job, url, start, end) : this.#fetches.drop(job),
      openStore: (torrent: number, infoHash: string) =>
        queueMicrotask(() => void this.#openStore(torrent, infoHash)),
      closeStore: (torrent: number, isDelete: boolean) =>
        void this.#places.close(this.#hashes.get(torrent) ?? "", isDelete),
      event: (torrent: number, json: string) =>
        void this.#events.push({ torrent, event: JSON.parse(json) }),
      pay: (word: string, link: number, number: number, bytes: Uint8Array) =>
        void this.#payNews.push([word, link, number, bytes.slice()]),
      reader: (reader: number, end: number) =>
        queueMicrotask(() => this.#serving.ready(reader, end)),
    };
  }

  #peer(order: PeerOrder["peer"], link: number, sdp: string): void {
    if (order === "answer") this.#channels.order({ peer: order, link, offer: sdp });
    else if (order === "accept") this.#channels.order({ peer: order, link, answer: sdp });
    else if (order !== "relay-send") this.#channels.order({ peer: order, link });
  }

  #link(link: number, news: string, waiting: number, sdp?: string): void {
    this.#shell.link(link, news, waiting, sdp);
    this.#due();
  }

  #makeChannels(): Channels {
    const listener = {
      opened: (link: number) => this.#link(link, "opened", 0),
      bytes: (link: number, bytes: Uint8Array) => {
        this.#shell.bytes(link, bytes);
        this.#due();
      },
      writable: (link: number, waiting: number) => this.#link(link, "writable", waiting),
      described: (link: number, kind: string, sdp: string) => this.#link(link, kind, 0, sdp),
      ended: (link: number, end: LinkEnd) => this.#link(link, end, 0),
    };
    return new Channels(listener, tell);
  }

  #makeSockets(): Sockets {
    const news = (kind: string) => (tracker: number, text = "") => {
      this.#shell.tracker(tracker, kind, text);
      this.#due();
    };
    return new Sockets({ opened: news("opened"), text: news("text"), closed: news("closed") });
  }

  #makeFetches(): Fetches {
    return new Fetches({
      answered: (job, status, headers) => {
        this.#shell.fetchAnswered(job, status, headers);
        this.#due();
      },
      bytes: (job, bytes) => {
        this.#shell.fetchBytes(job, bytes);
        this.#due();
      },
      ended: (job, end, why) => {
        this.#shell.fetchEnded(job, end, why);
        this.#due();
      },
    });
  }

  #makeServing(): Serving {
    return new Serving({
      openReader: (torrent) => this.#shell.openReader(torrent),
      moveReader: (reader, start, end) => {
        this.#shell.moveReader(reader, start, end);
        this.#due();
      },
      closeReader: (reader) => {
        this.#shell.closeReader(reader);
        this.#due();
      },
      read: (torrent, start, length) => this.#shell.read(torrent, start, length) as Bytes,
      waiting: (waiting) => tell({ waiting }),
    });
  }
}

interface New {
  new: boolean;
}

interface Rest {
  trackers: string[];
  webSeeds: string[];
  paused: boolean;
  sequential: boolean;
}

/** A URL is fetched; a magnet link or an info-hash is for the engine to read. */
async function bytesOf(source: string): Promise<Uint8Array> {
  const text = source.trim();
  const isNamed = /^(magnet:|[0-9a-z]{32,40}$|[0-9a-f]{64}$)/i.test(text);
  if (isNamed) return new TextEncoder().encode(text);
  if (!/^https?:\/\//i.test(text)) {
    const message = "neither a magnet link, an info-hash nor the URL of a torrent file";
    throw new HeadwaterError("bad-source", message);
  }
  let response: Response;
  try {
    response = await fetch(text);
  } catch (thrown) {
    throw new HeadwaterError("unreachable", `${source} cannot be fetched`, { cause: thrown });
  }
  if (!response.ok) throw new HeadwaterError("unreachable", `${source} answers ${response.status}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes.byteLength <= TORRENT_BYTES_MAX) return bytes;
  const message = `${source} has ${bytes.byteLength} bytes, at most ${TORRENT_BYTES_MAX} allowed`;
  throw new HeadwaterError("too-large", message);
}

function unknownYet(): never {
  throw new HeadwaterError("not-ready", "metadata is not known yet");
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

async function open(options: EngineOptions): Promise<Engine> {
  if (!WebAssembly.validate(SIMD_PROBE)) {
    const have = "Chrome has it since 91, Firefox since 89, Safari since 16.4";
    const message = `this browser lacks WebAssembly SIMD: ${have}`;
    throw new HeadwaterError("unsupported-browser", message);
  }
  const url = options.wasmUrl ?? new URL("headwater.wasm", import.meta.url);
  try {
    await init({ module_or_path: url });
  } catch (thrown) {
    const { message }: Fault = faultOf(thrown);
    throw new HeadwaterError("engine-missing", `the engine does not load from ${url}: ${message}`);
  }
  return new Engine(options);
}

let engine: Engine | null = null;
Object.assign(globalThis, { headwaterPanicked: (crashed: string) => tell({ crashed }) });
self.onmessage = async ({ data }: MessageEvent<ToWorker>) => {
  if (engine) {
    engine.hear(data);
    return;
  }
  if (!("ask" in data) || data.ask.ask !== "open") return;
  try {
    engine = await open(data.ask.options);
    tell({ id: data.id, answer: null });
  } catch (thrown) {
    tell({ id: data.id, fault: faultOf(thrown) });
  }
};
