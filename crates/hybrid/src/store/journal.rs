//! The record of what a torrent's files hold: appended, checked line by line, cut where it breaks.
//! A record counts only while its files have the size and time of change it was made at.

use std::collections::BTreeMap;
use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use headwater_base::{Bitfield, InfoHash, PieceIndex, sha1};

use super::layout;
use super::pool::{Key, Lent, RECORDS};

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

/// Bytes a record may have above twice what it had when it was last made anew; then it is again.
const SPARE: u64 = 1 << 20;

/// Bytes of records that may wait for their flush while pieces keep coming.
const UNSYNCED_MAX: u64 = 256 << 10;

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

/// Pieces side by side, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    first: PieceIndex,
    count: u32,
}

impl From<PieceIndex> for Row {
    fn from(first: PieceIndex) -> Self {
        Self { first, count: 1 }
    }
}

impl Row {
    fn pieces(self) -> impl Iterator<Item = PieceIndex> {
        (self.first.0..self.first.0 + self.count).map(PieceIndex)
    }

    fn fits(self, pieces: u32) -> bool {
        self.first.0.checked_add(self.count).is_some_and(|end| end <= pieces)
    }
}

/// One line of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// File `.0` looks like this; records of its pieces hold while it does.
    File(u32, Stamp),
    /// Pieces are stored and right.
    Have(Row),
    /// Pieces are gone.
    Lost(Row),
    /// Pieces may be stored and must be hashed.
    Doubt(Row),
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

    /// What has to be recorded for this to become `other`.
    fn steps_to(&self, other: &Self) -> Vec<Record> {
        let file = |(file, stamp): (&u32, &Stamp)| Record::File(*file, *stamp);
        let new = other.stamps.iter().filter(|(file, stamp)| self.stamps.get(file) != Some(stamp));
        let mut lost = Bitfield::empty(self.have.len());
        for piece in self.have.ones().chain(self.doubtful.ones()) {
            if !other.have.has(piece) && !other.doubtful.has(piece) {
                lost.set(piece);
            }
        }
        let gained = |ours: &Bitfield, theirs: &Bitfield| {
            let mut gained = theirs.clone();
            for piece in ours.ones() {
                gained.clear(piece);
            }
            rows(&gained)
        };
        let have = gained(&self.have, &other.have).into_iter().map(Record::Have);
        let doubt = gained(&self.doubtful, &other.doubtful).into_iter().map(Record::Doubt);
        let lost = rows(&lost).into_iter().map(Record::Lost);
        new.map(file).chain(lost).chain(doubt).chain(have).collect()
    }

    fn apply(&mut self, record: Record) {
        let (row, have, doubtful) = match record {
            Record::File(file, stamp) => {
                self.stamps.insert(file, stamp);
                return;
            }
            Record::Have(row) => (row, true, false),
            Record::Lost(row) => (row, false, false),
            Record::Doubt(row) => (row, false, true),
        };
        let put = |bits: &mut Bitfield, piece, on| {
            if on {
                bits.set(piece)
            } else {
                bits.clear(piece)
            };
        };
        for piece in row.pieces() {
            put(&mut self.have, piece, have);
            put(&mut self.doubtful, piece, doubtful);
        }
    }
}

/// A record as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// What it says.
    pub(super) known: Known,
    /// Its size, and how much of that is whole.
    len: u64,
    whole: u64,
}

/// The record of one torrent, for appending.
pub(super) struct Journal {
    path: PathBuf,
    key: Key,
    /// Bytes of it that are whole.
    len: u64,
    /// Bytes of it that were flushed.
    synced: u64,
    /// The length at which it is made anew.
    len_max: u64,
    info_hash: InfoHash,
    known: Known,
}

