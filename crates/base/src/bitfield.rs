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
        self.bytes.iter().enumerate().filter(|(_, byte)| **byte != 0).flat_map(|(at, byte)| {
            let first = at as u32 * 8;
            (0..8)
                .filter(move |bit| byte & (0x80 >> bit) != 0)
                .map(move |bit| PieceIndex(first + bit))
        })
    }
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
}
