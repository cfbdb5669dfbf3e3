/**
 * Says errors and warnings in plain words with the next step, and with the code they are known by.
 */

/** Words for the codes that users meet; any other is said in the error's own. */
const PLAIN: Record<string, string> = {
  "bad-info": "That torrent file is damaged. Download it again",
  "bad-hybrid": "That torrent file contradicts itself. Ask whoever made it for another",
  "bad-info-hash": "That info-hash is not one: it has 40 hex digits, or 64. Copy it again, whole",
  "bad-piece-layer": "That torrent file is damaged. Download it again",
  "bad-magnet": "That magnet link cannot be read. Copy it again, whole",
  "engine-crashed": "The engine stopped by a fault. Reload this page; what is stored stays",
  "engine-missing": "A part of Headwater could not be fetched. Reload to try again",
  "metadata-false": "Somebody described this torrent falsely and was not believed",
  "no-info-hash": "That magnet link names no torrent. Copy it again, whole",
  "no-opfs": "This browser keeps no files for this page: what you fetch is held in memory and " +
    "lost with this tab. Save what you want to keep",
  "no-webrtc": "This browser cannot make peer connections, so nothing can be fetched or shared " +
    "here. What is stored still plays. Allow WebRTC, or open this page in another browser",
  "not-a-magnet": "That is no magnet link. Copy the whole link, from magnet: on",
  "not-a-torrent": "That file is no torrent. Choose one that ends in .torrent; to share a file " +
    "itself, use the other button",
  "not-bought": "This is encrypted and to be paid for. Buy it first",
  "peer-banned": "Somebody sent wrong data and was shut out. What they spoiled is fetched again",
  "piece-lost": "Something stored here was damaged. It is fetched again",
  "second-tab": "Another tab keeps this torrent's files. It plays here all the same, from " +
    "memory, and is fetched a second time; go on in the other tab to save that",
  "storage-busy": "Another tab keeps this torrent's files. Close that tab, then press Resume",
  "storage-failed": "The browser's storage failed. Press Resume to try again, or remove this " +
    "torrent with its data and add it again",
  "storage-full": "Storage is full. Remove a torrent with its data, or choose fewer files, then " +
    "press Resume",
  "too-many-files": "There are too many files for one torrent. Share fewer, or pack them first",
  "tracker-malformed": "A tracker does not answer as it should. It is tried again, and others too",
  "tracker-refused": "A tracker does not serve this torrent. It is tried again, and others too",
  "twin": "This is the same as another torrent here, which goes on. Remove this one",
  "unknown-version": "This kind of torrent is not supported. Ask for one of version 1 or 2",
  "unreadable-file": "A file could not be read. Choose it again",
};

/** Says an error or a warning: plain words where they are known, and its code. */
export function plain(trouble: unknown): string {
  const code = field(trouble, "code");
  const known = code === null ? undefined : PLAIN[code];
  const text = (known ?? field(trouble, "message") ?? String(trouble)).replace(/\.$/, "");
  const sentence = `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
  return code === null ? sentence : `${sentence} (${code})`;
}

/** Says a warning; empty for one that passes by itself and that the card tells while it lasts. */
export function plainWarning(warning: { code: string; message: string }): string {
  return warning.code === "tracker-unreachable" ? "" : plain(warning);
}

function field(trouble: unknown, name: "code" | "message"): string | null {
  const value = (trouble as Record<string, unknown> | null)?.[name];
  return typeof value === "string" && value !== "" ? value : null;
}
