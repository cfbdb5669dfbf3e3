//! Peers that announce over HTTP: they share swarms with those on sockets, are counted with them,
//! and are told addresses where those are given offers. Neither kind is handed the other.

use std::net::{IpAddr, SocketAddr};

use headwater_base::{InfoHash, Time};
use headwater_wire::tracker::Happening;
use headwater_wire::tracker::http_server::{Announce, Listed, Listing, Question, Reply};

use super::clients::Network;
use super::swarm::{Door, Peer, Way};
use super::{Due, Refusal, Sizes, State, Swarms};
use crate::limit;

impl Swarms {
    /// Answers what came over HTTP from this address. What could not be read counts as asked too.
    pub fn ask(
        &mut self,
        now: Time,
        from: IpAddr,
        question: Result<Question, headwater_wire::Error>,
    ) -> Reply {
        self.expire(now);
        let from = from.to_canonical();
        let reply = match (self.hear(now, Network::of(from)), question) {
            (Err(refusal), _) => Err(refusal.to_string()),
            (Ok(()), Err(error)) => Err(error.to_string()),
            (Ok(()), Ok(Question::Announce(announce))) => {
                let listing = self.announce_http(now, from, &announce);
                listing.map(Reply::Announce).map_err(|refusal| refusal.to_string())
            }
            (Ok(()), Ok(Question::Scrape(hashes))) => {
                self.stats.http_scrapes += 1;
                Ok(Reply::Scrape(self.sizes(&hashes)))
            }
        };
        reply.unwrap_or_else(|reason| {
            self.stats.refusals += 1;
            Reply::Failure(reason)
        })
    }

    /// Whether a client may ask once more. It is remembered for as long as a place that it gets.
    fn hear(&mut self, now: Time, network: Network) -> Result<(), Refusal> {
        let most = self.config.addresses_max;
        if !self.clients.knows(network) && self.clients.len() >= most {
            return Err(Refusal::Networks(most));
        }
        let end = now + self.config.http_peer_life;
        if let Some(before) = self.clients.keep(now, network, end) {
            self.timers.remove(&(before, Due::Network(network)));
        }
        self.timers.insert((end, Due::Network(network)));
        let (allowed, at_once) = (self.config.requests_per_second, self.config.requests_at_once);
        let budget = self.clients.budget(network);
        let within = budget.is_some_and(|budget| budget.take(now, allowed, at_once));
        if within { Ok(()) } else { Err(Refusal::TooFast(allowed)) }
    }

    fn announce_http(
        &mut self,
        now: Time,
        from: IpAddr,
        announce: &Announce,
    ) -> Result<Listing, Refusal> {
        let Announce { info_hash, peer_id, port, happening, left, wanted, form, .. } = *announce;
        self.stats.http_announces += 1;
        let door = Door::Http(from);
        let peers = if happening == Some(Happening::Stopped) {
            self.remove_peer(now, info_hash, peer_id, door);
            Vec::new()
        } else {
            self.admit_http(from, announce)?;
            let state = State { happening, left, end: now + self.config.http_peer_life };
            let way = Way::Address(SocketAddr::new(from, port));
            let peer = self.seat(now, info_hash, peer_id, way, state);
            // Aria2 lacks nothing, it says, as long as it knows a torrent by its magnet link alone.
            let has_all = peer.seeder && happening != Some(Happening::Started);
            self.tell(info_hash, &Peer { seeder: has_all, ..peer }, wanted)
        };
        let Sizes { complete, incomplete, interval } = self.look(info_hash);
        let interval_min = interval.min(self.config.interval_small.as_secs() as u32);
        Ok(Listing { interval, interval_min, complete, incomplete, peers, form })
    }

    /// Whether an address may have a place for this peer.
    fn admit_http(&self, from: IpAddr, announce: &Announce) -> Result<(), Refusal> {
        let Announce { info_hash, peer_id, .. } = *announce;
        let door = Door::Http(from);
        let swarm = self.swarms.get(&info_hash);
        let is_new = swarm.is_none_or(|swarm| swarm.lookup(peer_id, door).is_none());
        let most = self.config.peers_per_address_max;
        if is_new && self.clients.places(Network::of(from)) >= most {
            return Err(Refusal::Network(most));
        }
        self.check_room(info_hash, peer_id, door)
    }

    fn tell(&mut self, info_hash: InfoHash, to: &Peer, wanted: Option<u32>) -> Vec<Listed> {
        let wanted = wanted.map_or(limit::TOLD_DEFAULT, |wanted| wanted as usize);
        let most = wanted.min(self.config.told_max);
        let Some(swarm) = self.swarms.get(&info_hash) else { return Vec::new() };
        let mut told = swarm.tell(&mut self.rng, to, most);
        if let Some(fleet) = &self.fleet {
            let mut far = fleet.dialled(info_hash, to.into());
            self.rng.shuffle(&mut far);
            far.truncate(most - told.len());
            told.extend(far);
        }
        self.stats.addresses_told += told.len() as u64;
        told.into_iter().map(|(peer_id, address)| Listed { peer_id, address }).collect()
    }
}

#[cfg(test)]
mod tests;
