//! Every limit of the ledger, and every figure that a real chain would vote on.

/// Milliseconds between two blocks, as on TRON; between them, one is made for each transaction.
pub const BLOCK_MILLIS: u64 = 3_000;
/// The furthest that a transaction's expiration may lie ahead.
pub const EXPIRATION_MILLIS_MAX: u64 = 24 * 3_600 * 1_000;
/// How old a block may be that a transaction names, in blocks: two bytes of its number are named.
pub const REFERENCE_BLOCKS: u64 = 65_536;
/// Blocks that are kept. After that the ledger takes no more.
pub const BLOCKS_MAX: usize = 4_000_000;
/// Transactions that are kept. After that the ledger takes no more.
pub const TRANSACTIONS_MAX: usize = 1_000_000;
/// Bytes that a transaction's result takes in a block, which its sender pays bandwidth for.
pub const RESULT_BYTES: u64 = 64;
/// Bytes of transactions that an account has free in a day.
pub const FREE_BYTES: u64 = 600;
/// The day in which free bytes come back.
pub const DAY_MILLIS: u64 = 24 * 3_600 * 1_000;
/// Sun for a byte beyond those.
pub const BYTE_SUN: u64 = 1_000;
/// Sun for a unit of energy.
pub const ENERGY_SUN: u64 = 100;
/// Sun for an account that did not exist: a fee, and what its creation takes of bandwidth.
pub const ACTIVATION_SUN: u64 = 1_100_000;
/// The largest fee limit that a transaction may state.
pub const FEE_LIMIT_MAX: u64 = 15_000_000_000;
/// Energy that a call which is only tried may use.
pub const VIEW_ENERGY_MAX: u64 = 100_000_000;
/// Events that one answer lists.
pub const EVENTS_MAX: usize = 200;
/// Blocks that one answer lists.
pub const BLOCKS_LISTED_MAX: u64 = 100;
/// The largest request that the server reads.
pub const REQUEST_BYTES_MAX: usize = 2 * 1024 * 1024;
/// The longest line of a journal.
pub const LINE_BYTES_MAX: usize = 2 * 1024 * 1024;
