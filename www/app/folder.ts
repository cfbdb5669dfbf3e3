/**
 * Walks what was dropped, folders included, into files with their paths.
 */

/** A file and where it lies in what was dropped. */
export interface Placed {
  path: string;
  file: File;
}

/** Most files taken from one drop. */
const FILES_MAX = 10_000;

/** Reads a drop. Called while the event is handled, since a drop is empty afterwards. */
export function dropped(transfer: DataTransfer): Promise<Placed[]> {
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  const plain = [...transfer.files].map((file) => ({ path: file.name, file }));
  return entries.length === 0 ? Promise.resolve(plain) : walk(entries);
}

async function walk(entries: FileSystemEntry[]): Promise<Placed[]> {
  const found: Placed[] = [];
  const waiting = [...entries];
  for (let entry = waiting.shift(); entry !== undefined; entry = waiting.shift()) {
    if (entry instanceof FileSystemDirectoryEntry) waiting.push(...(await children(entry)));
    else if (entry instanceof FileSystemFileEntry) {
      found.push({ path: entry.fullPath.replace(/^\/+/, ""), file: await fileOf(entry) });
    }
    if (found.length > FILES_MAX) throw new Error(`more than ${FILES_MAX} files in one folder`);
  }
  return found;
}

/** A reader gives a folder's entries in portions, and none when it is through. */
async function children(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject));
    if (part.length === 0) return all;
    all.push(...part);
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}
