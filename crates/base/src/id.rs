//! Newtypes for every index, amount and identity, so that none is taken for another.

use core::fmt;
use core::ops::{Add, AddAssign};

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number!(
    /// Which piece of a torrent.
    PieceIndex(u32)
);
number!(
    /// Which 16 KiB block of a piece.
    BlockIndex(u32)
);
number!(
    /// An amount of bytes.
    ByteCount(u64)
);
number!(
    /// A torrent that one client handles; never reused in its life.
    TorrentId(u32)
);
number!(
    /// A link, or the attempt to open it; never reused in a client's life.
    LinkId(u64)
);
number!(
    /// A job handed to the shell; the answer carries it back.
    JobId(u64)
);
number!(
    /// Somebody who reads a file while it downloads.
    ReaderId(u64)
);
number!(
    /// One tracker's address, whichever torrents announce to it.
    TrackerId(u32)
);

impl PieceIndex {
    /// The index as a position in a slice.
    pub const fn idx(self) -> usize {
        self.0 as usize
    }
}

impl BlockIndex {
    /// The index as a position in a slice.
    pub const fn idx(self) -> usize {
        self.0 as usize
    }
}

impl Add for ByteCount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for ByteCount {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

macro_rules! twenty_bytes {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 20]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&crate::hex(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    };
}

twenty_bytes!(
    /// SHA-1 of a torrent's raw `info` bytes (BEP 3), or SHA-256 of them cut short (BEP 52), as
    /// used in handshakes and trackers.
    InfoHash
);
twenty_bytes!(
    /// What a peer calls itself (BEP 20); nothing proves it.
    PeerId
);

impl InfoHash {
    /// What stands for a v2 info-hash where only 20 bytes fit (BEP 52): its first.
    pub fn cut(hash: &crate::Digest256) -> Self {
        Self(core::array::from_fn(|at| hash[at]))
    }

    /// Reads 40 hex digits of either case.
    pub fn from_hex(text: &str) -> Option<Self> {
        crate::unhex(text)?.try_into().ok().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn info_hash_reads_its_own_hex() {
        let hash = InfoHash(core::array::from_fn(|i| i as u8 * 11));
        assert_eq!(InfoHash::from_hex(&hash.to_string()), Some(hash));
        assert_eq!(InfoHash::from_hex(&hash.to_string().to_uppercase()), Some(hash));
        assert_eq!(InfoHash::from_hex("abc"), None);
    }
}
