// Makes test content from a number, the same in node and in a page, and names it by hash.

/** Bytes that depend on `seed` and `length` alone. */
export function bytesOf(seed, length) {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = (seed * 2654435761 + 1) >>> 0 || 1;
  for (let i = 0; i < words.length; i += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}

/** SHA-256 in hex. */
export async function hashOf(bytes) {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Files as the tests compare them: path, length and hash, by path. */
export async function manifestOf(files) {
  const rows = [];
  for (const { path, seed, length } of files) {
    rows.push({ path, length, sha256: await hashOf(bytesOf(seed, length)) });
  }
  return sorted(rows);
}

/** Rows in the order of their paths. */
export function sorted(rows) {
  return rows.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** A torrent of one file of `mib` MiB. */
export function oneFile(mib = 2, name = "film.bin") {
  return { name, folder: "", files: [{ path: name, seed: 7, length: Math.round(mib * 1048576) }] };
}

/** A torrent of several files that share pieces and end in the middle of them. */
export function severalFiles() {
  const files = [
    { path: "cover.jpg", seed: 1, length: 70_001 },
    { path: "disc one/track 1.ogg", seed: 2, length: 600_000 },
    { path: "disc one/track 2.ogg", seed: 3, length: 16_384 },
    { path: "disc two/ünïcode.ogg", seed: 4, length: 333_333 },
    { path: "notes.txt", seed: 5, length: 1 },
  ];
  return { name: "album", folder: "album/", files };
}

/** A torrent of three files, in the same order in v1 and v2. */
export function threeFiles() {
  const files = [
    { path: "part 1.bin", seed: 11, length: 700_001 },
    { path: "part 2.bin", seed: 12, length: 500_000 },
    { path: "part 3.bin", seed: 13, length: 40_000 },
  ];
  return { name: "show", folder: "show/", files };
}
