/**
 * Every way in: typed or pasted links, picked or dropped files, the page's address. Decides only
 * what was meant; the desk does it.
 */
import { sourceIn, sourceInHash } from "./address.js";
import { byId, setText } from "./dom.js";
import { dropped, type Placed } from "./folder.js";
import { notice } from "./notice.js";
import { plain } from "./trouble.js";

/** What the intake hands on. */
export interface Desk {
  open(source: string | File): void;
  share(files: Placed[]): void;
}

/** Listens to every way in. */
export function takeIn(desk: Desk): void {
  takeTyped(desk);
  takePicked(desk);
  takeDropped(desk);
  takePasted(desk);
}

/** Opens what the page's address names; also when it changes. */
export function takeAddress(desk: Desk): void {
  const read = (): void => {
    const source = sourceInHash(location.hash);
    if (source !== null) desk.open(source);
  };
  addEventListener("hashchange", read);
  read();
}

function takeTyped(desk: Desk): void {
  const field = byId("source", HTMLInputElement);
  const trouble = byId("source-trouble", HTMLElement);
  const complain = (text: string): void => {
    setText(trouble, text);
    if (text === "") field.removeAttribute("aria-invalid");
    else field.setAttribute("aria-invalid", "true");
  };
  field.addEventListener("input", () => complain(""));
  byId("open-form", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    const source = sourceIn(field.value);
    if (source === null) {
      complain("That is no magnet link and no info-hash of 40 hex digits. Copy the whole link " +
        "and paste it again. (bad-magnet)");
      field.focus();
      return;
    }
    complain("");
    field.value = "";
    desk.open(source);
  });
}

function takePicked(desk: Desk): void {
  const torrents = byId("torrent-input", HTMLInputElement);
  const files = byId("files-input", HTMLInputElement);
  byId("pick-torrent", HTMLButtonElement).addEventListener("click", () => torrents.click());
  byId("pick-files", HTMLButtonElement).addEventListener("click", () => files.click());
  torrents.addEventListener("change", () => {
    for (const file of torrents.files ?? []) desk.open(file);
    torrents.value = "";
  });
  files.addEventListener("change", () => {
    const picked = [...(files.files ?? [])].map((file) => ({ path: file.name, file }));
    if (picked.length > 0) desk.share(picked);
    files.value = "";
  });
}

function takeDropped(desk: Desk): void {
  const veil = byId("drop-veil", HTMLElement);
  addEventListener("dragover", (event) => {
    event.preventDefault();
    veil.hidden = false;
  });
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) veil.hidden = true;
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    veil.hidden = true;
    if (event.dataTransfer !== null) takeTransfer(event.dataTransfer, desk);
  });
}

function takePasted(desk: Desk): void {
  addEventListener("paste", (event) => {
    if (event.target instanceof HTMLInputElement) return;
    if (event.clipboardData !== null) takeTransfer(event.clipboardData, desk);
  });
}

function takeTransfer(transfer: DataTransfer, desk: Desk): void {
  if (transfer.files.length === 0) {
    takeText(transfer.getData("text/plain"), desk);
    return;
  }
  dropped(transfer).then((files) => sort(files, desk), (error) => notice(plain(error), true));
}

function sort(files: Placed[], desk: Desk): void {
  if (files.length === 0) return;
  if (files.every(({ path }) => path.toLowerCase().endsWith(".torrent"))) {
    for (const { file } of files) desk.open(file);
  } else {
    desk.share(files);
  }
}

function takeText(text: string, desk: Desk): void {
  const source = sourceIn(text);
  if (source !== null) desk.open(source);
}
