//! What can happen to the engine: users' wishes, answers to jobs, news from links and trackers.

use core::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use headwater_base::{
    Bitfield, ByteCount, Digest1, Digest256, InfoHash, JobId, LinkId, PieceIndex, ReaderId,
    TorrentId, TrackerId,
};
use headwater_metainfo::{RawPublication, Torrent};

use crate::{Asked, AskedFailure, FetchError, RangeHead, WebSeed};

/// What payment orders. The engine knows nothing of money: messages, slots and bytes are all it
/// hears of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayOrder {
    /// Tell peers these terms, bencoded, or that there are none any more.
    Terms(Option<Bytes>),
    /// Send a message to a peer.
    Say {
        /// Its link.
        link: LinkId,
        /// The message.
        payload: Bytes,
    },
    /// Sell a peer a slot, or end that. Half of a torrent's slots at most are ever sold.
    Sell {
        /// Its link.
        link: LinkId,
        /// Its share of what is sold, in millionths; 0 ends it.
        weight: u32,
    },
    /// Send a peer so many bytes in sold slots, all in all.
    Allow {
        /// Its link.
        link: LinkId,
        /// How many.
        bytes: u64,
    },
    /// Ask no other peer for what is asked of this one, whose bytes cost money; or no longer.
    Charge {
        /// Its link.
        link: LinkId,
        /// Whether they do.
        charges: bool,
    },
    /// Link with seeds though there is nothing to fetch, since one may have what is bought; or no
    /// longer.
    Meet(bool),
}

/// Something that happened. Named in the past tense; the engine never refuses one.
#[derive(Clone, Debug)]
pub enum Input {
    /// The user added a torrent; `torrent` is new and chosen by the caller. Added again under
    /// the same name, it gains the trackers and the metadata it lacks.
    TorrentAdded {
        /// The name it has from here on.
        torrent: TorrentId,
        /// What is known of it.
        add: Box<AddTorrent>,
    },
    /// The user removed a torrent; with `delete` its stored data goes too.
    TorrentRemoved {
        /// Which one.
        torrent: TorrentId,
        /// Whether stored data goes.
        delete: bool,
    },
    /// The user paused a torrent: its links close, it says `stopped`, nothing flows.
    TorrentPaused(TorrentId),
    /// The user resumed a torrent.
    TorrentResumed(TorrentId),
    /// The user doubts what is stored, whatever its record says: all of it is hashed again. Where
    /// the store is still to be opened, nothing counts as stored before it is.
    TorrentDoubted(TorrentId),
    /// The user chose what to fetch, a priority for each file of the torrent in order.
    FilesChosen {
        /// Which torrent.
        torrent: TorrentId,
        /// One a file; pad files count too. Missing entries are `Normal`.
        priorities: Vec<Priority>,
    },
    /// The user wants a torrent's pieces in their order, for a program that reads them as they
    /// come, or by rarity, which is better for everybody and where torrents start.
    OrderChosen {
        /// Which torrent.
        torrent: TorrentId,
        /// Whether pieces come in order.
        sequential: bool,
    },
    /// The user chose whether a torrent that is whole shows its pieces one by one (BEP 16).
    SuperSeedChosen {
        /// Which torrent.
        torrent: TorrentId,
        /// Whether it does.
        on: bool,
    },
    /// A reader waits for bytes from `start`, and will soon want those up to `end`.
    /// Answered by `Event::ReaderReady` each time the run of verified bytes at `start` grows.
    ReaderMoved {
        /// Who reads; new on first use.
        reader: ReaderId,
        /// Which torrent.
        torrent: TorrentId,
        /// First byte it lacks, counted from the torrent's first byte.
        start: ByteCount,
        /// One past the last byte it will ask for.
        end: ByteCount,
    },
    /// A reader went away; its deadlines go with it.
    ReaderClosed(ReaderId),
    /// The user changed the limits; bytes a second, `None` for no limit.
    LimitsChanged {
        /// For sending.
        upload: Option<u64>,
        /// For fetching.
        download: Option<u64>,
    },
    /// The user changed one torrent's own limits; bytes a second, `None` for no limit.
    TorrentLimited {
        /// Which torrent.
        torrent: TorrentId,
        /// For sending.
        upload: Option<u64>,
        /// For fetching.
        download: Option<u64>,
    },
    /// The user changed how many torrents may be active at once; `None` for all.
    QueueLimited {
        /// Those that fetch.
        downloads: Option<usize>,
        /// Those that are complete.
        seeds: Option<usize>,
    },
    /// The user gave a torrent another place in the queue, 0 being the first.
    QueueMoved {
        /// Which torrent.
        torrent: TorrentId,
        /// Its place.
        place: usize,
    },

