//! Figures of a tracker, for operators and tests.

/// What a tracker holds and has done since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Open sockets.
    pub sockets: u64,
    /// Swarms with a peer in them.
    pub swarms: u64,
    /// Places in swarms.
    pub peers: u64,
    /// Places held by seeders.
    pub seeders: u64,
    /// Places with an address, of peers that announce over HTTP.
    pub http_peers: u64,
    /// Offers that may still be answered.
    pub offers_open: u64,
    /// Announces taken through sockets.
    pub announces: u64,
    /// Scrapes answered through sockets.
    pub scrapes: u64,
    /// Announces taken over HTTP.
    pub http_announces: u64,
    /// Scrapes answered over HTTP.
    pub http_scrapes: u64,
    /// Addresses that peers were told of.
    pub addresses_told: u64,
    /// Offers relayed to a peer.
    pub offers_relayed: u64,
    /// Answers relayed to the peer that made the offer.
    pub answers_relayed: u64,
    /// Answers to no open offer, or from another than the one it went to.
    pub answers_dropped: u64,
    /// Messages and requests refused with a reason.
    pub refusals: u64,
    /// Peers that stopped announcing and were removed.
    pub peers_expired: u64,
    /// Sockets this side closed.
    pub sockets_closed: u64,
    /// Of the fleet, for a process that is part of one.
    pub fleet: Option<FleetStats>,
}

/// What a process knows of its fleet, and has done in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FleetStats {
    /// 1 while the bus can be used.
    pub up: u64,
    /// Other processes alive.
    pub processes: u64,
    /// Swarms at other processes, each as often as processes have it.
    pub swarms: u64,
    /// Offers handed to other processes.
    pub offers_crossed: u64,
    /// Messages that came.
    pub received: u64,
    /// Messages sent.
    pub sent: u64,
    /// Messages that were garbled, too many or of no use, and those that could not leave.
    pub dropped: u64,
}

/// How a figure moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// It goes up and down.
    Gauge,
    /// It only goes up.
    Counter,
}

impl Stats {
    /// Every figure under a name that Prometheus takes.
    pub fn figures(&self) -> [(&'static str, Figure, u64); 17] {
        use Figure::{Counter, Gauge};
        [
            ("tracker_sockets", Gauge, self.sockets),
            ("tracker_swarms", Gauge, self.swarms),
            ("tracker_peers", Gauge, self.peers),
            ("tracker_seeders", Gauge, self.seeders),
            ("tracker_http_peers", Gauge, self.http_peers),
            ("tracker_offers_open", Gauge, self.offers_open),
            ("tracker_announces_total", Counter, self.announces),
            ("tracker_scrapes_total", Counter, self.scrapes),
            ("tracker_http_announces_total", Counter, self.http_announces),
            ("tracker_http_scrapes_total", Counter, self.http_scrapes),
            ("tracker_addresses_told_total", Counter, self.addresses_told),
            ("tracker_offers_relayed_total", Counter, self.offers_relayed),
            ("tracker_answers_relayed_total", Counter, self.answers_relayed),
            ("tracker_answers_dropped_total", Counter, self.answers_dropped),
            ("tracker_refusals_total", Counter, self.refusals),
            ("tracker_peers_expired_total", Counter, self.peers_expired),
            ("tracker_sockets_closed_total", Counter, self.sockets_closed),
        ]
    }
}

impl FleetStats {
    /// Every figure under a name that Prometheus takes.
    pub fn figures(&self) -> [(&'static str, Figure, u64); 7] {
        use Figure::{Counter, Gauge};
        [
            ("fleet_up", Gauge, self.up),
            ("fleet_processes", Gauge, self.processes),
            ("fleet_swarms", Gauge, self.swarms),
            ("fleet_offers_crossed_total", Counter, self.offers_crossed),
            ("fleet_messages_received_total", Counter, self.received),
            ("fleet_messages_sent_total", Counter, self.sent),
            ("fleet_messages_dropped_total", Counter, self.dropped),
        ]
    }
}
