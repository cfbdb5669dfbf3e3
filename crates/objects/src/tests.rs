//! Content in a store that fails, lies and changes, and in a folder.

mod faulty;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use headwater_base::{Digest1, PieceIndex, sha1};
use headwater_metainfo::create::Options;
use headwater_metainfo::{Torrent, Version};
use object_store::path::Path;
use tokio::time::{Instant, advance, timeout};
use url::Url;

use crate::{Content, Kept, Location, Source, Trouble, limit};
use faulty::{Fault, Faulty};

const PIECE: u32 = 65536;

/// Bytes that differ from place to place.
fn bytes(seed: u8, len: usize) -> Vec<u8> {
    (0..len).map(|at| (at as u32).wrapping_mul(2_654_435_761).to_le_bytes()[3] ^ seed).collect()
}

fn location(store: &Arc<Faulty>, url: &str) -> Location {
    let url = Url::parse(url).expect("a URL");
    let path = Path::from_url_path(url.path()).expect("a path");
    Location::new(url, path, store.clone()).expect("a location")
}

/// A folder of two files and an empty one.
async fn films() -> Arc<Faulty> {
    let store = Arc::new(Faulty::default());
    store.put("films/a.bin", bytes(1, 200_000)).await;
    store.put("films/sub/b c%.bin", bytes(2, 100_001)).await;
    store.put("films/empty", Vec::new()).await;
    store
}

async fn hashed(location: &Location, version: Version) -> (Content, Arc<Torrent>, Arc<Source>) {
    let content = Content::look(location.clone()).await.expect("content");
    let options = Options { version, piece_length: Some(PIECE), ..Options::default() };
    let (torrent, objects) = content.hash(options, |_| {}).await.expect("a torrent");
    let torrent = Arc::new(torrent);
    let kept = Kept::hashed(None, &content, &torrent, objects);
    let source = Arc::new(Source::new(location.clone(), Arc::clone(&torrent), kept));
    (content, torrent, source)
}

/// All of a torrent as it is read by blocks.
async fn read_all(source: &Source, torrent: &Torrent) -> Vec<u8> {
    let mut out = Vec::new();
    for piece in (0..torrent.piece_count()).map(PieceIndex) {
        let len = torrent.piece_len(piece);
        for begin in (0..len).step_by(16384) {
            let read = source.read(piece, begin, (len - begin).min(16384)).await;
            out.extend_from_slice(&read.expect("a block"));
        }
    }
    out
}

#[tokio::test]
async fn what_is_read_is_what_was_hashed_in_every_version() {
    for version in [Version::V1, Version::V2, Version::Hybrid] {
        let store = films().await;
        let (_, torrent, source) = hashed(&location(&store, "s3://bucket/films"), version).await;
        assert_eq!((torrent.name.as_str(), torrent.version()), ("films", version));
        let paths: Vec<_> =
            torrent.files.iter().filter(|file| !file.pad).map(|file| file.path.as_str()).collect();
        assert!(paths.contains(&"a.bin") && paths.contains(&"sub/b c%.bin"), "{paths:?}");
        for piece in (0..torrent.piece_count()).map(PieceIndex) {
            if version != Version::V2 {
                assert_eq!(source.hash_piece(piece).await, torrent.pieces[piece.idx()]);
            }
            let leaves = source.hash_leaves(piece).await;
            assert!(!leaves.is_empty(), "piece {piece} of {version:?}");
        }
        assert!(source.known().0.is_full());
        if version == Version::V1 {
            let all = [bytes(1, 200_000), bytes(2, 100_001)].concat();
            assert_eq!(read_all(&source, &torrent).await, all);
        }
    }
}

