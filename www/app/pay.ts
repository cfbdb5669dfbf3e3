/**
 * The payment panel: off until the user switches it on, and only then is the wallet bundle loaded.
 * Shows and asks; what is paid to whom is decided by the engine behind the port.
 */
import type { Bridge } from "headwater-wallet";
import { make, makeButton, setText } from "./dom.js";
import { announce } from "./live.js";
import { Earnings } from "./payearn.js";
import type { PayNews, PayPort, PaySetup } from "./payport.js";
import { SellPart } from "./paysell.js";
import { Spending } from "./payspend.js";
import { TermsForm, type TypedTerms } from "./payterms.js";
import { VaultPart } from "./payvault.js";
import { WalletChooser, type WalletLib } from "./paywallet.js";
import { money, plainPay } from "./paywords.js";

export type { PayNews, PayPort, PaySetup, Purchase, Purse, Sale } from "./payport.js";

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
  private readonly sellToggle = make("input", {
    type: "checkbox", role: "switch", id: "pay-sell-on", "aria-describedby": "pay-about",
  });
  private readonly trouble = make("div", { class: "pay-trouble", role: "alert" });
  private readonly body = make("div", { class: "pay-body", hidden: true });
  private readonly account = make("div", { class: "pay-parts" });
  private readonly spending = new Spending(() => void this.stop("You stopped paying."));
  private readonly earnings = new Earnings(() => this.claim());
  private readonly unlisten: () => void;
  private chooser: WalletChooser | null = null;
  private form: TermsForm | null = null;
  private sale: SellPart | null = null;
  private purse: VaultPart | null = null;
  private bridge: Bridge | null = null;
  private running = false;
  /** Writes an account as the connected chain does. */
  private write: ((account: string) => string) | null = null;

  constructor(private readonly port: PayPort, private readonly setup: PaySetup) {
    this.body.append(this.spending.element, this.account);
    this.element = make("section", { class: "pay", "aria-labelledby": "pay-title" },
      make("div", { class: "pay-head" }, make("h2", { id: "pay-title" }, "Paid priority"),
        make("div", { class: "pay-switches" },
          makeSwitch(this.toggle, "Pay for priority with BTT"),
          ...(setup.node ? [makeSwitch(this.sellToggle, "Sell upload for BTT")] : []))),
      make("p", { class: "lead", id: "pay-about" }, "When a film stalls, Headwater can buy a " +
        "faster slot from whoever sells one, from your own wallet and within limits that you " +
        "set; and it can sell such slots of yours. Without it, everything works as ever. It is " +
        "off unless you switch it on here."),
      this.trouble, this.body, this.earnings.element);
    this.toggle.addEventListener("change", () => void this.turn(this.toggle.checked));
    this.sellToggle.addEventListener("change", () => void this.turnSelling());
    this.unlisten = port.listen((news) => this.hear(news));
    // What another tab holds is shown there.
    if (setup.node) void port.recall().catch(() => undefined);
  }

  close(): void {
    this.unlisten();
    this.chooser?.close();
    this.element.remove();
  }

  private async turn(isOn: boolean): Promise<void> {
    this.quiet();
    if (isOn) await this.openWallets(this.toggle);
    else await this.stop("Paying is off.");
    this.arrange();
  }

  private async turnSelling(): Promise<void> {
    this.quiet();
    if (this.sellToggle.checked) await this.openWallets(this.sellToggle);
    else await this.sale?.end();
    this.arrange();
  }

  private async openWallets(by: HTMLInputElement): Promise<void> {
    await this.attempt(async () => {
      // A file of its own, so that whoever does not pay does not load it.
      const lib = await import("headwater-wallet");
      if (!by.checked || this.chooser !== null) return;
      this.chooser = new WalletChooser(lib, this.setup.chains, {
        connected: (bridge) => this.connected(lib, bridge),
        lost: () => this.lost(),
        trouble: (error) => this.complain(error),
      });
      this.body.prepend(this.chooser.element);
      this.sale ??= new SellPart(lib, this.port, this.setup, {
        trouble: (error) => this.complain(error),
      });
      this.body.append(this.sale.element);
    });
    if (this.chooser === null) by.checked = false;
    this.body.hidden = this.chooser === null;
    if (this.bridge === null) this.chooser?.element.querySelector("button")?.focus();
  }

  /** Shows the parts that are switched on, and lets go of the wallet when none is. */
  private arrange(): void {
    const isPaying = this.toggle.checked;
    const isSelling = this.sellToggle.checked;
    if (!isPaying && !isSelling) {
      this.chooser?.close();
      this.chooser?.element.remove();
      this.chooser = null;
    }
    this.body.hidden = this.chooser === null;
    if (this.form) this.form.element.hidden = this.running || !isPaying;
    if (this.sale) this.sale.element.hidden = !isSelling;
  }

  /** Answers what there is to say. */
  private async claim(): Promise<string> {
    this.quiet();
    const { bridge, setup: { node } } = this;
    if (bridge === null || !node) return "Connect the wallet that was paid, then claim.";
    try {
      const paid = await this.port.claim(bridge, node);
      void this.purse?.refresh();
      return `The vault paid ${money(paid)}. It lies in the vault, where it can be spent or ` +
        "asked back.";
    } catch (error) {
      this.complain(error);
      return "";
    }
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
    this.purse = purse;
    this.bridge = bridge;
    if (this.sale) this.sale.wallet = bridge;
    this.arrange();
    this.account.replaceChildren(form.element, purse.element);
    void purse.refresh();
  }

  private lost(): void {
    this.form = null;
    this.purse = null;
    this.bridge = null;
    if (this.sale) this.sale.wallet = null;
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
    this.arrange();
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

function makeSwitch(toggle: HTMLInputElement, text: string): HTMLElement {
  return make("p", { class: "check" }, toggle, make("label", { for: toggle.id }, text));
}
