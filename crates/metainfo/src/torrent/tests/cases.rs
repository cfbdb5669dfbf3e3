//! What a torrent may look like and what is made of it: one case for each rule.

use crate::bencode::{DictBuilder, ListBuilder};
use crate::{Error, Torrent, limit};
use bytes::Bytes;
use headwater_base::sha1;

/// An info dictionary of one file of 425 bytes.
fn single() -> DictBuilder {
    DictBuilder::new()
        .bytes("name", "temp")
        .int("length", 425)
        .int("piece length", 16384)
        .bytes("pieces", [7; 20])
}

/// An info dictionary of a folder.
fn folder(files: ListBuilder) -> DictBuilder {
    DictBuilder::new()
        .bytes("name", "temp")
        .list("files", files)
        .int("piece length", 16384)
        .bytes("pieces", [7; 20])
}

fn entry(length: i64, path: &[&str]) -> DictBuilder {
    DictBuilder::new().int("length", length).list("path", strings(path))
}

fn strings(items: &[&str]) -> ListBuilder {
    items.iter().fold(ListBuilder::new(), |list, item| list.bytes(item))
}

fn files(entries: impl IntoIterator<Item = DictBuilder>) -> DictBuilder {
    folder(entries.into_iter().fold(ListBuilder::new(), ListBuilder::dict))
}

fn around(info: DictBuilder) -> DictBuilder {
    DictBuilder::new().dict("info", info)
}

fn parse(info: DictBuilder) -> Result<Torrent, Error> {
    Torrent::parse(&around(info).finish())
}

fn read(info: DictBuilder) -> Torrent {
    parse(info).unwrap()
}

fn code(info: DictBuilder) -> &'static str {
    parse(info).map(|_| ()).expect_err("accepted").code()
}

fn paths(torrent: &Torrent) -> Vec<&str> {
    torrent.files.iter().map(|file| file.path.as_str()).collect()
}

fn check_path(path: &[&str], expect: &str) {
    assert_eq!(paths(&read(files([entry(425, path)]))), [expect], "{path:?}");
}

#[test]
fn a_single_file_is_its_name() {
    let torrent = read(single());
    assert_eq!((torrent.name.as_str(), torrent.folder), ("temp", false));
    assert_eq!((paths(&torrent), torrent.length.0), (vec!["temp"], 425));
    assert_eq!((torrent.piece_length, torrent.piece_count()), (16384, 1));
    assert_eq!(torrent.stored_path(0).as_deref(), Some("temp"));
    assert_eq!(torrent.stored_path(1), None);
}

#[test]
fn a_folder_keeps_its_files_below_it() {
    let torrent = read(files([entry(425, &["foo", "bar"])]));
    assert!(torrent.folder);
    assert_eq!(paths(&torrent), ["foo/bar"]);
    assert_eq!(torrent.stored_path(0).as_deref(), Some("temp/foo/bar"));
    // `files` wins over `length`, and what is no list does not count.
    assert_eq!(paths(&read(files([entry(3, &["a"])]).int("length", 9))), ["a"]);
    assert_eq!(paths(&read(single().bytes("files", "x"))), ["temp"]);
}

#[test]
fn the_info_hash_is_over_the_bytes_as_they_came() {
    // Unsorted, with a key twice: the first counts, the hash covers all.
    let info = b"d4:name4:temp6:lengthi425e6:lengthi9e12:piece lengthi16384e6:pieces20:\
                 aaaaaaaaaaaaaaaaaaaa1:zi1ee";
    let bytes = [&b"d8:announce4:http4:info"[..], info, b"e"].concat();
    let torrent = Torrent::parse(&bytes).unwrap();
    assert_eq!(torrent.info_hash.0, sha1(info));
    assert_eq!((&torrent.info[..], torrent.length.0), (&info[..], 425));
    let again = Torrent::from_info(Bytes::copy_from_slice(info)).unwrap();
    assert_eq!(again, torrent);
    assert_eq!(Torrent::parse(&torrent.to_bytes()), Ok(torrent));
}

