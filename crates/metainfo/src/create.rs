//! Makes torrents of v1, v2 or both: from names, lengths and the bytes themselves.
//! Reads no file and no clock; both come in from outside.

mod info;
mod tree;

use bytes::Bytes;
use headwater_base::{ByteCount, Digest256, Sha1};

use crate::path::{safe_name, safe_part, tell_apart};
use crate::torrent::{laid_out, spans};
use crate::{Error, File, Torrent, Version, limit};
use tree::TreeHash;

/// What a torrent says beside its files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Which protocols describe it. v1 unless told otherwise: every client reads that, and a
    /// hybrid shows its padding as files in clients that know only v1.
    pub version: Version,
    /// Bytes in a piece: a power of two. Chosen by the total length when missing.
    pub piece_length: Option<u32>,
    /// Tracker tiers.
    pub trackers: Vec<Vec<String>>,
    /// Web seeds.
    pub web_seeds: Vec<String>,
    /// Whether only the named trackers may introduce peers (BEP 27).
    pub private: bool,
    /// Whether padding (BEP 47) lets every file of a folder start at a piece of its own. v2 and
    /// hybrids have that anyway.
    pub align: bool,
    /// Free text.
    pub comment: Option<String>,
    /// Which program makes it.
    pub created_by: Option<String>,
    /// The date to write, in seconds since 1970.
    pub creation_date: Option<i64>,
}

/// A torrent in the making. Feed it every byte of every file in its order, then finish it.
#[derive(Clone)]
pub struct Draft {
    name: String,
    folder: bool,
    files: Vec<File>,
    order: Vec<usize>,
    length: u64,
    piece_length: u32,
    options: Options,
    fed: u64,
    hash: Sha1,
    pieces: Vec<u8>,
    trees: TreeHash,
    layers: Vec<(Digest256, Vec<Digest256>)>,
}

impl Draft {
    /// Starts a torrent of one file.
    pub fn single(name: &str, length: ByteCount, options: Options) -> Result<Self, Error> {
        let files = vec![(name.to_owned(), length)];
        Self::new(name, false, files, options)
    }

    /// Starts a torrent of a folder called `name`. Paths are below it, with `/` between parts.
    /// v1 keeps their order; v2 has one of its own, which `order` tells. A path that readers would
    /// have to change is refused, since its file would not be found under the new one.
    pub fn folder(
        name: &str,
        files: Vec<(String, ByteCount)>,
        options: Options,
    ) -> Result<Self, Error> {
        Self::new(name, true, files, options)
    }

    fn new(
        name: &str,
        folder: bool,
        files: Vec<(String, ByteCount)>,
        options: Options,
    ) -> Result<Self, Error> {
        let is_v2 = options.version != Version::V1;
        if safe_name(name.as_bytes()).as_deref() != Some(name) {
            return Err(Error::DraftName);
        }
        let total = files.iter().fold(ByteCount(0), |total, (_, length)| total + *length);
        let piece_length = match options.piece_length {
            Some(asked) => checked_piece_length(asked)?,
            None => auto_piece_length(total),
        };
        let (order, named) = in_order(files, is_v2);
        let files = laid_out(named, if is_v2 || options.align { piece_length } else { 1 });
        if files.is_empty() {
            return Err(Error::NoFiles);
        }
        if files.len() > limit::FILES_MAX {
            return Err(Error::TooManyFiles { found: files.len(), allowed: limit::FILES_MAX });
        }
        check_paths(&files)?;
        let length = files.last().map_or(ByteCount(0), |file| file.offset + file.length).0;
        let found = length.div_ceil(u64::from(piece_length));
        if length == 0 || length > limit::LENGTH_MAX {
            return Err(Error::TotalLength { found: length, allowed: limit::LENGTH_MAX });
        }
        if found > limit::PIECES_MAX {
            return Err(Error::TooManyPieces { found, allowed: limit::PIECES_MAX });
        }
        Ok(Self {
            name: name.to_owned(),
            folder,
            files,
            order,
            length,
            piece_length,
            options,
            fed: 0,
            hash: Sha1::default(),
            pieces: Vec::new(),
            trees: TreeHash::new(piece_length),
            layers: Vec::new(),
        })
    }

    /// The files in order, padding included.
    pub fn files(&self) -> &[File] {
        &self.files
    }

    /// Bytes in a piece; the last may be shorter.
    pub fn piece_length(&self) -> u32 {
        self.piece_length
    }

    /// How many pieces there will be.
    pub fn piece_count(&self) -> u32 {
        self.length.div_ceil(u64::from(self.piece_length)) as u32
    }

