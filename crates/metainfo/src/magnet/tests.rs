//! Magnet links: what is read, what is skipped, what is refused; and back to text.

use super::*;
use crate::limit;
use proptest::prelude::*;

const HASH: &str = "c9e15763f722f23e98a29decdfae341b98d53056";

fn link(rest: &str) -> String {
    format!("magnet:?xt=urn:btih:{HASH}{rest}")
}

fn read(rest: &str) -> Magnet {
    Magnet::parse(&link(rest)).unwrap()
}

fn code(text: &str) -> &'static str {
    Magnet::parse(text).map(|_| ()).expect_err(text).code()
}

#[test]
fn info_hashes_come_in_hex_or_base_32() {
    let expect = InfoHash::from_hex(HASH).unwrap();
    assert_eq!(read("").info_hash, expect);
    for text in [
        format!("magnet:?xt=urn:btih:{}", HASH.to_uppercase()),
        "magnet:?xt=urn:btih:ZHQVOY7XELZD5GFCTXWN7LRUDOMNKMCW".to_owned(),
        "magnet:?xt=urn:btih:zhqvoy7xelzd5gfctxwn7lrudomnkmcw".to_owned(),
        format!("  MAGNET:?XT.1=1&xt.1=URN:BTIH:{HASH}\n"),
        format!("magnet:?dn=x&amp;xt=urn:btih:{HASH}"),
        format!("magnet:?xt=urn%3Abtih%3A{HASH}&xt=urn:sha1:abc&xt=urn:btih:{HASH}"),
    ] {
        assert_eq!(Magnet::parse(&text).map(|m| m.info_hash), Ok(expect), "{text}");
    }
}

#[test]
fn links_without_a_usable_info_hash_are_refused() {
    for (text, expect) in [
        ("", "not-a-magnet"),
        ("magnet:", "not-a-magnet"),
        ("http://x/", "not-a-magnet"),
        ("mägnet:?xt", "not-a-magnet"),
        ("magnet:?", "no-info-hash"),
        ("magnet:?dn=x", "no-info-hash"),
        ("magnet:?xt=urn:ed2k:31d6cfe0d16ae931b73c59d7e0c089c0", "no-info-hash"),
        ("magnet:?xt=urn:btih:", "bad-info-hash"),
        ("magnet:?xt=urn:btih:c9e15763f722f23e98a29decdfae341b98d5305", "bad-info-hash"),
        ("magnet:?xt=urn:btih:g9e15763f722f23e98a29decdfae341b98d53056", "bad-info-hash"),
        ("magnet:?xt=urn:btih:1HQVOY7XELZD5GFCTXWN7LRUDOMNKMCW", "bad-info-hash"),
        ("magnet:?xt=urn:btmh:1220abcd", "bad-info-hash"),
    ] {
        assert_eq!(code(text), expect, "{text}");
    }
    assert_eq!(
        code(&link("&xt=urn:btih:0000000000000000000000000000000000000000")),
        "bad-info-hash"
    );
}

#[test]
fn a_link_may_name_a_torrent_by_v2_alone() {
    let text = format!("magnet:?xt=urn:btmh:1220{}", "ab".repeat(32));
    let magnet = Magnet::parse(&text).unwrap();
    assert_eq!(magnet.info_hash, InfoHash([0xab; 20]));
    assert_eq!(magnet, Magnet::new_v2([0xab; 32]));
    assert_eq!(magnet.to_string(), text);
    assert_eq!(code(&format!("magnet:?xt=urn:btmh:1114{}", "ab".repeat(32))), "bad-info-hash");
    // Of another hash than SHA-256 nothing is known.
    assert_eq!(code(&format!("magnet:?xt=urn:btmh:1220{}", "ab".repeat(31))), "bad-info-hash");
}

#[test]
fn hybrid_links_carry_both_hashes() {
    let magnet = read(&format!("&xt=urn:btmh:1220{}", "AB".repeat(32)));
    assert_eq!(magnet.info_hash_v2, Some([0xab; 32]));
    assert_eq!(Magnet::parse(&magnet.to_string()), Ok(magnet));
}

#[test]
fn lists_are_read_once_each_and_unusable_items_skipped() {
    let magnet = read(
        "&dn=My+film%21%20%E2%82%AC&dn=second&xl=12&xl=x&tr=wss%3A%2F%2Ft%2Fa&tr.2=udp://u:1\
         &tr=wss://t/a&tr=nonsense&tr=&ws=http://s/a%20b&ws=udp://no&x.pe=1.2.3.4:5\
         &x.pe=[2001:db8::1]:6&x.pe=host.example:70&x.pe=1.2.3.4:0&x.pe=1.2.3.4&x.pe=a/b:1\
         &x.pe=[x]:1&unknown=1&&=",
    );
    assert_eq!(magnet.name.as_deref(), Some("My film! €"));
    assert_eq!(magnet.length, Some(ByteCount(12)));
    assert_eq!(magnet.trackers, ["wss://t/a", "udp://u:1"]);
    assert_eq!(magnet.web_seeds, ["http://s/a%20b"]);
    assert_eq!(magnet.peers, ["1.2.3.4:5", "[2001:db8::1]:6", "host.example:70"]);
}

