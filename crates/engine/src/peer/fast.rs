//! What two peers allow and suggest each other (BEP 6). Knows pieces only.

use std::collections::VecDeque;

use headwater_base::{Bitfield, Map, PieceIndex, Set};

use crate::limit;

/// Pieces with which the fast extension makes exceptions.
#[derive(Debug, Default)]
pub(crate) struct FastPieces {
    /// Pieces we may ask for though the peer chokes us.
    allowed: Set<PieceIndex>,
    /// Pieces the peer would like to send, the newest first.
    suggested: VecDeque<PieceIndex>,
    /// Pieces the peer may ask for though we choke it, and how many bytes of each.
    granted: Map<PieceIndex, u32>,
}

impl FastPieces {
    /// Takes that we may ask for `piece` though the peer chokes us.
    pub(crate) fn allow(&mut self, piece: PieceIndex) {
        if self.allowed.len() < limit::ALLOWED_FAST_MAX {
            self.allowed.insert(piece);
        }
    }

    /// Forgets that we may ask for `piece`: the peer refused it.
    pub(crate) fn disallow(&mut self, piece: PieceIndex) {
        self.allowed.remove(&piece);
    }

    /// Whether we may ask for `piece` though the peer chokes us.
    pub(crate) fn is_allowed(&self, piece: PieceIndex) -> bool {
        self.allowed.contains(&piece)
    }

    /// Whether we may ask for anything though the peer chokes us.
    pub(crate) fn allows_any(&self) -> bool {
        !self.allowed.is_empty()
    }

    /// The pieces of `has` that we may ask for though the peer chokes us.
    pub(crate) fn allowed_of(&self, has: &Bitfield) -> Bitfield {
        let mut both = Bitfield::empty(has.len());
        for piece in self.allowed.iter().filter(|piece| has.has(**piece)) {
            both.set(*piece);
        }
        both
    }

    /// Takes that the peer would like to send `piece`.
    pub(crate) fn suggest(&mut self, piece: PieceIndex) {
        self.suggested.retain(|known| *known != piece);
        self.suggested.truncate(limit::SUGGESTED_MAX - 1);
        self.suggested.push_front(piece);
    }

    /// What the peer would like to send, the newest first.
    pub(crate) fn suggested(&self) -> impl Iterator<Item = PieceIndex> + '_ {
        self.suggested.iter().copied()
    }

    /// Whether anything was granted.
    pub(crate) fn grants_any(&self) -> bool {
        !self.granted.is_empty()
    }

    /// Lets the peer have `bytes` of `piece` though we choke it.
    pub(crate) fn grant(&mut self, piece: PieceIndex, bytes: u32) {
        self.granted.insert(piece, bytes);
    }

    /// The pieces that were granted.
    pub(crate) fn granted(&self) -> Set<PieceIndex> {
        self.granted.keys().copied().collect()
    }

    /// Takes `bytes` of what was granted; false when so much is not left.
    pub(crate) fn use_grant(&mut self, piece: PieceIndex, bytes: u32) -> bool {
        let left = self.granted.get_mut(&piece);
        left.is_some_and(|left| match left.checked_sub(bytes) {
            Some(rest) => {
                *left = rest;
                true
            }
            None => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: PieceIndex = PieceIndex(3);

    #[test]
    fn granted_piece_is_given_once() {
        let mut fast = FastPieces::default();
        assert!(!fast.use_grant(P, 1));
        fast.grant(P, 40_000);
        assert!(fast.use_grant(P, 16_384) && fast.use_grant(P, 16_384));
        assert!(!fast.use_grant(P, 16_384) && fast.use_grant(P, 7_232));
        assert!(!fast.use_grant(P, 1) && fast.granted().contains(&P));
    }

    #[test]
    fn memory_of_what_is_allowed_and_suggested_is_bounded() {
        let mut fast = FastPieces::default();
        for piece in 0..1000 {
            fast.allow(PieceIndex(piece));
            fast.suggest(PieceIndex(piece));
        }
        assert_eq!(fast.allowed.len(), limit::ALLOWED_FAST_MAX);
        assert_eq!(fast.suggested.len(), limit::SUGGESTED_MAX);
        fast.suggest(PieceIndex(999));
        let newest: Vec<u32> = fast.suggested().take(2).map(|piece| piece.0).collect();
        assert_eq!(newest, [999, 998]);
        fast.disallow(PieceIndex(0));
        assert!(!fast.is_allowed(PieceIndex(0)) && fast.is_allowed(PieceIndex(1)));
    }

    #[test]
    fn only_pieces_the_peer_has_are_asked_while_it_chokes() {
        let mut fast = FastPieces::default();
        fast.allow(PieceIndex(1));
        fast.allow(PieceIndex(2));
        fast.allow(PieceIndex(90));
        let mut has = Bitfield::empty(10);
        has.set(PieceIndex(2));
        has.set(PieceIndex(5));
        let both: Vec<u32> = fast.allowed_of(&has).ones().map(|piece| piece.0).collect();
        assert_eq!(both, [2]);
    }
}
