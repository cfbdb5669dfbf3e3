//! Hashes many messages: those of equal length four at a time where that is faster, the others one
//! by one.

use super::lanes::{Best, LANES, STRIDE};
use super::wide1::Wide1;
use super::wide256::Wide256;
use super::{Digest1, Digest256, sha1, sha256};

/// Elsewhere the crates use the processor's own instructions, which outrun any lanes.
const HAS_LANES: bool = cfg!(all(target_arch = "wasm32", target_feature = "simd128"));
/// A lane may idle: three messages side by side still take less time than one after another.
const LANES_MIN: usize = 3;
/// Shorter messages are mostly padding and not worth the lanes.
const BYTES_MIN: usize = 256;

/// A hash of four messages side by side.
pub(super) trait Wide {
    /// What it gives.
    type Digest: Copy;
    /// Where all four begin.
    fn start() -> Self;
    /// Takes the next part of each.
    fn compress(&mut self, parts: [&[u8; STRIDE]; LANES]);
    /// The digests, once the padding is in.
    fn finish(self) -> [Self::Digest; LANES];
}

/// SHA-1 of each input, in order; inputs of equal length are hashed side by side.
pub fn sha1_many(inputs: &[&[u8]]) -> Vec<Digest1> {
    if !HAS_LANES {
        return inputs.iter().map(|input| sha1(input)).collect();
    }
    many::<Wide1<Best>>(inputs, sha1)
}

/// SHA-256 of each input, in order; inputs of equal length are hashed side by side.
pub fn sha256_many(inputs: &[&[u8]]) -> Vec<Digest256> {
    if !HAS_LANES {
        return inputs.iter().map(|input| sha256(input)).collect();
    }
    many::<Wide256<Best>>(inputs, sha256)
}

pub(super) fn many<W: Wide>(inputs: &[&[u8]], one: fn(&[u8]) -> W::Digest) -> Vec<W::Digest> {
    let mut digests = vec![None; inputs.len()];
    for first in 0..inputs.len() {
        if digests[first].is_some() {
            continue;
        }
        let len = inputs[first].len();
        let alike = (first..inputs.len())
            .filter(|at| inputs[*at].len() == len && digests[*at].is_none())
            .take(LANES);
        // A lane without a message of its own repeats the first.
        let (mut group, mut count) = ([first; LANES], 0);
        alike.for_each(|at| {
            group[count] = at;
            count += 1;
        });
        if count < LANES_MIN || len < BYTES_MIN {
            group[..count].iter().for_each(|at| digests[*at] = Some(one(inputs[*at])));
            continue;
        }
        for (at, digest) in group.iter().zip(four::<W>(group.map(|at| inputs[at]))) {
            digests[*at] = Some(digest);
        }
    }
    digests.into_iter().flatten().collect()
}

/// Digests of four messages of one length.
pub(super) fn four<W: Wide>(inputs: [&[u8]; LANES]) -> [W::Digest; LANES] {
    let len = inputs[0].len();
    let mut wide = W::start();
    for at in 0..len / STRIDE {
        wide.compress(inputs.map(|input| &input.as_chunks().0[at]));
    }
    // FIPS 180-4, section 5.1.1: a one bit, zeros, the length in bits.
    let tails = inputs.map(|input| {
        let tail = input.as_chunks::<STRIDE>().1;
        let mut padded = [0; 2 * STRIDE];
        padded[..tail.len()].copy_from_slice(tail);
        padded[tail.len()] = 0x80;
        let end = if tail.len() < STRIDE - 8 { STRIDE } else { 2 * STRIDE };
        padded[end - 8..end].copy_from_slice(&(len as u64 * 8).to_be_bytes());
        (padded, end / STRIDE)
    });
    for at in 0..tails[0].1 {
        wide.compress([0, 1, 2, 3].map(|lane| &tails[lane].0.as_chunks().0[at]));
    }
    wide.finish()
}
