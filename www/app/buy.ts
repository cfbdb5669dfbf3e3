/**
 * The dialog that buys the key of paid content: what it costs and who gets that, the vault that it
 * is paid from, and an allowance for it alone, unless one that is granted already pays there.
 */
import type { Payment, Publication, Torrent } from "headwater";
import type { Bridge, Chain } from "headwater-wallet";
import { make, makeButton, setText } from "./dom.js";
import { announce } from "./live.js";
import { VaultPart } from "./payvault.js";
import { WalletChooser, type WalletLib } from "./paywallet.js";
import { money, plainPay } from "./paywords.js";

/** How long the allowance lasts, in seconds. */
const ALLOWED_SECONDS = 3600;

/** What is bought, and where this page pays. */
export interface Offer {
  readonly torrent: Torrent;
  readonly name: string;
  readonly payment: Payment;
  /** The chain of the page's own server, with its vault. */
  readonly own: Chain | null;
  /** Hears that it is bought. */
  bought(): void;
}

/** Opens the dialog. */
export async function openBuy(offer: Offer): Promise<void> {
  const [lib, said] = await Promise.all([import("headwater-wallet"), offer.torrent.publication()]);
  if (said === null || said.price === null) return;
  new BuyDialog(lib, offer, said, said.price).show();
}

class BuyDialog {
  private readonly dialog: HTMLDialogElement;
  private readonly trouble = make("p", { class: "trouble", role: "alert" });
  private readonly status = make("p", { role: "status", "data-buy": "status" });
  private readonly lack = make("p", { class: "hint", role: "status" });
  private readonly buy: HTMLButtonElement;
  private readonly form: HTMLElement;
  private readonly vault = make("div", { class: "pay-parts" });
  /** Wallet, vault and button, as far as they are needed. */
  private readonly places = make("div", { class: "pay-parts" });
  private readonly close = makeButton("Close", {}, () => this.dialog.close());
  private readonly chain: Chain | null;
  private chooser: WalletChooser | null = null;
  private bridge: Bridge | null = null;
  /** What is granted was granted here, for this alone. */
  private isOwn = false;

  constructor(
    private readonly lib: WalletLib,
    private readonly offer: Offer,
    said: Publication,
    private readonly price: bigint,
  ) {
    this.chain = chainOf(offer.own, said);
    const kind = this.chain?.kind ?? "tron";
    this.buy = makeButton(`Buy for ${money(price)}`, { class: "primary" }, () => void this.pay());
    this.form = make("div", { class: "buy-form" }, this.lack, this.buy);
    this.dialog = make("dialog", { class: "dialog buy", "aria-labelledby": "buy-title" },
      make("h2", { id: "buy-title", dir: "auto" }, `Buy ${offer.name}`),
      make("p", {}, `Its files are encrypted, and their key costs ${money(price)}. The torrent ` +
        "names, signed by its publisher's own key, this account for that:"),
      make("p", { class: "tip-payee", dir: "ltr" }, lib.addressText(said.payee, kind)),
      make("p", { class: "hint" }, "Nobody can see before what the key opens, and what is paid " +
        "is not given back. The key stays in this browser; elsewhere, the same wallet gets it " +
        "again for nothing."));
    this.fill();
  }

  show(): void {
    document.body.append(this.dialog);
    this.dialog.showModal();
  }

  private fill(): void {
    const { chain, dialog } = this;
    if (chain === null) {
      setText(this.trouble, "It is paid through a vault that this page does not know, so it " +
        "cannot be bought here. Open the publisher's own page.");
    } else if (this.isGranted) {
      setText(this.lack, this.hintAt(this.price));
      this.places.append(this.form);
    } else {
      this.askWallet(chain);
    }
    dialog.append(this.places, this.trouble, this.status,
      make("div", { class: "dialog-acts" }, this.close));
    dialog.addEventListener("close", () => {
      this.chooser?.close();
      dialog.remove();
    });
  }

  /** Whether what is granted pays through the vault in which this is sold. */
  private get isGranted(): boolean {
    const purse = this.offer.payment.purse;
    const { chain } = this;
    return purse !== null && purse.grant.chainId === chain?.id && purse.grant.vault === chain.vault;
  }

  private askWallet(chain: Chain): void {
    this.chooser = new WalletChooser(this.lib, [chain], {
      connected: (bridge) => this.hold(bridge),
      lost: () => this.hold(null),
      trouble: (error) => this.complain(error),
    });
    this.form.hidden = true;
    this.places.append(this.chooser.element, this.vault, this.form);
  }

  private hold(bridge: Bridge | null): void {
    this.complain(null);
    this.bridge = bridge;
    this.form.hidden = bridge === null;
    this.vault.replaceChildren();
    if (bridge === null) return;
    const part = new VaultPart(this.lib, bridge, {
      trouble: (error) => this.complain(error),
      held: (amount) => setText(this.lack, this.hintAt(amount)),
    }, this.lib.amountText(this.price));
    this.vault.append(part.element);
    void part.refresh();
    this.buy.focus();
  }

  private hintAt(held: bigint): string {
    if (held < this.price) {
      return `The vault holds only ${money(held)}. Put in what is lacking first, unless this ` +
        "wallet bought it before: then it costs nothing.";
    }
    return this.isGranted ? "It is paid out of the allowance that is granted already."
      : "Your wallet will show a grant of this price. Signing it costs no fee.";
  }

  private async pay(): Promise<void> {
    const { torrent, payment } = this.offer;
    this.complain(null);
    this.buy.disabled = true;
    const { bridge } = this;
    try {
      // One grant is one promise of the price, however often the seller is asked.
      if (bridge !== null && !this.isGranted) await this.grant(bridge);
      setText(this.status, "Waiting for whoever sells the key. This takes two minutes at most.");
      await payment.buy(torrent);
      if (this.isOwn) await payment.stop();
      this.thank();
    } catch (error) {
      setText(this.status, "");
      this.complain(error);
      const { code } = error as { code?: string };
      if (code === "no-funds" && this.chooser === null && this.chain) this.askWallet(this.chain);
    }
    this.buy.disabled = false;
  }

  /** Asks the wallet at once: the user's click counts only for a few seconds. */
  private async grant(bridge: Bridge): Promise<void> {
    const { payment } = this.offer;
    setText(this.status, "Look into your wallet…");
    const key = await payment.sessionKey();
    const { vault, id: chainId, btt } = bridge.chain;
    const terms = { key, cap: this.price, expiry: Math.floor(Date.now() / 1000) + ALLOWED_SECONDS };
    bridge.agree(terms);
    const grant = await bridge.grant({ want: "grant", vault, chainId, ...terms });
    // It is for the key alone: nothing is bid for speed.
    await payment.start({ grant, token: btt.is === "token" ? btt.address : null, pricePerMiB: 0n });
    this.isOwn = true;
  }

  private thank(): void {
    const text = "It is bought, and its key is kept in this browser.";
    announce(text);
    setText(this.status, text);
    this.form.hidden = true;
    this.vault.replaceChildren();
    this.close.focus();
    this.offer.bought();
  }

  private complain(error: unknown): void {
    setText(this.trouble, error === null ? "" : plainPay(error));
    if (error !== null) this.trouble.scrollIntoView({ block: "nearest" });
  }
}

/** The page's own chain, if it is sold there: a vault that only a torrent names is not trusted. */
function chainOf(own: Chain | null, said: Publication): Chain | null {
  if (own === null || own.id !== said.chain || own.vault !== said.vault) return null;
  const token = own.btt.is === "token" ? own.btt.address : `0x${"0".repeat(40)}`;
  return token === said.token ? own : null;
}
