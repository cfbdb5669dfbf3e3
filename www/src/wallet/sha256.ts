/**
 * SHA-256 of short messages without waiting, for the checksum of TRON addresses: WebCrypto is
 * missing where a page came over plain http.
 */

const ROUND = fractions(64, 3);
const START = fractions(8, 2);

/** The SHA-256 of a message of at most 119 bytes. */
export function sha256(message: Uint8Array): Uint8Array {
  if (message.length > 119) throw new RangeError(`${message.length} bytes, at most 119`);
  const padded = new Uint8Array(message.length < 56 ? 64 : 128);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 4, message.length * 8);
  const state = Uint32Array.from(START);
  for (let at = 0; at < padded.length; at += 64) compress(state, view, at);
  const digest = new DataView(new ArrayBuffer(32));
  state.forEach((word, index) => digest.setUint32(index * 4, word));
  return new Uint8Array(digest.buffer);
}

function compress(state: Uint32Array, view: DataView, at: number): void {
  const words = new Uint32Array(64);
  for (let i = 0; i < 16; i += 1) words[i] = view.getUint32(at + i * 4);
  for (let i = 16; i < 64; i += 1) {
    const far = word(words, i - 15);
    const near = word(words, i - 2);
    const s0 = turn(far, 7) ^ turn(far, 18) ^ (far >>> 3);
    const s1 = turn(near, 17) ^ turn(near, 19) ^ (near >>> 10);
    words[i] = word(words, i - 16) + s0 + word(words, i - 7) + s1;
  }
  const run = Uint32Array.from(state);
  for (let i = 0; i < 64; i += 1) {
    const [a, b, c, e, f, g] = [0, 1, 2, 4, 5, 6].map((at) => word(run, at)) as Six;
    const s1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
    const pick = (e & f) ^ (~e & g);
    const first = word(run, 7) + s1 + pick + word(ROUND, i) + word(words, i);
    const s0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22);
    const most = (a & b) ^ (a & c) ^ (b & c);
    run.copyWithin(1, 0, 7);
    run[4] = word(run, 4) + first;
    run[0] = first + s0 + most;
  }
  run.forEach((value, index) => {
    state[index] = word(state, index) + value;
  });
}

type Six = [number, number, number, number, number, number];

function word(words: Uint32Array, at: number): number {
  return words[at] ?? 0;
}

function turn(value: number, bits: number): number {
  return (value >>> bits) | (value << (32 - bits));
}

/** First 32 bits of the fractions of the first primes' roots (FIPS 180-4, 4.2.2 and 5.3.3). */
function fractions(amount: number, root: 2 | 3): Uint32Array {
  const found: number[] = [];
  for (let n = 2; found.length < amount; n += 1) {
    let isPrime = true;
    for (let d = 2; d * d <= n; d += 1) if (n % d === 0) isPrime = false;
    if (!isPrime) continue;
    const exact = root === 2 ? Math.sqrt(n) : Math.cbrt(n);
    found.push(((exact - Math.floor(exact)) * 2 ** 32) >>> 0);
  }
  return Uint32Array.from(found);
}
