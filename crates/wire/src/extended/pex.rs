//! Peer exchange (BEP 11): addresses of peers the sender is linked with, those that came and those
//! that went. What is read was told by a stranger: addresses nobody can have are left out.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bytes::{BufMut, Bytes};
use headwater_metainfo::bencode::{DictBuilder, Value};

use super::RULES;
use crate::{Error, limit};

/// Bytes of a compact address of either kind: IP and port.
const V4_LEN: usize = 6;
const V6_LEN: usize = 18;

/// What is told of a peer besides its address. Unknown bits are kept and mean nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PexFlags(pub u8);

impl PexFlags {
    /// It prefers encrypted links.
    pub const ENCRYPTS: Self = Self(0x01);
    /// It has everything, or wants nothing more.
    pub const SEED: Self = Self(0x02);
    /// It speaks uTP.
    pub const UTP: Self = Self(0x04);
    /// It speaks the holepunch extension.
    pub const HOLEPUNCH: Self = Self(0x08);
    /// The sender dialled it, so it can be reached.
    pub const REACHABLE: Self = Self(0x10);

    /// Whether all bits of `other` are set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The bits of both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A peer the sender is linked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PexPeer {
    /// Where it is said to listen.
    pub address: SocketAddr,
    /// What is said of it.
    pub flags: PexFlags,
}

/// Who came and who went since the message before; the first names everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PexMessage {
    /// Those that came, IPv4 first.
    pub added: Vec<PexPeer>,
    /// Those that went, IPv4 first.
    pub dropped: Vec<SocketAddr>,
}

impl PexMessage {
    /// The payload of the extended message.
    pub fn encode(&self) -> Bytes {
        let added = |v4: bool| self.added.iter().filter(move |peer| peer.address.is_ipv4() == v4);
        let list = |v4| compact(added(v4).map(|peer| &peer.address));
        let flags = |v4| added(v4).map(|peer| peer.flags.0).collect::<Vec<u8>>();
        let gone = |v4| compact(self.dropped.iter().filter(|address| address.is_ipv4() == v4));
        let fields = [
            ("added", list(true)),
            ("added.f", flags(true)),
            ("added6", list(false)),
            ("added6.f", flags(false)),
            ("dropped", gone(true)),
            ("dropped6", gone(false)),
        ];
        let dict = DictBuilder::new();
        Bytes::from(
            fields.into_iter().fold(dict, |dict, (key, list)| dict.bytes(key, list)).finish(),
        )
    }

    /// Reads the payload of an extended message. A list that is cut anywhere but between two
    /// addresses counts as empty, flags that are not one an address as none; what is beyond the
    /// limit is left out.
    pub fn decode(payload: &[u8]) -> Result<Self, Error> {
        let (found, allowed) = (payload.len(), limit::PEX_BYTES_MAX);
        if found > allowed {
            return Err(Error::Text { what: "peer exchange", found, allowed });
        }
        let (value, _) = RULES.parse_prefix(payload)?;
        let dict = value.dict().ok_or(Error::Field { key: "ut_pex", needed: "dictionary" })?;
        let bytes = |key| dict.lookup(key).and_then(Value::bytes).unwrap_or_default();
        let mut added = flagged(addresses_v4(bytes("added")), bytes("added.f"));
        added.extend(flagged(addresses_v6(bytes("added6")), bytes("added6.f")));
        let (mut added, v6): (Vec<_>, Vec<_>) =
            added.into_iter().partition(|peer| peer.address.is_ipv4());
        added.extend(v6);
        added.truncate(limit::PEX_PEERS_MAX);
        let mut dropped = addresses_v4(bytes("dropped"));
        dropped.extend(addresses_v6(bytes("dropped6")));
        let (mut dropped, v6): (Vec<_>, Vec<_>) =
            dropped.into_iter().filter(is_somewhere).partition(SocketAddr::is_ipv4);
        dropped.extend(v6);
        dropped.truncate(limit::PEX_PEERS_MAX);
        Ok(Self { added, dropped })
    }
}

