//! The extension handshake (BEP 10): which extensions a peer speaks, by what id, and some facts
//! about it. Unknown keys are ignored.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::Bytes;
use headwater_base::Map;
use headwater_metainfo::bencode::{Dict, DictBuilder, Value};

use super::{BTT_PAY, RULES};
use crate::{Error, limit, text};

/// An extension spoken here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extension {
    /// Metadata from peers (BEP 9).
    Metadata,
    /// Addresses of peers (BEP 11).
    Pex,
    /// WebRTC offers and answers relayed between two peers that share a third.
    Signal,
    /// Pieces wanted soon.
    Want,
    /// Pieces a peer lost (BEP 54).
    DontHave,
    /// Whether a peer wants nothing more, told when it changes, as libtorrent does.
    UploadOnly,
}

impl Extension {
    /// Every extension spoken here.
    pub const ALL: [Self; 6] =
        [Self::Metadata, Self::Pex, Self::DontHave, Self::Signal, Self::Want, Self::UploadOnly];

    /// Its name in the handshake's `m`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Metadata => "ut_metadata",
            Self::Pex => "ut_pex",
            Self::Signal => "hw_signal",
            Self::Want => "hw_want",
            Self::DontHave => "lt_donthave",
            Self::UploadOnly => "upload_only",
        }
    }

    /// The id by which peers send it to us. Id 0 is the handshake itself (BEP 10).
    pub const fn own_id(self) -> u8 {
        match self {
            Self::Metadata => 1,
            Self::Pex => 2,
            Self::Signal => 4,
            Self::Want => 5,
            Self::DontHave => 3,
            Self::UploadOnly => 6,
        }
    }

    /// The extension whose messages peers send us by `id`.
    pub fn from_own_id(id: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|extension| extension.own_id() == id)
    }
}

/// What a peer says of itself in extended message 0. It may come again; what it leaves out then
/// still holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Handshake {
    /// The ids by which the sender wants extensions sent to it; 0 means no longer.
    pub ids: Map<String, u8>,
    /// The sender's client and version, cut and without control characters.
    pub agent: Option<String>,
    /// The TCP port the sender listens on.
    pub port: Option<u16>,
    /// How many unanswered requests the sender takes.
    pub requests_max: Option<u32>,
    /// Size of the info dictionary in bytes; what does not fit is the largest number.
    pub metadata_size: Option<u32>,
    /// Whether the sender wants no pieces though it may lack some (BEP 21).
    pub upload_only: Option<bool>,
    /// Where the sender sees the one it speaks to.
    pub your_ip: Option<IpAddr>,
    /// The sender's terms of paid priority as they came; [`super::PayTerms`] reads them. Nothing
    /// that is too long for terms.
    pub pay: Option<Bytes>,
}

impl Handshake {
    /// Makes a handshake that offers every extension spoken here.
    pub fn ours() -> Self {
        let ids = Extension::ALL.map(|own| (own.name().to_owned(), own.own_id()));
        Self { ids: Map::from(ids), ..Self::default() }
    }

    /// The id by which the sender wants messages of `extension`.
    pub fn id_of(&self, extension: Extension) -> Option<u8> {
        self.ids.get(extension.name()).copied().filter(|id| *id != 0)
    }

    /// The payload of extended message 0.
    pub fn encode(&self) -> Bytes {
        let add = |m: DictBuilder, (name, id): (&String, &u8)| m.int(name, i64::from(*id));
        let m = self.ids.iter().fold(DictBuilder::new(), add);
        let mut dict = DictBuilder::new().dict("m", m);
        let numbers = [
            ("metadata_size", self.metadata_size),
            ("p", self.port.map(u32::from)),
            ("reqq", self.requests_max),
            ("upload_only", self.upload_only.map(u32::from)),
        ];
        for (key, number) in numbers {
            if let Some(number) = number {
                dict = dict.int(key, i64::from(number));
            }
        }
        if let Some(agent) = &self.agent {
            dict = dict.bytes("v", agent);
        }
        if let Some(terms) = &self.pay {
            dict = dict.raw(BTT_PAY, terms.to_vec());
        }
        match self.your_ip {
            Some(IpAddr::V4(ip)) => dict = dict.bytes("yourip", ip.octets()),
            Some(IpAddr::V6(ip)) => dict = dict.bytes("yourip", ip.octets()),
            None => {}
        }
        Bytes::from(dict.finish())
    }

