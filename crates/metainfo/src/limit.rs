//! Every limit of this crate. What is beyond them aims at memory or the stack, not at a torrent.

/// Most bytes of a bencoded value, a `.torrent` file included.
pub const BENCODE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Most lists and dictionaries inside one another.
pub const BENCODE_DEPTH_MAX: usize = 100;
/// Most values in one bencoded value, dictionary keys included.
pub const BENCODE_VALUES_MAX: usize = 2_000_000;
/// Most characters of an integer: 19 digits and a sign.
pub const INTEGER_CHARS_MAX: usize = 20;

/// Most pieces of a torrent, as in libtorrent.
pub const PIECES_MAX: u64 = 0x20_0000;
/// Longest piece: as many blocks as libtorrent counts.
pub const PIECE_LENGTH_MAX: u32 = 0x7fff * 16 * 1024;
/// Shortest piece of v2, and that is created: one block.
pub const PIECE_LENGTH_CREATED_MIN: u32 = 16 * 1024;
/// Longest piece that is created without being asked for.
pub const PIECE_LENGTH_AUTO_MAX: u32 = 16 * 1024 * 1024;
/// Pieces that an automatic piece length stays at or below, until the longest is reached.
pub const PIECES_AUTO_MAX: u64 = 2000;
/// Most files of a torrent.
pub const FILES_MAX: usize = 250_000;
/// Most bytes of a torrent; far below what a JavaScript number holds exactly.
pub const LENGTH_MAX: u64 = (1 << 48) - 1;
/// Most bytes of a file, as in libtorrent: its blocks can be counted in 30 bits.
pub const FILE_LENGTH_MAX: u64 = ((1 << 30) - 1) * 16 * 1024;
/// How many bytes the paths of a file tree may have together for each byte of the dictionary that
/// describes it. Names of folders are written once, so hostile trees could multiply them.
pub const PATH_BYTES_FACTOR: usize = 16;
/// Most folders and names in one path.
pub const PATH_PARTS_MAX: usize = 100;
/// Most folders and names in a path that is created: in a file tree each nests a dictionary.
pub const PATH_PARTS_CREATED_MAX: usize = 90;
/// Longest name in a path. Short of 255 so that a number fits when it must be told from another.
pub const NAME_BYTES_MAX: usize = 240;
/// Longest file ending kept when a name is cut.
pub const EXTENSION_BYTES_MAX: usize = 16;
/// Highest number that tells files with one path apart, as in libtorrent.
pub const RENAMES_MAX: u32 = 32;

/// Longest address of a tracker, web seed or peer.
pub const URL_BYTES_MAX: usize = 2048;
/// Most trackers kept of a torrent or magnet link.
pub const TRACKERS_MAX: usize = 100;
/// Most web seeds kept of a torrent or magnet link.
pub const WEB_SEEDS_MAX: usize = 100;
/// Most peers kept of a magnet link.
pub const MAGNET_PEERS_MAX: usize = 100;
/// Most bytes of what a torrent says of its publisher; version 1 takes 400 at most.
pub const PUBLICATION_BYTES_MAX: usize = 1024;
/// Most bytes of a magnet link.
pub const MAGNET_BYTES_MAX: usize = 64 * 1024;
/// Most ranges of chosen files in a magnet link.
pub const MAGNET_RANGES_MAX: usize = 1000;
