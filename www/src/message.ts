/** Every message between the page, the engine worker and the service worker. Types only. */

import type { Fault } from "./error.js";

/** Bytes that own their memory, so that it can be transferred. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** What the page decides before the engine starts. */
export interface EngineOptions {
  trackers: string[];
  storage: "opfs" | "memory";
  uploadLimit: number | null;
  downloadLimit: number | null;
  maxPeers: number | null;
  wasmUrl: string | null;
}

/** How a torrent is added. */
export interface AddRequest {
  files: number[] | null;
  trackers: string[];
  webSeeds: string[];
  paused: boolean;
  sequential: boolean;
}

/** How files become a torrent. */
export interface SeedRequest {
  name: string | null;
  version: string;
  pieceLength: number | null;
  trackers: string[];
  comment: string | null;
  superSeed: boolean;
}

/** What the page asks of the worker; each is answered once. */
export type Ask =
  | { ask: "open"; options: EngineOptions }
  | { ask: "add"; source: string | Bytes; options: AddRequest }
  | { ask: "seed"; files: { path: string; file: Blob }[]; options: SeedRequest }
  | { ask: "remove"; torrent: number; data: boolean }
  | { ask: "pause"; torrent: number }
  | { ask: "resume"; torrent: number }
  | { ask: "super"; torrent: number }
  | { ask: "plain"; torrent: number }
  | { ask: "choose"; torrent: number; priorities: number[] }
  | { ask: "limits"; torrent: number | null; upload: number | null; download: number | null }
  | { ask: "queue"; downloads: number | null; seeds: number | null }
  | { ask: "place"; torrent: number; place: number }
  | { ask: "torrentFile"; torrent: number }
  | { ask: "pay"; wish: PayWish }
  | { ask: "close" };

/** A grant and how to use it. Amounts are decimal digits, bytes are hex. */
export interface GrantGiven {
  chain: number;
  vault: string;
  token: string;
  owner: string;
  key: string;
  cap: string;
  expiry: number;
  salt: string;
  signature: string;
  price: string;
}

/** What is sold, for whom and where. Amounts are decimal digits. */
export interface TermsGiven {
  chain: number;
  vault: string;
  payee: string;
  price: string;
  slots: number;
  unsecured: string;
}

/** What the page wishes of payment. */
export type PayWish =
  | { pay: "key" }
  | { pay: "start"; grant: GrantGiven }
  | { pay: "stop" }
  | { pay: "buy"; magnet: string }
  | { pay: "has"; magnet: string }
  | { pay: "recall" }
  | { pay: "sell"; terms: TermsGiven; node: string }
  | { pay: "unsell" }
  | { pay: "claim"; account: string; chain: number; vault: string; node: string }
  | { pay: "submitted"; id: string | null };

/** What payment tells the page; what was counted is JSON, with amounts as decimal digits. */
export type PayTold = { spending: string } | { earning: string } | { stopped: string };

/** What is known of a torrent that was added. */
export interface Added {
  torrent: number;
  infoHash: string;
  infoHashV2: string | null;
  name: string | null;
  metadata: Metadata | null;
}

/** News of a peer connection, from the page that makes it. */
export type PeerNews =
  | { peer: "offered"; link: number; sdp: string }
  | { peer: "answered"; link: number; sdp: string }
  | { peer: "channel"; link: number; channel: RTCDataChannel }
  | { peer: "relay"; link: number }
  | { peer: "relay-open"; link: number }
  | { peer: "relay-bytes"; link: number; bytes: ArrayBuffer }
  | { peer: "relay-drained"; link: number; sent: number; left: number }
  | { peer: "lost"; link: number; end: LinkEnd };

/** How a link ended; `unsupported` when none can be made at all. */
export type LinkEnd = "closed" | "failed" | "unsupported";

/** What the worker wants of the peer connections. */
export type PeerOrder =
  | { peer: "offer"; link: number }
  | { peer: "answer"; link: number; offer: string }
  | { peer: "accept"; link: number; answer: string }
  | { peer: "relay-send"; link: number; bytes: ArrayBuffer }
  | { peer: "drop"; link: number };

/** A request for a file's bytes, from the service worker, with a port that takes the answer. */
export interface FileRequest {
  infoHash: string;
  path: string;
  method: string;
  range: string | null;
  ifRange: string | null;
  ifNoneMatch: string | null;
}

