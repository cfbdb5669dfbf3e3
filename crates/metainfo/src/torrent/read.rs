//! Reads torrents and bare info dictionaries. Decides what is refused and what is mended.

use bytes::Bytes;
use headwater_base::{ByteCount, Digest1, InfoHash, sha1};

use super::{File, Torrent};
use crate::bencode::{Dict, Rules, Value};
use crate::path::{safe_name, safe_part, tell_apart};
use crate::{Error, limit, url};

/// How clients without BEP 47 mark padding: by this start of the name.
const PADDING_NAME: &str = "_____padding_file_";

impl Torrent {
    /// Reads the bytes of a `.torrent` file. Bytes after its dictionary are ignored.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let (value, _) = Rules::default().parse_prefix(bytes)?;
        let root = value.dict().ok_or(Error::NotDict)?;
        let info = root.lookup("info").ok_or(Error::NoInfo)?;
        let mut torrent = read_info(info)?;
        torrent.trackers = trackers(root);
        torrent.web_seeds = web_seeds(root, torrent.files.len() > 1);
        torrent.comment = text(root, "comment.utf-8", "comment");
        torrent.created_by = text(root, "created by.utf-8", "created by");
        torrent.creation_date = root.lookup("creation date").and_then(Value::int);
        Ok(torrent)
    }

    /// Reads a bare info dictionary, as peers send it (BEP 9). Nothing may follow it.
    pub fn from_info(info: Bytes) -> Result<Self, Error> {
        let value = Rules::default().parse(&info)?;
        let torrent = read_info(&value)?;
        Ok(Self { info, ..torrent })
    }
}

fn read_info(value: &Value<'_>) -> Result<Torrent, Error> {
    let info = value.dict().ok_or(Error::NoInfo)?;
    check_version(info)?;
    let piece_length = piece_length(info)?;
    let info_hash = InfoHash(sha1(value.raw()));
    let name = lookup_either(info, "name.utf-8", "name", |value| value.bytes());
    let name = name.ok_or(Error::Name)?;
    let list = info.lookup("files").and_then(Value::list);
    let (name, files) = match list {
        // A folder may be called anything, so one without a usable name takes the hash.
        Some(list) => (safe_name(name).unwrap_or_else(|| info_hash.to_string()), many_files(list)?),
        None => one_file(info, safe_name(name).ok_or(Error::Name)?)?,
    };
    let length = files.last().map_or(ByteCount(0), |file| file.offset + file.length);
    if length.0 == 0 {
        return Err(Error::TotalLength { found: 0, allowed: limit::LENGTH_MAX });
    }
    Ok(Torrent {
        info_hash,
        info: Bytes::copy_from_slice(value.raw()),
        name,
        folder: list.is_some(),
        length,
        piece_length,
        pieces: pieces(info, length, piece_length)?,
        files,
        private: info.lookup("private").and_then(Value::int).is_some_and(|flag| flag != 0),
        trackers: Vec::new(),
        web_seeds: Vec::new(),
        comment: None,
        created_by: None,
        creation_date: None,
    })
}

/// Hybrids are read by their v1 half (BEP 52); what has no such half is refused.
fn check_version(info: &Dict<'_>) -> Result<(), Error> {
    let version = info.lookup("meta version").and_then(Value::int).filter(|version| *version > 0);
    let tree = info.lookup("file tree").is_some();
    match version {
        None if tree => Err(Error::HalfV2),
        None => Ok(()),
        Some(2) if !tree => Err(Error::HalfV2),
        Some(2) if info.lookup("pieces").is_none() => Err(Error::V2Only),
        Some(2) => Ok(()),
        Some(found) => Err(Error::MetaVersion { found }),
    }
}

fn piece_length(info: &Dict<'_>) -> Result<u32, Error> {
    let found = info.lookup("piece length").and_then(Value::int);
    found
        .and_then(|length| u32::try_from(length).ok())
        .filter(|length| (1..=limit::PIECE_LENGTH_MAX).contains(length))
        .ok_or(Error::PieceLength { found, allowed: limit::PIECE_LENGTH_MAX })
}

fn pieces(info: &Dict<'_>, length: ByteCount, piece_length: u32) -> Result<Vec<Digest1>, Error> {
    let count = length.0.div_ceil(u64::from(piece_length));
    if count > limit::PIECES_MAX {
        return Err(Error::TooManyPieces { found: count, allowed: limit::PIECES_MAX });
    }
    let bytes = info.lookup("pieces").and_then(Value::bytes).ok_or(Error::NoPieces)?;
    let expected = count * size_of::<Digest1>() as u64;
    if bytes.len() as u64 != expected {
        return Err(Error::Pieces { found: bytes.len(), expected });
    }
    let (digests, _) = bytes.as_chunks();
    Ok(digests.to_vec())
}

fn one_file(info: &Dict<'_>, name: String) -> Result<(String, Vec<File>), Error> {
    let link = attributes(info).contains(&b'l');
    let length = if link { ByteCount(0) } else { file_length(info, 0)? };
    let file = File { path: name.clone(), length, offset: ByteCount(0), pad: false };
    Ok((name, vec![file]))
}

