//! Torrent bytes in files below a folder, with a record of what was verified.
//! Every call blocks. A piece is recorded only after its bytes are flushed.

mod finish;
mod journal;
mod layout;
mod pool;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use headwater_base::{Bitfield, Digest1, Digest256, InfoHash, PieceIndex, hex, sha1};
use headwater_engine::{StoreError, Stored};
use headwater_metainfo::{Span, Torrent, Version, merkle};

pub use finish::{home, save_torrent, saved_torrent};
use journal::{Journal, Known, Stamp};
pub use layout::RECORDS;
pub use pool::OPEN_FILES_MAX;
use pool::{FILES, Key, Lent};
pub use write::PieceToWrite;

/// How long a lock may take to come free: the same program may just be closing the torrent.
const LOCK_WAIT: Duration = Duration::from_secs(2);

/// Pieces whose hashes may wait to be recorded: a crash costs these to be hashed again.
const NOTES_MAX: usize = 64;

/// Names stores for the pool.
static STORES: AtomicU64 = AtomicU64::new(0);

/// What room a file takes when it is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preallocate {
    /// It grows as pieces come.
    #[default]
    None,
    /// It has its full size at once, and takes room for what came.
    Sparse,
    /// Room for all of it is set aside.
    Full,
}

/// How a store is opened.
#[derive(Clone, Debug, Default)]
pub struct Opening {
    /// Pieces the caller hashed just now, which count at once.
    pub verified: Option<Bitfield>,
    /// Whether whatever is there is to be hashed again: what the record vouches for is had, to be
    /// hashed by who opened it, and all else that is there is doubtful.
    pub verify: bool,
    /// What room files take.
    pub preallocate: Preallocate,
}

/// One torrent's place on disk.
pub struct Store {
    id: u64,
    /// The folder it lies in, free of links.
    root: RwLock<PathBuf>,
    torrent: Arc<Torrent>,
    preallocate: Preallocate,
    books: Mutex<Books>,
    lock: Mutex<Option<File>>,
}

/// What is written down.
#[derive(Default)]
struct Books {
    /// `None` where records cannot be written: then nothing may be written at all.
    journal: Option<Journal>,
    /// Pieces that were hashed and not recorded yet, and whether they were right.
    notes: BTreeMap<PieceIndex, bool>,
}

impl Store {
    /// Opens the place of `torrent` below `root` and tells what is there.
    pub fn open(
        root: &Path,
        torrent: Arc<Torrent>,
        opening: &Opening,
    ) -> Result<(Self, Stored), StoreError> {
        layout::make_folder(root).map_err(failed)?;
        let root = root.canonicalize().map_err(failed)?;
        let records = root.join(RECORDS);
        let writable = layout::make_folder(&records).is_ok();
        let lock = if writable { Some(lock(&records, &torrent.name)?) } else { None };
        let (info_hash, pieces) = (torrent.info_hash, torrent.piece_count());
        let path = record_path(&root, info_hash, "have");
        let found = journal::look(&path, info_hash, pieces).map_err(failed)?;
        let store = Self {
            id: STORES.fetch_add(1, Ordering::Relaxed),
            root: RwLock::new(root),
            torrent,
            preallocate: opening.preallocate,
            books: Mutex::default(),
            lock: Mutex::new(lock),
        };
        store.make_empty_files();
        let known = store.sorted(found.known.clone(), opening);
        let (have, doubtful) = (known.have.clone(), known.doubtful.clone());
        let mut stored = Stored { have, doubtful, read_only: false };
        if opening.verify {
            stored.have.clone_from(&found.known.have);
            for piece in stored.have.ones() {
                stored.doubtful.clear(piece);
            }
        }
        if writable {
            let journal = Journal::open(path, (info_hash, store.key(0)), found, known);
            store.books().journal = Some(journal.map_err(failed)?);
        }
        Ok((store, stored))
    }

