//! What the engine tells whoever listens. Nothing but payment depends on an event being heard.

use bytes::Bytes;
use headwater_base::{ByteCount, LinkId, PeerId, PieceIndex, ReaderId, TorrentId, TrackerId};

use crate::{StoreError, WebSeedTrouble};

/// Something somebody may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A torrent's metadata is known: `Engine::metainfo` answers from here on.
    MetadataKnown(TorrentId),
    /// The store is open and stored pieces are checked: transfer begins.
    TorrentReady(TorrentId),
    /// A piece is verified and stored.
    PieceStored {
        /// Which torrent.
        torrent: TorrentId,
        /// Which piece.
        piece: PieceIndex,
    },
    /// Everything chosen is stored.
    TorrentDone(TorrentId),
    /// Verified stored bytes run from a reader's `start` up to `end`: it can be served.
    ReaderReady {
        /// Who reads.
        reader: ReaderId,
        /// One past the last byte that can be read, counted from the torrent's first byte.
        end: ByteCount,
    },
    /// A reader cannot be served, ever: its torrent failed or was removed.
    ReaderFailed(ReaderId),
    /// A peer finished its handshake.
    PeerJoined {
        /// Which torrent.
        torrent: TorrentId,
        /// Its link.
        link: LinkId,
        /// What it calls itself.
        peer: PeerId,
    },
    /// A peer's link closed.
    PeerLeft {
        /// Which torrent.
        torrent: TorrentId,
        /// Its link.
        link: LinkId,
        /// Why.
        reason: CloseReason,
    },
    /// Something a user may want to see, which the engine copes with.
    Warned {
        /// Which torrent.
        torrent: TorrentId,
        /// What.
        warning: Warning,
    },
    /// A torrent stopped because its store failed; `TorrentResumed` tries again.
    TorrentFailed {
        /// Which torrent.
        torrent: TorrentId,
        /// What the store said.
        error: StoreError,
    },
    /// Something happened that payment has to know. Told only while we have terms.
    Pay(PayNews),
}

/// What payment hears of links. The engine knows nothing of money: bytes, slots and messages are
/// what it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayNews {
    /// A peer takes part, by these terms.
    Told {
        /// Which torrent.
        torrent: TorrentId,
        /// Its link.
        link: LinkId,
        /// Its terms, bencoded.
        terms: Bytes,
    },
    /// A peer sent a message of payment.
    Said {
        /// Its link.
        link: LinkId,
        /// The message.
        payload: Bytes,
    },
    /// A peer that takes part is gone.
    Left(LinkId),
    /// A peer chokes us or stopped doing so.
    Served {
        /// Its link.
        link: LinkId,
        /// Whether it serves us.
        unchoked: bool,
    },
    /// A block came.
    Received {
        /// Over which link.
        link: LinkId,
        /// Its size.
        bytes: u64,
    },
    /// Bytes that came are right. Told once for each, whole pieces at a time in v1.
    Verified {
        /// Over which link they came.
        link: LinkId,
        /// How many.
        bytes: u64,
    },
    /// A peer sent wrong bytes.
    Bad(LinkId),
    /// A block was sent in a sold slot.
    Sent {
        /// Over which link.
        link: LinkId,
        /// Its size.
        bytes: u64,
    },
    /// A peer wants something of us, or no longer does.
    Interest {
        /// Its link.
        link: LinkId,
        /// Whether it does.
        interested: bool,
    },
    /// A peer gives us enough for a slot of its own, or no longer does.
    Reciprocates {
        /// Its link.
        link: LinkId,
        /// Whether it does.
        enough: bool,
    },
}

/// What a user may want to see of a torrent's troubles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// A tracker is out of reach or refuses; it is tried again.
    Tracker {
        /// Which tracker.
        tracker: TrackerId,
        /// Where it is.
        url: String,
        /// What is wrong.
        trouble: TrackerTrouble,
    },
    /// A peer sent a wrong block and is banned.
    PeerBanned {
        /// What it called itself.
        peer: PeerId,
        /// The piece it spoiled.
        piece: PieceIndex,
    },
    /// A peer gave metadata that does not hash to the torrent's identity.
    MetadataFalse {
        /// What it called itself.
        peer: PeerId,
    },
    /// A web seed fails; whether it is tried again, `WebSeedTrouble::passes` says.
    WebSeed {
        /// Its address.
        url: String,
        /// What is wrong.
        trouble: WebSeedTrouble,
    },
    /// A stored piece no longer hashes; it is fetched again.
    PieceLost(PieceIndex),
    /// It is the same torrent as another, which goes on while this one is paused. Both info-hashes
    /// of a hybrid were added before its metadata was known.
    Twin(TorrentId),
    /// This shell cannot make links, so nothing can be fetched.
    LinksUnsupported,
}

/// What is wrong with a tracker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrackerTrouble {
    /// Cannot be reached, in the shell's words.
    Unreachable(String),
    /// It refused, in its own words, cut to a sane length.
    Refused(String),
    /// It sent something that is no tracker message.
    Malformed,
}

/// Why a link was closed. Tests tell misbehaviour apart by it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    /// The other side went.
    #[error("peer closed the link")]
    Remote,
    /// It never opened.
    #[error("the link could not be opened")]
    Unreachable,
    /// The torrent was paused, removed or failed.
    #[error("the torrent stopped")]
    Stopped,
    /// It talks of another torrent.
    #[error("peer is in another swarm")]
    WrongSwarm,
    /// It is ourselves.
    #[error("link leads to ourselves")]
    Ourselves,
    /// There is a better link to the same peer.
    #[error("a second link to the same peer")]
    Duplicate,
    /// It was banned earlier.
    #[error("peer is banned")]
    Banned,
    /// It spoiled a piece.
    #[error("peer sent wrong data for piece {0}")]
    Poisoned(PieceIndex),
    /// It gave false metadata.
    #[error("peer sent metadata that does not match")]
    FalseMetadata,
    /// It gave hashes that prove nothing.
    #[error("peer sent false hashes for piece {0}")]
    FalseHashes(PieceIndex),
    /// Its bytes cannot be read.
    #[error(transparent)]
    Malformed(#[from] headwater_wire::Error),
    /// It broke a rule of the protocol.
    #[error("{0}")]
    Rule(&'static str),
    /// It was silent too long.
    #[error("nothing came for {0} s")]
    Silent(u64),
    /// Neither side has anything the other wants.
    #[error("neither side wants anything of the other")]
    Useless,
    /// Too many links; this one did least.
    #[error("too many links")]
    Crowded,
}
