//! A parsed torrent (BEP 3, BEP 52): what it is called, how it is cut, where its files lie.

mod layers;
mod layout;
mod read;
mod write;

use bytes::Bytes;
use headwater_base::{ByteCount, Digest1, Digest256, InfoHash};

use crate::RawPublication;
pub use layers::Layers;
pub use layout::Span;
pub(crate) use layout::{laid_out, spans};
pub(crate) use read::Seen;

/// A valid torrent. Every path in it is safe to create below a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torrent {
    /// What handshakes and trackers call it: SHA-1 of `info`, of v2 alone SHA-256 cut short.
    pub info_hash: InfoHash,
    /// SHA-256 of `info`, when it describes v2.
    pub info_hash_v2: Option<Digest256>,
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
    /// SHA-1 of each piece; none when it is of v2 alone.
    pub pieces: Vec<Digest1>,
    /// What is known of the piece layers; nothing when it is of v1.
    pub layers: Layers,
    /// Files in order; they lie end to end. In v2 each starts at a piece, so padding lies between.
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
    /// What it says of its publisher (`hw`). Nobody has checked it.
    pub publication: Option<RawPublication>,
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
    /// Root of its merkle tree (`pieces root`); none in v1, of padding and of an empty file.
    pub root: Option<Digest256>,
}

/// Which of the two protocols describe a torrent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// v1 alone (BEP 3).
    #[default]
    V1,
    /// v2 alone (BEP 52).
    V2,
    /// Both, over the same bytes.
    Hybrid,
}

impl Version {
    /// `v1`, `v2` or `hybrid`, as users write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
            Self::Hybrid => "hybrid",
        }
    }

    /// The version of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::V1, Self::V2, Self::Hybrid].into_iter().find(|version| version.name() == name)
    }
}

impl Torrent {
    /// Which protocols describe it.
    pub fn version(&self) -> Version {
        match self.info_hash_v2 {
            None => Version::V1,
            Some(_) if self.pieces.is_empty() => Version::V2,
            Some(_) => Version::Hybrid,
        }
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
