//! Torrents whose every byte the world knows, so that anything stored or served can be judged.

use std::sync::Arc;

use bytes::Bytes;
use headwater_base::{BLOCK_LEN, ByteCount, Digest1, PieceIndex, Rng, Seed, sha1};
use headwater_metainfo::create::{Draft, Options};
use headwater_metainfo::{Torrent, Version};

/// A torrent and its bytes.
#[derive(Clone, Debug)]
pub struct Sample {
    /// What hosts are given.
    pub torrent: Arc<Torrent>,
    /// Its bytes.
    pub data: Bytes,
}

/// How large a torrent is, and of which version.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Bytes of its file.
    pub length: u32,
    /// Bytes of a piece.
    pub piece_length: u32,
    /// Which protocols describe it.
    pub version: Version,
}

impl Shape {
    /// A torrent of v1.
    pub fn v1(length: u32, piece_length: u32) -> Self {
        Self { length, piece_length, version: Version::V1 }
    }

    /// A torrent of v2.
    pub fn v2(length: u32, piece_length: u32) -> Self {
        Self { version: Version::V2, ..Self::v1(length, piece_length) }
    }

    /// A torrent of any version, `most` bytes long at most and a quarter of that at least.
    pub fn any(rng: &mut Rng, most: u32) -> Self {
        let length = most / 4 + rng.below(u64::from(most / 4 * 3)) as u32;
        let version = [Version::V1, Version::V2, Version::Hybrid][rng.below(3) as usize];
        Self { length, piece_length: 16384 << rng.below(4), version }
    }
}

/// Which torrent of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SampleId(pub(crate) usize);

impl SampleId {
    /// The first torrent of every world.
    pub const FIRST: Self = Self(0);
}

impl Sample {
    /// A torrent of one file of random bytes.
    pub fn new(seed: &Seed, shape: Shape, trackers: Vec<Vec<String>>) -> Self {
        let Shape { length, piece_length, version } = shape;
        let mut data = vec![0; length as usize];
        seed.split("sample").fill(&mut data);
        let piece_length = Some(piece_length);
        let options = Options { piece_length, trackers, version, ..Options::default() };
        let draft = Draft::single("sample", ByteCount(u64::from(length)), options);
        let mut draft = draft.expect("a length and a piece length that make a torrent");
        draft.feed(&data).expect("as many bytes as said");
        let torrent = draft.finish().expect("every byte was fed");
        Self { torrent: Arc::new(torrent), data: Bytes::from(data) }
    }

    /// How many pieces it has.
    pub fn piece_count(&self) -> u32 {
        self.torrent.piece_count()
    }

    /// The right bytes of a piece.
    pub fn piece(&self, piece: PieceIndex) -> Bytes {
        let start = piece.idx() * self.torrent.piece_length as usize;
        self.data.slice(start..start + self.torrent.piece_len(piece) as usize)
    }

    /// The right bytes of part of a piece, if the piece has such a part.
    pub fn part(&self, piece: PieceIndex, begin: u32, len: u32) -> Option<Bytes> {
        let (begin, len) = (begin as usize, len as usize);
        if piece.0 >= self.piece_count() {
            return None;
        }
        let whole = self.piece(piece);
        (begin + len <= whole.len()).then(|| whole.slice(begin..begin + len))
    }

    /// The right answer to a request. Where a file of v2 alone ends inside a block, all of that may
    /// be asked for, and zeros follow the file.
    pub(crate) fn answer(&self, piece: PieceIndex, begin: u32, len: u32) -> Option<Bytes> {
        let whole = (piece.0 < self.piece_count()).then(|| self.piece(piece))?;
        let end = (begin as usize).checked_add(len as usize)?;
        let fits = end <= whole.len().next_multiple_of(BLOCK_LEN as usize);
        let is_padded = self.torrent.version() == Version::V2 && fits;
        if end <= whole.len() || !is_padded || begin as usize >= whole.len() {
            return self.part(piece, begin, len);
        }
        let mut answer = whole[begin as usize..].to_vec();
        answer.resize(len as usize, 0);
        Some(answer.into())
    }

    /// SHA-1 of the bytes; those of a right piece are known without hashing them again.
    pub(crate) fn digest(&self, data: &[u8]) -> Option<Digest1> {
        let mut pieces = self.data.chunks(self.torrent.piece_length as usize);
        let at = pieces.position(|right| right.get(..8) == data.get(..8) && right == data)?;
        self.torrent.pieces.get(at).copied()
    }
}

/// SHA-1 of any bytes, cheap when they are a piece of a known torrent.
pub(crate) fn digest(samples: &[Sample], data: &[u8]) -> Digest1 {
    let known = samples.iter().find_map(|sample| sample.digest(data));
    known.unwrap_or_else(|| sha1(data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_digests_are_those_of_sha1() {
        let sample = Sample::new(&Seed([1; 32]), Shape::v1(100_000, 16384), Vec::new());
        let piece = sample.piece(PieceIndex(6));
        assert_eq!(piece.len(), 100_000 - 6 * 16384);
        assert_eq!(sample.digest(&piece), Some(sha1(&piece)));
        assert_eq!(sample.digest(&piece[1..]), None);
        assert_eq!(digest(&[sample], b"what"), sha1(b"what"));
    }
}
