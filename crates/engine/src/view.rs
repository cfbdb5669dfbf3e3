//! What the engine shows of itself when asked: plain values, made on demand.

use headwater_base::{ByteCount, LinkId, PeerId, TorrentId};

/// All torrents together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EngineView {
    /// Payload bytes a second, coming in.
    pub download_speed: u64,
    /// Payload bytes a second, going out.
    pub upload_speed: u64,
    /// Links that finished their handshake.
    pub peers: usize,
    /// Offers, answers and links alive.
    pub links: usize,
}

/// What a torrent is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TorrentState {
    /// Metadata is being asked of peers. Left for `Checking` when it hashes right.
    Resolving,
    /// The store opens and doubtful pieces are hashed. Left for `Leeching` or `Seeding`.
    Checking,
    /// Chosen pieces are missing.
    Leeching,
    /// Everything chosen is stored.
    Seeding,
    /// Enough others are active; it goes on by itself when there is room.
    Queued,
    /// The user stopped it.
    Paused,
    /// The store failed.
    Failed,
}

/// One torrent.
#[derive(Clone, Debug, PartialEq)]
pub struct TorrentView {
    /// Which one.
    pub torrent: TorrentId,
    /// What it is doing.
    pub state: TorrentState,
    /// Bytes of wanted pieces.
    pub wanted: ByteCount,
    /// Bytes of wanted pieces that are stored.
    pub wanted_stored: ByteCount,
    /// Bytes of pieces that are being fetched, hashed or written.
    pub open: ByteCount,
    /// Payload bytes fetched from peers since it was added.
    pub downloaded: ByteCount,
    /// Payload bytes sent to peers since it was added.
    pub uploaded: ByteCount,
    /// Payload bytes that were thrown away: wrong, or there already.
    pub wasted: ByteCount,
    /// Payload bytes a second, coming in.
    pub download_speed: u64,
    /// Payload bytes a second, going out.
    pub upload_speed: u64,
    /// Links that finished their handshake.
    pub peers: usize,
    /// How many of those have every piece.
    pub seeds: usize,
    /// Fewest copies of any wanted missing piece among peers; `None` while unknown.
    pub rarest: Option<u32>,
    /// Addresses at which peers are said to be, linked ones included (BEP 11).
    pub addresses_known: usize,
    /// Its trackers.
    pub trackers: Vec<TrackerView>,
    /// Its web seeds.
    pub web_seeds: Vec<WebSeedView>,
}

/// One web seed of one torrent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSeedView {
    /// Its address.
    pub url: String,
    /// Whether it is being asked, or may be at any time.
    pub working: bool,
    /// What is wrong, for a person; empty when nothing is.
    pub trouble: String,
    /// Bytes that came from it.
    pub downloaded: ByteCount,
    /// Bytes a second from it.
    pub download_speed: u64,
}

/// One tracker as one torrent sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackerView {
    /// Where it is.
    pub url: String,
    /// Whether its last word was a good one.
    pub working: bool,
    /// What is wrong, for a person; empty when it works or was not tried.
    pub trouble: String,
    /// Peers with everything, as it counts them.
    pub complete: u32,
    /// Peers without everything, as it counts them.
    pub incomplete: u32,
    /// Seconds until it is asked again.
    pub next_in: Option<u64>,
}

/// One peer.
#[derive(Clone, Debug, PartialEq)]
pub struct PeerView {
    /// Its link.
    pub link: LinkId,
    /// What it calls itself.
    pub peer: PeerId,
    /// One side dialled the other: nothing was offered.
    pub direct: bool,
    /// Its IP address, where that is known.
    pub from: Option<core::net::IpAddr>,
    /// Its client, from the extension handshake or its id; hostile text, cut to a sane length.
    pub agent: String,
    /// Pieces it has.
    pub pieces: u32,
    /// Payload bytes fetched from it.
    pub downloaded: ByteCount,
    /// Payload bytes sent to it.
    pub uploaded: ByteCount,
    /// Payload bytes a second from it.
    pub download_speed: u64,
    /// Payload bytes a second to it.
    pub upload_speed: u64,
    /// It does not serve us.
    pub choking_us: bool,
    /// It wants something of us.
    pub interested: bool,
    /// We do not serve it.
    pub choked: bool,
    /// We want something of it.
    pub interesting: bool,
    /// Bytes asked of it and not yet answered.
    pub asked: ByteCount,
    /// Bytes held for its link: messages that are not whole or not sent, and what was read ahead.
    pub held: ByteCount,
}

/// One piece, for a map of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PieceState {
    /// Nobody linked has it.
    Absent,
    /// Somebody linked has it.
    Available,
    /// Blocks of it are asked for or here.
    Partial,
    /// Verified and stored.
    Stored,
}
