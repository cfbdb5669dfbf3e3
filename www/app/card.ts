/**
 * One torrent's card: what is going on, the stage, the figures, the folding parts, and what can
 * be done with it.
 */
import { make, makeButton, setText } from "./dom.js";
import { Facts } from "./facts.js";
import { share } from "./figures.js";
import type { File as TorrentFile, Torrent } from "headwater";
import { announce } from "./live.js";
import { choose } from "./media.js";
import { notice, plain, plainWarning } from "./notice.js";
import { Player } from "./player.js";
import { forget, remember } from "./recent.js";
import { askRemoval } from "./removal.js";
import { Sections } from "./sections.js";
import { tell } from "./sentence.js";
import { openShare } from "./share.js";
import { look, type Snapshot } from "./snapshot.js";

let cards = 0;

/** How a card begins. */
export interface CardStart {
  /** Files that are not fetched. */
  skipped: string[];
  /** Whether a reload opens it again; what is shared from this device it cannot. */
  lasting: boolean;
  /** What to do when it was removed. */
  gone: () => void;
}

/** Shows a torrent. */
export class Card {
  /** Where it shows it. */
  readonly element: HTMLElement;
  private readonly fold: HTMLButtonElement;
  private readonly sentence = make("p", { class: "sentence" });
  private readonly note = make("p", { class: "note", hidden: true });
  private readonly progress = make("progress", { class: "card-progress", max: 1, value: 0 });
  private readonly part = make("span", { class: "card-part", "aria-hidden": "true" });
  private readonly body = make("div", { class: "card-body" });
  private readonly pause: HTMLButtonElement;
  private readonly player = new Player();
  private readonly facts = new Facts();
  private readonly sections: Sections;
  private skipped: string[];
  private trouble: string | null = null;
  private filled = false;
  private wanted = true;
  private plays = false;
  private said = "";

  constructor(readonly torrent: Torrent, private readonly start: CardStart) {
    this.skipped = start.skipped;
    const title = `card-${(cards += 1)}`;
    this.fold = makeButton("", { class: "fold", id: title, dir: "auto" }, () => this.toggle());
    this.pause = makeButton("Pause", {}, () => void this.flip());
    this.sections = new Sections({
      play: (file) => this.play(file),
      choose: (skipped) => this.choose(skipped),
    });
    this.element = make("article", { class: "card", "aria-labelledby": title },
      make("header", { class: "card-head" }, make("h3", {}, this.fold), this.part,
        this.sentence, this.note, this.progress), this.body);
    this.body.append(
      make("div", { class: "card-main" }, this.player.element,
        make("div", { class: "card-side" }, this.facts.element, this.makeActs())),
      this.sections.element);
    this.unfold(false);
    this.listen();
    this.refresh(false);
    this.keep();
  }

  /** Shows how things stand; `second` when a second has passed since the last sample. */
  refresh(second: boolean): Snapshot {
    const now = look(this.torrent);
    if (now.known && !this.filled) this.fill();
    setText(this.fold, now.name);
    setText(this.part, now.known ? share(now.progress) : "");
    this.progress.value = now.progress;
    this.progress.setAttribute("aria-label", `Progress of ${now.name}`);
    const stopped = now.phase === "paused" || now.phase === "failed";
    setText(this.pause, stopped ? "Resume" : "Pause");
    this.element.dataset["phase"] = now.phase;
    this.say(now);
    if (second) this.sections.sample(now);
    if (!this.body.hidden) {
      this.facts.refresh(now);
      this.sections.refresh(now);
      if (this.wanted && this.filled) this.stage();
    }
    return now;
  }

  /** Unfolds the card and puts what it holds on stage. */
  open(play: boolean): void {
    this.plays = play;
    this.unfold(true);
    this.element.scrollIntoView({ block: "start" });
    if (this.player.shown === null) this.wanted = true;
    else if (play) this.player.start();
    if (play && look(this.torrent).phase === "paused") void this.flip();
    this.refresh(false);
  }

  /** Folds the card; what plays in it stops. */
  close(): void {
    this.unfold(false);
    this.player.rest();
  }

  private makeActs(): HTMLElement {
    const name = (): string => look(this.torrent).name;
    return make("div", { class: "acts" }, this.pause,
      makeButton("Share", { class: "primary" }, () => openShare(this.torrent, name())),
      makeButton("Remove", { class: "plain" }, () => void this.remove(name())));
  }

  private listen(): void {
    const refresh = (): void => void this.refresh(false);
    this.torrent.addEventListener("metadata", refresh);
    this.torrent.addEventListener("done", refresh);
    this.torrent.addEventListener("warning", ({ detail }) => {
      const text = plainWarning(detail);
      this.note.hidden = text === "";
      setText(this.note, text);
    });
    this.torrent.addEventListener("error", ({ detail }) => {
      this.trouble = plain(detail);
      this.refresh(false);
    });
  }

  /** The passing of time alone is shown and not spoken. */
  private say(now: Snapshot): void {
    const text = tell(now, this.trouble);
    setText(this.sentence, text);
    const gist = `${now.phase} ${now.people.length} ${now.troubled.length}`;
    if (gist === this.said || this.body.hidden) return;
    this.said = gist;
    announce(`${now.name}: ${text}`);
  }

  private fill(): void {
    this.filled = true;
    this.sections.files.fill(this.torrent.files, this.skipped);
    this.keep();
  }

  private stage(): void {
    this.wanted = false;
    const best = choose(this.torrent.files.filter((each) => !this.skipped.includes(each.path)));
    if (best === null) {
      this.player.say("Nothing here plays in a page. Save the files below.", false);
    } else {
      void this.player.show(best, this.torrent.files, this.plays).then(() => {
        if (this.player.shown === null) this.wanted = best.progress < 1;
      });
    }
  }

  private play(file: TorrentFile): void {
    this.wanted = false;
    void file.select();
    void this.player.show(file, this.torrent.files, true);
    this.player.element.scrollIntoView({ block: "nearest" });
  }

  private toggle(): void {
    if (!this.body.hidden) {
      this.close();
      return;
    }
    this.unfold(true);
    this.refresh(false);
  }

  private unfold(open: boolean): void {
    this.body.hidden = !open;
    this.fold.setAttribute("aria-expanded", String(open));
  }

  private async flip(): Promise<void> {
    const stopped = ["paused", "failed"].includes(look(this.torrent).phase);
    this.trouble = null;
    try {
      await (stopped ? this.torrent.resume() : this.torrent.pause());
    } catch (error) {
      notice(plain(error), true);
    }
    this.keep(!stopped);
    this.refresh(false);
  }

  private async remove(name: string): Promise<void> {
    const answer = await askRemoval(name);
    if (answer === "keep") return;
    try {
      this.player.clear();
      await this.torrent.remove({ data: answer === "delete" });
    } catch (error) {
      notice(plain(error), true);
      return;
    }
    forget(this.torrent.infoHash);
    this.element.remove();
    this.start.gone();
  }

  private choose(skipped: string[]): void {
    this.skipped = skipped;
    this.keep();
  }

  private keep(paused = look(this.torrent).phase === "paused"): void {
    if (!this.start.lasting) return;
    remember({
      hash: this.torrent.infoHash, magnet: this.torrent.magnet, paused, skipped: this.skipped,
    });
  }
}