/** What a page reads of a file by itself, over a port like the service worker's. */
export interface FileRead {
  torrent: number;
  file: number;
  start: number;
  end: number;
}

/** From the page to the worker. */
export type ToWorker =
  | { id: number; ask: Ask }
  | PeerNews
  | { serve: FileRequest; port: MessagePort }
  | { read: FileRead; port: MessagePort };

/** From the worker to the page. */
export type ToPage =
  | { id: number; answer: unknown }
  | { id: number; fault: Fault }
  | { hashing: number; id: number }
  | PeerOrder
  | { event: TorrentEvent; torrent: number }
  | { snapshot: string; torrent: number; pieces: Bytes | null }
  | { totals: ClientStats }
  | { waiting: boolean }
  | { paid: PayTold }
  | { crashed: string };

/** What happens to a torrent. */
export type TorrentEvent =
  | { type: "metadata"; metadata: Metadata }
  | { type: "done" }
  | { type: "peer"; peer: string; joined: boolean; reason: string | null }
  | { type: "warning"; code: string; message: string }
  | { type: "error"; code: string; message: string };

/** A torrent's shape, once known. */
export interface Metadata {
  name: string;
  version: "v1" | "v2" | "hybrid";
  infoHashV2: string | null;
  length: number;
  pieceLength: number;
  pieceCount: number;
  private: boolean;
  comment: string | null;
  magnet: string;
  /** Its link names a price: its files are encrypted, unless the publisher did not sign that. */
  paid: boolean;
  trackers: string[];
  files: FileShape[];
}

/** One file of a torrent; `pad` files hold only zeros and are never shown. */
export interface FileShape {
  path: string;
  length: number;
  offset: number;
  pad: boolean;
  /** Content type, by its name. */
  mime: string;
  /** Whether a browser would run scripts in it if it were opened as a page. */
  runsScripts: boolean;
}

/** Decrypts in place what begins at byte `offset` of a file. */
export type Decrypt = (offset: number, bytes: Bytes) => void;

/** A torrent's figures at one moment. */
export interface Snapshot {
  state: TorrentState;
  wanted: number;
  wantedStored: number;
  downloaded: number;
  uploaded: number;
  wasted: number;
  downloadSpeed: number;
  uploadSpeed: number;
  seeds: number;
  peers: Peer[];
  trackers: Tracker[];
  webSeeds: WebSeed[];
}

/** One web seed of a torrent: a server that holds its files. */
export interface WebSeed {
  url: string;
  working: boolean;
  /** What is wrong, for a person; empty when nothing is. */
  trouble: string;
  downloaded: number;
  downloadSpeed: number;
}

/** What a torrent is doing. */
export type TorrentState =
  | "resolving"
  | "checking"
  | "leeching"
  | "seeding"
  | "queued"
  | "paused"
  | "failed";

/** One peer of a torrent. */
export interface Peer {
  /** What it calls itself, in hex. */
  id: string;
  /** Its program, as it says; text from outside, cut to a sane length. */
  client: string;
  /** How much of the torrent it has, from 0 to 1. */
  progress: number;
  downloaded: number;
  uploaded: number;
  downloadSpeed: number;
  uploadSpeed: number;
  /** It does not serve us. */
  choking: boolean;
  /** We do not serve it. */
  choked: boolean;
  /** It wants something of us. */
  interested: boolean;
  /** We want something of it. */
  interesting: boolean;
}

/** One tracker of a torrent. */
export interface Tracker {
  url: string;
  working: boolean;
  /** What is wrong, for a person; empty when nothing is. */
  trouble: string;
  complete: number;
  incomplete: number;
  /** Seconds until it is asked again. */
  nextIn: number | null;
}

/** All torrents together. */
export interface ClientStats {
  downloadSpeed: number;
  uploadSpeed: number;
  /** Peers that are linked. */
  peers: number;
  /** Peer connections alive, attempts included. */
  links: number;
}

/** What the service worker, or a page, sends on a port that carries a file. */
export type PortAsk = "pull" | "cancel";

/** What comes back on that port. */
export type PortAnswer =
  | { has: boolean }
  | { head: { status: number; headers: [string, string][]; body: boolean } }
  | { bytes: Bytes }
  | { end: true }
  | { fault: Fault };

/** What the service worker and a page say to each other. */
export type SwMessage = { headwater: "serve"; request: FileRequest } | { headwater: "claim" };
