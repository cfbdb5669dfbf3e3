/**
 * The graph of the last sixty seconds, drawn from samples taken once a second; the same figures
 * stand below it as a table.
 */
import { make, makeSvg, setText } from "./dom.js";
import { speed } from "./figures.js";

const SECONDS = 60;
const WIDTH = 600;
const HEIGHT = 120;

/** Seconds that one row of the table covers. */
const ROW_SECONDS = 10;

/** Lowest top of the scale, in bytes a second, so that silence is not drawn as mountains. */
const SCALE_MIN = 20_000;

interface Sample {
  down: number;
  up: number;
}

/** Draws speeds. */
export class SpeedGraph {
  /** Where it draws them. */
  readonly element: HTMLElement;
  private readonly samples: Sample[] = [];
  private readonly area = makeSvg("path", { class: "speed-area" });
  private readonly down = makeSvg("path", { class: "speed-down" });
  private readonly up = makeSvg("path", { class: "speed-up" });
  private readonly words = make("p", { class: "speed-words" });
  private readonly top = make("span", { class: "speed-top", "aria-hidden": "true" });
  private readonly body = make("tbody");
  private ticks = 0;

  constructor() {
    const graph = makeSvg("svg", {
      class: "speed-graph", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none",
      "aria-hidden": "true", focusable: "false",
    }, ...gridLines(), this.area, this.down, this.up);
    const key = make("p", { class: "speed-key", "aria-hidden": "true" },
      make("span", { class: "key key-down" }, "down"), make("span", { class: "key key-up" }, "up"));
    this.element = make("div", { class: "speed" },
      make("div", { class: "speed-frame" }, graph, this.top), key, this.words, this.makeTable());
  }

  /** Takes one second's speeds. */
  sample(down: number, up: number): void {
    this.samples.push({ down, up });
    if (this.samples.length > SECONDS) this.samples.shift();
  }

  /** Draws what was sampled. */
  refresh(): void {
    const most = Math.max(SCALE_MIN, ...this.samples.map((each) => Math.max(each.down, each.up)));
    const down = line(this.samples.map((each) => each.down), most);
    this.down.setAttribute("d", down);
    this.up.setAttribute("d", line(this.samples.map((each) => each.up), most));
    const from = x(0, this.samples.length);
    this.area.setAttribute("d", down === "" ? "" : `${down}L${WIDTH} ${HEIGHT}L${from} ${HEIGHT}Z`);
    setText(this.top, speed(most));
    const last = this.samples.at(-1) ?? { down: 0, up: 0 };
    const peak = Math.max(0, ...this.samples.map((each) => each.down));
    setText(this.words, `Down ${speed(last.down)}, up ${speed(last.up)}; ` +
      `fastest in the last minute ${speed(peak)}.`);
    if (this.ticks % 5 === 0 || !this.body.hasChildNodes()) this.fillTable();
    this.ticks += 1;
  }

  private makeTable(): HTMLElement {
    const head = make("tr", {}, make("th", { scope: "col" }, "When"),
      make("th", { scope: "col" }, "Down"), make("th", { scope: "col" }, "Up"));
    const caption = make("caption", { class: "unseen" }, "Mean speeds of the last minute");
    return make("details", { class: "speed-table" }, make("summary", {}, "As a table"),
      make("table", {}, caption, make("thead", {}, head), this.body));
  }

  private fillTable(): void {
    const rows: HTMLElement[] = [];
    for (let ago = 0; ago < this.samples.length; ago += ROW_SECONDS) {
      const end = this.samples.length - ago;
      const part = this.samples.slice(Math.max(0, end - ROW_SECONDS), end);
      const when = ago === 0 ? "last 10 s" : `${ago} to ${ago + ROW_SECONDS} s ago`;
      rows.push(make("tr", {}, make("th", { scope: "row" }, when),
        make("td", {}, speed(mean(part.map((each) => each.down)))),
        make("td", {}, speed(mean(part.map((each) => each.up))))));
    }
    this.body.replaceChildren(...rows);
  }
}

function mean(values: number[]): number {
  return values.reduce((sum, each) => sum + each, 0) / Math.max(1, values.length);
}

function x(index: number, samples: number): number {
  return WIDTH - ((samples - 1 - index) * WIDTH) / (SECONDS - 1);
}

function line(values: number[], most: number): string {
  if (values.length < 2) return "";
  const points = values.map((value, index) => {
    const y = HEIGHT - 2 - (value / most) * (HEIGHT - 10);
    return `${x(index, values.length).toFixed(1)} ${y.toFixed(1)}`;
  });
  return `M${points.join("L")}`;
}

function gridLines(): SVGElement[] {
  return [0.25, 0.5, 0.75].map((part) =>
    makeSvg("path", { class: "speed-grid", d: `M0 ${HEIGHT * part}H${WIDTH}` }));
}
