//! The record of verified pieces: a header that names the torrent, then one checked record a piece.
//! A record that was torn or spoiled is left out; nothing else is believed because of it.

use headwater_base::{PieceIndex, sha1};
use headwater_metainfo::Torrent;

const MAGIC: &[u8; 8] = b"HWPIECE1";
/// What every version of the record starts with; the version follows.
const KIND: &[u8] = b"HWPIECE";
/// Magic, info-hash, piece length.
pub(super) const HEADER_LEN: usize = 32;
/// Piece, slot, check.
pub(super) const RECORD_LEN: usize = 12;

/// A piece and the slot of the data file that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) piece: PieceIndex,
    pub(super) slot: u32,
}

/// The first bytes of a torrent's journal.
pub(super) fn header(torrent: &Torrent) -> [u8; HEADER_LEN] {
    let mut header = [0; HEADER_LEN];
    header[..8].copy_from_slice(MAGIC);
    header[8..28].copy_from_slice(&torrent.info_hash.0);
    header[28..].copy_from_slice(&torrent.piece_length.to_le_bytes());
    header
}

/// Whether a journal is of a version that is not known here.
pub(super) fn is_newer(journal: &[u8]) -> bool {
    let head = journal.get(..MAGIC.len());
    head.is_some_and(|head| head.starts_with(KIND) && head != MAGIC)
}

/// Writes a record.
pub(super) fn encode(torrent: &Torrent, record: Record) -> [u8; RECORD_LEN] {
    let mut bytes = [0; RECORD_LEN];
    bytes[..4].copy_from_slice(&record.piece.0.to_le_bytes());
    bytes[4..8].copy_from_slice(&record.slot.to_le_bytes());
    let check = check(torrent, &bytes[..8]);
    bytes[8..].copy_from_slice(&check);
    bytes
}

/// Reads a journal; `None` when it is not this torrent's. Records are in the order written.
pub(super) fn decode(torrent: &Torrent, journal: &[u8]) -> Option<Vec<Record>> {
    let (head, rest) = journal.split_at_checked(HEADER_LEN)?;
    if head != header(torrent) {
        return None;
    }
    let records = rest.as_chunks::<RECORD_LEN>().0;
    Some(records.iter().filter_map(|bytes| decode_one(torrent, bytes)).collect())
}

fn decode_one(torrent: &Torrent, bytes: &[u8; RECORD_LEN]) -> Option<Record> {
    let [p0, p1, p2, p3, s0, s1, s2, s3, ..] = *bytes;
    let record = Record {
        piece: PieceIndex(u32::from_le_bytes([p0, p1, p2, p3])),
        slot: u32::from_le_bytes([s0, s1, s2, s3]),
    };
    (encode(torrent, record) == *bytes && record.piece.0 < torrent.piece_count()).then_some(record)
}

fn check(torrent: &Torrent, body: &[u8]) -> [u8; 4] {
    let mut bytes = torrent.info_hash.0.to_vec();
    bytes.extend_from_slice(body);
    let [a, b, c, d, ..] = sha1(&bytes);
    [a, b, c, d]
}
