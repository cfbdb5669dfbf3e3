//! The ports at which peers reach us: those we listen on, and those of a router that lead to them.

use core::net::IpAddr;

use headwater_base::{Nearness, Time, TorrentId};

use super::Discovery;
use crate::Config;

/// Our own ports, and what a router makes of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    own: Pair,
    mapped: Pair,
}

/// For links, and for the DHT node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Pair {
    listens: Option<u16>,
    dht: Option<u16>,
}

impl Ports {
    pub(super) fn new(config: &Config) -> Self {
        let own = Pair { listens: config.listens, dht: config.dht_port };
        Self { own, mapped: Pair::default() }
    }

    /// The ports as somebody reaches us who is outside.
    fn outside(&self) -> Pair {
        let or = |own: Option<u16>, mapped: Option<u16>| own.map(|own| mapped.unwrap_or(own));
        Pair {
            listens: or(self.own.listens, self.mapped.listens),
            dht: or(self.own.dht, self.mapped.dht),
        }
    }

    /// The ports for somebody at `at`: who is in our network knows no router between us.
    fn towards(&self, at: Option<IpAddr>) -> Pair {
        let outside = at.is_none_or(|at| Nearness::of(at) == Some(Nearness::Public));
        match outside {
            true => self.outside(),
            false => self.own,
        }
    }

    /// Whether links to this port end at us.
    pub(super) fn has(&self, port: u16) -> bool {
        [self.own.listens, self.outside().listens].contains(&Some(port))
    }

    /// The port for links that trackers and the DHT are told.
    pub(super) fn told(&self) -> Option<u16> {
        self.outside().listens
    }
}

impl Discovery {
    /// The port we listen on, for a peer at `at`.
    pub(crate) fn listens_for(&self, at: Option<IpAddr>) -> Option<u16> {
        self.dialler.ports().towards(at).listens
    }

    /// The port of our DHT node, for a peer at `at`.
    pub(crate) fn dht_for(&self, at: Option<IpAddr>) -> Option<u16> {
        self.dialler.ports().towards(at).dht
    }

    /// Takes which ports of a router lead to ours; answers whether peers outside reach us at others
    /// than before. Then trackers are told at once and the DHT as soon as it is asked.
    pub(crate) fn map_ports(&mut self, now: Time, listens: Option<u16>, dht: Option<u16>) -> bool {
        let before = self.dialler.ports().outside();
        self.dialler.ports_mut().mapped = Pair { listens, dht };
        let after = self.dialler.ports().outside();
        if before.listens != after.listens {
            let torrents: Vec<TorrentId> = self.torrents.keys().copied().collect();
            for torrent in torrents {
                self.say_anew(now, torrent);
                if let Some(swarm) = self.torrents.get_mut(&torrent) {
                    swarm.seek.renew();
                }
                self.plan_seek(now, torrent);
            }
        }
        before != after
    }
}
