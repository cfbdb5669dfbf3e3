//! Asks peers for hashes (BEP 52): piece layers that a magnet link lacks, and the leaves of pieces
//! that are opened. What does not prove itself gets its sender banned.

use std::sync::Arc;

use bytes::Bytes;
use headwater_base::{BLOCK_LEN, Digest256, LinkId, PieceIndex};
use headwater_metainfo::merkle::Proof;
use headwater_metainfo::{Torrent, Version};
use headwater_wire::{HashSpan, Message};

use super::trees::{Asked, Part, Purpose, has_leaves};
use super::{Stage, Transfer};
use crate::desk::Desk;
use crate::timer::Timer;
use crate::{CloseReason, Warning, limit};

const UNASKED: CloseReason = CloseReason::Rule("peer sends hashes that nobody asked for");

impl Transfer {
    /// The torrent whose trees are meant, though it may still lack its layers.
    pub(super) fn shape(&self) -> Option<Arc<Torrent>> {
        self.metainfo.clone().or_else(|| self.trees.pending.clone())
    }

    /// Asks for parts of layers that are lacking.
    pub(super) fn ask_layers(&mut self, desk: &mut Desk) {
        if !self.is_active() || !self.trees.lacks_layers() {
            return;
        }
        let Some(torrent) = self.shape() else { return };
        for _ in 0..self.trees.to_ask.len() {
            let Some(part) = self.trees.to_ask.pop_front() else { break };
            let Some(span) = self.trees.part_span(&torrent, part) else { continue };
            let able = self.peers.values().filter(|peer| {
                let held =
                    peer.hashes.refused.is_some_and(|at| desk.now < at + limit::HASHES_RETRY);
                peer.v2 && peer.is_joined() && !held
            });
            let least = able.min_by_key(|peer| self.trees.owed_by(peer.link));
            let Some(link) = least.map(|peer| peer.link) else {
                self.trees.to_ask.push_front(part);
                break;
            };
            if self.trees.owed_by(link) >= limit::HASHES_ASKED_MAX {
                self.trees.to_ask.push_front(part);
                break;
            }
            self.ask_hashes(desk, link, span, Purpose::Layer(part));
        }
        self.watch_hashes(desk);
    }

    fn watch_hashes(&self, desk: &mut Desk) {
        if self.trees.lacks_layers() || self.trees.asked.iter().any(|asked| !asked.overdue) {
            desk.timers.start(Timer::Hashes(self.id), desk.now + limit::HASHES_ROUND);
        }
    }

    fn ask_hashes(&mut self, desk: &mut Desk, link: LinkId, span: HashSpan, purpose: Purpose) {
        let Some(peer) = self.peers.get_mut(&link) else { return };
        peer.outbox.say(&Message::HashRequest(span));
        desk.kicks.insert((self.id, link));
        let asked = Asked { link, span, purpose, at: desk.now, overdue: false };
        self.trees.asked.push(asked);
    }

    /// Asks for the leaves of the pieces that a peer was just asked blocks of.
    pub(super) fn ask_leaves_of(&mut self, desk: &mut Desk, link: LinkId, owed: usize) {
        if !self.metainfo.as_deref().is_some_and(has_leaves) {
            return;
        }
        let Some(peer) = self.peers.get(&link) else { return };
        let mut pieces: Vec<PieceIndex> =
            peer.asked.iter().skip(owed).map(|wanted| wanted.at.piece).collect();
        pieces.dedup();
        for piece in pieces {
            self.ask_leaves(desk, piece, Some(link));
        }
    }

    /// Asks for the leaves of an open piece, of `first` if it may know them.
    fn ask_leaves(&mut self, desk: &mut Desk, piece: PieceIndex, first: Option<LinkId>) {
        let (Some(torrent), Some(picker)) = (self.metainfo.clone(), &mut self.picker) else {
            return;
        };
        if !picker.lacks_leaves(piece) {
            return;
        }
        let Some(node) = torrent.piece_node(piece) else { return };
        let height = torrent.piece_height(piece);
        if height == 0 {
            // A piece of one block: its leaf is the node itself.
            self.proven(desk, piece, vec![node]);
            return;
        }
        let tries = picker.leaves_asked(piece, true);
        let Some(span) = leaf_span(&torrent, piece, height) else { return };
        if tries > limit::LEAVES_TRIES || span.length > headwater_wire::limit::HASHES_MAX {
            return;
        }
        let able = |link: &LinkId| {
            self.peers.get(link).is_some_and(|peer| {
                peer.v2 && peer.has.has(piece) && peer.hashes.leafless < limit::LEAFLESS
            }) && self.trees.owed_by(*link) < limit::HASHES_ASKED_MAX
                && !self.trees.asked.iter().any(|asked| asked.link == *link && asked.span == span)
        };
        let chosen = first.filter(able).or_else(|| self.peers.keys().copied().find(able));
        if let Some(link) = chosen {
            self.ask_hashes(desk, link, span, Purpose::Leaves(piece));
            self.watch_hashes(desk);
        }
    }

