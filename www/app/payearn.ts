/**
 * What was earned by serving others, and whether claiming it is worth its fee.
 */
import { make, makeButton, setText } from "./dom.js";
import type { PayNews } from "./payport.js";
import { money, worth } from "./paywords.js";

/** Shows earnings. */
export class Earnings {
  /** Where it shows them. */
  readonly element: HTMLElement;
  private readonly earned = make("dd", { "data-pay": "earned" }, "–");
  private readonly unclaimed = make("dd", { "data-pay": "unclaimed" }, "–");
  private readonly verdict = make("p", { class: "hint", id: "pay-worth", "data-pay": "worth" });
  private readonly button: HTMLButtonElement;

  constructor(claim: () => Promise<void>) {
    this.button = makeButton("Claim", { "aria-describedby": "pay-worth" }, () => {
      this.button.disabled = true;
      void claim().finally(() => (this.button.disabled = false));
    });
    this.element = make("section", { class: "pay-part", hidden: true }, make("h3", {}, "Earnings"),
      make("dl", { class: "facts" },
        make("div", {}, make("dt", {}, "Earned"), this.earned),
        make("div", {}, make("dt", {}, "Not claimed yet"), this.unclaimed)),
      this.verdict, this.button);
  }

  /** Shows these figures. */
  refresh({ earned, unclaimed, fee }: PayNews & { is: "earning" }): void {
    this.element.hidden = false;
    setText(this.earned, money(earned));
    this.earned.dataset["value"] = earned.toString();
    setText(this.unclaimed, money(unclaimed));
    this.unclaimed.dataset["value"] = unclaimed.toString();
    setText(this.verdict, worth(unclaimed, fee));
    this.button.hidden = unclaimed === 0n;
  }
}
