//! The first 68 bytes of a link: which torrent, who, and what they can do (BEP 3, 6, 10).

use bytes::BufMut;
use headwater_base::{InfoHash, PeerId};

use crate::Error;

const PROTOCOL: [u8; 20] = *b"\x13BitTorrent protocol";

/// What each side says first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The torrent the link is for.
    pub info_hash: InfoHash,
    /// What the sender calls itself.
    pub peer_id: PeerId,
    /// What the sender can do.
    pub reserved: Reserved,
}

/// Eight bytes of ability bits. Unknown bits are kept and mean nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reserved(pub [u8; 8]);

impl Handshake {
    /// Bytes a handshake has.
    pub const LEN: usize = 68;

    /// The wire form.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        let mut out = &mut bytes[..];
        out.put_slice(&PROTOCOL);
        out.put_slice(&self.reserved.0);
        out.put_slice(&self.info_hash.0);
        out.put_slice(&self.peer_id.0);
        bytes
    }

    /// Reads a whole handshake.
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Result<Self, Error> {
        Self::check_start(bytes)?;
        let (mut reserved, mut info_hash, mut peer_id) = ([0; 8], [0; 20], [0; 20]);
        reserved.copy_from_slice(&bytes[20..28]);
        info_hash.copy_from_slice(&bytes[28..48]);
        peer_id.copy_from_slice(&bytes[48..]);
        Ok(Self {
            info_hash: InfoHash(info_hash),
            peer_id: PeerId(peer_id),
            reserved: Reserved(reserved),
        })
    }

    /// Refuses the start of a handshake at the first byte that differs from BEP 3.
    pub(crate) fn check_start(start: &[u8]) -> Result<(), Error> {
        match start.iter().zip(PROTOCOL).position(|(found, expected)| *found != expected) {
            Some(at) => Err(Error::Protocol { at, found: start[at], expected: PROTOCOL[at] }),
            None => Ok(()),
        }
    }
}

macro_rules! ability {
    ($has:ident, $with:ident, $byte:literal, $bit:literal, $what:literal) => {
        #[doc = concat!("Whether the sender speaks ", $what, ".")]
        pub const fn $has(self) -> bool {
            self.0[$byte] & $bit != 0
        }

        #[doc = concat!("Adds the bit that says the sender speaks ", $what, ".")]
        #[must_use]
        pub const fn $with(mut self) -> Self {
            self.0[$byte] |= $bit;
            self
        }
    };
}

impl Reserved {
    ability!(has_extension, with_extension, 5, 0x10, "extended messages (BEP 10)");
    ability!(has_dht, with_dht, 7, 0x01, "the distributed hash table (BEP 5)");
    ability!(has_fast, with_fast, 7, 0x04, "the fast extension (BEP 6)");
    ability!(has_v2, with_v2, 7, 0x10, "BitTorrent v2 and wants to upgrade to it (BEP 52)");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wire_form_is_that_of_bep_3() {
        let handshake = Handshake {
            info_hash: InfoHash([0xaa; 20]),
            peer_id: PeerId(*b"-HW0100-abcdefghijkl"),
            reserved: Reserved::default().with_extension().with_fast(),
        };
        let bytes = handshake.to_bytes();
        assert_eq!(bytes[..20], *b"\x13BitTorrent protocol");
        assert_eq!(bytes[20..28], [0, 0, 0, 0, 0, 0x10, 0, 0x04]);
        assert_eq!(bytes[28..48], [0xaa; 20]);
        assert_eq!(bytes[48..], *b"-HW0100-abcdefghijkl");
        assert_eq!(Handshake::from_bytes(&bytes), Ok(handshake));
    }

    #[test]
    fn each_ability_has_its_own_bit() {
        let none = Reserved::default();
        let bits = |reserved: Reserved| {
            [reserved.has_extension(), reserved.has_dht(), reserved.has_fast(), reserved.has_v2()]
        };
        assert_eq!(bits(none), [false; 4]);
        assert_eq!(bits(none.with_extension()), [true, false, false, false]);
        assert_eq!(bits(none.with_dht()), [false, true, false, false]);
        assert_eq!(bits(none.with_fast()), [false, false, true, false]);
        assert_eq!(bits(none.with_v2()), [false, false, false, true]);
        assert_eq!(none.with_v2().with_dht().with_fast().0[7], 0x15);
    }

    #[test]
    fn other_protocols_are_refused_at_the_byte_that_differs() {
        assert_eq!(Handshake::check_start(b"\x13BitT"), Ok(()));
        let expect = Error::Protocol { at: 0, found: b'G', expected: 19 };
        assert_eq!(Handshake::check_start(b"GET / HTTP/1.1"), Err(expect));
        let expect = Error::Protocol { at: 4, found: b'c', expected: b'T' };
        assert_eq!(Handshake::check_start(b"\x13Bitcoin"), Err(expect));
    }
}