#[test]
fn a_file_may_have_bytes_after_it_but_an_info_dictionary_may_not() {
    let mut bytes = around(single()).finish();
    bytes.extend_from_slice(b"\n<html>");
    assert_eq!(Torrent::parse(&bytes).unwrap().length.0, 425);
    let mut info = single().finish();
    info.push(b'\n');
    assert_eq!(Torrent::from_info(info.into()).unwrap_err().code(), "bad-bencode");
}

#[test]
fn what_is_no_torrent_is_named_as_such() {
    for (bytes, expect) in [
        (&b""[..], "bad-bencode"),
        (b"<html>", "bad-bencode"),
        (b"11:libtorrent", "bad-bencode"),
        (b"10:libtorrent", "not-a-torrent"),
        (b"le", "not-a-torrent"),
        (b"de", "bad-info"),
        (b"d4:info5:filese", "bad-info"),
        (b"d4:infolee", "bad-info"),
        (b"d4:infoi3e4:infod4:name1:aee", "bad-info"),
    ] {
        let refused = Torrent::parse(bytes).map(|_| ()).unwrap_err();
        assert_eq!(refused.code(), expect, "{bytes:?}");
    }
}

#[test]
fn names_are_made_safe_and_a_file_without_one_is_refused() {
    for (name, expect) in [
        ("\\est2", "est2"),
        ("foobar ", "foobar "),
        ("a/b", "ab"),
        ("C:\\x", "C_x"),
        (" ", " "),
        ("ab: c?", "ab: c?"),
    ] {
        assert_eq!(read(single().bytes("name", name)).name, expect);
    }
    for name in ["", ".", "..", "/", "\\", "\0\0\0\0", "\u{202e}"] {
        assert_eq!(code(single().bytes("name", name)), "bad-name", "{name:?}");
        let folder = read(files([entry(1, &["a"])]).bytes("name", name));
        assert_eq!(folder.name, folder.info_hash.to_string(), "{name:?}");
    }
    assert_eq!(code(single().int("name", 1348)), "bad-name");
    assert_eq!(code(single().list("name", strings(&["temp"]))), "bad-name");
    let long = format!("{}0.23456789", "abcdefghij0123456789".repeat(14));
    let name = read(single().bytes("name", long)).name;
    assert!(name.len() == 240 && name.ends_with("ghij0.23456789"), "{name}");
}

#[test]
fn utf_8_names_win_where_both_are_given() {
    let torrent = read(single().bytes("name", b"\xfctf").bytes("name.utf-8", "ütf"));
    assert_eq!(torrent.name, "ütf");
    let file = entry(1, &["a"]).list("path.utf-8", strings(&["ü", "b"]));
    assert_eq!(paths(&read(files([file]))), ["ü/b"]);
    let file = entry(1, &["a"]).bytes("path.utf-8", "no list");
    assert_eq!(paths(&read(files([file]))), ["a"]);
}

#[test]
fn paths_never_leave_their_folder() {
    check_path(&["..", "..", "bar"], "_/_/bar");
    check_path(&["/", "/", "bar"], "_/_/bar");
    check_path(&["\\", "\\", "bar"], "_/_/bar");
    check_path(&["/foobar"], "foobar");
    check_path(&["../../etc/passwd"], "....etcpasswd");
    check_path(&["C:\\Windows", "nul"], "C_Windows/nul");
    check_path(&[""], "_");
    check_path(&["", ""], "_/_");
    check_path(&[".", "."], "_/_");
    check_path(&["a\0b", "c\u{202e}d"], "ab/cd");
}

