//! One swarm: who is in it, and whom an offer goes to.

use std::collections::BTreeMap;

use headwater_base::{PeerId, Rng, Time};

use super::SocketId;

/// A peer's place in a swarm.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    pub(super) id: PeerId,
    /// Where it is reached.
    pub(super) socket: SocketId,
    pub(super) seeder: bool,
    /// When it is removed unless it announces.
    pub(super) end: Time,
}

/// The peers of one torrent.
#[derive(Debug, Default)]
pub(super) struct Swarm {
    peers: Vec<Peer>,
    /// Where in `peers` each is.
    places: BTreeMap<PeerId, usize>,
    seeders: usize,
    /// How often a peer completed while this swarm was not empty.
    pub(super) downloaded: u32,
}

impl Swarm {
    pub(super) fn len(&self) -> usize {
        self.peers.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }

    pub(super) fn seeders(&self) -> usize {
        self.seeders
    }

    pub(super) fn leechers(&self) -> usize {
        self.peers.len() - self.seeders
    }

    pub(super) fn lookup(&self, id: &PeerId) -> Option<&Peer> {
        self.places.get(id).map(|at| &self.peers[*at])
    }

    /// Puts a peer in, in the place of the one with its id.
    pub(super) fn put(&mut self, peer: Peer) {
        self.remove(&peer.id);
        self.places.insert(peer.id, self.peers.len());
        self.seeders += usize::from(peer.seeder);
        self.peers.push(peer);
    }

    pub(super) fn remove(&mut self, id: &PeerId) -> Option<Peer> {
        let at = self.places.remove(id)?;
        let peer = self.peers.swap_remove(at);
        if let Some(moved) = self.peers.get(at) {
            self.places.insert(moved.id, at);
        }
        self.seeders -= usize::from(peer.seeder);
        Some(peer)
    }

    /// At most `most` different peers for the offers of one, at random: never itself, and no
    /// seeder for a seeder, since neither has anything to fetch.
    pub(super) fn pick(&self, rng: &mut Rng, from: &Peer, most: usize) -> Vec<Peer> {
        let fits = |peer: &&Peer| peer.id != from.id && !(peer.seeder && from.seeder);
        let mut fitting: Vec<&Peer> = self.peers.iter().filter(fits).collect();
        let count = most.min(fitting.len());
        for at in 0..count {
            let other = at + rng.below((fitting.len() - at) as u64) as usize;
            fitting.swap(at, other);
        }
        fitting.into_iter().take(count).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use headwater_base::Seed;

    use super::*;

    fn peer(number: u8, seeder: bool) -> Peer {
        let socket = SocketId(u64::from(number));
        Peer { id: PeerId([number; 20]), socket, seeder, end: Time::ZERO }
    }

    fn swarm(peers: &[Peer]) -> Swarm {
        let mut swarm = Swarm::default();
        peers.iter().for_each(|peer| swarm.put(*peer));
        swarm
    }

    #[test]
    fn peers_are_found_whatever_was_removed_before() {
        let all: Vec<_> = (0..10).map(|number| peer(number, number % 3 == 0)).collect();
        let mut swarm = swarm(&all);
        for gone in [3, 9, 0, 4] {
            assert_eq!(swarm.remove(&PeerId([gone; 20])).map(|p| p.socket.0), Some(gone.into()));
            assert!(swarm.lookup(&PeerId([gone; 20])).is_none());
        }
        for left in [1, 2, 5, 6, 7, 8] {
            let socket = swarm.lookup(&PeerId([left; 20])).map(|p| p.socket);
            assert_eq!(socket, Some(SocketId(u64::from(left))));
        }
        assert_eq!((swarm.len(), swarm.seeders(), swarm.leechers()), (6, 1, 5));
    }

    #[test]
    fn pick_is_fair_and_never_the_same_peer_twice() {
        let all: Vec<_> = (0..10).map(|number| peer(number, false)).collect();
        let swarm = swarm(&all);
        let mut rng = Seed([5; 32]).split("pick");
        let mut hits = [0; 10];
        for _ in 0..1000 {
            let mut picked = swarm.pick(&mut rng, &all[0], 3);
            picked.iter().for_each(|peer| hits[peer.socket.0 as usize] += 1);
            picked.dedup_by_key(|peer| peer.id);
            assert_eq!(picked.len(), 3);
        }
        assert_eq!(hits[0], 0);
        assert!(hits[1..].iter().all(|hits| (270..400).contains(hits)), "{hits:?}");
    }
}
