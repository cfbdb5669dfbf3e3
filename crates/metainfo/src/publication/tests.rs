//! What a torrent says of its publisher: its form in files and links, and what spoils none.

use headwater_base::ByteCount;
use proptest::prelude::*;

use super::*;
use crate::create::{Draft, Options};
use crate::{Magnet, Torrent, Version};

fn tipped() -> Publication {
    Publication {
        chain: 728_126_428,
        vault: Address([0; 20]),
        token: Address([b't'; 20]),
        payee: Address([b'p'; 20]),
        publisher: Address([b'k'; 20]),
        tip: Some(Amount(5)),
        sale: None,
        sig: Signature([b's'; 65]),
    }
}

fn sold() -> Publication {
    let sale = Sale { price: Amount(1 << 100), check: [b'c'; 32] };
    Publication { vault: Address([b'v'; 20]), sale: Some(sale), ..tipped() }
}

fn torrent(version: Version) -> Torrent {
    let options = Options { version, ..Options::default() };
    let mut draft = Draft::single("film", ByteCount(3), options).unwrap();
    draft.feed(b"abc").unwrap();
    draft.finish().unwrap()
}

/// A torrent file with something under `hw`.
fn file_with(hw: &[u8]) -> Vec<u8> {
    let info = torrent(Version::V1).info;
    DictBuilder::new().raw("hw", hw).raw("info", info.to_vec()).finish()
}

#[test]
fn dictionary_has_the_keys_of_the_readme_in_order() {
    let raw = RawPublication::from(&sold());
    let expect = [
        &b"d5:check32:cccccccccccccccccccccccccccccccc5:payee20:pppppppppppppppppppp5:price16:"[..],
        &(1_u128 << 100).to_be_bytes(),
        b"9:publisher20:kkkkkkkkkkkkkkkkkkkk4:raild1:a20:vvvvvvvvvvvvvvvvvvvv1:ci728126428e",
        b"1:t20:tttttttttttttttttttte3:sig65:",
        &[b's'; 65],
        b"3:tipi5e1:vi1ee",
    ]
    .concat();
    assert_eq!(raw.bytes(), expect);
    assert_eq!(raw.publication(), Ok(sold()));
    let tipped_raw = RawPublication::from(&tipped());
    assert_eq!(tipped_raw.publication(), Ok(tipped()));
    assert!(raw.names_price() && !tipped_raw.names_price());
}

#[test]
fn longest_dictionary_is_within_the_limit_with_room_to_grow() {
    let most = Some(Amount(u128::MAX));
    let sale = Some(Sale { price: Amount(u128::MAX), check: [0; 32] });
    let longest = Publication { chain: u64::MAX, tip: most, sale, ..sold() };
    let raw = RawPublication::from(&longest);
    assert!(raw.bytes().len() <= 400, "{}", raw.bytes().len());
    assert_eq!(raw.publication(), Ok(longest));
}

#[test]
fn file_and_link_carry_it_and_keep_the_info_hash() {
    for version in [Version::V1, Version::V2, Version::Hybrid] {
        let plain = torrent(version);
        let publication = Some(RawPublication::from(&sold()));
        let said = Torrent { publication: publication.clone(), ..plain.clone() };
        let read = Torrent::parse(&said.to_bytes()).unwrap();
        assert_eq!(read, said);
        assert_eq!((read.info_hash, read.info_hash_v2), (plain.info_hash, plain.info_hash_v2));
        let link = Magnet::parse(&said.magnet().to_string()).unwrap();
        assert_eq!(link.publication, publication);
        assert_eq!(plain.magnet().publication, None);
    }
}

