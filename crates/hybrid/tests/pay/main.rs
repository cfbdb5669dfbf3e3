//! Money between programs on one machine: two peers and a test ledger, and the accounts of all
//! three to the base unit. Nothing in it is worth anything.

mod content;
mod market;
mod program;
mod trade;
