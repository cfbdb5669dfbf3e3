//! What a store promises: nothing wrong is ever called right, nothing recorded is lost to a crash.

mod crash;
mod finish;
mod sizes;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, fs};

use headwater_base::{Bitfield, ByteCount, PieceIndex, Seed, sha1};
use headwater_engine::StoreError;
use headwater_hybrid::store::{
    Opening, PieceToWrite, Preallocate, Store, is_complete, save_torrent, saved_torrent,
};
use headwater_metainfo::Torrent;
use headwater_metainfo::create::{Draft, Options};

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
    folder_of(&[("a.bin", 100_000), ("b/empty", 0), ("b/c.bin", 400_000)])
}

/// A folder of files, and all their bytes.
fn folder_of<S: AsRef<str>>(sizes: &[(S, u64)]) -> (Arc<Torrent>, Vec<u8>) {
    let mut bytes = vec![0; sizes.iter().map(|(_, size)| *size as usize).sum()];
    Seed([3; 32]).split("sample").fill(&mut bytes);
    let sizes = sizes.iter().map(|(path, size)| (path.as_ref().to_owned(), ByteCount(*size)));
    let files = sizes.collect();
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

/// Pieces that can be read and are right.
fn right(store: &Store, torrent: &Torrent, pieces: &Bitfield) -> u32 {
    let is_right = |index: &PieceIndex| {
        let data = store.read_block(*index, 0, torrent.piece_len(*index));
        data.is_ok_and(|data| sha1(&data) == torrent.pieces[index.idx()])
    };
    pieces.ones().filter(is_right).count() as u32
}

fn open(root: &Path, torrent: &Arc<Torrent>) -> (Store, Bitfield, Bitfield) {
    let (store, stored) =
        Store::open(root, Arc::clone(torrent), &Opening::default()).expect("it opens");
    (store, stored.have, stored.doubtful)
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
    let second = Store::open(&folder.0, Arc::clone(&torrent), &Opening::default()).map(|_| ());
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
    let refused = Store::open(&folder.0, Arc::clone(&torrent), &Opening::default()).map(|_| ());
    assert!(matches!(refused, Err(StoreError::Newer(_))), "{refused:?}");
    assert!(!is_complete(&folder.0, &torrent));
    assert_eq!(fs::read(&record).expect("a record"), newer);
}

#[test]
fn a_file_replaced_while_it_is_open_is_written_and_what_was_known_of_it_is_doubted() {
    let folder = Folder::new("replaced");
    let (torrent, bytes) = sample();
    let (store, ..) = open(&folder.0, &torrent);
    write(&store, &torrent, &bytes, 0..4);
    let (path, other) = (folder.0.join("film/a.bin"), folder.0.join("other"));
    fs::write(&other, vec![7; 100_000]).expect("a write");
    fs::rename(&other, &path).expect("it takes its place");
    write(&store, &torrent, &bytes, 4..5);
    let at = 4 * PIECE as usize..5 * PIECE as usize;
    assert_eq!(fs::read(&path).expect("a file")[at.clone()], bytes[at], "not where it lay before");
    drop(store);
    let (_store, have, doubtful) = open(&folder.0, &torrent);
    assert_eq!(have.ones().map(|p| p.0).collect::<Vec<_>>(), [4]);
    assert_eq!(doubtful.ones().map(|p| p.0).collect::<Vec<_>>(), [0, 1, 2, 3]);
}

#[test]
fn what_is_gone_is_wrong_and_no_failure() {
    let folder = Folder::new("gone");
    let (torrent, bytes) = sample();
    let (store, ..) = open(&folder.0, &torrent);
    write(&store, &torrent, &bytes, 0..torrent.piece_count());
    fs::File::options()
        .write(true)
        .open(folder.0.join("film/a.bin"))
        .expect("it")
        .set_len(9)
        .expect("cut");
    assert_ne!(store.hash_piece(PieceIndex(1)).expect("no failure"), torrent.pieces[1]);
    drop(store);
    fs::remove_file(folder.0.join("film/a.bin")).expect("it goes");
    let (store, have, doubtful) = open(&folder.0, &torrent);
    assert_ne!(store.hash_piece(PieceIndex(0)).expect("no failure"), torrent.pieces[0]);
    assert_eq!((have.count(), doubtful.count()), (torrent.piece_count() - 7, 0));
}

#[test]
fn verifying_doubts_all_that_is_there_and_tells_what_was_vouched_for() {
    let folder = Folder::new("verify");
    let (torrent, bytes) = sample();
    let (store, ..) = open(&folder.0, &torrent);
    write(&store, &torrent, &bytes, 0..8);
    drop(store);
    // Spoiled behind the record's back, and a piece put there by hand.
    let path = folder.0.join("film/a.bin");
    let changed = fs::metadata(&path).expect("a file").modified().expect("a time");
    let mut content = fs::read(&path).expect("a file");
    content[20_000] ^= 1;
    fs::write(&path, content).expect("a write");
    let file = fs::File::options().write(true).open(&path).expect("a file");
    file.set_modified(changed).expect("a time");
    let (_, have, doubtful) = open(&folder.0, &torrent);
    assert_eq!((have.count(), doubtful.count()), (8, 0), "size and time are as they were");
    let rest = folder.0.join("film/b/c.bin");
    fs::write(&rest, &bytes[100_000..]).expect("a write");
    let verify = Opening { verify: true, ..Opening::default() };
    let (store, stored) = Store::open(&folder.0, Arc::clone(&torrent), &verify).expect("it opens");
    assert_eq!(stored.have.count(), 8, "what the record vouched for");
    assert_eq!(stored.doubtful.count(), torrent.piece_count() - 8, "what else is there");
    store.hash_piece(PieceIndex(1)).expect("it is there");
    store.hash_piece(PieceIndex(2)).expect("it is there");
    drop(store);
    let (_store, have, doubtful) = open(&folder.0, &torrent);
    assert_eq!(have.ones().map(|p| p.0).collect::<Vec<_>>(), [2], "only what was hashed counts");
    assert_eq!(doubtful.count(), torrent.piece_count() - 2, "a look cut short goes on");
}

#[cfg(unix)]
#[test]
fn files_take_the_room_that_was_chosen_for_them() {
    use std::os::unix::fs::MetadataExt;
    let (torrent, bytes) = folder_of(&[("a.bin", 4_000_000)]);
    let sizes = |preallocate| {
        let folder = Folder::new(&format!("room-{preallocate:?}"));
        let opening = Opening { preallocate, ..Opening::default() };
        let open = || Store::open(&folder.0, Arc::clone(&torrent), &opening).expect("it opens");
        let (store, _) = open();
        write(&store, &torrent, &bytes, 1..2);
        drop(store);
        let found = fs::metadata(folder.0.join("film/a.bin")).expect("a file");
        let (store, stored) = open();
        assert_eq!((stored.have.count(), stored.doubtful.count()), (1, 0), "{preallocate:?}");
        assert_eq!(right(&store, &torrent, &stored.have), 1, "{preallocate:?}");
        (found.len(), found.blocks() * 512 >= 4_000_000)
    };
    assert_eq!(sizes(Preallocate::None), (2 * u64::from(PIECE), false));
    assert_eq!(sizes(Preallocate::Sparse), (4_000_000, false));
    assert_eq!(sizes(Preallocate::Full), (4_000_000, true));
}

/// Passes so many microseconds, to be at another instant of what a child does.
#[expect(clippy::disallowed_methods, reason = "a child is killed in real time")]
fn spin(micros: u32) {
    let start = std::time::Instant::now();
    while start.elapsed().as_micros() < u128::from(micros) {
        std::hint::spin_loop();
    }
}
