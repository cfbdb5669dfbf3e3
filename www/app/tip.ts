/**
 * The dialog that tips a publisher: whom, from which wallet, how much, and what came of it. A tip
 * goes straight to the account that the torrent names; no vault and no session have a part in it.
 */
import type { Publication } from "headwater";
import type { Bridge, Chain } from "headwater-wallet";
import { make, makeButton, setText } from "./dom.js";
import { announce } from "./live.js";
import { amountField, labelled } from "./payterms.js";
import { WalletChooser, type WalletLib } from "./paywallet.js";
import { money, plainPay } from "./paywords.js";

/** What is tipped where nothing is suggested, in BTT. */
const TIP = "10";
/** What can be paid, and how its amounts are written. */
const PAID_IN = [["btt", "BTT"], ["asset", "BTTOLD (TRC-10)"]] as const;

/** Opens the dialog; on the server's own chain where that is the one. */
export async function openTip(said: Publication, name: string, own: Chain | null): Promise<void> {
  const lib = await import("headwater-wallet");
  new TipDialog(lib, said, name, chainOf(lib, said, own)).show();
}

/** The chain that tips are paid on; `null` where this page knows none, or another token there. */
function chainOf(lib: WalletLib, said: Publication, own: Chain | null): Chain | null {
  const chains: readonly Chain[] = own === null ? Object.values(lib.CHAINS) : [own];
  const chain = chains.find(({ id }) => id === said.chain);
  if (chain === undefined) return null;
  const { btt } = chain;
  // Of a test chain nobody knows the token but who publishes there.
  if (btt.is === "unknown") return { ...chain, btt: { is: "token", address: said.token } };
  const token = btt.is === "token" ? btt.address : `0x${"0".repeat(40)}`;
  return token === said.token ? chain : null;
}

class TipDialog {
  private readonly dialog: HTMLDialogElement;
  private readonly trouble = make("p", { class: "trouble", role: "alert" });
  private readonly status = make("p", { class: "tip-status", role: "status" });
  private readonly amount = amountField("tip-amount", TIP);
  private readonly unit = make("select", { id: "tip-unit" },
    ...PAID_IN.map(([value, text]) => make("option", { value }, text)));
  private readonly hint = make("p", { class: "hint", id: "tip-hint" });
  private readonly send = make("button", {
    type: "submit", class: "primary", "aria-describedby": "tip-hint",
  }, "Send the tip");
  private readonly form: HTMLFormElement;
  private readonly payee: string;
  private chooser: WalletChooser | null = null;
  private bridge: Bridge | null = null;

  constructor(
    private readonly lib: WalletLib,
    private readonly said: Publication,
    name: string,
    private readonly chain: Chain | null,
  ) {
    this.payee = lib.addressText(said.payee, chain?.kind ?? "tron");
    if (said.tip !== null) this.amount.value = lib.amountText(said.tip);
    this.form = make("form", { class: "tip-form", novalidate: true, hidden: true },
      make("div", { class: "pay-fields" }, labelled("tip-amount", "Amount", this.amount),
        labelled("tip-unit", "Paid in", this.unit)),
      this.hint, this.send);
    if (!chain?.asset) this.form.querySelectorAll(".pay-field")[1]?.remove();
    this.dialog = make("dialog", { class: "dialog tip", "aria-labelledby": "tip-title" },
      make("h2", { id: "tip-title", dir: "auto" }, `Tip the publisher of ${name}`),
      make("p", {}, "The torrent names, signed by its publisher's own key, this account",
        chain === null ? ":" : ` on ${chain.name}:`),
      make("p", { class: "tip-payee", dir: "ltr", "data-tip": "payee" }, this.payee));
    this.fill();
    this.form.addEventListener("input", () => this.tell());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.pay();
    });
    this.tell();
  }

  show(): void {
    document.body.append(this.dialog);
    this.dialog.showModal();
  }

  private fill(): void {
    const { chain, dialog } = this;
    if (chain === null) {
      setText(this.trouble, `Tips would be paid on chain ${this.said.chain}, in a token that ` +
        "this page does not know. Pay from your wallet, if you know them.");
    } else {
      this.chooser = new WalletChooser(this.lib, [chain], {
        connected: (bridge) => this.hold(bridge),
        lost: () => this.hold(null),
        trouble: (error) => setText(this.trouble, plainPay(error)),
      });
      dialog.append(this.chooser.element, this.form);
    }
    dialog.append(this.trouble, this.status, make("div", { class: "dialog-acts" },
      makeButton("Close", {}, () => dialog.close())));
    dialog.addEventListener("close", () => {
      this.chooser?.close();
      dialog.remove();
    });
  }

  private hold(bridge: Bridge | null): void {
    setText(this.trouble, "");
    this.bridge = bridge;
    this.form.hidden = bridge === null;
    if (bridge !== null) this.amount.focus();
  }

  private get paidIn(): "btt" | "asset" {
    return this.chain?.asset && this.unit.value === "asset" ? "asset" : "btt";
  }

  /** Of the older asset this page does not know how many parts one has, so it counts parts. */
  private read(): bigint | null {
    const amount = this.lib.parseAmount(this.amount.value, this.paidIn === "btt" ? undefined : 0);
    return amount !== null && amount > 0n ? amount : null;
  }

  private tell(): void {
    const amount = this.read();
    const what = amount === null ? "the tip" : this.paidIn === "btt" ? money(amount)
      : `${amount} of the asset's smallest parts`;
    setText(this.hint, `Your wallet will ask you to send ${what} to this account; see that it ` +
      "shows the same one. The chain takes a fee of its own. A tip cannot be taken back.");
    if (amount === null) return;
    this.amount.removeAttribute("aria-invalid");
    setText(this.trouble, "");
  }

  private async pay(): Promise<void> {
    const { bridge } = this;
    const amount = this.read();
    if (bridge === null) return;
    if (amount === null) {
      this.amount.setAttribute("aria-invalid", "true");
      this.amount.focus();
      setText(this.trouble, "Write an amount above nothing, such as 50 or 0.5. (bad-amount)");
      return;
    }
    setText(this.trouble, "");
    setText(this.status, "");
    this.busy = true;
    try {
      const { id } = await bridge.tip(this.said.payee, amount, this.paidIn);
      this.thank(id);
    } catch (error) {
      setText(this.trouble, plainPay(error));
    }
    this.busy = false;
  }

  private thank(id: string): void {
    announce("The tip is paid: the chain has it.");
    this.status.replaceChildren("The tip is paid: the chain has it. Transaction ",
      make("code", { class: "tip-id", "data-tip": "id" }, id));
    this.form.hidden = true;
    this.dialog.querySelector<HTMLButtonElement>(".dialog-acts button")?.focus();
  }

  private set busy(isBusy: boolean) {
    this.send.disabled = isBusy;
    setText(this.send, isBusy ? "Look into your wallet…" : "Send the tip");
  }
}
