/**
 * The head of a card: name, share done, and in one sentence what is going on.
 */
import { make, makeButton, setText } from "./dom.js";
import { share } from "./figures.js";
import { announce } from "./live.js";
import { tell, tellBeside } from "./sentence.js";
import type { Snapshot } from "./snapshot.js";

/** Shows a head. */
export class CardHead {
  /** Where it shows it. */
  readonly element: HTMLElement;
  private readonly fold: HTMLButtonElement;
  private readonly sentence = make("p", { class: "sentence" });
  private readonly note = make("p", { class: "note", hidden: true });
  private readonly progress = make("progress", { class: "card-progress", max: 1, value: 0 });
  private readonly part = make("span", { class: "card-part", "aria-hidden": "true" });
  private trouble: string | null = null;
  private said = "";

  constructor(id: string, toggle: () => void) {
    this.fold = makeButton("", { class: "fold", id, dir: "auto" }, toggle);
    this.element = make("header", { class: "card-head" }, make("h3", {}, this.fold), this.part,
      this.sentence, this.note, this.progress);
  }

  /** Shows whether the card is unfolded. */
  unfold(open: boolean): void {
    this.fold.setAttribute("aria-expanded", String(open));
  }

  /** Shows how things stand; `trouble` is the last error, `warning` the last warning. */
  refresh(now: Snapshot, trouble: string | null, warning: string): void {
    this.trouble = trouble;
    setText(this.fold, now.name);
    setText(this.part, now.known ? share(now.progress) : "");
    this.progress.value = now.progress;
    this.progress.setAttribute("aria-label", `Progress of ${now.name}`);
    setText(this.sentence, tell(now, trouble));
    const beside = [warning, tellBeside(now) ?? ""].filter((text) => text !== "").join(" ");
    this.note.hidden = beside === "";
    setText(this.note, beside);
  }

  /** Speaks what is shown when the gist of it is new; time that passes is not spoken. */
  speak(now: Snapshot): void {
    const gist = `${tell({ ...now, pace: 0 }, this.trouble)} ${this.note.textContent}`;
    if (gist === this.said) return;
    this.said = gist;
    announce(`${now.name}: ${this.sentence.textContent} ${this.note.textContent}`);
  }
}
