/**
 * The stage of a card: plays or shows one file of a torrent, while it is fetched where the
 * browser can stream, and once it is complete where it cannot.
 */
import { make, makeButton } from "./dom.js";
import type { File as TorrentFile } from "headwater";
import { kindOf, subtitles } from "./media.js";
import { streamUrl } from "./saving.js";

/** Shows files on a stage. */
export class Player {
  /** Where it shows them. */
  readonly element = make("div", { class: "stage" });
  /** The file on stage. */
  shown: TorrentFile | null = null;
  private media: HTMLMediaElement | null = null;
  private address: string | null = null;

  constructor() {
    this.say("Waiting to learn what is in it", true);
  }

  /** Says something on the empty stage, with what can be done about it. */
  say(text: string, waiting: boolean, act?: HTMLButtonElement): void {
    this.clear();
    const look = waiting ? "ripple" : "ripple still";
    const drop = make("span", { class: look, "aria-hidden": "true" });
    this.element.append(make("div", { class: "stage-empty" }, drop, make("p", {}, text),
      ...(act === undefined ? [] : [act])));
  }

  /** Puts a file on stage; `start` begins it at once where the browser lets a page do that. */
  async show(file: TorrentFile, all: readonly TorrentFile[], start: boolean): Promise<void> {
    this.shown = file;
    if (streamUrl(file) === null && file.progress < 1) {
      this.say(`${file.name} opens here when it is complete.`, true);
      return;
    }
    const url = await this.addressOf(file);
    if (this.shown !== file) return;
    this.clear();
    if (url.startsWith("blob:")) this.address = url;
    this.shown = file;
    const kind = kindOf(file.path);
    if (kind === "image") {
      const image = make("img", { class: "media", src: url, alt: file.name });
      image.addEventListener("error", () => {
        if (image.isConnected) this.say(`This browser cannot show ${file.name}.`, false);
      });
      this.element.append(image);
    } else if (kind !== "other") {
      this.element.append(this.makeMedia(kind, url, file, all));
      if (start) this.start();
    }
  }

  /** Plays what is on stage. */
  start(): void {
    // A browser may refuse to start sound that nobody asked for; the controls are there then.
    this.media?.play().catch(() => undefined);
  }

  /** Stops what plays, as a card does that is folded. */
  rest(): void {
    this.media?.pause();
  }

  /** Takes everything off the stage and lets go of it. */
  clear(): void {
    if (this.media !== null) {
      this.media.pause();
      this.media.removeAttribute("src");
      this.media.load();
    }
    if (this.address !== null) URL.revokeObjectURL(this.address);
    this.media = null;
    this.address = null;
    this.shown = null;
    this.element.replaceChildren();
  }

  private makeMedia(
    kind: "video" | "audio",
    url: string,
    file: TorrentFile,
    all: readonly TorrentFile[],
  ): HTMLMediaElement {
    const media = make(kind, {
      class: "media", controls: true, preload: "auto", playsinline: true,
      "aria-label": file.name, src: url,
    });
    for (const { file: text, label } of subtitles(file, all)) {
      const src = streamUrl(text);
      if (src !== null) media.append(make("track", { kind: "subtitles", src, label }));
    }
    media.addEventListener("error", () => this.offerAgain(media, file, all));
    this.media = media;
    return media;
  }

  private offerAgain(
    media: HTMLMediaElement,
    file: TorrentFile,
    all: readonly TorrentFile[],
  ): void {
    if (this.media !== media) return;
    const cannot = media.error?.code === MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED;
    const at = media.currentTime;
    const again = makeButton("Try again", {}, () => {
      void this.show(file, all, true).then(() => {
        if (this.media !== null) this.media.currentTime = at;
      });
    });
    this.say(cannot && at === 0
      ? `This browser cannot play ${file.name}. Save it, or try again.`
      : `Playing stopped: the data did not come in time.`, false, again);
  }

  private async addressOf(file: TorrentFile): Promise<string> {
    return streamUrl(file) ?? URL.createObjectURL(await file.blob());
  }
}