#[test]
fn paths_that_are_no_lists_of_names_are_refused() {
    let numbers = ListBuilder::new().int(1242).bytes("bar.txt");
    assert_eq!(code(files([entry(1, &[]).list("path", numbers)])), "bad-path");
    assert_eq!(code(files([entry(1, &[])])), "bad-path");
    assert_eq!(code(files([DictBuilder::new().int("length", 1)])), "bad-path");
    assert_eq!(code(files([entry(1, &[]).bytes("path", "abc")])), "bad-path");
    assert_eq!(code(folder(ListBuilder::new().bytes("x"))), "bad-path");
    check_path(&["a"; 100], &["a"; 100].join("/"));
    assert_eq!(code(files([entry(1, &["a"; 101])])), "bad-path");
}

#[test]
fn files_with_one_path_are_told_apart() {
    let twice = files([entry(425, &["foo", "bar.txt"]), entry(425, &["foo", "bar.txt"])]);
    assert_eq!(paths(&read(twice)), ["foo/bar.txt", "foo/bar.1.txt"]);
    let empty = files([entry(425, &["abcde"]), entry(3, &[""]), entry(5, &[""])]);
    assert_eq!(paths(&read(empty)), ["abcde", "_", "_.1"]);
    let defused = files([entry(5, &["/", "foo"]), entry(6, &["\\", "foo"])]);
    assert_eq!(paths(&read(defused)), ["_/foo", "_/foo.1"]);
    let case_and_folder = files([entry(1, &["A", "x"]), entry(1, &["a"]), entry(1, &["a", "X"])]);
    assert_eq!(paths(&read(case_and_folder)), ["A/x", "a.1", "a/X.1"]);
    let many = |count| files((0..count).map(|_| entry(5, &["foo", "bar.txt"])));
    assert!(parse(many(33)).is_ok());
    assert_eq!(code(many(34)), "duplicate-paths");
}

#[test]
fn lengths_must_be_there_and_sensible() {
    assert_eq!(code(single().int("length", -425)), "bad-length");
    assert_eq!(code(single().int("length", 0).bytes("pieces", "")), "bad-length");
    assert_eq!(code(single().bytes("length", "425")), "bad-length");
    assert_eq!(code(single().int("length", limit::FILE_LENGTH_MAX as i64 + 1)), "bad-length");
    assert_eq!(code(single().int("length", i64::MAX)), "bad-length");
    let listed = entry(1, &["a"]).list("length", ListBuilder::new().int(45));
    assert_eq!(code(files([listed])), "bad-length");
    assert_eq!(code(files([DictBuilder::new().list("path", strings(&["a"]))])), "bad-length");
    assert_eq!(code(files([entry(0, &["a"]), entry(0, &["b"])])), "bad-length");
    let huge = || entry(limit::FILE_LENGTH_MAX as i64, &["a"]);
    assert_eq!(code(files([huge(), huge()])), "too-many-pieces");
    assert_eq!(code(files((0..17).map(|_| huge()))), "bad-length");
    assert_eq!(code(folder(ListBuilder::new())), "no-files");
}

#[test]
fn a_file_without_info_about_length_has_no_files() {
    let bare = DictBuilder::new().bytes("name", "x").int("piece length", 1).bytes("pieces", "");
    assert_eq!(code(bare), "bad-length");
}

#[test]
fn piece_lengths_go_up_to_what_libtorrent_takes() {
    assert_eq!(read(single().int("piece length", 536_854_528)).piece_length, 536_854_528);
    assert_eq!(read(single().int("piece length", 425)).piece_length, 425);
    for length in [536_854_529, 0, -16384, i64::MAX] {
        assert_eq!(code(single().int("piece length", length)), "bad-piece-length");
    }
    assert_eq!(code(single().bytes("piece length", "16384")), "bad-piece-length");
    let missing = DictBuilder::new().bytes("name", "x").int("length", 1).bytes("pieces", [7; 20]);
    assert_eq!(code(missing), "bad-piece-length");
}

