//! Verifies blocks against their merkle leaves as they come (BEP 52). A wrong block of v2 gets its
//! sender banned at once; where nobody tells the leaves, the whole piece is judged by its node.

use bytes::Bytes;
use headwater_base::{Digest1, Digest256, PeerId, PieceIndex, Set};
use headwater_metainfo::Version;

use super::Transfer;
use super::trees::{are_leaves, has_leaves};
use crate::desk::{Desk, Job};
use crate::picker::{BlockAt, Hashed};
use crate::{Action, PieceData, StoreError, limit};

impl Transfer {
    /// Whether blocks are verified one by one.
    pub(super) fn hashes_blocks(&self) -> bool {
        self.metainfo.as_deref().is_some_and(has_leaves)
    }

    /// Notes a block that came, to be hashed with the others of this drain.
    pub(super) fn queue_block(&mut self, desk: &mut Desk, at: BlockAt, from: PeerId, data: &Bytes) {
        let Some(torrent) = &self.metainfo else { return };
        let held = torrent.piece_file(at.piece).map_or(0, |(_, bytes)| bytes.end - bytes.start);
        let len = held.saturating_sub(u64::from(at.begin())).min(data.len() as u64);
        if len == 0 {
            // Padding of a hybrid: no tree has it, SHA-1 judges it.
            self.leaf_known(desk, at, from, [0; 32]);
            self.try_complete(desk, at.piece);
            return;
        }
        self.trees.queue.push((at, from, data.slice(..len as usize)));
        desk.hash_due.insert(self.id);
    }

    /// Has the blocks of this drain hashed together.
    pub(crate) fn hash_queued(&mut self, desk: &mut Desk) {
        let queue = core::mem::take(&mut self.trees.queue);
        for some in queue.chunks(limit::BLOCKS_HASHED_AT_ONCE) {
            let blocks = some.iter().map(|(at, from, _)| (*at, *from)).collect();
            let job = desk.job(self.id, Job::Blocks { blocks });
            let blocks = some.iter().map(|(_, _, data)| data.clone()).collect();
            desk.act(Action::HashBlocks { job, blocks });
        }
    }

    /// Takes the leaves of blocks that came.
    pub(super) fn blocks_hashed(
        &mut self,
        desk: &mut Desk,
        blocks: &[(BlockAt, PeerId)],
        result: Result<Vec<Digest256>, StoreError>,
    ) {
        let leaves = match result {
            Ok(leaves) => leaves,
            Err(error) => return self.fail(desk, error),
        };
        assert!(leaves.len() == blocks.len(), "{} leaves, {} blocks", leaves.len(), blocks.len());
        let mut pieces = Set::new();
        for ((at, from), leaf) in blocks.iter().zip(leaves) {
            self.leaf_known(desk, *at, *from, leaf);
            pieces.insert(at.piece);
        }
        for piece in pieces {
            self.try_complete(desk, piece);
        }
        self.tell_readers(desk);
    }

    fn leaf_known(&mut self, desk: &mut Desk, at: BlockAt, from: PeerId, leaf: Digest256) {
        let Some(picker) = &mut self.picker else { return };
        match picker.hashed(at, from, leaf) {
            Hashed::Gone | Hashed::Unproven => {}
            Hashed::Right => {
                let len = picker.block_len(at).map_or(0, u64::from);
                self.charge(desk, from, len);
            }
            Hashed::Wrong => self.wrong_block(desk, at, from),
        }
    }

    /// Takes the right leaves of an open piece.
    pub(super) fn proven(&mut self, desk: &mut Desk, piece: PieceIndex, leaves: Vec<Digest256>) {
        let Some(picker) = &mut self.picker else { return };
        // Blocks that come from here on are judged one by one.
        let waited = desk.pays() && !picker.is_proven(piece);
        picker.prove(piece, leaves);
        let right = if waited { picker.right_blocks(piece) } else { Vec::new() };
        for (at, from) in picker.wrong_blocks(piece) {
            self.wrong_block(desk, at, from);
        }
        for (at, from) in right {
            let len = self.picker.as_ref().and_then(|picker| picker.block_len(at));
            self.charge(desk, from, len.map_or(0, u64::from));
        }
        self.try_complete(desk, piece);
        self.tell_readers(desk);
    }

