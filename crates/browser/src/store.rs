//! Where a torrent's bytes lie: the origin's private files, files the user shares, or memory.
//! Knows pieces and their places; knows nothing of who wants them.

mod journal;
mod memory;
mod opfs;
mod shared;

use std::sync::Arc;

use bytes::Bytes;
use headwater_base::{Bitfield, Digest1, Digest256, PieceIndex, Sha1};
use headwater_client::{PieceData, StoreError, Stored};
use headwater_metainfo::Torrent;
use js_sys::{Array, Reflect};
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Blob, FileSystemSyncAccessHandle};

use memory::Memory;
use opfs::Opfs;
use shared::Shared;

/// Bytes read at once for hashing.
const HASH_PART: u32 = 1024 * 1024;

/// One torrent's store. Pieces that were written survive only from the next `commit` on.
pub struct Store {
    place: Place,
    metainfo: Arc<Torrent>,
}

enum Place {
    Memory(Memory),
    Opfs(Opfs),
    Shared(Shared),
}

impl Store {
    /// Keeps pieces in memory.
    pub fn memory(metainfo: Arc<Torrent>) -> (Self, Stored) {
        let count = metainfo.piece_count();
        let stored = Stored {
            have: Bitfield::empty(count),
            doubtful: Bitfield::empty(count),
            read_only: false,
        };
        (Self { place: Place::Memory(Memory::new(count)), metainfo }, stored)
    }

    /// Keeps pieces in two open files: their bytes, and the journal of what is verified.
    pub fn opfs(
        metainfo: Arc<Torrent>,
        data: FileSystemSyncAccessHandle,
        journal: FileSystemSyncAccessHandle,
    ) -> Result<(Self, Stored), StoreError> {
        let (opfs, stored) = Opfs::open(&metainfo, data, journal)?;
        Ok((Self { place: Place::Opfs(opfs), metainfo }, stored))
    }

    /// Reads pieces out of the files they were just hashed from.
    pub fn shared(metainfo: Arc<Torrent>, files: &Array) -> Result<(Self, Stored), StoreError> {
        let blobs: Vec<Blob> = files.iter().filter_map(|file| file.dyn_into().ok()).collect();
        let (shared, stored) = Shared::new(&metainfo, blobs)?;
        Ok((Self { place: Place::Shared(shared), metainfo }, stored))
    }

    /// Reads part of a stored piece.
    pub fn read(&mut self, piece: PieceIndex, begin: u32, len: u32) -> Result<Vec<u8>, StoreError> {
        let end = u64::from(begin) + u64::from(len);
        let piece_len = self.metainfo.piece_len(piece);
        if end > u64::from(piece_len) {
            return Err(StoreError::Io(format!("byte {end} of a piece of {piece_len}")));
        }
        match &mut self.place {
            Place::Memory(memory) => memory.read(piece, begin, len),
            Place::Opfs(opfs) => opfs.read(piece, begin, len),
            Place::Shared(shared) => shared.read(&self.metainfo, piece, begin, len),
        }
    }

    /// Reads `len` bytes from `at`, counted from the torrent's first byte.
    /// What `open` knows of a piece is taken from there.
    pub fn read_span(
        &mut self,
        at: u64,
        len: u32,
        open: impl Fn(PieceIndex, u32, u32) -> Option<Bytes>,
    ) -> Result<Vec<u8>, StoreError> {
        let size = u64::from(self.metainfo.piece_length.max(1));
        let mut out = Vec::with_capacity(len as usize);
        while out.len() < len as usize {
            let from = at + out.len() as u64;
            let piece = PieceIndex(u32::try_from(from / size).unwrap_or(u32::MAX));
            let begin = (from % size) as u32;
            let left = len - out.len() as u32;
            let here = self.metainfo.piece_len(piece).saturating_sub(begin).min(left);
            if here == 0 {
                return Err(StoreError::Io(format!("byte {from} is past the end")));
            }
            match open(piece, begin, here) {
                Some(bytes) => out.extend_from_slice(&bytes),
                None => out.append(&mut self.read(piece, begin, here)?),
            }
        }
        Ok(out)
    }

    /// SHA-1 of a piece as it is stored.
    pub fn hash(&mut self, piece: PieceIndex) -> Result<Digest1, StoreError> {
        let len = self.metainfo.piece_len(piece);
        let mut sha1 = Sha1::default();
        let mut at = 0;
        while at < len {
            let part = HASH_PART.min(len - at);
            sha1.update(&self.read(piece, at, part)?);
            at += part;
        }
        Ok(sha1.finish())
    }

    /// SHA-256 of each block of a piece as it is stored (BEP 52).
    pub fn hash_leaves(&mut self, piece: PieceIndex) -> Result<Vec<Digest256>, StoreError> {
        let len = self.metainfo.piece_len(piece);
        let bytes = self.read(piece, 0, len)?;
        Ok(self.metainfo.piece_leaves(piece, &bytes))
    }

    /// Writes a verified piece.
    pub fn write(&mut self, piece: PieceIndex, data: &PieceData) -> Result<(), StoreError> {
        match &mut self.place {
            Place::Memory(memory) => memory.write(piece, data),
            Place::Opfs(opfs) => opfs.write(piece, data),
            Place::Shared(_) => Err(StoreError::Io("shared files are only read".to_owned())),
        }
    }

    /// Makes what was written survive a crash.
    pub fn commit(&mut self) -> Result<(), StoreError> {
        match &mut self.place {
            Place::Opfs(opfs) => opfs.commit(),
            Place::Memory(_) | Place::Shared(_) => Ok(()),
        }
    }

    /// Gives the files back.
    pub fn close(self) {
        if let Place::Opfs(opfs) = self.place {
            opfs.close();
        }
    }
}

/// Reads what a browser threw, once.
fn store_error(thrown: &JsValue) -> StoreError {
    let text = |key: &str| Reflect::get(thrown, &key.into()).ok().and_then(|it| it.as_string());
    let message = text("message").unwrap_or_else(|| "the browser gave no reason".to_owned());
    match text("name").as_deref() {
        Some("QuotaExceededError") => StoreError::Full(message),
        Some("NoModificationAllowedError") => StoreError::Busy(message),
        Some(_) | None => StoreError::Io(message),
    }
}
