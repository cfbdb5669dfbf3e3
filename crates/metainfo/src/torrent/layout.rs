//! Where bytes of a torrent lie in its files, and which pieces cover bytes of a file.

use core::ops::Range;

use headwater_base::{ByteCount, PieceIndex};

use super::{File, Torrent, Version};

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
    /// How many pieces there are.
    pub fn piece_count(&self) -> u32 {
        self.length.0.div_ceil(u64::from(self.piece_length)) as u32
    }

    /// Bytes in `piece` as peers send it: v2 alone ends it with its file, else padding counts.
    pub fn piece_len(&self, piece: PieceIndex) -> u32 {
        if self.version() == Version::V2 {
            return self.piece_file(piece).map_or(0, |(_, range)| (range.end - range.start) as u32);
        }
        let start = u64::from(piece.0) * u64::from(self.piece_length);
        let left = self.length.0.saturating_sub(start);
        u32::try_from(left).unwrap_or(u32::MAX).min(self.piece_length)
    }

    /// The file whose bytes start `piece`, and which of its bytes lie there. In v2 no other file
    /// has any. None past the end.
    pub fn piece_file(&self, piece: PieceIndex) -> Option<(usize, Range<u64>)> {
        let start = u64::from(piece.0) * u64::from(self.piece_length);
        let at = self.files.partition_point(|file| file.offset.0 + file.length.0 <= start);
        let file = self.files.get(at)?;
        let from = start - file.offset.0;
        Some((at, from..file.length.0.min(from + u64::from(self.piece_length))))
    }

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

/// Lays files end to end, each start a multiple of `align` with padding before it: directly behind
/// the file that needs it, where BEP 52 has it, but not behind the last.
pub(crate) fn laid_out(files: Vec<File>, align: u32) -> Vec<File> {
    let mut out: Vec<File> = Vec::with_capacity(files.len());
    let mut offset = ByteCount(0);
    let last = files.iter().rposition(|file| file.length.0 > 0).unwrap_or(0);
    for (at, file) in files.into_iter().enumerate() {
        let file = File { offset, ..file };
        offset += file.length;
        out.push(file);
        let gap = offset.0.next_multiple_of(u64::from(align)) - offset.0;
        if gap > 0 && at < last {
            out.push(File::padding(offset, ByteCount(gap)));
            offset += ByteCount(gap);
        }
    }
    out
}

impl File {
    /// Padding as BEP 47 names it.
    fn padding(offset: ByteCount, length: ByteCount) -> Self {
        Self { path: format!(".pad/{length}"), length, offset, pad: true, root: None }
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
