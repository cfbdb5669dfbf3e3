/** What an app holds of a torrent and its files. Figures are the worker's last snapshot. */

import type { Publication } from "headwater-payment";
import { errorOf, HeadwaterError } from "./error.js";
import type {
  Added, Ask, Bytes, FileRead, FileShape, Metadata, Peer, Snapshot, TorrentEvent, TorrentState,
  Tracker, WebSeed,
} from "./message.js";
import { gather, joined, streamOf } from "./reading.js";

/** What a piece is like; the index into it is what the engine sends. */
const PIECE_STATES = ["absent", "available", "partial", "stored"] as const;
/** One piece: nobody linked has it, somebody has it, part of it is here, it is stored. */
export type PieceState = (typeof PIECE_STATES)[number];
/** How much a file is wanted. */
export type Priority = "skip" | "normal" | "high";

const PRIORITIES: Record<Priority, number> = { skip: 0, normal: 1, high: 2 };
const STORED = PIECE_STATES.indexOf("stored");

/** What a torrent needs of its client. */
export interface Owner {
  ask<T>(ask: Ask): Promise<T>;
  read(read: FileRead, port: MessagePort): HeadwaterError | null;
  url(infoHash: string, path: string): string;
  forget(torrent: Torrent): void;
}

/** What torrent events carry in `detail`. */
export interface TorrentEventMap {
  metadata: CustomEvent<Metadata>;
  progress: CustomEvent<Snapshot>;
  done: CustomEvent<null>;
  peer: CustomEvent<{ id: string; joined: boolean; reason: string | null }>;
  warning: CustomEvent<{ code: string; message: string }>;
  error: CustomEvent<HeadwaterError>;
}

/** A promise that can be settled from outside, and that nobody need listen to. */
class Milestone {
  settle!: () => void;
  fail!: (error: HeadwaterError) => void;
  readonly promise: Promise<void>;

  constructor() {
    this.promise = new Promise<void>((resolve, reject) => {
      this.settle = resolve;
      this.fail = reject;
    });
    this.promise.catch(() => undefined);
  }
}

/** One torrent of a client. */
export class Torrent extends EventTarget {
  /**
   * What it was added as, 40 hex digits: SHA-1 of the info dictionary, or what v2 has instead,
   * SHA-256 cut short.
   */
  readonly infoHash: string;
  readonly #infoHashV2: string | null;
  readonly #id: number;
  readonly #owner: Owner;
  readonly #ready = new Milestone();
  #done = new Milestone();
  #name: string | null;
  #metadata: Metadata | null = null;
  #files: File[] = [];
  #snapshot: Snapshot | null = null;
  #progress = 0;
  #pieces: Bytes = new Uint8Array(0);
  #priorities: Priority[] = [];
  readonly #chosen: number[] | null;

  /** @internal */
  constructor(owner: Owner, added: Added, chosen: number[] | null) {
    super();
    this.#owner = owner;
    this.#id = added.torrent;
    this.infoHash = added.infoHash;
    this.#infoHashV2 = added.infoHashV2;
    this.#name = added.name;
    this.#chosen = chosen;
    if (added.metadata) this.#learn(added.metadata);
  }

