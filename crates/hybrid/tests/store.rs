//! What a store promises: nothing wrong is ever called right, nothing recorded is lost to a crash.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::{env, fs};

use headwater_base::{Bitfield, ByteCount, PieceIndex, Seed, sha1};
use headwater_engine::StoreError;
use headwater_hybrid::make::Content;
use headwater_hybrid::store::{PieceToWrite, Store, is_complete, save_torrent, saved_torrent};
use headwater_metainfo::create::{Draft, Options};
use headwater_metainfo::{Torrent, Version};

const PIECE: u32 = 16 * 1024;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("headwater-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A folder of three files, one empty, that pieces straddle.
fn sample() -> (Arc<Torrent>, Vec<u8>) {
    let sizes = [("a.bin", 100_000), ("b/empty", 0), ("b/c.bin", 400_000)];
    let mut bytes = vec![0; 500_000];
    Seed([3; 32]).split("sample").fill(&mut bytes);
    let files = sizes.iter().map(|(path, size)| ((*path).to_owned(), ByteCount(*size))).collect();
    let options = Options { piece_length: Some(PIECE), ..Options::default() };
    let mut draft = Draft::folder("film", files, options).expect("sane names");
    draft.feed(&bytes).expect("as many bytes as said");
    (Arc::new(draft.finish().expect("all fed")), bytes)
}

fn piece<'a>(torrent: &Torrent, bytes: &'a [u8], piece: PieceIndex) -> PieceToWrite<'a> {
    let start = piece.idx() * PIECE as usize;
    PieceToWrite { piece, data: &bytes[start..start + torrent.piece_len(piece) as usize] }
}

fn write(store: &Store, torrent: &Torrent, bytes: &[u8], pieces: impl Iterator<Item = u32>) {
    for index in pieces {
        store.write_pieces(&[piece(torrent, bytes, PieceIndex(index))]).expect("room for it");
    }
}

fn open(root: &Path, torrent: &Arc<Torrent>) -> (Store, Bitfield, Bitfield) {
    let (store, stored) = Store::open(root, Arc::clone(torrent), None).expect("it opens");
    (store, stored.have, stored.doubtful)
}

#[test]
fn what_was_made_of_a_folder_is_found_again_by_version() {
    let folder = Folder::new("found");
    fs::create_dir_all(folder.0.join("film/b")).expect("a folder");
    for (path, bytes) in [("a.bin", vec![1; 100_000]), ("b/c", vec![2; 9]), ("b.txt", vec![3])] {
        fs::write(folder.0.join("film").join(path), bytes).expect("a file");
    }
    let content = || Content::at(&folder.0.join("film")).expect("it is there");
    let found = |version| content().made_before(version).map(|torrent| torrent.version());
    assert_eq!(found(None), None);
    for version in [Version::Hybrid, Version::V2] {
        let made = content().hash(Options { version, ..Options::default() }, |_| {});
        let made = Arc::new(made.expect("it is made"));
        let full = Bitfield::full(made.piece_count());
        save_torrent(&folder.0, &made).expect("room for it");
        drop(Store::open(&folder.0, Arc::clone(&made), Some(&full)).expect("it opens"));
        assert_eq!(found(Some(version)), Some(version));
        assert_eq!(found(Some(Version::V1)), None);
        assert!(found(None).is_some(), "any will do where none is asked for");
    }
    fs::write(folder.0.join("film/b/c"), [4; 9]).expect("a change");
    assert_eq!((found(None), found(Some(Version::V2))), (None, None));
}

#[test]
fn folder_of_one_file_is_shared_in_every_version() {
    let folder = Folder::new("only");
    let film = folder.0.join("film");
    fs::create_dir_all(&film).expect("a folder");
    fs::write(film.join("a.bin"), vec![1; 100_000]).expect("a file");
    for version in [Version::V1, Version::V2, Version::Hybrid] {
        let content = Content::at(&film).expect("it is there").for_version(version);
        let made = content.hash(Options { version, ..Options::default() }, |_| {});
        let made = Arc::new(made.expect("it is made"));
        assert_eq!((&content.name, content.folder), (&made.name, made.folder));
        let full = Bitfield::full(made.piece_count());
        let opened = Store::open(&content.root, Arc::clone(&made), Some(&full));
        assert_eq!(opened.expect("it opens").1.have.count(), made.piece_count(), "{version:?}");
    }
}

