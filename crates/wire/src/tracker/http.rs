//! What clients and HTTP trackers say to each other (BEP 3, 7, 23): a query, and a dictionary.

use core::fmt::Write;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use headwater_base::{InfoHash, PeerId};
use headwater_metainfo::bencode::{Rules, Value};

use super::Happening;
use crate::limit;

/// What is asked of an HTTP or UDP tracker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The torrent.
    pub info_hash: InfoHash,
    /// What we call ourselves.
    pub peer_id: PeerId,
    /// The port we listen on.
    pub port: u16,
    /// Payload bytes sent.
    pub uploaded: u64,
    /// Payload bytes fetched.
    pub downloaded: u64,
    /// Bytes missing.
    pub left: u64,
    /// What happened since the last announce.
    pub event: Option<Happening>,
    /// Most peers wanted.
    pub wanted: u32,
    /// Tells us from others at our address, should that change.
    pub key: u32,
    /// What the tracker wants given back.
    pub tracker_id: Option<String>,
}

/// What an HTTP or UDP tracker answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Where peers listen, those of port 0 left out.
    pub peers: Vec<SocketAddr>,
    /// Seconds to the next announce.
    pub interval: Option<u32>,
    /// Fewest seconds to it.
    pub interval_min: Option<u32>,
    /// Peers with everything.
    pub complete: Option<u32>,
    /// Peers without everything.
    pub incomplete: Option<u32>,
    /// What it wants given back.
    pub tracker_id: Option<String>,
}

/// Why an answer holds no peers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The tracker says why.
    #[error("{0}")]
    Said(String),
    /// It is no answer.
    #[error("no tracker answer")]
    Malformed,
}

impl Query {
    /// The address to fetch: the tracker's own query goes first, if it has one.
    pub fn url(&self, announce: &str) -> String {
        let joint = if announce.contains('?') { '&' } else { '?' };
        let mut url = format!("{announce}{joint}info_hash=");
        escape(&mut url, &self.info_hash.0);
        url.push_str("&peer_id=");
        escape(&mut url, &self.peer_id.0);
        // Writing to a string cannot fail.
        let _ = write!(
            url,
            "&port={}&uploaded={}&downloaded={}&left={}&compact=1&no_peer_id=1&numwant={}\
             &key={:08x}",
            self.port, self.uploaded, self.downloaded, self.left, self.wanted, self.key
        );
        if let Some(event) = self.event {
            let _ = write!(url, "&event={}", event.name());
        }
        if let Some(id) = &self.tracker_id {
            url.push_str("&trackerid=");
            escape(&mut url, id.as_bytes());
        }
        url
    }
}