    /// Takes hashes that a peer sent.
    pub(super) fn hashes_from(
        &mut self,
        desk: &mut Desk,
        link: LinkId,
        span: &HashSpan,
        hashes: &Bytes,
    ) -> Result<(), CloseReason> {
        let Some(asked) = self.trees.answered(link, span) else { return Err(UNASKED) };
        let (nodes, _) = hashes.as_chunks::<32>();
        let (run, uncles) = nodes.split_at((span.length as usize).min(nodes.len()));
        let proof = Proof { nodes: run.to_vec(), uncles: uncles.to_vec() };
        if let Some(peer) = self.peers.get_mut(&link) {
            peer.hashes.leafless = 0;
            peer.hashes.refused = None;
        }
        match asked.purpose {
            Purpose::Layer(part) => self.layer_came(desk, link, (part, &asked.span), &proof),
            Purpose::Leaves(piece) => self.leaves_came(desk, link, piece, proof.nodes),
        }
        Ok(())
    }

    fn layer_came(
        &mut self,
        desk: &mut Desk,
        link: LinkId,
        (part, span): (Part, &HashSpan),
        proof: &Proof,
    ) {
        let Some(torrent) = self.shape() else { return };
        if !self.trees.part(&torrent, span, proof) {
            self.trees.to_ask.push_back(part);
            let piece =
                self.trees.file(&span.root).map_or(0, |file| torrent.file_pieces(file).start);
            self.lied_in_hashes(desk, link, PieceIndex(piece + span.index));
        } else if let Some(layers) = self.trees.take_layers() {
            self.layers_known(desk, Torrent::clone(&torrent).with_layers(layers));
        }
        self.ask_layers(desk);
    }

    fn layers_known(&mut self, desk: &mut Desk, torrent: Torrent) {
        if self.trees.pending.take().is_some() {
            self.metadata_known(desk, Arc::new(torrent));
            self.look_for_peers(desk);
        } else {
            self.metainfo = Some(Arc::new(torrent));
        }
    }

    fn leaves_came(
        &mut self,
        desk: &mut Desk,
        link: LinkId,
        piece: PieceIndex,
        leaves: Vec<Digest256>,
    ) {
        let right = self
            .metainfo
            .as_deref()
            .and_then(|torrent| super::trees::are_leaves(torrent, piece, &leaves));
        match right {
            Some(true) => self.proven(desk, piece, leaves),
            Some(false) => {
                self.lied_in_hashes(desk, link, piece);
                self.leaves_again(desk, piece);
            }
            None => {}
        }
    }

    fn leaves_again(&mut self, desk: &mut Desk, piece: PieceIndex) {
        if let Some(picker) = &mut self.picker {
            picker.leaves_asked(piece, false);
        }
        self.ask_leaves(desk, piece, None);
    }

    fn lied_in_hashes(&mut self, desk: &mut Desk, link: LinkId, piece: PieceIndex) {
        let Some(peer) = self.peers.get(&link).and_then(|peer| peer.id) else { return };
        desk.warn(self.id, Warning::PeerBanned { peer, piece });
        self.ban(desk, peer, &CloseReason::FalseHashes(piece));
    }

    /// Takes that a peer will not send hashes.
    pub(super) fn hashes_rejected(&mut self, desk: &mut Desk, link: LinkId, span: &HashSpan) {
        let Some(asked) = self.trees.answered(link, span) else { return };
        if !asked.overdue {
            self.hashes_failed(desk, link, asked.purpose);
        }
    }

    fn hashes_failed(&mut self, desk: &mut Desk, link: LinkId, purpose: Purpose) {
        let peer = self.peers.get_mut(&link);
        match purpose {
            Purpose::Layer(part) => {
                if let Some(peer) = peer {
                    peer.hashes.refused = Some(desk.now);
                }
                self.trees.to_ask.push_back(part);
                self.ask_layers(desk);
            }
            Purpose::Leaves(piece) => {
                if let Some(peer) = peer {
                    peer.hashes.leafless += 1;
                }
                self.leaves_again(desk, piece);
            }
        }
    }

    /// Asks others for what a link that is gone was asked for.
    pub(super) fn hashes_of_gone(&mut self, desk: &mut Desk, link: LinkId) {
        for purpose in self.trees.link_gone(link) {
            self.hashes_failed(desk, link, purpose);
        }
    }

    pub(super) fn hashes_due(&mut self, desk: &mut Desk) {
        for (link, purpose) in self.trees.give_up(desk.now) {
            self.hashes_failed(desk, link, purpose);
        }
        self.ask_layers(desk);
        self.watch_hashes(desk);
    }

    /// Whether nothing can begin before layers are here: without them v2 can verify nothing.
    pub(super) fn waits_for_layers(&mut self, desk: &mut Desk, torrent: &Arc<Torrent>) -> bool {
        self.trees.learn(torrent);
        let alone = torrent.version() == Version::V2;
        if !alone || !self.trees.lacks_layers() || self.stage != Stage::Resolving {
            return false;
        }
        self.trees.pending = Some(Arc::clone(torrent));
        self.ask_layers(desk);
        true
    }
}

/// What to ask for the leaves of a piece whose node is known: nothing above them needs proof.
fn leaf_span(torrent: &Torrent, piece: PieceIndex, height: u32) -> Option<HashSpan> {
    let (file, bytes) = torrent.piece_file(piece)?;
    let root = torrent.files.get(file)?.root?;
    let first = bytes.start / u64::from(BLOCK_LEN);
    let index = u32::try_from(first).ok()?;
    Some(HashSpan { root, base: 0, index, length: 1 << height, proof_layers: 0 })
}
