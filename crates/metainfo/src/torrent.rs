//! A parsed torrent (BEP 3): what it is called, how it is cut, where its files lie.

mod layout;
mod read;
mod write;

use bytes::Bytes;
use headwater_base::{ByteCount, Digest1, InfoHash, PieceIndex};

pub use layout::Span;
pub(crate) use layout::spans;
pub(crate) use read::Seen;
pub(crate) use write::root;

/// A valid torrent. Every path in it is safe to create below a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torrent {
    /// SHA-1 of `info`.
    pub info_hash: InfoHash,
    /// The info dictionary exactly as it came.
    pub info: Bytes,
    /// Suggested name of the file or folder, sanitised.
    pub name: String,
    /// Whether the files lie in a folder called `name`; otherwise `name` is the only file.
    pub folder: bool,
    /// Bytes of all files together, pad files included.
    pub length: ByteCount,
    /// Bytes in a piece; the last may be shorter.
    pub piece_length: u32,
    /// SHA-1 of each piece.
    pub pieces: Vec<Digest1>,
    /// Files in order; they lie end to end.
    pub files: Vec<File>,
    /// Whether only the named trackers may introduce peers (BEP 27).
    pub private: bool,
    /// Tracker tiers (BEP 12).
    pub trackers: Vec<Vec<String>>,
    /// Web seeds (BEP 19).
    pub web_seeds: Vec<String>,
    /// Free text.
    pub comment: Option<String>,
    /// Which program made it.
    pub created_by: Option<String>,
    /// When it was made, in seconds since 1970.
    pub creation_date: Option<i64>,
}

/// One file of a torrent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Path with `/` between parts, below the torrent's name when it is a folder.
    pub path: String,
    /// Its size.
    pub length: ByteCount,
    /// Where it starts, counted from the torrent's first byte.
    pub offset: ByteCount,
    /// Whether it is only padding (BEP 47): all zeros, never stored, shown or fetched for itself.
    /// A symbolic link is kept as empty padding: links are never made or followed, yet the
    /// numbers of the files after it stay those of other clients.
    pub pad: bool,
}

impl Torrent {
    /// How many pieces there are.
    pub fn piece_count(&self) -> u32 {
        self.pieces.len() as u32
    }

    /// Bytes in `piece`.
    pub fn piece_len(&self, piece: PieceIndex) -> u32 {
        let start = u64::from(piece.0) * u64::from(self.piece_length);
        let left = self.length.0.saturating_sub(start);
        u32::try_from(left).unwrap_or(u32::MAX).min(self.piece_length)
    }

    /// Where a file belongs below the folder that takes downloads: the torrent's name comes
    /// first when it is a folder. `None` when there is no such file.
    pub fn stored_path(&self, file: usize) -> Option<String> {
        let path = &self.files.get(file)?.path;
        Some(if self.folder { format!("{}/{path}", self.name) } else { path.clone() })
    }

    /// Every tracker once, tiers in order.
    pub fn tracker_urls(&self) -> impl Iterator<Item = &str> {
        self.trackers.iter().flatten().map(String::as_str)
    }
}

#[cfg(test)]
mod tests;
