//! Reads torrents and bare info dictionaries. Decides what is refused and what is mended.

mod around;
mod v1;
mod v2;

use bytes::Bytes;
use headwater_base::{ByteCount, Digest1, InfoHash, sha1, sha256};

use super::layout::laid_out;
use super::{File, Layers, Torrent};
use crate::bencode::{Dict, Rules, Value};
use crate::path::{safe_name, safe_part, tell_apart};
use crate::{Error, RawPublication, limit};

pub(crate) use around::Seen;
use around::{lookup_either, text, trackers, web_seeds};

/// Files and what they are called together.
struct Content {
    name: String,
    folder: bool,
    files: Vec<File>,
}

impl Torrent {
    /// Reads the bytes of a `.torrent` file. Bytes after its dictionary are ignored.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let (value, _) = Rules::default().parse_prefix(bytes)?;
        let root = value.dict().ok_or(Error::NotDict)?;
        let info = root.lookup("info").ok_or(Error::NoInfo)?;
        let mut torrent = read_info(info)?;
        if torrent.info_hash_v2.is_some() {
            torrent.layers = v2::layers(root, &torrent)?;
        }
        torrent.trackers = trackers(root);
        torrent.web_seeds = web_seeds(root, torrent.files.len() > 1);
        torrent.comment = text(root, "comment.utf-8", "comment");
        torrent.created_by = text(root, "created by.utf-8", "created by");
        torrent.creation_date = root.lookup("creation date").and_then(Value::int);
        torrent.publication = root.lookup("hw").and_then(|hw| RawPublication::read(hw.raw()));
        Ok(torrent)
    }

    /// Reads a bare info dictionary, as peers send it (BEP 9). Nothing may follow it. The piece
    /// layers of v2 are no part of it.
    pub fn from_info(info: Bytes) -> Result<Self, Error> {
        let value = Rules::default().parse(&info)?;
        let torrent = read_info(&value)?;
        Ok(Self { info, ..torrent })
    }
}

fn read_info(value: &Value<'_>) -> Result<Torrent, Error> {
    let info = value.dict().ok_or(Error::NoInfo)?;
    let tree = file_tree(info, value)?;
    let piece_length = piece_length(info, tree.is_some())?;
    let v1_hash = InfoHash(sha1(value.raw()));
    let list = info.lookup("files").and_then(Value::list);
    // What has a file tree and no other list of files is of v2 alone.
    let has_v1 = tree.is_none() || list.is_some() || info.lookup("length").is_some();
    let v1 = if has_v1 { Some(v1::content(info, list, v1_hash)?) } else { None };
    let v2 = match tree {
        Some(tree) => Some(v2::content(info, tree, list.is_some(), v1_hash, value.raw().len())?),
        None => None,
    };
    let content = match (v1, v2) {
        (Some(v1), Some(v2)) => v2::joined(v1, v2, piece_length)?,
        (Some(v1), None) => v1,
        (None, Some(v2)) => Content { files: laid_out(v2.files, piece_length), ..v2 },
        (None, None) => return Err(Error::NoFiles),
    };
    let Content { name, folder, mut files } = content;
    tell_apart(&mut files)?;
    let length = total(&files, piece_length)?;
    let pieces = pieces(info, length, piece_length, has_v1)?;
    let info_hash_v2 = tree.map(|_| sha256(value.raw()));
    let cut = info_hash_v2.filter(|_| !has_v1).map(|hash| InfoHash::cut(&hash));
    Ok(Torrent {
        info_hash: cut.unwrap_or(v1_hash),
        info_hash_v2,
        info: Bytes::copy_from_slice(value.raw()),
        name,
        folder,
        length,
        piece_length,
        pieces,
        layers: Layers::default(),
        files,
        private: info.lookup("private").and_then(Value::int).is_some_and(|flag| flag != 0),
        trackers: Vec::new(),
        web_seeds: Vec::new(),
        comment: None,
        created_by: None,
        creation_date: None,
        publication: None,
    })
}

/// The file tree of what says to be v2; nothing for v1. What names a version must be strict
/// bencode throughout (BEP 52), `raw` being all of it.
fn file_tree<'v, 'a>(info: &'v Dict<'a>, raw: &Value<'a>) -> Result<Option<&'v Dict<'a>>, Error> {
    let version = info.lookup("meta version").and_then(Value::int).unwrap_or(0);
    if version > 2 {
        return Err(Error::MetaVersion { found: version });
    }
    if version > 0 && !raw.is_canonical() {
        return Err(Error::KeyOrder);
    }
    let tree = info.lookup("file tree").and_then(Value::dict);
    if tree.is_some() == (version == 2) { Ok(tree) } else { Err(Error::HalfV2) }
}

