//! TRON and BTTC as bytes: addresses, digests, transactions, contract calls, node forms. No IO.
//!
//! Everything here is a pure function of its arguments, so that a page, a server and a test ledger
//! agree to the byte. What comes from outside has a limit in `limit` and never panics.
#![forbid(unsafe_code)]

pub mod abi;
pub mod address;
pub mod amount;
pub mod chain;
mod digest;
pub mod evm;
pub mod key;
pub mod limit;
pub mod message;
pub mod node;
pub mod seal;
pub mod transaction;
pub mod typed;

pub use digest::keccak256;
pub use headwater_base::{Address, Amount, Digest256, Signature, UnixTime};
