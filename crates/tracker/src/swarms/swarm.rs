//! One swarm: who is in it, whom an offer goes to, and who is told of whose address.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use headwater_base::{PeerId, Rng, Time};

use super::SocketId;
use super::near::may_hear;

/// A peer's place in a swarm. Whoever announces in several ways has a place for each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    pub(super) id: PeerId,
    pub(super) way: Way,
    pub(super) seeder: bool,
    /// When it is removed unless it announces.
    pub(super) end: Time,
}

/// How a peer is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// By offers through its socket.
    Socket(SocketId),
    /// By dialling it. Nobody can where the port is 0.
    Address(SocketAddr),
}

/// Where a peer came in. It has one place for each door. Somebody else who takes its id comes from
/// another address, and so takes nothing else from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Door {
    /// Any socket: the newest one counts.
    Socket,
    /// An HTTP request from here.
    Http(IpAddr),
}

impl Way {
    pub(super) fn door(self) -> Door {
        match self {
            Self::Socket(_) => Door::Socket,
            Self::Address(address) => Door::Http(address.ip()),
        }
    }

    pub(super) fn socket(self) -> Option<SocketId> {
        match self {
            Self::Socket(socket) => Some(socket),
            Self::Address(_) => None,
        }
    }

    pub(super) fn address(self) -> Option<SocketAddr> {
        match self {
            Self::Socket(_) => None,
            Self::Address(address) => Some(address),
        }
    }
}

/// One peer, as far as it matters who is of use to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct One {
    pub(super) id: PeerId,
    pub(super) seeder: bool,
}

impl From<&Peer> for One {
    fn from(peer: &Peer) -> Self {
        Self { id: peer.id, seeder: peer.seeder }
    }
}

/// The peers of one torrent.
#[derive(Debug, Default)]
pub(super) struct Swarm {
    peers: Vec<Peer>,
    /// Where in `peers` each is.
    places: BTreeMap<(PeerId, Door), usize>,
    /// Peers by their ids, however many places they have.
    seeders: usize,
    leechers: usize,
    /// Places of those that take offers.
    sockets: usize,
    /// How often a peer completed while this swarm was not empty.
    pub(super) downloaded: u32,
}

impl Swarm {
    /// How many places there are.
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
        self.leechers
    }

    pub(super) fn sockets(&self) -> usize {
        self.sockets
    }

    /// Every place there is.
    pub(super) fn peers(&self) -> impl Iterator<Item = &Peer> {
        self.peers.iter()
    }

    pub(super) fn lookup(&self, id: PeerId, door: Door) -> Option<&Peer> {
        self.places.get(&(id, door)).map(|at| &self.peers[*at])
    }

    /// Whether the peer has everything, by any of its places; `None` when it has no place.
    pub(super) fn is_seeder(&self, id: PeerId) -> Option<bool> {
        let places = self.places.range((id, Door::Socket)..);
        let its = places.take_while(|((of, _), _)| *of == id);
        its.map(|(_, at)| self.peers[*at].seeder).reduce(|one, other| one || other)
    }

    /// Puts a peer in, in the place that it has by this door.
    pub(super) fn put(&mut self, peer: Peer) {
        let door = peer.way.door();
        self.recount(peer.id, |swarm| {
            swarm.take_out(peer.id, door);
            swarm.places.insert((peer.id, door), swarm.peers.len());
            swarm.peers.push(peer);
            swarm.sockets += usize::from(door == Door::Socket);
        });
    }

    pub(super) fn remove(&mut self, id: PeerId, door: Door) -> Option<Peer> {
        self.recount(id, |swarm| swarm.take_out(id, door))
    }

    fn take_out(&mut self, id: PeerId, door: Door) -> Option<Peer> {
        let at = self.places.remove(&(id, door))?;
        let peer = self.peers.swap_remove(at);
        self.sockets -= usize::from(door == Door::Socket);
        if let Some(moved) = self.peers.get(at) {
            self.places.insert((moved.id, moved.way.door()), at);
        }
        Some(peer)
    }

    /// Changes a peer's places and counts it as what it is by then.
    fn recount<T>(&mut self, id: PeerId, change: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.is_seeder(id);
        let out = change(self);
        let after = self.is_seeder(id);
        let counted = |is: Option<bool>, seeder| usize::from(is == Some(seeder));
        self.seeders = self.seeders + counted(after, true) - counted(before, true);
        self.leechers = self.leechers + counted(after, false) - counted(before, false);
        out
    }

    /// How many peers the offers of one may go to.
    pub(super) fn takers(&self, from: One) -> usize {
        self.useful(from).filter(|peer| peer.way.socket().is_some()).count()
    }

    /// At most `most` different peers for the offers of one, at random.
    pub(super) fn pick(&self, rng: &mut Rng, from: One, most: usize) -> Vec<(PeerId, SocketId)> {
        self.draw(rng, from, most, |peer| Some((peer.id, peer.way.socket()?)))
    }

    /// At most `most` different peers whose addresses one is told, at random.
    pub(super) fn tell(&self, rng: &mut Rng, to: &Peer, most: usize) -> Vec<(PeerId, SocketAddr)> {
        let Some(own) = to.way.address() else { return Vec::new() };
        self.draw(rng, to.into(), most, |peer| {
            let address = peer.way.address().filter(|address| {
                address.port() != 0 && *address != own && may_hear(own.ip(), address.ip())
            })?;
            Some((peer.id, address))
        })
    }

    /// Never itself, and no seeder for a seeder, since neither has anything to fetch.
    fn useful(&self, one: One) -> impl Iterator<Item = &Peer> {
        let others = self.peers.iter().filter(move |peer| peer.id != one.id);
        others.filter(move |peer| !(peer.seeder && one.seeder))
    }

    fn draw<T>(
        &self,
        rng: &mut Rng,
        one: One,
        most: usize,
        fits: impl Fn(&Peer) -> Option<T>,
    ) -> Vec<T> {
        let mut fitting: Vec<T> = self.useful(one).filter_map(fits).collect();
        let count = most.min(fitting.len());
        for at in 0..count {
            let other = at + rng.below((fitting.len() - at) as u64) as usize;
            fitting.swap(at, other);
        }
        fitting.truncate(count);
        fitting
    }
}

