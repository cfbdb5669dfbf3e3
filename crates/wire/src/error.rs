//! Why bytes from outside cannot be read: what was found and what was allowed.

/// A message that breaks the protocol's form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The length prefix is larger than any message of that kind.
    #[error("message {id} of {found} bytes, at most {allowed} allowed")]
    TooLong {
        /// The message's id byte.
        id: u8,
        /// Its announced size.
        found: usize,
        /// The most allowed.
        allowed: usize,
    },
}
