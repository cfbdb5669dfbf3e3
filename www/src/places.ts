/**
 * Where torrents are kept: finds and locks a torrent's files in the origin's private file system,
 * and falls back to memory. One tab owns a torrent's files; what is in them is the engine's matter.
 */

import type { Bytes } from "./message.js";

/** Folder of the origin's private file system that holds everything. */
const ROOT = "headwater";
/** How long a tab that is just going away may keep its files. */
const LOCK_MS_MAX = 1000;

/** What was found; `parts` as the engine takes them. */
export interface Place {
  found: "opfs" | "shared" | "memory";
  parts: unknown[];
  warning?: { code: string; message: string };
}

/** The places of one engine's torrents. */
export class Places {
  readonly #isOpfs: boolean;
  readonly #locks = new Map<string, () => void>();
  readonly #shared = new Map<string, Blob[]>();
  /** Opening and closing the same torrent's files must not overtake each other. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(storage: "opfs" | "memory") {
    this.#isOpfs = storage === "opfs";
  }

  /** Reads a torrent's bytes out of these files when it opens. */
  share(infoHash: string, files: Blob[]): void {
    this.#shared.set(infoHash, files);
  }

  /** Forgets those files; a store that closes only for a while keeps them. */
  unshare(infoHash: string): void {
    this.#shared.delete(infoHash);
  }

  /** The `.torrent` file of a torrent kept here earlier. */
  async remembered(infoHash: string): Promise<Bytes | null> {
    if (!this.#isOpfs) return null;
    try {
      const folder = await folderOf(infoHash, false);
      const file = await (await folder.getFileHandle("torrent")).getFile();
      return new Uint8Array(await file.arrayBuffer());
    } catch {
      return null;
    }
  }

  /** Finds a torrent's place; `metainfo` is kept beside its bytes. */
  open(infoHash: string, metainfo: Bytes): Promise<Place> {
    return this.#inTurn(infoHash, async () => {
      const files = this.#shared.get(infoHash);
      if (files) return { found: "shared", parts: files };
      if (!this.#isOpfs) return { found: "memory", parts: [] };
      try {
        if (await this.#lock(infoHash)) return await openFiles(infoHash, metainfo);
        return inMemory("second-tab", "another tab keeps this torrent; this one uses memory");
      } catch (thrown) {
        this.#unlock(infoHash);
        return fallback(thrown);
      }
    });
  }

  /** Gives a torrent's files back; with `isDelete` they go. */
  close(infoHash: string, isDelete: boolean): Promise<void> {
    return this.#inTurn(infoHash, async () => {
      try {
        if (isDelete && this.#isOpfs && (await this.#lock(infoHash))) await removeFolder(infoHash);
      } finally {
        this.#unlock(infoHash);
      }
    });
  }

  #inTurn<T>(infoHash: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(infoHash) ?? Promise.resolve();
    const turn = before.then(work, work);
    this.#turns.set(infoHash, turn.catch(() => undefined));
    return turn;
  }

  /** Takes the torrent's lock; `false` when another tab keeps it. */
  async #lock(infoHash: string): Promise<boolean> {
    if (this.#locks.has(infoHash)) return true;
    if (!navigator.locks) return true;
    return new Promise((resolve) => {
      const held = (): Promise<void> =>
        new Promise((release) => {
          this.#locks.set(infoHash, release);
          resolve(true);
        });
      navigator.locks
        .request(`${ROOT}:${infoHash}`, { signal: AbortSignal.timeout(LOCK_MS_MAX) }, held)
        .catch(() => resolve(false));
    });
  }

  #unlock(infoHash: string): void {
    this.#locks.get(infoHash)?.();
    this.#locks.delete(infoHash);
  }
}

async function folderOf(infoHash: string, create: boolean): Promise<FileSystemDirectoryHandle> {
  const origin = await navigator.storage.getDirectory();
  const root = await origin.getDirectoryHandle(ROOT, { create });
  return root.getDirectoryHandle(infoHash, { create });
}

async function openFiles(infoHash: string, metainfo: Bytes): Promise<Place> {
  const folder = await folderOf(infoHash, true);
  const torrent = await openFile(folder, "torrent");
  try {
    if (torrent.getSize() !== metainfo.byteLength) {
      torrent.truncate(0);
      torrent.write(metainfo, { at: 0 });
      torrent.flush();
    }
  } finally {
    torrent.close();
  }
  const data = await openFile(folder, "data");
  try {
    return { found: "opfs", parts: [data, await openFile(folder, "journal")] };
  } catch (thrown) {
    data.close();
    throw thrown;
  }
}

/** A worker that was just ended may hold its handles for a moment longer than its lock. */
async function openFile(
  folder: FileSystemDirectoryHandle,
  name: string,
): Promise<FileSystemSyncAccessHandle> {
  const file = await folder.getFileHandle(name, { create: true });
  for (let left = 10; ; left--) {
    try {
      return await file.createSyncAccessHandle();
    } catch (thrown) {
      const isHeld = thrown instanceof Error && thrown.name === "NoModificationAllowedError";
      if (!isHeld || left === 0) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, LOCK_MS_MAX / 10));
    }
  }
}

async function removeFolder(infoHash: string): Promise<void> {
  const origin = await navigator.storage.getDirectory();
  const root = await origin.getDirectoryHandle(ROOT, { create: true });
  await root.removeEntry(infoHash, { recursive: true }).catch(() => undefined);
}

function inMemory(code: string, message: string): Place {
  return { found: "memory", parts: [], warning: { code, message } };
}

function fallback(thrown: unknown): Place {
  const { name, message } = thrown instanceof Error ? thrown : new Error(String(thrown));
  if (name === "NoModificationAllowedError") {
    return inMemory("second-tab", "another tab keeps this torrent; this one uses memory");
  }
  if (name === "QuotaExceededError") return inMemory("storage-full", message);
  return inMemory("no-opfs", `no private file system here, memory is used: ${message}`);
}
