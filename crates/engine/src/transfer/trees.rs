//! What is known of a torrent's merkle trees (BEP 52), what is asked for, and what is kept to
//! prove hashes to others. Checks hashes; asks nobody by itself.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use headwater_base::{Digest256, LinkId, Map, PeerId, PieceIndex, Set, Time};
use headwater_metainfo::merkle::{self, Proof, Tree};
use headwater_metainfo::{Torrent, Version};
use headwater_wire::HashSpan;

use crate::picker::BlockAt;
use crate::{PieceData, limit};

/// What hashes were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A part of a file's piece layer.
    Layer(Part),
    /// The leaves of a piece.
    Leaves(PieceIndex),
}

/// A part of the piece layer of the files with this root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) root: Digest256,
    /// Which of the parts of `limit::HASHES_ASKED_FOR` hashes.
    pub(super) number: u32,
}

/// Hashes that a peer was asked for.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) link: LinkId,
    pub(super) span: HashSpan,
    pub(super) purpose: Purpose,
    pub(super) at: Time,
    /// It was given up; what comes all the same is no offence.
    pub(super) overdue: bool,
}

/// A piece layer that comes in parts.
#[derive(Debug)]
struct Lacking {
    /// A file with this root.
    file: usize,
    nodes: Vec<Digest256>,
    /// The parts that are not here.
    parts: Set<u32>,
}

/// Everything about one torrent's trees. Empty for v1.
#[derive(Default)]
pub(super) struct Trees {
    /// Metadata that waits for its layers before anything else can begin.
    pub(super) pending: Option<Arc<Torrent>>,
    /// A file for each root, roots ascending.
    files: Vec<(Digest256, usize)>,
    lacking: Map<Digest256, Lacking>,
    layers: Vec<(Digest256, Vec<Digest256>)>,
    /// Parts to ask for.
    pub(super) to_ask: VecDeque<Part>,
    pub(super) asked: Vec<Asked>,
    /// Blocks of this drain that are to be hashed.
    pub(super) queue: Vec<(BlockAt, PeerId, Bytes)>,
    /// Pieces whose blocks are right and which are not stored yet.
    pub(super) in_hand: Map<PieceIndex, PieceData>,
    /// Stored pieces being hashed for others.
    pub(super) hashing: Set<PieceIndex>,
    /// Leaves of stored pieces, oldest first; none when they turned out wrong.
    leaves: VecDeque<(PieceIndex, Vec<Digest256>)>,
    leaves_kept: usize,
    /// Trees above piece layers, for proofs.
    tall: VecDeque<(Digest256, Tree)>,
}

impl Trees {
    /// Forgets what is under way.
    pub(super) fn stop(&mut self) {
        self.queue.clear();
        self.in_hand.clear();
        self.hashing.clear();
    }

    /// Takes the torrent's shape, and lists the layers it lacks.
    pub(super) fn learn(&mut self, torrent: &Torrent) {
        let files = torrent.files.iter().enumerate();
        self.files = files.filter_map(|(at, file)| file.root.map(|root| (root, at))).collect();
        self.files.sort();
        self.files.dedup_by_key(|(root, _)| *root);
        let lacking: Vec<usize> = torrent.layerless_files().collect();
        let mut layers = Vec::new();
        for file in lacking {
            let Some(root) = torrent.files[file].root else { continue };
            let count = torrent.file_pieces(file).len() as u32;
            let parts: Set<u32> = (0..count.div_ceil(limit::HASHES_ASKED_FOR)).collect();
            layers.push((root, Lacking { file, nodes: vec![[0; 32]; count as usize], parts }));
        }
        self.lacking = layers.into_iter().collect();
        let parts = self.lacking.iter();
        let parts = parts.flat_map(|(root, layer)| {
            layer.parts.iter().map(|number| Part { root: *root, number: *number })
        });
        self.to_ask = parts.collect();
    }

    /// Whether some layer is not known.
    pub(super) fn lacks_layers(&self) -> bool {
        !self.lacking.is_empty()
    }

    /// The file with this root.
    pub(super) fn file(&self, root: &Digest256) -> Option<usize> {
        let at = self.files.binary_search_by_key(&root, |(root, _)| root).ok()?;
        Some(self.files[at].1)
    }

    /// What to ask for a part of a layer; `None` when it is here.
    pub(super) fn part_span(&self, torrent: &Torrent, part: Part) -> Option<HashSpan> {
        let lacking = self.lacking.get(&part.root)?;
        if !lacking.parts.contains(&part.number) {
            return None;
        }
        let index = part.number * limit::HASHES_ASKED_FOR;
        let rest = lacking.nodes.len() as u32 - index;
        let length = rest.next_power_of_two().clamp(2, limit::HASHES_ASKED_FOR);
        let (base, height) = shape(torrent, lacking.file);
        let proof_layers = height.checked_sub(base + 1)?;
        Some(HashSpan { root: part.root, base, index, length, proof_layers })
    }

