//! Why a contract refused, of the bytes it reverted with.

use alloy_sol_types::{Panic, Revert, SolError};

use super::AbiError;
use crate::limit;
use crate::node::Words;

/// Why a contract refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It does not say.
    Silent,
    /// It says so in words.
    Words(Words),
    /// Its own code is wrong somewhere: an overflow, an index, an assertion.
    Panic {
        /// Which of Solidity's panics; the largest number where it is none.
        code: u64,
    },
    /// It has an error of its own, told by four bytes.
    Custom {
        /// The first four bytes of the digest of the error's signature.
        selector: [u8; 4],
        /// What follows them, cut to a length.
        data: Vec<u8>,
    },
    /// The bytes are no reason at all.
    Unreadable {
        /// How many there are.
        found: usize,
    },
}

/// Reads why a contract refused.
pub fn reason(reverted: &[u8]) -> Reason {
    let found = reverted.len();
    let unreadable = Reason::Unreadable { found };
    let Some((selector, data)) = reverted.split_first_chunk::<4>() else {
        return if found == 0 { Reason::Silent } else { unreadable };
    };
    if bounded(reverted).is_err() {
        return unreadable;
    }
    match *selector {
        Revert::SELECTOR => Revert::abi_decode(reverted)
            .map_or(unreadable, |it| Reason::Words(Words::of(&it.reason))),
        Panic::SELECTOR => Panic::abi_decode(reverted).map_or(unreadable, |it| Reason::Panic {
            code: u64::try_from(it.code).unwrap_or(u64::MAX),
        }),
        selector => {
            let data = data[..data.len().min(limit::REASON_BYTES_MAX)].to_vec();
            Reason::Custom { selector, data }
        }
    }
}

pub(super) fn bounded(bytes: &[u8]) -> Result<(), AbiError> {
    let (found, allowed) = (bytes.len(), limit::CALL_BYTES_MAX);
    if found > allowed { Err(AbiError::TooLong { found, allowed }) } else { Ok(()) }
}
