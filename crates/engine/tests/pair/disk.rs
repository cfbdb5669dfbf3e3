//! A store in memory that can lie, run full and break.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use headwater_base::{Bitfield, Digest256, PieceIndex, sha1};
use headwater_engine::{StoreError, Stored};
use headwater_metainfo::{Torrent, merkle};

use crate::Sample;

/// What one host keeps of the torrent.
#[derive(Default)]
pub(crate) struct Disk {
    pub(crate) bytes: Vec<u8>,
    /// Pieces whose record says they are there.
    pub(crate) have: BTreeSet<u32>,
    /// Pieces that may be there.
    pub(crate) doubtful: BTreeSet<u32>,
    /// Every n-th block read is wrong in its first byte.
    pub(crate) spoils_every: Option<u32>,
    /// Pieces it takes before it is full.
    pub(crate) room: Option<usize>,
    /// Whether it says that nothing can be written to it.
    pub(crate) read_only: bool,
    /// Whether reads fail.
    pub(crate) unreadable: bool,
    pub(crate) opened: usize,
    pub(crate) deleted: bool,
    pub(crate) hashed: usize,
    pub(crate) reads: u32,
    pub(crate) length: usize,
    /// What it hashes leaves of, when that is not what it holds.
    pub(crate) leaf_bytes: Option<Vec<u8>>,
    pub(crate) torrent: Option<Arc<Torrent>>,
}

impl Disk {
    /// A disk that holds everything.
    pub(crate) fn full(sample: &Sample) -> Self {
        let have = (0..sample.torrent.piece_count()).collect();
        Self { bytes: sample.data.to_vec(), have, ..Self::default() }
    }

    pub(crate) fn open(&mut self, torrent: &Arc<Torrent>) -> Result<Stored, StoreError> {
        self.opened += 1;
        self.length = torrent.piece_length as usize;
        self.torrent = Some(Arc::clone(torrent));
        self.bytes.resize(torrent.length.0 as usize, 0);
        let count = torrent.piece_count();
        let bits = |set: &BTreeSet<u32>| {
            let mut bits = Bitfield::empty(count);
            for piece in set {
                bits.set(PieceIndex(*piece));
            }
            bits
        };
        let (have, doubtful) = (bits(&self.have), bits(&self.doubtful));
        Ok(Stored { have, doubtful, read_only: self.read_only })
    }

    fn range(&self, piece: PieceIndex) -> std::ops::Range<usize> {
        let start = piece.idx() * self.length;
        let len = self.torrent.as_ref().map(|torrent| torrent.piece_len(piece) as usize);
        start..self.bytes.len().min(start + len.unwrap_or(self.length))
    }

    pub(crate) fn read(
        &mut self,
        piece: PieceIndex,
        begin: u32,
        len: u32,
    ) -> Result<Bytes, StoreError> {
        assert!(self.have.contains(&piece.0), "piece {piece} is served though it is not stored");
        if self.unreadable {
            return Err(StoreError::Io("disk is broken".to_owned()));
        }
        let start = self.range(piece).start + begin as usize;
        let mut bytes = self.bytes[start..start + len as usize].to_vec();
        for block in bytes.chunks_mut(16384) {
            self.reads += 1;
            if self.spoils_every.is_some_and(|every| self.reads.is_multiple_of(every)) {
                block[0] ^= 1;
            }
        }
        Ok(Bytes::from(bytes))
    }

    pub(crate) fn hash(&mut self, piece: PieceIndex) -> [u8; 20] {
        self.hashed += 1;
        sha1(&self.bytes[self.range(piece)])
    }

    /// The leaves of a piece as it is stored.
    pub(crate) fn leaves(&mut self, piece: PieceIndex) -> Vec<Digest256> {
        self.hashed += 1;
        let torrent = self.torrent.as_ref().expect("an open disk");
        let held = torrent.piece_file(piece).map_or(0, |(_, bytes)| bytes.end - bytes.start);
        let start = piece.idx() * self.length;
        let bytes = self.leaf_bytes.as_ref().unwrap_or(&self.bytes);
        merkle::leaves(&bytes[start..start + held as usize])
    }

    pub(crate) fn write(&mut self, piece: PieceIndex, data: &[u8]) -> Result<(), StoreError> {
        if self.room == Some(0) {
            return Err(StoreError::Full("disk is full".to_owned()));
        }
        self.room = self.room.map(|room| room - 1);
        let range = self.range(piece);
        self.bytes[range].copy_from_slice(data);
        self.have.insert(piece.0);
        Ok(())
    }
}