    /// Reads the payload of extended message 0. Fields of a wrong type count as left out.
    pub fn decode(payload: &[u8]) -> Result<Self, Error> {
        let (value, _) = RULES.parse_prefix(payload)?;
        let dict = value.dict().ok_or(Error::Field { key: "0", needed: "dictionary" })?;
        let int = |key| dict.lookup(key).and_then(Value::int);
        Ok(Self {
            ids: dict.lookup("m").and_then(Value::dict).map(read_ids).unwrap_or_default(),
            agent: dict.lookup("v").and_then(Value::bytes).map(read_agent),
            port: int("p").and_then(|port| u16::try_from(port).ok()).filter(|port| *port != 0),
            requests_max: int("reqq").and_then(read_amount),
            metadata_size: int("metadata_size").and_then(read_amount),
            upload_only: int("upload_only").map(|flag| flag != 0),
            your_ip: dict.lookup("yourip").and_then(Value::bytes).and_then(read_ip),
            pay: dict.lookup(BTT_PAY).and_then(read_terms),
        })
    }
}

fn read_ids(m: &Dict<'_>) -> Map<String, u8> {
    let read = |(name, id): (&[u8], &Value<'_>)| {
        let name = core::str::from_utf8(name).ok()?;
        let short = name.len() <= limit::EXTENSION_NAME_BYTES_MAX;
        Some((name.to_owned(), u8::try_from(id.int()?).ok()?)).filter(|_| short)
    };
    m.iter().filter_map(read).take(limit::EXTENSIONS_MAX).collect()
}

fn read_agent(bytes: &[u8]) -> String {
    // Four bytes are the longest character, and hostile text may hold only such.
    let window = &bytes[..bytes.len().min(limit::AGENT_CHARS_MAX * 4)];
    text::clean(&String::from_utf8_lossy(window), limit::AGENT_CHARS_MAX)
}

/// An IPv4 address in IPv6 clothes is one all the same.
fn read_ip(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = || <[u8; 4]>::try_from(bytes).ok().map(|ip| IpAddr::V4(Ipv4Addr::from(ip)));
    let v6 = || <[u8; 16]>::try_from(bytes).ok().map(|ip| Ipv6Addr::from(ip).to_canonical());
    v4().or_else(v6)
}

fn read_terms(value: &Value<'_>) -> Option<Bytes> {
    let raw = value.raw();
    let fit = value.dict().is_some() && raw.len() <= limit::PAY_TERMS_BYTES_MAX;
    fit.then(|| Bytes::copy_from_slice(raw))
}