impl Journal {
    /// Goes on with the record that was found at `path`, from which `known` came of a look at the
    /// files; one that is torn or too long is made anew.
    pub(super) fn open(
        path: PathBuf,
        (info_hash, key): (InfoHash, Key),
        found: Found,
        known: Known,
    ) -> io::Result<Self> {
        let len_max = 2 * bytes_of(info_hash, &known).len() as u64 + SPARE;
        if found.len != found.whole || found.len > len_max {
            return Self::create(path, (info_hash, key), known);
        }
        let (steps, len) = (found.known.steps_to(&known), found.len);
        // What another process wrote last may not have been flushed.
        let mut journal =
            Self { path, key, len, synced: 0, len_max, info_hash, known: found.known };
        journal.append(&steps)?;
        Ok(journal)
    }

    /// Puts a record of exactly `known` at `path`. The old one stays until the new one is whole.
    pub(super) fn create(
        path: PathBuf,
        (info_hash, key): (InfoHash, Key),
        known: Known,
    ) -> io::Result<Self> {
        let fresh = path.with_extension("new");
        let bytes = bytes_of(info_hash, &known);
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&fresh)?;
        file.write_all(&bytes)?;
        file.sync_data()?;
        fs::rename(&fresh, &path)?;
        RECORDS.forget(key);
        // Until the folder is on disk too, the old record may come back with the power.
        path.parent().map_or(Ok(()), layout::sync_folder)?;
        let len = bytes.len() as u64;
        Ok(Self { path, key, len, synced: len, len_max: 2 * len + SPARE, info_hash, known })
    }

    /// What the records add up to.
    pub(super) fn known(&self) -> &Known {
        &self.known
    }

    /// Appends records. They outlive this process once this returns, and the power once they are
    /// flushed. Those that cannot be written leave nothing behind: half a record would hide all
    /// that follow.
    pub(super) fn append(&mut self, records: &[Record]) -> io::Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        let mut bytes = Vec::with_capacity(records.len() * RECORD);
        for record in records {
            write(&mut bytes, self.info_hash, *record);
        }
        let file = self.file()?;
        // What an earlier failure may have left is written over.
        if let Err(e) = layout::write_at(&file, &bytes, self.len) {
            let _ = file.set_len(self.len);
            return Err(e);
        }
        drop(file);
        self.len += bytes.len() as u64;
        for record in records {
            self.known.apply(*record);
        }
        if self.len > self.len_max && self.make_anew().is_err() {
            // It is only longer than it need be; where there is no room, the next write says so.
            self.len_max = 2 * self.len;
        }
        Ok(())
    }

    /// Flushes what was appended, where much of it waits for that.
    pub(super) fn sync_some(&mut self) -> io::Result<()> {
        if self.len > self.synced + UNSYNCED_MAX { self.sync() } else { Ok(()) }
    }

    /// Flushes what was appended.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        if self.len > self.synced {
            self.file()?.sync_data()?;
            self.synced = self.len;
        }
        Ok(())
    }

    /// Leaves out what later records outdid.
    fn make_anew(&mut self) -> io::Result<()> {
        let known = self.known.clone();
        *self = Self::create(self.path.clone(), (self.info_hash, self.key), known)?;
        Ok(())
    }

    fn file(&self) -> io::Result<Lent<'static>> {
        RECORDS.lend(self.key, true, || OpenOptions::new().write(true).open(&self.path))
    }
}

