//! The record of what a torrent's files hold: appended, checked line by line, cut where it breaks.
//! A record counts only while its files have the size and time of change it was made at.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::UNIX_EPOCH;

use headwater_base::{Bitfield, InfoHash, PieceIndex, sha1};

const MAGIC: &[u8; 16] = b"headwater have 1";
/// What every version of the record starts with; the version follows.
const KIND: &[u8] = b"headwater have ";
const HEADER: usize = MAGIC.len() + 20;
const BODY: usize = 1 + 4 + 8 + 8;
const RECORD: usize = BODY + CHECK;
const CHECK: usize = 4;

const KIND_FILE: u8 = 1;
const KIND_HAVE: u8 = 2;
const KIND_LOST: u8 = 3;
const KIND_DOUBT: u8 = 4;

/// How a file looked when a record was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Its size.
    pub(super) size: u64,
    /// When it was changed, in nanoseconds since 1970.
    pub(super) changed: u64,
}

impl Stamp {
    pub(super) fn of(file: &Metadata) -> Self {
        let changed = file.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let changed = changed.map_or(0, |span| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX));
        Self { size: file.len(), changed }
    }
}

/// One line of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// File `.0` looks like this; records of its pieces hold while it does.
    File(u32, Stamp),
    /// A piece is stored and right.
    Have(PieceIndex),
    /// A piece is gone.
    Lost(PieceIndex),
    /// A piece may be stored and must be hashed.
    Doubt(PieceIndex),
}

/// What the records add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// Pieces that were right.
    pub(super) have: Bitfield,
    /// Pieces that may be right. Never overlaps `have`.
    pub(super) doubtful: Bitfield,
    /// Files as they were.
    pub(super) stamps: BTreeMap<u32, Stamp>,
}

impl Known {
    pub(super) fn empty(pieces: u32) -> Self {
        let none = Bitfield::empty(pieces);
        Self { have: none.clone(), doubtful: none, stamps: BTreeMap::new() }
    }

    fn apply(&mut self, record: Record) {
        match record {
            Record::File(file, stamp) => {
                self.stamps.insert(file, stamp);
            }
            Record::Have(piece) => {
                self.have.set(piece);
                self.doubtful.clear(piece);
            }
            Record::Lost(piece) => {
                self.have.clear(piece);
                self.doubtful.clear(piece);
            }
            Record::Doubt(piece) => {
                self.have.clear(piece);
                self.doubtful.set(piece);
            }
        }
    }
}

/// The record of one torrent, open for appending.
pub(super) struct Journal {
    file: File,
    /// Bytes of it that are whole and on disk.
    len: u64,
    info_hash: InfoHash,
    known: Known,
}

impl Journal {
    /// Puts a record of exactly `known` at `path`. The old one stays until the new one is whole.
    pub(super) fn create(path: &Path, info_hash: InfoHash, known: Known) -> io::Result<Self> {
        let fresh = path.with_extension("new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&fresh)?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&info_hash.0);
        for (file, stamp) in &known.stamps {
            write(&mut bytes, info_hash, Record::File(*file, *stamp));
        }
        for piece in known.have.ones() {
            write(&mut bytes, info_hash, Record::Have(piece));
        }
        for piece in known.doubtful.ones() {
            write(&mut bytes, info_hash, Record::Doubt(piece));
        }
        file.write_all(&bytes)?;
        file.sync_data()?;
        fs::rename(&fresh, path)?;
        // Until the folder is on disk too, the old record may come back with the power.
        path.parent().map_or(Ok(()), super::layout::sync_folder)?;
        Ok(Self { file, len: bytes.len() as u64, info_hash, known })
    }

    /// What the records add up to.
    pub(super) fn known(&self) -> &Known {
        &self.known
    }

    /// Appends records, which survive a crash once this returns. Those that cannot be written
    /// leave nothing behind: half a record would hide all that follow.
    pub(super) fn append(&mut self, records: &[Record]) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(records.len() * RECORD);
        for record in records {
            write(&mut bytes, self.info_hash, *record);
        }
        // What an earlier failure may have left is written over.
        self.file.seek(SeekFrom::Start(self.len))?;
        if let Err(e) = self.file.write_all(&bytes).and_then(|()| self.file.sync_data()) {
            let _ = self.file.set_len(self.len);
            return Err(e);
        }
        self.len += bytes.len() as u64;
        for record in records {
            self.known.apply(*record);
        }
        Ok(())
    }
}

/// Reads what holds of the record at `path`; an absent one holds nothing.
pub(super) fn look(path: &Path, info_hash: InfoHash, pieces: u32) -> io::Result<Known> {
    match fs::read(path) {
        Ok(bytes) if is_newer(&bytes) => {
            let path = path.display();
            Err(io::Error::new(io::ErrorKind::Unsupported, format!("{path} is left as it is")))
        }
        Ok(bytes) => Ok(parse(&bytes, info_hash, pieces)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Known::empty(pieces)),
        Err(e) => Err(e),
    }
}

/// Whether a record is of a version that is not known here.
fn is_newer(bytes: &[u8]) -> bool {
    let head = bytes.get(..MAGIC.len());
    head.is_some_and(|head| head.starts_with(KIND) && head != MAGIC)
}