#[cfg(test)]
mod tests {
    use headwater_base::Seed;

    use super::*;

    fn peer(number: u8, seeder: bool) -> Peer {
        let way = Way::Socket(SocketId(u64::from(number)));
        Peer { id: PeerId([number; 20]), way, seeder, end: Time::ZERO }
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
            let (id, socket) = (PeerId([gone; 20]), SocketId(gone.into()));
            assert_eq!(swarm.remove(id, Door::Socket).map(|p| p.way), Some(Way::Socket(socket)));
            assert!(swarm.lookup(id, Door::Socket).is_none());
        }
        for left in [1, 2, 5, 6, 7, 8] {
            let way = swarm.lookup(PeerId([left; 20]), Door::Socket).map(|p| p.way);
            assert_eq!(way, Some(Way::Socket(SocketId(u64::from(left)))));
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
            let mut picked = swarm.pick(&mut rng, One::from(&all[0]), 3);
            picked.iter().for_each(|(_, socket)| hits[socket.0 as usize] += 1);
            picked.sort_unstable();
            picked.dedup();
            assert_eq!(picked.len(), 3);
        }
        assert_eq!(hits[0], 0);
        assert!(hits[1..].iter().all(|hits| (270..400).contains(hits)), "{hits:?}");
    }

    #[test]
    fn peer_with_several_places_counts_once_and_as_a_seeder_if_any_says_so() {
        let at = |address: &str| Way::Address(address.parse().expect("an address"));
        let mut swarm = Swarm::default();
        let steps = [
            (Way::Socket(SocketId(1)), false, (0, 1)),
            (at("192.0.2.1:1"), true, (1, 0)),
            (at("[2001:db8::1]:1"), false, (1, 0)),
            (at("192.0.2.1:2"), false, (0, 1)),
        ];
        for (way, seeder, expect) in steps {
            swarm.put(Peer { way, ..peer(1, seeder) });
            assert_eq!((swarm.seeders(), swarm.leechers()), expect, "{way:?}");
        }
        assert_eq!(swarm.len(), 3);
        for (way, _, _) in &steps[..3] {
            assert_eq!((swarm.seeders(), swarm.leechers()), (0, 1));
            assert!(swarm.remove(PeerId([1; 20]), way.door()).is_some());
        }
        assert_eq!((swarm.seeders(), swarm.leechers(), swarm.len()), (0, 0, 0));
    }
}
