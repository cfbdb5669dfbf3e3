//! Bencode, torrent files, magnet links, creating torrents, safe paths. Pure; every input hostile.
#![forbid(unsafe_code)]

pub mod bencode;
pub mod limit;
mod torrent;

pub use torrent::{File, Torrent};
