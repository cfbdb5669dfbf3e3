//! Drafts: what is fed comes out hashed, and what is made is read back equal.

use super::*;
use headwater_base::{PieceIndex, sha1};
use proptest::prelude::*;

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 31 % 251) as u8).collect()
}

fn single(len: u64, options: Options) -> Result<Draft, Error> {
    Draft::single("f.bin", ByteCount(len), options)
}

fn named(files: &[(&str, u64)]) -> Vec<(String, ByteCount)> {
    files.iter().map(|(path, len)| ((*path).to_owned(), ByteCount(*len))).collect()
}

#[test]
fn a_single_file_is_hashed_piece_by_piece() {
    let data = bytes(40_000);
    let mut draft = single(40_000, Options::default()).unwrap();
    for part in data.chunks(777) {
        draft.feed(part).unwrap();
    }
    let torrent = draft.finish().unwrap();
    let expect: Vec<_> = data.chunks(16384).map(sha1).collect();
    assert_eq!(torrent.pieces, expect);
    assert_eq!((torrent.name.as_str(), torrent.folder), ("f.bin", false));
    assert_eq!(torrent.piece_len(PieceIndex(2)), 40_000 - 2 * 16384);
    assert_eq!(torrent.info_hash.0, sha1(&torrent.info));
}

#[test]
fn every_option_is_read_back() {
    let options = Options {
        piece_length: Some(32768),
        trackers: vec![vec!["wss://a/x".into(), "wss://b/x".into()], vec!["udp://c:1".into()]],
        web_seeds: vec!["https://s/dir/".into()],
        private: true,
        align: false,
        comment: Some("hello".into()),
        created_by: Some("test".into()),
        creation_date: Some(1_700_000_000),
    };
    let files = named(&[("a/x", 5), ("empty", 0), ("b", 7)]);
    let mut draft = Draft::folder("dir", files, options.clone()).unwrap();
    draft.feed(b"aaaaabbbbbbb").unwrap();
    let torrent = draft.finish().unwrap();
    assert_eq!(Torrent::parse(&torrent.to_bytes()).as_ref(), Ok(&torrent));
    assert_eq!(torrent.trackers, options.trackers);
    assert_eq!(torrent.web_seeds, options.web_seeds);
    assert_eq!(torrent.comment.as_deref(), Some("hello"));
    assert_eq!(torrent.created_by.as_deref(), Some("test"));
    assert_eq!(torrent.creation_date, Some(1_700_000_000));
    assert!(torrent.private && torrent.folder);
    assert_eq!(torrent.piece_length, 32768);
    assert_eq!(torrent.pieces, [sha1(b"aaaaabbbbbbb")]);
    assert_eq!(torrent.stored_path(0).as_deref(), Some("dir/a/x"));
}

#[test]
fn padding_lets_files_start_at_a_piece() {
    let options = Options { align: true, ..Options::default() };
    let files = named(&[("a", 5), ("empty", 0), ("b", 16384), ("c", 1)]);
    let mut draft = Draft::folder("dir", files, options).unwrap();
    let data = [bytes(5), bytes(16384), bytes(1)].concat();
    draft.feed(&data[..3]).unwrap();
    draft.feed(&data[3..]).unwrap();
    let torrent = draft.finish().unwrap();
    let paths: Vec<_> = torrent.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["a", ".pad/16379", "empty", "b", "c"]);
    assert_eq!(torrent.files[3].offset, ByteCount(16384));
    let first = [bytes(5), vec![0; 16379]].concat();
    assert_eq!(torrent.pieces, [sha1(&first), sha1(&bytes(16384)), sha1(&bytes(1))]);
}

#[test]
fn digests_may_be_fed_instead_of_bytes() {
    let data = bytes(40_000);
    let mut whole = single(40_000, Options::default()).unwrap();
    whole.feed(&data).unwrap();
    let mut mixed = single(40_000, Options::default()).unwrap();
    mixed.feed_digest(sha1(&data[..16384])).unwrap();
    mixed.feed(&data[16384..20_000]).unwrap();
    let refused = mixed.feed_digest([0; 20]);
    assert_eq!(refused, Err(Error::DigestInsidePiece { found: 20_000 - 16384 }));
    mixed.feed(&data[20_000..32768]).unwrap();
    mixed.feed_digest(sha1(&data[32768..])).unwrap();
    assert!(mixed.feed_digest([0; 20]).is_err());
    assert_eq!(mixed.finish(), whole.finish());
}

#[test]
fn too_few_and_too_many_bytes_are_refused() {
    let mut draft = single(10, Options::default()).unwrap();
    draft.feed(b"123456789").unwrap();
    assert_eq!(draft.clone().finish(), Err(Error::Unfinished { left: 1 }));
    assert_eq!(draft.feed(b"xy"), Err(Error::TooManyBytes { found: 2, left: 1 }));
}

