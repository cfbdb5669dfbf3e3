//! What discovery waits for.

use headwater_base::{InfoHash, LinkId, TorrentId, TrackerId};

/// What a deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// A tracker's socket is opened, or took too long to open.
    Socket(TrackerId),
    /// A torrent announces, stops waiting for its offers, or got no answer.
    Announce(TrackerId, InfoHash),
    /// A link attempt took too long, or an offer is too old.
    Attempt(LinkId),
    /// A torrent may ask to be introduced to a stranger.
    Introduce(TorrentId),
    /// A torrent's neighbours hear whom they can be introduced to.
    News(TorrentId),
    /// A torrent may dial an address.
    Dial(TorrentId),
    /// A torrent may be looked for where nobody keeps a list.
    Seek(TorrentId),
    /// A link that came in must have said which torrent it is for.
    Arrival(LinkId),
}

impl Timer {
    /// The name it has in logs and tests.
    pub(super) fn why(self) -> &'static str {
        match self {
            Self::Socket(_) => "tracker socket",
            Self::Announce(..) => "announce",
            Self::Attempt(_) => "link attempt",
            Self::Introduce(_) => "introduction",
            Self::News(_) => "news",
            Self::Dial(_) => "dial",
            Self::Seek(_) => "seek",
            Self::Arrival(_) => "arrival",
        }
    }
}
