/**
 * Reads a torrent out of typed text or the page's address, and writes links that open it here.
 */

const HASH = /^(?:[0-9a-f]{40}|[0-9a-f]{64}|[a-z2-7]{32})$/i;

/** Returns what to open when text is a magnet link, an info-hash or a link to this page. */
export function sourceIn(text: string): string | null {
  const trimmed = text.trim();
  if (/^magnet:\?/i.test(trimmed) || HASH.test(trimmed)) return trimmed;
  const hash = trimmed.indexOf("#");
  return /^https?:/i.test(trimmed) && hash >= 0 ? sourceInHash(trimmed.slice(hash)) : null;
}

/** Returns what to open when an address's fragment names a torrent. */
export function sourceInHash(fragment: string): string | null {
  const raw = fragment.replace(/^#/, "");
  if (/^magnet:\?/i.test(raw) || HASH.test(raw)) return raw;
  try {
    const decoded = decodeURIComponent(raw);
    return decoded === raw ? null : sourceInHash(decoded);
  } catch {
    return null;
  }
}

/** Returns the name that a magnet link gives its torrent. */
export function nameIn(magnet: string): string | null {
  return new URLSearchParams(magnet.slice(magnet.indexOf("?"))).get("dn");
}

/** Writes the link that opens a magnet in this page. */
export function pageLink(magnet: string): string {
  const page = new URL(location.href);
  page.hash = "";
  page.search = "";
  return `${page.href.replace(/#$/, "")}#${magnet}`;
}

/** Asks the browser to send magnet links here. Returns whether it could be asked. */
export function handleMagnets(): boolean {
  if (typeof navigator.registerProtocolHandler !== "function") return false;
  try {
    navigator.registerProtocolHandler("magnet", new URL("./#%s", location.href).href);
    return true;
  } catch {
    return false;
  }
}
