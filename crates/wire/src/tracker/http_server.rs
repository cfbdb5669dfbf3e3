//! The tracker's side of HTTP announces and scrapes (BEP 3, 7, 23, 48): reads the query of a
//! request, writes the bencode that answers it. Knows nothing of who asks.

mod query;
mod reply;

use headwater_base::{InfoHash, PeerId};

use super::Happening;
pub use reply::{Listed, Listing, Reply};

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// It is in a swarm, or leaves it, and wants to hear of peers.
    Announce(Announce),
    /// How large are these swarms?
    Scrape(Vec<InfoHash>),
}

/// A client's place in a swarm. Nothing it says of its address is read: it is where the request
/// came from, so that nobody has peers sent to somebody else. `key` and `trackerid` are not read
/// either: they would prove that it is the same client that moved, and whoever moves just gets
/// another place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announce {
    /// Which swarm.
    pub info_hash: InfoHash,
    /// What the client calls itself.
    pub peer_id: PeerId,
    /// Where it listens; 0 when it does not.
    pub port: u16,
    /// Bytes sent to peers.
    pub uploaded: u64,
    /// Bytes got from peers.
    pub downloaded: u64,
    /// Bytes it lacks, if it tells.
    pub left: Option<u64>,
    /// Why it announces, if not only because it is time to.
    pub happening: Option<Happening>,
    /// How many peers it wants to hear of.
    pub wanted: Option<u32>,
    /// In which form.
    pub form: Form,
}

/// How peers are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Their addresses in one string (BEP 23).
    #[default]
    Compact,
    /// A dictionary each.
    Named,
    /// The same without peer ids.
    Unnamed,
}

#[cfg(test)]
mod tests;
