//! Every limit of the wire forms, with why it is what it is.

/// Longest block a piece message may carry. Peers ask for 16 KiB; some send up to 128 KiB.
pub const BLOCK_BYTES_MAX: u32 = 128 * 1024;

/// Longest bitfield while the number of pieces is unknown: a million pieces, while metadata of
/// 16 MiB, the largest fetched, names fewer than 840 000.
pub const BITFIELD_BYTES_MAX: u32 = 128 * 1024;

/// Longest payload of an extended or unknown message; libtorrent drops above 1 MiB too.
pub const EXTENDED_BYTES_MAX: u32 = 1024 * 1024;

/// Longest message of any kind, id byte included.
pub const MESSAGE_BYTES_MAX: u32 = EXTENDED_BYTES_MAX + 2;

/// Bytes set aside at once for a message that arrives in parts. It grows with what arrives, so
/// that a peer cannot make us hold much more than it sent.
pub(crate) const ASSEMBLY_BYTES: usize = 16 * 1024;

/// Bytes of metadata in one message: what BEP 9 cuts it into.
pub const METADATA_PIECE_BYTES: usize = 16 * 1024;

/// Most hashes of one layer in a message (BEP 52); libtorrent refuses more too.
pub const HASHES_MAX: u32 = 8192;

/// Most layers of a merkle tree above its leaves: 2^48 bytes in blocks of 16 KiB.
pub const HASH_LAYERS_MAX: u32 = 34;

/// Longest payload of a `hashes` message: the run and an uncle for each layer.
pub const HASHES_BYTES_MAX: u32 = (HASHES_MAX + HASH_LAYERS_MAX) * 32;

/// Deepest nesting of an extended message's dictionary; the extension handshake needs two.
pub(crate) const EXTENDED_DEPTH_MAX: usize = 8;

/// Most values in an extended message's dictionary, keys included.
pub(crate) const EXTENDED_VALUES_MAX: usize = 1000;

/// Most extensions remembered of a peer's handshake; the clients seen name fewer than ten.
pub const EXTENSIONS_MAX: usize = 64;

/// Longest extension name remembered.
pub const EXTENSION_NAME_BYTES_MAX: usize = 64;

/// Longest client name shown; the rest is cut.
pub const AGENT_CHARS_MAX: usize = 64;

/// Longest answer of an HTTP tracker read: a thousand peers in the long form.
pub const TRACKER_ANSWER_BYTES_MAX: usize = 256 * 1024;
/// Peers taken from one answer of an HTTP or UDP tracker. Trackers give 200 at most.
pub const TRACKER_PEERS_MAX: usize = 200;
/// Longest tracker message read. Ten offers of libtorrent take about 20 KiB.
pub const TRACKER_TEXT_BYTES_MAX: usize = 128 * 1024;

/// Longest session description. One with 64 candidates takes about 8 KiB.
pub const SDP_BYTES_MAX: usize = 16 * 1024;

/// Most ICE candidates in a session description: more make a peer a port scanner.
pub const SDP_CANDIDATES_MAX: usize = 64;

/// Most offers read of one announce, as in bittorrent-tracker.
pub const OFFERS_MAX: usize = 82;

/// Most trackers told to a tracker with a bridge in one announce (`hw_trackers`).
pub const TRACKERS_TOLD_MAX: usize = 8;

/// Longest address of such a tracker.
pub const TRACKER_TOLD_BYTES_MAX: usize = 512;

/// Most torrents in one scrape, as in aquatic.
pub const SCRAPE_MAX: usize = 255;

/// Longest query of an HTTP announce or scrape: `SCRAPE_MAX` info-hashes with every byte escaped.
pub const TRACKER_QUERY_BYTES_MAX: usize = 24 * 1024;

/// Longest text shown of a tracker's words; the rest is cut.
pub const REASON_CHARS_MAX: usize = 256;

/// Longest tracker id given back to the tracker that sent it.
pub const TRACKER_ID_BYTES_MAX: usize = 256;

/// Most peers in one list of `hw_signal`, as in one of BEP 11; an engine keeps fewer links.
pub const SIGNAL_PEERS_MAX: usize = 50;

/// Most addresses read of those added, and as many of those dropped, in one message of BEP 11. It
/// allows 50 each, the first message excepted; libtorrent's first has up to 100.
pub const PEX_PEERS_MAX: usize = 200;

/// Longest message of peer exchange: far more than so many addresses take, though less than
/// libtorrent reads.
pub const PEX_BYTES_MAX: usize = 64 * 1024;

/// Most ranges in one message of `hw_want`: two for each of eight readers.
pub const WANTS_MAX: usize = 16;

/// Longest message of `hw_signal`: a session description and what surrounds it.
pub const SIGNAL_BYTES_MAX: usize = SDP_BYTES_MAX + 1024;

/// Longest payment terms in an extension handshake: eight rails take about 600 bytes.
pub const PAY_TERMS_BYTES_MAX: usize = 1024;

/// Most rails in payment terms. There are two chains worth the name, each with a test network.
pub const PAY_RAILS_MAX: usize = 8;

/// Longest message of `btt_pay`. A bid, the longest, takes about 320 bytes.
pub const PAY_BYTES_MAX: usize = 1024;
