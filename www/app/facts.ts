/**
 * The figures of a card: how much came from people and how much was stored here already, speeds,
 * and time left. Each value carries its bare number for tools that read the page.
 */
import { make, setText } from "./dom.js";
import { bytes, share, speed } from "./figures.js";
import { timeLeft } from "./sentence.js";
import type { Snapshot } from "./snapshot.js";

const LABELS = {
  progress: "Complete",
  left: "Time left",
  down: "Download",
  up: "Upload",
  fetched: "From people (WebRTC)",
  stored: "From storage",
  given: "Given to people",
  length: "Size",
};

type Fact = keyof typeof LABELS;

/** Shows figures. */
export class Facts {
  /** Where it shows them. */
  readonly element = make("dl", { class: "facts" });
  private readonly values = new Map<Fact, HTMLElement>();

  constructor() {
    for (const [fact, label] of Object.entries(LABELS)) {
      const value = make("dd", { "data-fact": fact }, "–");
      this.values.set(fact as Fact, value);
      this.element.append(make("div", {}, make("dt", {}, label), value));
    }
  }

  /** Shows these. */
  refresh(now: Snapshot): void {
    this.set("progress", share(now.progress), now.progress);
    this.set("left", timeLeft(now) ?? "–", null);
    this.set("down", speed(now.down), now.down);
    this.set("up", speed(now.up), now.up);
    this.set("fetched", bytes(now.fetched), now.fetched);
    this.set("stored", bytes(now.stored), now.stored);
    this.set("given", bytes(now.given), now.given);
    this.set("length", now.known ? bytes(now.length) : "–", now.length);
  }

  private set(fact: Fact, text: string, bare: number | null): void {
    const value = this.values.get(fact);
    if (value === undefined) return;
    setText(value, text);
    if (bare !== null) value.dataset["value"] = String(bare);
  }
}