    /// Sorts pieces into certain, doubtful and absent by how the files look.
    fn sorted(&self, mut known: Known, opening: &Opening) -> Known {
        let torrent = &*self.torrent;
        let mut absent = Bitfield::empty(torrent.piece_count());
        let mut stamps = BTreeMap::new();
        for file in self.real_files() {
            let found = self.stamp(file);
            let same = found.is_some() && found.as_ref() == known.stamps.get(&(file as u32));
            let size = found.map_or(0, |stamp| stamp.size);
            stamps.extend(found.map(|stamp| (file as u32, stamp)));
            for piece in torrent.file_pieces(file).map(PieceIndex) {
                if !same || opening.verify {
                    known.have.clear(piece);
                    known.doubtful.set(piece);
                }
                let reaches = |s: Span| s.file != file || s.offset.0 + u64::from(s.len) <= size;
                if !torrent.piece_spans(piece).all(reaches) {
                    absent.set(piece);
                }
            }
        }
        for piece in opening.verified.iter().flat_map(Bitfield::ones) {
            known.have.set(piece);
            known.doubtful.clear(piece);
        }
        for piece in absent.ones() {
            known.have.clear(piece);
            known.doubtful.clear(piece);
        }
        Known { stamps, ..known }
    }

    /// Reads `len` bytes from `begin` of a piece.
    pub fn read_block(&self, piece: PieceIndex, begin: u32, len: u32) -> Result<Bytes, StoreError> {
        self.read(piece, begin, len).map_err(failed)
    }

    fn read(&self, piece: PieceIndex, begin: u32, len: u32) -> io::Result<Bytes> {
        let mut out = vec![0; len as usize];
        let mut at = 0;
        for span in self.torrent.spans(piece, begin, len) {
            let part = &mut out[at..at + span.len as usize];
            at += part.len();
            if !span.pad {
                layout::read_at(&*self.lend(span.file, false)?, part, span.offset.0)?;
            }
        }
        if at == out.len() {
            Ok(out.into())
        } else {
            let why = format!("{len} bytes at {begin} of piece {piece} do not exist");
            Err(io::Error::other(why))
        }
    }

    /// A whole piece; `None` where some of it is not there.
    fn read_piece(&self, piece: PieceIndex) -> Result<Option<Bytes>, StoreError> {
        match self.read(piece, 0, self.torrent.piece_len(piece)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if is_gone(&e) => Ok(None),
            Err(e) => Err(failed(e)),
        }
    }

    /// Hashes a piece as it is stored; what is gone has a digest that no piece has. One that is
    /// right is recorded as such.
    pub fn hash_piece(&self, piece: PieceIndex) -> Result<Digest1, StoreError> {
        let digest = self.read_piece(piece)?.map_or([0; 20], |bytes| sha1(&bytes));
        let right = self.torrent.pieces.get(piece.idx()) == Some(&digest);
        self.note(piece, right)?;
        Ok(digest)
    }

    /// SHA-256 of each block of a piece as it is stored (BEP 52), none where it is gone. In v2
    /// alone they tell whether it is right; in a hybrid its SHA-1 has the say.
    pub fn hash_leaves(&self, piece: PieceIndex) -> Result<Vec<Digest256>, StoreError> {
        let bytes = self.read_piece(piece)?;
        let leaves = bytes.map(|bytes| self.torrent.piece_leaves(piece, &bytes));
        if let (Version::V2, Some(node)) = (self.torrent.version(), self.torrent.piece_node(piece))
        {
            let height = self.torrent.piece_height(piece);
            let root = leaves.as_ref().map(|leaves| merkle::root(leaves, 0, height));
            self.note(piece, root == Some(node))?;
        }
        Ok(leaves.unwrap_or_default())
    }

