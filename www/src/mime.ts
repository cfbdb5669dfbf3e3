/** Content types by file name, and which of them a browser may show without danger. */

const TEXT = "text/plain; charset=utf-8";

const TYPES: Record<string, string> = {
  aac: "audio/aac", ac3: "audio/ac3", apng: "image/apng", avi: "video/x-msvideo",
  avif: "image/avif", bmp: "image/bmp", css: "text/css; charset=utf-8",
  csv: "text/csv; charset=utf-8", epub: "application/epub+zip", flac: "audio/flac",
  gif: "image/gif", gz: "application/gzip", htm: "text/html; charset=utf-8",
  html: "text/html; charset=utf-8", ico: "image/x-icon", jpeg: "image/jpeg", jpg: "image/jpeg",
  js: "text/javascript; charset=utf-8", json: "application/json",
  m3u8: "application/vnd.apple.mpegurl", m4a: "audio/mp4", m4v: "video/mp4", md: TEXT,
  mjs: "text/javascript; charset=utf-8", mka: "audio/x-matroska", mkv: "video/x-matroska",
  mov: "video/quicktime", mp3: "audio/mpeg", mp4: "video/mp4", mpeg: "video/mpeg",
  mpg: "video/mpeg", nfo: TEXT, oga: "audio/ogg", ogg: "audio/ogg", ogv: "video/ogg",
  opus: "audio/ogg", otf: "font/otf", pdf: "application/pdf", png: "image/png", srt: TEXT,
  svg: "image/svg+xml", ts: "video/mp2t", ttf: "font/ttf", txt: TEXT,
  vtt: "text/vtt; charset=utf-8", wasm: "application/wasm", wav: "audio/wav",
  weba: "audio/webm", webm: "video/webm", webp: "image/webp", woff: "font/woff",
  woff2: "font/woff2", xml: "application/xml", zip: "application/zip",
};

/** The content type of a path; never guessed from bytes. */
export function mimeOf(path: string): string {
  const dot = path.lastIndexOf(".");
  const known = dot < 0 ? undefined : path.slice(dot + 1).toLowerCase();
  return (known && Object.hasOwn(TYPES, known) && TYPES[known]) || "application/octet-stream";
}

/** Whether a browser may open the type in a page: it can hold no script. */
export function isShowable(mime: string): boolean {
  if (mime === TEXT || mime.startsWith("text/vtt")) return true;
  return /^(audio|video|image)\//.test(mime) && !mime.includes("svg");
}