#[test]
fn there_is_one_hash_for_each_piece() {
    for pieces in [0, 19, 21, 40] {
        assert_eq!(code(single().bytes("pieces", vec![7; pieces])), "bad-pieces");
    }
    assert_eq!(code(single().int("pieces", -23)), "bad-pieces");
    assert_eq!(code(single().list("pieces", ListBuilder::new())), "bad-pieces");
    let two = single().int("length", 16385).bytes("pieces", [[1; 20], [2; 20]].concat());
    assert_eq!(read(two).pieces, [[1; 20], [2; 20]]);
    assert_eq!(code(single().int("length", 1_759_218_597_889)), "too-many-pieces");
    let most = (limit::PIECES_MAX * 16384) as i64;
    assert_eq!(code(single().int("length", most)), "bad-pieces");
    assert_eq!(code(single().int("length", most + 1)), "too-many-pieces");
}

#[test]
fn padding_is_known_by_its_attribute_or_its_name() {
    let pad = |path: &[&str]| entry(16359, path).bytes("attr", "p");
    let torrent = read(files([entry(25, &["a"]), pad(&[".pad", "0"])]));
    assert_eq!(torrent.files.iter().map(|file| file.pad).collect::<Vec<_>>(), [false, true]);
    let nameless = DictBuilder::new().int("length", 16359).bytes("attr", "p");
    let torrent = read(files([entry(25, &["a"]), nameless]));
    assert_eq!((paths(&torrent)[1], torrent.files[1].pad), (".pad/16359", true));
    let torrent = read(files([entry(45, &["foo"]), entry(2124, &["_____padding_file_0_"])]));
    assert!(torrent.files[1].pad);
    // Two of the same path are no conflict, since neither is stored.
    let torrent =
        read(files([pad(&[".pad", "0"]).int("length", 1), pad(&[".pad", "0"]).int("length", 2)]));
    assert_eq!(paths(&torrent), [".pad/0", ".pad/0"]);
    assert!(!read(files([entry(1, &["a"]).int("attr", 3)])).files[0].pad);
    assert!(!read(files([entry(1, &["a"]).bytes("attr", "xh")])).files[0].pad);
}

#[test]
fn symbolic_links_are_empty_padding() {
    let link = |target: ListBuilder| {
        entry(425, &["a", "foo"]).bytes("attr", "l").list("symlink path", target)
    };
    let torrent = read(files([entry(425, &["a", "bar"]), link(strings(&["..", "..", "etc"]))]));
    assert_eq!(torrent.length.0, 425);
    assert_eq!((torrent.files[1].length.0, torrent.files[1].pad), (0, true));
    let no_length = DictBuilder::new().bytes("attr", "xl").list("path", strings(&["b"]));
    assert_eq!(read(files([entry(1, &["a"]), no_length])).files.len(), 2);
    let odd_target = link(ListBuilder::new().bytes("foo").int(4));
    assert_eq!(code(files([entry(1, &["a"]), odd_target])), "bad-path");
    assert_eq!(code(single().bytes("attr", "l")), "bad-length");
    let only_link = files([link(strings(&["a"]))]).bytes("pieces", "");
    assert_eq!(code(only_link), "bad-length");
}

#[test]
fn private_is_any_number_but_zero() {
    assert!(read(single().int("private", 1)).private);
    assert!(!read(single().int("private", 0)).private);
    assert!(!read(single().bytes("private", "1")).private);
    assert!(!read(single()).private);
}

