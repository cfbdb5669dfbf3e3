//! Queries as real clients and hostile ones send them, and what answers them.

use core::fmt::Write;
use core::net::SocketAddr;

use headwater_metainfo::bencode::{Rules, Value};
use proptest::prelude::*;

use super::*;
use crate::tracker::ScrapeEntry;
use crate::{Error, limit};

/// Every byte escaped.
fn escaped(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "%{byte:02x}").expect("strings take everything");
        text
    })
}

fn announce() -> Announce {
    Announce {
        info_hash: InfoHash(*b"\x00\xff %&=+abcdefghijkl\n"),
        peer_id: PeerId(*b"-TR3000-abcdefghijkl"),
        port: 51413,
        uploaded: 1,
        downloaded: 2,
        left: Some(3),
        happening: Some(Happening::Started),
        wanted: Some(80),
        form: Form::Compact,
    }
}

fn read(query: &str) -> Announce {
    match Question::announce(query) {
        Ok(Question::Announce(announce)) => announce,
        other => panic!("{other:?}"),
    }
}

/// The least that is an announce.
fn least() -> String {
    format!("info_hash={}&peer_id={}&port=6881", escaped(&[1; 20]), escaped(&[2; 20]))
}

fn parsed<T>(reply: &Reply, look: impl FnOnce(&Value<'_>) -> T) -> T {
    look(&Rules::default().parse(&reply.encode()).expect("bencode"))
}

#[test]
fn query_of_transmission_is_read() {
    let query = "info_hash=%00%FF%20%25%26%3D%2Babcdefghijkl%0A&peer_id=-TR3000-abcdefghijkl\
        &port=51413&uploaded=1&downloaded=2&left=3&numwant=80&key=1B2F1D20&compact=1\
        &supportcrypto=1&event=started";
    assert_eq!(read(query), announce());
}

#[test]
fn a_plus_is_a_space_and_other_bytes_stand_for_themselves() {
    let query = least().replace(&escaped(&[2; 20]), "-XX0001-+a~%2B\u{e9}234567");
    assert_eq!(read(&query).peer_id.0, *b"-XX0001- a~+\xc3\xa9234567");
}

#[test]
fn what_may_be_missing_may_be_nonsense_too() {
    for more in ["", "&left=&numwant=-1&event=paused&uploaded=x&downloaded=-1&compact&=&&"] {
        let found = read(&format!("{}{more}", least()));
        assert_eq!((found.left, found.wanted, found.happening), (None, None, None));
        assert_eq!((found.uploaded, found.downloaded, found.form), (0, 0, Form::Compact));
    }
}

#[test]
fn first_of_a_name_counts() {
    assert_eq!(read(&format!("{}&port=1&left=5&left=0", least())).port, 6881);
    assert_eq!(read(&format!("{}&port=1&left=5&left=0", least())).left, Some(5));
}

#[test]
fn form_is_compact_unless_that_is_turned_down() {
    let form = |more: &str| read(&format!("{}{more}", least())).form;
    assert_eq!(form("&no_peer_id=1"), Form::Compact);
    assert_eq!(form("&compact=0"), Form::Named);
    assert_eq!(form("&compact=0&no_peer_id=1"), Form::Unnamed);
}

#[test]
fn announce_without_what_it_needs_is_refused_by_name() {
    let refused = |query: &str, expect: &str| match Question::announce(query) {
        Err(Error::Field { key, .. }) => assert_eq!(key, expect, "{query}"),
        other => panic!("{query}: {other:?}"),
    };
    refused("", "port");
    refused("port=6881", "info_hash");
    refused(&least().replace("port=6881", "port=65536"), "port");
    refused(&least().replace("peer_id", "peerid"), "peer_id");
    for hash in ["%01", "%0", "%", "%zz", &escaped(&[1; 19]), &escaped(&[1; 21])] {
        refused(&least().replace(&escaped(&[1; 20]), hash), "info_hash");
    }
    // Hex digits alone are forty bytes.
    refused(&least().replace(&escaped(&[1; 20]), &"01".repeat(20)), "info_hash");
}

#[test]
fn scrape_names_several_swarms_and_never_all() {
    let query = format!(
        "info_hash={}&x=1&info_hash=short&info_hash={}",
        escaped(&[7; 20]),
        escaped(&[8; 20])
    );
    let expect = Question::Scrape(vec![InfoHash([7; 20]), InfoHash([8; 20])]);
    assert_eq!(Question::scrape(&query), Ok(expect));
    assert!(matches!(Question::scrape(""), Err(Error::Field { key: "info_hash", .. })));
}

#[test]
fn largest_scrape_fits_and_what_is_longer_is_not_read() {
    let one = format!("info_hash={}&", escaped(&[9; 20]));
    let Ok(Question::Scrape(hashes)) = Question::scrape(&one.repeat(limit::SCRAPE_MAX)) else {
        panic!("not read")
    };
    assert_eq!(hashes.len(), limit::SCRAPE_MAX);
    let long = format!("{}&x={}", least(), "y".repeat(limit::TRACKER_QUERY_BYTES_MAX));
    assert!(matches!(Question::announce(&long), Err(Error::Text { what: "tracker query", .. })));
    assert!(matches!(Question::scrape(&long), Err(Error::Text { what: "tracker query", .. })));
}

fn listing(form: Form) -> Reply {
    let listed = |byte, address: &str| Listed {
        peer_id: PeerId([byte; 20]),
        address: address.parse().expect("an address"),
    };
    let peers = vec![
        listed(b'a', "192.0.2.1:258"),
        listed(b'b', "[2001:db8::1]:772"),
        listed(b'c', "192.0.2.2:1"),
    ];
    let (interval, interval_min, complete, incomplete) = (120, 30, 1, 2);
    Reply::Announce(Listing { interval, interval_min, complete, incomplete, peers, form })
}

#[test]
fn compact_listing_keeps_ipv6_apart() {
    let bytes = listing(Form::Compact).encode();
    let expect = [
        b"d8:completei1e10:incompletei2e8:intervali120e12:min intervali30e5:peers12:".as_slice(),
        &[192, 0, 2, 1, 1, 2, 192, 0, 2, 2, 0, 1],
        b"6:peers618:",
        &[0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 4],
        b"e",
    ];
    assert_eq!(bytes, expect.concat());
    let nobody = Reply::Announce(Listing::default()).encode();
    assert!(nobody.ends_with(b"5:peers0:e"), "{}", String::from_utf8_lossy(&nobody));
}

#[test]
fn dictionaries_bear_peer_ids_unless_those_are_turned_down() {
    for (form, id) in [(Form::Named, Some([b'b'; 20].as_slice())), (Form::Unnamed, None)] {
        parsed(&listing(form), |value| {
            let peers = value.lookup("peers").and_then(Value::list).expect("a list");
            assert_eq!(peers.len(), 3);
            assert_eq!(peers[1].lookup("ip").and_then(Value::text), Some("2001:db8::1"));
            assert_eq!(peers[1].lookup("port").and_then(Value::int), Some(772));
            assert_eq!(peers[1].lookup("peer id").and_then(Value::bytes), id);
            assert!(value.lookup("peers6").is_none());
        });
    }
}

#[test]
fn scrape_is_sorted_whatever_was_asked_first() {
    let entry = |byte| ScrapeEntry {
        info_hash: InfoHash([byte; 20]),
        complete: 1,
        incomplete: 2,
        downloaded: 3,
    };
    let bytes = Reply::Scrape(vec![entry(b'b'), entry(b'a')]).encode();
    let figures = "d8:completei1e10:downloadedi3e10:incompletei2ee";
    let (a, b) = ("a".repeat(20), "b".repeat(20));
    let expect = format!("d5:filesd20:{a}{figures}20:{b}{figures}ee");
    assert_eq!(String::from_utf8_lossy(&bytes), expect);
}

#[test]
fn failure_is_its_reason_alone() {
    assert_eq!(Reply::Failure("no".to_owned()).encode(), b"d14:failure reason2:noe");
}

proptest! {
    #[test]
    fn any_query_is_read_or_refused(query in ".{0,200}|[%&=a-f0-9+_info hash]{0,200}") {
        let _ = Question::announce(&query);
        let _ = Question::scrape(&query);
    }

    #[test]
    fn any_bytes_come_through_escapes(
        hash in any::<[u8; 20]>(), id in any::<[u8; 20]>(), port: u16, left: u64,
    ) {
        let (hash_text, id_text) = (escaped(&hash), escaped(&id).to_uppercase());
        let query = format!("left={left}&peer_id={id_text}&port={port}&info_hash={hash_text}");
        let found = read(&query);
        prop_assert_eq!((found.info_hash.0, found.peer_id.0), (hash, id));
        prop_assert_eq!((found.port, found.left), (port, Some(left)));
        let scraped = Question::scrape(&query);
        prop_assert_eq!(scraped, Ok(Question::Scrape(vec![InfoHash(hash)])));
    }

    #[test]
    fn every_reply_is_canonical_bencode(
        peers in proptest::collection::vec((any::<[u8; 20]>(), any::<SocketAddr>()), 0..9),
        form in prop_oneof![Just(Form::Compact), Just(Form::Named), Just(Form::Unnamed)],
        reason in ".{0,40}",
    ) {
        let listed = |(id, address)| Listed { peer_id: PeerId(id), address };
        let peers: Vec<_> = peers.into_iter().map(listed).collect();
        let reply = Reply::Announce(Listing { peers, form, ..Listing::default() });
        for reply in [reply, Reply::Failure(reason)] {
            parsed(&reply, |value| assert!(value.dict().is_some_and(|dict| dict.is_canonical())));
        }
    }
}
