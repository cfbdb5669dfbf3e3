/**
 * Money in the vault: how much is there, putting more in, taking it out again, and what happened.
 */
import type { Bridge, HistoryEntry, Receipt } from "headwater-wallet";
import { make, makeButton, setText } from "./dom.js";
import { announce } from "./live.js";
import { amountField, labelled } from "./payterms.js";
import type { WalletLib } from "./paywallet.js";
import { moment, money } from "./paywords.js";

/** Most rows of the history that are shown: the newest. */
const ROWS_MAX = 30;
const WORDS: Record<HistoryEntry["kind"], string> = {
  deposit: "Put in", claim: "Paid to others", "exit-asked": "Asked back", exit: "Taken out",
};
const STEPS = {
  approving: "First of two: your wallet asks whether the vault may take the tokens.",
  depositing: "Your wallet asks for the deposit.",
};

/** What the vault's part tells. */
export interface VaultEvents {
  trouble(error: unknown): void;
  /** How much the vault holds that is not on its way out. */
  held(amount: bigint): void;
}

/** Shows the vault. */
export class VaultPart {
  /** Where it shows it. */
  readonly element: HTMLElement;
  private readonly free = make("dd", { "data-pay": "free" }, "–");
  private readonly held = make("dd", { "data-pay": "held" }, "–");
  private readonly status = make("p", { class: "hint", role: "status" });
  private readonly amount: HTMLInputElement;
  private readonly acts: HTMLButtonElement[];
  private readonly take = makeButton("Take it out now", {}, () => this.move((bridge) =>
    bridge.exit()));
  private readonly rows = make("ul", { class: "pay-history" });

  constructor(
    private readonly lib: WalletLib,
    private readonly bridge: Bridge,
    private readonly events: VaultEvents,
    amount = "100",
  ) {
    this.amount = amountField("pay-amount", amount);
    const put = makeButton("Put in", {}, () => this.withAmount((amount) => this.move((bridge) =>
      bridge.deposit(amount, (step) => setText(this.status, STEPS[step])))));
    const ask = makeButton("Ask back", {}, () => this.withAmount((amount) => this.move((bridge) =>
      bridge.requestExit(amount))));
    this.acts = [put, ask, this.take];
    this.element = make("section", { class: "pay-part" }, make("h3", {}, "In the vault"),
      make("dl", { class: "facts" },
        make("div", {}, make("dt", {}, "In your wallet"), this.free),
        make("div", {}, make("dt", {}, "In the vault"), this.held)),
      make("p", { class: "hint" }, "Sessions are paid from the vault. What you ask back can be " +
        "taken out two days later, when every session is over."),
      make("div", { class: "pay-fields" }, labelled("pay-amount", "Amount (BTT)", this.amount),
        make("div", { class: "acts" }, put, ask, this.take)),
      this.status,
      make("details", { class: "pay-past" }, make("summary", {}, "What happened"), this.rows));
    this.take.hidden = true;
  }

  /** Looks again. */
  async refresh(): Promise<void> {
    try {
      const { free, vault, exiting, exitAt } = await this.bridge.balance();
      this.write(this.free, free);
      this.write(this.held, vault);
      this.events.held(vault > exiting ? vault - exiting : 0n);
      this.take.hidden = exiting === 0n;
      const isRipe = exitAt <= Date.now() / 1000;
      this.take.disabled = !isRipe;
      setText(this.status, exiting === 0n ? ""
        : `${money(exiting)} can be taken out ${isRipe ? "now" : `from ${moment(exitAt)}`}.`);
      const newest = this.bridge.history().slice(-ROWS_MAX).reverse();
      this.rows.replaceChildren(...newest.map((entry) =>
        make("li", {}, `${this.word(entry)}: ${money(entry.amount)}`)));
    } catch (error) {
      this.events.trouble(error);
    }
  }

  private word({ kind, payee }: HistoryEntry): string {
    return kind === "claim" && payee === this.bridge.account ? "Claimed" : WORDS[kind];
  }

  private write(place: HTMLElement, amount: bigint): void {
    setText(place, money(amount));
    place.dataset["value"] = amount.toString();
  }

  private withAmount(act: (amount: bigint) => void): void {
    const amount = this.lib.parseAmount(this.amount.value);
    const isFine = amount !== null && amount > 0n;
    if (isFine) {
      this.amount.removeAttribute("aria-invalid");
      act(amount);
      return;
    }
    this.amount.setAttribute("aria-invalid", "true");
    this.amount.focus();
    this.events.trouble({ code: "bad-amount", message: "it was left empty, or is no number" });
  }

  private move(work: (bridge: Bridge) => Promise<Receipt>): void {
    for (const act of this.acts) act.disabled = true;
    const done = async (): Promise<void> => {
      try {
        await work(this.bridge);
        announce("Done: the chain has it.");
      } catch (error) {
        this.events.trouble(error);
      }
      for (const act of this.acts) act.disabled = false;
      await this.refresh();
    };
    void done();
  }
}
