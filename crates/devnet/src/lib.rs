//! A local test ledger with the face of a TRON node. Its tokens are worthless.
#![forbid(unsafe_code)]

pub mod contracts;
pub mod evm;
