//! Gives hashes to peers (BEP 52), whatever is choked. What that costs one peer may cause is
//! limited: beyond it, and for what no tree has, requests are refused in words.

use headwater_base::{BLOCK_LEN, Digest256, LinkId, PieceIndex};
use headwater_metainfo::Torrent;
use headwater_metainfo::merkle::{self, Tree};
use headwater_wire::{HashSpan, Message};

use super::trees::{are_leaves, has_leaves, shape};
use super::{Stage, Transfer};
use crate::desk::{Desk, Job};
use crate::{Action, StoreError, limit};

/// What came of a hash request.
enum Answer {
    Hashes(Vec<Digest256>),
    Refused,
    /// A stored piece has to be hashed first.
    Later,
}

impl Transfer {
    /// Notes a peer's wish for hashes, or refuses it.
    pub(super) fn hashes_asked_by(&mut self, desk: &mut Desk, link: LinkId, span: HashSpan) {
        let known = self.metainfo.as_deref().is_some_and(|torrent| {
            self.trees.file(&span.root).is_some_and(|file| is_served(torrent, file, &span))
        });
        let Some(peer) = self.peers.get_mut(&link) else { return };
        if known && peer.hashes.wanted.len() < limit::HASHES_SERVED_MAX {
            peer.hashes.wanted.push_back(span);
        } else {
            peer.outbox.say(&Message::HashReject(span));
        }
        desk.kicks.insert((self.id, link));
    }

    /// Sends hashes as far as the link's window goes.
    pub(super) fn serve_hashes(&mut self, desk: &mut Desk, link: LinkId) {
        while let Some(peer) = self.peers.get_mut(&link)
            && let Some(&span) = peer.hashes.wanted.front()
        {
            let len = 5 + HashSpan::LEN + span.count() as usize * 32;
            if !peer.outbox.takes(desk, len) {
                return;
            }
            let answer = self.answer(desk, link, &span);
            let Some(peer) = self.peers.get_mut(&link) else { return };
            let message = match answer {
                Answer::Later => return,
                Answer::Refused => Message::HashReject(span),
                Answer::Hashes(hashes) => {
                    let hashes = hashes.as_flattened().to_vec().into();
                    Message::Hashes { span, hashes }
                }
            };
            peer.hashes.wanted.pop_front();
            peer.outbox.say(&message);
        }
    }

    fn answer(&mut self, desk: &mut Desk, link: LinkId, span: &HashSpan) -> Answer {
        let Some(torrent) = self.metainfo.clone() else { return Answer::Refused };
        let Some(file) = self.trees.file(&span.root) else { return Answer::Refused };
        let (layer, height) = shape(&torrent, file);
        let low = if span.base < layer {
            let first = torrent.file_pieces(file).start;
            let piece = PieceIndex(first + (u64::from(span.index) >> layer) as u32);
            let Some(leaves) = self.trees.kept(piece) else {
                return self.hash_for(desk, link, piece);
            };
            if leaves.is_empty() {
                return Answer::Refused;
            }
            let width = 1 << layer.min(height);
            Some(Tree::new(merkle::run(leaves, 0, 0..width), 0))
        } else {
            None
        };
        let top = span.base + span.proof_layers;
        let is_low = span.base < layer && (span.uncles() == 0 || top < layer);
        let nodes = torrent.layers.of(&span.root).map_or(0, <[_]>::len);
        let built = is_low || self.trees.has_tall(&span.root);
        let cost = if built { u64::from(span.count()) } else { nodes as u64 } * 64;
        if !self.may_cost(link, cost) {
            return Answer::Refused;
        }
        let high = if is_low { None } else { self.trees.tall(&torrent, &span.root) };
        match nodes_of(span, layer, low.as_ref(), high) {
            Some(hashes) => Answer::Hashes(hashes),
            None => Answer::Refused,
        }
    }

    /// Has a stored piece hashed so that its leaves can be given.
    fn hash_for(&mut self, desk: &mut Desk, link: LinkId, piece: PieceIndex) -> Answer {
        let stored = self.picker.as_ref().is_some_and(|picker| picker.have().has(piece));
        if self.stage != Stage::Running || !stored {
            return Answer::Refused;
        }
        if self.trees.hashing.contains(&piece) {
            return Answer::Later;
        }
        let cost = self.picker.as_ref().map_or(0, |picker| picker.piece_len(piece));
        if self.trees.hashing.len() >= limit::CHECKS_MAX {
            return Answer::Later;
        }
        if !self.may_cost(link, u64::from(cost)) {
            return Answer::Refused;
        }
        self.trees.hashing.insert(piece);
        let job = desk.job(self.id, Job::Prove { piece });
        desk.act(Action::HashLeaves { job, torrent: self.id, piece });
        Answer::Later
    }

    /// Counts bytes that are hashed for a peer; false when they are too many.
    fn may_cost(&mut self, link: LinkId, bytes: u64) -> bool {
        let Some(peer) = self.peers.get_mut(&link) else { return false };
        let cost = peer.hashes.cost + bytes;
        let fits = cost <= limit::HASHED_FOR_PEER + peer.sent.total();
        if fits {
            peer.hashes.cost = cost;
        }
        fits
    }

    /// Takes the leaves of a stored piece that somebody asked for.
    pub(super) fn leaves_read(
        &mut self,
        desk: &mut Desk,
        piece: PieceIndex,
        result: Result<Vec<Digest256>, StoreError>,
    ) {
        self.trees.hashing.remove(&piece);
        let Some(torrent) = &self.metainfo else { return };
        let leaves = result.unwrap_or_default();
        if are_leaves(torrent, piece, &leaves) == Some(true) {
            self.trees.keep(piece, leaves);
        } else {
            self.trees.keep(piece, Vec::new());
            self.doubt(desk, piece);
        }
        self.kick_all(desk);
    }
}

/// Whether a file's tree has such hashes, and we give them: leaves of one piece, or a part of the
/// piece layer.
fn is_served(torrent: &Torrent, file: usize, span: &HashSpan) -> bool {
    if !has_leaves(torrent) || span.check().is_err() {
        return false;
    }
    let (layer, height) = shape(torrent, file);
    let HashSpan { base, index, length, proof_layers, .. } = *span;
    let inside = base < height
        && base + proof_layers < height
        && u64::from(index) + u64::from(length) <= 1 << (height - base);
    let blocks = torrent.files[file].length.0.div_ceil(u64::from(BLOCK_LEN));
    let starts = u64::from(index) << base < blocks;
    let kind = if base == 0 && layer > 0 { length <= 1 << layer } else { base == layer };
    inside && starts && kind
}

/// The run and its uncles, out of the tree below a piece's node and the one above the layer.
fn nodes_of(
    span: &HashSpan,
    layer: u32,
    low: Option<&Tree>,
    high: Option<&Tree>,
) -> Option<Vec<Digest256>> {
    let node = |at: u32, index: u64| {
        if at < layer {
            // The tree of one piece: places count from its own first node.
            low.and_then(|tree| tree.node(at, index % (1 << (layer - at))))
        } else {
            high.and_then(|tree| tree.node(at, index))
        }
    };
    let (index, length) = (u64::from(span.index), u64::from(span.length));
    let run = (index..index + length).map(|at| node(span.base, at));
    let first = span.base + span.length.ilog2();
    let uncles = (0..span.uncles()).map(|up| {
        let at = first + up;
        node(at, (index >> (at - span.base)) ^ 1)
    });
    run.chain(uncles).collect()
}
