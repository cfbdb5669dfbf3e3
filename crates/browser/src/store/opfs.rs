//! Pieces in a file of the origin's private file system. Pieces lie in slots in the order they
//! came, so that a torrent of which little is wanted takes little room; the journal says which is
//! where.

use std::sync::Arc;

use headwater_base::{Bitfield, PieceIndex};
use headwater_client::{PieceData, StoreError, Stored};
use headwater_metainfo::Torrent;
use wasm_bindgen::JsValue;
use web_sys::{FileSystemReadWriteOptions, FileSystemSyncAccessHandle};

use super::journal::{self, Record};
use super::store_error;

const NO_SLOT: u32 = u32::MAX;

pub(super) struct Opfs {
    metainfo: Arc<Torrent>,
    data: FileSystemSyncAccessHandle,
    journal: FileSystemSyncAccessHandle,
    journal_len: u64,
    slots: Vec<u32>,
    next_slot: u32,
    written: Vec<Record>,
}

impl Opfs {
    pub(super) fn open(
        metainfo: &Arc<Torrent>,
        data: FileSystemSyncAccessHandle,
        journal: FileSystemSyncAccessHandle,
    ) -> Result<(Self, Stored), StoreError> {
        let mut opfs = Self {
            metainfo: Arc::clone(metainfo),
            data,
            journal,
            journal_len: 0,
            slots: vec![NO_SLOT; metainfo.piece_count() as usize],
            next_slot: 0,
            written: Vec::new(),
        };
        let have = match opfs.resume() {
            Ok(have) => have,
            Err(error) => {
                opfs.close();
                return Err(error);
            }
        };
        Ok((
            opfs,
            Stored { have, doubtful: Bitfield::empty(metainfo.piece_count()), read_only: false },
        ))
    }

    /// Reads the journal and takes every piece that it vouches for and that the data file reaches.
    fn resume(&mut self) -> Result<Bitfield, StoreError> {
        let size = self.journal.get_size().map_err(|thrown| store_error(&thrown))?;
        let bytes = read_at(&self.journal, 0, size as usize)?;
        if journal::is_newer(&bytes) {
            return Err(StoreError::Newer("what is stored is left as it is".to_owned()));
        }
        let mut have = Bitfield::empty(self.metainfo.piece_count());
        let Some(records) = journal::decode(&self.metainfo, &bytes) else {
            self.start_over()?;
            return Ok(have);
        };
        let data_size = self.data.get_size().map_err(|thrown| store_error(&thrown))? as u64;
        for record in records {
            let len = u64::from(self.metainfo.piece_len(record.piece));
            if self.place(record.slot) + len <= data_size {
                self.slots[record.piece.idx()] = record.slot;
                self.next_slot = self.next_slot.max(record.slot.saturating_add(1));
                have.set(record.piece);
            }
        }
        let torn = (bytes.len() - journal::HEADER_LEN) % journal::RECORD_LEN;
        self.journal_len = (bytes.len() - torn) as u64;
        Ok(have)
    }

    fn start_over(&mut self) -> Result<(), StoreError> {
        let cut = |handle: &FileSystemSyncAccessHandle| {
            handle.truncate_with_f64(0.0).map_err(|thrown| store_error(&thrown))
        };
        cut(&self.data)?;
        cut(&self.journal)?;
        let header = journal::header(&self.metainfo);
        write_at(&self.journal, 0, &header)?;
        self.journal_len = header.len() as u64;
        self.journal.flush().map_err(|thrown| store_error(&thrown))
    }

    pub(super) fn read(
        &self,
        piece: PieceIndex,
        begin: u32,
        len: u32,
    ) -> Result<Vec<u8>, StoreError> {
        match self.slots.get(piece.idx()) {
            None | Some(&NO_SLOT) => Err(StoreError::Io(format!("piece {piece} is not stored"))),
            Some(&slot) => {
                let bytes = read_at(&self.data, self.place(slot) + u64::from(begin), len as usize)?;
                if bytes.len() < len as usize {
                    let found = bytes.len();
                    return Err(StoreError::Io(format!("{found} of {len} bytes could be read")));
                }
                Ok(bytes)
            }
        }
    }

    /// A piece that is written again takes a new slot: its old bytes stay whole until then.
    pub(super) fn write(&mut self, piece: PieceIndex, data: &PieceData) -> Result<(), StoreError> {
        let slot = self.next_slot;
        write_at(&self.data, self.place(slot), data)?;
        self.next_slot += 1;
        self.slots[piece.idx()] = slot;
        self.written.push(Record { piece, slot });
        Ok(())
    }

    /// Bytes first, then the records that vouch for them.
    pub(super) fn commit(&mut self) -> Result<(), StoreError> {
        if self.written.is_empty() {
            return Ok(());
        }
        self.data.flush().map_err(|thrown| store_error(&thrown))?;
        let records = std::mem::take(&mut self.written);
        let bytes: Vec<u8> =
            records.iter().flat_map(|record| journal::encode(&self.metainfo, *record)).collect();
        write_at(&self.journal, self.journal_len, &bytes)?;
        self.journal_len += bytes.len() as u64;
        self.journal.flush().map_err(|thrown| store_error(&thrown))
    }

    pub(super) fn close(mut self) {
        // Pieces without a record are fetched again, so a failure here loses nothing else.
        let _ = self.commit();
        self.data.close();
        self.journal.close();
    }

    fn place(&self, slot: u32) -> u64 {
        u64::from(slot) * u64::from(self.metainfo.piece_length)
    }
}

fn read_at(
    handle: &FileSystemSyncAccessHandle,
    at: u64,
    len: usize,
) -> Result<Vec<u8>, StoreError> {
    let mut bytes = vec![0; len];
    let options = FileSystemReadWriteOptions::new();
    options.set_at(at as f64);
    let read = handle
        .read_with_u8_array_and_options(&mut bytes, &options)
        .map_err(|thrown: JsValue| store_error(&thrown))?;
    bytes.truncate(read as usize);
    Ok(bytes)
}

fn write_at(handle: &FileSystemSyncAccessHandle, at: u64, bytes: &[u8]) -> Result<(), StoreError> {
    let options = FileSystemReadWriteOptions::new();
    options.set_at(at as f64);
    let written = handle
        .write_with_u8_array_and_options(bytes, &options)
        .map_err(|thrown: JsValue| store_error(&thrown))? as usize;
    if written < bytes.len() {
        return Err(StoreError::Full(format!(
            "{written} of {} bytes could be written",
            bytes.len()
        )));
    }
    Ok(())
}
