//! What the shell decides before the engine starts.

use core::time::Duration;

use headwater_base::PeerId;

/// How many peer connections are made of offers, and how fast: what one costs is the shell's to
/// know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts {
    /// Those made at once for offers, and as many for answers.
    pub burst: u32,
    /// Time that allows one more offer after the burst.
    pub offer_every: Duration,
    /// Time that allows one more answer after the burst.
    pub answer_every: Duration,
    /// Answers that all torrents make or wait on at once.
    pub answers_max: usize,
    /// The same of one torrent.
    pub answers_per_torrent_max: usize,
}

impl Attempts {
    /// In a page. Chromium refuses at 500 peer connections, and counts those already closed until
    /// they are collected: 240 offers and 360 answers an hour.
    pub const PAGE: Self = Self {
        burst: 60,
        offer_every: Duration::from_secs(15),
        answer_every: Duration::from_secs(10),
        answers_max: 20,
        answers_per_torrent_max: 10,
    };

    /// In a program, whose connections end when they are closed: it is there for crowds. Most that
    /// it answers at once are open within a second.
    pub const PROGRAM: Self = Self {
        burst: 200,
        offer_every: Duration::from_secs(1),
        answer_every: Duration::from_millis(100),
        answers_max: 60,
        answers_per_torrent_max: 40,
    };
}

/// Settings of one engine. All of them have working defaults.
#[derive(Clone, Debug)]
pub struct Config {
    /// What we call ourselves, one name for all torrents: trackers allow one a socket (BEP 20).
    pub peer_id: PeerId,
    /// Client name and version, sent in the extension handshake (`v` of BEP 10).
    pub agent: String,
    /// Trackers every public torrent announces to besides its own.
    pub trackers: Vec<String>,
    /// Most links one torrent keeps open.
    pub links_per_torrent_max: usize,
    /// Most links and attempts all torrents keep together: browsers refuse at 500 (Chromium).
    pub links_max: usize,
    /// Most of those that are made of offers, which cost sockets and handshakes; `None` for all.
    pub offered_links_max: Option<usize>,
    /// How fast those are made.
    pub attempts: Attempts,
    /// Whether the shell can make links by address.
    pub dials: bool,
    /// The port on which the shell accepts links, told to peers; `None` when it does not.
    pub listens: Option<u16>,
    /// Whether the shell can look for peers where nobody keeps a list: in the DHT (BEP 5) or on
    /// the local network (BEP 14).
    pub seeks: bool,
    /// The UDP port of the shell's DHT node, told to peers that have one (BEP 5).
    pub dht_port: Option<u16>,
    /// Whether HTTP and UDP trackers that strangers name for a bridge may lie in private networks
    /// too.
    pub local_trackers: bool,
    /// Whether web seeds that torrents name may lie in private networks too.
    pub local_web_seeds: bool,
    /// Bytes a second all torrents may send; `None` for no limit.
    pub upload_limit: Option<u64>,
    /// Bytes a second all torrents may fetch; `None` for no limit.
    pub download_limit: Option<u64>,
    /// Bytes a second a torrent may send until it gets a limit of its own; `None` for no limit.
    pub torrent_upload_limit: Option<u64>,
    /// Bytes a second a torrent may fetch until it gets a limit of its own; `None` for no limit.
    pub torrent_download_limit: Option<u64>,
    /// Most torrents that fetch at once, the others wait; `None` for all.
    pub active_downloads_max: Option<usize>,
    /// Most complete torrents that are shared at once, the others wait; `None` for all.
    pub active_seeds_max: Option<usize>,
    /// Bytes a second any one peer is sent; `None` for no limit.
    pub peer_upload_limit: Option<u64>,
    /// Bytes a second any one peer is asked for; `None` for no limit.
    pub peer_download_limit: Option<u64>,
    /// Whether pieces that peers want soon are fetched before others (`hw_want`). Useful to who
    /// serves them next: a bridge, or a hybrid that fetches itself.
    pub heeds_wants: bool,
    /// Pieces a starting peer gets though it is choked (BEP 6). Each new name gets them anew, so
    /// that a swarm of strangers is better off with none.
    pub allowed_fast: usize,
}

impl Config {
    /// The defaults under the given name.
    pub fn new(peer_id: PeerId) -> Self {
        Self {
            peer_id,
            agent: concat!("Headwater/", env!("CARGO_PKG_VERSION")).to_owned(),
            trackers: Vec::new(),
            links_per_torrent_max: 40,
            links_max: 60,
            offered_links_max: None,
            attempts: Attempts::PAGE,
            dials: false,
            listens: None,
            seeks: false,
            dht_port: None,
            local_trackers: false,
            local_web_seeds: false,
            upload_limit: None,
            download_limit: None,
            torrent_upload_limit: None,
            torrent_download_limit: None,
            active_downloads_max: None,
            active_seeds_max: None,
            peer_upload_limit: None,
            peer_download_limit: None,
            heeds_wants: false,
            allowed_fast: 0,
        }
    }
}