/// Reads what holds of the record at `path`; an absent one holds nothing.
pub(super) fn look(path: &Path, info_hash: InfoHash, pieces: u32) -> io::Result<Found> {
    match fs::read(path) {
        Ok(bytes) if is_newer(&bytes) => {
            let path = path.display();
            Err(io::Error::new(io::ErrorKind::Unsupported, format!("{path} is left as it is")))
        }
        Ok(bytes) => Ok(parse(&bytes, info_hash, pieces)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(parse(&[], info_hash, pieces)),
        Err(e) => Err(e),
    }
}

/// Whether a record is of a version that is not known here.
fn is_newer(bytes: &[u8]) -> bool {
    let head = bytes.get(..MAGIC.len());
    head.is_some_and(|head| head.starts_with(KIND) && head != MAGIC)
}

/// Adds up records until the first that is cut or damaged.
fn parse(bytes: &[u8], info_hash: InfoHash, pieces: u32) -> Found {
    // Without a header nothing of it is whole, not even nothing.
    let len = (bytes.len() as u64).max(1);
    let mut found = Found { known: Known::empty(pieces), len, whole: 0 };
    let Some((header, records)) = bytes.split_at_checked(HEADER) else { return found };
    if header[..MAGIC.len()] != *MAGIC || header[MAGIC.len()..] != info_hash.0 {
        return found;
    }
    found.whole = HEADER as u64;
    for record in records.as_chunks::<RECORD>().0 {
        match read(record, info_hash) {
            Some(Record::Have(row) | Record::Lost(row) | Record::Doubt(row))
                if !row.fits(pieces) =>
            {
                break;
            }
            Some(record) => found.known.apply(record),
            None => break,
        }
        found.whole += RECORD as u64;
    }
    found
}

/// The shortest record of what is known.
fn bytes_of(info_hash: InfoHash, known: &Known) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&info_hash.0);
    for (file, stamp) in &known.stamps {
        write(&mut bytes, info_hash, Record::File(*file, *stamp));
    }
    for row in rows(&known.have) {
        write(&mut bytes, info_hash, Record::Have(row));
    }
    for row in rows(&known.doubtful) {
        write(&mut bytes, info_hash, Record::Doubt(row));
    }
    bytes
}

/// Pieces of a bitfield in as few rows as can be.
pub(super) fn rows(pieces: &Bitfield) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for piece in pieces.ones() {
        match rows.last_mut() {
            Some(row) if row.first.0 + row.count == piece.0 => row.count += 1,
            Some(_) | None => rows.push(piece.into()),
        }
    }
    rows
}

