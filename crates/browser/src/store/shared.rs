//! Pieces inside files that the user shares: read where they are, never copied or written.

use std::collections::VecDeque;

use headwater_base::{Bitfield, PieceIndex};
use headwater_client::{StoreError, Stored};
use headwater_metainfo::Torrent;
use js_sys::Uint8Array;
use web_sys::{Blob, FileReaderSync};

use super::store_error;

/// Bytes read from a file at once: one read of a file costs far more than its bytes.
const WINDOW_LEN: u64 = 1024 * 1024;
/// Windows kept, so that peers which fetch side by side do not push each other out.
const WINDOWS_MAX: usize = 16;

pub(super) struct Shared {
    files: Vec<Option<Blob>>,
    reader: FileReaderSync,
    windows: VecDeque<Window>,
}

struct Window {
    file: usize,
    start: u64,
    bytes: Vec<u8>,
}

impl Shared {
    /// Pairs `blobs` with the torrent's files in order; pad files have none.
    pub(super) fn new(metainfo: &Torrent, blobs: Vec<Blob>) -> Result<(Self, Stored), StoreError> {
        let mut blobs = blobs.into_iter();
        let mut files = Vec::with_capacity(metainfo.files.len());
        for file in &metainfo.files {
            let blob = if file.pad { None } else { blobs.next() };
            let found = blob.as_ref().map_or(0.0, Blob::size) as u64;
            if !file.pad && found != file.length.0 {
                let expected = file.length;
                return Err(StoreError::Io(format!("a file of {found} bytes, not {expected}")));
            }
            files.push(blob);
        }
        let reader = FileReaderSync::new().map_err(|thrown| store_error(&thrown))?;
        let count = metainfo.piece_count();
        let stored = Stored {
            have: Bitfield::full(count),
            doubtful: Bitfield::empty(count),
            read_only: true,
        };
        Ok((Self { files, reader, windows: VecDeque::new() }, stored))
    }

    pub(super) fn read(
        &mut self,
        metainfo: &Torrent,
        piece: PieceIndex,
        begin: u32,
        len: u32,
    ) -> Result<Vec<u8>, StoreError> {
        let start = u64::from(piece.0) * u64::from(metainfo.piece_length) + u64::from(begin);
        let end = start + u64::from(len);
        let mut out = Vec::with_capacity(len as usize);
        let first = metainfo.files.partition_point(|file| file.offset.0 + file.length.0 <= start);
        for (index, file) in metainfo.files.iter().enumerate().skip(first) {
            let here = start.max(file.offset.0)..end.min(file.offset.0 + file.length.0);
            if file.offset.0 >= end {
                break;
            }
            if file.pad {
                out.resize(out.len() + (here.end - here.start) as usize, 0);
            } else {
                self.copy(index, here.start - file.offset.0, here.end - file.offset.0, &mut out)?;
            }
        }
        Ok(out)
    }

    fn copy(
        &mut self,
        file: usize,
        start: u64,
        end: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), StoreError> {
        let mut at = start;
        while at < end {
            let window = self.window(file, at - at % WINDOW_LEN)?;
            let from = (at - window.start) as usize;
            let to = ((end - window.start) as usize).min(window.bytes.len());
            if to <= from {
                return Err(StoreError::Io("a shared file became shorter".to_owned()));
            }
            out.extend_from_slice(&window.bytes[from..to]);
            at = window.start + to as u64;
        }
        Ok(())
    }

    fn window(&mut self, file: usize, start: u64) -> Result<&Window, StoreError> {
        let is_it = |window: &Window| window.file == file && window.start == start;
        let window = match self.windows.iter().position(is_it) {
            Some(at) => self.windows.remove(at),
            None => None,
        };
        let window = match window {
            Some(window) => window,
            None => Window { file, start, bytes: self.load(file, start)? },
        };
        self.windows.truncate(WINDOWS_MAX - 1);
        self.windows.push_front(window);
        self.windows.front().ok_or_else(|| StoreError::Io("no window".to_owned()))
    }

    fn load(&self, file: usize, start: u64) -> Result<Vec<u8>, StoreError> {
        let Some(blob) = self.files.get(file).and_then(Option::as_ref) else {
            return Err(StoreError::Io(format!("no file {file} is shared")));
        };
        let slice = blob.slice_with_f64_and_f64(start as f64, (start + WINDOW_LEN) as f64);
        let slice = slice.map_err(|thrown| store_error(&thrown))?;
        let buffer = self.reader.read_as_array_buffer(&slice);
        Ok(Uint8Array::new(&buffer.map_err(|thrown| store_error(&thrown))?.into()).to_vec())
    }
}
