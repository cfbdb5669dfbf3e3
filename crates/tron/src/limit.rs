//! Every limit of this crate, with why it is what it is.

/// Largest transaction read or written. A node refuses more than 500 KiB.
pub const TRANSACTION_BYTES_MAX: usize = 500 * 1024;
/// Signatures a transaction may carry: as many as a permission has keys.
pub const SIGNATURES_MAX: usize = 5;
/// Largest memo written. A node takes more, but charges for it, and ours are short.
pub const MEMO_BYTES_MAX: usize = 1024;
/// Most sun that a call may burn: the chain's own limit of 15 000 TRX.
pub const FEE_LIMIT_MAX: u64 = 15_000_000_000;
/// Contracts in one block asked for with its transactions.
pub const TRANSACTIONS_MAX: usize = 10_000;
/// Largest answer of a node that is read. A block with all of its transactions may have 2 MB, and
/// as JSON a few times that; we ask for headers, accounts and receipts.
pub const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Deepest nesting of a node's JSON. Its own is 8 deep; more aims at the stack.
pub const ANSWER_DEPTH_MAX: usize = 32;
/// Log entries of one receipt. A call that claims for many payees writes one for each.
pub const LOGS_MAX: usize = 1024;
/// Largest text kept of a node's message or of a revert's reason.
pub const REASON_BYTES_MAX: usize = 1024;
/// Largest data of a call that is read back, and of what it returned.
pub const CALL_BYTES_MAX: usize = 256 * 1024;
/// Claims in one `claimMany`. More would burn the fee limit.
pub const CLAIMS_MAX: usize = 64;
/// Largest message signed as text.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// Characters of an amount as text: 39 digits of a `u128`, a point, and zeros before it.
pub const AMOUNT_CHARS_MAX: usize = 64;
