//! Moves a torrent to another folder, all of it or nothing, and tells where one lies.
//! Whatever moment a crash picks, the torrent is whole in one of the two.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use headwater_base::InfoHash;
use headwater_engine::StoreError;
use headwater_metainfo::Torrent;

use super::journal::{Journal, Known, Stamp};
use super::{RECORDS, Store, failed, layout, lock, record_path};

/// What is kept of a torrent beside its files.
const KINDS: [&str; 2] = ["have", "torrent"];

/// The one of two folders in which a torrent lies: the finished one once it was moved there.
pub fn home<'a>(root: &'a Path, finished: Option<&'a Path>, torrent: &Torrent) -> &'a Path {
    let moved = |folder: &&Path| {
        record_path(folder, torrent.info_hash, "have").exists()
            && fs::symlink_metadata(folder.join(top(torrent))).is_ok()
    };
    finished.filter(moved).unwrap_or(root)
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

/// Deletes what is kept of a torrent beside its files.
pub(super) fn forget(root: &Path, info_hash: InfoHash) {
    for kind in KINDS {
        let _ = fs::remove_file(record_path(root, info_hash, kind));
    }
}

/// The name of the file or folder that holds all of a torrent.
fn top(torrent: &Torrent) -> &str {
    match torrent.files.iter().find(|file| !file.pad) {
        Some(file) if !torrent.folder => &file.path,
        Some(_) | None => &torrent.name,
    }
}

/// A move: whence, whither, and what the torrent is called there.
struct Way {
    from: PathBuf,
    to: PathBuf,
    target: PathBuf,
}

impl Store {
    /// Moves the torrent to another folder, where nothing of its name may be, and goes on there;
    /// answers whether it was elsewhere. Where it cannot be moved it stays as it is.
    pub fn move_to(&self, folder: &Path) -> Result<bool, StoreError> {
        layout::make_folder(&folder.join(RECORDS)).map_err(failed)?;
        let (from, to) = (self.root(), folder.canonicalize().map_err(failed)?);
        if from == to {
            return Ok(false);
        }
        let way = Way { target: to.join(top(&self.torrent)), from, to };
        let mut books = self.books();
        self.record_notes(&mut books).map_err(failed)?;
        let Some(journal) = &mut books.journal else {
            let why = format!("{} cannot be written: nothing is moved", way.from.display());
            return Err(StoreError::Io(why));
        };
        self.check_move(&way)?;
        let lock = lock(&way.to.join(RECORDS), &self.torrent.name)?;
        match self.carry(&way, journal.known().clone()) {
            Ok(moved) => *journal = moved,
            Err(e) => {
                forget(&way.to, self.torrent.info_hash);
                return Err(e);
            }
        }
        *self.lock.lock().unwrap_or_else(PoisonError::into_inner) = Some(lock);
        forget(&way.from, self.torrent.info_hash);
        Ok(true)
    }

    /// Whether nothing lies in the way and no file is reached through a link, which would lead
    /// elsewhere from there.
    fn check_move(&self, way: &Way) -> Result<(), StoreError> {
        if fs::symlink_metadata(&way.target).is_ok() {
            return Err(in_the_way(&way.target));
        }
        let is_link = |file: &usize| {
            let (from, path) = (&way.from, self.path(*file));
            layout::resolve(from, &path).is_ok_and(|found| found != from.join(path))
        };
        match self.real_files().find(is_link) {
            Some(file) => {
                let path = self.path(file);
                Err(StoreError::Io(format!("{path} is reached through a link and not moved")))
            }
            None => Ok(()),
        }
    }

    /// Puts metadata, record and files there, in this order: without its files a record counts
    /// for nothing, and files without a record would be fetched again.
    fn carry(&self, way: &Way, known: Known) -> Result<Journal, StoreError> {
        let torrent = &*self.torrent;
        save_torrent(&way.to, torrent).map_err(failed)?;
        let path = record_path(&way.to, torrent.info_hash, "have");
        let create = |known| {
            let id = (torrent.info_hash, self.key(0));
            Journal::create(path.clone(), id, known).map_err(failed)
        };
        let journal = create(known.clone())?;
        match self.shift(&way.from.join(top(torrent)), way) {
            Err(e) if e.kind() == io::ErrorKind::CrossesDevices => {}
            done => return done.map(|()| journal).map_err(|e| refused(way, e)),
        }
        let stage = record_path(&way.to, torrent.info_hash, "moving");
        let copied = self.copy(way, &stage, known).map_err(failed).and_then(create);
        let moved = copied.and_then(|journal| {
            self.shift(&stage.join(top(torrent)), way).map_err(|e| refused(way, e))?;
            // What cannot be deleted is left over, no more; the copy's name must last before.
            let _ = layout::sync_folder(&way.to).and_then(|()| self.delete_files(&way.from));
            Ok(journal)
        });
        let _ = fs::remove_dir_all(&stage);
        moved
    }

    /// Gives all of the torrent its new path at once, and goes on there.
    fn shift(&self, source: &Path, way: &Way) -> io::Result<()> {
        let mut root = self.root.write().unwrap_or_else(PoisonError::into_inner);
        layout::rename_new(source, &way.target)?;
        self.close_files();
        *root = way.to.clone();
        // It is where it is by now, whatever the power does.
        let _ = layout::sync_folder(&way.to);
        Ok(())
    }

    /// Copies what there is of the torrent, flushed, to `stage`; returns what is known of the
    /// copies. They keep their times of change as well as their file system can.
    fn copy(&self, way: &Way, stage: &Path, mut known: Known) -> io::Result<Known> {
        if stage.exists() {
            fs::remove_dir_all(stage)?;
        }
        let mut folders = BTreeSet::from([stage.to_owned()]);
        for file in self.real_files() {
            let path = self.path(file);
            let source = way.from.join(&path);
            let Ok(found) = fs::metadata(&source) else { continue };
            let target = stage.join(&path);
            let above = target.ancestors().skip(1).take_while(|folder| *folder != stage);
            folders.extend(above.map(Path::to_owned));
            fs::create_dir_all(target.parent().unwrap_or(stage))?;
            fs::copy(&source, &target)?;
            let copy = OpenOptions::new().write(true).open(&target)?;
            copy.set_modified(found.modified()?)?;
            copy.sync_all()?;
            if known.stamps.remove(&(file as u32)) == Some(Stamp::of(&found)) {
                known.stamps.insert(file as u32, Stamp::of(&copy.metadata()?));
            }
        }
        folders.iter().try_for_each(|folder| layout::sync_folder(folder))?;
        Ok(known)
    }
}

fn refused(way: &Way, error: io::Error) -> StoreError {
    if error.kind() == io::ErrorKind::AlreadyExists {
        return in_the_way(&way.target);
    }
    failed(error)
}

fn in_the_way(target: &Path) -> StoreError {
    StoreError::Io(format!(
        "{} is there already and is not overwritten: move it away or name another folder",
        target.display()
    ))
}
