/**
 * The public API: a BitTorrent client for web pages. The engine runs in a worker of its own; this
 * module starts it, names its torrents for the app, and hands it what only a page can make.
 */

import { Engine, type News } from "./engine.js";
import { HeadwaterError } from "./error.js";
import type {
  Added, Ask, Bytes, ClientStats, FileRead, FileRequest, Snapshot,
} from "./message.js";
import type { Payment } from "headwater-payment";
import { hasWebRtc } from "./peers.js";
import { hasServiceWorker, Streaming } from "./streaming.js";
import { type Owner, Torrent } from "./torrent.js";

export { HeadwaterError } from "./error.js";
export type {
  ClientStats, Metadata, Peer, Snapshot, TorrentState, Tracker, WebSeed,
} from "./message.js";
export type {
  Claim, Claimer, EarningNews, Fee, Payment, PaymentListener, PaymentNews, Publication, Purchase,
  Purse, Sale,
} from "headwater-payment";
export { File, type PieceState, type Priority, Torrent, type TorrentEventMap } from "./torrent.js";

/** Longest `open` waits for the service worker; `client.ready` waits on. */
const STREAMING_MS_MAX = 3000;
/** How long trackers have to hear the farewell. */
const CLOSE_MS_MAX = 1000;

/** How a client is opened. All of it is optional. */
export interface OpenOptions {
  /** Trackers for every public torrent, besides its own; `ws:` and `wss:`. */
  trackers?: string[];
  /** STUN and TURN servers; none leaves only peers of the same network. */
  iceServers?: RTCIceServer[];
  /** Where bytes are kept; the origin's private file system unless told otherwise. */
  storage?: "opfs" | "memory";
  /** Bytes a second for sending. */
  uploadLimit?: number;
  /** Bytes a second for fetching. */
  downloadLimit?: number;
  /** Most peers a torrent keeps. */
  maxPeers?: number;
  /** Where the service worker's script is; `false` for none. */
  serviceWorker?: string | URL | false;
  /** Where the engine worker's script is. */
  workerUrl?: string | URL;
  /** Where the engine itself is. */
  wasmUrl?: string | URL;
}

/** How a torrent is added. */
export interface AddOptions {
  /** Indices of the files to fetch; all unless told otherwise. */
  files?: number[];
  /** More trackers. */
  trackers?: string[];
  /** Servers that hold its files (BEP 19); they must let pages read them (CORS). */
  webSeeds?: string[];
  /** Whether it waits for `resume`. */
  paused?: boolean;
  /** Whether pieces come in order, for a program that reads them so; else the rarest first. */
  sequential?: boolean;
}

/** How files become a torrent. */
export interface SeedOptions {
  /** What to call it; a single file's name or the common folder unless told otherwise. */
  name?: string;
  /**
   * Which protocols describe it; `v1` unless told otherwise, which every client reads. `v2` is
   * checked by every 16 KiB; `hybrid` is both, and old clients show the padding between its files.
   */
  version?: "v1" | "v2" | "hybrid";
  /** A power of two; chosen by size unless told otherwise. */
  pieceLength?: number;
  /** More trackers. */
  trackers?: string[];
  /** Free text. */
  comment?: string;
  /** Shows each peer one piece at a time, for a torrent that nobody else has yet (BEP 16). */
  superSeed?: boolean;
  /** Hears how much is hashed, from 0 to 1. */
  onProgress?: (fraction: number) => void;
}

/**
 * A magnet link, an info-hash (40 hex digits, 64 of v2), the bytes of a `.torrent` file, or the
 * URL of one.
 */
export type Source = string | URL | Uint8Array | ArrayBuffer | Blob;
/** A file to share; a path places it inside the torrent. */
export type SeedFile = Blob | { path: string; file: Blob };

/** What client events carry. */
export interface HeadwaterEventMap {
  torrent: CustomEvent<Torrent>;
  error: CustomEvent<HeadwaterError>;
}

const DEFAULT_ICE: RTCIceServer[] = [
  { urls: ["stun:stun.l.google.com:19302", "stun:global.stun.twilio.com:3478"] },
];

/** A client: one engine with its torrents. */
export class Headwater extends EventTarget {
  /** What this browser offers. Without WebRTC nothing is fetched; the rest has fallbacks. */
  static get support(): { webrtc: boolean; opfs: boolean; serviceWorker: boolean } {
    return { webrtc: hasWebRtc(), opfs: hasOpfs(), serviceWorker: hasServiceWorker() };
  }

