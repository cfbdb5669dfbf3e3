//! A local test ledger with the face of a TRON node. Its tokens are worthless.
#![forbid(unsafe_code)]

pub mod contracts;
pub mod evm;
pub mod genesis;
mod http;
pub mod journal;
pub mod ledger;
pub mod limit;
pub mod server;