/// Nothing for numbers below 1; the largest for those that do not fit.
fn read_amount(number: i64) -> Option<u32> {
    (number > 0).then(|| u32::try_from(number).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wire_form_is_that_of_bep_10() {
        let handshake = Handshake {
            agent: Some("Headwater/0.1.0".to_owned()),
            port: Some(6881),
            requests_max: Some(500),
            metadata_size: Some(31235),
            upload_only: Some(true),
            your_ip: Some(IpAddr::from([1, 2, 3, 4])),
            ..Handshake::ours()
        };
        let expect = b"d1:md9:hw_signali4e7:hw_wanti5e11:lt_donthavei3e11:upload_onlyi6e\
            11:ut_metadatai1e6:ut_pexi2ee13:metadata_sizei31235e1:pi6881e4:reqqi500e\
            11:upload_onlyi1e1:v15:Headwater/0.1.06:yourip4:\x01\x02\x03\x04e";
        assert_eq!(handshake.encode(), expect.as_slice());
        assert_eq!(Handshake::decode(expect), Ok(handshake));
    }

    #[test]
    fn example_of_bep_10_is_read() {
        let text = b"d1:md11:LT_metadatai1e6:\xb5T_PEXi2ee1:pi6881e1:v13:\xc2\xb5Torrent 1.2e";
        let read = Handshake::decode(text).unwrap();
        assert_eq!(read.ids, Map::from([("LT_metadata".to_owned(), 1)]));
        assert_eq!((read.port, read.agent.as_deref()), (Some(6881), Some("\u{b5}Torrent 1.2")));
        assert_eq!(read.id_of(Extension::Metadata), None);
    }

    #[test]
    fn handshake_of_webtorrent_is_read() {
        let text = b"d1:md11:lt_donthavei2e11:ut_metadatai1ee13:metadata_sizei777ee";
        let read = Handshake::decode(text).unwrap();
        assert_eq!(read.id_of(Extension::Metadata), Some(1));
        assert_eq!(read.id_of(Extension::DontHave), Some(2));
        assert_eq!(read.metadata_size, Some(777));
    }

    #[test]
    fn hostile_fields_count_as_left_out() {
        let text = b"d1:md3:fooi256e3:bari-1e11:ut_metadatai0ee13:metadata_sizei-1e1:pi70000e\
            4:reqq1:xe";
        let read = Handshake::decode(text).unwrap();
        assert_eq!(read.ids, Map::from([("ut_metadata".to_owned(), 0)]));
        assert_eq!(read.id_of(Extension::Metadata), None);
        assert_eq!((read.metadata_size, read.port, read.requests_max), (None, None, None));
        let huge = Handshake::decode(b"d13:metadata_sizei9223372036854775807ee").unwrap();
        assert_eq!(huge.metadata_size, Some(u32::MAX));
        assert!(matches!(Handshake::decode(b"le"), Err(Error::Field { .. })));
        assert!(matches!(Handshake::decode(b"d1:m"), Err(Error::Bencode(_))));
    }

    #[test]
    fn address_we_are_seen_at_is_read_in_either_length_and_no_other() {
        let read = |text: &[u8]| Handshake::decode(text).unwrap().your_ip;
        assert_eq!(read(b"d6:yourip4:\x01\x02\x03\x04e"), Some(IpAddr::from([1, 2, 3, 4])));
        let v6 = [b"d6:yourip16:\x20\x01".as_slice(), &[7; 14], b"e"].concat();
        assert!(read(&v6).is_some_and(|ip| ip.is_ipv6()));
        let mapped = [b"d6:yourip16:".as_slice(), &[0; 10], b"\xff\xff\x01\x02\x03\x04e"].concat();
        assert_eq!(read(&mapped), Some(IpAddr::from([1, 2, 3, 4])));
        assert_eq!(read(b"d6:yourip5:abcdee"), None);
        assert_eq!(read(b"d6:youripi4ee"), None);
    }

    #[test]
    fn payment_terms_are_carried_as_they_are_and_absent_unless_given() {
        let read = |text: &[u8]| Handshake::decode(text).unwrap().pay;
        assert_eq!(read(b"d7:btt_payd1:rle1:vi1eee"), Some(Bytes::from_static(b"d1:rle1:vi1ee")));
        assert_eq!(read(b"d7:btt_payi1ee"), None);
        let long = [b"d7:btt_payd1:x2000:".as_slice(), &[0; 2000], b"ee"].concat();
        assert_eq!(read(&long), None);
        let told = Handshake { pay: read(b"d7:btt_payde1:pi1ee"), ..Handshake::default() };
        assert_eq!(told.encode(), b"d7:btt_payde1:mdee".as_slice());
        let ours = Handshake::ours().encode();
        assert!(!ours.windows(7).any(|part| part == BTT_PAY.as_bytes()));
    }

    #[test]
    fn agent_is_cut_and_stripped() {
        let long = [b"d1:v2000:a\n\xff".as_slice(), &[b'x'; 1997], b"e"].concat();
        let agent = Handshake::decode(&long).unwrap().agent.unwrap();
        assert_eq!(agent.chars().count(), limit::AGENT_CHARS_MAX);
        assert!(agent.starts_with("a\u{fffd}x"));
    }

    #[test]
    fn names_beyond_the_limit_are_forgotten() {
        let names = (0..200).fold(DictBuilder::new(), |m, at| m.int(format!("e{at:03}"), 9));
        let payload = DictBuilder::new().dict("m", names).finish();
        assert_eq!(Handshake::decode(&payload).unwrap().ids.len(), limit::EXTENSIONS_MAX);
    }

    proptest! {
        #[test]
        fn arbitrary_payloads_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(read) = Handshake::decode(&bytes) {
                prop_assert_eq!(Handshake::decode(&read.encode()), Ok(read));
            }
        }

        #[test]
        fn damaged_handshakes_never_panic(at in 0..60_usize, byte in any::<u8>()) {
            let mut bytes = b"d1:md11:ut_metadatai1ee13:metadata_sizei31235e1:pi6881ee".to_vec();
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            if let Ok(read) = Handshake::decode(&bytes) {
                prop_assert_eq!(Handshake::decode(&read.encode()), Ok(read));
            }
        }
    }
}
