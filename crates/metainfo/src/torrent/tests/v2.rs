//! Torrents of v2 and hybrids (BEP 52): one case for each rule.

use crate::bencode::{DictBuilder, ListBuilder};
use crate::{Error, Torrent, Version, limit, merkle};
use headwater_base::{Digest256, InfoHash, PieceIndex, sha1, sha256};

const PIECE: i64 = 16384;

fn root(byte: u8) -> Digest256 {
    [byte; 32]
}

fn leaf(length: i64, byte: u8) -> DictBuilder {
    DictBuilder::new().int("length", length).bytes("pieces root", root(byte))
}

fn file(leaf: DictBuilder) -> DictBuilder {
    DictBuilder::new().dict("", leaf)
}

/// A tree of these files in one folder.
fn tree(files: &[(&str, i64, u8)]) -> DictBuilder {
    files.iter().fold(DictBuilder::new(), |tree, (name, length, byte)| {
        tree.dict(name, file(leaf(*length, *byte)))
    })
}

fn info(tree: DictBuilder) -> DictBuilder {
    DictBuilder::new()
        .bytes("name", "temp")
        .int("piece length", PIECE)
        .int("meta version", 2)
        .dict("file tree", tree)
}

fn entry(length: i64, name: &str) -> DictBuilder {
    DictBuilder::new().int("length", length).list("path", ListBuilder::new().bytes(name))
}

fn pad(length: i64) -> DictBuilder {
    entry(length, ".pad").bytes("attr", "p")
}

fn hybrid(tree: DictBuilder, entries: &[DictBuilder], pieces: usize) -> DictBuilder {
    let list = entries.iter().cloned().fold(ListBuilder::new(), ListBuilder::dict);
    info(tree).list("files", list).bytes("pieces", vec![7; pieces * 20])
}