/// Adds up records until the first that is cut or damaged.
fn parse(bytes: &[u8], info_hash: InfoHash, pieces: u32) -> Known {
    let mut known = Known::empty(pieces);
    let Some((header, records)) = bytes.split_at_checked(HEADER) else { return known };
    if header[..MAGIC.len()] != *MAGIC || header[MAGIC.len()..] != info_hash.0 {
        return known;
    }
    for record in records.as_chunks::<RECORD>().0 {
        match read(record, info_hash) {
            Some(Record::Have(p) | Record::Lost(p) | Record::Doubt(p)) if p.0 >= pieces => break,
            Some(record) => known.apply(record),
            None => break,
        }
    }
    known
}

fn write(out: &mut Vec<u8>, info_hash: InfoHash, record: Record) {
    let (kind, index, stamp) = match record {
        Record::File(file, stamp) => (KIND_FILE, file, stamp),
        Record::Have(piece) => (KIND_HAVE, piece.0, Stamp::default()),
        Record::Lost(piece) => (KIND_LOST, piece.0, Stamp::default()),
        Record::Doubt(piece) => (KIND_DOUBT, piece.0, Stamp::default()),
    };
    let start = out.len();
    out.push(kind);
    out.extend_from_slice(&index.to_le_bytes());
    out.extend_from_slice(&stamp.size.to_le_bytes());
    out.extend_from_slice(&stamp.changed.to_le_bytes());
    let check = check(&out[start..], info_hash);
    out.extend_from_slice(&check);
}

fn read(record: &[u8; RECORD], info_hash: InfoHash) -> Option<Record> {
    let (body, found) = record.split_at(BODY);
    if check(body, info_hash) != found {
        return None;
    }
    let index = u32::from_le_bytes(*body[1..].first_chunk()?);
    let stamp = Stamp {
        size: u64::from_le_bytes(*body[5..].first_chunk()?),
        changed: u64::from_le_bytes(*body[13..].first_chunk()?),
    };
    match body[0] {
        KIND_FILE => Some(Record::File(index, stamp)),
        KIND_HAVE => Some(Record::Have(PieceIndex(index))),
        KIND_LOST => Some(Record::Lost(PieceIndex(index))),
        KIND_DOUBT => Some(Record::Doubt(PieceIndex(index))),
        _ => None,
    }
}

fn check(body: &[u8], info_hash: InfoHash) -> [u8; CHECK] {
    let digest = sha1(&[&info_hash.0, body].concat());
    [digest[0], digest[1], digest[2], digest[3]]
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: InfoHash = InfoHash([7; 20]);

    fn sample() -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&HASH.0);
        write(&mut bytes, HASH, Record::File(0, Stamp { size: 9, changed: 1 }));
        for piece in 0..4 {
            write(&mut bytes, HASH, Record::Have(PieceIndex(piece)));
        }
        write(&mut bytes, HASH, Record::Lost(PieceIndex(1)));
        bytes
    }

    #[test]
    fn cut_at_any_byte_it_keeps_every_whole_record_before() {
        let bytes = sample();
        for cut in 0..=bytes.len() {
            let whole = cut.saturating_sub(HEADER) / RECORD;
            let known = parse(&bytes[..cut], HASH, 4);
            let have = [0, 0, 1, 2, 3, 4, 3][whole];
            assert_eq!(known.have.count(), have, "cut at {cut}");
        }
    }

    #[test]
    fn a_flipped_bit_ends_the_record_there() {
        let bytes = sample();
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x10;
            let whole = at.saturating_sub(HEADER) / RECORD;
            let have = if at < HEADER { 0 } else { [0, 0, 1, 2, 3, 4][whole] };
            assert_eq!(parse(&bytes, HASH, 4).have.count(), have, "flipped at {at}");
        }
    }

    #[test]
    fn records_that_cannot_be_written_leave_nothing_and_later_ones_count() {
        let path = std::env::temp_dir().join(format!("headwater-append-{}", std::process::id()));
        let mut journal = Journal::create(&path, HASH, Known::empty(4)).expect("a file");
        journal.append(&[Record::Have(PieceIndex(0))]).expect("room");
        let good = std::mem::replace(&mut journal.file, File::open(&path).expect("a file"));
        assert!(journal.append(&[Record::Have(PieceIndex(1))]).is_err(), "it is only read");
        assert_eq!(journal.known().have.count(), 1, "nothing is known that is not written");
        journal.file = good;
        // Half a record, as a disk that ran full leaves it.
        OpenOptions::new().append(true).open(&path).expect("it").write_all(&[2; 9]).expect("");
        journal.append(&[Record::Have(PieceIndex(2))]).expect("room");
        let known = look(&path, HASH, 4).expect("a record");
        assert_eq!(known.have.ones().map(|piece| piece.0).collect::<Vec<_>>(), [0, 2]);
        let _ = fs::remove_file(&path);
    }

    #[test]
    fn a_record_of_another_torrent_counts_for_nothing() {
        assert_eq!(parse(&sample(), InfoHash([8; 20]), 4), Known::empty(4));
        assert_eq!(parse(&sample(), HASH, 2).have.count(), 2, "pieces past the end end it");
    }
}
