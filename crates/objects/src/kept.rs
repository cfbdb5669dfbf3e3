//! What is remembered of objects between runs: the torrent they are, what they looked like, and
//! which pieces were right. One file for each URL and torrent, replaced whole.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use headwater_base::{Bitfield, PieceIndex, hex, sha1, unhex};
use headwater_metainfo::{Torrent, Version};
use serde::{Deserialize, Serialize};

use crate::content::{Content, Object};
use crate::limit;

/// The version of the form below.
const VERSION: u32 = 1;

/// Which objects are a torrent's files, and which pieces of it are known to be right.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Where it is remembered; `None` for nowhere.
    file: Option<PathBuf>,
    record: Record,
    have: Bitfield,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    version: u32,
    url: String,
    info_hash: String,
    /// In the order of the torrent's files.
    objects: Vec<Object>,
    /// A bit a piece, in hexadecimal digits.
    have: String,
}

impl Kept {
    /// What is known of a torrent that was just made of these objects, in the order of its files.
    /// It is to be remembered in `folder`, if there is one.
    pub fn hashed(
        folder: Option<&Path>,
        content: &Content,
        torrent: &Torrent,
        objects: Vec<Object>,
    ) -> Self {
        let have = Bitfield::full(torrent.piece_count());
        Self { have, ..Self::new(folder, content, torrent, objects) }
    }

    /// What is remembered of a torrent that was made elsewhere and these objects, in the order of
    /// its files: pieces of objects that are still the same.
    pub fn of(
        folder: Option<&Path>,
        content: &Content,
        torrent: &Torrent,
        objects: Vec<Object>,
    ) -> Self {
        let mut kept = Self::new(folder, content, torrent, objects);
        let before = kept.file.as_deref().and_then(|file| read(file).ok());
        let Some(before) = before.filter(|before| before.info_hash == kept.record.info_hash) else {
            return kept;
        };
        let Some(have) = bits(&before.have, torrent.piece_count()) else { return kept };
        kept.have = have;
        let real = torrent.files.iter().enumerate().filter(|(_, file)| !file.pad);
        for ((file, _), (now, then)) in
            real.zip(kept.record.objects.iter().map(Some).zip(all(&before.objects)))
        {
            if now != then {
                for piece in torrent.file_pieces(file) {
                    kept.have.clear(PieceIndex(piece));
                }
            }
        }
        kept
    }

    /// A torrent that was made of this content before, of the version asked for, if every object is
    /// still the same.
    pub fn find(
        folder: &Path,
        content: &Content,
        version: Option<Version>,
    ) -> Option<(Torrent, Self)> {
        let start = format!("{}-", url_name(content.location.url()));
        let entries = fs::read_dir(folder).ok()?.take(limit::RECORDS_MAX);
        let mut files: Vec<_> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                name.starts_with(&start) && name.ends_with(".json")
            })
            .collect();
        files.sort();
        files.into_iter().find_map(|file| {
            let record = read(&file).ok()?;
            let torrent = read_torrent(&file.with_extension("torrent")).ok()?;
            let have = bits(&record.have, torrent.piece_count())?;
            let mut objects = record.objects.clone();
            objects.sort_by(|a, b| a.path.cmp(&b.path));
            let fits = version.is_none_or(|asked| torrent.version() == asked)
                && record.info_hash == torrent.info_hash.to_string()
                && record.url == content.location.url()
                && objects.len() == torrent.files.iter().filter(|file| !file.pad).count()
                && objects == content.objects();
            fits.then_some((torrent, Self { file: Some(file), record, have }))
        })
    }

    fn new(
        folder: Option<&Path>,
        content: &Content,
        torrent: &Torrent,
        objects: Vec<Object>,
    ) -> Self {
        let url = content.location.url().to_owned();
        let info_hash = torrent.info_hash.to_string();
        let file = folder.map(|folder| folder.join(format!("{}-{info_hash}.json", url_name(&url))));
        let record = Record { version: VERSION, url, info_hash, objects, have: String::new() };
        Self { file, record, have: Bitfield::empty(torrent.piece_count()) }
    }

    /// Pieces that were right when they were hashed last.
    pub(crate) fn have(&self) -> &Bitfield {
        &self.have
    }

    /// In the order of the torrent's files, pad files left out.
    pub(crate) fn objects(&self) -> &[Object] {
        &self.record.objects
    }

    pub(crate) fn note(&mut self, piece: PieceIndex, right: bool) {
        if right {
            self.have.set(piece);
        } else {
            self.have.clear(piece);
        }
    }

    /// Remembers all of it, the torrent too.
    pub fn save_all(&mut self, torrent: &Torrent) -> io::Result<()> {
        if let Some(file) = &self.file {
            write(&file.with_extension("torrent"), &torrent.to_bytes())?;
        }
        self.save()
    }

    /// Replaces the file, all or nothing.
    pub(crate) fn save(&mut self) -> io::Result<()> {
        self.record.have = hex(self.have.as_bytes());
        let Some(file) = &self.file else { return Ok(()) };
        write(file, &serde_json::to_vec(&self.record)?)
    }
}

/// The objects, and nothing after the last.
fn all(objects: &[Object]) -> impl Iterator<Item = Option<&Object>> {
    objects.iter().map(Some).chain(std::iter::repeat(None))
}

/// What a URL is called in names of files.
fn url_name(url: &str) -> String {
    hex(&sha1(url.as_bytes()))
}

fn bits(text: &str, count: u32) -> Option<Bitfield> {
    Bitfield::from_bytes(&unhex(text)?, count)
}

fn read(file: &Path) -> io::Result<Record> {
    let record: Record = serde_json::from_slice(&read_some(file)?)?;
    if record.version != VERSION {
        return Err(io::Error::other("a record of another version"));
    }
    Ok(record)
}

fn read_torrent(file: &Path) -> io::Result<Torrent> {
    Torrent::parse(&read_some(file)?).map_err(io::Error::other)
}

fn read_some(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(limit::RECORD_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Two processes may write the same: each has a file of its own, and the last one's stays.
fn write(file: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let extension = file.extension().unwrap_or_default().to_string_lossy();
    let fresh = file.with_extension(format!("{extension}.{}", std::process::id()));
    let mut out = File::create(&fresh)?;
    out.write_all(bytes)?;
    out.sync_all()?;
    fs::rename(&fresh, file)
}
