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

/**
 * Returns the address that saves a file when a frame opens it, or `null` where this page cannot
 * stream. The frame keeps the page when the file is gone.
 */
export function saveUrl(file: TorrentFile): string | null {
  const url = streamUrl(file);
  return url === null ? null : `${url}?save`;
}

/** Saves bytes under a name, as a download link does. */
export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), COPY_MS);
}
