//! Questions to HTTP and UDP trackers, and what they answer.

use core::net::IpAddr;

use headwater_base::TrackerId;
use headwater_wire::tracker::http::{Found, Query, Refusal};

/// An announce to a tracker (BEP 3, 15). Nobody waits for the answer to `Stopped`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// What we call it.
    pub tracker: TrackerId,
    /// Where it is: `http:`, `https:` or `udp:`.
    pub url: String,
    /// What is asked.
    pub query: Query,
    /// Whether the user named it. What a stranger named is not asked in private networks.
    pub trusted: bool,
}

/// What a tracker answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The address it answered from, as far as the shell knows it.
    pub from: Option<IpAddr>,
    /// What it said.
    pub found: Found,
}

/// Why a tracker gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskedFailure {
    /// It gave one that holds no peers.
    Refused(Refusal),
    /// Nothing came, for this reason.
    Unreachable(String),
}
