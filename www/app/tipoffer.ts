/**
 * Offers to tip a torrent's publisher, where the torrent says who that is. What is needed to check
 * that and to pay is loaded once the user asks for it.
 */
import type { Torrent } from "headwater";
import { makeButton } from "./dom.js";
import { notice } from "./notice.js";
import { dressPay, loadTestWallet, soldOn } from "./payoffer.js";
import { plain } from "./trouble.js";

/**
 * Puts a button before `next` that opens the dialog, if the torrent names somebody to tip. Whether
 * its publisher did is found out once the user asks: until then nothing of payment is loaded.
 */
export function offerTip(torrent: Torrent, name: string, next: Element): void {
  if (!torrent.magnet.includes("&x.hw=")) return;
  // A button that is disabled meanwhile would not get the focus back.
  let isOpening = false;
  const button = makeButton("Tip", { "aria-haspopup": "dialog" }, () => {
    if (isOpening) return;
    isOpening = true;
    open(torrent, name).catch((error) => notice(plain(error), true))
      .finally(() => (isOpening = false));
  });
  next.before(button);
}

async function open(torrent: Torrent, name: string): Promise<void> {
  const said = await torrent.publication();
  if (said === null) {
    notice(`“${name}” names an account for tips, but nothing proves that its publisher did, so ` +
      "this page pays nothing to it. Ask the publisher for their own link.", true);
    return;
  }
  const sold = await soldOn();
  // The server's own chain comes with its wallet to try paying with.
  const own = sold !== null && sold.chain.id === said.chain ? sold : null;
  if (own?.hasTestWallet === true) await loadTestWallet();
  const [{ openTip }] = await Promise.all([import("headwater-tip-dialog"), dressPay()]);
  await openTip(said, name, own?.chain ?? null);
}
