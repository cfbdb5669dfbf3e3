/**
 * Decides what a card's player shows, and when: the best file once the files are known, or what
 * was asked for.
 */
import type { File as TorrentFile, Torrent } from "headwater";
import { choose } from "./media.js";
import { Player } from "./player.js";

/** Chooses for a player. */
export class Stage {
  /** What shows the files. */
  readonly player = new Player();
  private isDue = true;
  private plays = false;
  private isShut = false;

  constructor(private readonly torrent: Torrent) {}

  /** Keeps files off the stage, and says why. */
  shut(text: string, waiting: boolean, act?: HTMLButtonElement): void {
    this.isShut = true;
    this.player.say(text, waiting, act);
  }

  /** Lets files on stage; with `play` what comes there starts by itself. */
  unshut(play: boolean): void {
    this.isShut = false;
    this.isDue = true;
    this.plays ||= play;
  }

  /** Wants something on stage; with `play` it starts by itself. */
  open(play: boolean): void {
    this.plays = play;
    if (this.player.shown === null) this.isDue = true;
    else if (play) this.player.start();
  }

  /** Puts the best of the chosen files on stage, if nothing is there yet. */
  fill(skipped: string[]): void {
    if (!this.isDue || this.isShut) return;
    this.isDue = false;
    const best = choose(this.torrent.files.filter((each) => !skipped.includes(each.path)));
    if (best === null) {
      this.player.say("Nothing here plays in a page. Save the files below.", false);
      return;
    }
    void this.player.show(best, this.torrent.files, this.plays).then(() => {
      if (this.player.shown === null) this.isDue = best.progress < 1;
    });
  }

  /** Plays this file. */
  play(file: TorrentFile): void {
    this.isDue = false;
    void file.select();
    void this.player.show(file, this.torrent.files, true);
    this.player.element.scrollIntoView({ block: "nearest" });
  }
}
