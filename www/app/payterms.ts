/**
 * The form of a session's terms: how much at most, at what price at most, until when. Says before
 * the wallet does what will be signed.
 */
import type { Chain } from "headwater-wallet";
import { make, setText } from "./dom.js";
import type { WalletLib } from "./paywallet.js";
import { moment, money } from "./paywords.js";

const MIB_PER_GIB = 1024n;
const HOURS = [[1, "1 hour"], [4, "4 hours"], [12, "12 hours"], [24, "a day"]] as const;

/** What the user typed. */
export interface TypedTerms {
  cap: bigint;
  pricePerMiB: bigint;
  /** In seconds since 1970. */
  expiry: number;
}

/** Asks for the terms. */
export class TermsForm {
  /** Where it asks. */
  readonly element: HTMLFormElement;
  private readonly cap = amountField("pay-cap", "50");
  private readonly price = amountField("pay-price", "10");
  private readonly hours = make("select", { id: "pay-hours" },
    ...HOURS.map(([hours, text]) => make("option", { value: hours }, text)));
  private readonly trouble = make("p", {
    class: "trouble", role: "alert", id: "pay-terms-trouble",
  });
  private readonly promise = make("p", { class: "hint", id: "pay-promise" });
  private readonly lack = make("p", { class: "hint", role: "status", "data-pay": "lack" });
  private held: bigint | null = null;
  private readonly button = make("button", {
    type: "submit", class: "primary", "aria-describedby": "pay-promise",
  }, "Grant");

  constructor(
    private readonly lib: WalletLib,
    private readonly chain: Chain,
    private readonly vaultText: string,
    grant: (terms: TypedTerms) => void,
  ) {
    this.element = make("form", { class: "pay-part pay-terms", novalidate: true },
      make("h3", {}, "Allowance for this session"),
      make("div", { class: "pay-fields" },
        labelled("pay-cap", "Spend at most (BTT)", this.cap),
        labelled("pay-price", "Bid at most (BTT per GiB)", this.price),
        labelled("pay-hours", "It ends after", this.hours)),
      this.trouble, this.promise, this.lack, this.button);
    this.element.addEventListener("input", () => this.tell());
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      const terms = this.read();
      if (terms !== null) grant(terms);
    });
    this.tell();
  }

  /** Whether the wallet is being asked. */
  set busy(isBusy: boolean) {
    this.button.disabled = isBusy;
    setText(this.button, isBusy ? "Look into your wallet…" : "Grant");
  }

  /** Takes what the vault holds, since a grant beyond it is refused by sellers. */
  set vaultHolds(amount: bigint) {
    this.held = amount;
    this.tell();
  }

  private read(): TypedTerms | null {
    const cap = this.amount(this.cap);
    const price = this.amount(this.price);
    const wrong = cap === null ? this.cap : price === null ? this.price : null;
    setText(this.trouble, wrong === null ? ""
      : "Write an amount of BTT above nothing, such as 50 or 0.5. (bad-amount)");
    wrong?.focus();
    if (cap === null || price === null) return null;
    return { cap, pricePerMiB: price / MIB_PER_GIB, expiry: this.expiry() };
  }

  private tell(): void {
    const cap = this.amount(this.cap);
    const price = this.amount(this.price);
    const isShort = cap !== null && this.held !== null && this.held < cap;
    setText(this.lack, isShort ? `The vault holds only ${money(this.held ?? 0n)} of that, and ` +
      "sellers give nothing beyond it. Put more in, or allow less." : "");
    if (cap === null || price === null) {
      setText(this.promise, "");
      return;
    }
    setText(this.trouble, "");
    setText(this.promise, `Your wallet will show a grant of at most ${money(cap)} until ` +
      `${moment(this.expiry())} from the vault ${this.vaultText} on ${this.chain.name}. Signing ` +
      `it pays nothing and costs no fee; only what is fetched faster is paid, at most ` +
      `${money(price)} per GiB. It cannot be taken back before it ends, but Stop ends paying.`);
  }

  private amount(field: HTMLInputElement): bigint | null {
    const amount = this.lib.parseAmount(field.value);
    const least = field === this.price ? MIB_PER_GIB : 1n;
    const isFine = amount !== null && amount >= least;
    if (isFine) field.removeAttribute("aria-invalid");
    else field.setAttribute("aria-invalid", "true");
    return isFine ? amount : null;
  }

  private expiry(): number {
    return Math.floor(Date.now() / 1000) + Number(this.hours.value) * 3600 - 60;
  }
}

/** A field for an amount of BTT. */
export function amountField(id: string, value: string): HTMLInputElement {
  return make("input", {
    type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false", id, value,
  });
}

/** A field with its label above. */
export function labelled(id: string, text: string, field: HTMLElement): HTMLElement {
  return make("div", { class: "pay-field" },
    make("label", { class: "field-label", for: id }, text), field);
}
