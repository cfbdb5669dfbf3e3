//! Tracker messages as real clients and trackers write them, and as hostile ones do.

use headwater_base::{InfoHash, PeerId};
use proptest::prelude::*;

use super::*;
use crate::{Error, limit};

const SDP: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n\
    a=candidate:1 1 udp 2113937151 127.0.0.1 50000 typ host generation 0\r\n\
    a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=setup:actpass\r\na=mid:0\r\n\
    a=sctp-port:5000\r\na=max-message-size:262144\r\n";

/// Bytes of every range that JSON treats apart.
fn hash() -> InfoHash {
    let mut bytes = [0; 20];
    bytes[..10].copy_from_slice(&[0, 1, 0x1f, b'"', b'\\', 0x7f, 0x80, 0xa0, 0xe9, 0xff]);
    InfoHash(bytes)
}

fn peer(byte: u8) -> PeerId {
    PeerId([byte; 20])
}

fn announce() -> Announce {
    Announce {
        info_hash: hash(),
        peer_id: peer(1),
        happening: Some(Happening::Started),
        uploaded: 1,
        downloaded: 2,
        left: Some(3),
        wanted: Some(5),
        offers: vec![Offer { offer_id: OfferId([0xfe; 20]), sdp: Description::new(SDP) }],
        tracker_id: Some("t".to_owned()),
        trackers: vec!["udp://t.example:1/announce".to_owned()],
    }
}

fn answer() -> Answer {
    Answer {
        info_hash: hash(),
        peer_id: peer(1),
        to_peer_id: peer(2),
        offer_id: OfferId([3; 20]),
        sdp: Description::new(SDP),
        left: Some(0),
        tracker_id: None,
    }
}

fn replies() -> Vec<TrackerMessage> {
    let (info_hash, offer_id, sdp) = (hash(), OfferId([9; 20]), Description::new(SDP));
    let reply = AnnounceReply {
        interval: Some(120),
        interval_min: Some(30),
        complete: Some(1),
        incomplete: Some(2),
        tracker_id: Some("x".to_owned()),
        warning: Some("slow down".to_owned()),
        bridge: true,
        ..AnnounceReply::new(info_hash)
    };
    let entry = ScrapeEntry { info_hash, complete: 1, incomplete: 2, downloaded: 3 };
    let (action, reason) = (Action::Scrape, "no".to_owned());
    vec![
        TrackerMessage::Announce(reply),
        TrackerMessage::Announce(AnnounceReply::new(info_hash)),
        TrackerMessage::Offer { info_hash, peer_id: peer(4), offer_id, sdp: sdp.clone() },
        TrackerMessage::Answer { info_hash, peer_id: peer(5), offer_id, sdp },
        TrackerMessage::Failure { info_hash: Some(info_hash), action, reason },
        TrackerMessage::Scrape(vec![entry]),
        TrackerMessage::Scrape(Vec::new()),
    ]
}

fn client_messages() -> Vec<ClientMessage> {
    let bare = Announce {
        happening: None,
        left: None,
        wanted: None,
        offers: Vec::new(),
        tracker_id: None,
        ..announce()
    };
    vec![
        ClientMessage::Announce(announce()),
        ClientMessage::Announce(bare),
        ClientMessage::Answer(answer()),
        ClientMessage::Answer(Answer { left: None, ..answer() }),
        ClientMessage::Scrape(vec![hash(), InfoHash([7; 20])]),
    ]
}

#[test]
fn client_messages_come_back_as_they_were() {
    for message in client_messages() {
        assert_eq!(ClientMessage::decode(&message.encode()), Ok(message));
    }
}

#[test]
fn tracker_messages_come_back_as_they_were() {
    for message in replies() {
        assert_eq!(TrackerMessage::decode(&message.encode()), Ok(message));
    }
}

#[test]
fn bytes_are_one_character_each() {
    let text = ClientMessage::Announce(announce()).encode();
    let read: serde_json::Value = serde_json::from_str(&text).unwrap();
    let info_hash = read["info_hash"].as_str().unwrap();
    assert_eq!(info_hash.chars().count(), 20);
    assert!(info_hash.chars().zip(hash().0).all(|(c, byte)| c as u32 == u32::from(byte)));
    assert_eq!(read["offers"][0]["offer"]["type"], "offer");
    assert_eq!(read["numwant"], 5);
}

#[test]
fn unknown_left_is_written_as_null() {
    let text = ClientMessage::Announce(Announce { left: None, ..announce() }).encode();
    assert!(text.contains("\"left\":null"), "{text}");
    let text = ClientMessage::Answer(Answer { left: Some(0), ..answer() }).encode();
    assert!(text.contains("\"left\":0"), "{text}");
}

