//! The only way to a torrent's files below a folder, and positioned reads and writes there.
//! No path leaves the folder, neither by name nor by symbolic link.

use std::collections::BTreeSet;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::Preallocate;

/// Where the records of the torrents of a folder lie, below it.
pub const RECORDS: &str = ".headwater";

/// Finds `relative` below `root`, which is canonical, following no link that leads out.
pub(super) fn resolve(root: &Path, relative: &str) -> io::Result<PathBuf> {
    walk(root, relative, None)
}

/// The same for a file that may not be there yet: makes the folders it lacks, and names those whose
/// own folder must be flushed before the file survives a crash.
pub(super) fn make_way(
    root: &Path,
    relative: &str,
    folders: &mut BTreeSet<PathBuf>,
) -> io::Result<PathBuf> {
    walk(root, relative, Some(folders))
}

fn walk(
    root: &Path,
    relative: &str,
    mut made: Option<&mut BTreeSet<PathBuf>>,
) -> io::Result<PathBuf> {
    let mut path = root.to_owned();
    if relative.split('/').next().is_some_and(|first| first.eq_ignore_ascii_case(RECORDS)) {
        return Err(io::Error::other(format!("{RECORDS} is kept for records")));
    }
    let mut parts = relative.split('/').peekable();
    while let Some(part) = parts.next() {
        if part.is_empty() || part == "." || part == ".." || part.contains(['\\', '\0']) {
            return Err(io::Error::other(format!("unsafe path {relative:?}")));
        }
        path.push(part);
        match (fs::symlink_metadata(&path), &mut made) {
            (Ok(found), _) if found.is_symlink() => {
                path = path.canonicalize()?;
                if !path.starts_with(root) {
                    return Err(io::Error::other(format!("{relative:?} is a link that leads out")));
                }
            }
            (Ok(_), _) => {}
            (Err(e), Some(made)) if e.kind() == io::ErrorKind::NotFound => {
                if parts.peek().is_some() {
                    fs::create_dir(&path)?;
                }
                made.extend(path.parent().map(Path::to_owned));
            }
            (Err(e), _) => return Err(e),
        }
    }
    Ok(path)
}

/// Opens a file for reading, or for both; then it is made if need be.
pub(super) fn open(path: &Path, write: bool) -> io::Result<File> {
    OpenOptions::new().read(true).write(write).create(write).truncate(false).open(path)
}

/// Cuts a file that is too long and takes the room it is to have; tells whether it changed.
pub(super) fn size(file: &File, length: u64, how: Preallocate) -> io::Result<bool> {
    let found = file.metadata()?.len();
    if found > length || how == Preallocate::Sparse && found < length {
        file.set_len(length)?;
        return Ok(true);
    }
    if how != Preallocate::Full || fs4::FileExt::allocated_size(file)? >= length {
        return Ok(false);
    }
    match fs4::FileExt::allocate(file, length) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::Unsupported => Err(io::Error::other(
            "this file system cannot set room aside: use --preallocate sparse or none",
        )),
        Err(e) => Err(e),
    }
}

/// What tells a file from another of the same name, where the system has such a thing.
#[cfg(unix)]
pub(super) fn identity(found: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (found.dev(), found.ino())
}

#[cfg(not(unix))]
pub(super) fn identity(_: &Metadata) -> (u64, u64) {
    (0, 0)
}

/// Makes a folder and those above it as far as they are missing; their names survive a crash.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    let missing = folder.ancestors().take_while(|folder| !folder.exists());
    let above: Vec<&Path> = missing.filter_map(Path::parent).collect();
    fs::create_dir_all(folder)?;
    above.into_iter().try_for_each(|folder| match folder.as_os_str().is_empty() {
        true => sync_folder(Path::new(".")),
        false => sync_folder(folder),
    })
}

/// Makes the names in a folder survive a crash; those of files are not part of the files.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    // Elsewhere folders cannot be opened like files, and keep their names by themselves.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Gives a file or folder another path, where nothing may be yet.
pub(super) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // Not every file system can look and rename at once.
            Err(rustix::io::Errno::INVAL) => {}
            done => return done.map_err(Into::into),
        }
    }
    match fs::symlink_metadata(to) {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(from, to),
    }
}

#[cfg(unix)]
pub(super) fn read_at(file: &File, out: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, out, offset)
}

#[cfg(unix)]
pub(super) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(windows)]
pub(super) fn read_at(file: &File, mut out: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !out.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, out, offset)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => (out, offset) = (&mut out[n..], offset + n as u64),
        }
    }
    Ok(())
}

#[cfg(windows)]
pub(super) fn write_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let n = std::os::windows::fs::FileExt::seek_write(file, bytes, offset)?;
        (bytes, offset) = (&bytes[n..], offset + n as u64);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_path_is_taken_only_where_nothing_is() {
        let folder = std::env::temp_dir().join(format!("headwater-rename-{}", std::process::id()));
        fs::create_dir_all(folder.join("a")).expect("a folder");
        fs::write(folder.join("b"), "b").expect("a write");
        fs::write(folder.join("c"), "c").expect("a write");
        let taken = |from: &str, to: &str| {
            let done = rename_new(&folder.join(from), &folder.join(to));
            done.map_err(|e| e.kind())
        };
        assert_eq!(taken("b", "c"), Err(io::ErrorKind::AlreadyExists));
        assert_eq!(taken("c", "a"), Err(io::ErrorKind::AlreadyExists));
        assert_eq!(taken("b", "d"), Ok(()));
        assert_eq!(fs::read_to_string(folder.join("c")).expect("a file"), "c");
        let _ = fs::remove_dir_all(&folder);
    }
}
