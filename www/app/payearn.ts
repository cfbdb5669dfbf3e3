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
  private readonly damage = make("p", { class: "hint" });
  private readonly status = make("p", { class: "hint", role: "status", "data-pay": "claiming" });
  private readonly button: HTMLButtonElement;

  /** Has `claim` do it when the user asks for it; it answers what there is to say. */
  constructor(claim: () => Promise<string>) {
    this.button = makeButton("Claim", { "aria-describedby": "pay-worth" }, () => {
      this.button.disabled = true;
      setText(this.status, "Your wallet asks for the transaction. The chain then takes a minute " +
        "or two.");
      void claim().then((said) => {
        this.button.disabled = false;
        setText(this.status, said);
      });
    });
    this.element = make("section", { class: "pay-part", hidden: true }, make("h3", {}, "Earnings"),
      make("dl", { class: "facts" },
        make("div", {}, make("dt", {}, "Earned"), this.earned),
        make("div", {}, make("dt", {}, "Not claimed yet"), this.unclaimed)),
      this.verdict, this.damage, this.button, this.status);
  }

  /** Shows these figures. */
  refresh({ earned, unclaimed, fee, damaged }: PayNews & { is: "earning" }): void {
    this.element.hidden = earned === 0n && !(damaged > 0);
    setText(this.earned, money(earned));
    this.earned.dataset["value"] = earned.toString();
    setText(this.unclaimed, money(unclaimed));
    this.unclaimed.dataset["value"] = unclaimed.toString();
    setText(this.verdict, worth(unclaimed, fee));
    setText(this.damage, damaged > 0
      ? `Records that cannot be read, and are left as they are: ${damaged}.` : "");
    this.button.hidden = unclaimed === 0n;
  }
}