const HASH_TEXT: &str = "aaaaaaaaaaaaaaaaaaaa";

/// Reads an announce of which these fields are all there is besides hash and id.
fn sloppy(fields: &str) -> Announce {
    let text = format!(
        r#"{{"action":"announce","info_hash":"{HASH_TEXT}","peer_id":"{HASH_TEXT}"{fields}}}"#
    );
    match ClientMessage::decode(&text) {
        Ok(ClientMessage::Announce(announce)) => announce,
        other => panic!("{other:?}"),
    }
}

#[test]
fn sloppy_announces_are_read() {
    let bare = sloppy("");
    assert_eq!((bare.left, bare.wanted, bare.happening), (None, None, None));
    assert!(bare.offers.is_empty());
    assert_eq!(sloppy(r#","left":null,"uploaded":null"#).left, None);
    assert_eq!(sloppy(r#","left":1e3"#).left, Some(1000));
    assert_eq!(sloppy(r#","left":-1,"numwant":99999999999"#).wanted, Some(u32::MAX));
    assert_eq!(sloppy(r#","event":"paused","corrupt":0,"key":"0A""#).happening, None);
    assert_eq!(sloppy(r#","event":"completed""#).happening, Some(Happening::Completed));
    assert_eq!(sloppy(r#","event":7,"offers":null"#), bare);
}

#[test]
fn offers_that_cannot_be_read_are_left_out() {
    let good = format!(r#"{{"offer":{{"type":"offer","sdp":"s"}},"offer_id":"{HASH_TEXT}"}}"#);
    let short = r#"{"offer":{"type":"offer","sdp":"s"},"offer_id":"short"}"#;
    let textless = format!(r#"{{"offer":{{"type":"offer"}},"offer_id":"{HASH_TEXT}"}}"#);
    let read = sloppy(&format!(r#","offers":[{short},{textless},7,null,{good}]"#));
    assert_eq!(read.offers, [Offer { offer_id: OfferId([b'a'; 20]), sdp: Description::new("s") }]);
    let many = vec![good; 100].join(",");
    assert_eq!(sloppy(&format!(r#","offers":[{many}]"#)).offers.len(), limit::OFFERS_MAX);
}

#[test]
fn scrapes_name_one_swarm_or_several_but_not_all() {
    let decode = |hashes: &str| {
        ClientMessage::decode(&format!(r#"{{"action":"scrape"{hashes}}}"#)).map_err(|bad| bad.error)
    };
    let expect = ClientMessage::Scrape(vec![InfoHash([b'a'; 20])]);
    assert_eq!(decode(&format!(r#","info_hash":"{HASH_TEXT}""#)), Ok(expect.clone()));
    assert_eq!(decode(&format!(r#","info_hash":["{HASH_TEXT}","x"]"#)), Ok(expect));
    for none in ["", r#","info_hash":[]"#, r#","info_hash":"short""#] {
        assert!(matches!(decode(none), Err(Error::Field { key: "info_hash", .. })), "{none}");
    }
}

#[test]
fn refusal_keeps_what_the_reply_needs() {
    let text = format!(r#"{{"action":"announce","info_hash":"{HASH_TEXT}","peer_id":"short"}}"#);
    let bad = ClientMessage::decode(&text).unwrap_err();
    assert_eq!((bad.action, bad.info_hash), (Action::Announce, Some(InfoHash([b'a'; 20]))));
    assert!(matches!(bad.error, Error::Field { key: "peer_id", .. }));
    let bad = ClientMessage::decode(r#"{"action":"dance"}"#).unwrap_err();
    assert!(matches!((bad.info_hash, bad.error), (None, Error::Field { key: "action", .. })));
    let bad = ClientMessage::decode("[]").unwrap_err();
    assert_eq!(bad.error, Error::Field { key: "message", needed: "object" });
    let bad = ClientMessage::decode("{\n!").unwrap_err();
    assert_eq!(bad.error, Error::Json { line: 2, column: 1 });
    let bad = ClientMessage::decode(&"[".repeat(100_000)).unwrap_err();
    assert!(matches!(bad.error, Error::Json { .. }));
    let bad = ClientMessage::decode(&" ".repeat(limit::TRACKER_TEXT_BYTES_MAX + 1)).unwrap_err();
    assert!(matches!(bad.error, Error::Text { what: "message", .. }));
}

#[test]
fn json_bombs_are_refused_in_either_direction() {
    let deep =
        |open: &str, close: &str| format!("{}0{}", open.repeat(40_000), close.repeat(40_000));
    let most = limit::TRACKER_TEXT_BYTES_MAX;
    let bombs = [
        deep("[", "]"),
        deep("{\"a\":", "}"),
        format!("{{\"offers\":{}}}", deep("[", "]")),
        format!("{{\"interval\":1e{}}}", "9".repeat(most / 2)),
        format!("{{\"failure reason\":\"{}\"}}", "x".repeat(most)),
        "\"".to_owned(),
        "{\"a\":1,".repeat(most / 8),
    ];
    for bomb in bombs {
        let start = &bomb[..bomb.len().min(20)];
        assert!(ClientMessage::decode(&bomb).is_err(), "{start}");
        assert!(TrackerMessage::decode(&bomb).is_err(), "{start}");
    }
    let offers = format!(r#","offers":[{}]"#, vec!["[]"; 10_000].join(","));
    assert!(sloppy(&offers).offers.is_empty());
}

#[test]
fn byte_strings_of_other_sizes_are_refused() {
    for text in ["", "aaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaa"] {
        let text = format!(r#"{{"action":"scrape","info_hash":"{text}"}}"#);
        let bad = ClientMessage::decode(&text).unwrap_err();
        assert!(matches!(bad.error, Error::Field { key: "info_hash", .. }), "{text}");
    }
}

#[test]
fn byte_strings_above_latin_1_are_refused() {
    let text = ClientMessage::Announce(announce()).encode().replace('\u{e9}', "\u{100}");
    let bad = ClientMessage::decode(&text).unwrap_err();
    assert!(matches!(bad.error, Error::Field { key: "info_hash", .. }));
}

/// Reads a tracker's message of these fields.
fn reply(fields: &str) -> Result<TrackerMessage, Error> {
    TrackerMessage::decode(&format!("{{{fields}}}"))
}

#[test]
fn sloppy_replies_are_read() {
    let hash_field = format!(r#""info_hash":"{HASH_TEXT}""#);
    let info_hash = InfoHash([b'a'; 20]);
    let interval = |interval| {
        let reply = AnnounceReply { interval, ..AnnounceReply::new(info_hash) };
        Ok(TrackerMessage::Announce(reply))
    };
    assert_eq!(reply(&format!(r#"{hash_field},"interval":119.7"#)), interval(Some(119)));
    assert_eq!(reply(&format!(r#"{hash_field},"interval":"120""#)), interval(None));
    assert_eq!(reply(&format!(r#"{hash_field},"interval":-5,"x":[1]"#)), interval(None));
    assert_eq!(reply(&format!(r#"{hash_field},"interval":1e300"#)), interval(Some(u32::MAX)));
    let failure = TrackerMessage::Failure {
        info_hash: None,
        action: Action::Announce,
        reason: "invalid action".to_owned(),
    };
    assert_eq!(reply("\"failure reason\":\"invalid\\n action\""), Ok(failure));
    assert!(matches!(reply(r#""interval":120"#), Err(Error::Field { key: "info_hash", .. })));
}

#[test]
fn a_description_means_the_same_in_whatever_form_it_came() {
    let offer = r#"{"offer":{"type":"offer","sdp":"\u0076=0\r\n\u00e9\/"},"offer_id":"HASH"}"#;
    let offer = offer.replace("HASH", HASH_TEXT);
    let read = sloppy(&format!(r#","offers":[{offer}]"#));
    let sdp = &read.offers[0].sdp;
    assert_eq!((sdp.text().as_str(), sdp), ("v=0\r\n\u{e9}/", &Description::new("v=0\r\n\u{e9}/")));
    let (info_hash, peer_id, offer_id) = (hash(), peer(1), OfferId([0; 20]));
    let message = TrackerMessage::Offer { info_hash, peer_id, offer_id, sdp: sdp.clone() };
    let value: serde_json::Value = serde_json::from_str(&message.encode()).unwrap();
    assert_eq!(value["offer"]["sdp"], "v=0\r\n\u{e9}/");
}

#[test]
fn a_description_that_is_no_text_or_half_a_character_goes_nowhere() {
    for sdp in ["7", "null", r#"["v=0"]"#, r#"{"a":"v=0"}"#] {
        let offer =
            format!(r#"{{"offer":{{"type":"offer","sdp":{sdp}}},"offer_id":"{HASH_TEXT}"}}"#);
        assert_eq!(sloppy(&format!(r#","offers":[{offer}]"#)).offers, [], "{sdp}");
    }
    let names = ["info_hash", "peer_id", "offer_id"];
    let names: String = names.iter().map(|name| format!(r#""{name}":"{HASH_TEXT}","#)).collect();
    let offer = r#""offer":{"type":"offer","sdp":"\ud800"}"#;
    let text = format!(r#"{{"action":"announce",{names}{offer}}}"#);
    assert!(TrackerMessage::decode(&text).is_err());
}

#[test]
fn relayed_descriptions_are_checked_on_reading() {
    let (info_hash, peer_id, offer_id) = (hash(), peer(1), OfferId([0; 20]));
    let sdp = Description::new("x");
    let text = TrackerMessage::Offer { info_hash, peer_id, offer_id, sdp }.encode();
    assert!(matches!(TrackerMessage::decode(&text), Err(Error::Sdp { line: 1, .. })));
}

#[test]
fn descriptions_of_data_channels_pass() {
    assert_eq!(check_sdp(SDP), Ok(()));
    assert_eq!(check_sdp(&SDP.replace("\r\n", "\n")), Ok(()));
    assert_eq!(check_sdp(SDP.trim_end()), Ok(()));
    assert_eq!(
        check_sdp(&SDP.replace("UDP/DTLS/SCTP webrtc-datachannel", "DTLS/SCTP 5000")),
        Ok(())
    );
}

#[test]
fn descriptions_of_anything_else_are_refused() {
    let refused_at = |sdp: &str| match check_sdp(sdp) {
        Err(Error::Sdp { line, .. }) => line,
        other => panic!("{other:?}"),
    };
    let application = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel";
    assert_eq!(refused_at(""), 1);
    assert_eq!(refused_at("v=1\r\n"), 1);
    assert_eq!(refused_at("v=0\r\ns=-\r\n"), 3);
    assert_eq!(refused_at(&SDP.replace(application, "m=video 9 UDP/TLS/RTP/SAVPF 96")), 6);
    assert_eq!(refused_at(&SDP.replace("a=mid:0", application)), 12);
    assert_eq!(refused_at(&SDP.replace("a=mid:0", "a=mid:\u{0}")), 12);
    assert_eq!(refused_at(&SDP.replace("a=mid:0", "")), 12);
    assert_eq!(refused_at(&SDP.replace("a=mid:0", "GET / HTTP/1.1")), 12);
    let candidates = "a=candidate:1 1 udp 1 127.0.0.1 1 typ host\r\n".repeat(64);
    assert_eq!(refused_at(&format!("{SDP}{candidates}")), 14 + 64);
    let long = format!("{SDP}a={}", "x".repeat(limit::SDP_BYTES_MAX));
    assert!(matches!(check_sdp(&long), Err(Error::Text { .. })));
}

proptest! {
    #[test]
    fn any_twenty_bytes_survive_as_text(bytes in any::<[u8; 20]>()) {
        let message = ClientMessage::Scrape(vec![InfoHash(bytes)]);
        prop_assert_eq!(ClientMessage::decode(&message.encode()), Ok(message));
    }

    #[test]
    fn damaged_messages_never_panic(
        which in 0..12_usize,
        at in any::<prop::sample::Index>(),
        byte in 0x20..0x7f_u8,
    ) {
        let texts = client_messages().iter().map(ClientMessage::encode)
            .chain(replies().iter().map(TrackerMessage::encode)).collect::<Vec<_>>();
        let mut text = texts[which].clone().into_bytes();
        let at = at.index(text.len());
        text[at] = byte;
        if let Ok(text) = String::from_utf8(text) {
            if let Ok(read) = ClientMessage::decode(&text) {
                prop_assert_eq!(ClientMessage::decode(&read.encode()), Ok(read));
            }
            if let Ok(read) = TrackerMessage::decode(&text) {
                prop_assert_eq!(TrackerMessage::decode(&read.encode()), Ok(read));
            }
        }
    }

    #[test]
    fn arbitrary_descriptions_never_panic(sdp in "(v=0\r\n)?[ -~\r\n\u{0}\u{e9}]{0,200}") {
        let _ = check_sdp(&sdp);
    }
}

#[test]
fn trackers_told_to_a_bridge_are_few_and_of_kinds_that_browsers_cannot_ask() {
    let long = format!("udp://{}", "a".repeat(limit::TRACKER_TOLD_BYTES_MAX));
    let told = ["udp://a:1", "http://a/announce", "https://a", "ws://a", "file:///x", "udp://a b"];
    let mut trackers: Vec<_> = told.into_iter().chain([&*long]).map(str::to_owned).collect();
    let read = |trackers: &[String]| {
        let text = ClientMessage::Announce(Announce { trackers: trackers.to_vec(), ..announce() });
        match ClientMessage::decode(&text.encode()) {
            Ok(ClientMessage::Announce(announce)) => announce.trackers,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(read(&trackers), trackers[..3]);
    trackers = (0..20).map(|n| format!("udp://t{n}:1")).collect();
    assert_eq!(read(&trackers), trackers[..limit::TRACKERS_TOLD_MAX]);
}
