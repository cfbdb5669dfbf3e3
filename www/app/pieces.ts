/**
 * The map of a torrent's pieces: a canvas of cells that fill like glasses of water, a meter for
 * assistive tools, and the same in words.
 */
import { make, setText } from "./dom.js";
import { count, many } from "./figures.js";
import type { PieceState } from "headwater";

const STATES: PieceState[] = ["absent", "available", "partial", "stored"];

const CELL = 11;
const GAP = 2;
const ROWS_MAX = 9;
const WIDTH_MIN = 120;

/** Shows a map of pieces. */
export class PieceMap {
  /** Where it shows it. */
  readonly element: HTMLElement;
  private readonly canvas = make("canvas", { class: "piece-canvas", "aria-hidden": "true" });
  private readonly meter = make("div", {
    class: "piece-meter", role: "meter", "aria-label": "Pieces stored", "aria-valuemin": 0,
  }, this.canvas);
  private readonly words = make("p", { class: "piece-words" });

  constructor() {
    this.element = make("div", { class: "pieces" }, this.meter, this.words, makeKey());
  }

  /** Shows these pieces. */
  refresh(pieces: PieceState[]): void {
    const stored = tally(pieces, "stored");
    const text = words(pieces, stored);
    setText(this.words, text);
    this.meter.setAttribute("aria-valuemax", String(Math.max(1, pieces.length)));
    this.meter.setAttribute("aria-valuenow", String(stored));
    this.meter.setAttribute("aria-valuetext", text);
    this.draw(pieces);
  }

  private draw(pieces: PieceState[]): void {
    const width = this.meter.clientWidth;
    if (width < WIDTH_MIN) return;
    const columns = Math.floor((width + GAP) / (CELL + GAP));
    const cells = Math.min(pieces.length, columns * ROWS_MAX);
    const rows = Math.max(1, Math.ceil(cells / columns));
    const height = rows * (CELL + GAP) - GAP;
    const scale = window.devicePixelRatio;
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    this.canvas.style.setProperty("height", `${height}px`);
    const brush = this.canvas.getContext("2d");
    if (brush === null) return;
    brush.scale(scale, scale);
    const paint = palette(this.canvas);
    for (let cell = 0; cell < cells; cell += 1) {
      const from = Math.floor((cell * pieces.length) / cells);
      const to = Math.max(from + 1, Math.floor(((cell + 1) * pieces.length) / cells));
      const x = (cell % columns) * (CELL + GAP);
      const y = Math.floor(cell / columns) * (CELL + GAP);
      drawCell(brush, paint, x, y, pieces.slice(from, to));
    }
  }
}

/** Counts the pieces in a state. */
export function tally(pieces: PieceState[], state: PieceState): number {
  let found = 0;
  for (const piece of pieces) if (piece === state) found += 1;
  return found;
}

function words(pieces: PieceState[], stored: number): string {
  if (pieces.length === 0) return "Not known yet.";
  const all = `${count(stored)} of ${many(pieces.length, "piece", "pieces")} stored`;
  const partial = tally(pieces, "partial");
  const absent = tally(pieces, "absent");
  const arriving = partial > 0 ? `, ${count(partial)} arriving` : "";
  const missing = absent > 0 ? `, ${count(absent)} that nobody here has` : "";
  return `${all}${arriving}${missing}.`;
}

function palette(canvas: HTMLElement): Record<PieceState, string> {
  const style = getComputedStyle(canvas);
  const paints = STATES.map((state) => [state, style.getPropertyValue(`--piece-${state}`)]);
  return Object.fromEntries(paints) as Record<PieceState, string>;
}

function drawCell(
  brush: CanvasRenderingContext2D,
  paint: Record<PieceState, string>,
  x: number,
  y: number,
  pieces: PieceState[],
): void {
  const part = tally(pieces, "stored") / pieces.length;
  const best = (["partial", "available"] as const).find((state) => pieces.includes(state));
  brush.fillStyle = paint[best ?? "absent"];
  brush.fillRect(x, y, CELL, CELL);
  brush.fillStyle = paint.stored;
  const level = Math.round(part * CELL);
  brush.fillRect(x, y + CELL - level, CELL, level);
}

function makeKey(): HTMLElement {
  const names = {
    stored: "stored", partial: "arriving", available: "to be had", absent: "missing",
  };
  const items = Object.entries(names).map(([name, text]) =>
    make("li", { class: `key key-${name}` }, text));
  return make("ul", { class: "piece-key", "aria-hidden": "true" }, ...items);
}
