//! Which pieces somebody has, in the layout of BEP 3: first piece in the highest bit.

use crate::PieceIndex;

/// A fixed number of bits, one a piece. Spare bits of the last byte are always zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bitfield {
    bytes: Vec<u8>,
    len: u32,
    ones: u32,
}

impl Bitfield {
    /// Makes a bitfield of `len` zero bits.
    pub fn empty(len: u32) -> Self {
        Self { bytes: vec![0; len.div_ceil(8) as usize], len, ones: 0 }
    }

    /// Makes a bitfield of `len` one bits.
    pub fn full(len: u32) -> Self {
        let mut bytes = vec![0xff; len.div_ceil(8) as usize];
        if let (Some(last), spare @ 1..) = (bytes.last_mut(), (8 - len % 8) % 8) {
            *last <<= spare;
        }
        Self { bytes, len, ones: len }
    }

    /// Reads the wire form; `None` when its size is off or a spare bit is set (BEP 3).
    pub fn from_bytes(bytes: &[u8], len: u32) -> Option<Self> {
        if bytes.len() != len.div_ceil(8) as usize {
            return None;
        }
        let spare = (8 - len % 8) % 8;
        if bytes.last().is_some_and(|last| last.trailing_zeros() < spare) {
            return None;
        }
        let ones = bytes.iter().map(|byte| byte.count_ones()).sum();
        Some(Self { bytes: bytes.to_vec(), len, ones })
    }

    /// The wire form.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many bits there are.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether no bit is set.
    pub fn is_empty(&self) -> bool {
        self.ones == 0
    }

    /// Whether every bit is set.
    pub fn is_full(&self) -> bool {
        self.ones == self.len
    }

    /// How many bits are set.
    pub fn count(&self) -> u32 {
        self.ones
    }

    /// Whether the bit of `piece` is set; false past the end.
    pub fn has(&self, piece: PieceIndex) -> bool {
        piece.0 < self.len && self.bytes[piece.idx() / 8] & (0x80 >> (piece.0 % 8)) != 0
    }

    /// Sets the bit of `piece` and tells whether that changed anything.
    pub fn set(&mut self, piece: PieceIndex) -> bool {
        assert!(piece.0 < self.len, "piece {piece} of {}", self.len);
        let changed = !self.has(piece);
        self.bytes[piece.idx() / 8] |= 0x80 >> (piece.0 % 8);
        self.ones += u32::from(changed);
        changed
    }

    /// Clears the bit of `piece` and tells whether that changed anything.
    pub fn clear(&mut self, piece: PieceIndex) -> bool {
        let changed = self.has(piece);
        if changed {
            self.bytes[piece.idx() / 8] &= !(0x80 >> (piece.0 % 8));
            self.ones -= 1;
        }
        changed
    }

    /// The set bits in order.
    pub fn ones(&self) -> impl Iterator<Item = PieceIndex> + '_ {
        let words = self.words().enumerate().filter(|(_, word)| *word != 0);
        words.flat_map(|(at, word)| bits(at, word))
    }

    /// The clear bits in order.
    pub fn zeros(&self) -> impl Iterator<Item = PieceIndex> + '_ {
        let words = self.words().enumerate().filter(|(_, word)| *word != u64::MAX);
        let clear = words.flat_map(|(at, word)| bits(at, !word));
        clear.take_while(|piece| piece.0 < self.len)
    }

    /// How many bits are set both here and in `other`.
    pub fn count_both(&self, other: &Self) -> u32 {
        self.words().zip(other.words()).map(|(a, b)| (a & b).count_ones()).sum()
    }

    /// The bits from `from` on that are set both here and in `other`, in order.
    pub fn both<'a>(
        &'a self,
        other: &'a Self,
        from: PieceIndex,
    ) -> impl Iterator<Item = PieceIndex> + 'a {
        let first = from.idx() / WORD_BITS;
        let words = self.words_from(first).zip(other.words_from(first)).enumerate();
        let both =
            words.map(move |(at, (a, b))| (first + at, a & b)).filter(|(_, word)| *word != 0);
        both.flat_map(|(at, word)| bits(at, word)).skip_while(move |piece| *piece < from)
    }

    /// The first clear bit from `from` on, or the number of bits.
    pub fn run_end(&self, from: PieceIndex) -> PieceIndex {
        let first = from.idx() / WORD_BITS;
        let clear = self.words_from(first).enumerate().filter(|(_, word)| *word != u64::MAX);
        let mut clear = clear.flat_map(|(at, word)| bits(first + at, !word));
        let end = clear.find(|piece| *piece >= from).unwrap_or(PieceIndex(self.len));
        PieceIndex(end.0.min(self.len))
    }

    fn words(&self) -> impl Iterator<Item = u64> + '_ {
        self.words_from(0)
    }

    /// Words of 64 bits, first bit highest; the last is filled up with zeros.
    fn words_from(&self, first: usize) -> impl Iterator<Item = u64> + '_ {
        let bytes = self.bytes.get(first * WORD_BYTES..).unwrap_or_default();
        let (whole, rest) = bytes.as_chunks::<WORD_BYTES>();
        let rest = (!rest.is_empty()).then(|| {
            let mut word = [0; WORD_BYTES];
            word[..rest.len()].copy_from_slice(rest);
            word
        });
        whole.iter().copied().chain(rest).map(u64::from_be_bytes)
    }
}