fn piece_length(info: &Dict<'_>, is_v2: bool) -> Result<u32, Error> {
    let found = info.lookup("piece length").and_then(Value::int);
    let length = found
        .and_then(|length| u32::try_from(length).ok())
        .filter(|length| (1..=limit::PIECE_LENGTH_MAX).contains(length))
        .ok_or(Error::PieceLength { found, allowed: limit::PIECE_LENGTH_MAX })?;
    let min = limit::PIECE_LENGTH_CREATED_MIN;
    if is_v2 && !(length.is_power_of_two() && length >= min) {
        return Err(Error::PowerPieceLength { found: length, min, max: limit::PIECE_LENGTH_MAX });
    }
    Ok(length)
}

/// Bytes of all files, when there are neither none nor too many.
fn total(files: &[File], piece_length: u32) -> Result<ByteCount, Error> {
    let length = files.last().map_or(ByteCount(0), |file| file.offset + file.length);
    if !(1..=limit::LENGTH_MAX).contains(&length.0) {
        return Err(Error::TotalLength { found: length.0, allowed: limit::LENGTH_MAX });
    }
    let found = length.0.div_ceil(u64::from(piece_length));
    if found > limit::PIECES_MAX {
        return Err(Error::TooManyPieces { found, allowed: limit::PIECES_MAX });
    }
    Ok(length)
}

/// The hashes of v1. What is of v2 alone has none, and when it lists some they must be as many.
fn pieces(
    info: &Dict<'_>,
    length: ByteCount,
    piece_length: u32,
    has_v1: bool,
) -> Result<Vec<Digest1>, Error> {
    let bytes = match info.lookup("pieces").and_then(Value::bytes) {
        Some(bytes) => bytes,
        None if has_v1 => return Err(Error::NoPieces),
        None => return Ok(Vec::new()),
    };
    let expected = length.0.div_ceil(u64::from(piece_length)) * size_of::<Digest1>() as u64;
    if bytes.len() as u64 != expected {
        return Err(Error::Pieces { found: bytes.len(), expected });
    }
    let (digests, _) = bytes.as_chunks();
    Ok(if has_v1 { digests.to_vec() } else { Vec::new() })
}

/// The name of the torrent as it came.
fn name<'v>(info: &'v Dict<'_>) -> Result<&'v [u8], Error> {
    lookup_either(info, "name.utf-8", "name", |value| value.bytes()).ok_or(Error::Name)
}

/// A folder may be called anything, so one without a usable name takes the hash.
fn folder_name(info: &Dict<'_>, hash: InfoHash) -> Result<String, Error> {
    Ok(safe_name(name(info)?).unwrap_or_else(|| hash.to_string()))
}

/// BEP 47: `l` is a symbolic link, `p` is padding.
fn attributes<'a>(entry: &Dict<'a>) -> &'a [u8] {
    entry.lookup("attr").and_then(Value::bytes).unwrap_or_default()
}

/// BEP 47: a symbolic link takes no room, whatever length it claims.
fn file_length(entry: &Dict<'_>, file: usize) -> Result<ByteCount, Error> {
    if attributes(entry).contains(&b'l') {
        return Ok(ByteCount(0));
    }
    let found = entry.lookup("length").and_then(Value::int);
    found
        .and_then(|length| u64::try_from(length).ok())
        .filter(|length| *length <= limit::FILE_LENGTH_MAX)
        .map(ByteCount)
        .ok_or(Error::FileLength { file, found, allowed: limit::FILE_LENGTH_MAX })
}

/// Whether a file is a symbolic link. Links are never made, but what they say must make sense.
fn is_link(entry: &Dict<'_>, file: usize) -> Result<bool, Error> {
    let is_link = attributes(entry).contains(&b'l');
    if is_link && let Some(target) = entry.lookup("symlink path").and_then(Value::list) {
        path(target, file)?;
    }
    Ok(is_link)
}

fn path(parts: &[Value<'_>], file: usize) -> Result<String, Error> {
    let (found, allowed) = (parts.len(), limit::PATH_PARTS_MAX);
    if found > allowed {
        return Err(Error::PathDepth { file, found, allowed });
    }
    let names: Option<Vec<_>> = parts.iter().map(|part| part.bytes().map(safe_part)).collect();
    Ok(names.ok_or(Error::Path { file })?.join("/"))
}
