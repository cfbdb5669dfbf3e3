/**
 * Where a page keeps what it earned: an IndexedDB of the origin, which one tab at a time holds. A
 * write is told as done only once it would survive a crash. What a record says is payment's matter.
 */

import { answer, change, openDatabase } from "./database.js";
import { HeadwaterError } from "./error.js";

const NAME = "headwater-earnings";
const STORE = "records";
/** How long a tab that is just going away may hold them. */
const LOCK_MS_MAX = 3000;
/** Most records read: of each of the three kinds as many as payment keeps. */
const RECORDS_MAX = 3 * 4096;

/** A record and its name. */
export type Kept = [name: string, bytes: Uint8Array];

/** A change, and what hears whether it is stored. */
interface Change {
  readonly name: string;
  /** `null` where the record goes. */
  readonly bytes: Uint8Array | null;
  readonly done: (isStored: boolean) => void;
}

/** Records of what was earned, held until the worker ends. */
export class Records {
  readonly #base: IDBDatabase;
  #waiting: Change[] = [];
  #isWriting = false;

  private constructor(base: IDBDatabase) {
    this.#base = base;
  }

  /** Opens them for this tab alone. */
  static async open(): Promise<Records> {
    if (!("locks" in navigator) || !("indexedDB" in self)) {
      throw new HeadwaterError("unsupported-browser", "this browser keeps no earnings here");
    }
    const unlock = await lock();
    try {
      return new Records(await openDatabase(NAME, STORE));
    } catch (thrown) {
      unlock();
      throw broken(thrown);
    }
  }

  /** Reads all of them. */
  async read(): Promise<Kept[]> {
    try {
      const store = this.#base.transaction(STORE).objectStore(STORE);
      const [names, values] = await Promise.all([
        answer(store.getAllKeys(null, RECORDS_MAX + 1)),
        answer(store.getAll(null, RECORDS_MAX + 1)),
      ]);
      if (names.length > RECORDS_MAX) throw new Error(`more than ${RECORDS_MAX} records`);
      return names.map((name, at) => {
        const bytes: unknown = values[at];
        return [String(name), bytes instanceof Uint8Array ? bytes : new Uint8Array()];
      });
    } catch (thrown) {
      throw broken(thrown);
    }
  }

  /** Stores or removes a record; changes are written in order, those that wait together. */
  change(name: string, bytes: Uint8Array | null, done: (isStored: boolean) => void): void {
    this.#waiting.push({ name, bytes, done });
    if (!this.#isWriting) void this.#write();
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      const isStored = await this.#apply(batch);
      for (const { done } of batch) done(isStored);
    }
    this.#isWriting = false;
  }

  #apply(batch: readonly Change[]): Promise<boolean> {
    return change(this.#base, STORE, (store) => {
      for (const { name, bytes } of batch) {
        if (bytes === null) store.delete(name);
        else store.put(bytes, name);
      }
    });
  }
}

/** Takes the origin's lock for as long as the worker lives, or until what it answers is called. */
function lock(): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const hold = (): Promise<void> => new Promise((release) => resolve(release));
    const signal = AbortSignal.timeout(LOCK_MS_MAX);
    navigator.locks.request(NAME, { signal }, hold).catch(() => {
      reject(new HeadwaterError("second-tab", "another tab keeps the earnings of this site"));
    });
  });
}

function broken(thrown: unknown): HeadwaterError {
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return new HeadwaterError("earnings-unreadable", `what was earned cannot be read: ${why}`);
}