/// Percent-encodes all that is no letter or digit (RFC 3986, section 2.3).
fn escape(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            out.push(char::from(*byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

impl Found {
    /// Reads the answer of an HTTP tracker.
    pub fn from_http(bytes: &[u8]) -> Result<Self, Refusal> {
        let rules = Rules { bytes_max: limit::TRACKER_ANSWER_BYTES_MAX, ..Rules::default() };
        // Some trackers end their answer with a line break.
        let (value, _) = rules.parse_prefix(bytes).map_err(|_| Refusal::Malformed)?;
        if let Some(why) = value.lookup("failure reason") {
            let why = String::from_utf8_lossy(why.bytes().unwrap_or_default()).into_owned();
            return Err(Refusal::Said(why));
        }
        value.dict().ok_or(Refusal::Malformed)?;
        let number = |key: &str| value.lookup(key)?.int()?.try_into().ok();
        let mut found = Self {
            interval: number("interval"),
            interval_min: number("min interval"),
            complete: number("complete"),
            incomplete: number("incomplete"),
            tracker_id: value.lookup("tracker id").and_then(Value::text).map(str::to_owned),
            ..Self::default()
        };
        match value.lookup("peers") {
            Some(peers) if peers.bytes().is_some() => {
                found.take_compact::<6>(peers.bytes().unwrap_or_default());
            }
            Some(peers) => peers.list().unwrap_or_default().iter().for_each(|peer| {
                found.peers.extend(named(peer));
            }),
            None => {}
        }
        let v6 = value.lookup("peers6").and_then(Value::bytes);
        found.take_compact::<18>(v6.unwrap_or_default());
        found.peers.truncate(limit::TRACKER_PEERS_MAX);
        Ok(found)
    }

    /// Takes addresses of so many bytes, the last two of which are the port.
    pub(super) fn take_compact<const N: usize>(&mut self, bytes: &[u8]) {
        let room = limit::TRACKER_PEERS_MAX.saturating_sub(self.peers.len());
        let (chunks, _) = bytes.as_chunks::<N>();
        self.peers.extend(chunks.iter().filter_map(|chunk| address(chunk)).take(room));
    }
}

/// An address in its compact form: 4 or 16 bytes and a port.
fn address(bytes: &[u8]) -> Option<SocketAddr> {
    let (ip, port) = bytes.split_last_chunk::<2>()?;
    let port = u16::from_be_bytes(*port);
    let ip = match ip.len() {
        4 => IpAddr::from(Ipv4Addr::from(<[u8; 4]>::try_from(ip).ok()?)),
        _ => IpAddr::from(Ipv6Addr::from(<[u8; 16]>::try_from(ip).ok()?)).to_canonical(),
    };
    (port != 0).then_some(SocketAddr::new(ip, port))
}

/// A peer in the long form. Names of hosts are left out: nobody is looked up on a tracker's word.
fn named(peer: &Value<'_>) -> Option<SocketAddr> {
    let ip: IpAddr = peer.lookup("ip")?.text()?.parse().ok()?;
    let port = u16::try_from(peer.lookup("port")?.int()?).ok().filter(|port| *port != 0)?;
    Some(SocketAddr::new(ip.to_canonical(), port))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn query() -> Query {
        Query {
            info_hash: InfoHash(*b"\x00\x7f az09-._~\xff/?&=%+ !"),
            peer_id: PeerId(*b"-HW0001-000000000000"),
            port: 6881,
            uploaded: 1,
            downloaded: 2,
            left: 3,
            event: Some(Happening::Started),
            wanted: 50,
            key: 0xabc,
            tracker_id: Some("a b".to_owned()),
        }
    }

    #[test]
    fn every_byte_of_a_query_is_written_so_that_trackers_read_it() {
        let url = query().url("http://t.example/announce");
        assert_eq!(
            url,
            "http://t.example/announce?info_hash=%00%7F%20az09-._~%FF%2F%3F%26%3D%25%2B%20%21\
             &peer_id=-HW0001-000000000000&port=6881&uploaded=1&downloaded=2&left=3&compact=1\
             &no_peer_id=1&numwant=50&key=00000abc&event=started&trackerid=a%20b"
        );
        assert!(query().url("http://t.example/a?pass=1").contains("/a?pass=1&info_hash="));
    }

    #[test]
    fn compact_and_long_answers_are_read_and_ports_of_zero_left_out() {
        let compact = b"d8:completei5e10:incompletei2e8:intervali1800e12:min intervali60e\
            5:peers12:\x01\x02\x03\x04\x1a\xe1\x01\x02\x03\x05\x00\x006:peers618:\
            \x20\x01\x04\x70\0\0\0\0\0\0\0\0\0\0\0\x01\x1a\xe110:tracker id2:xye";
        let found = Found::from_http(compact).unwrap();
        let peers: Vec<String> = found.peers.iter().map(SocketAddr::to_string).collect();
        assert_eq!(peers, ["1.2.3.4:6881", "[2001:470::1]:6881"]);
        assert_eq!((found.interval, found.interval_min), (Some(1800), Some(60)));
        assert_eq!((found.complete, found.incomplete), (Some(5), Some(2)));
        assert_eq!(found.tracker_id.as_deref(), Some("xy"));
        let long = b"d5:peersld2:ip7:1.2.3.44:porti6881eed2:ip5:a.b.c4:porti1eeee";
        let found = Found::from_http(long).unwrap();
        assert_eq!(found.peers, ["1.2.3.4:6881".parse().unwrap()]);
    }

    #[test]
    fn refusals_are_told_from_answers_that_are_none() {
        let said = Found::from_http(b"d14:failure reason4:no!!e");
        assert_eq!(said, Err(Refusal::Said("no!!".to_owned())));
        for bad in [&b"<html>"[..], b"", b"le", b"i5e", b"d5:peers"] {
            assert_eq!(Found::from_http(bad), Err(Refusal::Malformed), "{bad:?}");
        }
        let many = [b"d5:peers60000:", &[1_u8; 60_000][..], b"e"].concat();
        assert_eq!(Found::from_http(&many).unwrap().peers.len(), limit::TRACKER_PEERS_MAX);
    }

    proptest! {
        #[test]
        fn arbitrary_answers_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Found::from_http(&bytes);
        }
    }
}
