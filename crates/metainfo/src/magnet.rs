//! Magnet links (BEP 9, BEP 53): reads and writes them. Whom to call stays with the shell.

mod read;
mod write;

use core::ops::RangeInclusive;

use headwater_base::{ByteCount, Digest256, InfoHash};

use crate::RawPublication;

/// A magnet link that names a torrent. `Display` writes it as a link again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Magnet {
    /// Which torrent (`xt=urn:btih`); of v2 alone its v2 info-hash cut short.
    pub info_hash: InfoHash,
    /// Its v2 info-hash (`xt=urn:btmh`), if it is of v2 or a hybrid.
    pub info_hash_v2: Option<Digest256>,
    /// A name to show until the torrent is there (`dn`). It is text, not a safe path.
    pub name: Option<String>,
    /// Bytes of all files, if the link says so (`xl`). Nothing proves it.
    pub length: Option<ByteCount>,
    /// Trackers (`tr`), each once.
    pub trackers: Vec<String>,
    /// Web seeds (`ws`), each once.
    pub web_seeds: Vec<String>,
    /// Peers to try as `host:port` (`x.pe`), each once.
    pub peers: Vec<String>,
    /// Which files are chosen (`so`, BEP 53): ascending, apart from one another. Empty is all.
    pub chosen: Vec<RangeInclusive<u32>>,
    /// What the torrent says of its publisher (`x.hw`). Nobody has checked it.
    pub publication: Option<RawPublication>,
}

impl Magnet {
    /// A link that names the torrent and nothing else.
    pub fn new(info_hash: InfoHash) -> Self {
        Self {
            info_hash,
            info_hash_v2: None,
            name: None,
            length: None,
            trackers: Vec::new(),
            web_seeds: Vec::new(),
            peers: Vec::new(),
            chosen: Vec::new(),
            publication: None,
        }
    }

    /// A link that names a torrent of v2 by its whole info-hash and nothing else.
    pub fn new_v2(info_hash_v2: Digest256) -> Self {
        let magnet = Self::new(InfoHash::cut(&info_hash_v2));
        Self { info_hash_v2: Some(info_hash_v2), ..magnet }
    }

    /// Whether the link names the torrent by v2 alone.
    pub fn is_v2_only(&self) -> bool {
        self.info_hash_v2.as_ref().map(InfoHash::cut) == Some(self.info_hash)
    }

    /// Whether the link asks for this file.
    pub fn chooses(&self, file: u32) -> bool {
        self.chosen.is_empty() || self.chosen.iter().any(|range| range.contains(&file))
    }
}

#[cfg(test)]
mod tests;