fn compact<'a>(addresses: impl Iterator<Item = &'a SocketAddr>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for address in addresses {
        match address.ip() {
            IpAddr::V4(ip) => bytes.put_slice(&ip.octets()),
            IpAddr::V6(ip) => bytes.put_slice(&ip.octets()),
        }
        bytes.put_u16(address.port());
    }
    bytes
}

fn addresses_v4(bytes: &[u8]) -> Vec<SocketAddr> {
    let (entries, rest) = bytes.as_chunks::<V4_LEN>();
    let read = |&[a, b, c, d, high, low]: &[u8; V4_LEN]| {
        SocketAddr::from((Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([high, low])))
    };
    if rest.is_empty() { entries.iter().map(read).collect() } else { Vec::new() }
}

fn addresses_v6(bytes: &[u8]) -> Vec<SocketAddr> {
    let (entries, rest) = bytes.as_chunks::<V6_LEN>();
    let read = |entry: &[u8; V6_LEN]| {
        let ip = Ipv6Addr::from(core::array::from_fn::<u8, 16, _>(|at| entry[at]));
        // An IPv4 address in IPv6 clothes is one all the same, and judged as one.
        SocketAddr::new(ip.to_canonical(), u16::from_be_bytes([entry[16], entry[17]]))
    };
    if rest.is_empty() { entries.iter().map(read).collect() } else { Vec::new() }
}

fn flagged(addresses: Vec<SocketAddr>, flags: &[u8]) -> Vec<PexPeer> {
    let fits = flags.len() == addresses.len();
    let flag = |at: usize| flags.get(at).copied().filter(|_| fits).unwrap_or_default();
    let peers = addresses.into_iter().enumerate();
    let peers = peers.map(|(at, address)| PexPeer { address, flags: PexFlags(flag(at)) });
    peers.filter(|peer| is_somewhere(&peer.address)).collect()
}

