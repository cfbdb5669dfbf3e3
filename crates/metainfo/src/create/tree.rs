//! Hashes files into merkle trees while their bytes pass by (BEP 52). Keeps one piece's leaves
//! and one node a piece, so that memory stays small however large a file is.

use headwater_base::{BLOCK_LEN, Digest256};

use crate::merkle;

/// The tree of the file whose bytes pass by.
#[derive(Clone)]
pub(super) struct TreeHash {
    /// Layer whose nodes cover a piece.
    piece_layer: u32,
    /// Bytes of an unfinished block.
    block: Vec<u8>,
    /// Leaves of an unfinished piece.
    leaves: Vec<Digest256>,
    /// Nodes of the file's finished pieces.
    pieces: Vec<Digest256>,
}

/// What a file hashes to.
pub(super) struct FileHash {
    /// Its `pieces root`.
    pub(super) root: Digest256,
    /// Its piece layer; empty when the root is the node of its only piece.
    pub(super) layer: Vec<Digest256>,
}

impl TreeHash {
    pub(super) fn new(piece_length: u32) -> Self {
        let piece_layer = merkle::piece_layer(piece_length);
        Self { piece_layer, block: Vec::new(), leaves: Vec::new(), pieces: Vec::new() }
    }

    /// Takes the next bytes of the file.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) {
        const BLOCK: usize = BLOCK_LEN as usize;
        while !bytes.is_empty() {
            if self.block.is_empty() && bytes.len() >= BLOCK {
                let room = (1_usize << self.piece_layer) - self.leaves.len();
                let whole = (bytes.len() / BLOCK).min(room) * BLOCK;
                let (now, later) = bytes.split_at(whole);
                self.leaves.extend(merkle::leaves(now));
                self.end_piece();
                bytes = later;
                continue;
            }
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK - self.block.len()));
            self.block.extend_from_slice(now);
            if self.block.len() == BLOCK {
                self.end_block();
            }
            bytes = later;
        }
    }

    /// Takes that the file ends here, and starts the next one. It had at least one byte.
    pub(super) fn end_file(&mut self) -> FileHash {
        if !self.block.is_empty() {
            self.end_block();
        }
        let leaves = core::mem::take(&mut self.leaves);
        let mut layer = core::mem::take(&mut self.pieces);
        if layer.is_empty() {
            return FileHash { root: merkle::file_root(&leaves), layer };
        }
        if !leaves.is_empty() {
            layer.push(merkle::root(&leaves, 0, self.piece_layer));
        }
        let height = merkle::height(layer.len() as u64);
        let root = merkle::root(&layer, self.piece_layer, height);
        let layer = if layer.len() == 1 { Vec::new() } else { layer };
        FileHash { root, layer }
    }

    fn end_block(&mut self) {
        let leaf = merkle::leaf(&self.block);
        self.block.clear();
        self.leaves.push(leaf);
        self.end_piece();
    }

    fn end_piece(&mut self) {
        if self.leaves.len() == 1 << self.piece_layer {
            self.pieces.push(merkle::root(&self.leaves, 0, self.piece_layer));
            self.leaves.clear();
        }
    }
}
