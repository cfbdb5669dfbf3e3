//! Bytes to values and back for everything spoken: peer messages, extensions, tracker forms,
//! lists of addresses.
//! Every input is hostile; decoding never panics and never allocates more than it was given.
#![forbid(unsafe_code)]

mod decoder;
mod error;
pub mod extended;
mod handshake;
mod hashes;
pub mod ip_list;
pub mod limit;
pub mod lsd;
mod message;
mod text;
pub mod tracker;

pub use decoder::Decoder;
pub use error::Error;
pub use handshake::{Handshake, Reserved};
pub use hashes::HashSpan;
pub use message::{BlockSpan, Message};
