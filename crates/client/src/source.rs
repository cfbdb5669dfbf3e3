//! What a user may hand in to add a torrent, and why it cannot be added.

use std::sync::Arc;

use headwater_base::{Digest256, InfoHash, unhex};
use headwater_engine::{AddTorrent, WebSeed};
use headwater_metainfo::{Magnet, Torrent};

/// Most files a magnet link may choose. The largest metadata fetched names fewer.
const CHOSEN_MAX: usize = 1 << 19;

/// Where a torrent comes from.
#[derive(Clone, Debug)]
pub enum Source<'a> {
    /// A magnet link (BEP 9).
    Magnet(&'a str),
    /// An info-hash: 40 hex digits of v1, 64 of v2.
    InfoHash(&'a str),
    /// The bytes of a `.torrent` file.
    TorrentFile(&'a [u8]),
    /// A torrent that is read already.
    Torrent(Arc<Torrent>),
}

impl<'a> Source<'a> {
    /// Guesses what `bytes` are: text that starts as a magnet link, an info-hash, or a file.
    pub fn read<T: AsRef<[u8]> + ?Sized>(bytes: &'a T) -> Self {
        let bytes = bytes.as_ref();
        if let Ok(text) = std::str::from_utf8(bytes) {
            let text = text.trim();
            if text.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("magnet:")) {
                return Self::Magnet(text);
            }
            if of_hash(text).is_some() {
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
    #[error("info-hash of {found} characters, 40 hex digits expected, or 64 of v2")]
    InfoHash {
        /// How many characters there are.
        found: usize,
    },
    /// The magnet link or torrent file is refused.
    #[error(transparent)]
    Metainfo(#[from] headwater_metainfo::Error),
}

impl AddError {
    /// A stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InfoHash { .. } => "bad-info-hash",
            Self::Metainfo(error) => error.code(),
        }
    }
}

/// Reads a source into what the engine is given, and its v2 info-hash where it names one.
pub(crate) fn read(source: &Source<'_>) -> Result<(AddTorrent, Option<Digest256>), AddError> {
    match source {
        Source::Magnet(text) => Ok(of_magnet(Magnet::parse(text)?)),
        Source::InfoHash(text) => {
            let found = text.chars().count();
            Ok(of_magnet(of_hash(text).ok_or(AddError::InfoHash { found })?))
        }
        Source::TorrentFile(bytes) => Ok(of_torrent(Arc::new(Torrent::parse(bytes)?))),
        Source::Torrent(torrent) => Ok(of_torrent(Arc::clone(torrent))),
    }
}

fn of_hash(text: &str) -> Option<Magnet> {
    let v2 = || Digest256::try_from(unhex(text)?).ok().map(Magnet::new_v2);
    InfoHash::from_hex(text).map(Magnet::new).or_else(v2)
}

fn of_magnet(magnet: Magnet) -> (AddTorrent, Option<Digest256>) {
    // More files than any torrent has metadata room for aim at our memory.
    let chosen = magnet.chosen.into_iter().flatten().take(CHOSEN_MAX);
    let files: Vec<u32> = chosen.collect();
    let add = AddTorrent {
        info_hash: magnet.info_hash,
        info_hash_v2: magnet.info_hash_v2,
        metainfo: None,
        name: magnet.name,
        trackers: magnet.trackers.into_iter().map(|url| vec![url]).collect(),
        web_seeds: foreign(magnet.web_seeds),
        publication: magnet.publication,
        files: (!files.is_empty()).then_some(files),
        paused: false,
        bridge: false,
    };
    (add, magnet.info_hash_v2)
}

fn of_torrent(torrent: Arc<Torrent>) -> (AddTorrent, Option<Digest256>) {
    let v2 = torrent.info_hash_v2;
    let add = AddTorrent {
        info_hash: torrent.info_hash,
        info_hash_v2: torrent.info_hash_v2,
        name: Some(torrent.name.clone()),
        trackers: torrent.trackers.clone(),
        web_seeds: foreign(torrent.web_seeds.clone()),
        publication: None,
        metainfo: Some(torrent),
        files: None,
        paused: false,
        bridge: false,
    };
    (add, v2)
}

/// Web seeds that the user did not name.
fn foreign(urls: Vec<String>) -> Vec<WebSeed> {
    urls.into_iter().map(|url| WebSeed { url, trusted: false }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn source_is_told_from_its_bytes() {
        let magnet = format!(" MAGNET:?xt=urn:btih:{HEX}\n");
        assert!(matches!(Source::read(&magnet), Source::Magnet(_)));
        assert!(matches!(Source::read(HEX), Source::InfoHash(_)));
        assert!(matches!(Source::read(&HEX[..24].repeat(3)), Source::TorrentFile(_)));
        let v2 = "AB".repeat(32);
        let (add, hash) = read(&Source::read(&v2)).unwrap();
        assert_eq!((add.info_hash, hash), (InfoHash([0xab; 20]), Some([0xab; 32])));
        assert!(matches!(Source::read(b"d4:infode"), Source::TorrentFile(_)));
        assert!(matches!(Source::read(&[0xff, 0xfe]), Source::TorrentFile(_)));
    }

    #[test]
    fn magnet_gives_trackers_and_chosen_files() {
        let text = format!(
            "magnet:?xt=urn:btih:{HEX}&dn=a&tr=wss%3A%2F%2Ft.example&so=1,3-4&ws=http%3A%2F%2Fs%2Fa"
        );
        let (add, v2) = read(&Source::read(&text)).unwrap();
        assert_eq!(v2, None);
        assert_eq!(add.info_hash.to_string(), HEX);
        assert_eq!(add.trackers, [["wss://t.example"]]);
        assert_eq!(add.files, Some(vec![1, 3, 4]));
        assert_eq!(add.web_seeds, [WebSeed { url: "http://s/a".to_owned(), trusted: false }]);
        assert_eq!(add.name.as_deref(), Some("a"));
    }

    #[test]
    fn sixty_four_digits_name_a_torrent_of_v2() {
        let (add, _) = read(&Source::InfoHash(&"ab".repeat(32))).unwrap();
        assert_eq!(add.info_hash_v2, Some([0xab; 32]));
        assert_eq!(add.info_hash, InfoHash([0xab; 20]));
    }

    #[test]
    fn bad_sources_have_stable_codes() {
        let code = |source: Source<'_>| read(&source).unwrap_err().code();
        assert_eq!(code(Source::InfoHash("abc")), "bad-info-hash");
        assert_ne!(code(Source::TorrentFile(b"what")), "");
        assert_ne!(code(Source::Magnet("magnet:?dn=a")), "");
    }
}
