//! Links as a shell sees them: made from session descriptions, then a window of bytes each way.
//! Knows nothing of torrents, trackers or what the bytes mean.

mod link;
mod links;
mod mse;
mod pace;
mod rtc;
mod sdp;
mod socket;
mod stream;

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use headwater_base::LinkId;
use headwater_engine::LinkEnd;

pub(crate) use links::Links;
pub use links::Net;
pub use rtc::{RtcConfig, RtcTransport};
pub use stream::{Bound, Encryption, StreamConfig, StreamTransport};

/// What makes links and carries their bytes. No call blocks; news comes as [`LinkEvent`]s.
pub trait Transport: Send {
    /// Starts a link and its offer; `OfferMade` or `Closed` follows.
    fn make_offer(&mut self, link: LinkId);
    /// Starts a link that answers `offer`; `AnswerMade` or `Closed` follows.
    fn make_answer(&mut self, link: LinkId, offer: String);
    /// Gives a link the answer to its offer; `Opened` or `Closed` follows.
    fn take_answer(&mut self, link: LinkId, answer: String);
    /// Queues bytes on an open link. Bytes for a link that is gone are dropped.
    fn send(&mut self, link: LinkId, bytes: Bytes);
    /// Closes a link, or forgets one that reported `Closed`. What is queued may be lost.
    fn close(&mut self, link: LinkId);
    /// Bytes the link takes before it is full; 0 for a link that is gone.
    fn window(&self, link: LinkId) -> usize;
    /// Links and attempts alive.
    fn link_count(&self) -> usize;
}

/// What a link is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A WebRTC data channel.
    WebRtc,
    /// A TCP connection.
    Tcp,
    /// A uTP stream (BEP 29).
    Utp,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::WebRtc => "WebRTC",
            Self::Tcp => "TCP",
            Self::Utp => "uTP",
        })
    }
}

/// News of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkEvent {
    /// The offer is complete, candidates included.
    OfferMade {
        /// Which link.
        link: LinkId,
        /// The session description.
        sdp: String,
    },
    /// The answer is complete, candidates included.
    AnswerMade {
        /// Which link.
        link: LinkId,
        /// The session description.
        sdp: String,
    },
    /// Bytes may flow.
    Opened {
        /// Which link.
        link: LinkId,
        /// What it is made of.
        kind: Kind,
        /// The other side's IP address, unless a relay hides it.
        from: Option<IpAddr>,
    },
    /// Somebody dialled us, and bytes may flow.
    Accepted {
        /// What it is called from here on.
        link: LinkId,
        /// What it is made of.
        kind: Kind,
        /// Bytes it takes before it is full.
        window: usize,
        /// Whence it came.
        from: SocketAddr,
    },
    /// The next bytes of the other side's stream.
    Bytes {
        /// Which link.
        link: LinkId,
        /// The bytes.
        bytes: Bytes,
    },
    /// Room came free: ask [`Transport::window`].
    Drained(LinkId),
    /// It is over. Comes at most once and last.
    Closed {
        /// Which link.
        link: LinkId,
        /// How it ended.
        end: LinkEnd,
    },
}
