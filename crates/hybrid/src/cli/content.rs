//! Torrents made of files and folders on disk, and the ones made before found again.

mod encrypt;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use headwater_base::ByteCount;
use headwater_hybrid::store::{self, RECORDS};
use headwater_metainfo::create::{Draft, Options};
use headwater_metainfo::{Torrent, Version};

/// Deepest folder that is looked into.
const DEPTH_MAX: usize = 64;

/// Bytes read at a time.
const READ_BYTES: usize = 1 << 20;

/// Why no torrent can be made of a path.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MakeError {
    /// A file or folder cannot be read.
    #[error("{path}: {error}")]
    Io {
        /// Which one.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// A name is not Unicode text.
    #[error("the name of {0} is not Unicode text")]
    Name(String),
    /// Folders within folders without end.
    #[error("{path} lies more than {allowed} folders deep")]
    Depth {
        /// Which one.
        path: String,
        /// Deepest allowed.
        allowed: usize,
    },
    /// A file changed while it was read.
    #[error("{0} changed while it was hashed")]
    Changed(String),
    /// A torrent cannot describe it.
    #[error(transparent)]
    Draft(#[from] headwater_metainfo::Error),
}

impl MakeError {
    /// A stable name of the error.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "unreadable",
            Self::Name(_) => "bad-name",
            Self::Depth { .. } => "too-deep",
            Self::Changed(_) => "changed",
            Self::Draft(error) => error.code(),
        }
    }
}

/// What lies at a path, in the order a torrent lists it.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    /// The folder above, free of symbolic links.
    pub(crate) root: PathBuf,
    /// The name of the file or folder.
    pub(crate) name: String,
    /// Whether it is a folder.
    pub(crate) folder: bool,
    files: Vec<Found>,
}

#[derive(Clone, Debug)]
struct Found {
    path: PathBuf,
    relative: String,
    length: u64,
    changed: Option<SystemTime>,
}

impl Content {
    /// Looks at `path`. Symbolic links inside a folder and our own records are left out.
    pub(crate) fn at(path: &Path) -> Result<Self, MakeError> {
        let path = path.canonicalize().map_err(|e| failed(path, e))?;
        let name = text(&path)?;
        let root = path.parent().unwrap_or(&path).to_owned();
        let folder = path.is_dir();
        let mut files = Vec::new();
        if folder {
            walk(&path, "", 0, &mut files)?;
        } else {
            files.push(found(&path, name.clone())?);
        }
        Ok(Self { root, name, folder, files })
    }

    /// The same as a torrent of that version lists it. v2 cannot say that the only file of a folder
    /// lies in one, so that such a folder is its file.
    pub(crate) fn for_version(self, version: Version) -> Self {
        match (version, &self.files[..]) {
            (Version::V2, [only]) if self.folder && !only.relative.contains('/') => Self {
                root: self.root.join(&self.name),
                name: only.relative.clone(),
                folder: false,
                files: self.files,
            },
            (Version::V1 | Version::V2 | Version::Hybrid, _) => self,
        }
    }

    /// Bytes of all files.
    pub(crate) fn length(&self) -> u64 {
        self.files.iter().map(|file| file.length).sum()
    }

    /// Hashes everything into a torrent and tells after each part how many bytes are done.
    pub(crate) fn hash(&self, options: Options, tell: impl Fn(u64)) -> Result<Torrent, MakeError> {
        let mut draft = if self.folder {
            let sizes = self.files.iter().map(|f| (f.relative.clone(), ByteCount(f.length)));
            Draft::folder(&self.name, sizes.collect(), options)?
        } else {
            Draft::single(&self.name, ByteCount(self.length()), options)?
        };
        let (mut done, mut buffer) = (0, vec![0; READ_BYTES]);
        for file in draft.order().to_vec().into_iter().filter_map(|at| self.files.get(at)) {
            let mut open = File::open(&file.path).map_err(|e| failed(&file.path, e))?;
            let mut left = file.length;
            while left > 0 {
                let part = usize::try_from(left).unwrap_or(READ_BYTES).min(READ_BYTES);
                let read = open.read(&mut buffer[..part]).map_err(|e| failed(&file.path, e))?;
                if read == 0 {
                    return Err(MakeError::Changed(file.path.display().to_string()));
                }
                draft.feed(&buffer[..read])?;
                left -= read as u64;
                done += read as u64;
                tell(done);
            }
            let again = found(&file.path, file.relative.clone())?;
            if (again.length, again.changed) != (file.length, file.changed) {
                return Err(MakeError::Changed(file.path.display().to_string()));
            }
        }
        Ok(draft.finish()?)
    }

