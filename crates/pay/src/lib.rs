//! The payment state machine: bids, awards, vouchers, credit. Knows amounts, never pieces.
#![forbid(unsafe_code)]
