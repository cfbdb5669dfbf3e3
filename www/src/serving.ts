/**
 * Serves files' bytes on ports: to the service worker and to the page. Each port pulls; a reader of
 * the engine says how far stored bytes go, and its deadline goes when the port cancels.
 */

import { type Fault, faultOf, HeadwaterError } from "./error.js";
import { empty, Pace, reply } from "./http.js";
import type {
  Bytes, Decrypt, FileRead, FileRequest, FileShape, Metadata, PortAnswer, PortAsk,
} from "./message.js";

/** Most bytes that move at once. */
const PART_MAX = 256 * 1024;
/** How far ahead of a reader the engine fetches in order. */
const AHEAD = 16 * 1024 * 1024;
/** How long a deadline outlives a short answer: a player asks for the next at once. */
const LINGER_MS = 3000;
/** After this long without a pull a reader keeps no deadline. */
const IDLE_MS = 30_000;

/** What serving needs of the engine. */
export interface ReaderSource {
  openReader(torrent: number): number;
  moveReader(reader: number, start: number, end: number): void;
  closeReader(reader: number): void;
  read(torrent: number, start: number, length: number): Bytes;
  waiting(isWaiting: boolean): void;
}

/** A torrent as serving sees it: what is known of it, and when it is. */
export interface Served {
  torrent: number;
  infoHash: string;
  metadata: Metadata | null;
  whenKnown: Promise<void>;
  /** What decrypts a file of paid content; `null` for others. Fails while it is not bought. */
  decrypts(file: FileShape): Promise<Decrypt | null>;
}

/** Every read in progress. */
export class Serving {
  readonly #source: ReaderSource;
  readonly #pace = new Pace();
  readonly #reads = new Map<number, Read>();
  #waiting = 0;
  /** When something last waited for bytes of a torrent. */
  readonly #waited = new Map<number, number>();

  constructor(source: ReaderSource) {
    this.#source = source;
  }

