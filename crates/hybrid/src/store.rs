//! Torrent bytes in files below a folder, with a record of what was verified.
//! Every call blocks. A piece counts from the moment its record is on disk, never before its bytes.

mod journal;
mod layout;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use headwater_base::{Bitfield, Digest1, Digest256, InfoHash, PieceIndex, hex, sha1};
use headwater_engine::{StoreError, Stored};
use headwater_metainfo::{Span, Torrent, Version, merkle};

use journal::{Journal, Known, Record, Stamp};
pub(crate) use layout::RECORDS;

/// Most files of one torrent kept open.
const OPEN_FILES_MAX: usize = 64;

/// How long a lock may take to come free: the same program may just be closing the torrent.
const LOCK_WAIT: Duration = Duration::from_secs(2);

/// One torrent's place on disk.
pub struct Store {
    root: PathBuf,
    torrent: Arc<Torrent>,
    files: Mutex<BTreeMap<(usize, bool), Arc<File>>>,
    /// `None` where records cannot be written: then nothing may be written at all.
    journal: Mutex<Option<Journal>>,
    _lock: Option<File>,
}

/// A piece to store.
pub struct PieceToWrite<'a> {
    /// Which one.
    pub piece: PieceIndex,
    /// Its bytes, padding included.
    pub data: &'a [u8],
}

impl Store {
    /// Opens the place of `torrent` below `root` and tells what is there.
    /// Pieces in `verified` were hashed by the caller just now and count at once.
    pub fn open(
        root: &Path,
        torrent: Arc<Torrent>,
        verified: Option<&Bitfield>,
    ) -> Result<(Self, Stored), StoreError> {
        fs::create_dir_all(root).map_err(failed)?;
        let records = root.join(RECORDS);
        let writable = fs::create_dir_all(&records).is_ok();
        let lock = if writable { Some(lock(&records, &torrent.name)?) } else { None };
        let path = record_path(root, torrent.info_hash, "have");
        let pieces = torrent.piece_count();
        let known = journal::look(&path, torrent.info_hash, pieces).map_err(failed)?;
        let (files, journal) = (Mutex::default(), Mutex::new(None));
        let mut store = Self { root: root.to_owned(), torrent, files, journal, _lock: lock };
        store.make_empty_files();
        let known = store.sorted(known, verified);
        let stored = Stored { have: known.have.clone(), doubtful: known.doubtful.clone() };
        if writable {
            let journal = Journal::create(&path, store.torrent.info_hash, known);
            store.journal = Mutex::new(Some(journal.map_err(failed)?));
        }
        Ok((store, stored))
    }

