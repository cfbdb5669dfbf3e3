//! Where the bytes of a torrent lie below a folder, and the only way to open them.
//! No path leaves the folder: not by name, not by symbolic link. Pad files lie nowhere.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use headwater_base::PieceIndex;
use headwater_metainfo::Torrent;

/// Where the records of the torrents of a folder lie, below it.
pub(crate) const RECORDS: &str = ".headwater";

/// Part of one file that holds part of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// Which file of the torrent.
    pub(super) file: usize,
    /// Where in the file.
    pub(super) offset: u64,
    /// How many bytes.
    pub(super) len: usize,
    /// Whether these are padding, all zeros.
    pub(super) pad: bool,
}

/// The files that hold `len` bytes from `begin` of `piece`, in order.
pub(super) fn spans(torrent: &Torrent, piece: PieceIndex, begin: u32, len: u32) -> Vec<Span> {
    let start = u64::from(piece.0) * u64::from(torrent.piece_length) + u64::from(begin);
    let end = start.saturating_add(u64::from(len)).min(torrent.length.0);
    let ends_at = |i: usize| torrent.files[i].offset.0 + torrent.files[i].length.0;
    let first = torrent.files.partition_point(|file| file.offset.0 + file.length.0 <= start);
    let mut out = Vec::new();
    for file in first..torrent.files.len() {
        let from = torrent.files[file].offset.0.max(start);
        let to = ends_at(file).min(end);
        if torrent.files[file].offset.0 >= end {
            break;
        }
        if from < to {
            let offset = from - torrent.files[file].offset.0;
            let len = (to - from) as usize;
            out.push(Span { file, offset, len, pad: torrent.files[file].pad });
        }
    }
    out
}

/// The pieces that hold bytes of `file`.
pub(super) fn pieces_of(torrent: &Torrent, file: usize) -> std::ops::Range<u32> {
    let file = &torrent.files[file];
    if file.length.0 == 0 || torrent.piece_length == 0 {
        return 0..0;
    }
    let piece = u64::from(torrent.piece_length);
    let first = file.offset.0 / piece;
    let last = (file.offset.0 + file.length.0 - 1) / piece;
    first as u32..last as u32 + 1
}

/// Whether the files lie in a folder of the torrent's name.
pub(crate) fn is_folder(torrent: &Torrent) -> bool {
    torrent.files.len() != 1 || torrent.files[0].path != torrent.name
}

/// The path of `file` below the folder, `/` between parts.
pub(crate) fn relative(torrent: &Torrent, file: usize) -> String {
    let path = &torrent.files[file].path;
    if is_folder(torrent) { format!("{}/{path}", torrent.name) } else { path.clone() }
}

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
    OpenOptions::new().read(true).write(write).create(write).truncate(false).open(path)
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
