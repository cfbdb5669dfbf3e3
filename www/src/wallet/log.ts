/**
 * What happened to an account in the vault, read from the entries that contracts wrote. They come
 * from a node, or a page, that may say anything; what cannot be read is left out.
 */

import { readAddress, type Address } from "./address.js";
import type { Log } from "./backend.js";
import { items, peek } from "./peek.js";

/** Most entries read of one list. */
const LOGS_MAX = 1000;
const TOPICS_MAX = 4;
const DATA_MAX = 64 * 16;

/** Keccak-256 of each event's signature. */
const EVENTS = new Map<string, HistoryKind>([
  ["adb1a06aea2cd2ff20eac971640a5eb7d687df3e3a897be2f334836494958a47", "deposit"],
  ["a9705fb658cd749328d5a659d7fb42589fe87fce6f680ed83d33dc4258345107", "claim"],
  ["947b8133c74f07feb112fea377a2e2528be780790292514ae89a04f50c71915b", "exit-asked"],
  ["5010054cfd03c2575375e83a565d21f310072b01cb22a80db0135a00645c08ba", "exit"],
]);

/** What can happen. */
export type HistoryKind = "deposit" | "claim" | "exit-asked" | "exit";

/** One thing that happened. */
export interface HistoryEntry {
  readonly kind: HistoryKind;
  readonly owner: Address;
  readonly amount: bigint;
  /** Who was paid, of a claim. */
  readonly payee: Address | null;
}

/** Reads entries as TRON's nodes and as EVM nodes write them. */
export function readLogs(value: unknown): Log[] {
  const found: Log[] = [];
  for (const each of items(value, LOGS_MAX) ?? []) {
    const text = peek(each, "address");
    const isBare = typeof text === "string" && /^[0-9a-fA-F]{40}$/.test(text);
    const address = readAddress(isBare ? `0x${text}` : text);
    const topics = (items(peek(each, "topics"), TOPICS_MAX) ?? []).map(wordOf);
    const data = dataOf(peek(each, "data"));
    if (address === null || data === null) continue;
    if (topics.includes("")) continue;
    found.push({ address, topics: topics.map((topic) => `0x${topic}`), data });
  }
  return found;
}

/** What happened in `vault` to `account`, as owner or as the one who was paid. */
export function historyOf(logs: readonly Log[], vault: Address, account: Address): HistoryEntry[] {
  return logs.slice(0, LOGS_MAX)
    .filter((log) => log.address === vault)
    .map(entryOf)
    .filter((entry) => entry !== null)
    .filter((entry) => entry.owner === account || entry.payee === account);
}

function entryOf(log: Log): HistoryEntry | null {
  const kind = EVENTS.get((log.topics[0] ?? "").slice(2));
  if (kind === undefined) return null;
  const isClaim = kind === "claim";
  const owner = addressIn(log.topics[isClaim ? 2 : 1]);
  const payee = isClaim ? addressIn(log.topics[3]) : null;
  const isWhole = owner !== null && log.data.length >= 64 && (!isClaim || payee !== null);
  if (!isWhole) return null;
  return { kind, owner, amount: BigInt(`0x${log.data.slice(0, 64)}`), payee };
}

function addressIn(topic: string | undefined): Address | null {
  return readAddress(topic === undefined ? null : `0x${topic.slice(26)}`);
}

/** TRON leaves empty data out. */
function dataOf(value: unknown): string | null {
  if (value === undefined) return "";
  if (typeof value !== "string" || value.length > DATA_MAX) return null;
  return /^(?:0x)?((?:[0-9a-f]{64})*)$/i.exec(value)?.[1]?.toLowerCase() ?? null;
}

function wordOf(value: unknown): string {
  const word = typeof value === "string" ? /^(?:0x)?([0-9a-fA-F]{64})$/.exec(value)?.[1] : null;
  return word?.toLowerCase() ?? "";
}
