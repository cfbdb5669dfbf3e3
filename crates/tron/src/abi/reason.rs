//! Why a contract refused, of the bytes it reverted with.

use alloy_sol_types::{Panic, Revert, SolError, SolInterface};

use super::AbiError;
use super::sol::Vault::VaultErrors;
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
    /// It is a vault, and says which of its rules was broken.
    Vault(Refusal),
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

/// Which rule of the vault was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The token has no code.
    NoToken,
    /// A call came while another was under way.
    Reentered,
    /// Coin came where none was needed, or another amount than the call says.
    WrongValue,
    /// A deposit brought nothing.
    NothingArrived,
    /// A payment to nobody.
    NoPayee,
    /// Not signed by whoever had to, malformed, or of the second form.
    BadSignature,
    /// The grant's time is over.
    Expired,
    /// The grant runs longer than a session may.
    ExpiryTooFar,
    /// Nothing above what this payee had before.
    Stale,
    /// The cap or the balance leaves nothing for this payee.
    NothingLeft,
    /// What is kept cannot go back yet.
    Locked,
    /// Nothing is kept.
    NoLock,
    /// More than the account has free.
    TooMuch,
    /// No exit was asked for.
    NoExit,
    /// The exit's time has not come.
    ExitNotDue,
    /// The token did not move what it was told to.
    TransferFailed,
}

impl From<VaultErrors> for Refusal {
    fn from(error: VaultErrors) -> Self {
        match error {
            VaultErrors::NoToken(_) => Self::NoToken,
            VaultErrors::Reentered(_) => Self::Reentered,
            VaultErrors::WrongValue(_) => Self::WrongValue,
            VaultErrors::NothingArrived(_) => Self::NothingArrived,
            VaultErrors::NoPayee(_) => Self::NoPayee,
            VaultErrors::BadSignature(_) => Self::BadSignature,
            VaultErrors::Expired(_) => Self::Expired,
            VaultErrors::ExpiryTooFar(_) => Self::ExpiryTooFar,
            VaultErrors::Stale(_) => Self::Stale,
            VaultErrors::NothingLeft(_) => Self::NothingLeft,
            VaultErrors::Locked(_) => Self::Locked,
            VaultErrors::NoLock(_) => Self::NoLock,
            VaultErrors::TooMuch(_) => Self::TooMuch,
            VaultErrors::NoExit(_) => Self::NoExit,
            VaultErrors::ExitNotDue(_) => Self::ExitNotDue,
            VaultErrors::TransferFailed(_) => Self::TransferFailed,
        }
    }
}

/// Reads why a contract refused. Any contract may give a vault's reasons: they mean something
/// only of a call to a vault.
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
            if let Ok(known) = VaultErrors::abi_decode_validate(reverted) {
                return Reason::Vault(known.into());
            }
            let data = data[..data.len().min(limit::REASON_BYTES_MAX)].to_vec();
            Reason::Custom { selector, data }
        }
    }
}

pub(super) fn bounded(bytes: &[u8]) -> Result<(), AbiError> {
    let (found, allowed) = (bytes.len(), limit::CALL_BYTES_MAX);
    if found > allowed { Err(AbiError::TooLong { found, allowed }) } else { Ok(()) }
}