#[test]
fn written_pieces_read_back_and_are_known_after_reopening() {
    let folder = Folder::new("reopen");
    let (torrent, bytes) = sample();
    let (store, have, doubtful) = open(&folder.0, &torrent);
    assert_eq!((have.count(), doubtful.count()), (0, 0));
    write(&store, &torrent, &bytes, (0..torrent.piece_count()).step_by(2));
    let block = store.read_block(PieceIndex(6), 100, 5000).expect("it is stored");
    let at = 6 * PIECE as usize + 100;
    assert_eq!(block, bytes[at..at + 5000], "piece 6 straddles two files");
    drop(store);
    let (store, have, doubtful) = open(&folder.0, &torrent);
    assert_eq!(have.count(), torrent.piece_count().div_ceil(2));
    assert_eq!(doubtful.count(), 0);
    write(&store, &torrent, &bytes, (1..torrent.piece_count()).step_by(2));
    assert!(is_complete(&folder.0, &torrent));
    assert_eq!(fs::read(folder.0.join("film/a.bin")).expect("a file"), bytes[..100_000]);
    assert_eq!(fs::read(folder.0.join("film/b/c.bin")).expect("a file"), bytes[100_000..]);
    assert_eq!(fs::metadata(folder.0.join("film/b/empty")).expect("a file").len(), 0);
}