    /// Payment ordered something. Nothing comes of it without the feature `pay`.
    PayOrdered(PayOrder),

    /// Answers `Action::OpenStore`.
    StoreOpened {
        /// Which torrent.
        torrent: TorrentId,
        /// What is stored already.
        result: Result<Stored, StoreError>,
    },
    /// Answers `Action::ReadBlock`.
    BlockRead {
        /// The job.
        job: JobId,
        /// The bytes, as many as asked for.
        result: Result<Bytes, StoreError>,
    },
    /// Answers `Action::HashPiece` and `Action::HashStored`.
    PieceHashed {
        /// The job.
        job: JobId,
        /// SHA-1 of the piece, pad files included as zeros.
        result: Result<Digest1, StoreError>,
    },
    /// Answers `Action::HashBlocks` and `Action::HashLeaves`.
    BlocksHashed {
        /// The job.
        job: JobId,
        /// SHA-256 of each block, in order.
        result: Result<Vec<Digest256>, StoreError>,
    },
    /// Answers `Action::WritePiece`: the piece survives a crash from here on.
    PieceWritten {
        /// The job.
        job: JobId,
        /// Whether it worked.
        result: Result<(), StoreError>,
    },

    /// Answers `Action::FetchRange`: a server answered, its bytes follow.
    RangeAnswered {
        /// The job.
        job: JobId,
        /// What it said before them.
        head: RangeHead,
    },
    /// The next bytes of a fetch, in order.
    RangeBytes {
        /// The job.
        job: JobId,
        /// The bytes.
        bytes: Bytes,
    },
    /// A fetch ended: all bytes came, or none follow. The last word of its job.
    RangeFetched {
        /// The job.
        job: JobId,
        /// How it ended.
        result: Result<(), FetchError>,
    },

    /// Answers `Action::OpenTracker`.
    TrackerOpened(TrackerId),
    /// A tracker sent a text message.
    TrackerText {
        /// Which tracker.
        tracker: TrackerId,
        /// One whole message.
        text: String,
    },
    /// A tracker cannot be reached, or its socket closed.
    TrackerClosed {
        /// Which tracker.
        tracker: TrackerId,
        /// Why, in a few words for a person.
        why: String,
    },

    /// Answers `Action::Ask`.
    Asked {
        /// Which tracker.
        tracker: TrackerId,
        /// The torrent it was asked about.
        info_hash: InfoHash,
        /// What it said.
        result: Result<Asked, AskedFailure>,
    },

    /// Answers `Action::MakeOffer`, candidates included.
    OfferMade {
        /// The link to be.
        link: LinkId,
        /// The complete session description.
        sdp: String,
    },
    /// Answers `Action::MakeAnswer`, candidates included.
    AnswerMade {
        /// The link to be.
        link: LinkId,
        /// The complete session description.
        sdp: String,
    },
    /// The shell heard of peers by means of its own.
    PeersFound {
        /// Which torrent.
        torrent: TorrentId,
        /// Who told.
        finder: Finder,
        /// Where they are said to listen.
        addresses: Vec<SocketAddr>,
    },
    /// A router leads ports of its own to ours, or no longer does: peers outside our network reach
    /// us there. `None` where it is the port itself, as in the beginning.
    PortsMapped {
        /// For the port that the shell listens on.
        listens: Option<u16>,
        /// For the port of its DHT node.
        dht: Option<u16>,
    },
    /// A link opened: bytes may be sent, `window` of them until `LinkWritable` says more.
    LinkOpened {
        /// Which link.
        link: LinkId,
        /// Bytes it takes before it is full.
        window: usize,
        /// The IP address at its other end, where the shell knows it.
        from: Option<IpAddr>,
    },
    /// Somebody dialled us and a link is open: its handshake will say for which torrent.
    LinkAccepted {
        /// What the shell calls it: new, and from `ACCEPTED_FROM` on.
        link: LinkId,
        /// Bytes it takes before it is full.
        window: usize,
        /// Whence it came.
        from: SocketAddr,
    },
    /// A link brought bytes. Their cut means nothing: a link is a byte stream.
    LinkBytes {
        /// Which link.
        link: LinkId,
        /// The next bytes.
        bytes: Bytes,
    },
    /// A link drained: it takes `window` bytes from here on, whatever was said before.
    LinkWritable {
        /// Which link.
        link: LinkId,
        /// Bytes it takes before it is full.
        window: usize,
    },
    /// A link closed, or could not be made. The engine hears it once; nothing follows.
    LinkClosed {
        /// Which link.
        link: LinkId,
        /// How it ended.
        end: LinkEnd,
    },
}

