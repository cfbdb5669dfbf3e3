//! Ethereum's forms, which BTTC speaks: transactions that are signed here, and what its nodes are
//! asked and answer over JSON-RPC. What an answer means is said in the same values as for TRON.

mod node;
mod transaction;

pub use node::{
    block_number, call, called, count, estimate, estimated, gas_price, nonce, quantity, receipt,
    receipt_of, send, sent,
};
pub use transaction::{Signed, Transaction};

#[cfg(test)]
mod tests;