  readonly #engine: Engine;
  readonly #owner: Owner;
  readonly #torrents = new Map<number, Torrent>();
  #streaming: Streaming | null = null;
  #whyNoStreaming = new HeadwaterError("not-ready", "wait for `client.ready` first");
  #ready: Promise<void> = Promise.resolve();
  #payment: Payment | null = null;
  #stats: ClientStats = { downloadSpeed: 0, uploadSpeed: 0, peers: 0, links: 0 };

  private constructor(options: OpenOptions) {
    super();
    const workerUrl = options.workerUrl ?? new URL("headwater-worker.js", import.meta.url);
    this.#engine = new Engine(workerUrl, options.iceServers ?? DEFAULT_ICE, {
      news: (news) => this.#hear(news),
      crashed: (error) => this.#fail(error),
    });
    this.#owner = {
      ask: <T>(ask: Ask) => this.#engine.ask<T>(ask),
      read: (read: FileRead, port: MessagePort) => this.#engine.post({ read, port }, [port]),
      url: (infoHash, path) => this.#url(infoHash, path),
      forget: (torrent) => void this.#torrents.delete(torrent.id),
    };
  }

  /** Opens a client. Fails only when the engine itself cannot start. */
  static async open(options: OpenOptions = {}): Promise<Headwater> {
    const client = new Headwater(options);
    client.#ready = client.#stream(options.serviceWorker);
    try {
      await client.#engine.ask({
        ask: "open",
        options: {
          trackers: options.trackers ?? [],
          storage: options.storage ?? "opfs",
          uploadLimit: options.uploadLimit ?? null,
          downloadLimit: options.downloadLimit ?? null,
          maxPeers: options.maxPeers ?? null,
          wasmUrl: options.wasmUrl ? new URL(options.wasmUrl, location.href).href : null,
        },
      });
    } catch (thrown) {
      client.#streaming?.close();
      client.#engine.end(new HeadwaterError("closed", "the client could not be opened"));
      throw thrown;
    }
    await Promise.race([client.#ready, later(STREAMING_MS_MAX)]);
    return client;
  }

  /** Settles when `file.url` works, or when it is known that it never will. */
  get ready(): Promise<void> {
    return this.#ready;
  }

  /** Whether `file.url` works. */
  get canStream(): boolean {
    return this.#streaming !== null;
  }

  /** The torrents, in the order they were added. */
  get torrents(): readonly Torrent[] {
    return [...this.#torrents.values()];
  }

  /** Figures of all torrents together, at most half a second old. */
  stats(): ClientStats {
    return this.#stats;
  }

  /** Adds a torrent; one that is there already is returned with the new trackers merged in. */
  async add(source: Source, options: AddOptions = {}): Promise<Torrent> {
    const files = options.files ?? null;
    const read = await readSource(source);
    const { trackers = [], webSeeds = [], paused = false, sequential = false } = options;
    const request = { files, trackers, webSeeds, paused, sequential };
    const ask: Ask = { ask: "add", source: read, options: request };
    return this.#named(await this.#engine.ask<Added>(ask), files);
  }

  /** Makes a torrent of files and shares it. The files are read where they are, not copied. */
  async seed(files: Iterable<SeedFile> | SeedFile, options: SeedOptions = {}): Promise<Torrent> {
    const list = isSeedFile(files) ? [files] : [...files];
    const ask: Ask = {
      ask: "seed",
      files: list.map(seedEntry),
      options: {
        name: options.name ?? null,
        version: options.version ?? "v1",
        pieceLength: options.pieceLength ?? null,
        trackers: options.trackers ?? [],
        comment: options.comment ?? null,
        superSeed: options.superSeed ?? false,
      },
    };
    return this.#named(await this.#engine.ask<Added>(ask, [], options.onProgress), null);
  }

  /** Sets the limits; bytes a second, `null` for none. */
  setLimits(limits: { upload?: number | null; download?: number | null }): Promise<void> {
    const { upload = null, download = null } = limits;
    return this.#engine.ask({ ask: "limits", torrent: null, upload, download });
  }

  /**
   * Sets how many torrents are active at once, those that fetch and complete ones apart; `null` for
   * all. The others wait in the state `queued` and go on by themselves.
   */
  setQueue(most: { downloads?: number | null; seeds?: number | null }): Promise<void> {
    const { downloads = null, seeds = null } = most;
    return this.#engine.ask({ ask: "queue", downloads, seeds });
  }

  /** Paid priority. It is off, and nothing of it is loaded before this is called. */
  async payment(): Promise<Payment> {
    const { Payment } = await import("headwater-payment");
    return (this.#payment ??= new Payment((wish) => this.#engine.ask({ ask: "pay", wish })));
  }

  /** Says farewell to trackers and peers, and ends the engine. */
  async close(): Promise<void> {
    const farewell = this.#engine.ask({ ask: "close" }).catch(() => undefined);
    await Promise.race([farewell, later(CLOSE_MS_MAX)]);
    const error = new HeadwaterError("closed", "the client was closed");
    this.#streaming?.close();
    this.#streaming = null;
    this.#whyNoStreaming = error;
    this.#engine.end(error);
    for (const torrent of this.#torrents.values()) torrent.fail(error);
    this.#torrents.clear();
  }

  /** The worker's news of a torrent may come before its answer to `add`. */
  #named(added: Added, chosen: number[] | null): Torrent {
    const known = this.#torrents.get(added.torrent);
    if (known) return known;
    const torrent = new Torrent(this.#owner, added, chosen);
    this.#torrents.set(added.torrent, torrent);
    this.dispatchEvent(new CustomEvent("torrent", { detail: torrent }));
    return torrent;
  }

  #hear(news: News): void {
    if ("totals" in news) this.#stats = news.totals;
    else if ("waiting" in news) this.#streaming?.keepAwake(news.waiting);
    else if ("paid" in news) this.#payment?.hear(news.paid);
    else if ("snapshot" in news) {
      const snapshot = JSON.parse(news.snapshot) as Snapshot;
      this.#torrents.get(news.torrent)?.show(snapshot, news.pieces);
    } else this.#torrents.get(news.torrent)?.hear(news.event);
  }

  #fail(error: HeadwaterError): void {
    this.#streaming?.close();
    this.#streaming = null;
    this.#whyNoStreaming = error;
    for (const torrent of this.#torrents.values()) torrent.fail(error);
    this.dispatchEvent(new CustomEvent("error", { detail: error }));
  }

  async #stream(script: string | URL | false = new URL("headwater-sw.js", import.meta.url)) {
    if (script === false) {
      this.#whyNoStreaming = new HeadwaterError("no-service-worker", "switched off by the app");
      return;
    }
    try {
      const url = new URL(script, location.href);
      this.#streaming = await Streaming.open(url, (request, port) => this.#serve(request, port));
    } catch (thrown) {
      if (thrown instanceof HeadwaterError) this.#whyNoStreaming = thrown;
    }
  }

  #serve(request: FileRequest, port: MessagePort): boolean {
    const isOurs = this.torrents.some((torrent) => torrent.infoHash === request.infoHash);
    if (isOurs) this.#engine.post({ serve: request, port }, [port]);
    return isOurs;
  }

  #url(infoHash: string, path: string): string {
    if (!this.#streaming) throw this.#whyNoStreaming;
    return this.#streaming.url(infoHash, path);
  }
}

/** Typed listeners. */
export interface Headwater {
  addEventListener<K extends keyof HeadwaterEventMap>(
    type: K,
    listener: (this: Headwater, event: HeadwaterEventMap[K]) => void,
    options?: AddEventListenerOptions | boolean,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: AddEventListenerOptions | boolean,
  ): void;
}

function hasOpfs(): boolean {
  return typeof navigator === "object" && typeof navigator.storage?.getDirectory === "function";
}

function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function readSource(source: Source): Promise<string | Bytes> {
  if (typeof source === "string" || source instanceof URL) return String(source);
  if (source instanceof Blob) return new Uint8Array(await source.arrayBuffer());
  return new Uint8Array(source);
}

function isSeedFile(files: Iterable<SeedFile> | SeedFile): files is SeedFile {
  return files instanceof Blob || "file" in files;
}

function seedEntry(entry: SeedFile): { path: string; file: Blob } {
  if (!(entry instanceof Blob)) return entry;
  const named = entry as Partial<globalThis.File>;
  return { path: named.webkitRelativePath || named.name || "data", file: entry };
}
