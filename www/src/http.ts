/** Reads the headers of a request for a file, decides the answer's (RFC 9110). Moves no bytes. */

import type { FileRequest, FileShape } from "./message.js";

/** First and largest body of an answer to a request without an end. */
const BODY_FIRST = 256 * 1024;
const BODY_MAX = 2 * 1024 * 1024;

/** What is answered: a head, and which bytes follow it. */
export interface Reply {
  status: number;
  headers: [string, string][];
  start: number;
  end: number;
}

/** What is asked about. */
export interface Target {
  file: FileShape;
  tag: string;
}

/** How far open-ended requests are answered: short at first, longer while a player reads on. */
export class Pace {
  readonly #next = new Map<string, { at: number; size: number }>();

  /** Bytes to answer with at `start`; counts as read. */
  take(tag: string, start: number): number {
    const next = this.#next.get(tag);
    const size = next?.at === start ? Math.min(next.size * 2, BODY_MAX) : BODY_FIRST;
    this.#next.set(tag, { at: start + size, size });
    return size;
  }
}

/** Decides the answer to a request. */
export function reply(request: FileRequest, target: Target, pace: Pace): Reply {
  const { tag } = target;
  const { length } = target.file;
  if (request.method !== "GET" && request.method !== "HEAD") {
    return empty(405, [["Allow", "GET, HEAD"]]);
  }
  const headers = fileHeaders(target);
  if (request.ifNoneMatch?.split(",").some((given) => sameTag(given, tag))) {
    return empty(304, headers);
  }
  const isSame = request.ifRange === null || request.ifRange === tag;
  const range = isSame && request.method === "GET" ? parseRange(request.range, length) : "whole";
  if (range === "whole") {
    return { status: 200, headers: [...headers, contentLength(0, length)], start: 0, end: length };
  }
  if (range === "outside") return empty(416, [...headers, ["Content-Range", `bytes */${length}`]]);
  const { start } = range;
  const end = range.end ?? Math.min(length, start + pace.take(tag, start));
  const span: [string, string] = ["Content-Range", `bytes ${start}-${end - 1}/${length}`];
  return { status: 206, headers: [...headers, span, contentLength(start, end)], start, end };
}

/** An answer of words, for a person who opened the address. */
export function empty(status: number, headers: [string, string][]): Reply {
  const always = status === 304 ? [] : ([["Content-Length", "0"]] as [string, string][]);
  return { status, headers: [...safeHeaders(), ...headers, ...always], start: 0, end: 0 };
}

/**
 * One satisfiable range, or what else to do. Several ranges, other units and nonsense are answered
 * with the whole, as the RFC allows. `end` is missing where the request names none.
 */
export function parseRange(
  header: string | null,
  length: number,
): "whole" | "outside" | { start: number; end?: number } {
  const match = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(header ?? "");
  if (!match) return "whole";
  const [, first = "", last = ""] = match;
  if (first === "") {
    if (last === "") return "whole";
    const suffix = Math.min(Number(last), length);
    return suffix === 0 ? "outside" : { start: length - suffix, end: length };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return "whole";
  if (start >= length) return "outside";
  return last === "" ? { start } : { start, end: Math.min(Number(last) + 1, length) };
}

function fileHeaders({ file, tag }: Target): [string, string][] {
  const { path, mime, runsScripts } = file;
  const name = encodeURIComponent(path.slice(path.lastIndexOf("/") + 1)).replace(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16)}`,
  );
  const disposition = runsScripts ? "attachment" : "inline";
  return [
    ...safeHeaders(),
    ["Content-Type", mime],
    ["Accept-Ranges", "bytes"],
    ["ETag", tag],
    ["Content-Disposition", `${disposition}; filename*=UTF-8''${name}`],
  ];
}

/** A torrent's bytes come from strangers: nothing in them may act as a page of this origin. */
function safeHeaders(): [string, string][] {
  return [
    ["Cache-Control", "no-store"],
    ["Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'"],
    ["Cross-Origin-Resource-Policy", "same-origin"],
    ["X-Content-Type-Options", "nosniff"],
  ];
}

function contentLength(start: number, end: number): [string, string] {
  return ["Content-Length", String(end - start)];
}

function sameTag(given: string, tag: string): boolean {
  const bare = given.trim();
  return bare === "*" || bare.replace(/^W\//, "") === tag;
}