    /// Takes a part of a layer. Answers false when it is wrong.
    pub(super) fn part(&mut self, torrent: &Torrent, span: &HashSpan, proof: &Proof) -> bool {
        let Some(lacking) = self.lacking.get_mut(&span.root) else { return true };
        let (base, height) = shape(torrent, lacking.file);
        if !proof.proves(&span.root, base, u64::from(span.index), height - base) {
            return false;
        }
        let start = span.index as usize;
        for (node, found) in lacking.nodes.iter_mut().skip(start).zip(&proof.nodes) {
            *node = *found;
        }
        lacking.parts.remove(&(span.index / limit::HASHES_ASKED_FOR));
        if lacking.parts.is_empty()
            && let Some(lacking) = self.lacking.remove(&span.root)
        {
            self.layers.push((span.root, lacking.nodes));
        }
        true
    }

    /// The layers that came, once none is lacking.
    pub(super) fn take_layers(&mut self) -> Option<Vec<(Digest256, Vec<Digest256>)>> {
        (self.lacking.is_empty() && !self.layers.is_empty())
            .then(|| core::mem::take(&mut self.layers))
    }

    /// Takes a request off the list.
    pub(super) fn answered(&mut self, link: LinkId, span: &HashSpan) -> Option<Asked> {
        let at = self.asked.iter().position(|asked| asked.link == link && asked.span == *span)?;
        Some(self.asked.swap_remove(at))
    }

    /// How many requests a peer owes an answer.
    pub(super) fn owed_by(&self, link: LinkId) -> usize {
        self.asked.iter().filter(|asked| asked.link == link).count()
    }

    /// Forgets a link. Answers what it was asked for.
    pub(super) fn link_gone(&mut self, link: LinkId) -> Vec<Purpose> {
        let lost = self.asked.iter().filter(|asked| asked.link == link && !asked.overdue);
        let lost = lost.map(|asked| asked.purpose).collect();
        self.asked.retain(|asked| asked.link != link);
        lost
    }

    /// Gives up what was asked too long ago. Answers it.
    pub(super) fn give_up(&mut self, now: Time) -> Vec<(LinkId, Purpose)> {
        let late = |asked: &&mut Asked| asked.at + limit::HASHES_PATIENCE <= now && !asked.overdue;
        let late = self.asked.iter_mut().filter(late).map(|asked| {
            asked.overdue = true;
            (asked.link, asked.purpose)
        });
        late.collect()
    }

    /// Keeps the leaves of a stored piece, so that they can be proven to others.
    pub(super) fn keep(&mut self, piece: PieceIndex, leaves: Vec<Digest256>) {
        self.forget(piece);
        self.leaves_kept += leaves.len();
        self.leaves.push_back((piece, leaves));
        while (self.leaves_kept > limit::LEAVES_KEPT || self.leaves.len() > limit::LEAF_PIECES_KEPT)
            && let Some((_, leaves)) = self.leaves.pop_front()
        {
            self.leaves_kept -= leaves.len();
        }
    }

    fn forget(&mut self, piece: PieceIndex) {
        if let Some(at) = self.leaves.iter().position(|(known, _)| *known == piece)
            && let Some((_, leaves)) = self.leaves.remove(at)
        {
            self.leaves_kept -= leaves.len();
        }
    }

    /// The leaves kept of a piece.
    pub(super) fn kept(&self, piece: PieceIndex) -> Option<&[Digest256]> {
        let found = self.leaves.iter().rev().find(|(known, _)| *known == piece);
        found.map(|(_, leaves)| leaves.as_slice())
    }

    /// The tree above the piece layer of the files with this root; `None` when that is unknown.
    pub(super) fn tall(&mut self, torrent: &Torrent, root: &Digest256) -> Option<&Tree> {
        let at = match self.tall.iter().position(|(known, _)| known == root) {
            Some(at) => at,
            None => {
                let layer = torrent.layers.of(root)?.to_vec();
                let tree = Tree::new(layer, merkle::piece_layer(torrent.piece_length));
                if self.tall.len() >= limit::TREES_KEPT {
                    self.tall.pop_front();
                }
                self.tall.push_back((*root, tree));
                self.tall.len() - 1
            }
        };
        self.tall.get(at).map(|(_, tree)| tree)
    }

    /// Whether that tree is at hand.
    pub(super) fn has_tall(&self, root: &Digest256) -> bool {
        self.tall.iter().any(|(known, _)| known == root)
    }
}

/// The piece layer of a file, and how many layers lie between its leaves and its root.
pub(super) fn shape(torrent: &Torrent, file: usize) -> (u32, u32) {
    let length = torrent.files.get(file).map_or(0, |file| file.length.0);
    let height = merkle::height(merkle::block_count(length));
    (merkle::piece_layer(torrent.piece_length), height)
}

/// Whether blocks of a torrent have leaves.
pub(super) fn has_leaves(torrent: &Torrent) -> bool {
    match torrent.version() {
        Version::V1 => false,
        Version::V2 | Version::Hybrid => true,
    }
}

/// Whether these are the leaves of `piece`; `None` while nobody can tell.
pub(super) fn are_leaves(
    torrent: &Torrent,
    piece: PieceIndex,
    leaves: &[Digest256],
) -> Option<bool> {
    let node = torrent.piece_node(piece)?;
    let height = torrent.piece_height(piece);
    // In hybrids blocks of padding follow, which no tree has.
    let most = leaves.len().min(1 << height);
    Some(merkle::root(&leaves[..most], 0, height) == node)
}
