//! TRON and BTTC as bytes: addresses, digests, transactions, contract calls, node forms. No IO.
#![forbid(unsafe_code)]