    /// In which order the files given are to be fed, as indices into them.
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// Takes the next bytes of the files. Padding adds itself and is not fed.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        self.pad();
        let given = bytes.len() as u64;
        while !bytes.is_empty() {
            let Some(span) = spans(&self.files, self.fed, u32::MAX).next() else {
                let left = given - bytes.len() as u64;
                return Err(Error::TooManyBytes { found: given, left });
            };
            let (now, later) = bytes.split_at((span.len as usize).min(bytes.len()));
            if self.options.version != Version::V1 {
                self.trees.feed(now);
            }
            self.hash(now);
            self.end_file(span.file);
            self.pad();
            bytes = later;
        }
        Ok(())
    }

    /// The finished torrent.
    pub fn finish(mut self) -> Result<Torrent, Error> {
        self.pad();
        if self.fed < self.length {
            return Err(Error::Unfinished { left: self.length - self.fed });
        }
        let torrent = Torrent::from_info(Bytes::from(info::info(&self)))?;
        let layers = self.layers.into_iter().collect();
        let Options { trackers, web_seeds, comment, created_by, creation_date, .. } = self.options;
        let torrent =
            Torrent { layers, trackers, web_seeds, comment, created_by, creation_date, ..torrent };
        // Reading it back mends addresses and proves that others can read it.
        Torrent::parse(&torrent.to_bytes())
    }

    /// Closes the tree of a file that was fed whole.
    fn end_file(&mut self, file: usize) {
        let file = &mut self.files[file];
        if self.options.version == Version::V1 || self.fed < (file.offset + file.length).0 {
            return;
        }
        let hash = self.trees.end_file();
        file.root = Some(hash.root);
        if !hash.layer.is_empty() {
            self.layers.push((hash.root, hash.layer));
        }
    }

    /// Takes bytes, padding's among them, into the hashes of v1.
    fn hash(&mut self, mut bytes: &[u8]) {
        if self.options.version == Version::V2 {
            self.fed += bytes.len() as u64;
            return;
        }
        while !bytes.is_empty() {
            let room = u64::from(self.piece_length) - self.fed % u64::from(self.piece_length);
            let (now, later) = bytes.split_at(room.min(bytes.len() as u64) as usize);
            self.hash.update(now);
            self.fed += now.len() as u64;
            if now.len() as u64 == room || self.fed == self.length {
                self.pieces.extend_from_slice(&core::mem::take(&mut self.hash).finish());
            }
            bytes = later;
        }
    }

    /// Hashes the padding that comes next, if any.
    fn pad(&mut self) {
        static ZEROS: [u8; 4096] = [0; 4096];
        let next = |draft: &Self| spans(&draft.files, draft.fed, ZEROS.len() as u32).next();
        while let Some(span) = next(self).filter(|span| span.pad) {
            self.hash(&ZEROS[..span.len as usize]);
        }
    }
}

/// The files as they are laid out, and which of those given each is. v2 sorts them as its tree
/// does: part by part of their paths.
fn in_order(named: Vec<(String, ByteCount)>, is_v2: bool) -> (Vec<usize>, Vec<File>) {
    let mut named: Vec<_> = named.into_iter().enumerate().collect();
    if is_v2 {
        named.sort_by(|(_, (one, _)), (_, (other, _))| one.split('/').cmp(other.split('/')));
    }
    let file = |(path, length)| File { path, length, offset: ByteCount(0), pad: false, root: None };
    named.into_iter().map(|(at, named)| (at, file(named))).unzip()
}

/// Makes sure that readers keep every path: what is stored under one name and asked for under
/// another would never be found.
fn check_paths(files: &[File]) -> Result<(), Error> {
    let mut read: Vec<_> = files.to_vec();
    for file in &mut read {
        let parts = file.path.split('/').map(|part| safe_part(part.as_bytes()));
        file.path = parts.collect::<Vec<_>>().join("/");
    }
    tell_apart(&mut read)?;
    let deep = |file: &File| file.path.split('/').count() > limit::PATH_PARTS_CREATED_MAX;
    let changed = read.iter().zip(files).filter(|(read, _)| !read.pad);
    let changed = changed.map(|(read, file)| read.path != file.path || deep(file));
    match changed.into_iter().position(|changed| changed) {
        Some(file) => Err(Error::DraftPath { file }),
        None => Ok(()),
    }
}

fn checked_piece_length(found: u32) -> Result<u32, Error> {
    let (min, max) = (limit::PIECE_LENGTH_CREATED_MIN, limit::PIECE_LENGTH_MAX);
    if found.is_power_of_two() && (min..=max).contains(&found) {
        Ok(found)
    } else {
        Err(Error::PowerPieceLength { found, min, max })
    }
}

/// The smallest power of two that keeps the number of pieces at bay.
fn auto_piece_length(total: ByteCount) -> u32 {
    let mut length = limit::PIECE_LENGTH_CREATED_MIN;
    while length < limit::PIECE_LENGTH_AUTO_MAX
        && total.0.div_ceil(u64::from(length)) > limit::PIECES_AUTO_MAX
    {
        length *= 2;
    }
    length
}

#[cfg(test)]
mod tests;
