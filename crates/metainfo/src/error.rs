//! Why a torrent, a magnet link or a draft is refused.

use crate::bencode;

/// Why a torrent, a magnet link or a draft is refused. `file` counts from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes are not bencode, or too many.
    #[error(transparent)]
    Bencode(#[from] bencode::Error),
    /// Bencode, but no dictionary.
    #[error("a torrent is a dictionary, this is another value")]
    NotDict,
    /// No `info` dictionary.
    #[error("the info dictionary is missing or no dictionary")]
    NoInfo,
    /// An info dictionary with a `meta version` that is not strict bencode.
    #[error("keys of an info dictionary with a meta version are out of order or come twice")]
    KeyOrder,
    /// A `meta version` above 2.
    #[error("meta version {found}, at most 2 is known")]
    MetaVersion {
        /// Version found.
        found: i64,
    },
    /// A v2 file tree without `meta version`, or the other way round.
    #[error("meta version 2 and a file tree belong together, one is missing")]
    HalfV2,
    /// No usable name.
    #[error("the name is missing, no text or has no usable character")]
    Name,
    /// Piece length missing or out of range.
    #[error("piece length {}, 1 to {allowed} allowed", Found(*found))]
    PieceLength {
        /// Length found, if any.
        found: Option<i64>,
        /// Largest allowed.
        allowed: u32,
    },
    /// Piece length that v1 alone may have, and that is never created.
    #[error("piece length {found}, a power of two from {min} to {max} allowed")]
    PowerPieceLength {
        /// Length asked for.
        found: u32,
        /// Smallest allowed.
        min: u32,
        /// Largest allowed.
        max: u32,
    },
    /// A file's length missing or out of range.
    #[error("length of file {file} is {}, 0 to {allowed} allowed", Found(*found))]
    FileLength {
        /// Which file.
        file: usize,
        /// Length found, if any.
        found: Option<i64>,
        /// Largest allowed.
        allowed: u64,
    },
    /// The files together are empty or too large.
    #[error("{found} bytes in all, 1 to {allowed} allowed")]
    TotalLength {
        /// Bytes found.
        found: u64,
        /// Largest allowed.
        allowed: u64,
    },
    /// A list of files without files.
    #[error("the list of files is empty")]
    NoFiles,
    /// Too many files.
    #[error("{found} files, at most {allowed} allowed")]
    TooManyFiles {
        /// Files found.
        found: usize,
        /// Most allowed.
        allowed: usize,
    },
    /// A file entry that is no dictionary.
    #[error("entry of file {file} is no dictionary")]
    FileEntry {
        /// Which file.
        file: usize,
    },
    /// A file tree with something in it that is neither file nor folder, or with padding.
    #[error("entry of file {file} in the file tree is no file, no folder, or padding")]
    FileTree {
        /// Which file.
        file: usize,
    },
    /// A file of v2 without the root of its merkle tree.
    #[error("file {file} has no merkle root of 32 bytes")]
    PiecesRoot {
        /// Which file.
        file: usize,
    },
    /// A hybrid whose halves describe different bytes.
    #[error("file {file} of the v1 list is not where the v2 tree has it")]
    Halves {
        /// Which file of the v1 list.
        file: usize,
    },
    /// A piece layer of no file, of the wrong length, or that does not hash up to its root.
    #[error("piece layer {layer} is not that of a file, counted as they come")]
    PieceLayer {
        /// Which layer.
        layer: usize,
    },
    /// A file's path is missing or no list of names.
    #[error("path of file {file} is missing or no list of names")]
    Path {
        /// Which file.
        file: usize,
    },
    /// A file's path has too many parts.
    #[error("path of file {file} has {found} parts, at most {allowed} allowed")]
    PathDepth {
        /// Which file.
        file: usize,
        /// Parts found.
        found: usize,
        /// Most allowed.
        allowed: usize,
    },
    /// Paths that are much longer together than what describes them.
    #[error("path of file {file} makes all paths too long for the bytes that describe them")]
    PathBytes {
        /// Which file.
        file: usize,
    },
    /// Too many files share a path.
    #[error("more than {allowed} files share the path of an earlier one")]
    DuplicatePaths {
        /// Most allowed.
        allowed: u32,
    },
    /// More pieces than allowed.
    #[error("{found} pieces, at most {allowed} allowed")]
    TooManyPieces {
        /// Pieces found.
        found: u64,
        /// Most allowed.
        allowed: u64,
    },
    /// `pieces` is no byte string.
    #[error("the piece hashes are no byte string")]
    NoPieces,
    /// `pieces` does not fit the length.
    #[error("{found} bytes of piece hashes, {expected} needed for the length")]
    Pieces {
        /// Bytes found.
        found: usize,
        /// Bytes needed.
        expected: u64,
    },
    /// Text that is no magnet link.
    #[error("a magnet link starts with magnet:?")]
    NotMagnet,
    /// A magnet link that is too long.
    #[error("magnet link of {found} bytes, at most {allowed} allowed")]
    MagnetLength {
        /// Bytes found.
        found: usize,
        /// Most allowed.
        allowed: usize,
    },
    /// A control character, plain or escaped.
    #[error("control character {found:#04x} in a magnet link")]
    ControlCharacter {
        /// The character.
        found: u32,
    },
    /// A magnet link without a v1 or v2 info-hash.
    #[error("the magnet link names no BitTorrent info-hash")]
    NoInfoHash,
    /// An info-hash that is neither 40 hex digits nor 32 of base 32.
    #[error("info-hash of {found} characters, 40 of hex or 32 of base 32 needed")]
    InfoHash {
        /// Characters found.
        found: usize,
    },
    /// Two info-hashes of the same kind that differ.
    #[error("the magnet link names two different info-hashes")]
    TwoInfoHashes,
    /// Chosen files that cannot be read (BEP 53).
    #[error("chosen files must be numbers and ranges below {allowed}")]
    ChosenFiles {
        /// Numbers must be below this.
        allowed: usize,
    },
    /// More ranges of chosen files than allowed.
    #[error("{found} ranges of chosen files, at most {allowed} allowed")]
    TooManyRanges {
        /// Ranges found.
        found: usize,
        /// Most allowed.
        allowed: usize,
    },
    /// A draft's name that is not safe everywhere, so readers would change it.
    #[error("the name is empty, too long or holds what is not safe in a name")]
    DraftName,
    /// A draft's path that is not safe everywhere, too deep, or that an earlier file has.
    #[error("path of file {file} is not safe or too deep, or another's but for letters' case")]
    DraftPath {
        /// Which file.
        file: usize,
    },
    /// A draft was fed more bytes than its files have.
    #[error("{found} bytes fed where {left} are left")]
    TooManyBytes {
        /// Bytes fed.
        found: u64,
        /// Bytes that were left.
        left: u64,
    },
    /// A draft was finished early.
    #[error("{left} bytes not fed yet")]
    Unfinished {
        /// Bytes missing.
        left: u64,
    },
}