#[tokio::test]
async fn blocks_come_from_few_requests() {
    let store = Arc::new(Faulty::default());
    store.put("film", bytes(3, 5 << 20)).await;
    let at = location(&store, "s3://bucket/film");
    let content = Content::look(at.clone()).await.expect("content");
    let options = Options { piece_length: Some(4 << 20), ..Options::default() };
    let (torrent, objects) = content.hash(options, |_| {}).await.expect("a torrent");
    let torrent = Arc::new(torrent);
    let kept = Kept::hashed(None, &content, &torrent, objects);
    let source = Source::new(at, Arc::clone(&torrent), kept);
    let before = store.gets();
    // Many at once wait for the same.
    let blocks = (0..64).map(|at| source.read(PieceIndex(0), at * 16384, 16384));
    for block in futures_util::future::join_all(blocks).await {
        assert_eq!(block.expect("a block").len(), 16384);
    }
    assert_eq!(store.gets() - before, 1);
    assert_eq!(read_all(&source, &torrent).await, bytes(3, 5 << 20));
    assert_eq!(store.gets() - before, 5);
    let across = source.read(PieceIndex(0), (1 << 20) - 100, 200).await.expect("two runs");
    assert_eq!(across, &bytes(3, 5 << 20)[(1 << 20) - 100..(1 << 20) + 100]);
    let past = source.read(PieceIndex(1), 1 << 20, 1).await;
    assert!(matches!(past, Err(Trouble::Mismatch(_))), "{past:?}");
}

#[tokio::test(start_paused = true)]
async fn store_out_of_reach_fails_reads_in_time_and_checks_wait_for_it() {
    let store = films().await;
    let (_, torrent, source) = hashed(&location(&store, "s3://bucket/films"), Version::V1).await;
    store.fail(Fault::Refused);
    let read = source.read(PieceIndex(0), 0, 16384).await;
    assert!(matches!(read, Err(Trouble::Unreachable { .. })), "{read:?}");
    store.fail(Fault::Silent);
    let from = Instant::now();
    let read = source.read(PieceIndex(0), 0, 16384).await;
    assert!(matches!(read, Err(Trouble::Unreachable { .. })), "{read:?}");
    assert!(from.elapsed() <= limit::READ_TIME_MAX + Duration::from_secs(1));
    store.fail(Fault::Refused);
    let waiting = tokio::spawn({
        let source = Arc::clone(&source);
        async move { source.hash_piece(PieceIndex(1)).await }
    });
    assert!(
        timeout(Duration::from_secs(3600), async {
            while !waiting.is_finished() {
                advance(Duration::from_secs(1)).await;
            }
        })
        .await
        .is_err()
    );
    store.fail(Fault::None);
    let digest: Digest1 = waiting.await.expect("it waited");
    assert_eq!(digest, torrent.pieces[1]);
    assert_eq!(source.read(PieceIndex(0), 0, 16384).await.expect("healed"), bytes(1, 16384));
}

#[tokio::test(start_paused = true)]
async fn answers_that_lie_about_length_or_range_are_no_content() {
    for fault in [Fault::Short, Fault::Long, Fault::OtherRange] {
        let store = films().await;
        let (_, _, source) = hashed(&location(&store, "s3://bucket/films"), Version::V1).await;
        store.fail(fault);
        let read = source.read(PieceIndex(0), 0, 16384).await;
        assert!(matches!(read, Err(Trouble::Unreachable { .. })), "{fault:?}: {read:?}");
        store.fail(Fault::None);
        assert_eq!(source.read(PieceIndex(0), 0, 16384).await.expect("healed"), bytes(1, 16384));
    }
}

#[tokio::test]
async fn object_that_was_replaced_is_gone_whatever_its_size() {
    for (len, seed) in [(200_000, 9), (100, 1), (300_000, 1), (0, 1)] {
        let store = films().await;
        let (_, torrent, source) =
            hashed(&location(&store, "s3://bucket/films"), Version::V1).await;
        store.put("films/a.bin", bytes(seed, len)).await;
        let read = source.read(PieceIndex(0), 0, 16384).await;
        assert!(matches!(read, Err(Trouble::Gone(_))), "{len}: {read:?}");
        assert_eq!(source.hash_piece(PieceIndex(0)).await, [0; 20]);
        assert!(source.hash_leaves(PieceIndex(1)).await.is_empty());
        let last = PieceIndex(torrent.piece_count() - 1);
        assert_eq!(source.hash_piece(last).await, torrent.pieces[last.idx()]);
        assert!(!source.known().0.has(PieceIndex(0)) && source.known().0.has(last));
    }
    let store = films().await;
    let (_, _, source) = hashed(&location(&store, "s3://bucket/films"), Version::V1).await;
    store.delete("films/a.bin").await;
    let read = source.read(PieceIndex(0), 0, 16384).await;
    assert!(matches!(read, Err(Trouble::Gone(_))), "{read:?}");
}

