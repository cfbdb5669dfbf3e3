/**
 * The list of a torrent's files: which to fetch, how far each is, play and save.
 */
import { make, makeButton, setText } from "./dom.js";
import { bytes, count, many, share } from "./figures.js";
import type { File as TorrentFile } from "headwater";
import { kindOf } from "./media.js";
import { notice } from "./notice.js";
import { saveBlob, saveUrl } from "./saving.js";
import { plain } from "./trouble.js";

/** Most files listed; a page with more would crawl. */
const FILES_MAX = 500;

/** What a list tells its card. */
export interface FilesEvents {
  play(file: TorrentFile): void;
  choose(skipped: string[]): void;
}

interface Row {
  file: TorrentFile;
  progress: HTMLProgressElement;
  text: HTMLElement;
}

/** Lists files. */
export class FileList {
  /** Where it lists them. */
  readonly element = make("div", { class: "files" });
  /** How many there are, for the section's title. */
  summary = "not known yet";
  private rows: Row[] = [];
  private readonly skipped = new Set<string>();
  private isShut = false;

  constructor(private readonly events: FilesEvents) {}

  /** Whether nothing can be played or saved yet. */
  set shut(isShut: boolean) {
    this.isShut = isShut;
    const acts = this.element.querySelectorAll<HTMLElement>(".file-acts");
    for (const each of acts) each.hidden = isShut;
  }

  /** Lists these files, with the skipped ones unchosen. */
  fill(files: readonly TorrentFile[], skipped: string[]): void {
    for (const path of skipped) this.skipped.add(path);
    for (const file of files) {
      if (this.skipped.has(file.path)) void file.deselect();
    }
    const list = make("ul", { class: "file-list" });
    const several = files.length > 1;
    for (const file of files.slice(0, FILES_MAX)) list.append(this.makeRow(file, several));
    this.element.replaceChildren(list);
    if (files.length > FILES_MAX) {
      const rest = files.length - FILES_MAX;
      const text = `and ${count(rest)} more, fetched with them`;
      this.element.append(make("p", { class: "hint" }, text));
    }
    this.summary = many(files.length, "file", "files");
  }

  /** Shows how far each file is. */
  refresh(): void {
    for (const { file, progress, text } of this.rows) {
      if (progress.value !== file.progress) progress.value = file.progress;
      const skipped = this.skipped.has(file.path) && file.progress < 1;
      setText(text, skipped ? `${bytes(file.length)}, not fetched`
        : file.progress >= 1 ? `${bytes(file.length)}, complete`
        : `${bytes(file.length)}, ${share(file.progress)}`);
    }
  }

  private makeRow(file: TorrentFile, several: boolean): HTMLLIElement {
    const face = { max: 1, value: 0, "aria-label": `Progress of ${file.path}` };
    const progress = make("progress", face);
    const text = make("span", { class: "file-size" });
    this.rows.push({ file, progress, text });
    const name = make("span", { class: "file-name", dir: "auto" }, file.path);
    const label = several
      ? make("label", { class: "file-label" }, this.makeChoice(file), name)
      : make("span", { class: "file-label" }, name);
    const acts = make("span", { class: "file-acts", hidden: this.isShut });
    if (kindOf(file.path) !== "other") {
      const word = kindOf(file.path) === "image" ? "Show" : "Play";
      acts.append(makeButton(word, { class: "small", "aria-label": `${word} ${file.path}` }, () =>
        this.events.play(file)));
    }
    acts.append(makeSave(file));
    return make("li", { class: "file" }, label, text, progress, acts);
  }

  private makeChoice(file: TorrentFile): HTMLInputElement {
    const box = make("input", {
      type: "checkbox", checked: !this.skipped.has(file.path), "aria-label": `Fetch ${file.path}`,
    });
    box.addEventListener("change", () => {
      if (box.checked) {
        this.skipped.delete(file.path);
        void file.select();
      } else {
        this.skipped.add(file.path);
        void file.deselect();
      }
      this.events.choose([...this.skipped]);
      this.refresh();
    });
    return box;
  }
}

function makeSave(file: TorrentFile): HTMLElement {
  const face = { class: "button small", "aria-label": `Save ${file.path}` };
  const href = saveUrl(file);
  if (href !== null) return make("a", { ...face, href, target: "saving" }, "Save");
  return makeButton("Save", face, () => {
    if (file.progress < 1) notice(`${file.name} can be saved when it is complete.`, false);
    else void save(file);
  });
}

async function save(file: TorrentFile): Promise<void> {
  try {
    saveBlob(await file.blob(), file.name);
  } catch (error) {
    notice(plain(error), true);
  }
}
