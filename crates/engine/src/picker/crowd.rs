//! What peers have, counted. A change costs the pieces it is about: a peer that has nearly all is
//! counted by what it lacks.

use headwater_base::{Bitfield, PieceIndex};

use super::{Picker, State};
use crate::{PieceState, limit};

impl Picker {
    /// Counts a peer's pieces.
    pub(crate) fn peer_came(&mut self, has: &Bitfield) {
        self.count_peer(has, 1);
    }

    /// Takes a peer's pieces off the count.
    pub(crate) fn peer_went(&mut self, has: &Bitfield) {
        self.count_peer(has, -1);
    }

    /// Counts one more piece of a peer. Answers whether somebody may start it.
    pub(crate) fn peer_got(&mut self, piece: PieceIndex) -> bool {
        self.count_copy(piece, 1);
        self.rarity.has(piece)
    }

    /// Counts one piece less of a peer.
    pub(crate) fn peer_lost(&mut self, piece: PieceIndex) {
        self.count_copy(piece, -1);
    }

    /// How many peers have `piece`.
    pub(crate) fn copies(&self, piece: PieceIndex) -> u32 {
        (self.copies[piece.idx()] + self.base).max(0) as u32
    }

    /// Takes which piece the peer that is asked next would like to send (BEP 6).
    pub(crate) fn suggest(&mut self, piece: Option<PieceIndex>) {
        self.suggested = piece;
    }

    /// Having all but some is the same as everybody having one more, and those some one less.
    fn count_peer(&mut self, has: &Bitfield, by: i32) {
        if has.count() > self.count() / 2 {
            self.base += by;
            self.count_copies(has.zeros(), self.count() - has.count(), -by);
        } else {
            self.count_copies(has.ones(), has.count(), by);
        }
    }

    fn count_copies(&mut self, pieces: impl Iterator<Item = PieceIndex>, many: u32, by: i32) {
        if many > self.count() / limit::SORT_PART {
            pieces.for_each(|piece| self.copies[piece.idx()] += by);
            let mut rarity = core::mem::take(&mut self.rarity);
            rarity.sort(|piece| self.rank(piece));
            self.rarity = rarity;
        } else {
            pieces.for_each(|piece| self.count_copy(piece, by));
        }
    }

    fn count_copy(&mut self, piece: PieceIndex, by: i32) {
        self.copies[piece.idx()] += by;
        if let Some((class, copies)) = self.rank(piece) {
            self.rarity.update(piece, class, copies);
        }
    }

    /// Every piece, for a map.
    pub(crate) fn piece_states(&self) -> Vec<PieceState> {
        let view = |(state, copies): (&State, &i32)| match state {
            State::Stored => PieceState::Stored,
            State::Free | State::Busy | State::InHand => PieceState::Partial,
            State::Missing if *copies + self.base > 0 => PieceState::Available,
            State::Missing | State::Barred => PieceState::Absent,
        };
        self.states.iter().zip(&self.copies).map(view).collect()
    }

    /// Fewest copies of a chosen missing piece; `None` when there is none.
    pub(crate) fn rarest_copies(&self) -> Option<u32> {
        let open = self.open.keys().map(|piece| self.copies[piece.idx()]);
        let fewest = open.chain(self.rarity.fewest()).min()?;
        Some((fewest + self.base).max(0) as u32)
    }
}

#[cfg(test)]
mod tests {
    use headwater_base::Seed;

    use crate::picker::tests::picker;

    use super::*;

    #[test]
    fn copies_are_right_however_peers_come_grow_and_go() {
        const PIECES: u32 = 200;
        let mut rng = Seed([5; 32]).split("crowd");
        let mut picker = picker(PIECES as usize, 1);
        let mut peers: Vec<Bitfield> = Vec::new();
        for _ in 0..1500 {
            match (rng.below(4), rng.pick(peers.len())) {
                (0, Some(at)) => picker.peer_went(&peers.swap_remove(at)),
                (1 | 2, Some(at)) => {
                    let piece = PieceIndex(rng.below(u64::from(PIECES)) as u32);
                    if peers[at].set(piece) {
                        assert!(picker.peer_got(piece));
                    }
                }
                _ => {
                    let part = rng.below(11);
                    let mut has = Bitfield::empty(PIECES);
                    for piece in (0..PIECES).map(PieceIndex) {
                        if rng.below(10) < part {
                            has.set(piece);
                        }
                    }
                    picker.peer_came(&has);
                    peers.push(has);
                }
            }
            let copies = |piece| peers.iter().filter(|has| has.has(piece)).count() as i32;
            for piece in (0..PIECES).map(PieceIndex) {
                assert_eq!(picker.copies[piece.idx()] + picker.base, copies(piece));
            }
            let fewest = (0..PIECES).map(|piece| copies(PieceIndex(piece)) as u32).min();
            assert_eq!(picker.rarest_copies(), fewest);
        }
    }
}
