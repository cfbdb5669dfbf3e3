//! What a peer says of its pieces before we know how many there are, or may count them.

use bytes::Bytes;
use headwater_base::{Bitfield, PieceIndex, Set};

use crate::limit;

/// The claims so far, unchecked.
#[derive(Debug, Default)]
pub(crate) struct Early {
    all: bool,
    bits: Option<Bytes>,
    /// Single pieces, as bits.
    single: Vec<u8>,
    /// Pieces said to be lost since (BEP 54).
    lost: Set<PieceIndex>,
}

impl Early {
    pub(crate) fn all(&mut self) {
        *self = Self { all: true, ..Self::default() };
    }

    pub(crate) fn none(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn bits(&mut self, bits: Bytes) {
        *self = Self { bits: Some(bits), ..Self::default() };
    }

    /// False when no torrent has such a piece.
    pub(crate) fn single(&mut self, piece: PieceIndex) -> bool {
        if piece.0 >= limit::PIECES_MAX {
            return false;
        }
        self.lost.remove(&piece);
        let byte = piece.idx() / 8;
        if self.single.len() <= byte {
            self.single.resize(byte + 1, 0);
        }
        self.single[byte] |= 0x80 >> (piece.0 % 8);
        true
    }

    /// Takes that a piece was lost. Beyond the limit it is asked for in vain, no worse.
    pub(crate) fn lose(&mut self, piece: PieceIndex) {
        if self.lost.len() < limit::EARLY_LOST_MAX {
            self.lost.insert(piece);
        }
    }

    pub(crate) fn is_all(&self) -> bool {
        self.all && self.lost.is_empty()
    }

    /// The claims checked against the number of pieces; `None` when they do not fit.
    pub(crate) fn settle(&mut self, count: u32) -> Option<Bitfield> {
        let early = core::mem::take(self);
        let mut has = match early.bits {
            _ if early.all => Bitfield::full(count),
            Some(bits) => Bitfield::from_bytes(&bits, count)?,
            None => Bitfield::empty(count),
        };
        for (at, byte) in early.single.iter().enumerate().filter(|(_, byte)| **byte != 0) {
            for bit in (0..8).filter(|bit| byte & (0x80 >> bit) != 0) {
                let piece = PieceIndex(at as u32 * 8 + bit);
                if piece.0 >= count {
                    return None;
                }
                has.set(piece);
            }
        }
        for piece in early.lost {
            has.clear(piece);
        }
        Some(has)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_made_before_metadata_are_checked_once_it_is_known() {
        let mut early = Early::default();
        early.bits(Bytes::from_static(&[0x80]));
        assert!(early.single(PieceIndex(6)));
        let has = early.settle(7).unwrap();
        assert_eq!(has.ones().map(|piece| piece.0).collect::<Vec<_>>(), [0, 6]);
        early.single(PieceIndex(7));
        assert_eq!(early.settle(7), None);
        early.all();
        assert!(early.is_all());
        assert_eq!(early.settle(7), Some(Bitfield::full(7)));
        assert!(!early.single(PieceIndex(u32::MAX)));
    }

    #[test]
    fn pieces_lost_before_metadata_are_not_counted() {
        let mut early = Early::default();
        early.all();
        early.lose(PieceIndex(2));
        early.lose(PieceIndex(3));
        early.single(PieceIndex(3));
        assert!(!early.is_all());
        let has = early.settle(5).unwrap();
        assert_eq!(has.ones().map(|piece| piece.0).collect::<Vec<_>>(), [0, 1, 3, 4]);
    }
}
