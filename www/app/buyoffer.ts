/**
 * Offers paid content: a torrent that names a price stays shut until its key is here, and a button
 * opens the dialog that buys it. Only such a torrent loads anything of payment.
 */
import type { Payment, Torrent } from "headwater";
import { makeButton } from "./dom.js";
import { notice } from "./notice.js";
import { dressPay, loadTestWallet, soldOn } from "./payoffer.js";
import { money } from "./paywords.js";
import { plain } from "./trouble.js";

/** What shows the torrent, which stays shut for the time being. */
export interface Shut {
  /** Says why, with what may be done about it. */
  say(text: string, waiting: boolean, act?: HTMLButtonElement): void;
  /** Opens; by itself, or because it was just bought. */
  open(isBought: boolean): void;
}

/** Keeps it shut until its key is here, or it proves to be free. */
export async function offerPurchase(
  torrent: Torrent,
  name: string,
  open: () => Promise<Payment>,
  shut: Shut,
): Promise<void> {
  shut.say("Looking whether you bought this", true);
  try {
    const payment = await open();
    const said = await torrent.publication();
    if (said === null || said.price === null || (await payment.has(torrent))) {
      shut.open(false);
      return;
    }
    let isOpening = false;
    const buy = makeButton("Buy", { class: "primary", "aria-haspopup": "dialog" }, () => {
      if (isOpening) return;
      isOpening = true;
      const bought = (): void => shut.open(true);
      openDialog(torrent, name, payment, bought).catch((error) => notice(plain(error), true))
        .finally(() => (isOpening = false));
    });
    shut.say(`This is encrypted. Its publisher sells the key for ${money(said.price)}.`, false,
      buy);
  } catch (error) {
    const again = makeButton("Try again", {}, () =>
      void offerPurchase(torrent, name, open, shut));
    shut.say(plain(error), false, again);
  }
}

async function openDialog(
  torrent: Torrent,
  name: string,
  payment: Payment,
  bought: () => void,
): Promise<void> {
  const own = await soldOn();
  if (own?.hasTestWallet === true) await loadTestWallet();
  const [{ openBuy }] = await Promise.all([import("headwater-buy-dialog"), dressPay()]);
  await openBuy({ torrent, name, payment, bought, own: own?.chain ?? null });
}
