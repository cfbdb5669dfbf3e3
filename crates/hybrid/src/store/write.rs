//! Writes pieces: many at once, file by file, flushed together, then recorded.
//! Whatever moment a crash picks, the record tells what was under way: those pieces are doubted,
//! and files that nobody else touched keep what they were known to hold.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::io;
use std::path::PathBuf;

use headwater_base::{Bitfield, PieceIndex};
use headwater_engine::StoreError;

use super::journal::{Journal, Record, Stamp, rows};
use super::pool::{FILES, Lent};
use super::{Books, RECORDS, Store, failed, layout};

/// How often pieces are written again because somebody changed a file meanwhile.
const TRIES: usize = 3;

/// Files flushed side by side: a file system commits them together.
const FLUSHES: usize = 8;

/// A piece to store.
pub struct PieceToWrite<'a> {
    /// Which one.
    pub piece: PieceIndex,
    /// Its bytes, padding included.
    pub data: &'a [u8],
}

/// Bytes for one file: where, and which.
type Parts<'a> = BTreeMap<usize, Vec<(u64, &'a [u8])>>;

/// How a file looks, and which one it is.
type Look = ((u64, u64), Stamp);

impl Store {
    /// Stores verified pieces, then records them. Their bytes survive a crash once this returns.
    /// So do the records where only this process ends; where all ends, as the power does, those
    /// not flushed yet (see `settle`) cost their files to be hashed again.
    pub fn write_pieces(&self, pieces: &[PieceToWrite<'_>]) -> Result<(), StoreError> {
        let parts = self.parts(pieces)?;
        let mut books = self.books();
        self.record_notes(&mut books).map_err(failed)?;
        let Some(journal) = &mut books.journal else {
            let folder = self.root().join(RECORDS);
            return Err(StoreError::Io(format!(
                "{} cannot be written: make it a writable folder or choose another place",
                folder.display()
            )));
        };
        let mut these = Bitfield::empty(self.torrent.piece_count());
        for PieceToWrite { piece, .. } in pieces {
            these.set(*piece);
        }
        let doubts: Vec<_> = rows(&these).into_iter().map(Record::Doubt).collect();
        journal.append(&doubts).map_err(failed)?;
        for _ in 0..TRIES {
            if self.write_parts(&parts, journal).map_err(failed)? {
                let have: Vec<_> = rows(&these).into_iter().map(Record::Have).collect();
                return journal.append(&have).and_then(|()| journal.sync_some()).map_err(failed);
            }
        }
        let name = &self.torrent.name;
        Err(StoreError::Io(format!(
            "another program changes {name:?} while it is written: end that one and go on"
        )))
    }

    /// Sorts bytes by file.
    fn parts<'a>(&self, pieces: &[PieceToWrite<'a>]) -> Result<Parts<'a>, StoreError> {
        let mut parts = Parts::new();
        for PieceToWrite { piece, data } in pieces {
            let mut rest = *data;
            for span in self.torrent.piece_spans(*piece) {
                let (part, next) = rest.split_at_checked(span.len as usize).ok_or_else(|| {
                    StoreError::Io(format!("piece {piece} has only {} bytes", data.len()))
                })?;
                rest = next;
                if !span.pad {
                    parts.entry(span.file).or_default().push((span.offset.0, part));
                }
            }
        }
        Ok(parts)
    }

    /// Writes and flushes; answers whether the files are still those that were written.
    fn write_parts(&self, parts: &Parts<'_>, journal: &mut Journal) -> io::Result<bool> {
        let (mut folders, mut looks) = (BTreeSet::new(), BTreeMap::new());
        for (file, parts) in parts {
            let open = self.to_write(*file, &mut folders, journal)?;
            for (offset, bytes) in parts {
                let written = layout::write_at(&open, bytes, *offset);
                // Where there was no room for all of it, it is no less changed.
                let stamp = Stamp::of(&open.metadata()?);
                let noted = journal.append(&[Record::File(*file as u32, stamp)]);
                written.and(noted)?;
            }
            looks.insert(*file, look(&open.metadata()?));
        }
        for folder in folders {
            layout::sync_folder(&folder)?;
        }
        self.flush(&parts.keys().copied().collect::<Vec<_>>(), true)?;
        let same = |(file, seen): (&usize, &Look)| self.look_at(*file).as_ref() == Some(seen);
        Ok(looks.iter().all(same))
    }

    /// Flushes files, several at a time; where `write` says so as one must where only who may
    /// write may flush.
    fn flush(&self, files: &[usize], write: bool) -> io::Result<()> {
        let each = |files: &[usize]| -> io::Result<()> {
            files.iter().try_for_each(|file| self.lend(*file, write)?.sync_data())
        };
        if let [_] | [] = files {
            return each(files);
        }
        let share = files.len().div_ceil(FLUSHES);
        std::thread::scope(|scope| {
            let flushes: Vec<_> =
                files.chunks(share).map(|files| scope.spawn(move || each(files))).collect();
            let ended = |flush: std::thread::ScopedJoinHandle<'_, io::Result<()>>| {
                flush.join().unwrap_or_else(|_| Err(io::Error::other("a flush broke off")))
            };
            flushes.into_iter().map(ended).collect::<Vec<_>>().into_iter().collect()
        })
    }

    /// Opens a file to write to: that which has its path now, whatever had it before. What was
    /// recorded of one that somebody changed is doubted from here on.
    fn to_write(
        &self,
        file: usize,
        folders: &mut BTreeSet<PathBuf>,
        journal: &mut Journal,
    ) -> io::Result<Lent<'static>> {
        let path = layout::make_way(&self.root(), &self.path(file), folders)?;
        let key = self.key(file);
        let found = fs::metadata(&path).ok();
        let known = journal.known().stamps.get(&(file as u32)).copied();
        let is_same = found.as_ref().map(Stamp::of) == known;
        if !is_same {
            let mut had = Bitfield::empty(self.torrent.piece_count());
            let pieces = self.torrent.file_pieces(file).map(PieceIndex);
            for piece in pieces.filter(|piece| journal.known().have.has(*piece)) {
                had.set(piece);
            }
            let doubts: Vec<_> = rows(&had).into_iter().map(Record::Doubt).collect();
            journal.append(&doubts)?;
        }
        let lend = || FILES.lend(key, true, || layout::open(&path, true));
        if found.is_none() {
            // What may be open lay here before.
            FILES.forget(key);
        }
        let mut open = lend()?;
        let place = layout::identity(&open.metadata()?);
        if found.as_ref().is_some_and(|found| layout::identity(found) != place) {
            drop(open);
            FILES.forget(key);
            open = lend()?;
        }
        let length = self.torrent.files[file].length.0;
        let changed = layout::size(&open, length, self.preallocate)?;
        if changed || !is_same || found.is_none() {
            let stamp = Stamp::of(&open.metadata()?);
            journal.append(&[Record::File(file as u32, stamp)])?;
        }
        Ok(open)
    }

    fn look_at(&self, file: usize) -> Option<Look> {
        let path = layout::resolve(&self.root(), &self.path(file)).ok()?;
        Some(look(&fs::metadata(path).ok()?))
    }

    /// Records what was hashed. A record must not outlive its bytes: somebody may have put them
    /// there a moment ago.
    pub(super) fn record_notes(&self, books: &mut Books) -> io::Result<()> {
        let notes = std::mem::take(&mut books.notes);
        let Some(journal) = books.journal.as_mut().filter(|_| !notes.is_empty()) else {
            return Ok(());
        };
        let right = notes.iter().filter(|(_, right)| **right).map(|(piece, _)| *piece);
        let files: Vec<_> = self.files_of(right).into_iter().collect();
        // Elsewhere a file must be writable to be flushed.
        if cfg!(unix) {
            self.flush(&files, false)?;
        }
        let record = |(piece, right): (PieceIndex, bool)| match right {
            true => Record::Have(piece.into()),
            false => Record::Lost(piece.into()),
        };
        journal.append(&notes.into_iter().map(record).collect::<Vec<_>>())?;
        journal.sync_some()
    }
}

fn look(found: &Metadata) -> Look {
    (layout::identity(found), Stamp::of(found))
}
