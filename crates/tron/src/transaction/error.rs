//! Why a transaction cannot be read or written: what was found and what was allowed.

use crate::address::AddressError;
use crate::key::SignatureError;

/// A transaction that breaks the form of one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// No node takes so large a transaction.
    #[error("transaction of {found} bytes, at most {allowed} allowed")]
    TooLong {
        /// How large it is.
        found: usize,
        /// The most allowed.
        allowed: usize,
    },
    /// The bytes are no protobuf of a transaction.
    #[error("transaction is no protobuf message of its kind")]
    Protobuf,
    /// The bytes say the same in another way, or say more: their id would not be ours.
    #[error("transaction has fields unknown to us, or written in an unusual way")]
    NotCanonical,
    /// A field that no transaction is without.
    #[error("transaction without {field}")]
    Missing {
        /// Which.
        field: &'static str,
    },
    /// A field of another size than it must have.
    #[error("{field} of {found} bytes")]
    Field {
        /// Which.
        field: &'static str,
        /// How long it is.
        found: usize,
    },
    /// A transaction does exactly one thing.
    #[error("transaction with {found} contracts, 1 needed")]
    Contracts {
        /// How many it has.
        found: usize,
    },
    /// More signatures than a permission has keys.
    #[error("transaction with {found} signatures, at most {allowed} allowed")]
    Signatures {
        /// How many it has.
        found: usize,
        /// The most allowed.
        allowed: usize,
    },
    /// The contract's type and the type of its parameter differ.
    #[error("contract of type {kind} with the parameter of another")]
    Kind {
        /// What its type says.
        kind: i32,
    },
    /// A number is negative or larger than the field holds.
    #[error("{field} of {found}, 0 to {allowed} allowed")]
    Number {
        /// Which.
        field: &'static str,
        /// What it is.
        found: i128,
        /// The most allowed.
        allowed: u64,
    },
    /// An address breaks the form of one.
    #[error("{field}: {error}")]
    Address {
        /// Which.
        field: &'static str,
        /// How.
        error: AddressError,
    },
    /// A signature proves nothing.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// JSON that is none, or lacks what it must have.
    #[error("transaction's JSON at line {line}, column {column}")]
    Json {
        /// Where the reader stopped.
        line: usize,
        /// Where in the line.
        column: usize,
    },
    /// A field of JSON that is no hex.
    #[error("{field} is no hex")]
    Hex {
        /// Which.
        field: &'static str,
    },
    /// JSON of a contract that we only know as bytes.
    #[error("contract of a type that has no JSON form here")]
    Unsupported,
}
