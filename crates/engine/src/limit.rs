//! Every limit of the engine, with why it is what it is.

/// Largest info dictionary fetched from peers (BEP 9). The largest seen in the wild is 4.2 MB.
pub const METADATA_BYTES_MAX: usize = 16 * 1024 * 1024;