    fn note(&self, piece: PieceIndex, right: bool) -> Result<(), StoreError> {
        let mut books = self.books();
        if books.journal.is_some() {
            books.notes.insert(piece, right);
            if books.notes.len() >= NOTES_MAX {
                self.record_notes(&mut books).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Has everything that is known recorded, and the record flushed.
    pub fn settle(&self) -> Result<(), StoreError> {
        let mut books = self.books();
        self.record_notes(&mut books).map_err(failed)?;
        books.journal.as_mut().map_or(Ok(()), Journal::sync).map_err(failed)
    }

    /// Deletes the files and records of the torrent, and folders that are empty then.
    pub fn delete(&self) -> Result<(), StoreError> {
        let mut books = self.books();
        let root = self.root();
        *books = Books::default();
        self.close_files();
        self.delete_files(&root).map_err(failed)?;
        finish::forget(&root, self.torrent.info_hash);
        Ok(())
    }

    fn delete_files(&self, root: &Path) -> io::Result<()> {
        for file in self.real_files() {
            let Ok(path) = layout::resolve(root, &self.path(file)) else {
                continue;
            };
            fs::remove_file(&path)?;
            let inner = path.ancestors().skip(1);
            for folder in inner.take_while(|folder| *folder != root) {
                if fs::remove_dir(folder).is_err() {
                    break;
                }
            }
        }
        Ok(())
    }

    fn files_of(&self, pieces: impl Iterator<Item = PieceIndex>) -> BTreeSet<usize> {
        let spans = pieces.flat_map(|piece| self.torrent.piece_spans(piece));
        spans.filter(|span| !span.pad).map(|span| span.file).collect()
    }

    /// The folder its files lie in.
    pub fn root(&self) -> PathBuf {
        self.root.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self, file: usize) -> Key {
        Key { store: self.id, file }
    }

    fn real_files(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.torrent.files.len()).filter(|file| !self.torrent.files[*file].pad)
    }

    /// Where a file lies below the root. No file is called nothing, so a wrong number fails later.
    fn path(&self, file: usize) -> String {
        self.torrent.stored_path(file).unwrap_or_default()
    }

    fn stamp(&self, file: usize) -> Option<Stamp> {
        let path = layout::resolve(&self.root(), &self.path(file)).ok()?;
        fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|found| Stamp::of(&found))
    }

    fn make_empty_files(&self) {
        for file in self.real_files() {
            if self.torrent.files[file].length.0 == 0 && self.stamp(file).is_none() {
                // Seeding does not need it, and fetching meets the same trouble again. No piece
                // rests on it, so that it need not be flushed.
                let path = layout::make_way(&self.root(), &self.path(file), &mut BTreeSet::new());
                let _ = path.and_then(|path| layout::open(&path, true));
            }
        }
    }

    fn lend(&self, file: usize, write: bool) -> io::Result<Lent<'static>> {
        // Held until it is open, so that it is not moved meanwhile.
        let root = self.root.read().unwrap_or_else(PoisonError::into_inner);
        FILES.lend(self.key(file), write, || {
            layout::open(&layout::resolve(&root, &self.path(file))?, write)
        })
    }

    fn close_files(&self) {
        FILES.forget_store(self.id);
        pool::RECORDS.forget_store(self.id);
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // What is not recorded is hashed again.
        let _ = self.settle();
        self.close_files();
    }
}

/// Whether records say that every piece is stored and no file was touched since.
pub fn is_complete(root: &Path, torrent: &Torrent) -> bool {
    let path = record_path(root, torrent.info_hash, "have");
    let found = journal::look(&path, torrent.info_hash, torrent.piece_count());
    let (Ok(known), Ok(root)) = (found.map(|found| found.known), root.canonicalize()) else {
        return false;
    };
    let same = |file: usize| {
        let path = layout::resolve(&root, &torrent.stored_path(file)?).ok()?;
        let stamp = Stamp::of(&fs::metadata(path).ok()?);
        Some(torrent.files[file].length.0 == 0 || known.stamps.get(&(file as u32)) == Some(&stamp))
    };
    known.have.is_full()
        && (0..torrent.files.len()).all(|file| torrent.files[file].pad || same(file) == Some(true))
}

fn record_path(root: &Path, info_hash: InfoHash, kind: &str) -> PathBuf {
    root.join(RECORDS).join(format!("{info_hash}.{kind}"))
}

/// Takes the lock that keeps another program, or another torrent of the same name, away.
fn lock(records: &Path, name: &str) -> Result<File, StoreError> {
    let path = records.join(format!("{}.lock", hex(&sha1(name.to_lowercase().as_bytes()))));
    let file = File::create(&path).map_err(failed)?;
    let step = Duration::from_millis(50);
    for _ in 0..LOCK_WAIT.as_millis() / step.as_millis() {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(fs::TryLockError::WouldBlock) => std::thread::sleep(step),
            Err(fs::TryLockError::Error(e)) => return Err(failed(e)),
        }
    }
    Err(StoreError::Busy(format!(
        "{name:?} is open in another program or torrent: close it there or choose another folder"
    )))
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof)
}

fn failed(error: io::Error) -> StoreError {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    if matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge) {
        StoreError::Full(error.to_string())
    } else if error.kind() == io::ErrorKind::Unsupported {
        StoreError::Newer(error.to_string())
    } else {
        StoreError::Io(error.to_string())
    }
}