#[test]
fn a_file_somebody_touched_is_doubted_until_hashed() {
    let folder = Folder::new("touched");
    let (torrent, bytes) = sample();
    let (store, ..) = open(&folder.0, &torrent);
    write(&store, &torrent, &bytes, 0..torrent.piece_count());
    drop(store);
    let path = folder.0.join("film/a.bin");
    let mut content = fs::read(&path).expect("a file");
    content[20_000] ^= 1;
    fs::write(&path, content).expect("a write");
    let (store, have, doubtful) = open(&folder.0, &torrent);
    assert_eq!(doubtful.ones().map(|p| p.0).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(have.count() + doubtful.count(), torrent.piece_count());
    for index in doubtful.ones() {
        let digest = store.hash_piece(index).expect("it is there");
        assert_eq!(digest == torrent.pieces[index.idx()], index.0 != 1);
    }
    drop(store);
    let (_store, have, doubtful) = open(&folder.0, &torrent);
    assert_eq!((have.count(), doubtful.count()), (torrent.piece_count() - 1, 0));
    assert!(!have.has(PieceIndex(1)));
}

#[test]
fn a_check_that_was_cut_short_goes_on_where_it_stopped() {
    let folder = Folder::new("cutshort");
    let (torrent, bytes) = sample();
    fs::create_dir_all(folder.0.join("film/b")).expect("a folder");
    fs::write(folder.0.join("film/a.bin"), &bytes[..100_000]).expect("a write");
    fs::write(folder.0.join("film/b/c.bin"), &bytes[100_000..300_000]).expect("a write");
    let (store, have, doubtful) = open(&folder.0, &torrent);
    assert_eq!((have.count(), doubtful.count()), (0, 300_000 / PIECE), "what is there whole");
    store.hash_piece(PieceIndex(0)).expect("it is there");
    drop(store);
    let (_store, have, doubtful) = open(&folder.0, &torrent);
    assert_eq!((have.count(), doubtful.count()), (1, 300_000 / PIECE - 1));
}

#[test]
fn a_second_program_is_kept_out() {
    let folder = Folder::new("busy");
    let (torrent, _) = sample();
    let (_store, ..) = open(&folder.0, &torrent);
    let second = Store::open(&folder.0, Arc::clone(&torrent), None).map(|_| ());
    assert!(matches!(second, Err(StoreError::Busy(_))), "{second:?}");
}

#[cfg(unix)]
#[test]
fn no_link_leads_out_of_the_folder() {
    let (folder, outside) = (Folder::new("links"), Folder::new("outside"));
    let (torrent, bytes) = sample();
    std::os::unix::fs::symlink(&outside.0, folder.0.join("film")).expect("a link");
    let (store, ..) = open(&folder.0, &torrent);
    let refused = store.write_pieces(&[piece(&torrent, &bytes, PieceIndex(0))]);
    assert!(matches!(refused, Err(StoreError::Io(_))), "{refused:?}");
    assert_eq!(fs::read_dir(&outside.0).expect("a folder").count(), 0);
}

#[test]
fn deleting_leaves_neither_files_nor_folders() {
    let folder = Folder::new("delete");
    let (torrent, bytes) = sample();
    let (store, ..) = open(&folder.0, &torrent);
    write(&store, &torrent, &bytes, 0..torrent.piece_count());
    save_torrent(&folder.0, &torrent).expect("a write");
    assert_eq!(saved_torrent(&folder.0, torrent.info_hash).as_ref(), Some(&*torrent));
    store.delete().expect("it goes");
    assert!(!folder.0.join("film").exists());
    assert_eq!(saved_torrent(&folder.0, torrent.info_hash), None);
}

/// Cuts the record at every byte: what is still called right must be right.
#[test]
fn a_record_cut_anywhere_never_vouches_for_a_wrong_piece() {
    let folder = Folder::new("cut");
    let (torrent, bytes) = sample();
    let (store, ..) = open(&folder.0, &torrent);
    write(&store, &torrent, &bytes, 0..8);
    drop(store);
    let record = folder.0.join(format!(".headwater/{}.have", torrent.info_hash));
    let whole = fs::read(&record).expect("a record");
    for cut in 0..whole.len() {
        fs::write(&record, &whole[..cut]).expect("a write");
        let (store, have, doubtful) = open(&folder.0, &torrent);
        for index in have.ones() {
            let data = store.read_block(index, 0, torrent.piece_len(index)).expect("stored");
            assert_eq!(sha1(&data), torrent.pieces[index.idx()], "cut at {cut}");
        }
        assert!(have.count() + doubtful.count() <= 8, "cut at {cut}");
    }
}

/// The child of the test below: writes pieces, saying each once it is written, until it is killed.
#[test]
fn child_that_is_killed() {
    let Ok(root) = env::var("HEADWATER_STORE_CHILD") else { return };
    let (torrent, bytes) = sample();
    let (store, have, doubtful) = open(Path::new(&root), &torrent);
    for index in doubtful.ones() {
        store.hash_piece(index).expect("it is there");
    }
    for index in (0..torrent.piece_count()).filter(|index| !have.has(PieceIndex(*index))) {
        write(&store, &torrent, &bytes, [index].into_iter());
        eprintln!("wrote {index}");
    }
}

#[test]
fn killed_at_any_moment_it_keeps_what_it_said_it_wrote() {
    let folder = Folder::new("killed");
    let (torrent, _) = sample();
    for round in 0..12 {
        let mut child = Command::new(env::current_exe().expect("this test"))
            .args(["--exact", "child_that_is_killed", "--nocapture"])
            .env("HEADWATER_STORE_CHILD", &folder.0)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a child");
        let lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let said = |line: String| line.strip_prefix("wrote ")?.parse().ok().map(PieceIndex);
        let wrote: Vec<_> =
            lines.map_while(Result::ok).filter_map(said).take(1 + round % 4).collect();
        child.kill().expect("it lives or is done");
        child.wait().expect("it is gone");
        let (store, have, doubtful) = open(&folder.0, &torrent);
        let right = |index: PieceIndex| {
            store.hash_piece(index).is_ok_and(|digest| digest == torrent.pieces[index.idx()])
        };
        assert!(have.ones().all(right), "round {round}: a wrong piece is vouched for");
        let kept = |p: &PieceIndex| have.has(*p) || (doubtful.has(*p) && right(*p));
        assert!(wrote.iter().all(kept), "round {round}: lost one of {wrote:?}");
    }
}

#[test]
fn record_of_a_newer_version_is_refused_and_left_as_it_is() {
    let folder = Folder::new("newer");
    let (torrent, bytes) = sample();
    let (store, ..) = open(&folder.0, &torrent);
    write(&store, &torrent, &bytes, 0..8);
    drop(store);
    let record = folder.0.join(format!(".headwater/{}.have", torrent.info_hash));
    let mut newer = fs::read(&record).expect("a record");
    newer[15] = b'2';
    fs::write(&record, &newer).expect("a write");
    let refused = Store::open(&folder.0, Arc::clone(&torrent), None).map(|_| ());
    assert!(matches!(refused, Err(StoreError::Newer(_))), "{refused:?}");
    assert!(!is_complete(&folder.0, &torrent));
    assert_eq!(fs::read(&record).expect("a record"), newer);
}
