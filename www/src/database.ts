/** IndexedDB with promises: a database of one store, whose values have names. */

/** Opens it, or makes it. */
export function openDatabase(name: string, store: string): Promise<IDBDatabase> {
  const opening = indexedDB.open(name, 1);
  opening.onupgradeneeded = () => void opening.result.createObjectStore(store);
  return answer(opening);
}

/** What a request answers. */
export function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    if (request instanceof IDBOpenDBRequest) {
      request.onblocked = () => reject(new Error("another tab has it open"));
    }
  });
}

/** Makes all changes or none; answers whether they would survive a crash now. */
export function change(
  base: IDBDatabase,
  store: string,
  act: (store: IDBObjectStore) => void,
): Promise<boolean> {
  return new Promise((resolve) => {
    try {
      // Without `strict` a browser may call done what the disk has not seen.
      const writing = base.transaction(store, "readwrite", { durability: "strict" });
      writing.oncomplete = () => resolve(true);
      writing.onabort = () => resolve(false);
      act(writing.objectStore(store));
    } catch {
      resolve(false);
    }
  });
}
