/**
 * One torrent of the server in its list: how it goes, what can be done with it, who its peers are.
 */
import { ask, type Hosted, type HostedPeer } from "./control.js";
import { make, makeButton, setText } from "./dom.js";
import { bytes, many, share, speed } from "./figures.js";
import { askRemoval } from "./removal.js";

const WORDS: Record<string, string> = {
  resolving: "Looking for its description",
  checking: "Checking what is stored",
  leeching: "Fetching",
  seeding: "Complete, shared",
  queued: "Waiting for its turn",
  paused: "Paused",
  failed: "Stopped by a fault",
};

const COLUMNS = ["Program", "Address", "Over", "Has", "Down", "Up"];

/** Does something that may be refused, and says so where it is. */
export type Attempt = (act: () => Promise<unknown>) => void;

/** Shows one torrent. */
export class HostedItem {
  /** Where it shows it. */
  readonly element: HTMLLIElement;
  private readonly name = make("h4", { class: "hosted-name", dir: "auto" });
  private readonly sentence = make("p", { class: "sentence" });
  private readonly bar = make("progress", { max: 1 });
  private readonly toggle: HTMLButtonElement;
  private readonly removal: HTMLButtonElement;
  private readonly rows = make("tbody");
  private readonly peers: HTMLDetailsElement;
  private now: Hosted;

  constructor(first: Hosted, private readonly attempt: Attempt) {
    this.now = first;
    this.toggle = makeButton("Pause", { class: "small" }, () => this.pause());
    this.removal = makeButton("Remove", { class: "small" }, () => void this.remove());
    const heads = COLUMNS.map((text) => make("th", { scope: "col" }, text));
    const table = make("table", {}, make("caption", { class: "unseen" }, "Peers of this torrent"),
      make("thead", {}, make("tr", {}, ...heads)), this.rows);
    this.peers = make("details", { class: "hosted-peers" }, make("summary", {}, "Peers"),
      make("div", { class: "scroll", role: "group", tabindex: 0, "aria-label": "Table of peers" },
        table));
    this.peers.addEventListener("toggle", () => this.look());
    const acts = make("div", { class: "acts" }, this.toggle, this.removal);
    this.element = make("li", { class: "hosted", "data-hash": first.info_hash },
      this.name, acts, this.sentence, this.bar, this.peers);
    this.refresh(first);
  }

  /** Shows it as it is. */
  refresh(now: Hosted): void {
    this.now = now;
    const name = now.name ?? now.info_hash;
    setText(this.name, name);
    setText(this.sentence, sentence(now));
    this.bar.value = now.progress;
    this.bar.setAttribute("aria-label", `Progress of ${name}`);
    const act = now.state === "paused" || now.state === "failed" ? "Resume" : "Pause";
    setText(this.toggle, act);
    this.toggle.setAttribute("aria-label", `${act} ${name}`);
    this.removal.setAttribute("aria-label", `Remove ${name}`);
    const guest = now.origin === "bridge";
    this.toggle.hidden = guest;
    this.removal.hidden = guest;
    this.look();
  }

  private get path(): string {
    return `torrents/${this.now.info_hash}`;
  }

  private pause(): void {
    const paused = this.toggle.textContent === "Pause";
    this.attempt(() => ask("PATCH", this.path, { paused }));
  }

  private async remove(): Promise<void> {
    const answer = await askRemoval(this.now.name ?? this.now.info_hash, "on this server");
    if (answer === "keep") return;
    const data = answer === "delete" ? "?data=true" : "";
    this.attempt(() => ask("DELETE", this.path + data));
  }

  /** Asks who its peers are, while somebody looks. */
  private look(): void {
    if (!this.peers.open) return;
    this.attempt(async () => {
      const { peer_list: peers } = await ask("GET", this.path) as { peer_list: HostedPeer[] };
      const nobody = make("td", { colspan: COLUMNS.length, class: "hint" }, "Nobody is connected.");
      const rows = peers.length > 0 ? peers.map(makeRow) : [make("tr", {}, nobody)];
      this.rows.replaceChildren(...rows);
    });
  }
}

function sentence(now: Hosted): string {
  const size = now.length === null ? "" : ` of ${bytes(now.length)}`;
  const parts = [
    now.error ?? WORDS[now.state] ?? now.state,
    `${share(now.progress)}${size}`,
    many(now.peers, "peer", "peers"),
    `↓ ${speed(now.download_speed)}`,
    `↑ ${speed(now.upload_speed)}`,
  ];
  if (now.origin === "bridge") parts.push("bridged for browsers");
  return parts.join(" · ");
}

function makeRow(peer: HostedPeer): HTMLElement {
  return make("tr", {},
    make("th", { scope: "row", dir: "auto" }, peer.client || "Unknown"),
    make("td", {}, peer.address ?? "–"),
    make("td", {}, peer.transport ?? "–"),
    make("td", {}, share(peer.progress)),
    make("td", {}, speed(peer.download_speed)),
    make("td", {}, speed(peer.upload_speed)));
}
