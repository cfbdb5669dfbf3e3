/**
 * Offers to tip a torrent's publisher, where the torrent says, signed, who that is. What is needed
 * to pay is loaded once the user asks for it.
 */
import type { Publication, Torrent } from "headwater";
import { make, makeButton } from "./dom.js";
import { notice } from "./notice.js";
import { loadTestWallet, soldOn } from "./payoffer.js";
import { plain } from "./trouble.js";

/** Puts a button before `next` that opens the dialog, if there is somebody to tip. */
export async function offerTip(torrent: Torrent, name: string, next: Element): Promise<void> {
  let said: Publication | null;
  try {
    said = await torrent.publication();
  } catch (error) {
    notice(`This page cannot check whom tips would go to. ${plain(error)}`, false);
    return;
  }
  if (said === null) return;
  const publication = said;
  // A button that is disabled meanwhile would not get the focus back.
  let isOpening = false;
  next.before(makeButton("Tip", { "aria-haspopup": "dialog" }, () => {
    if (isOpening) return;
    isOpening = true;
    open(publication, name).catch((error) => notice(plain(error), true))
      .finally(() => (isOpening = false));
  }));
}

async function open(said: Publication, name: string): Promise<void> {
  const sold = await soldOn();
  // The server's own chain comes with its wallet to try paying with.
  const own = sold !== null && sold.chain.id === said.chain ? sold : null;
  if (own?.hasTestWallet === true) await loadTestWallet();
  const [{ openTip }] = await Promise.all([import("headwater-tip-dialog"), dress()]);
  await openTip(said, name, own?.chain ?? null);
}

/** The dialog's looks are those of the payment panel. */
function dress(): Promise<void> {
  if (document.querySelector("link[href$='pay.css']") !== null) return Promise.resolve();
  return new Promise((done) => {
    const link = make("link", { rel: "stylesheet", href: "./pay.css" });
    // Without its looks the dialog works all the same.
    link.addEventListener("load", () => done());
    link.addEventListener("error", () => done());
    document.head.append(link);
  });
}