impl Error {
    /// The stable name of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Bencode(error) => error.code(),
            Self::NotDict => "not-a-torrent",
            Self::NoInfo | Self::HalfV2 | Self::KeyOrder => "bad-info",
            Self::MetaVersion { .. } => "unknown-version",
            Self::Name | Self::DraftName => "bad-name",
            Self::PieceLength { .. } | Self::PowerPieceLength { .. } => "bad-piece-length",
            Self::FileLength { .. } | Self::TotalLength { .. } => "bad-length",
            Self::NoFiles => "no-files",
            Self::TooManyFiles { .. } => "too-many-files",
            Self::FileEntry { .. }
            | Self::Path { .. }
            | Self::PathDepth { .. }
            | Self::PathBytes { .. }
            | Self::FileTree { .. }
            | Self::DraftPath { .. } => "bad-path",
            Self::PiecesRoot { .. } => "bad-root",
            Self::Halves { .. } => "bad-hybrid",
            Self::PieceLayer { .. } => "bad-piece-layer",
            Self::DuplicatePaths { .. } => "duplicate-paths",
            Self::TooManyPieces { .. } => "too-many-pieces",
            Self::NoPieces | Self::Pieces { .. } => "bad-pieces",
            Self::NotMagnet => "not-a-magnet",
            Self::MagnetLength { .. } => "too-large",
            Self::ControlCharacter { .. } => "bad-magnet",
            Self::NoInfoHash => "no-info-hash",
            Self::InfoHash { .. } | Self::TwoInfoHashes => "bad-info-hash",
            Self::ChosenFiles { .. } | Self::TooManyRanges { .. } => "bad-chosen-files",
            Self::TooManyBytes { .. } | Self::Unfinished { .. } => "bad-draft",
        }
    }
}

/// Prints a number that may be missing.
struct Found(Option<i64>);

impl core::fmt::Display for Found {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.0 {
            Some(number) => number.fmt(f),
            None => f.write_str("missing"),
        }
    }
}
