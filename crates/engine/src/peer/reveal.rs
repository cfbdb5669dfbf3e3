//! What a peer was shown of our pieces one by one (BEP 16), and which of them it is to pass on.

use headwater_base::{Bitfield, Map, PieceIndex, Time};

/// Pieces shown to one peer.
#[derive(Debug)]
pub(crate) struct Reveal {
    shown: Bitfield,
    /// Pieces shown that are not known to have been passed on, and since when.
    open: Map<PieceIndex, Time>,
}

impl Reveal {
    /// Nothing is shown yet of `count` pieces.
    pub(crate) fn new(count: u32) -> Self {
        Self { shown: Bitfield::empty(count), open: Map::new() }
    }

    /// Whether `piece` was shown.
    pub(crate) fn shows(&self, piece: PieceIndex) -> bool {
        self.shown.has(piece)
    }

    /// Takes that `piece` is shown.
    pub(crate) fn show(&mut self, piece: PieceIndex, now: Time) {
        self.shown.set(piece);
        self.open.insert(piece, now);
    }

    /// Pieces it is to pass on, and since when.
    pub(crate) fn open(&self) -> &Map<PieceIndex, Time> {
        &self.open
    }

    /// Takes that nothing more is expected of the peer with `piece`.
    pub(crate) fn settle(&mut self, piece: PieceIndex) {
        self.open.remove(&piece);
    }
}
