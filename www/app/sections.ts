/**
 * The four folding parts below a card's stage: files, pieces, speed and people. Only what is open
 * is drawn.
 */
import { make, setText } from "./dom.js";
import { count } from "./figures.js";
import { FileList, type FilesEvents } from "./files.js";
import { PeerTable } from "./peers.js";
import { PieceMap, tally } from "./pieces.js";
import type { Snapshot } from "./snapshot.js";
import { SpeedGraph } from "./speed.js";

interface Section {
  element: HTMLDetailsElement;
  note: HTMLElement;
}

/** Shows the parts. */
export class Sections {
  /** Where it shows them. */
  readonly element: HTMLElement;
  /** The list of files. */
  readonly files: FileList;
  private readonly speeds = new SpeedGraph();
  private readonly map = new PieceMap();
  private readonly people = new PeerTable();
  private readonly filePart: Section;
  private readonly piecePart: Section;
  private readonly speedPart: Section;
  private readonly peoplePart: Section;
  private now: Snapshot | null = null;

  constructor(events: FilesEvents) {
    this.files = new FileList(events);
    this.filePart = makeSection("Files", this.files.element);
    this.piecePart = makeSection("Pieces", this.map.element);
    this.speedPart = makeSection("Speed", this.speeds.element);
    this.peoplePart = makeSection("People", this.people.element);
    const parts = [this.filePart, this.piecePart, this.speedPart, this.peoplePart];
    this.element = make("div", { class: "sections" }, ...parts.map((part) => part.element));
    // What is unfolded must not stand empty until the next second.
    for (const part of parts) part.element.addEventListener("toggle", () => this.draw());
  }

  /** Takes a second's speeds, shown or not. */
  sample(now: Snapshot): void {
    this.speeds.sample(now.down, now.up);
  }

  /** Draws what is open. */
  refresh(now: Snapshot): void {
    this.now = now;
    setText(this.filePart.note, this.files.summary);
    setText(this.peoplePart.note, count(now.people.length));
    setText(this.piecePart.note, now.pieces.length === 0 ? ""
      : `${count(tally(now.pieces, "stored"))} of ${count(now.pieces.length)}`);
    this.draw();
  }

  private draw(): void {
    const now = this.now;
    if (!now) return;
    if (this.filePart.element.open) this.files.refresh();
    if (this.piecePart.element.open) this.map.refresh(now.pieces);
    if (this.speedPart.element.open) this.speeds.refresh();
    if (this.peoplePart.element.open) this.people.refresh(now.people);
  }
}

function makeSection(title: string, body: HTMLElement): Section {
  const note = make("span", { class: "section-note" });
  const wide = matchMedia("(min-width: 45rem)").matches;
  const summary = make("summary", {}, make("h4", {}, title), note);
  return { element: make("details", { class: "section", open: wide }, summary, body), note };
}
