//! Merkle trees over SHA-256 (BEP 52): leaves, roots, layers, and proofs made and checked.
//! Layer 0 is the leaves. What is past a file's end counts as zero leaves, never as zero nodes.

mod tree;

use core::ops::Range;

use headwater_base::{BLOCK_LEN, Digest256, sha256, sha256_many};

pub use tree::Tree;

/// The leaf of a block. The last block of a file is hashed as short as it is.
pub fn leaf(block: &[u8]) -> Digest256 {
    sha256(block)
}

/// The leaves of bytes that start at a block.
pub fn leaves(bytes: &[u8]) -> Vec<Digest256> {
    let blocks: Vec<&[u8]> = bytes.chunks(BLOCK_LEN as usize).collect();
    sha256_many(&blocks)
}

/// The node above two others.
pub fn parent(left: &Digest256, right: &Digest256) -> Digest256 {
    let mut pair = [0; 64];
    pair[..32].copy_from_slice(left);
    pair[32..].copy_from_slice(right);
    sha256(&pair)
}

/// The node of `layer` below which every leaf is zero: what stands where a file has ended.
pub fn padding(layer: u32) -> Digest256 {
    (0..layer).fold([0; 32], |node, _| parent(&node, &node))
}

/// How many layers lie above `count` nodes side by side, the root's included.
pub fn height(count: u64) -> u32 {
    count.max(1).next_power_of_two().trailing_zeros()
}

/// How many blocks `length` bytes have.
pub fn block_count(length: u64) -> u64 {
    length.div_ceil(u64::from(BLOCK_LEN))
}

/// The layer whose nodes cover one piece each.
pub fn piece_layer(piece_length: u32) -> u32 {
    height(block_count(u64::from(piece_length)))
}

/// The node `height` layers above `nodes` of `layer`, which start at a multiple of 2^`height`.
/// Nodes that are missing are padding.
///
/// # Panics
/// When there are more nodes than lie below one of that height.
pub fn root(nodes: &[Digest256], layer: u32, height: u32) -> Digest256 {
    let room = 1_u64.checked_shl(height).unwrap_or(u64::MAX);
    assert!(nodes.len() as u64 <= room, "{} nodes below one of height {height}", nodes.len());
    if nodes.is_empty() {
        return padding(layer + height);
    }
    let mut pad = padding(layer);
    let mut nodes = nodes.to_vec();
    for _ in 0..height {
        nodes = above(&nodes, &pad);
        pad = parent(&pad, &pad);
    }
    nodes[0]
}

/// The layer above `nodes`; `pad` stands where the last has no neighbour.
fn above(nodes: &[Digest256], pad: &Digest256) -> Vec<Digest256> {
    let pair = |pair: &[Digest256]| match pair {
        [left, right] => parent(left, right),
        [left] => parent(left, pad),
        _ => *pad,
    };
    nodes.chunks(2).map(pair).collect()
}

/// The root of a file with these leaves (`pieces root`).
pub fn file_root(leaves: &[Digest256]) -> Digest256 {
    root(leaves, 0, height(leaves.len() as u64))
}

/// The layer of a file that has one node for each piece, as `piece layers` holds it.
pub fn layer_of_pieces(leaves: &[Digest256], piece_length: u32) -> Vec<Digest256> {
    let layer = piece_layer(piece_length);
    leaves.chunks(1 << layer).map(|piece| root(piece, 0, layer)).collect()
}

/// Hashes that prove a run of nodes: themselves, then the uncles from below (BEP 52).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The run: a power of two of neighbours, the first at a multiple of that.
    pub nodes: Vec<Digest256>,
    /// The neighbours of what the run hashes up to, layer by layer.
    pub uncles: Vec<Digest256>,
}

impl Proof {
    /// What the run and the uncles hash up to, when the run starts at `index` of `layer`; `None`
    /// when no run of that length can start there. It lies as many layers above the run's own
    /// node as there are uncles.
    pub fn climb(&self, layer: u32, index: u64) -> Option<Digest256> {
        let len = self.nodes.len() as u64;
        if !len.is_power_of_two() || !index.is_multiple_of(len) {
            return None;
        }
        let top = root(&self.nodes, layer, height(len));
        let mut at = index / len;
        Some(self.uncles.iter().fold(top, |node, uncle| {
            let is_right = at % 2 == 1;
            at /= 2;
            if is_right { parent(uncle, &node) } else { parent(&node, uncle) }
        }))
    }

    /// Whether the run lies at `index` of `layer` in the tree with this root, whose `layer` is
    /// `height` layers below the root.
    pub fn proves(&self, root: &Digest256, layer: u32, index: u64, height: u32) -> bool {
        let len = self.nodes.len() as u64;
        let climbs = len.is_power_of_two()
            && self.uncles.len() as u64 + u64::from(self::height(len)) == u64::from(height);
        let inside = 1_u64.checked_shl(height).is_some_and(|width| index < width);
        climbs && inside && self.climb(layer, index).as_ref() == Some(root)
    }
}

/// The nodes `range` of a layer of which `nodes` are known and the rest is padding.
pub fn run(nodes: &[Digest256], layer: u32, range: Range<u64>) -> Vec<Digest256> {
    let mut pad = None;
    let node = |at: u64| usize::try_from(at).ok().and_then(|at| nodes.get(at)).copied();
    range.map(|at| node(at).unwrap_or_else(|| *pad.get_or_insert_with(|| padding(layer)))).collect()
}

#[cfg(test)]
mod tests;
