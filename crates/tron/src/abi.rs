//! Calls of contracts as bytes, what they return, the events they write and the reasons they give.
//! Knows two contracts: the vault, and a token of the TRC-20 kind.

mod event;
mod reason;
mod sol;
pub mod token;
pub mod vault;

use headwater_base::Address;

pub use event::Event;
pub use reason::{Reason, Refusal, reason};

/// What a contract returned or wrote is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AbiError {
    /// More bytes than any of our calls returns.
    #[error("{found} bytes returned, at most {allowed} allowed")]
    TooLong {
        /// How many there are.
        found: usize,
        /// The most allowed.
        allowed: usize,
    },
    /// More claims than a call may have.
    #[error("{found} claims, 1 to {allowed} allowed")]
    Claims {
        /// How many there are.
        found: usize,
        /// The most allowed.
        allowed: usize,
    },
    /// The bytes are not those of what is read. Where nothing is returned, nothing is there.
    #[error("{what} cannot be read of {found} bytes")]
    Form {
        /// What should be there.
        what: &'static str,
        /// How many bytes there are.
        found: usize,
    },
    /// A number that no amount of ours holds.
    #[error("{what} exceeds 128 bits")]
    Large {
        /// Of what.
        what: &'static str,
    },
}

fn to_sol(address: Address) -> alloy_primitives::Address {
    alloy_primitives::Address::from(address.0)
}

fn of_sol(address: alloy_primitives::Address) -> Address {
    Address(address.into_array())
}

#[cfg(test)]
mod tests;
