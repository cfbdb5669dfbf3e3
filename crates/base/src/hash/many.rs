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
/// Shorter messages are mostly padding and not worth the sorting.
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

pub(super) fn many<W: Wide>(inputs: &[&[u8]], one: fn(&[u8]) -> W::Digest) -> Vec<W::Digest>
where
    W::Digest: Default,
{
    let mut digests = vec![W::Digest::default(); inputs.len()];
    let mut order: Vec<usize> = (0..inputs.len()).collect();
    order.sort_by_key(|at| inputs[*at].len());
    let mut rest = order.as_slice();
    while let Some(first) = rest.first() {
        let len = inputs[*first].len();
        let alike = rest.iter().take(LANES).take_while(|at| inputs[**at].len() == len).count();
        let (group, others) = rest.split_at(alike);
        rest = others;
        if alike < LANES_MIN || len < BYTES_MIN {
            group.iter().for_each(|at| digests[*at] = one(inputs[*at]));
            continue;
        }
        // A lane without a message of its own repeats the first.
        let lanes = core::array::from_fn(|lane| inputs[*group.get(lane).unwrap_or(first)]);
        for (at, digest) in group.iter().zip(four::<W>(lanes)) {
            digests[*at] = digest;
        }
    }
    digests
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
