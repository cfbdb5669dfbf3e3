//! Drafts: what is fed comes out hashed, and what is made is read back equal.

use super::*;
use crate::merkle;
use headwater_base::{InfoHash, PieceIndex, sha1, sha256};
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
        version: Version::V1,
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

#[test]
fn v2_sorts_files_as_its_tree_does() {
    let files = named(&[("b", 2), ("a.txt", 3), ("a/z", 4), ("a", 0)]);
    let options = Options { version: Version::V2, ..Options::default() };
    let refused = Draft::folder("d", files.clone(), options.clone()).map(|_| ());
    assert!(matches!(refused, Err(Error::DraftPath { .. })), "a is a file and a folder");
    let mut draft = Draft::folder("d", files[..3].to_vec(), options).unwrap();
    assert_eq!(draft.order(), [2, 1, 0]);
    draft.feed(b"zzzztxtbb").unwrap();
    let torrent = draft.finish().unwrap();
    let paths: Vec<_> = torrent.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["a/z", ".pad/16380", "a.txt", ".pad/16381", "b"]);
    assert_eq!(torrent.files[2].root, Some(sha256(b"txt")));
    assert_eq!(torrent.version(), Version::V2);
    let deep = named(&[(&["x"; 91].join("/"), 1)]);
    assert!(Draft::folder("d", deep, Options::default()).is_err());
}

#[test]
fn one_file_is_alike_in_every_version() {
    for version in [Version::V1, Version::V2, Version::Hybrid] {
        let mut draft = single(40_000, Options { version, ..Options::default() }).unwrap();
        draft.feed(&bytes(40_000)).unwrap();
        let torrent = draft.finish().unwrap();
        assert_eq!((torrent.name.as_str(), torrent.folder), ("f.bin", false), "{version:?}");
        assert_eq!((torrent.length.0, torrent.files.len()), (40_000, 1), "{version:?}");
        assert_eq!(torrent.version(), version);
        assert_eq!(torrent.piece_len(PieceIndex(2)), 40_000 - 2 * 16384);
    }
}

/// Cuts `data` into the bytes of the files that are no padding.
fn cut<'d>(torrent: &Torrent, mut data: &'d [u8]) -> Vec<&'d [u8]> {
    let mut out = Vec::new();
    for file in &torrent.files {
        let len = if file.pad { 0 } else { file.length.0 as usize };
        let (now, later) = data.split_at(len);
        out.push(now);
        data = later;
    }
    out
}

/// What peers would send of a piece.
fn piece(torrent: &Torrent, files: &[&[u8]], piece: u32) -> Vec<u8> {
    let mut out = Vec::new();
    for span in torrent.piece_spans(PieceIndex(piece)) {
        let (at, len) = (span.offset.0 as usize, span.len as usize);
        out.extend(if span.pad { vec![0; len] } else { files[span.file][at..at + len].to_vec() });
    }
    out
}

fn check_v1(torrent: &Torrent, files: &[&[u8]]) {
    let digests: Vec<_> =
        (0..torrent.piece_count()).map(|index| sha1(&piece(torrent, files, index))).collect();
    assert_eq!(torrent.pieces, digests);
}

fn check_v2(torrent: &Torrent, files: &[&[u8]]) {
    for (file, data) in torrent.files.iter().zip(files) {
        let root = (!data.is_empty()).then(|| merkle::file_root(&merkle::leaves(data)));
        assert_eq!(file.root, root, "{}", file.path);
        assert!(file.pad || data.is_empty() || file.offset.0 % 16384 == 0);
    }
    for index in 0..torrent.piece_count() {
        let (file, range) = torrent.piece_file(PieceIndex(index)).unwrap();
        let leaves = merkle::leaves(&files[file][range.start as usize..range.end as usize]);
        let node = merkle::root(&leaves, 0, torrent.piece_height(PieceIndex(index)));
        assert_eq!(torrent.piece_node(PieceIndex(index)), Some(node));
    }
    assert_eq!(torrent.layerless_files().count(), 0);
    let bare = Torrent::from_info(torrent.info.clone()).unwrap();
    let large = torrent.files.iter().filter(|file| file.length.0 > 16384 && !file.pad);
    assert_eq!(bare.layerless_files().count(), large.count());
    let layers = torrent.layers.iter().map(|(root, layer)| (*root, layer.to_vec()));
    assert_eq!(bare.with_layers(layers).layers, torrent.layers);
}

proptest! {
    #[test]
    fn what_is_made_does_not_depend_on_how_bytes_are_fed(
        lens in prop::collection::vec(0..50_000_u64, 1..6),
        part in 1..20_000_usize,
        align: bool,
        version in prop::sample::select(vec![Version::V1, Version::V2, Version::Hybrid]),
    ) {
        prop_assume!(lens.iter().sum::<u64>() > 0);
        let files: Vec<_> =
            lens.iter().enumerate().map(|(at, len)| (format!("f{at}"), ByteCount(*len))).collect();
        let options = Options { version, align, piece_length: Some(16384), ..Options::default() };
        let mut draft = Draft::folder("d", files, options).unwrap();
        let data = bytes(lens.iter().sum::<u64>() as usize);
        for part in data.chunks(part) {
            draft.feed(part).unwrap();
        }
        let torrent = draft.finish().unwrap();
        prop_assert_eq!(torrent.version(), version);
        let files = cut(&torrent, &data);
        if version == Version::V2 {
            prop_assert_eq!(torrent.info_hash, InfoHash::cut(&sha256(&torrent.info)));
            prop_assert!(torrent.pieces.is_empty());
        } else {
            prop_assert_eq!(torrent.info_hash.0, sha1(&torrent.info));
            check_v1(&torrent, &files);
        }
        if version == Version::V1 {
            prop_assert!(torrent.layers.is_empty() && torrent.info_hash_v2.is_none());
        } else {
            prop_assert_eq!(torrent.info_hash_v2, Some(sha256(&torrent.info)));
            check_v2(&torrent, &files);
        }
        prop_assert_eq!(Torrent::parse(&torrent.to_bytes()), Ok(torrent));
    }
}