  /** Answers a request of the service worker. */
  async serve(request: FileRequest, port: MessagePort, served: Served | null): Promise<void> {
    post(port, { has: served !== null });
    if (!served) return;
    let isOpen = true;
    port.onmessage = () => (isOpen = false);
    await served.whenKnown;
    const { files } = served.metadata ?? { files: [] };
    const index = files.findIndex((file) => !file.pad && file.path === request.path);
    const file = files[index];
    const decrypt = file && (await served.decrypts(file).catch(() => undefined));
    if (!isOpen) return;
    const tag = `"${served.infoHash}-${index}"`;
    const answer = !file ? empty(404, []) : decrypt === undefined ? empty(402, [])
      : reply(request, { file, tag }, this.#pace);
    const body = request.method !== "HEAD" && answer.end > answer.start;
    post(port, { head: { status: answer.status, headers: answer.headers, body } });
    if (!file || decrypt === undefined || !body) {
      port.close();
      return;
    }
    const { start, end } = answer;
    this.#read(served.torrent, { file, start, end, wanted: file.length, decrypt }, port);
  }

  /** Answers a read of the page. */
  async read({ file, start, end }: FileRead, port: MessagePort, served: Served | null) {
    const shape = served?.metadata?.files[file];
    try {
      if (!served || !shape) throw new HeadwaterError("removed", "the torrent is not there");
      const decrypt = await served.decrypts(shape);
      this.#read(served.torrent, { file: shape, start, end, wanted: end, decrypt }, port);
    } catch (thrown) {
      post(port, { fault: faultOf(thrown) });
    }
  }

  /** Takes the engine's word on how far a reader can be served; negative when never. */
  ready(reader: number, end: number): void {
    this.#reads.get(reader)?.ready(end);
  }

  /** When something last waited for bytes of each torrent; `null` for one that nobody reads. */
  waits(torrents: Iterable<number>): Map<number, number | null> {
    const read = new Set([...this.#reads.values()].map(({ torrent }) => torrent));
    const waits = new Map<number, number | null>();
    for (const torrent of torrents) {
      waits.set(torrent, read.has(torrent) ? this.#waited.get(torrent) ?? 0 : null);
    }
    return waits;
  }

  #read(torrent: number, { file, start, end, wanted, decrypt }: Part, port: MessagePort): void {
    const { offset } = file;
    const read = new Read(
      { torrent, offset, at: offset + start, end: offset + end, wanted: offset + wanted, decrypt },
      port,
      {
        source: this.#source,
        opened: (reader, opened) => this.#reads.set(reader, opened),
        closed: (reader, isLingering) => this.#closed(reader, isLingering),
        waiting: (change) => this.#count(torrent, change),
      },
    );
    read.start();
  }

  #closed(reader: number, isLingering: boolean): void {
    this.#reads.delete(reader);
    if (isLingering) setTimeout(() => this.#source.closeReader(reader), LINGER_MS);
    else this.#source.closeReader(reader);
  }

  #count(torrent: number, change: number): void {
    this.#waited.set(torrent, Date.now());
    this.#waiting += change;
    if (this.#waiting === Math.max(change, 0)) this.#source.waiting(change > 0);
  }
}

/** Bytes of a file, from its beginning; deadlines go on up to `wanted`. */
interface Part {
  file: FileShape;
  start: number;
  end: number;
  wanted: number;
  decrypt: Decrypt | null;
}

/** The same, from the torrent's beginning; the file's is at `offset`. */
interface Span {
  torrent: number;
  offset: number;
  at: number;
  end: number;
  wanted: number;
  decrypt: Decrypt | null;
}

interface ReadOwner {
  source: ReaderSource;
  opened(reader: number, read: Read): void;
  closed(reader: number, isLingering: boolean): void;
  waiting(change: number): void;
}

/** One answer's bytes on their way. */
class Read {
  readonly #span: Span;
  readonly #port: MessagePort;
  readonly #owner: ReadOwner;
  #reader: number | null = null;
  #ready = 0;
  #isWaiting = false;
  #idle: ReturnType<typeof setTimeout> | undefined;

  constructor(span: Span, port: MessagePort, owner: ReadOwner) {
    this.#span = span;
    this.#port = port;
    this.#owner = owner;
  }

  get torrent(): number {
    return this.#span.torrent;
  }

  /** Wants the bytes before the first pull: the request is the demand. */
  start(): void {
    this.#port.onmessage = ({ data }: MessageEvent<PortAsk>) => {
      if (data === "cancel") this.#finish(false);
      else this.#pull();
    };
    this.#port.addEventListener("close", () => this.#finish(false));
    if (this.#span.at < this.#span.end) this.#move();
    this.#rest();
  }

  ready(end: number): void {
    if (end < 0) {
      this.#fail({ code: "removed", message: "the torrent failed or was removed" });
      return;
    }
    this.#ready = end;
    if (this.#isWaiting && this.#ready > this.#span.at) this.#deliver();
  }

  #pull(): void {
    clearTimeout(this.#idle);
    const { at, end } = this.#span;
    if (at >= end) {
      post(this.#port, { end: true });
      this.#finish(true);
    } else if (this.#ready > at) {
      this.#deliver();
    } else {
      this.#wait(true);
      this.#move();
    }
  }

  #deliver(): void {
    const { torrent, offset, at, end, decrypt } = this.#span;
    const length = Math.min(end, this.#ready, at + PART_MAX) - at;
    try {
      const bytes = this.#owner.source.read(torrent, at, length);
      decrypt?.(at - offset, bytes);
      this.#port.postMessage({ bytes } satisfies PortAnswer, [bytes.buffer]);
    } catch (thrown) {
      this.#fail(faultOf(thrown));
      return;
    }
    this.#wait(false);
    this.#span.at += length;
    if (this.#span.at < end) this.#move();
    this.#rest();
  }

  #move(): void {
    const { torrent, at, end, wanted } = this.#span;
    if (this.#reader === null) {
      this.#reader = this.#owner.source.openReader(torrent);
      this.#owner.opened(this.#reader, this);
    }
    this.#owner.source.moveReader(this.#reader, at, Math.max(end, Math.min(wanted, at + AHEAD)));
  }

  /** A player that pauses may pull again much later; meanwhile its bytes are in no hurry. */
  #rest(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#release(false), IDLE_MS);
  }

  #wait(isWaiting: boolean): void {
    if (this.#isWaiting === isWaiting) return;
    this.#isWaiting = isWaiting;
    this.#owner.waiting(isWaiting ? 1 : -1);
  }

  #fail(fault: Fault): void {
    post(this.#port, { fault });
    this.#finish(false);
  }

  #finish(isLingering: boolean): void {
    clearTimeout(this.#idle);
    this.#wait(false);
    this.#release(isLingering && this.#span.wanted > this.#span.end);
    this.#port.close();
  }

  #release(isLingering: boolean): void {
    if (this.#reader === null) return;
    const reader = this.#reader;
    this.#reader = null;
    this.#ready = 0;
    this.#owner.closed(reader, isLingering);
  }
}

function post(port: MessagePort, answer: PortAnswer): void {
  port.postMessage(answer);
}
