//! What a user may hand in to add a torrent, and why it cannot be added.

use std::sync::Arc;

use headwater_base::InfoHash;
use headwater_metainfo::Torrent;

/// Where a torrent comes from.
#[derive(Clone, Debug)]
pub enum Source<'a> {
    /// A magnet link (BEP 9).
    Magnet(&'a str),
    /// An info-hash of 40 hex digits.
    InfoHash(&'a str),
    /// The bytes of a `.torrent` file.
    TorrentFile(&'a [u8]),
    /// A torrent that is read already.
    Torrent(Arc<Torrent>),
}

impl<'a> Source<'a> {
    /// Guesses what `bytes` are: text that starts as a magnet link, 40 hex digits, or a file.
    pub fn read<T: AsRef<[u8]> + ?Sized>(bytes: &'a T) -> Self {
        let bytes = bytes.as_ref();
        if let Ok(text) = std::str::from_utf8(bytes) {
            let text = text.trim();
            if text.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("magnet:")) {
                return Self::Magnet(text);
            }
            if InfoHash::from_hex(text).is_some() {
                return Self::InfoHash(text);
            }
        }
        Self::TorrentFile(bytes)
    }
}

/// Why a source cannot be added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddError {
    /// The text is no info-hash.
    #[error("info-hash of {found} characters, 40 hex digits expected")]
    InfoHash {
        /// How many characters there are.
        found: usize,
    },
}

impl AddError {
    /// A stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InfoHash { .. } => "bad-info-hash",
        }
    }
}
