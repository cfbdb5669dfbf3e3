//! Questions to HTTP and UDP trackers, and what they answer.

use core::net::{IpAddr, SocketAddr};

use headwater_base::{InfoHash, PeerId, TrackerId};
use headwater_wire::tracker::Happening;

/// An announce to a tracker (BEP 3, 15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// What we call it.
    pub tracker: TrackerId,
    /// Where it is: `http:`, `https:` or `udp:`.
    pub url: String,
    /// The torrent.
    pub info_hash: InfoHash,
    /// What we call ourselves.
    pub peer_id: PeerId,
    /// The port we listen on; 0 when we do not.
    pub port: u16,
    /// Payload bytes sent.
    pub uploaded: u64,
    /// Payload bytes fetched.
    pub downloaded: u64,
    /// Bytes missing.
    pub left: u64,
    /// What happened since the last announce. Nobody waits for the answer to `Stopped`.
    pub event: Option<Happening>,
    /// Whether peers are wanted.
    pub wants: bool,
    /// What the tracker wants given back.
    pub tracker_id: Option<String>,
}

/// What a tracker answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The address it answered from, as far as the shell knows it.
    pub from: Option<IpAddr>,
    /// Where peers listen.
    pub peers: Vec<SocketAddr>,
    /// Seconds to the next announce.
    pub interval: Option<u32>,
    /// Fewest seconds to it.
    pub interval_min: Option<u32>,
    /// Peers with everything.
    pub complete: Option<u32>,
    /// Peers without everything.
    pub incomplete: Option<u32>,
    /// What it wants given back.
    pub tracker_id: Option<String>,
}

/// Why a tracker gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskedFailure {
    /// It refused, in its own words.
    Refused(String),
    /// What it sent is no answer.
    Malformed,
    /// Nothing came, for this reason.
    Unreachable(String),
}
