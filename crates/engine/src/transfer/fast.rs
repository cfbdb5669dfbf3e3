//! The fast extension's exceptions (BEP 6): pieces that may be asked for while choked, pieces that
//! are suggested, requests that are refused. Strict with peers that did not offer it.

use headwater_base::{InfoHash, LinkId, PieceIndex, Set, sha1};
use headwater_wire::{BlockSpan, Message};

use super::{Stage, Transfer};
use crate::desk::Desk;
use crate::peer::Peer;
use crate::{CloseReason, limit};

type Verdict = Result<(), CloseReason>;

const NOT_OFFERED: CloseReason = CloseReason::Rule("peer uses the fast extension unoffered");

/// Whether a message belongs to the fast extension.
pub(super) fn is_fast(message: &Message) -> bool {
    match message {
        Message::HaveAll
        | Message::HaveNone
        | Message::Suggest(_)
        | Message::Reject(_)
        | Message::AllowedFast(_) => true,
        Message::KeepAlive
        | Message::Choke
        | Message::Unchoke
        | Message::Interested
        | Message::NotInterested
        | Message::Have(_)
        | Message::Bitfield(_)
        | Message::Request(_)
        | Message::Piece { .. }
        | Message::Cancel(_)
        | Message::Port(_)
        | Message::HashRequest(_)
        | Message::Hashes { .. }
        | Message::HashReject(_)
        | Message::Extended { .. }
        | Message::Unknown { .. } => false,
    }
}

impl Transfer {
    /// Holds a peer to what its handshake offered, and to saying only so often what it has.
    pub(super) fn may_say(&mut self, link: LinkId, message: &Message) -> Verdict {
        let Some(peer) = self.peers.get_mut(&link) else { return Ok(()) };
        if is_fast(message) && !peer.fast {
            return Err(NOT_OFFERED);
        }
        if matches!(message, Message::Bitfield(_) | Message::HaveAll | Message::HaveNone) {
            peer.claims += 1;
            if peer.claims > limit::CLAIMS_MAX {
                return Err(CloseReason::Rule("peer says too often what it has"));
            }
        }
        Ok(())
    }

    /// Takes that a peer serves `piece` though it chokes us. Pieces that do not exist are ignored,
    /// as libtorrent does: the set is computed without regard to what anybody has.
    pub(super) fn allowed_by(&mut self, desk: &mut Desk, link: LinkId, piece: PieceIndex) {
        if self.picker.as_ref().is_some_and(|picker| piece.0 >= picker.count()) {
            return;
        }
        if let Some(peer) = self.peers.get_mut(&link) {
            peer.fast_pieces.allow(piece);
            desk.kicks.insert((self.id, link));
        }
    }

    /// Takes that a peer would like to send `piece`.
    pub(super) fn suggested_by(&mut self, link: LinkId, piece: PieceIndex) {
        let useless = |picker: &crate::picker::Picker| !picker.is_wanted(piece);
        if self.picker.as_ref().is_some_and(useless) {
            return;
        }
        if let Some(peer) = self.peers.get_mut(&link) {
            peer.fast_pieces.suggest(piece);
        }
    }

    /// Lets a starting peer ask for a few pieces though we choke it. None by default: whoever
    /// comes under a new name gets them anew, which is bandwidth for nothing in return.
    pub(super) fn grant_fast(&mut self, link: LinkId, most: usize) {
        let Some(picker) = &self.picker else { return };
        let Some(peer) = self.peers.get_mut(&link) else { return };
        let starts = peer.has.count() as usize <= most;
        let ready = self.stage == Stage::Running && peer.told_pieces && peer.fast && starts;
        if most == 0 || !ready || peer.reveal.is_some() || peer.fast_pieces.grants_any() {
            return;
        }
        let Some(id) = peer.id else { return };
        // BEP 6 starts from the peer's address. A data channel has none, so its name stands in.
        for piece in allowed_set(self.info_hash, &id.0, picker.count(), most) {
            if picker.have().has(piece) && !peer.has.has(piece) {
                peer.fast_pieces.grant(piece, picker.piece_len(piece));
                peer.outbox.say(&Message::AllowedFast(piece));
            }
        }
    }
}

/// Whether a request is served though the peer is choked: its piece was granted, is not yet given,
/// and the peer still starts (BEP 6).
pub(super) fn may_ask_choked(peer: &mut Peer, span: BlockSpan, most: usize) -> bool {
    peer.has.count() as usize <= most && peer.fast_pieces.use_grant(span.piece, span.len)
}

/// The pieces BEP 6 allows whoever starts from `name`: its address cut to 24 bits, or its peer id.
fn allowed_set(info_hash: InfoHash, name: &[u8], count: u32, most: usize) -> Set<PieceIndex> {
    let mut set = Set::new();
    let most = most.min(count as usize).min(limit::ALLOWED_FAST_MAX);
    let mut digest = sha1(&[name, &info_hash.0].concat());
    while set.len() < most {
        for word in digest.chunks_exact(4) {
            let number = word.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
            if set.len() < most {
                set.insert(PieceIndex(number % count));
            }
        }
        digest = sha1(&digest);
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allowed_set_is_that_of_bep_6() {
        let set = |most| {
            let set = allowed_set(InfoHash([0xaa; 20]), &[80, 4, 4, 0], 1313, most);
            set.into_iter().map(|piece| piece.0).collect::<Vec<_>>()
        };
        assert_eq!(set(7), [287, 376, 431, 808, 1059, 1188, 1217]);
        assert_eq!(set(9), [287, 353, 376, 431, 508, 808, 1059, 1188, 1217]);
    }

    #[test]
    fn allowed_set_of_a_small_torrent_is_all_of_it() {
        let set = allowed_set(InfoHash([1; 20]), &[7; 20], 3, 10);
        assert_eq!(set, Set::from([PieceIndex(0), PieceIndex(1), PieceIndex(2)]));
    }
}
