/**
 * Talks to the control API of the page's own server. The token stays in this tab's session and
 * goes out in a header only.
 */

const KEY = "headwater-control-token";

/** A torrent as the server shows it. */
export interface Hosted {
  info_hash: string;
  name: string | null;
  origin: "folder" | "added" | "bridge";
  state: string;
  error: string | null;
  length: number | null;
  progress: number;
  download_speed: number;
  upload_speed: number;
  peers: number;
}

/** One of the server's peers. */
export interface HostedPeer {
  client: string;
  transport: string | null;
  address: string | null;
  progress: number;
  download_speed: number;
  upload_speed: number;
}

/** Limits in bytes a second; `null` for none. */
export interface Limits {
  upload_limit: number | null;
  download_limit: number | null;
}

/** What a router leads to the server's port, or why it does not. */
export interface Mapping {
  state: "asking" | "mapped" | "unmapped";
  trouble: string | null;
  protocol: string | null;
  peer_port: number | null;
}

/** The server as a whole. */
export interface State {
  version: string;
  peer_port: number | null;
  limits: Limits;
  download_speed: number;
  upload_speed: number;
  peers: number;
  links: { alive: number };
  tracker: { sockets: number; swarms: number; peers: number };
  port_mapping: Mapping | null;
  bridge: { torrents: number; cached_bytes: number } | null;
}

/** What an event brings: everything, or what differs. */
export interface News {
  whole: boolean;
  server: State | null;
  torrents: Hosted[];
  removed: string[];
}

/** Why the server did not do something. */
export class Refused extends Error {
  constructor(readonly status: number, readonly code: string, message: string) {
    super(message);
  }
}

/** Keeps a token for this tab, or forgets it. */
export function keepToken(token: string | null): void {
  if (token === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, token);
}

/** Whether a token is kept. */
export function hasToken(): boolean {
  return sessionStorage.getItem(KEY) !== null;
}

/** Asks the server; `body` goes as JSON, or as the torrent file it is. */
export async function ask(method: string, path: string, body?: object): Promise<unknown> {
  const answer = await send(method, path, body);
  return answer.json();
}

async function send(
  method: string,
  path: string,
  body?: object,
  signal?: AbortSignal,
): Promise<Response> {
  const headers: Record<string, string> = {
    authorization: `Bearer ${sessionStorage.getItem(KEY) ?? ""}`,
  };
  const init: RequestInit = { method, headers, cache: "no-store" };
  if (signal !== undefined) init.signal = signal;
  if (body instanceof Blob) {
    headers["content-type"] = "application/x-bittorrent";
    init.body = body;
  } else if (body !== undefined) {
    headers["content-type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  const answer = await fetch(`./api/v1/${path}`, init);
  if (!answer.ok) throw await refusal(answer);
  return answer;
}

async function refusal(answer: Response): Promise<Refused> {
  const body = await answer.json().catch(() => null) as { error?: Partial<Refused> } | null;
  const { code = "unreachable", message = `the server answers ${answer.status}` } =
    body?.error ?? {};
  return new Refused(answer.status, code, message);
}

/** Reads events until the stream ends. Rejects when the server refuses or is gone. */
export async function follow(signal: AbortSignal, hear: (news: News) => void): Promise<void> {
  const answer = await send("GET", "events", undefined, signal);
  if (answer.body === null) return;
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += value;
    const events = rest.split("\n\n");
    rest = events.pop() ?? "";
    for (const event of events) tell(event, hear);
  }
}

function tell(event: string, hear: (news: News) => void): void {
  const lines = event.split("\n");
  const data = lines.find((line) => line.startsWith("data:"));
  if (data === undefined) return;
  const news = JSON.parse(data.slice("data:".length)) as Omit<News, "whole">;
  hear({ ...news, whole: lines.some((line) => /^event: ?snapshot$/.test(line)) });
}
