/**
 * The list of what the page's own server seeds, read from its `torrents.json`. A page that is
 * hosted elsewhere has no such list and shows none.
 */
import { byId, make, makeButton } from "./dom.js";
import { bytes } from "./figures.js";
import { kindOf } from "./media.js";

/** One torrent that the server seeds. */
interface Served {
  name: string;
  magnet: string;
  length: number | null;
}

/** What the page's own server says of itself. */
interface Answer {
  list: Served[];
  /** Whether its owner can control it from here. */
  controlled: boolean;
  /** Whether it sells faster slots. */
  sells: boolean;
}

/** Asks the server what it seeds. `null` when it is no Headwater server. */
export async function served(): Promise<Answer | null> {
  try {
    const answer = await fetch("./torrents.json", { headers: { accept: "application/json" } });
    if (!answer.ok) return null;
    const body: unknown = await answer.json();
    const list: unknown = Array.isArray(body) ? body : (body as { torrents?: unknown }).torrents;
    const controlled = answer.headers.get("headwater-control") === "yes";
    const sells = answer.headers.get("headwater-pay") === "yes";
    return Array.isArray(list) ? { list: list.flatMap(read), controlled, sells } : null;
  } catch {
    return null;
  }
}

/** Shows the list, with a button each that plays. */
export function showServed(list: Served[], play: (magnet: string) => void): void {
  byId("served", HTMLElement).hidden = list.length === 0;
  byId("served-list", HTMLElement).replaceChildren(...list.map((each) => makeItem(each, play)));
}

function makeItem(each: Served, play: (magnet: string) => void): HTMLElement {
  const word = ["video", "audio"].includes(kindOf(each.name)) ? "Play" : "Open";
  const face = { class: "primary small", "aria-label": `${word} ${each.name}` };
  return make("li", { class: "served-item" },
    make("span", { class: "served-name", dir: "auto" }, each.name),
    make("span", { class: "served-size" }, each.length === null ? "" : bytes(each.length)),
    makeButton(word, face, () => play(each.magnet)));
}

function read(value: unknown): Served[] {
  const { name, magnet, length } = (value ?? {}) as Record<string, unknown>;
  if (typeof name !== "string" || typeof magnet !== "string") return [];
  return [{ name, magnet, length: typeof length === "number" ? length : null }];
}
