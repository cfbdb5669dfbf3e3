//! Where bytes of a torrent lie in its files, and which pieces cover bytes of a file.

use core::ops::Range;

use headwater_base::{ByteCount, PieceIndex};

use super::{File, Torrent};

/// Bytes that lie together in one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Which file, as an index into the torrent's `files`.
    pub file: usize,
    /// Where in the file.
    pub offset: ByteCount,
    /// How many bytes; never 0.
    pub len: u32,
    /// Whether the file is padding: these bytes are zeros that nobody stores.
    pub pad: bool,
}

impl Torrent {
    /// Where `len` bytes from `begin` of `piece` lie, in order. What is past the torrent's end is
    /// left out.
    pub fn spans(
        &self,
        piece: PieceIndex,
        begin: u32,
        len: u32,
    ) -> impl Iterator<Item = Span> + '_ {
        let start = u64::from(piece.0) * u64::from(self.piece_length) + u64::from(begin);
        spans(&self.files, start, len)
    }

    /// Where all of `piece` lies, in order.
    pub fn piece_spans(&self, piece: PieceIndex) -> impl Iterator<Item = Span> + '_ {
        self.spans(piece, 0, self.piece_len(piece))
    }

    /// The pieces that hold any byte of `file`; none when it is empty or missing.
    pub fn file_pieces(&self, file: usize) -> Range<u32> {
        let length = self.files.get(file).map_or(0, |file| file.length.0);
        self.range_pieces(file, 0..length)
    }

    /// The pieces that hold any of the bytes `range` of `file`; what is past its end is left out.
    pub fn range_pieces(&self, file: usize, range: Range<u64>) -> Range<u32> {
        let Some(file) = self.files.get(file) else { return 0..0 };
        let end = range.end.min(file.length.0);
        if range.start >= end {
            return 0..0;
        }
        let piece = |byte: u64| ((file.offset.0 + byte) / u64::from(self.piece_length)) as u32;
        piece(range.start)..piece(end - 1) + 1
    }
}

/// Where `len` bytes from `start` lie in `files`, in order.
pub(crate) fn spans(files: &[File], start: u64, len: u32) -> impl Iterator<Item = Span> + '_ {
    let end = start + u64::from(len);
    let first = files.partition_point(|file| file.offset.0 + file.length.0 <= start);
    files
        .iter()
        .enumerate()
        .skip(first)
        .take_while(move |(_, file)| file.offset.0 < end)
        .filter_map(move |(at, file)| {
            let from = start.max(file.offset.0);
            let to = end.min(file.offset.0 + file.length.0);
            let len = u32::try_from(to.checked_sub(from)?).ok().filter(|len| *len > 0)?;
            Some(Span { file: at, offset: ByteCount(from - file.offset.0), len, pad: file.pad })
        })
}
