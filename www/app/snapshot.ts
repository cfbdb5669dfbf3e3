/**
 * Reads from a torrent everything a card shows, once a tick, as plain values. The only place that
 * turns the client's forms into the page's.
 */
import type { PieceState, Torrent } from "headwater";

/** What is going on with a torrent. */
export type Phase = "resolving" | "checking" | "fetching" | "complete" | "paused" | "failed";

/** One of the people we exchange with. */
export interface Person {
  client: string;
  has: number;
  from: number;
  to: number;
  fromSpeed: number;
  toSpeed: number;
}

/** A torrent at one moment. */
export interface Snapshot {
  phase: Phase;
  name: string;
  /** Whether metadata is here: what it holds, and how much. */
  known: boolean;
  length: number;
  /** How much of what is wanted is here, from 0 to 1. */
  progress: number;
  /** Bytes wanted and not here. */
  missing: number;
  /** Bytes that came from people since it was opened. */
  fetched: number;
  /** Bytes that were here when it was opened. */
  stored: number;
  /** Bytes given to people since it was opened. */
  given: number;
  down: number;
  up: number;
  /** Mean of the last seconds' download speeds, for telling how long the rest takes. */
  pace: number;
  people: Person[];
  /** Trackers out of reach. */
  troubled: string[];
  pieces: PieceState[];
}

const PHASES = {
  resolving: "resolving",
  checking: "checking",
  leeching: "fetching",
  seeding: "complete",
  queued: "paused",
  paused: "paused",
  failed: "failed",
} as const;

/** Looks at a torrent; `hint` is its name while it does not know its own. */
export function look(
  torrent: Torrent,
  hint: string | null,
  pace = torrent.downloadSpeed,
): Snapshot {
  const wanted = torrent.files.filter((file) => file.priority !== "skip");
  const here = sum(torrent.files.map((file) => file.progress * file.length));
  return {
    phase: PHASES[torrent.state],
    name: torrent.name === torrent.infoHash
      ? hint ?? `Torrent ${torrent.infoHash.slice(0, 8)}` : torrent.name,
    known: torrent.length > 0,
    length: torrent.length,
    progress: torrent.progress,
    missing: sum(wanted.map((file) => (1 - file.progress) * file.length)),
    fetched: torrent.downloaded,
    stored: Math.max(0, here - torrent.downloaded),
    given: torrent.uploaded,
    down: torrent.downloadSpeed,
    up: torrent.uploadSpeed,
    pace,
    people: torrent.peers.map((peer) => ({
      client: peer.client,
      has: peer.progress,
      from: peer.downloaded,
      to: peer.uploaded,
      fromSpeed: peer.downloadSpeed,
      toSpeed: peer.uploadSpeed,
    })),
    troubled: torrent.trackers.filter((each) => each.trouble !== "").map((each) => each.url),
    pieces: torrent.pieces(),
  };
}

function sum(values: number[]): number {
  return values.reduce((total, each) => total + each, 0);
}
