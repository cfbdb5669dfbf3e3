//! Content of torrents that lies in an object store: S3, Google Cloud Storage, Azure or a local
//! folder. It is found, hashed into a torrent, and read in parts; it is never written.
//!
//! What a store answers is checked: an object that is not the one that was hashed counts as gone.

mod content;
mod kept;
mod limit;
mod location;
mod source;
mod trouble;

#[cfg(test)]
mod tests;

pub use content::{Content, Object};
pub use kept::Kept;
pub use location::Location;
pub use source::Source;
pub use trouble::Trouble;
