/**
 * Where a file's bytes can be had: its own address where this page can stream, else a copy in
 * memory once the file is complete.
 */
import type { File as TorrentFile } from "headwater";
import { make } from "./dom.js";

/** How long a copy stays, so that a save can begin. */
const COPY_MS = 60_000;

/** Returns the address a file streams from, or `null` where this page cannot stream. */
export function streamUrl(file: TorrentFile): string | null {
  try {
    return file.url;
  } catch {
    return null;
  }
}

/** Saves bytes under a name, as a download link does. */
export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), COPY_MS);
}