fn parse(info: DictBuilder) -> Result<Torrent, Error> {
    Torrent::parse(&DictBuilder::new().dict("info", info).finish())
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

#[test]
fn v2_alone_is_known_by_its_own_hash_cut_short() {
    let info = info(tree(&[("film", 425, 1)]));
    let torrent = read(info.clone());
    let hash = sha256(&info.clone().finish());
    assert_eq!(torrent.version(), Version::V2);
    assert_eq!(torrent.info_hash_v2, Some(hash));
    assert_eq!(torrent.info_hash, InfoHash::cut(&hash));
    // One file alone at the root is no folder, and its name is that in the tree.
    assert_eq!(
        (torrent.name.as_str(), torrent.folder, paths(&torrent)),
        ("film", false, vec!["film"])
    );
    assert_eq!(
        (torrent.length.0, torrent.piece_count(), torrent.files[0].root),
        (425, 1, Some(root(1)))
    );
    let magnet = torrent.magnet().to_string();
    assert!(magnet.starts_with("magnet:?xt=urn:btmh:1220") && !magnet.contains("btih"), "{magnet}");
    assert_eq!(Torrent::from_info(info.finish().into()), Ok(torrent));
}

#[test]
fn every_file_of_v2_starts_at_a_piece_and_ends_its_last() {
    let files = [("a", 5, 1), ("b", 16384, 2), ("c", 20_000, 3), ("d", 1, 4)];
    let empty = file(DictBuilder::new().int("length", 0));
    let torrent = read(info(tree(&files).dict("bb", empty)));
    assert!(torrent.folder);
    assert_eq!(paths(&torrent), ["a", ".pad/16379", "b", "bb", "c", ".pad/12768", "d"]);
    let starts: Vec<_> = torrent.files.iter().map(|file| file.offset.0).collect();
    assert_eq!(starts, [0, 5, 16384, 32768, 32768, 52768, 65536]);
    let lens: Vec<_> =
        (0..torrent.piece_count()).map(|piece| torrent.piece_len(PieceIndex(piece))).collect();
    assert_eq!(lens, [5, 16384, 16384, 3616, 1]);
    assert_eq!(torrent.piece_len(PieceIndex(5)), 0);
    assert_eq!(torrent.piece_node(PieceIndex(4)), Some(root(4)));
    assert_eq!(torrent.piece_node(PieceIndex(2)), None, "its layer is not known");
    assert_eq!(torrent.layerless_files().collect::<Vec<_>>(), [4]);
    assert_eq!((torrent.files[3].root, torrent.files[1].root), (None, None));
}

#[test]
fn folders_nest_and_names_are_made_safe() {
    let nested = DictBuilder::new()
        .dict("..", DictBuilder::new().dict("/etc", DictBuilder::new().dict("x", file(leaf(1, 1)))))
        .dict("empty", DictBuilder::new())
        .dict("A", tree(&[("f", 1, 2)]))
        .dict("a", tree(&[("F", 1, 3)]));
    let torrent = read(info(nested));
    assert_eq!(torrent.stored_path(0).as_deref(), Some("temp/_/etc/x"), "{:?}", paths(&torrent));
    let names: Vec<_> =
        torrent.files.iter().filter(|file| !file.pad).map(|file| &file.path).collect();
    assert_eq!(names, ["_/etc/x", "A/f", "a/F.1"]);
}

#[test]
fn a_tree_holds_files_and_folders_and_nothing_else() {
    let number = DictBuilder::new().int("x", 1);
    let both = DictBuilder::new().dict("", leaf(1, 1)).dict("b", file(leaf(1, 2)));
    let hollow = DictBuilder::new().dict("x", DictBuilder::new().int("", 1));
    let padding = DictBuilder::new().dict("x", file(leaf(1, 1).bytes("attr", "p")));
    for bad in [file(leaf(1, 1)), number, DictBuilder::new().dict("x", both), hollow, padding] {
        assert_eq!(
            code(info(bad.clone())),
            "bad-path",
            "{:?}",
            String::from_utf8_lossy(&bad.finish())
        );
    }
    for hollow in [DictBuilder::new(), DictBuilder::new().dict("x", DictBuilder::new())] {
        assert_eq!(code(info(hollow)), "no-files");
    }
    assert_eq!(code(info(tree(&[("x", 0, 1)]))), "bad-length");
    assert_eq!(code(info(tree(&[("x", -1, 1)]))), "bad-length");
    assert_eq!(code(info(tree(&[("x", limit::FILE_LENGTH_MAX as i64 + 1, 1)]))), "bad-length");
    assert_eq!(code(info(tree(&[("x", PIECE * 0x20_0001, 1)]))), "too-many-pieces");
}

#[test]
fn a_file_with_bytes_has_a_root() {
    for leaf in [
        DictBuilder::new().int("length", 5),
        DictBuilder::new().int("length", 5).bytes("pieces root", [1; 31]),
        DictBuilder::new().int("length", 5).int("pieces root", 1),
        DictBuilder::new().int("length", 5).bytes("pieces root", [0; 32]),
    ] {
        assert_eq!(code(info(DictBuilder::new().dict("x", file(leaf)))), "bad-root");
    }
}

#[test]
fn symbolic_links_in_a_tree_are_empty_padding() {
    let link = |target: ListBuilder| {
        file(DictBuilder::new().bytes("attr", "l").list("symlink path", target))
    };
    let target = ListBuilder::new().bytes("..").bytes("x");
    let torrent = read(info(tree(&[("x", 5, 1)]).dict("link", link(target))));
    let found: Vec<_> = torrent.files.iter().map(|file| (file.length.0, file.pad)).collect();
    assert_eq!((paths(&torrent), found), (vec!["link", "x"], vec![(0, true), (5, false)]));
    let odd = ListBuilder::new().int(4);
    assert_eq!(code(info(tree(&[("x", 5, 1)]).dict("link", link(odd)))), "bad-path");
}

#[test]
fn version_and_tree_belong_together() {
    let tree = || tree(&[("temp", 425, 1)]);
    assert_eq!(code(info(tree()).int("meta version", 3)), "unknown-version");
    assert_eq!(code(info(tree()).int("meta version", 1)), "bad-info");
    assert_eq!(code(info(tree()).bytes("meta version", "2")), "bad-info");
    assert_eq!(code(info(tree()).list("file tree", ListBuilder::new())), "bad-info");
    assert_eq!(code(info(tree()).int("name", 1)), "bad-name");
    for length in [8192, 16385, 24576, 1 << 29] {
        assert_eq!(code(info(tree()).int("piece length", length)), "bad-piece-length");
    }
    assert_eq!(read(info(tree()).int("piece length", 1 << 28)).piece_length, 1 << 28);
    // v1 knows no version; 1 names it.
    let v1 = DictBuilder::new().bytes("name", "x").int("piece length", 425).int("length", 425);
    let v1 = v1.bytes("pieces", [7; 20]).int("meta version", 1).int("file tree", 1);
    assert_eq!(read(v1).version(), Version::V1);
}

#[test]
fn what_names_a_version_is_strict_bencode() {
    let good = info(tree(&[("temp", 425, 1)])).finish();
    let around = |info: &[u8]| [b"d4:info", info, b"e"].concat();
    assert!(Torrent::parse(&around(&good)).is_ok());
    for extra in [&b"4:name1:xe"[..], b"1:zd1:bi1e1:ai1eee"] {
        let bad = [&good[..good.len() - 1], extra].concat();
        assert_eq!(Torrent::parse(&around(&bad)), Err(Error::KeyOrder));
    }
}

#[test]
fn hashes_of_v1_without_its_files_must_at_least_be_as_many() {
    let v2 = || info(tree(&[("temp", 425, 1)]));
    let torrent = read(v2().bytes("pieces", [7; 20]));
    assert_eq!((torrent.version(), torrent.pieces.len()), (Version::V2, 0));
    assert_eq!(code(v2().bytes("pieces", [7; 21])), "bad-pieces");
}

#[test]
fn a_hybrid_of_one_file_has_both_hashes() {
    let both = info(tree(&[("temp", 425, 1)])).int("length", 425).bytes("pieces", [7; 20]);
    let torrent = read(both.clone());
    let bytes = both.clone().finish();
    assert_eq!(torrent.version(), Version::Hybrid);
    assert_eq!((torrent.info_hash.0, torrent.info_hash_v2), (sha1(&bytes), Some(sha256(&bytes))));
    assert_eq!((torrent.folder, torrent.files[0].root), (false, Some(root(1))));
    let magnet = torrent.magnet();
    assert_eq!(crate::Magnet::parse(&magnet.to_string()), Ok(magnet.clone()));
    assert!(magnet.to_string().contains("urn:btih:") && magnet.info_hash_v2.is_some());
    assert_eq!(code(both.clone().int("length", 426)), "bad-hybrid");
    assert_eq!(code(both.clone().bytes("name", "other")), "bad-hybrid");
    assert_eq!(code(both.bytes("pieces", "")), "bad-pieces");
    let no_hashes = info(tree(&[("temp", 425, 1)])).int("length", 425);
    assert_eq!(code(no_hashes), "bad-pieces");
}

#[test]
fn both_halves_of_a_hybrid_describe_the_same_bytes() {
    let tree = || tree(&[("a", 5, 1), ("b", 6, 2)]);
    let gap = PIECE - 5;
    let good = [entry(5, "a"), pad(gap), entry(6, "b")];
    let torrent = read(hybrid(tree(), &good, 2));
    let roots: Vec<_> = torrent.files.iter().map(|file| file.root).collect();
    assert_eq!(roots, [Some(root(1)), None, Some(root(2))]);
    assert_eq!((torrent.length.0, torrent.piece_len(PieceIndex(0))), (16390, 16384));
    // Padding behind the last file may be there or not.
    let padded = [entry(5, "a"), pad(gap), entry(6, "b"), pad(PIECE - 6)];
    assert_eq!(read(hybrid(tree(), &padded, 2)).length.0, 32768);
    for (bad, pieces) in [
        (vec![entry(5, "a"), entry(6, "b")], 1),
        (vec![entry(6, "b"), pad(PIECE - 6), entry(5, "a")], 2),
        (vec![entry(5, "a"), pad(gap), entry(6, "B")], 2),
        (vec![entry(5, "a"), pad(gap), entry(7, "b")], 2),
        (vec![entry(5, "a"), pad(gap + 1), entry(6, "b")], 2),
        (vec![entry(5, "a"), entry(gap, "x"), entry(6, "b")], 2),
        (vec![entry(5, "a"), pad(gap), entry(6, "b"), pad(9)], 2),
        (vec![entry(5, "a"), pad(gap), entry(6, "b"), pad(PIECE)], 2),
        (vec![entry(5, "a"), pad(gap), entry(6, "b"), entry(0, "c"), entry(0, "d")], 2),
    ] {
        assert_eq!(code(hybrid(tree(), &bad, pieces)), "bad-hybrid", "{bad:?}");
    }
    let one = DictBuilder::new().dict("a", file(leaf(5, 1)));
    assert!(read(hybrid(one.clone(), &[entry(5, "a")], 1)).folder);
    assert_eq!(code(info(one).int("length", 5).bytes("pieces", [7; 20])), "bad-hybrid");
}

#[test]
fn empty_files_of_a_hybrid_may_be_listed_differently() {
    let empty = file(DictBuilder::new().int("length", 0));
    let tree = tree(&[("a", 5, 1), ("c", 6, 2)]).dict("b", empty);
    let list = [entry(5, "a"), pad(PIECE - 5), pad(0), entry(6, "c")];
    assert_eq!(read(hybrid(tree, &list, 2)).files.len(), 4);
}

/// A v2 torrent of two files, and its piece layers.
fn layered() -> (DictBuilder, Vec<(Digest256, Vec<u8>)>) {
    let layer: Vec<_> = (0..3_u8).map(|n| sha256(&[n])).collect();
    let top = merkle::root(&layer, 0, 2);
    let files = DictBuilder::new()
        .dict("a", file(leaf(PIECE * 2 + 1, 0).bytes("pieces root", top)))
        .dict("b", file(leaf(PIECE, 9)));
    (info(files), vec![(top, layer.as_flattened().to_vec())])
}

fn with_layers(layers: &[(Digest256, Vec<u8>)]) -> Result<Torrent, Error> {
    let layers =
        layers.iter().fold(DictBuilder::new(), |dict, (root, layer)| dict.bytes(root, layer));
    Torrent::parse(
        &DictBuilder::new().dict("info", layered().0).dict("piece layers", layers).finish(),
    )
}

#[test]
fn piece_layers_are_checked_against_their_roots() {
    let (_, good) = layered();
    let torrent = with_layers(&good).unwrap();
    assert_eq!(torrent.layers.iter().count(), 1);
    assert_eq!(torrent.piece_node(PieceIndex(2)), Some(sha256(&[2])));
    assert_eq!(torrent.piece_node(PieceIndex(3)), Some(root(9)));
    assert_eq!(torrent.piece_node(PieceIndex(4)), None);
    assert_eq!(Torrent::parse(&torrent.to_bytes()), Ok(torrent));
    // Lacking layers make a torrent as good as a magnet link.
    assert_eq!(with_layers(&[]).map(|torrent| torrent.layerless_files().count()), Ok(1));
    let (top, layer) = good[0].clone();
    let spoiled = [&[1], &layer[1..]].concat();
    for bad in [
        spoiled,
        layer[..64].to_vec(),
        layer[..95].to_vec(),
        [&layer[..], &[0; 32]].concat(),
        vec![],
    ] {
        let refused = with_layers(&[(top, bad)]).map(|_| ());
        assert_eq!(refused, Err(Error::PieceLayer { layer: 0 }));
    }
    let stranger = with_layers(&[(root(9), layer.clone())]).map(|_| ());
    assert_eq!(refused_code(stranger), "bad-piece-layer");
    let odd = DictBuilder::new().bytes([1; 31], "");
    let bytes = DictBuilder::new().dict("info", layered().0).dict("piece layers", odd).finish();
    assert_eq!(refused_code(Torrent::parse(&bytes).map(|_| ())), "bad-piece-layer");
}

fn refused_code(result: Result<(), Error>) -> &'static str {
    result.expect_err("accepted").code()
}

