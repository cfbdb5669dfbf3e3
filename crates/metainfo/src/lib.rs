//! Bencode, torrent files, magnet links, creating torrents, safe paths. Pure; every input hostile.
#![forbid(unsafe_code)]

mod torrent;

pub use torrent::{File, Torrent};