    /// A torrent made of this before, of the version asked for, if nothing changed since.
    pub(crate) fn made_before(&self, version: Option<Version>) -> Option<Torrent> {
        let records = fs::read_dir(self.root.join(RECORDS)).ok()?;
        let mut paths: Vec<_> = records.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        paths.into_iter().find_map(|path| {
            let is_torrent = path.extension().is_some_and(|end| end == "torrent");
            let torrent = is_torrent.then(|| fs::read(path).ok()).flatten()?;
            let torrent = Torrent::parse(&torrent).ok()?;
            let made = version.is_none_or(|asked| torrent.version() == asked)
                && self.is_content_of(&torrent)
                && store::is_complete(&self.root, &torrent);
            made.then_some(torrent)
        })
    }

    /// Whether it is by name and size what a torrent describes; else what is not.
    pub(crate) fn fits(&self, torrent: &Torrent) -> Result<(), String> {
        if self.is_content_of(torrent) {
            return Ok(());
        }
        let (shown, name) = (self.root.join(&self.name), &torrent.name);
        Err(format!(
            "{} is not what the torrent describes: {name:?}, with {} bytes in {} files",
            shown.display(),
            torrent.length.0,
            torrent.files.iter().filter(|file| !file.pad).count(),
        ))
    }

    fn is_content_of(&self, torrent: &Torrent) -> bool {
        let real = torrent.files.iter().filter(|file| !file.pad);
        let theirs = real.map(|file| (file.path.as_str(), file.length.0));
        let ours = self.files.iter().map(|file| (file.relative.as_str(), file.length));
        torrent.name == self.name && torrent.folder == self.folder && theirs.eq(ours)
    }
}

fn walk(folder: &Path, prefix: &str, depth: usize, out: &mut Vec<Found>) -> Result<(), MakeError> {
    if depth > DEPTH_MAX {
        return Err(MakeError::Depth { path: folder.display().to_string(), allowed: DEPTH_MAX });
    }
    let entries = fs::read_dir(folder).map_err(|e| failed(folder, e))?;
    let mut entries: Vec<_> = entries.collect::<io::Result<_>>().map_err(|e| failed(folder, e))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let kind = entry.file_type().map_err(|e| failed(&path, e))?;
        if entry.file_name() == RECORDS || kind.is_symlink() {
            continue;
        }
        let relative = format!("{prefix}{}", text(&path)?);
        if kind.is_dir() {
            walk(&path, &format!("{relative}/"), depth + 1, out)?;
        } else if kind.is_file() {
            out.push(found(&path, relative)?);
        }
    }
    Ok(())
}

fn found(path: &Path, relative: String) -> Result<Found, MakeError> {
    let metadata = fs::metadata(path).map_err(|e| failed(path, e))?;
    let changed = metadata.modified().ok();
    Ok(Found { path: path.to_owned(), relative, length: metadata.len(), changed })
}

fn text(path: &Path) -> Result<String, MakeError> {
    let name = path.file_name().and_then(|name| name.to_str());
    name.map(str::to_owned).ok_or_else(|| MakeError::Name(path.display().to_string()))
}

fn failed(path: &Path, error: io::Error) -> MakeError {
    MakeError::Io { path: path.display().to_string(), error }
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::sync::Arc;

    use headwater_base::Bitfield;
    use headwater_hybrid::store::{Opening, Store, save_torrent};

    use super::*;

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

    #[test]
    fn what_was_made_of_a_folder_is_found_again_by_version() {
        let folder = Folder::new("found");
        fs::create_dir_all(folder.0.join("film/b")).expect("a folder");
        for (path, bytes) in [("a.bin", vec![1; 100_000]), ("b/c", vec![2; 9]), ("b.txt", vec![3])]
        {
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
            drop(
                Store::open(
                    &folder.0,
                    Arc::clone(&made),
                    &Opening { verified: Some(full), ..Opening::default() },
                )
                .expect("it opens"),
            );
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
            let opened = Store::open(
                &content.root,
                Arc::clone(&made),
                &Opening { verified: Some(full), ..Opening::default() },
            );
            assert_eq!(opened.expect("it opens").1.have.count(), made.piece_count(), "{version:?}");
        }
    }
}