    /// Sorts pieces into certain, doubtful and absent by how the files look.
    fn sorted(&self, mut known: Known, verified: Option<&Bitfield>) -> Known {
        let torrent = &*self.torrent;
        let mut absent = Bitfield::empty(torrent.piece_count());
        let mut stamps = BTreeMap::new();
        for file in self.real_files() {
            let found = self.stamp(file);
            let same = found.is_some() && found.as_ref() == known.stamps.get(&(file as u32));
            let size = found.map_or(0, |stamp| stamp.size);
            stamps.extend(found.map(|stamp| (file as u32, stamp)));
            for piece in torrent.file_pieces(file).map(PieceIndex) {
                if !same {
                    known.have.clear(piece);
                    known.doubtful.set(piece);
                }
                let reaches = |s: Span| s.file != file || s.offset.0 + u64::from(s.len) <= size;
                if !torrent.piece_spans(piece).all(reaches) {
                    absent.set(piece);
                }
            }
        }
        for piece in verified.into_iter().flat_map(Bitfield::ones) {
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
        let mut out = vec![0; len as usize];
        let mut at = 0;
        for span in self.torrent.spans(piece, begin, len) {
            let part = &mut out[at..at + span.len as usize];
            at += part.len();
            if !span.pad {
                let file = self.file(span.file, false).map_err(failed)?;
                layout::read_at(&file, part, span.offset.0).map_err(failed)?;
            }
        }
        if at == out.len() {
            Ok(out.into())
        } else {
            Err(StoreError::Io(format!("{len} bytes at {begin} of piece {piece} do not exist")))
        }
    }

    /// Hashes a piece as it is stored. One that is right is recorded as such.
    pub fn hash_piece(&self, piece: PieceIndex) -> Result<Digest1, StoreError> {
        let bytes = self.read_block(piece, 0, self.torrent.piece_len(piece))?;
        let digest = sha1(&bytes);
        let right = self.torrent.pieces.get(piece.idx()) == Some(&digest);
        self.note(piece, right)?;
        Ok(digest)
    }

    /// SHA-256 of each block of a piece as it is stored (BEP 52). In v2 alone they tell whether it
    /// is right; in a hybrid its SHA-1 has the say.
    pub fn hash_leaves(&self, piece: PieceIndex) -> Result<Vec<Digest256>, StoreError> {
        let bytes = self.read_block(piece, 0, self.torrent.piece_len(piece))?;
        let leaves = self.torrent.piece_leaves(piece, &bytes);
        if let (Version::V2, Some(node)) = (self.torrent.version(), self.torrent.piece_node(piece))
        {
            let height = self.torrent.piece_height(piece);
            self.note(piece, merkle::root(&leaves, 0, height) == node)?;
        }
        Ok(leaves)
    }

    fn note(&self, piece: PieceIndex, right: bool) -> Result<(), StoreError> {
        let record = if right { Record::Have(piece) } else { Record::Lost(piece) };
        let mut journal = self.locked_journal();
        if let Some(journal) = &mut *journal {
            journal.append(&[record]).map_err(failed)?;
        }
        Ok(())
    }

    /// Stores verified pieces, then records them. All of them survive a crash once this returns.
    pub fn write_pieces(&self, pieces: &[PieceToWrite<'_>]) -> Result<(), StoreError> {
        let mut journal = self.locked_journal();
        if journal.is_none() {
            let folder = self.root.join(RECORDS);
            return Err(StoreError::Io(format!(
                "{} cannot be written: make it a writable folder or choose another place",
                folder.display()
            )));
        }
        let touched = self.files_of(pieces.iter().map(|piece| piece.piece));
        self.doubt_touched(&touched, journal.as_mut())?;
        for PieceToWrite { piece, data } in pieces {
            let mut rest = *data;
            for span in self.torrent.piece_spans(*piece) {
                let (part, next) = rest.split_at_checked(span.len as usize).ok_or_else(|| {
                    StoreError::Io(format!("piece {piece} has only {} bytes", data.len()))
                })?;
                rest = next;
                if !span.pad {
                    let file = self.file(span.file, true).map_err(failed)?;
                    layout::write_at(&file, part, span.offset.0).map_err(failed)?;
                }
            }
        }
        for file in &touched {
            self.file(*file, true).and_then(|file| file.sync_data()).map_err(failed)?;
        }
        let have = pieces.iter().map(|piece| Record::Have(piece.piece));
        self.record(&touched, have, journal.as_mut())
    }

    /// Doubts what was recorded of files that somebody else changed meanwhile: the next record
    /// of such a file would vouch for all of it.
    fn doubt_touched(
        &self,
        touched: &BTreeSet<usize>,
        journal: Option<&mut Journal>,
    ) -> Result<(), StoreError> {
        let Some(journal) = journal else { return Ok(()) };
        let mut doubts = Vec::new();
        for file in touched {
            let known = journal.known();
            if self.stamp(*file).as_ref() != known.stamps.get(&(*file as u32)) {
                let pieces = self.torrent.file_pieces(*file).map(PieceIndex);
                doubts.extend(pieces.filter(|p| known.have.has(*p)).map(Record::Doubt));
            }
        }
        if doubts.is_empty() { Ok(()) } else { journal.append(&doubts).map_err(failed) }
    }

    /// Deletes the files and records of the torrent, and folders that are empty then.
    pub fn delete(&self) -> Result<(), StoreError> {
        self.locked_files().clear();
        for file in self.real_files() {
            let Ok(path) = layout::resolve(&self.root, &self.path(file), false) else {
                continue;
            };
            fs::remove_file(&path).map_err(failed)?;
            let inner = path.ancestors().skip(1);
            for folder in inner.take_while(|folder| *folder != self.root) {
                if fs::remove_dir(folder).is_err() {
                    break;
                }
            }
        }
        for kind in ["have", "torrent"] {
            let _ = fs::remove_file(record_path(&self.root, self.torrent.info_hash, kind));
        }
        Ok(())
    }

    /// Records pieces together with how their files look at this moment.
    fn record(
        &self,
        files: &BTreeSet<usize>,
        pieces: impl Iterator<Item = Record>,
        journal: Option<&mut Journal>,
    ) -> Result<(), StoreError> {
        let Some(journal) = journal else { return Ok(()) };
        let stamp = |file: &usize| Some(Record::File(*file as u32, self.stamp(*file)?));
        let records: Vec<_> = files.iter().filter_map(stamp).chain(pieces).collect();
        journal.append(&records).map_err(failed)
    }

    fn files_of(&self, pieces: impl Iterator<Item = PieceIndex>) -> BTreeSet<usize> {
        let spans = pieces.flat_map(|piece| self.torrent.piece_spans(piece));
        spans.filter(|span| !span.pad).map(|span| span.file).collect()
    }

    fn locked_journal(&self) -> MutexGuard<'_, Option<Journal>> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn real_files(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.torrent.files.len()).filter(|file| !self.torrent.files[*file].pad)
    }

    /// Where a file lies below the root. No file is called nothing, so a wrong number fails later.
    fn path(&self, file: usize) -> String {
        self.torrent.stored_path(file).unwrap_or_default()
    }

    fn stamp(&self, file: usize) -> Option<Stamp> {
        let path = layout::resolve(&self.root, &self.path(file), false).ok()?;
        fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|found| Stamp::of(&found))
    }