const WORD_BYTES: usize = 8;
const WORD_BITS: usize = 64;

/// The set bits of the word at `at`.
fn bits(at: usize, mut word: u64) -> impl Iterator<Item = PieceIndex> {
    core::iter::from_fn(move || {
        let bit = word.leading_zeros();
        (word != 0).then(|| {
            word &= !(1 << 63 >> bit);
            PieceIndex((at * WORD_BITS) as u32 + bit)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_leaves_spare_bits_zero() {
        let full = Bitfield::full(11);
        assert_eq!(full.as_bytes(), [0xff, 0xe0]);
        assert!(full.is_full() && !full.has(PieceIndex(11)));
        assert_eq!(Bitfield::full(8).as_bytes(), [0xff]);
    }

    #[test]
    fn from_bytes_refuses_wrong_size_and_spare_bits() {
        assert!(Bitfield::from_bytes(&[0xff, 0xe0], 11).is_some_and(|b| b.is_full()));
        assert_eq!(Bitfield::from_bytes(&[0xff], 11), None);
        assert_eq!(Bitfield::from_bytes(&[0xff, 0xf0], 11), None);
        assert_eq!(Bitfield::from_bytes(&[0, 0, 0], 11), None);
    }

    #[test]
    fn set_and_clear_count_only_changes() {
        let mut bits = Bitfield::empty(20);
        assert!(bits.set(PieceIndex(9)) && !bits.set(PieceIndex(9)));
        assert!(bits.set(PieceIndex(19)));
        assert_eq!(bits.ones().collect::<Vec<_>>(), [PieceIndex(9), PieceIndex(19)]);
        assert!(bits.clear(PieceIndex(9)) && !bits.clear(PieceIndex(9)));
        assert_eq!(bits.count(), 1);
    }

    #[test]
    fn words_answer_like_single_bits() {
        let mut rng = crate::Seed([6; 32]).split("bits");
        for len in [0, 1, 63, 64, 65, 130, 200] {
            let mut sets = [Bitfield::empty(len), Bitfield::empty(len)];
            for at in 0..len {
                for set in &mut sets {
                    if rng.below(3) > 0 {
                        set.set(PieceIndex(at));
                    }
                }
            }
            let [a, b] = &sets;
            let all = || (0..len).map(PieceIndex);
            assert!(a.ones().eq(all().filter(|at| a.has(*at))));
            assert!(a.zeros().eq(all().filter(|at| !a.has(*at))));
            let both = |at: &PieceIndex| a.has(*at) && b.has(*at);
            assert_eq!(a.count_both(b) as usize, all().filter(both).count());
            for from in (0..len + 3).map(PieceIndex) {
                assert!(a.both(b, from).eq(all().filter(|at| *at >= from).filter(both)));
                let end = all().find(|at| *at >= from && !a.has(*at));
                assert_eq!(a.run_end(from), end.unwrap_or(PieceIndex(len)));
            }
        }
    }
}
