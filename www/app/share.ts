/**
 * The dialog that shares a torrent: a link to this page, the magnet link, a QR code, and the
 * torrent file.
 */
import { encode } from "uqr";
import { make, makeButton, makeSvg, setText } from "./dom.js";
import { pageLink } from "./address.js";
import type { Torrent } from "headwater";
import { notice } from "./notice.js";
import { saveBlob } from "./saving.js";
import { plain } from "./trouble.js";

/** Longest link a QR code is made of; a denser one is hard to read from a screen. */
const QR_BYTES_MAX = 900;

/** Opens the dialog for a torrent. */
export function openShare(torrent: Torrent, name: string): void {
  const link = pageLink(torrent.magnet);
  const said = make("p", { class: "said", role: "status" });
  const dialog = make("dialog", { class: "dialog", "aria-labelledby": "share-title" },
    make("h2", { id: "share-title", dir: "auto" }, `Share ${name}`),
    make("p", {}, "Whoever opens this link fetches it from you and from everybody who has it. " +
      "Keep this page open until somebody else has all of it."),
    makeField("Link to this page", link, said),
    makeField("Magnet link, for any BitTorrent program", torrent.magnet, said),
    said,
    makeCode(link, torrent),
    make("div", { class: "dialog-acts" },
      makeButton("Save .torrent file", {}, () => void saveTorrent(torrent, name)),
      makeButton("Close", { class: "primary" }, () => dialog.close())));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function makeField(label: string, value: string, said: HTMLElement): HTMLElement {
  const field = make("input", { type: "text", readonly: true, value, "aria-label": label });
  field.addEventListener("focus", () => field.select());
  const copy = makeButton("Copy", { "aria-label": `Copy: ${label}` }, () => {
    navigator.clipboard.writeText(value).then(
      () => setText(said, "Copied."),
      () => {
        field.focus();
        setText(said, "Copying is not allowed here; the link is selected, copy it by keyboard.");
      },
    );
  });
  return make("div", { class: "field" }, make("span", { class: "field-label" }, label),
    make("div", { class: "open-row" }, field, copy));
}

/** A long list of trackers does not fit a code, so the bare info-hashes stand in. */
function makeCode(link: string, torrent: Torrent): HTMLElement {
  const short = pageLink(torrent.magnet.replace(/&(?!xt=).*$/, ""));
  const text = link.length <= QR_BYTES_MAX ? link : short;
  const { data, size } = encode(text, { ecc: "L", border: 3 });
  const squares = data.flatMap((row, y) =>
    row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])));
  const code = makeSvg("svg", {
    class: "qr", viewBox: `0 0 ${size} ${size}`, role: "img", "shape-rendering": "crispEdges",
    "aria-label": "QR code of the link to this page",
  }, makeSvg("path", { class: "qr-light", d: `M0 0h${size}v${size}h-${size}z` }),
  makeSvg("path", { class: "qr-dark", d: squares.join("") }));
  return make("div", { class: "qr-frame" }, code);
}

async function saveTorrent(torrent: Torrent, name: string): Promise<void> {
  try {
    const bytes = (await torrent.torrentFile()).slice();
    const file = new Blob([bytes], { type: "application/x-bittorrent" });
    saveBlob(file, `${name}.torrent`);
  } catch (error) {
    notice(plain(error), true);
  }
}
