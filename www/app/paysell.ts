/**
 * Selling upload: the price, how much goes out at most, and what is being sold to whom it pays.
 */
import type { Bridge } from "headwater-wallet";
import { make, makeButton, setText } from "./dom.js";
import { announce } from "./live.js";
import type { PayPort, PaySetup } from "./payport.js";
import { amountField, labelled } from "./payterms.js";
import type { WalletLib } from "./paywallet.js";
import { money, shortAddress } from "./paywords.js";

const MIB_PER_GIB = 1024n;
/** Decimals of a megabyte a second, in bytes a second. */
const MB_DECIMALS = 6;

/** What it needs of the panel. */
export interface SellEvents {
  trouble(error: unknown): void;
}

/** Asks for terms, and shows that upload is sold. */
export class SellPart {
  /** Where it does. */
  readonly element: HTMLElement;
  private readonly price = amountField("pay-sell-price", "10");
  private readonly most = amountField("pay-sell-limit", "1");
  private readonly hint = make("p", { class: "hint", role: "status", "data-pay": "sale" });
  private readonly form: HTMLFormElement;
  private readonly button = make("button", { type: "submit", class: "primary" }, "Sell");
  private readonly stop = makeButton("Stop selling", { class: "danger" }, () => void this.end());
  private bridge: Bridge | null = null;
  private running = false;

  constructor(
    private readonly lib: WalletLib,
    private readonly port: PayPort,
    private readonly setup: PaySetup,
    private readonly events: SellEvents,
  ) {
    const fields = [labelled("pay-sell-price", "At least (BTT per GiB)", this.price)];
    if (setup.limitUpload) {
      fields.push(labelled("pay-sell-limit", "Upload at most (MB/s)", this.most));
    }
    this.form = make("form", { novalidate: true, class: "pay-fields" }, ...fields, this.button);
    this.stop.hidden = true;
    this.element = make("section", { class: "pay-part", hidden: true },
      make("h3", {}, "Sell upload"),
      make("p", { class: "hint" }, "While others want it, at most half of your upload goes to " +
        "whoever pays; the rest is given as before. It goes on while this page is open."),
      this.form, this.hint, this.stop);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.begin();
    });
    this.show();
  }

  /** The wallet whose account is paid; one that leaves changes nothing of what is sold. */
  set wallet(bridge: Bridge | null) {
    this.bridge = bridge;
    this.show();
  }

  /** Sells no more. */
  async end(): Promise<void> {
    if (!this.running) return;
    this.running = false;
    this.show();
    announce("Upload is no longer sold.");
    if (!this.form.hidden) this.price.focus();
    try {
      await this.port.stopSelling();
      await this.setup.limitUpload?.(null);
    } catch (error) {
      this.events.trouble(error);
    }
  }

  private async begin(): Promise<void> {
    const { bridge, setup: { node } } = this;
    const price = this.read(this.price, this.lib.BTT_DECIMALS, MIB_PER_GIB);
    const most = this.setup.limitUpload ? this.read(this.most, MB_DECIMALS, 1000n) : 0n;
    const payee = bridge?.account ?? null;
    if (price === null || most === null) {
      const message = "it was left empty, or is no number";
      this.events.trouble({ code: "bad-amount", message });
      return;
    }
    if (bridge === null || payee === null || bridge.chain.vault === null || !node) return;
    const { id: chainId, vault, kind } = bridge.chain;
    this.button.disabled = true;
    try {
      await this.port.sell({ payee, pricePerMiB: price / MIB_PER_GIB, chainId, vault, node });
      await this.setup.limitUpload?.(Number(most));
      this.running = true;
      this.show();
      const to = shortAddress(this.lib.addressText(payee, kind));
      setText(this.hint, `Upload is sold at ${money(price)} per GiB or more, paid to ${to}.`);
      this.stop.focus();
    } catch (error) {
      this.events.trouble(error);
    } finally {
      this.button.disabled = false;
    }
  }

  private show(): void {
    this.form.hidden = this.running || this.bridge === null;
    this.stop.hidden = !this.running;
    if (this.running) return;
    setText(this.hint, this.bridge === null ? "Connect the wallet that is to be paid." : "");
  }

  private read(field: HTMLInputElement, decimals: number, least: bigint): bigint | null {
    const amount = this.lib.parseAmount(field.value, decimals);
    const isFine = amount !== null && amount >= least && amount < 1n << 100n;
    if (isFine) field.removeAttribute("aria-invalid");
    else {
      field.setAttribute("aria-invalid", "true");
      field.focus();
    }
    return isFine ? amount : null;
  }
}