#[tokio::test]
async fn folders_are_what_lies_below_a_key_without_markers_and_records() {
    let store = films().await;
    store.put("films/sub", Vec::new()).await;
    store.put("films/sub.txt", b"beside".to_vec()).await;
    store.put("films/.headwater/x.have", b"ours".to_vec()).await;
    store.put("filmsandmore", b"else".to_vec()).await;
    let content = Content::look(location(&store, "s3://bucket/films/")).await.expect("content");
    let paths: Vec<_> = content.objects().iter().map(|object| object.path.as_str()).collect();
    assert_eq!(paths, ["a.bin", "empty", "sub.txt", "sub/b c%.bin"]);
    let all = Content::look(location(&store, "s3://bucket")).await.expect("content");
    assert_eq!((all.name(), all.objects().len()), ("bucket", 5));
    let none = Content::look(location(&store, "s3://bucket/film")).await;
    assert_eq!(none.err(), Some(Trouble::Nothing("s3://bucket/film".to_owned())));
}

#[tokio::test]
async fn keys_that_no_torrent_can_name_are_refused() {
    for key in [format!("films/{}", "x".repeat(300)), format!("films/{}y", "x/".repeat(95))] {
        let store = films().await;
        store.put(&key, b"x".to_vec()).await;
        let content = Content::look(location(&store, "s3://bucket/films")).await.expect("content");
        let made = content.hash(Options::default(), |_| {}).await;
        assert!(matches!(made, Err(Trouble::Draft(_))), "{key:?}: {made:?}");
    }
}

#[tokio::test]
async fn content_that_changes_while_it_is_hashed_makes_no_torrent() {
    let store = films().await;
    let content = Content::look(location(&store, "s3://bucket/films")).await.expect("content");
    store.put("films/a.bin", bytes(9, 200_000)).await;
    let made = content.hash(Options::default(), |_| {}).await;
    assert!(matches!(made, Err(Trouble::Gone(_))), "{made:?}");
}

#[tokio::test]
async fn given_torrent_fits_by_names_and_sizes_or_says_what_differs() {
    let store = films().await;
    let (content, torrent, _) =
        hashed(&location(&store, "s3://bucket/films"), Version::Hybrid).await;
    assert_eq!(content.fit(&torrent).expect("it fits").len(), 3);
    store.put("films/a.bin", bytes(1, 7)).await;
    let content = Content::look(location(&store, "s3://bucket/films")).await.expect("content");
    let why = content.fit(&torrent).expect_err("another size").to_string();
    assert!(why.contains("\"a.bin\" has 7 bytes, in the torrent 200000"), "{why}");
    store.delete("films/a.bin").await;
    let content = Content::look(location(&store, "s3://bucket/films")).await.expect("content");
    let why = content.fit(&torrent).expect_err("it lacks").to_string();
    assert!(why.contains("\"a.bin\" of the torrent is not there"), "{why}");
}

