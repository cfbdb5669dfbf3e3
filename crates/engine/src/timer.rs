//! What the engine waits for. Nothing else in it waits for a time.

use headwater_base::{LinkId, TorrentId};

/// Everything the engine waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// A link must have shown its handshake.
    Handshake(LinkId),
    /// We greet a link though its peer has not.
    Greet(LinkId),
    /// A link needs a sign of life from us.
    KeepAlive(LinkId),
    /// A link may have been silent too long.
    Silence(LinkId),
    /// A peer may owe blocks for too long.
    Snub(LinkId),
    /// A second link to a peer may go.
    Retire(LinkId),
    /// Neither side of a link may have use for it.
    Useless(LinkId),
    /// A link may send a block under the limits.
    Upload(LinkId),
    /// A link may ask for a block under the limits.
    Download(LinkId),
    /// A peer may be told who came and who went.
    Pex(LinkId),
    /// Upload slots are given out anew.
    Choke(TorrentId),
    /// Metadata may be asked of somebody else.
    Metadata(TorrentId),
    /// Hashes may be asked of somebody else.
    Hashes(TorrentId),
    /// Urgent blocks may be late.
    Urgent(TorrentId),
    /// Web seeds may be asked, or owe bytes for too long.
    WebSeeds(TorrentId),
    /// Peers hear what readers want soon.
    Want(TorrentId),
    /// Speeds have changed.
    Measure,
}

impl Timer {
    /// Its name, for logs and tests.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Handshake(_) => "handshake",
            Self::Greet(_) => "greet",
            Self::KeepAlive(_) => "keep-alive",
            Self::Silence(_) => "silence",
            Self::Snub(_) => "snub",
            Self::Retire(_) => "retire",
            Self::Useless(_) => "useless",
            Self::Upload(_) => "upload",
            Self::Download(_) => "download",
            Self::Pex(_) => "peer exchange",
            Self::Choke(_) => "choke",
            Self::Metadata(_) => "metadata",
            Self::Hashes(_) => "hashes",
            Self::Urgent(_) => "urgent",
            Self::WebSeeds(_) => "web seeds",
            Self::Want(_) => "want",
            Self::Measure => "measure",
        }
    }

    /// All that are a link's.
    pub(crate) fn of_link(link: LinkId) -> [Self; 10] {
        [
            Self::Handshake(link),
            Self::Greet(link),
            Self::KeepAlive(link),
            Self::Silence(link),
            Self::Snub(link),
            Self::Retire(link),
            Self::Useless(link),
            Self::Upload(link),
            Self::Download(link),
            Self::Pex(link),
        ]
    }
}
