/**
 * Reads what strangers made: objects of wallets and pages may have getters that throw, values of
 * any kind, and text of any length. Decides nothing about their meaning.
 */

/** Characters that steer or hide text: controls, bidirectional marks, invisible ones. */
const UNSHOWN = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Reads a property once; `undefined` where that throws. */
export function peek(from: unknown, name: string): unknown {
  if (from === null || (typeof from !== "object" && typeof from !== "function")) return undefined;
  try {
    return (from as Record<string, unknown>)[name];
  } catch {
    return undefined;
  }
}

/** Reads a text that may be shown: cleaned, at most `charsMax` characters; empty for no text. */
export function plainText(value: unknown, charsMax: number): string {
  if (typeof value !== "string") return "";
  // The cut before cleaning bounds the work that a huge text makes.
  const cleaned = value.slice(0, charsMax * 4).replace(UNSHOWN, "").trim();
  return [...cleaned].slice(0, charsMax).join("");
}

/** A method of `from`, bound to it; `null` where there is none. */
export function method(from: unknown, name: string): ((...given: unknown[]) => unknown) | null {
  const found = peek(from, name);
  if (typeof found !== "function") return null;
  return (...given) => Reflect.apply(found, from, given);
}

/** Reads a list's items, at most `max`; `null` for what is no list. */
export function items(value: unknown, max: number): unknown[] | null {
  try {
    return Array.isArray(value) ? value.slice(0, max) : null;
  } catch {
    return null;
  }
}
