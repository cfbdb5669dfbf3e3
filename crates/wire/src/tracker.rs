//! What clients and trackers say to each other. WebTorrent's: JSON as WebSocket text messages; the
//! older ones: HTTP (`http`) and UDP (`udp`).
//! Reads what sloppy clients and trackers send, writes what the strict ones accept.

mod client;
mod description;
pub mod http;
pub mod http_server;
mod json;
mod reply;
mod sdp;
pub mod udp;
mod value;
mod writer;

pub use client::{Announce, Answer, BadMessage, ClientMessage, Happening, is_told};
pub use description::Description;
pub use reply::{AnnounceReply, ScrapeEntry, TrackerMessage};
pub use sdp::check_sdp;

use core::fmt;

/// Names an offer, so that the answer to it finds its maker. Chosen at random by that maker.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OfferId(pub [u8; 20]);

impl fmt::Debug for OfferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OfferId({})", headwater_base::hex(&self.0))
    }
}

/// An offer to whichever peer the tracker picks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Its name.
    pub offer_id: OfferId,
    /// The session description, candidates included.
    pub sdp: Description,
}

/// What kind of message a failure answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Action {
    /// An announce, an offer or an answer.
    #[default]
    Announce,
    /// A scrape.
    Scrape,
}

impl Action {
    const fn name(self) -> &'static str {
        match self {
            Self::Announce => "announce",
            Self::Scrape => "scrape",
        }
    }
}

#[cfg(test)]
mod tests;
