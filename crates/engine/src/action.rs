//! What the engine wants done. The shell does each in order and answers jobs with an `Input`.

use core::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use headwater_base::{InfoHash, JobId, LinkId, PieceIndex, Time, TorrentId, TrackerId};
use headwater_metainfo::Torrent;

use crate::{Ask, Event, FetchRange};

/// What `Engine::next` answers.
#[derive(Clone, Debug)]
pub enum Step {
    /// The shell must do this.
    Action(Action),
    /// Somebody may want to know this.
    Event(Event),
    /// Nothing is left to do before the deadline, or before the next input when there is none.
    Sleep(Option<Wake>),
}

/// When to call `next` again though nothing happened, and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wake {
    /// The deadline.
    pub at: Time,
    /// The timer it belongs to, for logs and tests.
    pub why: &'static str,
}

/// The bytes of one piece, shared between the engine and the jobs that hash and write it.
pub type PieceData = Arc<Vec<u8>>;

/// Something for the shell to do.
#[derive(Clone, Debug)]
pub enum Action {
    /// Open the place where a torrent's bytes are kept; answer `StoreOpened`.
    OpenStore {
        /// Which torrent.
        torrent: TorrentId,
        /// Its files and pieces.
        metainfo: Arc<Torrent>,
    },
    /// Close that place; with `delete` its bytes and records go. No answer.
    CloseStore {
        /// Which torrent.
        torrent: TorrentId,
        /// Whether its bytes go.
        delete: bool,
    },
    /// Read part of a stored piece; answer `BlockRead`.
    ReadBlock {
        /// The job to answer.
        job: JobId,
        /// Which torrent.
        torrent: TorrentId,
        /// Which piece.
        piece: PieceIndex,
        /// First byte inside the piece.
        begin: u32,
        /// How many bytes; whole blocks side by side may be asked for at once.
        len: u32,
    },
    /// SHA-1 these bytes; answer `PieceHashed`.
    HashPiece {
        /// The job to answer.
        job: JobId,
        /// The bytes.
        data: PieceData,
    },
    /// SHA-1 a piece as it is stored; answer `PieceHashed`.
    HashStored {
        /// The job to answer.
        job: JobId,
        /// Which torrent.
        torrent: TorrentId,
        /// Which piece.
        piece: PieceIndex,
    },
    /// SHA-256 each of these blocks; answer `BlocksHashed`.
    HashBlocks {
        /// The job to answer.
        job: JobId,
        /// The blocks, most of them equally long.
        blocks: Vec<Bytes>,
    },
    /// SHA-256 each block of a piece as it is stored, padding left out; answer `BlocksHashed`.
    HashLeaves {
        /// The job to answer.
        job: JobId,
        /// Which torrent.
        torrent: TorrentId,
        /// Which piece.
        piece: PieceIndex,
    },
    /// Store a verified piece, then the record that it is there; answer `PieceWritten`.
    WritePiece {
        /// The job to answer.
        job: JobId,
        /// Which torrent.
        torrent: TorrentId,
        /// Which piece.
        piece: PieceIndex,
        /// Its bytes, pad files included.
        data: PieceData,
    },

    /// Fetch part of a file over HTTP; answer `RangeAnswered`, then `RangeBytes` as they come,
    /// then `RangeFetched`. Without content-encoding, cookies or passwords; redirects are few
    /// and never from `https:` to `http:`.
    FetchRange(FetchRange),
    /// Give up a fetch. No answer; later news of it is ignored.
    CancelFetch(JobId),

    /// Open a WebSocket to a tracker; answer `TrackerOpened` or `TrackerClosed`.
    OpenTracker {
        /// What we call it.
        tracker: TrackerId,
        /// Where it is.
        url: String,
    },
    /// Send one text message to an open tracker.
    SendTracker {
        /// Which tracker.
        tracker: TrackerId,
        /// The message.
        text: String,
    },
    /// Close a tracker's socket once what was sent has left. No answer.
    CloseTracker(TrackerId),

    /// Announce to an HTTP or UDP tracker; answer `Asked`, unless the event is `Stopped`. Never
    /// asked of a shell that cannot dial.
    Ask(Box<Ask>),

    /// Make a peer connection with one data channel, and its offer; answer `OfferMade`.
    MakeOffer(LinkId),
    /// Make a peer connection that answers an offer; answer `AnswerMade`.
    MakeAnswer {
        /// The link to be.
        link: LinkId,
        /// The remote description, hostile until proven.
        offer: String,
    },
    /// Give a peer connection the answer to its offer; `LinkOpened` or `LinkClosed` follows.
    TakeAnswer {
        /// The link to be.
        link: LinkId,
        /// The remote description, hostile until proven.
        answer: String,
    },
    /// Make a link to a peer by its address; `LinkOpened` or `LinkClosed` follows. Never asked of
    /// a shell that cannot (`Config::dials`).
    Dial {
        /// The link to be.
        link: LinkId,
        /// Where a stranger says that a peer listens.
        address: SocketAddr,
    },
    /// Look for peers of a torrent in the DHT and on the local network; answer `PeersFound`,
    /// once or more, if any. Never asked of a shell that cannot (`Config::seeks`).
    Seek {
        /// Which torrent.
        torrent: TorrentId,
        /// One of its hashes.
        info_hash: InfoHash,
        /// Where others outside our network are to hear that we listen, if they are to hear of us.
        announce: Option<u16>,
    },
    /// Send bytes on an open link, never more than its window. Consecutive sends to one link
    /// may leave in one data-channel message of up to 64 KiB.
    Send {
        /// Which link.
        link: LinkId,
        /// The bytes.
        bytes: Bytes,
    },
    /// Close a link or give up an attempt. No answer; later news of it is ignored.
    CloseLink(LinkId),
}