fn many_files(list: &[Value<'_>]) -> Result<Vec<File>, Error> {
    if list.is_empty() {
        return Err(Error::NoFiles);
    }
    if list.len() > limit::FILES_MAX {
        return Err(Error::TooManyFiles { found: list.len(), allowed: limit::FILES_MAX });
    }
    let mut offset = ByteCount(0);
    let mut files = Vec::with_capacity(list.len());
    for (at, entry) in list.iter().enumerate() {
        let entry = entry.dict().ok_or(Error::FileEntry { file: at })?;
        let file = file(entry, at, offset)?;
        offset += file.length;
        if offset.0 > limit::LENGTH_MAX {
            return Err(Error::TotalLength { found: offset.0, allowed: limit::LENGTH_MAX });
        }
        files.push(file);
    }
    tell_apart(&mut files)?;
    Ok(files)
}

fn file(entry: &Dict<'_>, at: usize, offset: ByteCount) -> Result<File, Error> {
    let attr = attributes(entry);
    let link = attr.contains(&b'l');
    // BEP 47: a symbolic link takes no room, whatever length it claims.
    let length = if link { ByteCount(0) } else { file_length(entry, at)? };
    if link && let Some(target) = entry.lookup("symlink path").and_then(Value::list) {
        path(target, at)?;
    }
    let parts = lookup_either(entry, "path.utf-8", "path", |value| value.list());
    let (path, padding) = match parts {
        Some(parts @ [.., last]) => {
            let name = last.bytes().unwrap_or_default();
            (path(parts, at)?, name.starts_with(PADDING_NAME.as_bytes()))
        }
        _ if attr.contains(&b'p') => (format!(".pad/{length}"), true),
        _ => return Err(Error::Path { file: at }),
    };
    Ok(File { path, length, offset, pad: padding || link || attr.contains(&b'p') })
}

/// BEP 47: `l` is a symbolic link, `p` is padding.
fn attributes<'a>(entry: &Dict<'a>) -> &'a [u8] {
    entry.lookup("attr").and_then(Value::bytes).unwrap_or_default()
}

fn file_length(entry: &Dict<'_>, file: usize) -> Result<ByteCount, Error> {
    let found = entry.lookup("length").and_then(Value::int);
    found
        .and_then(|length| u64::try_from(length).ok())
        .filter(|length| *length <= limit::LENGTH_MAX)
        .map(ByteCount)
        .ok_or(Error::FileLength { file, found, allowed: limit::LENGTH_MAX })
}

fn path(parts: &[Value<'_>], file: usize) -> Result<String, Error> {
    let (found, allowed) = (parts.len(), limit::PATH_PARTS_MAX);
    if found > allowed {
        return Err(Error::PathDepth { file, found, allowed });
    }
    let names: Option<Vec<_>> = parts.iter().map(|part| part.bytes().map(safe_part)).collect();
    Ok(names.ok_or(Error::Path { file })?.join("/"))
}

/// Tiers of trackers without what is no address and without repeats. The single `announce`
/// counts only where no list names a tracker (BEP 12).
fn trackers(root: &Dict<'_>) -> Vec<Vec<String>> {
    let mut seen = Seen::new(limit::TRACKERS_MAX);
    let tiers = root.lookup("announce-list").and_then(Value::list).unwrap_or_default();
    let tiers = tiers.iter().filter_map(Value::list).map(|tier| {
        let urls = tier.iter().filter_map(|url| url::tracker(url.bytes()?));
        urls.filter(|url| seen.is_new(url)).collect::<Vec<_>>()
    });
    let tiers: Vec<_> = tiers.filter(|tier| !tier.is_empty()).collect();
    if !tiers.is_empty() {
        return tiers;
    }
    let announce = root.lookup("announce").and_then(|url| url::tracker(url.bytes()?));
    announce.map(|url| vec![vec![url]]).unwrap_or_default()
}

/// Web seeds without what is no address and without repeats. That of several files is a folder
/// (BEP 19), so it ends in a slash.
fn web_seeds(root: &Dict<'_>, folder: bool) -> Vec<String> {
    let Some(value) = root.lookup("url-list") else { return Vec::new() };
    let mut seen = Seen::new(limit::WEB_SEEDS_MAX);
    let urls = value.list().unwrap_or(core::slice::from_ref(value)).iter();
    let urls = urls.filter_map(|url| url::web_seed(url.bytes()?)).map(|mut url| {
        if folder && !url.ends_with('/') {
            url.push('/');
        }
        url
    });
    urls.filter(|url| seen.is_new(url)).collect()
}

fn text(root: &Dict<'_>, first: &str, second: &str) -> Option<String> {
    let bytes = lookup_either(root, first, second, |value| value.bytes())?;
    Some(String::from_utf8_lossy(bytes).into_owned())
}

/// The first of two keys that holds a value of the right kind.
fn lookup_either<'v, T>(
    dict: &'v Dict<'_>,
    first: &str,
    second: &str,
    kind: impl Fn(&'v Value<'_>) -> Option<T>,
) -> Option<T> {
    dict.lookup(first).and_then(&kind).or_else(|| dict.lookup(second).and_then(&kind))
}

/// Lets each address pass once, and only so many.
pub(crate) struct Seen {
    urls: std::collections::BTreeSet<String>,
    max: usize,
}

impl Seen {
    pub(crate) fn new(max: usize) -> Self {
        Self { urls: std::collections::BTreeSet::new(), max }
    }

    pub(crate) fn is_new(&mut self, url: &str) -> bool {
        self.urls.len() < self.max && self.urls.insert(url.to_owned())
    }
}
