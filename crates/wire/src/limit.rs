//! Every limit of the wire forms, with why it is what it is.

/// Longest block a piece message may carry. Peers ask for 16 KiB; some send up to 128 KiB.
pub const BLOCK_BYTES_MAX: u32 = 128 * 1024;

/// Longest bitfield while the number of pieces is unknown: a million pieces, while metadata of
/// 16 MiB, the largest fetched, names fewer than 840 000.
pub const BITFIELD_BYTES_MAX: u32 = 128 * 1024;

/// Longest payload of an extended or unknown message; libtorrent drops above 1 MiB too.
pub const EXTENDED_BYTES_MAX: u32 = 1024 * 1024;

/// Longest message of any kind, id byte included.
pub const MESSAGE_BYTES_MAX: u32 = EXTENDED_BYTES_MAX + 2;

/// Bytes set aside at once for a message that arrives in parts. It grows with what arrives, so
/// that a peer cannot make us hold much more than it sent.
pub(crate) const ASSEMBLY_BYTES: usize = 16 * 1024;