/// A row is written as its first piece and, where files have their size, how many follow.
fn write(out: &mut Vec<u8>, info_hash: InfoHash, record: Record) {
    let of_row = |row: Row| Stamp { size: u64::from(row.count - 1), changed: 0 };
    let (kind, index, stamp) = match record {
        Record::File(file, stamp) => (KIND_FILE, file, stamp),
        Record::Have(row) => (KIND_HAVE, row.first.0, of_row(row)),
        Record::Lost(row) => (KIND_LOST, row.first.0, of_row(row)),
        Record::Doubt(row) => (KIND_DOUBT, row.first.0, of_row(row)),
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
    let row = || {
        let count = u32::try_from(stamp.size).ok()?.checked_add(1)?;
        Some(Row { first: PieceIndex(index), count })
    };
    match body[0] {
        KIND_FILE => Some(Record::File(index, stamp)),
        KIND_HAVE => Some(Record::Have(row()?)),
        KIND_LOST => Some(Record::Lost(row()?)),
        KIND_DOUBT => Some(Record::Doubt(row()?)),
        _ => None,
    }
}

fn check(body: &[u8], info_hash: InfoHash) -> [u8; CHECK] {
    let digest = sha1(&[&info_hash.0, body].concat());
    [digest[0], digest[1], digest[2], digest[3]]
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    const HASH: InfoHash = InfoHash([7; 20]);

    fn sample() -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&HASH.0);
        write(&mut bytes, HASH, Record::File(0, Stamp { size: 9, changed: 1 }));
        for piece in 0..4 {
            write(&mut bytes, HASH, Record::Have(PieceIndex(piece).into()));
        }
        write(&mut bytes, HASH, Record::Lost(PieceIndex(1).into()));
        bytes
    }

    #[test]
    fn cut_at_any_byte_it_keeps_every_whole_record_before() {
        let bytes = sample();
        for cut in 0..=bytes.len() {
            let whole = cut.saturating_sub(HEADER) / RECORD;
            let known = parse(&bytes[..cut], HASH, 4).known;
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
            assert_eq!(parse(&bytes, HASH, 4).known.have.count(), have, "flipped at {at}");
        }
    }

    fn journal(name: &str, store: u64, pieces: u32) -> Journal {
        let path = std::env::temp_dir().join(format!("headwater-{name}-{}", std::process::id()));
        let key = Key { store, file: 0 };
        Journal::create(path, (HASH, key), Known::empty(pieces)).expect("a file")
    }

    fn have(piece: u32) -> [Record; 1] {
        [Record::Have(PieceIndex(piece).into())]
    }

    #[test]
    fn records_that_cannot_be_written_leave_nothing_and_later_ones_count() {
        let mut journal = journal("append", u64::MAX, 4);
        journal.append(&have(0)).expect("room");
        RECORDS.forget(journal.key);
        let read_only = RECORDS.lend(journal.key, true, || File::open(&journal.path));
        drop(read_only.expect("a file"));
        assert!(journal.append(&have(1)).is_err(), "it is only read");
        assert_eq!(journal.known().have.count(), 1, "nothing is known that is not written");
        RECORDS.forget(journal.key);
        // Half a record, as a disk that ran full leaves it.
        let mut file = OpenOptions::new().append(true).open(&journal.path).expect("it");
        file.write_all(&[2; 9]).expect("room");
        journal.append(&have(2)).expect("room");
        let known = look(&journal.path, HASH, 4).expect("a record").known;
        assert_eq!(known.have.ones().map(|piece| piece.0).collect::<Vec<_>>(), [0, 2]);
        let _ = fs::remove_file(&journal.path);
    }

    #[test]
    fn pieces_side_by_side_take_one_record_and_what_was_outdone_goes() {
        let mut journal = journal("rows", u64::MAX - 1, 1000);
        let all: Vec<_> = (0..1000).flat_map(have).collect();
        let stamp = |changed| Record::File(0, Stamp { size: 1, changed });
        for round in 0..200 {
            journal.append(&all).expect("room");
            journal.append(&[stamp(round)]).expect("room");
        }
        assert!(journal.len < SPARE * 3 / 2, "{} bytes", journal.len);
        let found = look(&journal.path, HASH, 1000).expect("a record");
        assert_eq!(found.known, journal.known);
        journal.make_anew().expect("room");
        assert_eq!(journal.len, (HEADER + 2 * RECORD) as u64, "one row and one file");
        assert_eq!(look(&journal.path, HASH, 1000).expect("a record").known, found.known);
        let _ = fs::remove_file(&journal.path);
    }

    #[test]
    fn a_record_that_says_what_is_known_is_gone_on_with_and_another_is_put_right() {
        let mut first = journal("reuse", u64::MAX - 2, 4);
        first.append(&[have(3), have(1)].concat()).expect("room");
        let (path, id) = (first.path.clone(), (HASH, first.key));
        let bytes = || fs::read(&path).expect("a record");
        let (before, found) = (bytes(), look(&path, HASH, 4).expect("a record"));
        let open = |found: &Found, known: &Known| {
            Journal::open(path.clone(), id, found.clone(), known.clone()).expect("it opens")
        };
        let mut other = Known::empty(4);
        other.have.set(PieceIndex(0));
        other.have.set(PieceIndex(1));
        other.doubtful.set(PieceIndex(2));
        other.stamps.insert(0, Stamp { size: 2, changed: 3 });
        open(&found, &other);
        assert_eq!(look(&path, HASH, 4).expect("a record").known, other, "what differs is added");
        fs::write(&path, &before).expect("room");
        open(&found, &found.known).append(&have(2)).expect("room");
        assert_eq!(bytes()[..before.len()], before, "it was appended to");
        let torn = [&before[..], &[2; 9]].concat();
        fs::write(&path, torn).expect("room");
        let torn = look(&path, HASH, 4).expect("a record");
        open(&torn, &torn.known);
        assert_eq!(bytes().len(), HEADER + 2 * RECORD, "made anew without its torn end");
        let _ = fs::remove_file(&path);
    }

    #[test]
    fn a_record_of_another_torrent_counts_for_nothing() {
        assert_eq!(parse(&sample(), InfoHash([8; 20]), 4).known, Known::empty(4));
        assert_eq!(parse(&sample(), HASH, 2).known.have.count(), 2, "pieces past the end end it");
    }
}
