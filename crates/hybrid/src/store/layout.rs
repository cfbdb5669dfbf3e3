//! The only way to a torrent's files below a folder, and positioned reads and writes there.
//! No path leaves the folder, neither by name nor by symbolic link.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Where the records of the torrents of a folder lie, below it.
pub(crate) const RECORDS: &str = ".headwater";

/// Finds `relative` below `root`, following no link that leads out; makes folders if asked.
pub(super) fn resolve(root: &Path, relative: &str, make: bool) -> io::Result<PathBuf> {
    let root = root.canonicalize()?;
    let mut path = root.clone();
    if relative.split('/').next().is_some_and(|first| first.eq_ignore_ascii_case(RECORDS)) {
        return Err(io::Error::other(format!("{RECORDS} is kept for records")));
    }
    let mut parts = relative.split('/').peekable();
    while let Some(part) = parts.next() {
        if part.is_empty() || part == "." || part == ".." || part.contains(['\\', '\0']) {
            return Err(io::Error::other(format!("unsafe path {relative:?}")));
        }
        path.push(part);
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_symlink() => {
                path = path.canonicalize()?;
                if !path.starts_with(&root) {
                    return Err(io::Error::other(format!("{relative:?} is a link that leads out")));
                }
            }
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::NotFound && make => {
                if parts.peek().is_some() {
                    fs::create_dir(&path)?;
                    path.parent().map_or(Ok(()), sync_folder)?;
                }
            }
            Err(e) => return Err(e),
        }
    }
    Ok(path)
}

/// Opens `relative` below `root`; for writing it is created as needed.
pub(super) fn open(root: &Path, relative: &str, write: bool) -> io::Result<File> {
    let path = resolve(root, relative, write)?;
    let is_new = write && !path.exists();
    let options = || OpenOptions::new().read(true).write(write).create(write).to_owned();
    let file = options().truncate(false).open(&path)?;
    if is_new {
        path.parent().map_or(Ok(()), sync_folder)?;
    }
    Ok(file)
}

/// Makes the names in a folder survive a crash; those of files are not part of the files.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    // Elsewhere folders cannot be opened like files, and keep their names by themselves.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
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