    /// In v2 the leaf is all there is, so its word is final. In a hybrid an honest peer may have
    /// sent what the other hash asks for: the piece is judged when it is whole.
    fn wrong_block(&mut self, desk: &mut Desk, at: BlockAt, from: PeerId) {
        let (Some(torrent), Some(picker)) = (&self.metainfo, &mut self.picker) else { return };
        if torrent.version() == Version::V2 {
            self.wasted += picker.block_len(at).map_or(0, u64::from);
            picker.refuse(at);
            self.convict(desk, from, at.piece);
            self.kick_all(desk);
        }
    }

    /// Verifies a piece of which every block is here and hashed.
    fn try_complete(&mut self, desk: &mut Desk, piece: PieceIndex) {
        let (Some(torrent), Some(picker)) = (self.metainfo.clone(), &mut self.picker) else {
            return;
        };
        if !picker.is_hashed(piece) {
            return;
        }
        if picker.is_proven(piece) && !picker.wrong_blocks(piece).is_empty() {
            self.dispute(desk, piece);
            return;
        }
        let leaves = picker.leaves(piece);
        let right =
            if picker.is_proven(piece) { Some(true) } else { are_leaves(&torrent, piece, &leaves) };
        let proven = picker.is_proven(piece);
        let Some(complete) = picker.complete(piece) else { return };
        if right == Some(true) {
            if !proven {
                self.charge_piece(desk, &complete.senders, complete.data.len());
            }
            self.trees.keep(piece, leaves);
            self.trees.in_hand.insert(piece, PieceData::clone(&complete.data));
        }
        let (data, senders) = (complete.data, complete.senders);
        match torrent.version() {
            Version::V2 => self.judged(desk, piece, (data, senders), right == Some(true)),
            Version::V1 | Version::Hybrid => {
                let hashed = PieceData::clone(&data);
                let job = desk.job(self.id, Job::Hash { piece, data, senders, leaves: right });
                desk.act(Action::HashPiece { job, data: hashed });
            }
        }
    }

    /// Asks SHA-1 about a piece of a hybrid that has wrong leaves. The piece stays open.
    fn dispute(&mut self, desk: &mut Desk, piece: PieceIndex) {
        let Some(data) = self.picker.as_ref().and_then(|picker| picker.whole(piece)) else {
            return;
        };
        let job = desk.job(self.id, Job::Dispute { piece });
        desk.act(Action::HashPiece { job, data: PieceData::new(data) });
    }

    /// Takes the SHA-1 of a disputed piece: either somebody lied, or the torrent does.
    pub(super) fn disputed(
        &mut self,
        desk: &mut Desk,
        piece: PieceIndex,
        result: Result<Digest1, StoreError>,
    ) {
        let (Some(torrent), Some(picker)) = (&self.metainfo, &mut self.picker) else { return };
        match result {
            Err(error) => self.fail(desk, error),
            Ok(digest) if torrent.pieces.get(piece.idx()) == Some(&digest) => {
                self.fail(desk, StoreError::Contradiction(piece));
            }
            Ok(_) => {
                for (at, from) in picker.wrong_blocks(piece) {
                    let Some(picker) = &mut self.picker else { return };
                    self.wasted += picker.block_len(at).map_or(0, u64::from);
                    picker.refuse(at);
                    self.convict(desk, from, piece);
                }
                self.kick_all(desk);
            }
        }
    }

    /// One past the last byte that can be read from `start` on: stored, or verified.
    pub(super) fn ready_until(&self, start: u64) -> u64 {
        let (Some(torrent), Some(picker)) = (&self.metainfo, &self.picker) else { return start };
        let mut end = picker.stored_until(start);
        while has_leaves(torrent) && end < torrent.length.0 {
            let length = u64::from(torrent.piece_length);
            let (piece, begin) = (PieceIndex((end / length) as u32), (end % length) as u32);
            let until = match self.trees.in_hand.get(&piece) {
                Some(data) => data.len() as u32,
                // What nobody waits for may be thrown away again.
                None if picker.is_awaited(piece) => picker.right_until(piece, begin),
                None => begin,
            };
            if until <= begin {
                break;
            }
            let first = u64::from(piece.0) * length;
            let whole = until == torrent.piece_len(piece);
            end = first + if whole { length } else { u64::from(until) };
            end = picker.stored_until(end.min(torrent.length.0));
        }
        end
    }

    /// Verified bytes of a piece that is not stored yet.
    pub(crate) fn read_open(&self, piece: PieceIndex, begin: u32, len: u32) -> Option<Bytes> {
        if let Some(data) = self.trees.in_hand.get(&piece) {
            let end = begin.checked_add(len)? as usize;
            return data.get(begin as usize..end).map(Bytes::copy_from_slice);
        }
        self.picker.as_ref()?.read_open(piece, begin, len)
    }
}