#[test]
fn a_layer_comes_once_and_one_root_has_one_length() {
    let (info, layers) = layered();
    let (top, layer) = &layers[0];
    let one = DictBuilder::new().bytes(top, layer).finish();
    let twice = [&one[..one.len() - 1], &one[1..]].concat();
    let bytes = DictBuilder::new().dict("info", info).raw("piece layers", twice).finish();
    assert_eq!(Torrent::parse(&bytes), Err(Error::PieceLayer { layer: 1 }));
    let lying = DictBuilder::new()
        .dict("a", file(leaf(PIECE * 2 + 1, 1)))
        .dict("b", file(leaf(PIECE * 4, 1)));
    let layers = DictBuilder::new();
    let bytes = DictBuilder::new().dict("info", self::info(lying)).dict("piece layers", layers);
    assert_eq!(refused_code(Torrent::parse(&bytes.finish()).map(|_| ())), "bad-piece-layer");
}

#[test]
fn paths_of_a_tree_are_no_longer_than_what_describes_them() {
    // Folder names come once in a tree, so few bytes could stand for many long paths.
    let files: Vec<_> = (0..200).map(|n| (format!("{n:03}"), 1, 1)).collect();
    let files: Vec<_> =
        files.iter().map(|(name, length, byte)| (name.as_str(), *length, *byte)).collect();
    let deep = |name: &str, depth| {
        (0..depth).fold(tree(&files), |tree, _| DictBuilder::new().dict(name, tree))
    };
    assert_eq!(parse(info(deep("a folder of a sane name", 20))).map(|_| ()), Ok(()));
    assert_eq!(code(info(deep(&"x".repeat(200), 20))), "bad-path");
}