#[test]
fn what_is_no_dictionary_or_too_long_spoils_no_torrent() {
    let long = DictBuilder::new().bytes("x", [0; limit::PUBLICATION_BYTES_MAX]).finish();
    for hw in [&b"i1e"[..], b"le", b"2:hw", &long] {
        let read = Torrent::parse(&file_with(hw)).unwrap();
        assert_eq!(read.publication, None);
        assert_eq!(read.info_hash, torrent(Version::V1).info_hash);
    }
    // What another client means by the key is kept as it came.
    let read = Torrent::parse(&file_with(b"d3:sizi3ee")).unwrap();
    let kept = read.publication.clone().unwrap();
    assert_eq!(kept.publication(), Err(wrong("v", "version 1")));
    assert_eq!(Torrent::parse(&read.to_bytes()), Ok(read));
}

#[test]
fn link_that_lies_about_its_publisher_is_a_link_all_the_same() {
    let link = |hw: &str| format!("magnet:?xt=urn:btih:{}&x.hw={hw}", "ab".repeat(20));
    let long = DictBuilder::new().bytes("x", [0; limit::PUBLICATION_BYTES_MAX]).finish();
    let nested = ["l".repeat(400), "e".repeat(400)].concat();
    for hw in [
        String::new(),
        "ZGU=".to_owned(),
        base64::encode(b"de trailing"),
        base64::encode(b"d1:a"),
        base64::encode(&long),
        base64::encode(format!("d1:x{nested}e").as_bytes()),
        "A".repeat(40_000),
    ] {
        assert_eq!(Magnet::parse(&link(&hw)).unwrap().publication, None, "{hw:.20}");
    }
    // Of two the first counts, and what is no publication is none of them.
    let two = format!("&x.hw={}", base64::encode(b"d1:xi1ee"));
    let read = Magnet::parse(&(link("ZGU=") + &two + "&x.hw=ZGU")).unwrap();
    assert_eq!(read.publication, RawPublication::read(b"d1:xi1ee"));
    assert_eq!(Magnet::parse(&read.to_string()), Ok(read));
}

#[test]
fn cut_or_incomplete_dictionaries_say_nothing() {
    let whole = RawPublication::from(&sold());
    for end in 0..whole.bytes().len() {
        assert_eq!(RawPublication::read(&whole.bytes()[..end]), None);
    }
    let parsed = Rules::default().parse(whole.bytes()).unwrap();
    let keys: Vec<_> = parsed.dict().unwrap().iter().map(|(key, _)| key).collect();
    for gone in keys.iter().filter(|key| **key != b"tip") {
        let entries = parsed.dict().unwrap().iter().filter(|(key, _)| key != gone);
        let dict =
            entries.fold(DictBuilder::new(), |dict, (key, value)| dict.raw(key, value.raw()));
        let raw = RawPublication::read(&dict.finish()).unwrap();
        assert!(raw.publication().is_err(), "{}", String::from_utf8_lossy(gone));
    }
    for (key, value) in [("tip", &b"i-1e"[..]), ("price", b"3:abc"), ("payee", b"i1e")] {
        let entries = parsed.dict().unwrap().iter();
        let dict =
            entries.fold(DictBuilder::new(), |dict, (key, value)| dict.raw(key, value.raw()));
        let raw = RawPublication::read(&dict.raw(key, value).finish()).unwrap();
        assert_eq!(raw.publication().unwrap_err().code(), "bad-publication", "{key}");
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let hw = [b"d", &bytes[..], b"e"].concat();
        for bytes in [&bytes, &hw] {
            if let Some(raw) = RawPublication::read(bytes) {
                prop_assert_eq!(RawPublication::from_text(&raw.to_string()), Some(raw.clone()));
                let _ = raw.publication();
            }
        }
    }

    #[test]
    fn changed_dictionaries_never_panic(at in 0_usize..360, byte: u8) {
        let mut bytes = RawPublication::from(&sold()).bytes().to_vec();
        if let Some(place) = bytes.get_mut(at) {
            *place = byte;
        }
        if let Some(Ok(said)) = RawPublication::read(&bytes).map(|raw| raw.publication()) {
            prop_assert_eq!(RawPublication::from(&said).publication(), Ok(said));
        }
    }
}
