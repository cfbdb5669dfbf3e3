/**
 * The payment panel: off until the user switches it on, and only then is the wallet bundle loaded.
 * Shows and asks; what is paid to whom is decided by the engine behind the port.
 */
import type { Bridge } from "headwater-wallet";
import { make, makeButton, setText } from "./dom.js";
import { announce } from "./live.js";
import { Earnings } from "./payearn.js";
import type { PayNews, PayPort, PaySetup } from "./payport.js";
import { Spending } from "./payspend.js";
import { TermsForm, type TypedTerms } from "./payterms.js";
import { VaultPart } from "./payvault.js";
import { WalletChooser, type WalletLib } from "./paywallet.js";
import { plainPay } from "./paywords.js";

export type { PayNews, PayPort, PaySetup, Purchase, Purse } from "./payport.js";

/** Puts the panel into `place`. Returns what takes it away again. */
export function mountPay(place: HTMLElement, port: PayPort, setup: PaySetup): () => void {
  const panel = new PayPanel(port, setup);
  place.append(panel.element);
  return () => panel.close();
}

class PayPanel {
  readonly element: HTMLElement;
  private readonly toggle = make("input", {
    type: "checkbox", role: "switch", id: "pay-on", "aria-describedby": "pay-about",
  });
  private readonly trouble = make("div", { class: "pay-trouble", role: "alert" });
  private readonly body = make("div", { class: "pay-body", hidden: true });
  private readonly account = make("div", { class: "pay-parts" });
  private readonly spending = new Spending(() => void this.stop("You stopped paying."));
  private readonly earnings = new Earnings(() => this.attempt(async () => this.port.claim?.()));
  private readonly unlisten: () => void;
  private chooser: WalletChooser | null = null;
  private form: TermsForm | null = null;
  private running = false;
  /** Writes an account as the connected chain does. */
  private write: ((account: string) => string) | null = null;

  constructor(private readonly port: PayPort, private readonly setup: PaySetup) {
    this.body.append(this.spending.element, this.account, this.earnings.element);
    this.element = make("section", { class: "pay", "aria-labelledby": "pay-title" },
      make("div", { class: "pay-head" }, make("h2", { id: "pay-title" }, "Paid priority"),
        make("p", { class: "check" }, this.toggle, make("label", { for: "pay-on" },
          "Pay for priority with BTT"))),
      make("p", { class: "lead", id: "pay-about" }, "When a film stalls, Headwater can buy a " +
        "faster slot from whoever sells one, from your own wallet and within limits that you " +
        "set. Without it, everything works as ever. It is off unless you switch it on here."),
      this.trouble, this.body);
    this.toggle.addEventListener("change", () => void this.turn(this.toggle.checked));
    this.unlisten = port.listen((news) => this.hear(news));
  }

  close(): void {
    this.unlisten();
    this.chooser?.close();
    this.element.remove();
  }

  private async turn(isOn: boolean): Promise<void> {
    this.quiet();
    if (!isOn) {
      await this.stop("Paying is off.");
      this.chooser?.close();
      this.chooser = null;
      this.body.hidden = true;
      return;
    }
    await this.attempt(async () => {
      // A file of its own, so that whoever does not pay does not load it.
      const lib = await import("headwater-wallet");
      if (!this.toggle.checked || this.chooser !== null) return;
      this.chooser = new WalletChooser(lib, this.setup.chains, {
        connected: (bridge) => this.connected(lib, bridge),
        lost: () => this.lost(),
        trouble: (error) => this.complain(error),
      });
      this.body.prepend(this.chooser.element);
      this.body.hidden = false;
    });
    if (this.chooser === null) this.toggle.checked = false;
    this.chooser?.element.querySelector("button")?.focus();
  }

  private connected(lib: WalletLib, bridge: Bridge): void {
    this.quiet();
    const { chain } = bridge;
    if (chain.vault === null) {
      this.complain({ code: "wallet-unsupported", message: `no vault is known on ${chain.name}` });
      return;
    }
    const vault = lib.addressText(chain.vault, chain.kind);
    this.write = (account) => lib.addressText(account as `0x${string}`, chain.kind);
    const form = new TermsForm(lib, chain, vault, (terms) => void this.grant(bridge, terms));
    const purse = new VaultPart(lib, bridge, {
      trouble: (error) => this.complain(error),
      held: (amount) => (form.vaultHolds = amount),
    });
    this.form = form;
    form.element.hidden = this.running;
    this.account.replaceChildren(form.element, purse.element);
    void purse.refresh();
  }

  private lost(): void {
    this.form = null;
    this.account.replaceChildren();
  }

  /** Asks the wallet at once: the user's click counts only for a few seconds. */
  private async grant(bridge: Bridge, terms: TypedTerms): Promise<void> {
    this.quiet();
    const { form } = this;
    if (form === null || this.running) return;
    form.busy = true;
    await this.attempt(async () => {
      const { vault, id: chainId } = bridge.chain;
      const { cap, expiry, pricePerMiB } = terms;
      const key = await this.port.sessionKey();
      bridge.agree({ key, cap, expiry });
      const grant = await bridge.grant({ want: "grant", key, vault, chainId, cap, expiry });
      if (!this.toggle.checked) return;
      const { btt } = bridge.chain;
      const token = btt.is === "token" ? btt.address : null;
      await this.port.start({ grant, token, pricePerMiB });
      this.run(true);
      this.spending.begin(cap);
      announce("Paying may begin; a button to stop is at hand.");
    });
    form.busy = false;
  }

  private async stop(why: string): Promise<void> {
    if (!this.running) return;
    // The button is true at once; what the engine says can only confirm it.
    this.run(false);
    announce(why);
    this.form?.element.querySelector("input")?.focus();
    await this.attempt(() => this.port.stop());
  }

  private run(isRunning: boolean): void {
    this.running = isRunning;
    if (!isRunning) this.spending.end();
    if (this.form) this.form.element.hidden = isRunning;
  }

  private hear(news: PayNews): void {
    switch (news.is) {
      case "spending":
        // What was promised last is told after the end, too.
        this.spending.refresh(this.named(news));
        break;
      case "earning":
        this.earnings.refresh(news);
        break;
      case "stopped":
        if (!this.running) break;
        this.run(false);
        this.say(`Paying ended: ${news.why.slice(0, 200)}`);
        break;
    }
  }

  /** With sellers' accounts as their chain writes them. */
  private named(news: PayNews & { is: "spending" }): PayNews & { is: "spending" } {
    const name = (seller: string): string =>
      /^0x[0-9a-f]{40}$/.test(seller) ? this.write?.(seller) ?? seller : seller;
    const purchases = news.purchases.map((each) => ({ ...each, seller: name(each.seller) }));
    return { ...news, purchases };
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.complain(error);
    }
  }

  private complain(error: unknown): void {
    this.say(plainPay(error));
  }

  private say(text: string): void {
    const words = make("p", {});
    setText(words, text);
    this.trouble.replaceChildren(words,
      makeButton("Dismiss", { class: "plain small" }, () => this.quiet()));
  }

  private quiet(): void {
    this.trouble.replaceChildren();
  }
}