/// A folder of its own that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("headwater-objects-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn what_was_hashed_once_is_found_again_until_an_object_changes() {
    let (store, folder) = (films().await, Folder::new("kept"));
    let at = location(&store, "s3://bucket/films");
    let content = Content::look(at.clone()).await.expect("content");
    let options = Options { piece_length: Some(PIECE), ..Options::default() };
    let (torrent, objects) = content.hash(options, |_| {}).await.expect("a torrent");
    Kept::hashed(Some(&folder.0), &content, &torrent, objects).save_all(&torrent).expect("kept");
    let gets = store.gets();
    let again = Content::look(at.clone()).await.expect("content");
    let (found, kept) = Kept::find(&folder.0, &again, None).expect("found");
    assert_eq!(found.info_hash, torrent.info_hash);
    assert!(kept.have().is_full());
    assert_eq!(store.gets(), gets, "nothing was read");
    assert!(Kept::find(&folder.0, &again, Some(Version::V2)).is_none());
    let source = Arc::new(Source::new(at.clone(), Arc::new(found), kept));
    store.put("films/sub/b c%.bin", bytes(2, 100_001)).await;
    let changed = Content::look(at.clone()).await.expect("content");
    assert!(Kept::find(&folder.0, &changed, None).is_none());
    // A torrent made elsewhere stays what it is: only what changed is doubtful.
    let objects = changed.fit(&torrent).expect("it fits");
    let kept = Kept::of(Some(&folder.0), &changed, &torrent, objects);
    assert_eq!(kept.have().ones().map(|piece| piece.0).collect::<Vec<_>>(), [0, 1, 2]);
    drop(source);
    for (end, text) in [("json", "{"), ("json", "{\"version\":9}"), ("torrent", "d")] {
        let (folder, content) = (Folder::new(&format!("spoiled-{end}-{}", text.len())), &again);
        let objects = content.fit(&torrent).expect("it fits");
        let mut kept = Kept::hashed(Some(&folder.0), content, &torrent, objects);
        kept.save_all(&torrent).expect("kept");
        assert!(Kept::find(&folder.0, content, None).is_some());
        for entry in fs::read_dir(&folder.0).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|found| found == end) {
                fs::write(path, text).expect("spoiled");
            }
        }
        assert!(Kept::find(&folder.0, content, None).is_none(), "{end} {text}");
    }
}

#[tokio::test]
async fn local_folder_is_an_object_store_too() {
    let folder = Folder::new("local");
    let films = folder.0.join("films");
    fs::create_dir_all(films.join("sub")).expect("folders");
    fs::write(films.join("a b.bin"), bytes(4, 70_000)).expect("a file");
    fs::write(films.join("sub/c.bin"), bytes(5, 10)).expect("a file");
    let url = Url::from_directory_path(&films).expect("a URL");
    let at = Location::open(url.as_str(), None).expect("a location");
    let (_, torrent, source) = hashed(&at, Version::V1).await;
    assert_eq!(torrent.name, "films");
    let all = [bytes(4, 70_000), bytes(5, 10)].concat();
    assert_eq!(read_all(&source, &torrent).await, all);
    assert_eq!(source.hash_piece(PieceIndex(0)).await, sha1(&all[..PIECE as usize]));
    fs::remove_file(films.join("sub/c.bin")).expect("removed");
    assert_eq!(source.hash_piece(PieceIndex(1)).await, [0; 20]);
}

#[test]
fn urls_are_taken_or_refused_with_what_to_do() {
    let check = |text: &str, expect: Result<&str, &str>| {
        let found = Location::open(text, None).map(|at| at.name().to_owned());
        match (found, expect) {
            (Ok(name), Ok(expect)) => assert_eq!(name, expect, "{text}"),
            (Err(Trouble::Url(why)), Err(expect)) => assert!(why.contains(expect), "{text}: {why}"),
            (found, _) => panic!("{text}: {found:?}, not {expect:?}"),
        }
    };
    check("file:///films/a%20b.mp4", Ok("a b.mp4"));
    check("file:///films/", Ok("films"));
    check("file:///", Err("names no file or folder"));
    check("file://host/films", Err("three slashes"));
    check("s3:///films", Err("bucket or container is missing"));
    check("s3://key:secret@bucket/film", Err("environment variables"));
    check("s3://bucket/film?versionId=1", Err("%3F"));
    check("https://films.example/a", Err("--web-seed"));
    check("ftp://films.example/a", Err("s3, gs, az and file are"));
    check("memory:///a", Err("s3, gs, az and file are"));
    assert!(
        Location::is_url("s3://b/k")
            && !Location::is_url("films/a://b")
            && !Location::is_url("://")
    );
}
