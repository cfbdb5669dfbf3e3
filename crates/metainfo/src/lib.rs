//! Bencode, torrent files, magnet links, creating torrents, safe paths. Pure; every input hostile.
#![forbid(unsafe_code)]

pub mod bencode;
pub mod create;
mod error;
pub mod limit;
mod magnet;
mod mime;
mod path;
pub mod show;
mod torrent;
mod url;

pub use error::Error;
pub use magnet::Magnet;
pub use mime::{mime_type, runs_scripts};
pub use path::{safe_name, windows_name};
pub use torrent::{File, Span, Torrent};
