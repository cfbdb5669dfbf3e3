//! Every limit of this crate. What is beyond them aims at memory or the stack, not at a torrent.

/// Most bytes of a bencoded value, a `.torrent` file included.
pub const BENCODE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Most lists and dictionaries inside one another.
pub const BENCODE_DEPTH_MAX: usize = 100;
/// Most values in one bencoded value, dictionary keys included.
pub const BENCODE_VALUES_MAX: usize = 2_000_000;
/// Most characters of an integer: 19 digits and a sign.
pub const INTEGER_CHARS_MAX: usize = 20;