  /** What it is called; the info-hash until a name is known. */
  get name(): string {
    return this.#metadata?.name ?? this.#name ?? this.infoHash;
  }
  /** SHA-256 of the info dictionary, 64 hex digits, of v2 and hybrids; of others `null`. */
  get infoHashV2(): string | null {
    return this.#metadata ? this.#metadata.infoHashV2 : this.#infoHashV2;
  }
  /** Which protocols describe it; `null` until metadata is known. */
  get version(): "v1" | "v2" | "hybrid" | null {
    return this.#metadata?.version ?? null;
  }
  /** A link that leads to it. */
  get magnet(): string {
    const v2 = this.#infoHashV2;
    const topic = v2?.startsWith(this.infoHash) ? `btmh:1220${v2}` : `btih:${this.infoHash}`;
    return this.#metadata?.magnet ?? `magnet:?xt=urn:${topic}`;
  }
  /** Bytes of all files together; 0 until metadata is known. */
  get length(): number {
    return this.#metadata?.length ?? 0;
  }
  /** Bytes in a piece; 0 until metadata is known. */
  get pieceLength(): number {
    return this.#metadata?.pieceLength ?? 0;
  }
  /** Free text of its maker. */
  get comment(): string | null {
    return this.#metadata?.comment ?? null;
  }
  /**
   * Whether its link names a price: then its files are encrypted, and `client.payment()` tells
   * whether this page has their key, and buys it.
   */
  get paid(): boolean {
    return this.#metadata?.paid ?? false;
  }
  /** Its files; empty until `ready`. */
  get files(): readonly File[] {
    return this.#files;
  }
  /** The peers that are linked. */
  get peers(): readonly Peer[] {
    return this.#snapshot?.peers ?? [];
  }
  /** Its trackers and how they do. */
  get trackers(): readonly Tracker[] {
    return this.#snapshot?.trackers ?? [];
  }
  /** The servers that hold its files, and how they do. */
  get webSeeds(): readonly WebSeed[] {
    return this.#snapshot?.webSeeds ?? [];
  }
  /** How much of what is wanted is here, from 0 to 1. */
  get progress(): number {
    return this.state === "seeding" ? 1 : this.#progress;
  }
  /** Bytes a second, coming in. */
  get downloadSpeed(): number {
    return this.#snapshot?.downloadSpeed ?? 0;
  }
  /** Bytes a second, going out. */
  get uploadSpeed(): number {
    return this.#snapshot?.uploadSpeed ?? 0;
  }
  /** Bytes fetched from peers. */
  get downloaded(): number {
    return this.#snapshot?.downloaded ?? 0;
  }
  /** Bytes sent to peers. */
  get uploaded(): number {
    return this.#snapshot?.uploaded ?? 0;
  }
  /** What it is doing. */
  get state(): TorrentState {
    return this.#snapshot?.state ?? "resolving";
  }
  /** Settles when metadata is known: from here on files can be read, as they come. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }
  /** Settles when everything wanted is here; fails when storage does. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  /** The state of every piece, in order. */
  pieces(): PieceState[] {
    return Array.from(this.#pieces, (state) => PIECE_STATES[state] ?? "absent");
  }

  /** Ends all transfer until `resume`. */
  pause(): Promise<void> {
    return this.#owner.ask({ ask: "pause", torrent: this.#id });
  }

  /** Transfers again, also after an error. */
  resume(): Promise<void> {
    if (this.state === "failed") this.#done = new Milestone();
    return this.#owner.ask({ ask: "resume", torrent: this.#id });
  }

  /** Shows each peer one piece at a time while everything is here (BEP 16), or no longer. */
  superSeed(on: boolean): Promise<void> {
    return this.#owner.ask({ ask: on ? "super" : "plain", torrent: this.#id });
  }

  /** Sets its own limits, besides those of the client; bytes a second, `null` for none. */
  setLimits(limits: { upload?: number | null; download?: number | null }): Promise<void> {
    const { upload = null, download = null } = limits;
    return this.#owner.ask({ ask: "limits", torrent: this.#id, upload, download });
  }

  /** Gives it another place in the queue of torrents, 0 being the first. */
  setPlace(place: number): Promise<void> {
    return this.#owner.ask({ ask: "place", torrent: this.#id, place });
  }

  /** Forgets the torrent; with `data` its stored bytes go too. */
  async remove(options: { data?: boolean } = {}): Promise<void> {
    await this.#owner.ask({ ask: "remove", torrent: this.#id, data: options.data ?? false });
    this.fail(new HeadwaterError("removed", "the torrent was removed"));
    this.#owner.forget(this);
  }

  /** The `.torrent` file, once metadata is known. */
  torrentFile(): Promise<Uint8Array> {
    return this.#owner.ask({ ask: "torrentFile", torrent: this.#id });
  }

  /**
   * What it says of its publisher, once metadata is known; `null` where it says nothing, or nothing
   * that the publisher signed for this torrent. Only where something is said is payment loaded.
   */
  async publication(): Promise<Publication | null> {
    const { magnet } = this;
    return magnet.includes("&x.hw=") ? (await import("headwater-payment")).publicationOf(magnet)
      : null;
  }

  /** @internal */
  get id(): number {
    return this.#id;
  }

  /** @internal Fails what nobody can settle any more. */
  fail(error: HeadwaterError): void {
    this.#ready.fail(error);
    this.#done.fail(error);
  }

  /** @internal Takes figures from the worker. */
  show(snapshot: Snapshot, pieces: Bytes | null): void {
    this.#snapshot = snapshot;
    // A torrent whose store is closed wants nothing for the time being.
    if (snapshot.wanted > 0) this.#progress = snapshot.wantedStored / snapshot.wanted;
    if (pieces) this.#pieces = pieces;
    this.#emit("progress", snapshot);
  }

  /** @internal Takes an event from the worker. */
  hear(event: TorrentEvent): void {
    switch (event.type) {
      case "metadata":
        if (!this.#metadata) this.#learn(event.metadata);
        break;
      case "done":
        this.#done.settle();
        this.#emit("done", null);
        break;
      case "peer":
        this.#emit("peer", { id: event.peer, joined: event.joined, reason: event.reason });
        break;
      case "warning":
        this.#emit("warning", { code: event.code, message: event.message });
        break;
      case "error":
        this.#done.fail(errorOf(event));
        this.#emit("error", errorOf(event));
        break;
    }
  }

  /** @internal Says how much a file is wanted. */
  choose(index: number, priority: Priority): Promise<void> {
    this.#priorities[index] = priority;
    const priorities = this.#priorities.map((wanted) => PRIORITIES[wanted]);
    return this.#owner.ask({ ask: "choose", torrent: this.#id, priorities });
  }

  /** @internal */
  priority(index: number): Priority {
    return this.#priorities[index] ?? "normal";
  }

  /** @internal How much of a file is stored, counted in whole pieces. */
  stored(shape: FileShape): number {
    if (shape.length === 0) return 1;
    const size = this.pieceLength;
    const end = shape.offset + shape.length;
    let bytes = 0;
    for (let at = Math.floor(shape.offset / size); at * size < end; at++) {
      if (this.#pieces[at] !== STORED) continue;
      bytes += Math.min(end, (at + 1) * size) - Math.max(shape.offset, at * size);
    }
    return bytes / shape.length;
  }

  #learn(metadata: Metadata): void {
    this.#metadata = metadata;
    const chosen = this.#chosen;
    this.#priorities = metadata.files.map((_, index) =>
      chosen === null || chosen.includes(index) ? "normal" : "skip",
    );
    this.#files = metadata.files.flatMap((shape, index) =>
      shape.pad ? [] : [new File(this, this.#owner, shape, index)],
    );
    this.#ready.settle();
    // Whoever adds a torrent listens to it only afterwards.
    setTimeout(() => this.#emit("metadata", metadata));
  }

  #emit<K extends keyof TorrentEventMap>(type: K, detail: TorrentEventMap[K]["detail"]): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** One file of a torrent. */
export class File {
  /** Its name, without folders. */
  readonly name: string;
  /** Its path inside the torrent, with `/` between parts. */
  readonly path: string;
  /** Its size in bytes. */
  readonly length: number;
  /** Its content type, by its name. */
  readonly type: string;
  readonly #torrent: Torrent;
  readonly #owner: Owner;
  readonly #shape: FileShape;
  readonly #index: number;

  /** @internal */
  constructor(torrent: Torrent, owner: Owner, shape: FileShape, index: number) {
    this.#torrent = torrent;
    this.#owner = owner;
    this.#shape = shape;
    this.#index = index;
    this.path = shape.path;
    this.name = shape.path.slice(shape.path.lastIndexOf("/") + 1);
    this.length = shape.length;
    this.type = shape.mime;
  }

  /** How much of it is here, from 0 to 1. */
  get progress(): number {
    return this.#torrent.stored(this.#shape);
  }

  /** How much it is wanted. */
  get priority(): Priority {
    return this.#torrent.priority(this.#index);
  }

  /** An address that plays in `<video>`, shows in `<img>` and answers `fetch`, ranges included. */
  get url(): string {
    return this.#owner.url(this.#torrent.infoHash, this.path);
  }

  /** Reads bytes from `start` up to `end`, each as soon as it is verified. */
  stream(range: { start?: number; end?: number } = {}): ReadableStream<Uint8Array<ArrayBuffer>> {
    const start = Math.min(Math.max(range.start ?? 0, 0), this.length);
    const end = Math.min(Math.max(range.end ?? this.length, start), this.length);
    const read = { torrent: this.#torrent.id, file: this.#index, start, end };
    return streamOf(read, (wanted, port) => this.#owner.read(wanted, port));
  }

  /** Reads bytes from `start` up to `end` into one array. */
  async bytes(start = 0, end = this.length): Promise<Uint8Array<ArrayBuffer>> {
    return joined(await gather(this.stream({ start, end })));
  }

  /** Reads the whole file. */
  async blob(): Promise<Blob> {
    return new Blob(await gather(this.stream()), { type: this.type });
  }

  /** Wants the file, by default like the rest. */
  select(priority: Exclude<Priority, "skip"> = "normal"): Promise<void> {
    return this.#torrent.choose(this.#index, priority);
  }

  /** Fetches no more of the file than its neighbours need. */
  deselect(): Promise<void> {
    return this.#torrent.choose(this.#index, "skip");
  }
}

/** Typed listeners. */
export interface Torrent {
  addEventListener<K extends keyof TorrentEventMap>(
    type: K,
    listener: (this: Torrent, event: TorrentEventMap[K]) => void,
    options?: AddEventListenerOptions | boolean,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: AddEventListenerOptions | boolean,
  ): void;
}
