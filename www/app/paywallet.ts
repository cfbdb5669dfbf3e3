/**
 * Choosing a wallet and connecting it. Names and icons are what wallets say of themselves: text,
 * and images in data: addresses.
 */
import type { Bridge, Chain, Discovery, FoundWallet } from "headwater-wallet";
import { make, makeButton, setText } from "./dom.js";
import { shortAddress } from "./paywords.js";

/** The wallet bundle, loaded when payments are switched on. */
export type WalletLib = typeof import("headwater-wallet");

/** What the chooser tells. */
export interface WalletEvents {
  connected(bridge: Bridge): void;
  /** The account is gone, or another one came. */
  lost(): void;
  trouble(error: unknown): void;
}

/** Shows wallets until one is connected, then its account. */
export class WalletChooser {
  /** Where it shows them. */
  readonly element: HTMLElement;
  private readonly list = make("ul", { class: "pay-wallets" });
  private readonly none = make("p", { class: "hint", role: "status" });
  private readonly choice: HTMLElement;
  private readonly account = make("p", { class: "pay-account", "data-pay": "account" });
  private readonly leave = makeButton("Disconnect", { class: "plain" }, () => this.drop());
  private discovery: Discovery | null = null;
  private bridge: Bridge | null = null;
  private busy = false;

  constructor(
    private readonly lib: WalletLib,
    private readonly chains: readonly Chain[],
    private readonly events: WalletEvents,
  ) {
    const again = makeButton("Look again", { class: "plain" }, () => this.discovery?.look());
    this.choice = make("div", {},
      make("p", {}, "Connect your wallet. Nothing is paid by connecting."),
      this.list, this.none, again);
    const row = make("div", { class: "pay-row", hidden: true }, this.account, this.leave);
    this.element = make("section", { class: "pay-part" }, make("h3", {}, "Wallet"),
      this.choice, row);
    this.discovery = new lib.Discovery((wallets) => this.show(wallets));
    this.show(this.discovery.wallets);
  }

  /** Lets go of the wallet and stops looking for others. */
  close(): void {
    this.drop();
    this.discovery?.close();
    this.discovery = null;
  }

  private show(wallets: readonly FoundWallet[]): void {
    const usable = wallets.filter(({ kind }) => this.chainFor(kind) !== undefined);
    this.list.replaceChildren(...usable.map((found) => this.item(found)));
    setText(this.none, usable.length > 0 ? ""
      : "No wallet was found in this browser. Install one that speaks TRON or BitTorrent Chain.");
  }

  private item(found: FoundWallet): HTMLElement {
    const icon = found.icon === "" ? null
      : make("img", { class: "pay-icon", src: found.icon, alt: "", width: 24, height: 24 });
    const where = this.chainFor(found.kind)?.name ?? "";
    const button = makeButton("", {}, () => void this.connect(found));
    button.append(...(icon === null ? [] : [icon]),
      make("span", { dir: "auto" }, `Connect ${found.name}`));
    return make("li", {}, button, make("span", { class: "hint" }, where));
  }

  private chainFor(kind: FoundWallet["kind"]): Chain | undefined {
    return this.chains.find((chain) => chain.kind === kind);
  }

  private async connect(found: FoundWallet): Promise<void> {
    const chain = this.chainFor(found.kind);
    if (chain === undefined || this.busy) return;
    this.busy = true;
    let bridge: Bridge | null = null;
    try {
      bridge = this.lib.openBridge(found, chain);
      const account = await bridge.connect();
      this.hold(bridge, this.lib.addressText(account, chain.kind));
    } catch (error) {
      bridge?.close();
      this.events.trouble(error);
    } finally {
      this.busy = false;
    }
  }

  private hold(bridge: Bridge, account: string): void {
    this.bridge = bridge;
    bridge.listen(() => {
      this.drop();
    });
    this.account.replaceChildren(
      make("abbr", { title: account, dir: "ltr" }, shortAddress(account)),
      ` on ${bridge.chain.name}`);
    this.toggle(true);
    this.leave.focus();
    this.events.connected(bridge);
  }

  private drop(): void {
    if (this.bridge === null) return;
    this.bridge.close();
    this.bridge = null;
    this.toggle(false);
    this.events.lost();
  }

  private toggle(isConnected: boolean): void {
    this.choice.hidden = isConnected;
    if (this.leave.parentElement) this.leave.parentElement.hidden = !isConnected;
  }
}
