//! What may be wrong with a node's answer, and the codes by which it refuses.

use crate::address::AddressError;
use crate::limit;
use crate::transaction::{TransactionError, TransactionId};

/// An answer that tells nothing, or that a node refused to give.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NodeError {
    /// No answer of ours is so large.
    #[error("answer of {found} bytes, at most {allowed} allowed")]
    TooLong {
        /// How large it is.
        found: usize,
        /// The most allowed.
        allowed: usize,
    },
    /// More entries than any answer of ours has.
    #[error("{field} of {found} entries, at most {allowed} allowed")]
    TooMany {
        /// Of what.
        field: &'static str,
        /// How many there are.
        found: usize,
        /// The most allowed.
        allowed: usize,
    },
    /// The answer is no JSON, or not that of what was asked.
    #[error("answer's JSON breaks off at line {line}, column {column}")]
    Json {
        /// Where the reader stopped.
        line: usize,
        /// Where in the line.
        column: usize,
    },
    /// The node says that it failed: `{"Error": …}`, with HTTP 200.
    #[error("the node answers: {}", .0.as_str())]
    Node(Words),
    /// A refusal where the answer should have been.
    #[error("the node refuses with {code:?}: {}", .words.as_str())]
    Refused {
        /// Why, as a code.
        code: Code,
        /// Why, in its words.
        words: Words,
    },
    /// A field is missing that the answer is nothing without.
    #[error("answer without {field}")]
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
    /// An address breaks the form of one.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A transaction that the node built breaks the form of one.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// The node built another transaction than it says.
    #[error("the node says transaction {said:?}, and its content is {found:?}")]
    OtherTransaction {
        /// What it says.
        said: TransactionId,
        /// What follows from the content.
        found: TransactionId,
    },
}

/// What a node says of a failure: somebody else's words, cut to a length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(String);

impl Words {
    /// Keeps as much of `text` as is worth it.
    pub fn of(text: &str) -> Self {
        let mut end = text.len().min(limit::REASON_BYTES_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        Self(text[..end].to_owned())
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Why a node refuses.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// The code as a node writes it.
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Reads a code; one that nobody knows is another error.
            pub fn of(text: &str) -> Self {
                match text { $($text => Self::$name,)* _ => Self::Other }
            }
        }
    };
}

codes! {
    /// No refusal.
    Success = "SUCCESS",
    /// The signature is not the owner's.
    Signature = "SIGERROR",
    /// The contract would not run: no balance, or nothing there.
    Validate = "CONTRACT_VALIDATE_ERROR",
    /// It failed while it ran.
    Execute = "CONTRACT_EXE_ERROR",
    /// The account has no bandwidth left, and no TRX to pay for it.
    Bandwidth = "BANDWITH_ERROR",
    /// The node has this transaction already.
    Duplicate = "DUP_TRANSACTION_ERROR",
    /// The block that it names is not of this chain.
    Tapos = "TAPOS_ERROR",
    /// Too large.
    TooBig = "TOO_BIG_TRANSACTION_ERROR",
    /// Its time is over.
    Expired = "TRANSACTION_EXPIRATION_ERROR",
    /// The node's pool is full.
    Busy = "SERVER_BUSY",
    /// The node is alone.
    NoConnection = "NO_CONNECTION",
    /// The node is nearly alone.
    FewConnections = "NOT_ENOUGH_EFFECTIVE_CONNECTION",
    /// The chain has not settled on recent blocks.
    Unsolidified = "BLOCK_UNSOLIDIFIED",
    /// Anything else.
    Other = "OTHER_ERROR",
}