#[test]
fn lists_and_links_have_limits() {
    let many: String =
        (0..500).map(|n| format!("&tr=udp://t{n}:1&ws=http://s{n}/&x.pe=a:{}", n + 1)).collect();
    let magnet = read(&many);
    assert_eq!(magnet.trackers.len(), limit::TRACKERS_MAX);
    assert_eq!(magnet.web_seeds.len(), limit::WEB_SEEDS_MAX);
    assert_eq!(magnet.peers.len(), limit::MAGNET_PEERS_MAX);
    let filler = "a".repeat(limit::MAGNET_BYTES_MAX);
    assert_eq!(code(&link(&format!("&dn={filler}"))), "too-large");
    let ranges = "1,".repeat(limit::MAGNET_RANGES_MAX + 1);
    assert_eq!(code(&link(&format!("&so={ranges}"))), "bad-chosen-files");
}

#[test]
fn control_characters_are_refused_however_they_are_written() {
    for rest in ["&dn=a\x07b", "&dn=a%0Ab", "&tr=http://t/%0d%0aHost:x", "&x\x00=1", "&dn=%C2%9b"] {
        assert_eq!(code(&link(rest)), "bad-magnet", "{rest:?}");
    }
}

#[test]
fn a_stray_percent_sign_stands_for_itself() {
    assert_eq!(read("&dn=100%&xl=1").name.as_deref(), Some("100%"));
    assert_eq!(read("&dn=5%+off%zz%4").name.as_deref(), Some("5% off%zz%4"));
    assert_eq!(read("&dn=%ff").name.as_deref(), Some("\u{fffd}"));
}

#[test]
fn chosen_files_are_ranges_that_do_not_meet() {
    let magnet = read("&so=4,0,2,6-8,7-9,10,&so=20");
    assert_eq!(magnet.chosen, [0..=0, 2..=2, 4..=4, 6..=10, 20..=20]);
    assert!(magnet.chooses(7) && !magnet.chooses(5) && !magnet.chooses(11));
    assert!(read("").chooses(5) && read("&so=").chooses(5));
    assert!(magnet.to_string().ends_with("&so=0,2,4,6-10,20"), "{magnet}");
    for so in ["x", "5-3", "-1", "1-", "+1", "1-2-3", "4294967295", "0-999999999"] {
        assert_eq!(code(&link(&format!("&so={so}"))), "bad-chosen-files", "{so}");
    }
}

#[test]
fn a_new_link_names_only_the_torrent() {
    let magnet = Magnet::new(InfoHash::from_hex(HASH).unwrap());
    assert_eq!(magnet.to_string(), link(""));
}

proptest! {
    #[test]
    fn links_survive_being_written(
        name in "[ -~é€&=%+#]{0,20}",
        host in "[a-z]{1,9}",
        path in "[!-~]{0,20}",
        chosen in prop::collection::vec((0..500_u32, 0..9_u32), 0..5),
    ) {
        let mut magnet = Magnet::new(InfoHash([7; 20]));
        magnet.name = Some(name).filter(|name| !name.is_empty());
        magnet.trackers.extend(crate::url::tracker(format!("wss://{host}/{path}").as_bytes()));
        magnet.web_seeds.extend(crate::url::web_seed(format!("http://{host}/{path}").as_bytes()));
        magnet.peers.push(format!("{host}:1"));
        magnet.length = Some(ByteCount(9));
        let so = chosen.iter().map(|(from, len)| format!("{from}-{}", from + len));
        let so: Vec<_> = so.collect();
        magnet.chosen = read(&format!("&so={}", so.join(","))).chosen;
        prop_assert_eq!(Magnet::parse(&magnet.to_string()), Ok(magnet));
    }

    #[test]
    fn any_text_is_answered(text in "(magnet:\\?)?([a-z.]{0,4}=[%0-9a-zA-Z:,é-]{0,50}&?){0,6}") {
        if let Ok(magnet) = Magnet::parse(&text) {
            prop_assert_eq!(Magnet::parse(&magnet.to_string()), Ok(magnet));
        }
    }

    #[test]
    fn known_keys_with_any_value_are_answered(
        key in "(xt|dn|xl|tr|ws|so|x\\.pe)(\\.1)?",
        value in "(urn:btih:|wss://)?\\PC{0,50}",
    ) {
        if let Ok(magnet) = Magnet::parse(&link(&format!("&{key}={value}"))) {
            prop_assert_eq!(Magnet::parse(&magnet.to_string()), Ok(magnet));
        }
    }
}