/// Names of links that shells accept start here, far from those the engine gives.
pub const ACCEPTED_FROM: u64 = 1 << 51;

/// Who told the shell of peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finder {
    /// The user: they may be anywhere, and of a private torrent.
    User,
    /// Somebody at this address, as far as the shell knows it: whatever lies nearer to us than he
    /// does is left out, and what is said of a private torrent (BEP 27).
    Stranger(Option<IpAddr>),
}

/// What is known of a torrent when it is added.
#[derive(Clone, Debug)]
pub struct AddTorrent {
    /// Its identity: what handshakes and trackers call it.
    pub info_hash: InfoHash,
    /// Its v2 identity, when it is known to have one. The other is its start in v2 alone.
    pub info_hash_v2: Option<Digest256>,
    /// The whole torrent, or `None` for a magnet link: then peers are asked (BEP 9).
    pub metainfo: Option<Arc<Torrent>>,
    /// What to call it until metadata comes.
    pub name: Option<String>,
    /// Tracker tiers (BEP 12), of which only `ws:` and `wss:` are used here.
    pub trackers: Vec<Vec<String>>,
    /// Web servers that hold its files (BEP 19).
    pub web_seeds: Vec<WebSeed>,
    /// What a magnet link says of its publisher: its metadata keeps it, unless it says so itself.
    pub publication: Option<RawPublication>,
    /// Indices of the files to fetch (BEP 53); `None` for all.
    pub files: Option<Vec<u32>>,
    /// Whether it waits for `TorrentResumed`.
    pub paused: bool,
    /// Whether it is joined for browsers: what peers of direct links have is fetched as they ask,
    /// and nothing else.
    pub bridge: bool,
}

/// How much a file is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Not at all: its pieces come only where they hold bytes of a wanted file.
    Skip,
    /// Like the rest.
    #[default]
    Normal,
    /// Before the rest.
    High,
}

/// What a store holds when it opens.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    /// Pieces whose record says they were verified and nothing touched them since.
    pub have: Bitfield,
    /// Pieces that may be there but must be hashed first. Never overlaps `have`.
    pub doubtful: Bitfield,
    /// Whether nothing can be written to it: then what is not stored is not fetched either, and
    /// the torrent shares what there is.
    pub read_only: bool,
}

/// Why a store failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No room: disk or quota.
    #[error("no room left, free some and go on: {0}")]
    Full(String),
    /// Another tab or program has it open.
    #[error("in use elsewhere: {0}")]
    Busy(String),
    /// Its record was written by a newer version of this program, which alone may change it.
    #[error("kept by a newer version, use that one: {0}")]
    Newer(String),
    /// The metadata hashes to the torrent's name and is no torrent all the same; nobody has other.
    #[error("the torrent itself is broken: {0}")]
    Metadata(String),
    /// Anything else the outside world said.
    #[error("{0}")]
    Io(String),
    /// The two hashes of a hybrid torrent ask for different bytes: nobody can have it.
    #[error("the torrent contradicts itself: its v1 and v2 hashes of piece {0} differ")]
    Contradiction(PieceIndex),
}

/// How a link ended, as far as the shell can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkEnd {
    /// The other side closed it, or it broke after it was open.
    Closed,
    /// It never opened: a bad description, no path between the two, no answer.
    Failed,
    /// This shell cannot make links at all, or no more of them.
    Unsupported,
}
