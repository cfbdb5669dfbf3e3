/**
 * The table of the people we exchange with. Shows no addresses: nobody needs them here.
 */
import { make } from "./dom.js";
import { bytes, count, share, speed } from "./figures.js";
import type { Person } from "./snapshot.js";

/** Most rows shown: the busiest. */
const ROWS_MAX = 50;

const COLUMNS = ["Program", "Has", "From them", "Down", "To them", "Up"];

/** Shows people in a table. */
export class PeerTable {
  /** Where it shows them. */
  readonly element: HTMLElement;
  private readonly body = make("tbody");
  private readonly nobody = make("p", { class: "hint" }, "Nobody is connected.");
  private readonly scroll: HTMLElement;

  constructor() {
    const heads = COLUMNS.map((text) => make("th", { scope: "col" }, text));
    const caption = make("caption", { class: "unseen" }, "People connected over WebRTC");
    const table = make("table", { class: "peer-table" }, caption,
      make("thead", {}, make("tr", {}, ...heads)), this.body);
    this.scroll = make("div", {
      class: "scroll", role: "group", tabindex: 0, "aria-label": "Table of people", hidden: true,
    }, table);
    this.element = make("div", { class: "peers" }, this.nobody, this.scroll);
  }

  /** Shows these people, the busiest first. */
  refresh(people: Person[]): void {
    this.nobody.hidden = people.length > 0;
    this.scroll.hidden = people.length === 0;
    const busiest = [...people].sort((a, b) => traffic(b) - traffic(a)).slice(0, ROWS_MAX);
    this.body.replaceChildren(...busiest.map((person, index) => makeRow(person, index)));
  }
}

function traffic(person: Person): number {
  return person.from + person.to;
}

function makeRow(person: Person, index: number): HTMLElement {
  const name = person.client || `Person ${count(index + 1)}`;
  return make("tr", {},
    make("th", { scope: "row", dir: "auto" }, name),
    make("td", {}, share(person.has)),
    make("td", {}, bytes(person.from)),
    make("td", {}, speed(person.fromSpeed)),
    make("td", {}, bytes(person.to)),
    make("td", {}, speed(person.toSpeed)));
}
