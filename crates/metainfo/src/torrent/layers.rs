//! Piece layers (BEP 52): for each file of several pieces one hash a piece. They lie outside
//! `info`, so a torrent file brings them and a magnet link does not.

use headwater_base::{Digest256, PieceIndex};

use super::Torrent;
use crate::merkle;

/// The piece layers that are known, by the root of the file they belong to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layers {
    /// Roots ascending, each once.
    entries: Vec<(Digest256, Vec<Digest256>)>,
}

impl Layers {
    /// The layer of the files with this root.
    pub fn of(&self, root: &Digest256) -> Option<&[Digest256]> {
        let at = self.entries.binary_search_by_key(&root, |(root, _)| root).ok()?;
        self.entries.get(at).map(|(_, layer)| layer.as_slice())
    }

    /// Roots and layers, roots ascending.
    pub fn iter(&self) -> impl Iterator<Item = (&Digest256, &[Digest256])> {
        self.entries.iter().map(|(root, layer)| (root, layer.as_slice()))
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl FromIterator<(Digest256, Vec<Digest256>)> for Layers {
    /// Of two layers with one root the first stays.
    fn from_iter<T: IntoIterator<Item = (Digest256, Vec<Digest256>)>>(layers: T) -> Self {
        let mut entries: Vec<_> = layers.into_iter().collect();
        entries.sort_by_key(|(root, _)| *root);
        entries.dedup_by_key(|(root, _)| *root);
        Self { entries }
    }
}

impl Torrent {
    /// The same torrent with more layers known.
    ///
    /// # Panics
    /// When a layer does not hash up to its root: who fetched it has to check that.
    #[must_use]
    pub fn with_layers(self, more: impl IntoIterator<Item = (Digest256, Vec<Digest256>)>) -> Self {
        let height = merkle::piece_layer(self.piece_length);
        let more = more.into_iter().inspect(|(root, layer)| {
            let up = merkle::height(layer.len() as u64);
            assert!(merkle::root(layer, height, up) == *root, "{} hashes of another", layer.len());
        });
        let layers = self.layers.entries.into_iter().chain(more).collect();
        Self { layers, ..self }
    }

    /// The files whose piece layer is needed and not known. Files of one piece need none.
    pub fn layerless_files(&self) -> impl Iterator<Item = usize> + '_ {
        let files = self.files.iter().enumerate();
        files
            .filter(|(_, file)| file.length.0 > u64::from(self.piece_length))
            .filter_map(|(at, file)| self.layers.of(file.root.as_ref()?).is_none().then_some(at))
    }

    /// The merkle node of `piece`, to which the leaves of its file in it hash up, as many layers
    /// up as `piece_height`. `None` in v1, while the layer is unknown, and past the end.
    pub fn piece_node(&self, piece: PieceIndex) -> Option<Digest256> {
        let (at, range) = self.piece_file(piece)?;
        let file = &self.files[at];
        if file.length.0 <= u64::from(self.piece_length) {
            return file.root;
        }
        let inside = usize::try_from(range.start / u64::from(self.piece_length)).ok()?;
        self.layers.of(file.root.as_ref()?)?.get(inside).copied()
    }

    /// The leaves of `piece`, of its bytes as peers send them: padding has none.
    pub fn piece_leaves(&self, piece: PieceIndex, bytes: &[u8]) -> Vec<Digest256> {
        let held = self.piece_file(piece).map_or(0, |(_, range)| range.end - range.start);
        let held = usize::try_from(held).unwrap_or(usize::MAX).min(bytes.len());
        merkle::leaves(&bytes[..held])
    }

    /// How many layers lie between the leaves of `piece` and its node. A file of one piece has
    /// no taller tree than its blocks need.
    pub fn piece_height(&self, piece: PieceIndex) -> u32 {
        let whole = merkle::piece_layer(self.piece_length);
        let length = self.piece_file(piece).map_or(0, |(at, _)| self.files[at].length.0);
        merkle::height(merkle::block_count(length)).min(whole)
    }
}
