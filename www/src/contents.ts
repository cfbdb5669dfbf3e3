/**
 * Keys of paid content: in an IndexedDB of the origin, by the name of their content, so that what
 * was bought once is not bought again; and what they open.
 */

import { contentOf, OpenContent } from "../pkg/pay/headwater-pay.js";
import { answer, change, openDatabase } from "./database.js";
import { HeadwaterError } from "./error.js";
import type { Decrypt, FileShape } from "./message.js";

const NAME = "headwater-contents";
const STORE = "keys";

/** Every content whose key this page has. */
export class Contents {
  readonly #open = new Map<string, OpenContent>();
  #base: Promise<IDBDatabase> | null = null;

  /** What decrypts a file of a torrent; `null` where its link sells nothing. */
  async decrypts(
    magnet: string,
    files: readonly FileShape[],
    file: FileShape,
  ): Promise<Decrypt | null> {
    const check = contentOf(magnet);
    if (check === undefined) return null;
    const content = await this.#find(check);
    if (content === null) {
      const message = "this is paid content: buy its key with payment.buy(torrent) first";
      throw new HeadwaterError("not-bought", message);
    }
    const place = files.filter(({ pad }) => !pad).indexOf(file);
    return (offset, bytes) => content.decrypt(place, offset, bytes);
  }

  /** Whether what the link of a torrent sells can be read here; of what is free it can. */
  async has(magnet: string): Promise<boolean> {
    const check = contentOf(magnet);
    return check === undefined || (await this.#find(check)) !== null;
  }

  /** Fails where no key could be kept: what is bought would be lost with the tab. */
  async mustKeep(): Promise<void> {
    try {
      await this.#database();
    } catch (thrown) {
      const message = "this browser keeps nothing for this site, perhaps because the window is " +
        "private: what is bought would be lost with this tab";
      throw new HeadwaterError("keys-unkept", message, { cause: thrown });
    }
  }

  /** Keeps a key that came. One that the disk does not take serves until the tab ends. */
  async keep(check: string, key: Uint8Array): Promise<void> {
    const content = OpenContent.by(check, key);
    if (content !== undefined) this.#open.set(check, content);
    try {
      await change(await this.#database(), STORE, (store) => store.put(key, check));
    } catch {
      // Whoever bought it gets it again for nothing.
    }
  }

  async #find(check: string): Promise<OpenContent | null> {
    const known = this.#open.get(check);
    if (known !== undefined) return known;
    let key: unknown;
    try {
      const store = (await this.#database()).transaction(STORE).objectStore(STORE);
      key = await answer(store.get(check));
    } catch {
      return null;
    }
    // What was spoiled is bought again, for nothing.
    const content = key instanceof Uint8Array ? OpenContent.by(check, key) : undefined;
    if (content === undefined) return null;
    this.#open.set(check, content);
    return content;
  }

  #database(): Promise<IDBDatabase> {
    this.#base ??= openDatabase(NAME, STORE).catch((thrown: unknown) => {
      this.#base = null;
      throw thrown;
    });
    return this.#base;
  }
}