/// Whether one host may listen there.
fn is_somewhere(address: &SocketAddr) -> bool {
    let ip = address.ip();
    let nobody = ip.is_unspecified() || ip.is_multicast() || ip == Ipv4Addr::BROADCAST;
    address.port() != 0 && !nobody
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn added(payload: &[u8]) -> Vec<PexPeer> {
        PexMessage::decode(payload).unwrap().added
    }

    #[test]
    fn wire_form_is_that_of_bep_11() {
        let peer = |text, flags| PexPeer { address: at(text), flags };
        let reachable_seed = PexFlags::SEED.with(PexFlags::REACHABLE);
        let message = PexMessage {
            added: vec![
                peer("1.2.3.4:6881", PexFlags::default()),
                peer("80.0.0.1:258", reachable_seed),
                peer("[2001:470::1]:6881", PexFlags::UTP),
            ],
            dropped: vec![at("9.8.7.6:80"), at("[2001:470::2]:1")],
        };
        let v6 = |last: u8| [b"\x20\x01\x04\x70\0\0\0\0\0\0\0\0\0\0\0", &[last][..]].concat();
        let expect = [
            b"d5:added12:\x01\x02\x03\x04\x1a\xe1\x50\0\0\x01\x01\x02".as_slice(),
            b"7:added.f2:\0\x126:added618:",
            &v6(1),
            b"\x1a\xe18:added6.f1:\x047:dropped6:\x09\x08\x07\x06\0\x508:dropped618:",
            &v6(2),
            b"\0\x01e",
        ]
        .concat();
        assert_eq!(message.encode(), expect.as_slice());
        assert_eq!(PexMessage::decode(&expect), Ok(message));
        assert!(reachable_seed.has(PexFlags::SEED) && !reachable_seed.has(PexFlags::UTP));
    }

    #[test]
    fn lists_that_do_not_fit_count_as_empty_and_flags_that_do_not_as_none() {
        assert_eq!(added(b"d5:added5:\x01\x02\x03\x04\0e"), []);
        assert_eq!(added(b"d6:added66:\x01\x02\x03\x04\0\x01e"), []);
        assert_eq!(added(b"d5:addedi7ee"), []);
        for flags in [b"7:added.f0:".as_slice(), b"7:added.f2:\x02\x02", b"7:added.fi2e", b""] {
            let payload = [b"d5:added6:\x01\x02\x03\x04\0\x01".as_slice(), flags, b"e"].concat();
            let alone = PexPeer { address: at("1.2.3.4:1"), flags: PexFlags::default() };
            assert_eq!(added(&payload), [alone]);
        }
        assert!(matches!(PexMessage::decode(b"le"), Err(Error::Field { .. })));
        assert!(matches!(PexMessage::decode(b"d5:added"), Err(Error::Bencode(_))));
    }

    #[test]
    fn addresses_nobody_can_have_are_left_out() {
        let told = [
            "0.0.0.0:1",
            "1.2.3.4:0",
            "224.0.0.1:5",
            "255.255.255.255:5",
            "[::]:1",
            "[ff02::1]:1",
            "[::ffff:0.0.0.0]:9",
        ];
        let added = told.map(|text| PexPeer { address: at(text), flags: PexFlags::SEED });
        let message = PexMessage { added: added.to_vec(), dropped: told.map(at).to_vec() };
        assert_eq!(PexMessage::decode(&message.encode()), Ok(PexMessage::default()));
    }

    #[test]
    fn flags_stay_with_their_address_when_another_is_left_out() {
        let payload = b"d5:added12:\0\0\0\0\0\x01\x01\x02\x03\x04\0\x017:added.f2:\x01\x02e";
        let seed = PexPeer { address: at("1.2.3.4:1"), flags: PexFlags::SEED };
        assert_eq!(added(payload), [seed]);
    }

    #[test]
    fn ipv4_in_ipv6_clothes_is_read_as_ipv4() {
        let mapped = PexPeer { address: at("[::ffff:127.0.0.1]:8"), flags: PexFlags::default() };
        let message = PexMessage { added: vec![mapped], dropped: Vec::new() };
        assert_eq!(added(&message.encode())[0].address, at("127.0.0.1:8"));
    }

    #[test]
    fn long_lists_are_cut_and_huge_messages_refused() {
        let many = |count: usize| {
            let address = |at: usize| SocketAddr::from(([1, 2, (at >> 8) as u8, at as u8], 9));
            let all: Vec<_> = (0..count).map(address).collect();
            let flags = PexFlags::default();
            let added = all.iter().map(|&address| PexPeer { address, flags }).collect();
            PexMessage { added, dropped: all }.encode()
        };
        let read = PexMessage::decode(&many(1000)).unwrap();
        let most = limit::PEX_PEERS_MAX;
        assert_eq!((read.added.len(), read.dropped.len()), (most, most));
        let over = PexMessage::decode(&many(10_000));
        assert!(matches!(over, Err(Error::Text { .. })));
    }

    proptest! {
        #[test]
        fn arbitrary_payloads_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(read) = PexMessage::decode(&bytes) {
                prop_assert_eq!(PexMessage::decode(&read.encode()), Ok(read));
            }
        }

        #[test]
        fn arbitrary_lists_never_panic(
            lists in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 6)
        ) {
            let keys = ["added", "added.f", "added6", "added6.f", "dropped", "dropped6"];
            let dict = keys.iter().zip(lists).fold(DictBuilder::new(), |dict, (key, list)| {
                dict.bytes(key, list)
            });
            let read = PexMessage::decode(&dict.finish()).unwrap();
            prop_assert!(read.added.iter().all(|peer| is_somewhere(&peer.address)));
            let again = PexMessage::decode(&read.encode()).unwrap();
            prop_assert_eq!(again.added.len(), read.added.len());
            prop_assert_eq!(again.dropped.len(), read.dropped.len());
        }
    }
}
