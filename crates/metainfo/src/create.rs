//! Makes torrents: from names, lengths and the bytes themselves, or the digests of pieces.
//! Reads no file and no clock; both come in from outside.

use bytes::Bytes;
use headwater_base::{ByteCount, Digest1, Sha1};

use crate::bencode::{DictBuilder, ListBuilder};
use crate::path::{safe_name, safe_part, tell_apart};
use crate::torrent::{Span, laid_out, root, spans};
use crate::{Error, File, Torrent, limit};

/// What a torrent says beside its files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Bytes in a piece: a power of two. Chosen by the total length when missing.
    pub piece_length: Option<u32>,
    /// Tracker tiers.
    pub trackers: Vec<Vec<String>>,
    /// Web seeds.
    pub web_seeds: Vec<String>,
    /// Whether only the named trackers may introduce peers (BEP 27).
    pub private: bool,
    /// Whether padding (BEP 47) lets every file of a folder start at a piece of its own.
    pub align: bool,
    /// Free text.
    pub comment: Option<String>,
    /// Which program makes it.
    pub created_by: Option<String>,
    /// The date to write, in seconds since 1970.
    pub creation_date: Option<i64>,
}

/// A torrent in the making. Feed it every byte of every file in order, or the digests of whole
/// pieces, then finish it.
#[derive(Clone)]
pub struct Draft {
    name: String,
    folder: bool,
    files: Vec<File>,
    length: u64,
    piece_length: u32,
    options: Options,
    pieces: Vec<u8>,
    fed: u64,
    hash: Sha1,
}

impl Draft {
    /// Starts a torrent of one file.
    pub fn single(name: &str, length: ByteCount, options: Options) -> Result<Self, Error> {
        let files = vec![(name.to_owned(), length)];
        Self::new(name, false, files, options)
    }

    /// Starts a torrent of a folder called `name`. Paths are below it, with `/` between parts;
    /// their order is kept. A path that readers would have to change is refused, since its file
    /// would not be found under the new one.
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
        if safe_name(name.as_bytes()).as_deref() != Some(name) {
            return Err(Error::DraftName);
        }
        let total = files.iter().fold(ByteCount(0), |total, (_, length)| total + *length);
        let piece_length = match options.piece_length {
            Some(asked) => checked_piece_length(asked)?,
            None => auto_piece_length(total),
        };
        let named = files.into_iter().map(|(path, length)| File {
            path,
            length,
            offset: ByteCount(0),
            pad: false,
            root: None,
        });
        let files = laid_out(named.collect(), if options.align { piece_length } else { 1 });
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
            length,
            piece_length,
            options,
            pieces: Vec::new(),
            fed: 0,
            hash: Sha1::default(),
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

    /// Where the bytes of a piece lie, for who hashes pieces elsewhere. Padding is zeros.
    pub fn piece_spans(&self, piece: u32) -> impl Iterator<Item = Span> + '_ {
        let start = u64::from(piece) * u64::from(self.piece_length);
        let left = self.length.saturating_sub(start);
        spans(&self.files, start, u32::try_from(left).unwrap_or(u32::MAX).min(self.piece_length))
    }

    /// Bytes hashed so far, padding included.
    pub fn hashed(&self) -> ByteCount {
        ByteCount(self.fed)
    }

    /// Takes the next bytes of the files. Padding adds itself and is not fed.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        self.pad();
        let given = bytes.len() as u64;
        while !bytes.is_empty() {
            let Some(left) = self.left_in_file() else {
                let left = given - bytes.len() as u64;
                return Err(Error::TooManyBytes { found: given, left });
            };
            let (now, later) = bytes.split_at(left.min(bytes.len() as u64) as usize);
            self.hash(now);
            self.pad();
            bytes = later;
        }
        Ok(())
    }

    /// Takes the SHA-1 of the next whole piece instead of its bytes. Padding inside the piece
    /// must be hashed as zeros.
    pub fn feed_digest(&mut self, digest: Digest1) -> Result<(), Error> {
        let inside = (self.fed % u64::from(self.piece_length)) as u32;
        if self.fed >= self.length {
            return Err(Error::TooManyBytes { found: u64::from(self.piece_length), left: 0 });
        }
        if inside > 0 {
            return Err(Error::DigestInsidePiece { found: inside });
        }
        self.pieces.extend_from_slice(&digest);
        self.fed = (self.fed + u64::from(self.piece_length)).min(self.length);
        Ok(())
    }

    /// The finished torrent.
    pub fn finish(mut self) -> Result<Torrent, Error> {
        self.pad();
        if self.fed < self.length {
            return Err(Error::Unfinished { left: self.length - self.fed });
        }
        let torrent = Torrent::from_info(Bytes::from(self.info()))?;
        let Options { trackers, web_seeds, comment, created_by, creation_date, .. } = self.options;
        let torrent =
            Torrent { trackers, web_seeds, comment, created_by, creation_date, ..torrent };
        // Reading it back mends addresses and proves that others can read it.
        Torrent::parse(&root(&torrent).raw("info", torrent.info.to_vec()).finish())
    }

    fn info(&self) -> Vec<u8> {
        let mut info = DictBuilder::new()
            .bytes("name", &self.name)
            .int("piece length", i64::from(self.piece_length))
            .bytes("pieces", &self.pieces);
        if self.options.private {
            info = info.int("private", 1);
        }
        if self.folder {
            let entries = self.files.iter().map(entry);
            info.list("files", entries.fold(ListBuilder::new(), ListBuilder::dict)).finish()
        } else {
            info.int("length", self.length as i64).finish()
        }
    }

    /// Bytes that may be hashed before the file changes.
    fn left_in_file(&self) -> Option<u64> {
        Some(u64::from(spans(&self.files, self.fed, u32::MAX).next()?.len))
    }

    fn hash(&mut self, mut bytes: &[u8]) {
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
        const ZEROS: [u8; 4096] = [0; 4096];
        let next = |draft: &Self| spans(&draft.files, draft.fed, ZEROS.len() as u32).next();
        while let Some(span) = next(self).filter(|span| span.pad) {
            self.hash(&ZEROS[..span.len as usize]);
        }
    }
}

fn entry(file: &File) -> DictBuilder {
    let parts = file.path.split('/').fold(ListBuilder::new(), ListBuilder::bytes);
    let entry = DictBuilder::new().int("length", file.length.0 as i64).list("path", parts);
    if file.pad { entry.bytes("attr", "p") } else { entry }
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
    let changed = read.iter().zip(files).filter(|(read, _)| !read.pad);
    let changed = changed.map(|(read, file)| read.path != file.path);
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