#[test]
fn trackers_come_from_the_list_else_from_announce() {
    let trackers = |root: DictBuilder| Torrent::parse(&root.finish()).unwrap().trackers;
    let announce = || around(single()).bytes("announce", "\t udp://test.com/announce");
    assert_eq!(trackers(announce()), [["udp://test.com/announce"]]);
    assert_eq!(trackers(announce().list("announce-list", ListBuilder::new())).len(), 1);
    let tier = |urls: &[&str]| strings(urls);
    let list = ListBuilder::new()
        .list(tier(&["wss://b/1", "http://b/2", "wss://b/1", "t.com:80/x"]).int(3))
        .bytes("http://c/")
        .list(tier(&["", "ftp://x/"]))
        .list(tier(&["https://d/", "http://b/2"]));
    let found = trackers(announce().list("announce-list", list));
    assert_eq!(found, [vec!["wss://b/1", "http://b/2"], vec!["https://d/"]]);
    assert!(trackers(around(single()).bytes("announce", "nonsense")).is_empty());
    assert!(trackers(around(single()).int("announce", 1)).is_empty());
    let many = (0..999).fold(ListBuilder::new(), |list, n| {
        list.list(ListBuilder::new().bytes(format!("udp://t{n}:1")))
    });
    assert_eq!(trackers(around(single()).list("announce-list", many)).len(), limit::TRACKERS_MAX);
}

#[test]
fn web_seeds_are_mended_and_kept_once() {
    let two = || files([entry(1, &["a"]), entry(2, &["b"])]);
    let list = |info, urls: &[&str]| {
        Torrent::parse(&around(info).list("url-list", strings(urls)).finish()).unwrap().web_seeds
    };
    assert_eq!(list(single(), &["http://test.com/file"]), ["http://test.com/file"]);
    assert_eq!(list(two(), &["http://t.com/f", "http://t.com/f/"]), ["http://t.com/f/"]);
    assert_eq!(list(two(), &[" http://t.com/a b/c d"]), ["http://t.com/a%20b/c%20d/"]);
    let one_in_folder = files([entry(1, &["foo", "bar.txt"])]);
    let whole = "http://t.com/temp/foo/bar.txt";
    assert_eq!(list(one_in_folder, &[whole]), [whole], "no folder where one file is all");
    assert!(list(single(), &["", "ftp://a/b", "udp://x"]).is_empty());
    let dupes = ["http://f/foo", "http://f/foo", "http://f/bar", "http://f/foo"];
    assert_eq!(list(single(), &dupes), ["http://f/foo", "http://f/bar"]);
    let plain = around(two()).bytes("url-list", "http://t.com/x y").finish();
    assert_eq!(Torrent::parse(&plain).unwrap().web_seeds, ["http://t.com/x%20y/"]);
    let nested = around(single()).list("url-list", ListBuilder::new().list(strings(&[""])));
    assert!(Torrent::parse(&nested.finish()).unwrap().web_seeds.is_empty());
}

#[test]
fn what_else_is_said_is_kept_and_what_is_unknown_ignored() {
    let root = around(single().list("collections", strings(&["a"])).bytes("similar", "x"))
        .bytes("comment", "plain")
        .bytes("comment.utf-8", "ümlaut")
        .bytes("created by", "libtorrent")
        .int("creation date", 1_359_599_503)
        .list("nodes", ListBuilder::new().list(ListBuilder::new().bytes("127.0.0.1").int(6881)))
        .list("httpseeds", strings(&["http://foobar.com/"]));
    let torrent = Torrent::parse(&root.finish()).unwrap();
    assert_eq!(torrent.comment.as_deref(), Some("ümlaut"));
    assert_eq!(torrent.created_by.as_deref(), Some("libtorrent"));
    assert_eq!(torrent.creation_date, Some(1_359_599_503));
    assert!(torrent.web_seeds.is_empty());
    let odd = around(single()).bytes("creation date", "x").int("comment", 1);
    let torrent = Torrent::parse(&odd.finish()).unwrap();
    assert_eq!((torrent.creation_date, torrent.comment, torrent.created_by), (None, None, None));
}

#[test]
fn too_many_files_are_refused() {
    let one = entry(1, &["a"]).finish();
    let list = ListBuilder::new().raw(one.repeat(limit::FILES_MAX + 1));
    assert_eq!(code(folder(list)), "too-many-files");
}
