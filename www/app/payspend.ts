/**
 * What is being spent: the running total with its stop button, and what was bought from whom and
 * what it did to the speed.
 */
import { make, makeButton, setText } from "./dom.js";
import { bytes, speed } from "./figures.js";
import { announce } from "./live.js";
import type { PayNews, Purchase } from "./payport.js";
import { money } from "./paywords.js";

/** Most rows shown: where most was paid. */
const ROWS_MAX = 50;
const COLUMNS = ["Bought from", "Got", "Paid", "Speed before", "Speed since"];
const BAR_STEPS = 1000n;

/** Shows spending. */
export class Spending {
  /** Where it shows it. */
  readonly element: HTMLElement;
  private readonly total = make("p", { class: "pay-total", "data-pay": "spent" });
  private readonly bar = make("progress", { max: Number(BAR_STEPS), value: 0,
    "aria-label": "Share of the allowance that is spent" });
  private readonly body = make("tbody");
  private readonly nobody = make("p", { class: "hint" }, "Nothing was bought yet: what comes " +
    "fast enough for free is not paid for.");
  private readonly scroll: HTMLElement;
  private readonly stop: HTMLButtonElement;
  private tenth = -1n;

  constructor(stop: () => void) {
    const heads = COLUMNS.map((text) => make("th", { scope: "col" }, text));
    const table = make("table", { class: "pay-table" },
      make("caption", { class: "unseen" }, "What was bought, and what it did to the speed"),
      make("thead", {}, make("tr", {}, ...heads)), this.body);
    this.scroll = make("div", {
      class: "scroll", role: "group", tabindex: 0, "aria-label": "Table of purchases",
      hidden: true,
    }, table);
    this.stop = makeButton("Stop paying", { class: "danger", "data-pay": "stop" }, stop);
    this.element = make("section", { class: "pay-part", hidden: true }, make("h3", {}, "Spending"),
      make("div", { class: "pay-row" }, this.total, this.stop), this.bar, this.nobody, this.scroll);
  }

  /** Begins a session, from nothing. */
  begin(cap: bigint): void {
    this.element.hidden = false;
    this.stop.hidden = false;
    this.tenth = 0n;
    this.refresh({ is: "spending", spent: 0n, cap, purchases: [] });
    this.stop.focus();
  }

  /** Ends it; what was bought stays to be read. */
  end(): void {
    this.stop.hidden = true;
  }

  /** Shows these figures. */
  refresh({ spent, cap, purchases }: PayNews & { is: "spending" }): void {
    setText(this.total, `${money(spent)} of ${money(cap)}`);
    this.total.dataset["value"] = spent.toString();
    this.bar.value = cap === 0n ? 0 : Number((spent * BAR_STEPS) / cap);
    this.nobody.hidden = purchases.length > 0;
    this.scroll.hidden = purchases.length === 0;
    const most = [...purchases].sort(byAmount).slice(0, ROWS_MAX);
    this.body.replaceChildren(...most.map(makeRow));
    this.say(spent, cap);
  }

  /** A reader of screens hears each tenth of the allowance, not each voucher. */
  private say(spent: bigint, cap: bigint): void {
    const tenth = cap === 0n ? 0n : (spent * 10n) / cap;
    if (tenth === this.tenth) return;
    this.tenth = tenth;
    if (tenth > 0n) announce(`${money(spent)} of ${money(cap)} is spent.`);
  }
}

function byAmount(a: Purchase, b: Purchase): number {
  return a.amount === b.amount ? 0 : a.amount > b.amount ? -1 : 1;
}

function makeRow(row: Purchase): HTMLElement {
  return make("tr", {},
    make("th", { scope: "row", dir: "auto" }, row.seller.slice(0, 80) || "Somebody"),
    make("td", {}, bytes(row.bytes)),
    make("td", {}, money(row.amount)),
    make("td", {}, speed(row.before)),
    make("td", {}, `${speed(row.after)}${faster(row)}`));
}

function faster({ before, after }: Purchase): string {
  if (before < 1000 || after < before) return "";
  const times = Math.round((after / before) * 10) / 10;
  return times >= 1.1 ? ` (${times} ×)` : "";
}
