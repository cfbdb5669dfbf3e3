//! Engines wired back to back under virtual time: whole transfers, liars, lost links, readers.
//! Nothing here touches a clock, a socket or a disk.
#![expect(
    clippy::wildcard_enum_match_arm,
    clippy::unwrap_used,
    reason = "a test looks for one kind and fails loudly"
)]

mod disk;
mod net;
mod tracker;
mod web;

mod chaos;
mod claims;
mod fast;
mod faults;
mod lack;
mod links;
mod made;
mod metadata;
#[cfg(feature = "pay")]
mod paid;
mod pex;
mod ports;
mod puppet;
mod queue;
mod readers;
mod reveal;
mod serving;
mod speed;
mod transfers;
mod v2;
mod webseeds;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use headwater_base::{InfoHash, Seed, TorrentId, sha1};
use headwater_engine::{AddTorrent, Event};
use headwater_metainfo::Torrent;

/// The torrent of every test.
const T: TorrentId = TorrentId(0);

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A torrent of one file, and its bytes.
#[derive(Clone)]
struct Sample {
    torrent: Arc<Torrent>,
    data: Arc<Vec<u8>>,
}

/// Makes a torrent of `len` random bytes.
fn sample(len: usize, piece_length: usize) -> Sample {
    let mut data = vec![0; len];
    Seed([5; 32]).split("sample").fill(&mut data);
    let mut pieces = Vec::new();
    for piece in data.chunks(piece_length) {
        pieces.extend_from_slice(&sha1(piece));
    }
    let mut info =
        format!("d6:lengthi{len}e4:name6:sample12:piece lengthi{piece_length}e").into_bytes();
    info.extend_from_slice(format!("6:pieces{}:", pieces.len()).as_bytes());
    info.extend_from_slice(&pieces);
    info.push(b'e');
    let torrent = Torrent::from_info(Bytes::from(info)).expect("a valid torrent");
    Sample { torrent: Arc::new(torrent), data: Arc::new(data) }
}

impl Sample {
    fn hash(&self) -> InfoHash {
        self.torrent.info_hash
    }

    /// Adds the whole torrent.
    fn whole(&self) -> AddTorrent {
        AddTorrent { metainfo: Some(Arc::clone(&self.torrent)), ..self.magnet() }
    }

    /// Adds only its identity.
    fn magnet(&self) -> AddTorrent {
        AddTorrent {
            info_hash: self.hash(),
            info_hash_v2: self.torrent.info_hash_v2,
            metainfo: None,
            name: None,
            trackers: vec![vec!["wss://tracker.example/".to_owned()]],
            publication: None,
            web_seeds: Vec::new(),
            files: None,
            paused: false,
            bridge: false,
        }
    }
}

fn is_done(event: &Event) -> bool {
    matches!(event, Event::TorrentDone(_))
}