    fn make_empty_files(&self) {
        for file in self.real_files() {
            if self.torrent.files[file].length.0 == 0 && self.stamp(file).is_none() {
                // Seeding does not need it, and fetching meets the same trouble again.
                let _ = layout::open(&self.root, &self.path(file), true);
            }
        }
    }

    fn file(&self, file: usize, write: bool) -> io::Result<Arc<File>> {
        let mut files = self.locked_files();
        if let Some(open) = files.get(&(file, write)) {
            return Ok(Arc::clone(open));
        }
        if files.len() >= OPEN_FILES_MAX {
            files.clear();
        }
        let open = layout::open(&self.root, &self.path(file), write)?;
        let length = self.torrent.files[file].length.0;
        if write && open.metadata()?.len() > length {
            open.set_len(length)?;
        }
        let open = Arc::new(open);
        files.insert((file, write), Arc::clone(&open));
        Ok(open)
    }

    fn locked_files(&self) -> MutexGuard<'_, BTreeMap<(usize, bool), Arc<File>>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a torrent's metadata beside its record, so that a magnet link resumes without peers.
pub fn save_torrent(root: &Path, torrent: &Torrent) -> io::Result<()> {
    fs::create_dir_all(root.join(RECORDS))?;
    let path = record_path(root, torrent.info_hash, "torrent");
    let fresh = path.with_extension("torrent-new");
    fs::write(&fresh, torrent.to_bytes())?;
    fs::rename(fresh, path)
}

/// The metadata kept for a torrent, if it is whole.
pub fn saved_torrent(root: &Path, info_hash: InfoHash) -> Option<Torrent> {
    let bytes = fs::read(record_path(root, info_hash, "torrent")).ok()?;
    Torrent::parse(&bytes).ok().filter(|torrent| torrent.info_hash == info_hash)
}

/// Whether records say that every piece is stored and no file was touched since.
pub fn is_complete(root: &Path, torrent: &Torrent) -> bool {
    let path = record_path(root, torrent.info_hash, "have");
    let Ok(known) = journal::look(&path, torrent.info_hash, torrent.piece_count()) else {
        return false;
    };
    let same = |file: usize| {
        let path = layout::resolve(root, &torrent.stored_path(file)?, false).ok()?;
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
