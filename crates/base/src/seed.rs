//! Randomness that can be replayed: one 32-byte seed, split by label into independent streams.
//! Not for keys: a shell takes those from the operating system.

use crate::sha256;

/// Where all of a client's randomness comes from. The same seed gives the same run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed(pub [u8; 32]);

impl Seed {
    /// Derives the stream that belongs to `label`.
    pub fn split(&self, label: &str) -> Rng {
        let mut bytes = self.0.to_vec();
        bytes.extend_from_slice(label.as_bytes());
        Rng::from_digest(sha256(&bytes))
    }
}

/// A stream of random numbers: xoshiro256++ (Blackman and Vigna, 2018).
#[derive(Clone, Debug)]
pub struct Rng([u64; 4]);

impl Rng {
    fn from_digest(digest: [u8; 32]) -> Self {
        let mut state = [1_u64; 4];
        for (word, bytes) in state.iter_mut().zip(digest.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        Self(state)
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.0;
        let out = a.wrapping_add(*d).rotate_left(23).wrapping_add(*a);
        let t = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= t;
        *d = d.rotate_left(45);
        out
    }

    /// A number below `bound`, or 0 when `bound` is 0. The bias is under `bound / 2^64`.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// A place in a sequence of `len` things, or `None` when there are none.
    pub fn pick(&mut self, len: usize) -> Option<usize> {
        (len > 0).then(|| self.below(len as u64) as usize)
    }

    /// Fills `out` with random bytes.
    pub fn fill(&mut self, out: &mut [u8]) {
        for part in out.chunks_mut(8) {
            let word = self.next_u64().to_le_bytes();
            part.copy_from_slice(&word[..part.len()]);
        }
    }

    /// Puts `items` in a random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last as u64 + 1) as usize;
            items.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_and_label_give_the_same_stream() {
        let seed = Seed([7; 32]);
        let (mut a, mut b, mut c) = (seed.split("x"), seed.split("x"), seed.split("y"));
        let first = a.next_u64();
        assert_eq!(first, b.next_u64());
        assert_ne!(first, c.next_u64());
    }

    #[test]
    fn below_stays_below() {
        let mut rng = Seed([1; 32]).split("below");
        assert!((0..1000).all(|_| rng.below(7) < 7));
        assert_eq!(rng.below(0), 0);
        assert_eq!(rng.pick(0), None);
    }

    #[test]
    fn shuffle_keeps_every_item() {
        let mut items: Vec<u32> = (0..100).collect();
        Seed([2; 32]).split("shuffle").shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
