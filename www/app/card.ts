/**
 * One torrent's card: what is going on, the stage, the figures, the folding parts, and what can
 * be done with it.
 */
import { nameIn } from "./address.js";
import { offerPurchase } from "./buyoffer.js";
import { make, makeButton, setText } from "./dom.js";
import { Facts } from "./facts.js";
import type { Payment, Torrent } from "headwater";
import { CardHead } from "./head.js";
import { notice } from "./notice.js";
import { forget, remember } from "./recent.js";
import { askRemoval } from "./removal.js";
import { Sections } from "./sections.js";
import { openShare } from "./share.js";
import { look, type Snapshot } from "./snapshot.js";
import { Stage } from "./stage.js";
import { offerTip } from "./tipoffer.js";
import { plain, plainWarning } from "./trouble.js";

/** How much a new second counts in the mean speed. */
const PACE_GAIN = 0.25;

let cards = 0;

/** How a card begins. */
export interface CardStart {
  /** Files that are not fetched. */
  skipped: string[];
  /** Whether a reload opens it again; what is shared from this device it cannot. */
  lasting: boolean;
  /** The link it was opened by, which knows trackers before the torrent does. */
  magnet: string | null;
  /** Whether the user paused it. */
  paused: boolean;
  /** Opens payment, for content that is paid for. */
  payment: () => Promise<Payment>;
  /** What to do when it was removed. */
  gone: () => void;
}

/** Shows a torrent. */
export class Card {
  /** Where it shows it. */
  readonly element: HTMLElement;
  private readonly head: CardHead;
  private readonly body = make("div", { class: "card-body" });
  private readonly pause: HTMLButtonElement;
  private readonly removal: HTMLButtonElement;
  private readonly stage: Stage;
  private readonly facts = new Facts();
  private readonly sections: Sections;
  private skipped: string[];
  private paused: boolean;
  private trouble: string | null = null;
  private warning = "";
  private filled = false;
  private pace = 0;

  constructor(readonly torrent: Torrent, private readonly start: CardStart) {
    this.skipped = start.skipped;
    this.paused = start.paused;
    const title = `card-${(cards += 1)}`;
    this.stage = new Stage(torrent);
    this.head = new CardHead(title, () => this.toggle());
    this.pause = makeButton("Pause", {}, () => void this.flip());
    this.removal = makeButton("Remove", { class: "plain" }, () => void this.remove());
    this.sections = new Sections({
      play: (file) => this.stage.play(file),
      choose: (skipped) => this.choose(skipped),
    });
    this.element = make("article", { class: "card", "aria-labelledby": title },
      this.head.element, this.body);
    this.body.append(
      make("div", { class: "card-main" }, this.stage.player.element,
        make("div", { class: "card-side" }, this.facts.element, this.makeActs())),
      this.sections.element);
    this.unfold(false);
    this.listen();
    this.refresh(false);
    this.keep();
  }

  /** Shows how things stand; `second` when a second has passed since the last sample. */
  refresh(second: boolean): Snapshot {
    const { downloadSpeed } = this.torrent;
    if (second) this.pace += PACE_GAIN * (downloadSpeed - this.pace);
    if (this.pace === 0) this.pace = downloadSpeed;
    const now = this.look(this.pace);
    if (now.known && !this.filled) this.fill();
    this.head.refresh(now, this.trouble, this.warning);
    const stopped = now.phase === "paused" || now.phase === "failed";
    setText(this.pause, stopped ? "Resume" : "Pause");
    this.element.dataset["phase"] = now.phase;
    if (second) this.sections.sample(now);
    if (!this.body.hidden) {
      this.head.speak(now);
      this.facts.refresh(now);
      this.sections.refresh(now);
      if (this.filled) this.stage.fill(this.skipped);
    }
    return now;
  }

  /** Unfolds the card and puts what it holds on stage. */
  open(play: boolean): void {
    this.unfold(true);
    this.element.scrollIntoView({ block: "start" });
    this.stage.open(play);
    if (play && this.look().phase === "paused") void this.flip();
    this.refresh(false);
  }

  /** Folds the card; what plays in it stops. */
  close(): void {
    this.unfold(false);
    this.stage.player.rest();
  }

  private look(pace?: number): Snapshot {
    const { magnet } = this.start;
    return look(this.torrent, magnet === null ? null : nameIn(magnet), pace);
  }

  private makeActs(): HTMLElement {
    const share = (): void => openShare(this.torrent, this.look().name);
    return make("div", { class: "acts" }, this.pause,
      makeButton("Share", { class: "primary" }, share), this.removal);
  }

  private listen(): void {
    const refresh = (): void => void this.refresh(false);
    this.torrent.addEventListener("metadata", refresh);
    this.torrent.addEventListener("done", refresh);
    this.torrent.addEventListener("warning", ({ detail }) => {
      this.warning = plainWarning(detail) || this.warning;
      this.refresh(false);
    });
    this.torrent.addEventListener("error", ({ detail }) => {
      this.trouble = plain(detail);
      this.refresh(false);
    });
  }

  private fill(): void {
    this.filled = true;
    if (this.torrent.paid) this.shut();
    this.sections.files.fill(this.torrent.files, this.skipped);
    offerTip(this.torrent, this.look().name, this.removal);
    this.keep();
  }

  /** Shows nothing of paid content before its key is here. */
  private shut(): void {
    const { sections: { files }, stage } = this;
    files.shut = true;
    void offerPurchase(this.torrent, this.look().name, this.start.payment, {
      say: (text, waiting, act) => stage.shut(text, waiting, act),
      open: (isBought) => {
        files.shut = false;
        stage.unshut(isBought);
        this.refresh(false);
      },
    });
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
    this.head.unfold(open);
  }

  private async flip(): Promise<void> {
    const stopped = ["paused", "failed"].includes(this.look().phase);
    this.trouble = null;
    try {
      await (stopped ? this.torrent.resume() : this.torrent.pause());
    } catch (error) {
      notice(plain(error), true);
    }
    this.paused = !stopped;
    this.keep();
    this.refresh(false);
  }

  private async remove(): Promise<void> {
    const answer = await askRemoval(this.look().name);
    if (answer === "keep") return;
    try {
      this.stage.player.clear();
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

  private keep(): void {
    if (!this.start.lasting) return;
    const { infoHash: hash, magnet, length } = this.torrent;
    const link = length > 0 ? magnet : this.start.magnet ?? magnet;
    remember({ hash, magnet: link, paused: this.paused, skipped: this.skipped });
  }
}
