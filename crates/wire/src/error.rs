//! Why bytes from outside cannot be read: what was found and what was allowed.

/// Input that breaks the form of what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The link does not open with the BitTorrent handshake.
    #[error("handshake byte {at} is {found}, expected {expected}")]
    Protocol {
        /// Which byte of the handshake.
        at: usize,
        /// What it is.
        found: u8,
        /// What BEP 3 says it is.
        expected: u8,
    },
    /// The length prefix is larger than any message.
    #[error("length prefix of {found} bytes, at most {allowed} allowed")]
    Prefix {
        /// The announced size, id byte included.
        found: u32,
        /// The most allowed for any message.
        allowed: u32,
    },
    /// The length prefix is larger than a message of its kind may be.
    #[error("message {id} of {found} bytes, at most {allowed} allowed")]
    TooLong {
        /// The message's id byte.
        id: u8,
        /// Its announced size, id byte included.
        found: u32,
        /// The most allowed.
        allowed: u32,
    },
    /// The length prefix is smaller than a message of its kind must be.
    #[error("message {id} of {found} bytes, at least {needed} needed")]
    TooShort {
        /// The message's id byte.
        id: u8,
        /// Its announced size, id byte included.
        found: u32,
        /// The least needed.
        needed: u32,
    },
}
