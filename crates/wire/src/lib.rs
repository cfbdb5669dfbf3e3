//! Bytes to values and back for everything spoken: peer messages, extensions, tracker forms.
//! Every input is hostile; decoding never panics and never allocates more than it was given.
#![forbid(unsafe_code)]

mod error;

pub use error::Error;
