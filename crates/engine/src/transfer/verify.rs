//! The way of a complete piece: hashed, then written, and only then had.

use headwater_base::{Digest1, PeerId, PieceIndex};

use super::{Stage, Transfer};
use crate::desk::{Desk, Job};
use crate::picker::Complete;
use crate::{Action, CloseReason, Event, PieceData, StoreError, Warning};

impl Transfer {
    /// Has a complete piece hashed.
    pub(super) fn completed(&mut self, desk: &mut Desk, piece: PieceIndex) {
        let Some(picker) = &mut self.picker else { return };
        let Some(complete) = picker.complete(piece) else { return };
        let Complete { data, senders } = complete;
        let hashed = PieceData::clone(&data);
        let done = Job::Hash { piece, data, senders, leaves: None };
        let job = desk.job(self.id, done);
        desk.act(Action::HashPiece { job, data: hashed });
    }

    /// Takes a piece's SHA-1. A hybrid whose two hashes disagree is wrong itself.
    pub(super) fn hashed(
        &mut self,
        desk: &mut Desk,
        piece: PieceIndex,
        (data, senders, leaves): (PieceData, Vec<PeerId>, Option<bool>),
        result: Result<Digest1, StoreError>,
    ) {
        let Some(metainfo) = &self.metainfo else { return };
        let digest = match result {
            Ok(digest) => digest,
            Err(error) => {
                self.fail(desk, error);
                return;
            }
        };
        let right = metainfo.pieces.get(piece.idx()) == Some(&digest);
        if leaves.is_some_and(|leaves| leaves != right) {
            self.fail(desk, StoreError::Contradiction(piece));
            return;
        }
        if right && leaves.is_none() {
            self.charge_piece(desk, &senders, data.len());
        }
        self.judged(desk, piece, (data, senders), right);
    }

    /// Has a right piece written, and a wrong one fetched again.
    pub(super) fn judged(
        &mut self,
        desk: &mut Desk,
        piece: PieceIndex,
        (data, senders): (PieceData, Vec<PeerId>),
        right: bool,
    ) {
        if right {
            let done = Job::Write { piece, data: PieceData::clone(&data) };
            let job = desk.job(self.id, done);
            let guilty = self.blame.passed(piece, &data);
            desk.act(Action::WritePiece { job, torrent: self.id, piece, data });
            for peer in guilty {
                self.convict(desk, peer, piece);
            }
            return;
        }
        self.wasted += data.len() as u64;
        let guilty = self.blame.failed(piece, &data, &senders);
        if let Some(picker) = &mut self.picker {
            picker.failed(piece, true, data);
        }
        if let Some(peer) = guilty {
            self.convict(desk, peer, piece);
        }
        self.kick_hungry(desk);
    }

    pub(super) fn convict(&mut self, desk: &mut Desk, peer: PeerId, piece: PieceIndex) {
        if self.blame.is_banned(peer) {
            return;
        }
        if self.ban_web_seed(desk, peer, piece) {
            return;
        }
        self.tell_bad(desk, peer);
        desk.warn(self.id, Warning::PeerBanned { peer, piece });
        self.ban(desk, peer, &CloseReason::Poisoned(piece));
    }

    /// Takes that a piece is written: from here on it is had.
    pub(super) fn written(
        &mut self,
        desk: &mut Desk,
        piece: PieceIndex,
        data: PieceData,
        result: Result<(), StoreError>,
    ) {
        if let Err(error) = result {
            self.fail(desk, error);
            return;
        }
        self.trees.in_hand.remove(&piece);
        let Some(picker) = &mut self.picker else { return };
        let wanted = picker.is_wanted(piece);
        picker.stored(piece, data);
        let is_short = picker.is_short();
        self.had(desk, piece, wanted);
        if is_short {
            self.kick_hungry(desk);
        }
    }

    /// Tells of a piece that is stored.
    pub(super) fn had(&mut self, desk: &mut Desk, piece: PieceIndex, wanted: bool) {
        desk.tell(Event::PieceStored { torrent: self.id, piece });
        if wanted {
            let mut useless = Vec::new();
            for peer in self.peers.values_mut().filter(|peer| peer.has.has(piece)) {
                peer.useful = peer.useful.saturating_sub(1);
                if peer.useful == 0 {
                    useless.push(peer.link);
                }
            }
            for link in useless {
                self.reconsider(desk, link);
            }
        }
        if self.stage == Stage::Running {
            self.tell_have(desk, piece);
            self.tell_discovery(desk);
        }
        self.tell_readers(desk);
        self.tell_if_done(desk);
    }
}
