/**
 * Says in one plain sentence what is going on with a torrent, and what to do when it is stuck.
 * A pure function of a snapshot and the last trouble.
 */
import { duration, list, many } from "./figures.js";
import type { Person, Snapshot } from "./snapshot.js";

/** Bytes a second below which a person is not counted as sending. */
const SENDING_MIN = 1;

/** Says what is going on. `trouble` is the torrent's own last error, in plain words. */
export function tell(now: Snapshot, trouble: string | null): string {
  switch (now.phase) {
    case "resolving":
      return resolving(now);
    case "checking":
      return "Checking what is already stored here.";
    case "fetching":
      return fetching(now);
    case "complete":
      return complete(now);
    case "paused":
      return paused(now);
    case "failed":
      return trouble ?? "Stopped by a fault. Press Resume to try again.";
  }
}

/** Says what goes wrong beside, while it lasts; `null` when nothing does. */
export function tellBeside(now: Snapshot): string | null {
  if (now.phase === "paused" || now.phase === "failed") return null;
  return now.people.length > 0 || now.phase === "complete" ? unreached(now) : null;
}

/** Writes how long the rest will take, or `null` when nobody can know. */
export function timeLeft(now: Snapshot): string | null {
  if (now.phase !== "fetching" || now.pace < SENDING_MIN) return null;
  return duration(now.missing / now.pace);
}

function people(amount: number): string {
  return many(amount, "person", "people");
}

function resolving(now: Snapshot): string {
  if (now.people.length === 0) return looking(now);
  return `Found ${people(now.people.length)}; asking what is in it.`;
}

function looking(now: Snapshot): string {
  return unreached(now) ?? "Looking for people who have this.";
}

function unreached(now: Snapshot): string | null {
  if (now.troubled.length === 0) return null;
  return `Cannot reach ${list(now.troubled.slice(0, 2).map(host))}; trying again.`;
}

function fetching(now: Snapshot): string {
  const sending = now.people.filter((each: Person) => each.fromSpeed >= SENDING_MIN).length;
  if (sending > 0) {
    const left = timeLeft(now);
    const rest = left === null ? "" : `, ${left} left`;
    return `Downloading from ${people(sending)}${rest}.`;
  }
  if (now.people.length === 0) return looking(now);
  const have = now.people.filter((each) => each.has > 0).length;
  if (have === 0) return `Connected to ${people(now.people.length)}, but nobody has it yet.`;
  return `Connected to ${people(have)}; waiting for their turn to send.`;
}

function complete(now: Snapshot): string {
  const others = now.people.filter((each) => each.has < 1).length;
  if (others > 0) return `Finished: sharing with ${people(others)}.`;
  return "Finished: ready to share while this page is open.";
}

function paused(now: Snapshot): string {
  if (!now.known) return "Paused. Press Resume to look for people who have this.";
  if (now.progress >= 1) return "Paused: everything is here, and nothing is shared.";
  return "Paused: nothing is fetched or shared until you press Resume.";
}

function host(url: string): string {
  try {
    const { hostname, port } = new URL(url);
    return `the tracker ${hostname}${port === "" ? "" : `:${port}`}`;
  } catch {
    return "a tracker";
  }
}
