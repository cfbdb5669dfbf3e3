/** Turns files into a torrent: names them, reads them part by part, and lets the wasm hash them. */

import { Maker } from "../pkg/headwater.js";
import { HeadwaterError } from "./error.js";
import type { SeedRequest } from "./message.js";

/** Bytes read at once. */
const PART_LEN = 4 * 1024 * 1024;
/** How often progress is told, at most. */
const TELL_MS = 100;

/** A file and where it lies in the torrent. */
interface Entry {
  path: string;
  file: Blob;
}

/** A `.torrent` file and the files it is of, in its order. */
export interface Made {
  bytes: Uint8Array;
  files: Blob[];
}

/** Makes a torrent; `hashing` hears how much is done, from 0 to 1. */
export async function makeTorrent(
  files: Entry[],
  options: SeedRequest,
  hashing: (fraction: number) => void,
): Promise<Made> {
  if (files.length === 0) throw new HeadwaterError("no-files", "there is no file to share");
  const { name, paths } = naming(files, options.name);
  const maker = new Maker(
    name,
    paths,
    Float64Array.from(files, ({ file }) => file.size),
    options.version,
    options.pieceLength ?? undefined,
    options.comment ?? undefined,
  );
  const total = files.reduce((sum, { file }) => sum + file.size, 0);
  let done = 0;
  let told = 0;
  const ordered = [...maker.order()].flatMap((index) => files[index] ?? []);
  for (const { path, file } of ordered) {
    for (let at = 0; at < file.size; at += PART_LEN) {
      maker.feed(await part(path, file, at));
      done += Math.min(PART_LEN, file.size - at);
      if (performance.now() - told < TELL_MS) continue;
      told = performance.now();
      hashing(done / total);
    }
  }
  hashing(1);
  return { bytes: maker.finish(options.trackers), files: ordered.map(({ file }) => file) };
}

async function part(path: string, file: Blob, at: number): Promise<Uint8Array> {
  try {
    return new Uint8Array(await file.slice(at, at + PART_LEN).arrayBuffer());
  } catch (thrown) {
    throw new HeadwaterError("unreadable-file", `${path} cannot be read`, { cause: thrown });
  }
}

/** One plain file stands alone; a picked folder gives its name; other files lie in one folder. */
function naming(files: Entry[], asked: string | null): { name: string; paths: string[] } {
  const [first] = files;
  if (first && files.length === 1 && !first.path.includes("/")) {
    return { name: asked ?? first.path, paths: [] };
  }
  const paths = files.map(({ path }) => path);
  const folder = paths[0]?.split("/")[0] ?? "";
  const isPicked = paths.every((path) => path.startsWith(`${folder}/`));
  if (!isPicked) return { name: asked ?? "files", paths };
  return { name: asked ?? folder, paths: paths.map((path) => path.slice(folder.length + 1)) };
}
