/**
 * Remembers over reloads which torrents are open. Keeps links and choices only; the bytes are in
 * the client's storage.
 */

/** One torrent to open again. */
export interface Recent {
  hash: string;
  magnet: string;
  paused: boolean;
  skipped: string[];
}

const KEY = "headwater.recent";

/** Most torrents remembered; the oldest is forgotten first. */
const RECENT_MAX = 50;

/** Reads what was open, oldest first. */
export function recents(): Recent[] {
  try {
    const read: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(read) ? read.filter(isRecent) : [];
  } catch {
    return [];
  }
}

/** Remembers a torrent, in place of what was known of it. */
export function remember(entry: Recent): void {
  const others = recents().filter((each) => each.hash !== entry.hash);
  const known = recents().findIndex((each) => each.hash === entry.hash);
  others.splice(known < 0 ? others.length : known, 0, entry);
  write(others.slice(-RECENT_MAX));
}

/** Forgets a torrent. */
export function forget(hash: string): void {
  write(recents().filter((each) => each.hash !== hash));
}

function write(entries: Recent[]): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(entries));
  } catch {
    // Without storage the page works all the same, until it is closed.
  }
}

function isRecent(value: unknown): value is Recent {
  if (typeof value !== "object" || value === null) return false;
  const entry = value as Partial<Record<keyof Recent, unknown>>;
  return (
    typeof entry.hash === "string" &&
    typeof entry.magnet === "string" &&
    typeof entry.paused === "boolean" &&
    Array.isArray(entry.skipped) &&
    entry.skipped.every((each) => typeof each === "string")
  );
}