#[test]
fn drafts_that_nobody_could_read_are_refused() {
    let folder = |name: &str, path: &str| {
        Draft::folder(name, named(&[(path, 1)]), Options::default()).map(|_| ())
    };
    for name in ["", ".", "..", "a/b", "a\0", "a\\b", "C:x", "a\nb"] {
        assert_eq!(folder(name, "x"), Err(Error::DraftName), "{name:?}");
    }
    for path in ["", "/x", "a/../b", "a//b", "a/", "a\0b", "a\u{202e}b"] {
        assert_eq!(folder("n", path), Err(Error::DraftPath { file: 0 }), "{path:?}");
    }
    assert_eq!(folder("What: a film?", "Mr. and Mrs./x\"*"), Ok(()));
    let twice = named(&[("b", 1), ("Makefile", 1), ("makefile", 1)]);
    let refused = Draft::folder("n", twice, Options::default()).map(|_| ());
    assert_eq!(refused, Err(Error::DraftPath { file: 2 }));
    assert!(single(0, Options::default()).is_err());
    let none = Draft::folder("n", Vec::new(), Options::default()).map(|_| ());
    assert_eq!(none, Err(Error::NoFiles));
    let many = vec![("x".to_owned(), ByteCount(1)); limit::FILES_MAX + 1];
    let many = Draft::folder("n", many, Options::default()).map(|_| ());
    assert_eq!(many.unwrap_err().code(), "too-many-files");
    for length in [0, 1, 8192, 16385, 1 << 31] {
        let options = Options { piece_length: Some(length), ..Options::default() };
        assert_eq!(single(9, options).map(|_| ()).unwrap_err().code(), "bad-piece-length");
    }
    let options = Options { piece_length: Some(16384), ..Options::default() };
    let refused = single(16384 * (limit::PIECES_MAX + 1), options).map(|_| ());
    assert_eq!(refused.unwrap_err().code(), "too-many-pieces");
}

#[test]
fn automatic_pieces_number_one_to_two_thousand() {
    const MIB: u64 = 1024 * 1024;
    for (total, expect) in [
        (1, 16384),
        (31 * MIB, 16384),
        (64 * MIB, 65536),
        (700 * MIB, 524_288),
        (20_000 * MIB, 16 * 1024 * 1024),
        (900_000 * MIB, 16 * 1024 * 1024),
    ] {
        assert_eq!(auto_piece_length(ByteCount(total)), expect, "{total}");
    }
}

#[test]
fn bad_addresses_are_left_out() {
    let options = Options {
        trackers: vec![vec![" wss://a/ ".into(), "nonsense".into()], vec!["wss://a/".into()]],
        ..Options::default()
    };
    let mut draft = single(1, options).unwrap();
    draft.feed(b"x").unwrap();
    assert_eq!(draft.finish().unwrap().trackers, [["wss://a/"]]);
}

proptest! {
    #[test]
    fn pieces_do_not_depend_on_how_bytes_are_fed(
        lens in prop::collection::vec(0..50_000_u64, 1..6),
        cut in 1..20_000_usize,
        align: bool,
    ) {
        prop_assume!(lens.iter().sum::<u64>() > 0);
        let files: Vec<_> =
            lens.iter().enumerate().map(|(at, len)| (format!("f{at}"), ByteCount(*len))).collect();
        let options = Options { align, ..Options::default() };
        let mut draft = Draft::folder("d", files, options).unwrap();
        let data = bytes(lens.iter().sum::<u64>() as usize);
        let mut digests = draft.clone();
        for part in data.chunks(cut) {
            draft.feed(part).unwrap();
        }
        let torrent = draft.finish().unwrap();
        // The same through spans: what a shell does that hashes pieces elsewhere.
        let starts: Vec<u64> = digests.files().iter().map(|file| {
            let before = digests.files().iter().take_while(|other| other.offset < file.offset);
            before.filter(|file| !file.pad).map(|file| file.length.0).sum()
        }).collect();
        for piece in 0..digests.piece_count() {
            let mut hash = Sha1::default();
            for span in digests.piece_spans(piece).collect::<Vec<_>>() {
                let at = (starts[span.file] + span.offset.0) as usize;
                let zeros = vec![0; span.len as usize];
                hash.update(if span.pad { &zeros } else { &data[at..at + span.len as usize] });
            }
            digests.feed_digest(hash.finish()).unwrap();
        }
        prop_assert_eq!(digests.finish(), Ok(torrent.clone()));
        prop_assert_eq!(Torrent::parse(&torrent.to_bytes()), Ok(torrent.clone()));
        prop_assert_eq!(Torrent::from_info(torrent.info.clone()).unwrap().pieces, torrent.pieces);
    }
}
