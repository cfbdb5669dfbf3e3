//! The folder in which a bridge keeps what it fetched: a folder a torrent, named by its info-hash.
//! The one that was left longest ago makes way first, across restarts too.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use headwater_base::InfoHash;
use tokio::task::spawn_blocking;

/// Folders looked into below one torrent's folder: torrents have no deeper paths worth counting.
const DEPTH_MAX: usize = 32;

/// What lies in the cache, as it was measured last.
pub(super) struct Cache {
    folder: PathBuf,
    held: BTreeMap<InfoHash, Held>,
}

#[derive(Clone, Copy)]
struct Held {
    bytes: u64,
    used: SystemTime,
}

impl Cache {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, held: BTreeMap::new() }
    }

    /// The folder of a torrent.
    pub(super) fn folder(&self, hash: InfoHash) -> PathBuf {
        self.folder.join(hash.to_string())
    }

    /// The folder of a torrent that is used from now on.
    pub(super) fn use_folder(&mut self, hash: InfoHash) -> PathBuf {
        let folder = self.folder(hash);
        // Where it cannot be made, the store says so when it opens.
        let _ = fs::create_dir_all(&folder);
        self.touch(hash);
        folder
    }

    /// Takes that a torrent was used until now.
    #[expect(clippy::disallowed_methods, reason = "files carry wall-clock dates")]
    pub(super) fn touch(&self, hash: InfoHash) {
        let folder = self.folder(hash);
        // Its time of change says when: it only decides what makes way first.
        let _ = fs::File::open(folder).and_then(|folder| folder.set_modified(SystemTime::now()));
    }

    /// Looks at what lies there; answers how many bytes it takes on disk.
    pub(super) async fn measure(&mut self) -> u64 {
        let folder = self.folder.clone();
        let held = spawn_blocking(move || look(&folder)).await;
        self.held = held.unwrap_or_default();
        self.held.values().map(|held| held.bytes).sum()
    }

    /// The torrent that was used longest ago, of those that fit.
    pub(super) fn oldest(&self, fits: impl Fn(InfoHash) -> bool) -> Option<InfoHash> {
        let fit = self.held.iter().filter(|(hash, _)| fits(**hash));
        fit.min_by_key(|(hash, held)| (held.used, **hash)).map(|(hash, _)| *hash)
    }

    /// The torrent that takes most.
    pub(super) fn largest(&self) -> Option<InfoHash> {
        self.held.iter().max_by_key(|(hash, held)| (held.bytes, **hash)).map(|(hash, _)| *hash)
    }

    /// Deletes what is kept of a torrent; answers how many bytes that was.
    pub(super) async fn forget(&mut self, hash: InfoHash) -> u64 {
        let folder = self.folder.join(hash.to_string());
        let _ = spawn_blocking(move || fs::remove_dir_all(folder)).await;
        self.held.remove(&hash).map_or(0, |held| held.bytes)
    }
}

fn look(folder: &Path) -> BTreeMap<InfoHash, Held> {
    let mut held = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let hash = entry.file_name().to_str().and_then(InfoHash::from_hex);
        let (Some(hash), Ok(found)) = (hash, entry.metadata()) else { continue };
        let used = found.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        held.insert(hash, Held { bytes: bytes_below(&entry.path(), 0), used });
    }
    held
}

/// Bytes that files take on disk: those of films are full of holes.
fn bytes_below(path: &Path, depth: usize) -> u64 {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let bytes = entries.map(|entry| match entry.metadata() {
        Ok(found) if found.is_dir() && depth < DEPTH_MAX => bytes_below(&entry.path(), depth + 1),
        Ok(found) if found.is_file() => on_disk(&found),
        Ok(_) | Err(_) => 0,
    });
    bytes.sum()
}

#[cfg(unix)]
fn on_disk(found: &fs::Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    found.blocks() * 512
}

#[cfg(not(unix))]
fn on_disk(found: &fs::Metadata) -> u64 {
    found.len()
}
