//! Bencode, torrent files, magnet links, creating torrents, merkle trees, safe paths.
//! Pure; every input hostile.
#![forbid(unsafe_code)]

mod base64;
pub mod bencode;
pub mod create;
mod error;
pub mod limit;
mod magnet;
pub mod merkle;
mod mime;
mod path;
mod publication;
pub mod show;
mod torrent;
mod url;

pub use error::Error;
pub use magnet::Magnet;
pub use mime::{mime_type, runs_scripts};
pub use path::{safe_name, windows_name};
pub use publication::{Publication, PublicationError, RawPublication, Sale};
pub use torrent::{File, Layers, Span, Torrent, Version};
pub use url::web_seed_url;
