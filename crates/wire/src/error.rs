//! Why bytes from outside cannot be read: what was found and what was allowed.

use headwater_metainfo::bencode;

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
    /// A run of hashes that no merkle tree has (BEP 52).
    #[error(
        "run of {length} hashes from {index} on of layer {base}, proven for {proof_layers} layers"
    )]
    HashSpan {
        /// The layer, from the leaves up.
        base: u32,
        /// The first hash.
        index: u32,
        /// How many; a power of two is needed.
        length: u32,
        /// Layers that are proven.
        proof_layers: u32,
    },
    /// More or fewer hashes than their span says (BEP 52).
    #[error("hashes of {found} bytes, {needed} needed")]
    HashBytes {
        /// Their size.
        found: usize,
        /// What the span asks for.
        needed: usize,
    },
    /// The dictionary of an extended message is not bencode.
    #[error(transparent)]
    Bencode(#[from] bencode::Error),
    /// A field that must be there is not, or is of another type.
    #[error("field {key} is missing or is no {needed}")]
    Field {
        /// Its name.
        key: &'static str,
        /// What it must be.
        needed: &'static str,
    },
    /// A number outside what its field allows.
    #[error("field {key} is {found}, at most {allowed} allowed and none below 0")]
    Range {
        /// The field's name.
        key: &'static str,
        /// The number.
        found: i64,
        /// The most allowed.
        allowed: u32,
    },
    /// A metadata piece is longer than BEP 9 has it.
    #[error("metadata piece of {found} bytes, at most {allowed} allowed")]
    MetadataPiece {
        /// Its size.
        found: usize,
        /// The most allowed.
        allowed: usize,
    },
    /// A tracker message, or a part of it, is too long.
    #[error("{what} of {found} bytes, at most {allowed} allowed")]
    Text {
        /// What is too long.
        what: &'static str,
        /// Its size.
        found: usize,
        /// The most allowed.
        allowed: usize,
    },
    /// A tracker message is no JSON.
    #[error("no JSON from line {line} column {column} on")]
    Json {
        /// Where reading stopped.
        line: usize,
        /// Where in that line.
        column: usize,
    },
    /// A session description has a line it must not have, or lacks one it must have.
    #[error("session description line {line}: {rule}")]
    Sdp {
        /// Which line, from 1; one past the last when something is missing.
        line: usize,
        /// The rule it breaks.
        rule: &'static str,
    },
}
