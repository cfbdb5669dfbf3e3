//! Hash requests of BitTorrent v2 (BEP 52): which run of a file's merkle tree is meant, and how
//! many hashes prove it. Knows the shape of trees, not their contents.

use bytes::{Buf, BufMut};
use headwater_base::Digest256;

use crate::{Error, limit};

/// A run of one layer of a file's merkle tree, and how far up it is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HashSpan {
    /// The file's `pieces root`.
    pub root: Digest256,
    /// The layer, counted from the leaves, which are 0.
    pub base: u32,
    /// The first hash of the run, a multiple of `length`.
    pub index: u32,
    /// How many hashes.
    pub length: u32,
    /// How many layers above the base are proven.
    pub proof_layers: u32,
}

impl HashSpan {
    /// Bytes it takes on the wire.
    pub const LEN: usize = 48;

    /// Hashes that come after those of the run: the uncles on the way up that the run itself does
    /// not give.
    pub fn uncles(&self) -> u32 {
        (self.proof_layers.saturating_add(1)).saturating_sub(self.length.max(1).ilog2())
    }

    /// Refuses spans that no tree has. BEP 52 wants two hashes at least; libtorrent asks for one
    /// where a file has one piece more than a multiple of 512.
    pub fn check(&self) -> Result<(), Error> {
        let Self { base, index, length, proof_layers, .. } = *self;
        let (layers, most) = (limit::HASH_LAYERS_MAX, limit::HASHES_MAX);
        let is_run = length.is_power_of_two() && index.is_multiple_of(length);
        let fits = base.saturating_add(proof_layers) <= layers && length <= most;
        if is_run && fits {
            return Ok(());
        }
        Err(Error::HashSpan { base, index, length, proof_layers })
    }

    /// Hashes that answer it.
    pub fn count(&self) -> u32 {
        self.length.saturating_add(self.uncles())
    }

    pub(crate) fn put(&self, out: &mut impl BufMut) {
        out.put_slice(&self.root);
        out.put_u32(self.base);
        out.put_u32(self.index);
        out.put_u32(self.length);
        out.put_u32(self.proof_layers);
    }

    pub(crate) fn take(mut numbers: &[u8]) -> Self {
        let mut root = [0; 32];
        numbers.copy_to_slice(&mut root);
        Self {
            root,
            base: numbers.get_u32(),
            index: numbers.get_u32(),
            length: numbers.get_u32(),
            proof_layers: numbers.get_u32(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(base: u32, index: u32, length: u32, proof_layers: u32) -> HashSpan {
        HashSpan { root: [7; 32], base, index, length, proof_layers }
    }

    #[test]
    fn uncles_leave_out_the_layers_that_the_run_gives() {
        let check = |length, proof_layers, expect| {
            assert_eq!(
                span(0, 0, length, proof_layers).uncles(),
                expect,
                "{length} {proof_layers}"
            );
        };
        check(1, 0, 1);
        check(1, 3, 4);
        check(2, 0, 0);
        check(2, 1, 1);
        check(4, 1, 0);
        check(4, 2, 1);
        check(512, 8, 0);
        check(512, 12, 4);
    }

    #[test]
    fn only_runs_of_powers_of_two_at_their_own_multiples_pass() {
        assert_eq!(span(0, 4, 4, 3).check(), Ok(()));
        assert_eq!(span(4, 0, limit::HASHES_MAX, 0).check(), Ok(()));
        for bad in [
            span(0, 0, 0, 0),
            span(0, 0, 3, 0),
            span(0, 2, 4, 0),
            span(0, 0, limit::HASHES_MAX * 2, 0),
            span(limit::HASH_LAYERS_MAX, 0, 2, 1),
            span(u32::MAX, 0, 2, u32::MAX),
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }
}
