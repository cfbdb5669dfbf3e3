//! What every Headwater crate shares: ids, time, seed, bitfield, hashing, nearness of addresses,
//! timers, amounts and accounts.
//! Knows nothing of torrents, peers or bytes on a wire.
#![forbid(unsafe_code)]

mod bitfield;
mod hash;
mod id;
mod money;
mod nearness;
mod ordered;
mod seed;
mod time;
mod timers;

pub use bitfield::Bitfield;
pub use hash::{Digest1, Digest256, Sha1, hex, sha1, sha1_many, sha256, sha256_many, unhex};
pub use id::{
    BlockIndex, ByteCount, InfoHash, JobId, LinkId, PeerId, PieceIndex, ReaderId, TorrentId,
    TrackerId,
};
pub use money::{Address, Amount, Signature, UnixTime};
pub use nearness::{Nearness, is_local_name};
pub use ordered::{Entry, Map, Set};
pub use seed::{Rng, Seed};
pub use time::Time;
pub use timers::Timers;

/// Bytes in a block, the unit a peer asks for (BEP 3).
pub const BLOCK_LEN: u32 = 16 * 1024;
