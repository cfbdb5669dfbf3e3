/**
 * Decides by name what a page can do with a file: play it, show it, or only save it.
 */

/** How a file is shown. */
export type Kind = "video" | "audio" | "image" | "other";

/** What is needed of a file to choose among several. */
export interface Choosable {
  path: string;
  length: number;
}

const KINDS: Record<Exclude<Kind, "other">, string> = {
  video: "mp4 m4v webm mkv mov ogv",
  audio: "mp3 m4a aac ogg oga opus flac wav weba",
  image: "jpg jpeg png gif webp avif bmp",
};

const ORDER: Kind[] = ["video", "audio", "image"];

/** Returns a name's ending in lower case, without the dot. */
export function ending(path: string): string {
  const dot = path.lastIndexOf(".");
  return dot < 0 ? "" : path.slice(dot + 1).toLowerCase();
}

/** Tells how a file of this name is shown. */
export function kindOf(path: string): Kind {
  const end = ending(path);
  for (const kind of ["video", "audio", "image"] as const) {
    if (KINDS[kind].split(" ").includes(end)) return kind;
  }
  return "other";
}

/** Chooses what to play first: the largest film, else the largest sound, else picture. */
export function choose<T extends Choosable>(files: readonly T[]): T | null {
  for (const kind of ORDER) {
    const fit = files.filter((each) => kindOf(each.path) === kind);
    const [first] = fit.sort((a, b) => b.length - a.length);
    if (first !== undefined) return first;
  }
  return null;
}

/** Finds the subtitles that lie beside a film: same folder, and a name that starts like its own. */
export function subtitles<T extends Choosable>(
  film: T,
  files: readonly T[],
): { file: T; label: string }[] {
  const stem = film.path.slice(0, film.path.length - ending(film.path).length - 1);
  return files
    .filter((each) => ending(each.path) === "vtt" && each.path.startsWith(stem))
    .map((file) => ({ file, label: language(file.path.slice(stem.length, -4)) }));
}

function language(rest: string): string {
  const tag = rest.replace(/^[._ -]+/, "");
  if (tag === "") return "Subtitles";
  try {
    return new Intl.DisplayNames("en", { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}
