/**
 * The view of the server that serves this page, for its owner: its torrents, speeds and limits.
 * Shown at `#server`; a token in the fragment is taken and wiped from the address.
 */
import {
  ask, follow, hasToken, keepToken, type Limits, type Mapping, type News, Refused, type State,
} from "./control.js";
import { byId, setText } from "./dom.js";
import { bytes, many, speed } from "./figures.js";
import { HostedItem } from "./hosted.js";

/** Rest before a stream that ended is opened again. */
const AGAIN_MS = 2000;

const KILO = 1000;

const items = new Map<string, HostedItem>();

let following: AbortController | null = null;

/** Makes the view reachable; `controlled` when the page's server can be controlled. */
export function takeServerView(controlled: boolean): void {
  byId("server-link", HTMLElement).hidden = !controlled;
  if (!controlled) return;
  takeForm("server-token-form", () => {
    const input = byId("server-token", HTMLInputElement);
    keepToken(input.value.trim());
    input.value = "";
    show();
  });
  takeForm("server-limits", () => attempt(() => ask("PATCH", "limits", readLimits())));
  takeForm("server-add", () => attempt(add));
  byId("server-file", HTMLInputElement).addEventListener("change", ({ target }) => {
    const input = target as HTMLInputElement;
    const [file] = input.files ?? [];
    if (file !== undefined) attempt(() => ask("POST", "torrents", file));
    input.value = "";
  });
  byId("server-leave", HTMLElement).addEventListener("click", () => {
    keepToken(null);
    show();
  });
  addEventListener("hashchange", route);
  route();
}

function takeForm(id: string, act: () => void): void {
  byId(id, HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    act();
  });
}

function route(): void {
  const [view, token] = location.hash.replace(/^#/, "").split("=", 2);
  const isShown = view === "server";
  if (isShown && token) {
    keepToken(token);
    history.replaceState(null, "", "#server");
  }
  document.body.classList.toggle("at-server", isShown);
  byId("server", HTMLElement).hidden = !isShown;
  if (isShown) {
    show();
    byId("server-title", HTMLElement).focus();
  } else {
    following?.abort();
  }
}

function show(): void {
  following?.abort();
  const known = hasToken();
  byId("server-token-form", HTMLElement).hidden = known;
  byId("server-body", HTMLElement).hidden = !known;
  if (known) {
    following = new AbortController();
    void listen(following.signal);
  }
}

/** Follows the server for as long as the view is shown. */
async function listen(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await follow(signal, take);
    } catch (error) {
      if (signal.aborted) return;
      say(error instanceof Refused ? error.message : "The server cannot be reached. Trying again");
      if (error instanceof Refused && error.status === 401) {
        say("That is not the server's token. Copy it again, whole");
        keepToken(null);
        show();
        return;
      }
    }
    await new Promise((done) => setTimeout(done, AGAIN_MS));
  }
}

function take({ whole, server, torrents, removed }: News): void {
  if (whole) say("");
  if (server !== null) showState(server, whole);
  const now = new Set(torrents.map((torrent) => torrent.info_hash));
  const gone = whole ? [...items.keys()].filter((hash) => !now.has(hash)) : removed;
  for (const hash of gone) {
    items.get(hash)?.element.remove();
    items.delete(hash);
  }
  for (const torrent of torrents) {
    const known = items.get(torrent.info_hash);
    if (known !== undefined) {
      known.refresh(torrent);
      continue;
    }
    const item = new HostedItem(torrent, attempt);
    items.set(torrent.info_hash, item);
    byId("server-torrents", HTMLElement).append(item.element);
  }
  byId("server-empty", HTMLElement).hidden = items.size > 0;
}

function showState(state: State, whole: boolean): void {
  const facts: Record<string, string> = {
    "server-down": speed(state.download_speed),
    "server-up": speed(state.upload_speed),
    "server-peers": many(state.peers, "peer", "peers"),
    "server-tracker": `${many(state.tracker.sockets, "socket", "sockets")}, ` +
      many(state.tracker.swarms, "swarm", "swarms"),
    "server-port": state.peer_port === null ? "none" : String(state.peer_port),
    "server-mapping": mapped(state.port_mapping),
    "server-bridge": state.bridge === null ? "off"
      : `${many(state.bridge.torrents, "torrent", "torrents")}, ` +
        `${bytes(state.bridge.cached_bytes)} cached`,
  };
  for (const [id, text] of Object.entries(facts)) setText(byId(id, HTMLElement), text);
  showTrouble(state.port_mapping);
  // What somebody is typing is not overwritten.
  const form = byId("server-limits", HTMLFormElement);
  if (whole || !form.contains(document.activeElement)) showLimits(state.limits);
}

function mapped(mapping: Mapping | null): string {
  if (mapping === null) return "off";
  if (mapping.state === "asking") return "asking the router";
  return mapping.state === "mapped" ? `${mapping.peer_port}, by ${mapping.protocol}`
    : "none";
}

/** Why no port of a router leads to the server, and what to do about it. */
function showTrouble(mapping: Mapping | null): void {
  const note = byId("server-unmapped", HTMLElement);
  note.hidden = mapping?.trouble == null;
  if (mapping?.trouble != null) {
    setText(note, `No port is mapped: ${mapping.trouble}.`);
  }
}

function showLimits({ upload_limit: up, download_limit: down }: Limits): void {
  const text = (limit: number | null): string => limit === null ? "" : String(limit / KILO);
  byId("server-limit-up", HTMLInputElement).value = text(up);
  byId("server-limit-down", HTMLInputElement).value = text(down);
}

function readLimits(): Limits {
  const read = (id: string): number | null => {
    const { value } = byId(id, HTMLInputElement);
    return value === "" ? null : Math.round(Number(value) * KILO);
  };
  return { upload_limit: read("server-limit-up"), download_limit: read("server-limit-down") };
}

async function add(): Promise<void> {
  const input = byId("server-magnet", HTMLInputElement);
  await ask("POST", "torrents", { magnet: input.value.trim() });
  input.value = "";
}

function attempt(act: () => Promise<unknown>): void {
  act().then(() => say(""), (error) => say(error instanceof Error ? error.message : String(error)));
}

function say(text: string): void {
  const sentence = text === "" ? "" : `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
  setText(byId("server-trouble", HTMLElement), sentence);
}
