//! What the operator of a tracker may choose.

use core::time::Duration;

use crate::limit;

/// Settings of one tracker; the defaults are those of `limit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Time between two announces of a peer.
    pub interval: Duration,
    /// The same in a small swarm that has a leecher.
    pub interval_small: Duration,
    /// Peers up to which a swarm is small.
    pub peers_small: usize,
    /// How long a peer stays without announcing.
    pub peer_life: Duration,
    /// The same of a peer that announces over HTTP.
    pub http_peer_life: Duration,
    /// How long an offer may be answered.
    pub offer_life: Duration,
    /// How long a socket may send no message.
    pub silence_max: Duration,
    /// Most sockets.
    pub sockets_max: usize,
    /// Most swarms.
    pub swarms_max: usize,
    /// Most places in swarms, all swarms together.
    pub peers_max: usize,
    /// Most peers in one swarm.
    pub peers_per_swarm_max: usize,
    /// Most places in swarms that one socket holds.
    pub peers_per_socket_max: usize,
    /// Most places in swarms that one address holds over HTTP.
    pub peers_per_address_max: usize,
    /// Most addresses remembered that asked over HTTP.
    pub addresses_max: usize,
    /// Requests a second one address may send in the long run.
    pub requests_per_second: u32,
    /// Requests one address may send at once.
    pub requests_at_once: u32,
    /// Most addresses told in one answer.
    pub told_max: usize,
    /// Most offers relayed of one announce.
    pub offers_relayed_max: usize,
    /// Most unanswered offers remembered.
    pub offers_remembered_max: usize,
    /// Messages a second one socket may send in the long run.
    pub messages_per_second: u32,
    /// Messages one socket may send at once.
    pub messages_at_once: u32,
    /// Whether it tells which torrents peers seek, for a bridge that fetches them, and tells peers
    /// that there is one.
    pub tells_seekers: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            interval: limit::INTERVAL,
            interval_small: limit::INTERVAL_SMALL,
            peers_small: limit::PEERS_SMALL,
            peer_life: limit::PEER_LIFE,
            http_peer_life: limit::HTTP_PEER_LIFE,
            offer_life: limit::OFFER_LIFE,
            silence_max: limit::SILENCE_MAX,
            sockets_max: limit::SOCKETS_MAX,
            swarms_max: limit::SWARMS_MAX,
            peers_max: limit::PEERS_MAX,
            peers_per_swarm_max: limit::PEERS_PER_SWARM_MAX,
            peers_per_socket_max: limit::PEERS_PER_SOCKET_MAX,
            peers_per_address_max: limit::PEERS_PER_ADDRESS_MAX,
            addresses_max: limit::ADDRESSES_MAX,
            requests_per_second: limit::REQUESTS_PER_SECOND,
            requests_at_once: limit::REQUESTS_AT_ONCE,
            told_max: limit::TOLD_MAX,
            offers_relayed_max: limit::OFFERS_RELAYED_MAX,
            offers_remembered_max: limit::OFFERS_REMEMBERED_MAX,
            messages_per_second: limit::MESSAGES_PER_SECOND,
            messages_at_once: limit::MESSAGES_AT_ONCE,
            tells_seekers: false,
        }
    }
}
