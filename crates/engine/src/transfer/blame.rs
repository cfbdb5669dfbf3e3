//! Finds who sent wrong blocks. One sender of a wrong piece is guilty at once; of several, those
//! whose blocks differ from the right ones once the piece has passed.

use std::collections::VecDeque;

use headwater_base::{BLOCK_LEN, Digest1, Map, PeerId, PieceIndex, Set, sha1};

use crate::limit;

/// Who sent which block of a piece that failed.
type Failure = Vec<(PeerId, Digest1)>;

/// What is known of wrong pieces and of those who sent them.
#[derive(Debug, Default)]
pub(super) struct Blame {
    failures: Map<PieceIndex, Vec<Failure>>,
    banned: Set<PeerId>,
    order: VecDeque<PeerId>,
}

impl Blame {
    pub(super) fn is_banned(&self, peer: PeerId) -> bool {
        self.banned.contains(&peer)
    }

    /// Refuses a peer from here on.
    pub(super) fn ban(&mut self, peer: PeerId) {
        if self.banned.insert(peer) {
            self.order.push_back(peer);
        }
        if self.order.len() > limit::BANNED_MAX
            && let Some(first) = self.order.pop_front()
        {
            self.banned.remove(&first);
        }
    }

    /// Takes a piece that does not hash right. Answers who is guilty, if that is certain.
    pub(super) fn failed(
        &mut self,
        piece: PieceIndex,
        data: &[u8],
        senders: &[PeerId],
    ) -> Option<PeerId> {
        let first = *senders.first()?;
        if senders.iter().all(|sender| *sender == first) {
            return Some(first);
        }
        if self.failures.len() >= limit::FAILED_PIECES_MAX && !self.failures.contains_key(&piece) {
            self.failures.pop_first();
        }
        let failures = self.failures.entry(piece).or_default();
        if failures.len() < limit::FAILURES_PER_PIECE_MAX {
            let blocks = data.chunks(BLOCK_LEN as usize);
            failures.push(senders.iter().copied().zip(blocks.map(sha1)).collect());
        }
        None
    }

    /// Takes a piece that hashes right. Answers who sent wrong blocks of it before.
    pub(super) fn passed(&mut self, piece: PieceIndex, data: &[u8]) -> Set<PeerId> {
        let Some(failures) = self.failures.remove(&piece) else { return Set::new() };
        let right: Vec<Digest1> = data.chunks(BLOCK_LEN as usize).map(sha1).collect();
        let wrong = |failure: &Failure| {
            let pairs = failure.iter().zip(&right);
            pairs.filter(|((_, sent), right)| sent != *right).map(|((peer, _), _)| *peer).collect()
        };
        failures.iter().flat_map(|failure| -> Vec<PeerId> { wrong(failure) }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: PeerId = PeerId([1; 20]);
    const B: PeerId = PeerId([2; 20]);

    #[test]
    fn single_sender_is_guilty_at_once() {
        let mut blame = Blame::default();
        assert_eq!(blame.failed(PieceIndex(0), &[0; 40_000], &[A, A, A]), Some(A));
    }

    #[test]
    fn one_of_several_senders_is_found_by_comparison() {
        let mut blame = Blame::default();
        let right = vec![7; 40_000];
        let mut wrong = right.clone();
        wrong[20_000] = 8;
        assert_eq!(blame.failed(PieceIndex(3), &wrong, &[A, B, A]), None);
        assert_eq!(blame.passed(PieceIndex(4), &right), Set::new());
        assert_eq!(blame.passed(PieceIndex(3), &right), Set::from([B]));
        assert_eq!(blame.passed(PieceIndex(3), &right), Set::new());
    }

    #[test]
    fn memory_of_bans_and_failures_is_bounded() {
        let mut blame = Blame::default();
        let name = |at: usize| PeerId(core::array::from_fn(|i| (at as u64).to_le_bytes()[i % 8]));
        for at in 0..limit::BANNED_MAX + 1 {
            blame.ban(name(at));
        }
        assert!(!blame.is_banned(name(0)) && blame.is_banned(name(limit::BANNED_MAX)));
        for piece in 0..1000 {
            blame.failed(PieceIndex(piece), &[0; 20_000], &[A, B]);
        }
        assert_eq!(blame.failures.len(), limit::FAILED_PIECES_MAX);
    }
}
