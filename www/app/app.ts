/**
 * The page: opens the client, takes torrents in, keeps a card for each, and looks at them once a
 * second.
 */
import { Headwater, type Payment, type Torrent } from "headwater";
import { handleMagnets } from "./address.js";
import { Card, type CardStart } from "./card.js";
import { byId, make, setText } from "./dom.js";
import { count, many, share, speed } from "./figures.js";
import type { Placed } from "./folder.js";
import { takeAddress, takeIn, type Desk } from "./intake.js";
import { notice, noticeLacks } from "./notice.js";
import { recents } from "./recent.js";
import { served, showServed } from "./served.js";
import { takeServerView } from "./server.js";
import { offerPay } from "./payoffer.js";
import { plain } from "./trouble.js";

const TICK_MS = 1000;

const FRESH = { skipped: [], lasting: true, magnet: null, paused: false };

const cards = new Map<string, Card>();

void run();

async function run(): Promise<void> {
  byId("handle-magnets", HTMLButtonElement).addEventListener("click", () => {
    if (!handleMagnets()) notice("This browser lets no page open magnet links.", false);
  });
  const server = await served();
  takeServerView(server?.controlled ?? false);
  const trackers = server === null ? [] : [ownTracker()];
  let client: Headwater;
  try {
    client = await Headwater.open({ trackers });
  } catch (error) {
    notice(`Headwater could not start. ${plain(error)} Reload to try again.`, true);
    return;
  }
  void noticeLacks(client.canStream);
  client.addEventListener("error", ({ detail }) => notice(plain(detail), true));
  const desk = makeDesk(client, trackers);
  takeIn(desk);
  showServed(server?.list ?? [], (magnet) => desk.open(magnet));
  if (server?.sells === true) void offerPay(client);
  await resume(client);
  takeAddress(desk);
  setInterval(tick, TICK_MS);
}

function ownTracker(): string {
  const url = new URL("./tracker", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.hash = "";
  return url.href;
}

function makeDesk(client: Headwater, trackers: string[]): Desk {
  return {
    open: (source) => void attempt(async () => {
      const magnet = typeof source === "string" && source.startsWith("magnet:") ? source : null;
      const card = show(client, await client.add(source), { magnet });
      for (const other of cards.values()) if (other !== card) other.close();
      card.open(true);
    }),
    share: (files) => void attempt(async () => {
      const what = many(files.length, "file", "files");
      const onProgress = (part: number): void => busy(`Preparing ${what}: ${share(part)}`);
      onProgress(0);
      const options = { onProgress, trackers, ...nameFor(files) };
      show(client, await client.seed(files, options), { lasting: false }).open(false);
    }),
  };
}

/** Loose files need a name together; a folder or a single file has one. */
function nameFor(files: Placed[]): { name?: string } {
  const [first] = files;
  const isLoose = files.every(({ path }) => !path.includes("/"));
  if (first === undefined || files.length === 1 || !isLoose) return {};
  return { name: `${first.path} and ${count(files.length - 1)} more` };
}

async function attempt(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    notice(plain(error), true);
  } finally {
    busy("");
  }
}

async function resume(client: Headwater): Promise<void> {
  for (const { magnet, paused, skipped } of recents()) {
    await attempt(async () => {
      show(client, await client.add(magnet, { paused }), { magnet, paused, skipped });
    });
  }
}

function busy(text: string): void {
  setText(byId("busy", HTMLElement), text);
}

function show(client: Headwater, torrent: Torrent, start: Partial<CardStart>): Card {
  const known = cards.get(torrent.infoHash);
  if (known !== undefined) return known;
  const gone = (): void => {
    cards.delete(torrent.infoHash);
    // A reload would open it again.
    if (location.hash.includes(torrent.infoHash)) history.replaceState(null, "", location.pathname);
    byId("empty", HTMLElement).hidden = cards.size > 0;
    byId("torrents", HTMLElement).focus();
  };
  const payment = (): Promise<Payment> => client.payment();
  const card = new Card(torrent, { ...FRESH, ...start, payment, gone });
  cards.set(torrent.infoHash, card);
  byId("cards", HTMLElement).prepend(card.element);
  byId("empty", HTMLElement).hidden = true;
  return card;
}

function tick(): void {
  let down = 0;
  let up = 0;
  for (const card of cards.values()) {
    const now = card.refresh(true);
    down += now.down;
    up += now.up;
  }
  const totals = byId("totals", HTMLElement);
  totals.hidden = cards.size === 0;
  const parts = [`↓ ${speed(down)}`, `↑ ${speed(up)}`];
  totals.replaceChildren(...parts.map((text) => make("span", {}, text)));
}
