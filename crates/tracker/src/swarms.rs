//! The swarm table: takes clients' messages, says what to send to whom. Knows no sockets, clock
//! or threads; the same seed and inputs give the same steps.

mod budget;
mod clients;
mod fleet;
mod http;
mod near;
mod recent;
mod step;
mod swarm;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use headwater_base::{InfoHash, PeerId, Rng, Seed, Time};
use headwater_wire::limit::TRACKER_TEXT_BYTES_MAX;
use headwater_wire::tracker::{
    Action, Announce, AnnounceReply, Answer, BadMessage, ClientMessage, Happening, Offer, OfferId,
    ScrapeEntry, TrackerMessage,
};

use crate::{Config, Stats};
use budget::Budget;
use clients::{Clients, Network};
use fleet::Fleet;
pub use fleet::{Fellows, FleetInput, Member, ProcessId, To};
use recent::Recent;
pub use step::{CloseReason, Heard, Input, SocketId, Sought, Step};
use swarm::{Door, One, Peer, Swarm, Way};

/// Why an announce is refused. The socket it came through stays open: its other swarms are well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    #[error("swarm is full with {0} peers")]
    Swarm(usize),
    #[error("socket is in {0} swarms, and no more are allowed")]
    Socket(usize),
    #[error("tracker is full with {0} swarms")]
    Swarms(usize),
    #[error("tracker is full with {0} peers")]
    Peers(usize),
    #[error("address is in {0} swarms, and no more are allowed")]
    Network(usize),
    #[error("tracker is full with {0} addresses")]
    Networks(usize),
    #[error("more than {0} requests a second from one address")]
    TooFast(u32),
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// A peer did not announce.
    Peer(InfoHash, PeerId, Door),
    /// A socket was silent.
    Socket(SocketId),
    /// Nobody on a network asked anything. Behind its peers, which are gone by then.
    Network(Network),
}

#[derive(Debug)]
struct Socket {
    /// The places it holds. Libtorrent has one name for each torrent on one socket.
    peers: BTreeSet<(InfoHash, PeerId)>,
    budget: Budget,
    /// When it is closed unless it sends something.
    end: Time,
}

/// One offer on its way to one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Relayed {
    info_hash: InfoHash,
    /// Who made it.
    from: PeerId,
    /// Who got it, and alone may answer it.
    to: PeerId,
    offer_id: OfferId,
}

/// What a peer says of itself, and until when that counts.
#[derive(Clone, Copy, Debug)]
struct State {
    happening: Option<Happening>,
    left: Option<u64>,
    end: Time,
}

/// What every announce is answered with.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    complete: u32,
    incomplete: u32,
    /// Seconds to the next announce.
    interval: u32,
}

/// Every swarm of a tracker. `handle` takes inputs; `next` is called until it answers `Sleep`.
#[derive(Debug)]
pub struct Swarms {
    config: Config,
    rng: Rng,
    swarms: BTreeMap<InfoHash, Swarm>,
    sockets: BTreeMap<SocketId, Socket>,
    clients: Clients,
    /// Offers that may still be answered, each with the other process that has its maker, if one
    /// has.
    offers: Recent<Relayed, Option<ProcessId>>,
    fleet: Option<Fleet>,
    timers: BTreeSet<(Time, Due)>,
    steps: VecDeque<Step>,
    stats: Stats,
}

impl Swarms {
    /// Makes an empty table.
    pub fn new(config: Config, seed: &Seed) -> Self {
        Self {
            config,
            rng: seed.split("tracker"),
            swarms: BTreeMap::new(),
            sockets: BTreeMap::new(),
            clients: Clients::default(),
            offers: Recent::default(),
            fleet: None,
            timers: BTreeSet::new(),
            steps: VecDeque::new(),
            stats: Stats::default(),
        }
    }

    /// Takes what happened.
    pub fn handle(&mut self, now: Time, input: Input) {
        self.expire(now);
        match input {
            Input::Opened(socket) => self.open(now, socket),
            Input::Heard { socket, heard } => self.take(now, socket, heard),
            Input::Closed(socket) => self.forget_socket(now, socket),
            Input::Fleet(input) => self.handle_fleet(now, input),
        }
    }

    /// The next thing to do. Call until it answers `Sleep`.
    pub fn next(&mut self, now: Time) -> Step {
        self.expire(now);
        let timer = self.timers.first().map(|(at, _)| *at);
        let fleet = self.fleet.as_ref().and_then(Fleet::due);
        let wake = timer.into_iter().chain(self.offers.next_end()).chain(fleet).min();
        self.steps.pop_front().unwrap_or(Step::Sleep(wake))
    }

    /// What the table holds and has done.
    pub fn stats(&self) -> Stats {
        Stats {
            sockets: self.sockets.len() as u64,
            swarms: self.swarms.len() as u64,
            offers_open: self.offers.len() as u64,
            fleet: self.fleet.as_ref().map(Fleet::stats),
            ..self.stats
        }
    }

    fn open(&mut self, now: Time, socket: SocketId) {
        let allowed = self.config.sockets_max;
        if self.sockets.len() >= allowed {
            return self.close(now, socket, CloseReason::Full { allowed });
        }
        let end = now + self.config.silence_max;
        let entry = Socket { peers: BTreeSet::new(), budget: Budget::new(now), end };
        self.sockets.insert(socket, entry);
        self.timers.insert((end, Due::Socket(socket)));
    }

    fn take(&mut self, now: Time, socket: SocketId, heard: Heard) {
        let Some(entry) = self.sockets.get_mut(&socket) else { return };
        let end = now + self.config.silence_max;
        self.timers.remove(&(entry.end, Due::Socket(socket)));
        self.timers.insert((end, Due::Socket(socket)));
        entry.end = end;
        let allowed = self.config.messages_per_second;
        if !entry.budget.take(now, allowed, self.config.messages_at_once) {
            return self.refuse_and_close(now, socket, CloseReason::TooFast { allowed });
        }
        match heard {
            Heard::Message(ClientMessage::Announce(announce)) => {
                self.announce(now, socket, announce);
            }
            Heard::Message(ClientMessage::Answer(answer)) => self.answer(socket, answer),
            Heard::Message(ClientMessage::Scrape(hashes)) => self.scrape(socket, &hashes),
            Heard::Bad(bad) => self.refuse(socket, bad),
            Heard::TooLong { found } => {
                let allowed = TRACKER_TEXT_BYTES_MAX;
                self.refuse_and_close(now, socket, CloseReason::TooLong { found, allowed });
            }
        }
    }

    fn announce(&mut self, now: Time, socket: SocketId, announce: Announce) {
        let Announce { info_hash, peer_id, happening, left, wanted, offers, trackers, .. } =
            announce;
        self.stats.announces += 1;
        if happening == Some(Happening::Stopped) {
            if self.holds(socket, info_hash, peer_id) {
                self.remove_peer(now, info_hash, peer_id, Door::Socket);
            }
            return self.reply(socket, info_hash);
        }
        if let Err(refusal) = self.admit(socket, info_hash, peer_id) {
            let action = Action::Announce;
            return self.send_failure(socket, Some(info_hash), action, refusal.to_string());
        }
        let state = State { happening, left, end: now + self.config.peer_life };
        let peer = self.seat(now, info_hash, peer_id, Way::Socket(socket), state);
        if !peer.seeder && self.has_bridge() {
            let process = None;
            self.seek(now, Sought { info_hash, peer_id, socket, trackers, process });
        }
        self.reply(socket, info_hash);
        let most = wanted.map_or(usize::MAX, |wanted| wanted as usize);
        let mut offers = offers;
        offers.truncate(most.min(self.config.offers_relayed_max));
        self.relay(now, info_hash, One::from(&peer), offers);
    }

    /// Gives a peer its place, as what it says it is.
    fn seat(&mut self, now: Time, info_hash: InfoHash, id: PeerId, way: Way, state: State) -> Peer {
        let State { happening, left, end } = state;
        let swarm = self.swarms.get(&info_hash);
        let was_seeder = swarm.and_then(|swarm| swarm.is_seeder(id)) == Some(true);
        // A peer without metadata cannot tell what is left: a new one fetches, a known one does
        // what it did.
        let keeps = was_seeder && happening != Some(Happening::Started);
        let completed = happening == Some(Happening::Completed);
        let seeder = completed || left.map_or(keeps, |left| left == 0);
        let peer = Peer { id, way, seeder, end };
        self.put_peer(now, info_hash, peer);
        if completed
            && !was_seeder
            && let Some(swarm) = self.swarms.get_mut(&info_hash)
        {
            swarm.downloaded = swarm.downloaded.saturating_add(1);
        }
        peer
    }

    /// Sends each offer to another peer, here or at another process, as far as there are peers.
    fn relay(&mut self, now: Time, info_hash: InfoHash, from: One, mut offers: Vec<Offer>) {
        let crossing = self.crossing(info_hash, from, offers.len());
        let crossing = offers.split_off(offers.len() - crossing);
        self.give(now, info_hash, from, offers, None);
        self.cross(now, info_hash, from, crossing);
    }

    /// Sends each offer to another peer here. Answers go to the process that has its maker.
    fn give(
        &mut self,
        now: Time,
        info_hash: InfoHash,
        from: One,
        offers: Vec<Offer>,
        maker_at: Option<ProcessId>,
    ) {
        let Some(swarm) = self.swarms.get(&info_hash) else { return };
        let most = offers.len().min(self.config.offers_relayed_max);
        let receivers = swarm.pick(&mut self.rng, from, most);
        for (Offer { offer_id, sdp }, to) in offers.into_iter().zip(receivers) {
            let (to, socket) = to;
            let relayed = Relayed { info_hash, from: from.id, to, offer_id };
            let end = now + self.config.offer_life;
            self.offers.put(end, (relayed, maker_at), self.config.offers_remembered_max);
            let message = TrackerMessage::Offer { info_hash, peer_id: from.id, offer_id, sdp };
            self.send(socket, message);
            self.stats.offers_relayed += 1;
        }
    }

    /// Relays an answer if it comes from whom the offer went to. It says nothing of the
    /// answering peer's state: some clients leave `left` out.
    fn answer(&mut self, socket: SocketId, answer: Answer) {
        let Answer { info_hash, peer_id, to_peer_id, offer_id, .. } = answer;
        let relayed = Relayed { info_hash, from: to_peer_id, to: peer_id, offer_id };
        let holds = self.holds(socket, info_hash, peer_id);
        let maker_at = if holds { self.offers.take(&relayed) } else { None };
        if let Some(Some(process)) = maker_at {
            return self.answer_afar(process, answer);
        }
        let swarm = self.swarms.get(&info_hash);
        let maker = swarm.and_then(|swarm| swarm.lookup(to_peer_id, Door::Socket));
        let maker = maker.filter(|_| maker_at.is_some());
        let Some(to) = maker.and_then(|maker| maker.way.socket()) else {
            self.stats.answers_dropped += 1;
            return;
        };
        let sdp = answer.sdp;
        self.send(to, TrackerMessage::Answer { info_hash, peer_id, offer_id, sdp });
        self.stats.answers_relayed += 1;
    }

    fn scrape(&mut self, socket: SocketId, hashes: &[InfoHash]) {
        let message = TrackerMessage::Scrape(self.sizes(hashes));
        self.send(socket, message);
        self.stats.scrapes += 1;
    }

    fn sizes(&self, hashes: &[InfoHash]) -> Vec<ScrapeEntry> {
        let none = Swarm::default();
        let entry = |info_hash: &InfoHash| {
            let downloaded = self.swarms.get(info_hash).unwrap_or(&none).downloaded;
            let (complete, incomplete) = self.count(*info_hash);
            let (complete, incomplete) = (complete as u32, incomplete as u32);
            ScrapeEntry { info_hash: *info_hash, complete, incomplete, downloaded }
        };
        hashes.iter().map(entry).collect()
    }

    /// Whether a socket may have a place for this peer.
    fn admit(&self, socket: SocketId, info_hash: InfoHash, id: PeerId) -> Result<(), Refusal> {
        let held = self.sockets.get(&socket).map(|socket| &socket.peers);
        if held.is_some_and(|peers| peers.contains(&(info_hash, id))) {
            return Ok(());
        }
        let most = self.config.peers_per_socket_max;
        if held.is_some_and(|peers| peers.len() >= most) {
            return Err(Refusal::Socket(most));
        }
        self.check_room(info_hash, id, Door::Socket)
    }

    /// Whether there is room for the peer, if it is new.
    fn check_room(&self, info_hash: InfoHash, id: PeerId, door: Door) -> Result<(), Refusal> {
        let config = &self.config;
        let swarm = self.swarms.get(&info_hash);
        if swarm.is_some_and(|swarm| swarm.lookup(id, door).is_some()) {
            return Ok(());
        }
        if swarm.is_some_and(|swarm| swarm.len() >= config.peers_per_swarm_max) {
            return Err(Refusal::Swarm(config.peers_per_swarm_max));
        }
        if swarm.is_none() && self.swarms.len() >= config.swarms_max {
            return Err(Refusal::Swarms(config.swarms_max));
        }
        if self.stats.peers >= config.peers_max as u64 {
            return Err(Refusal::Peers(config.peers_max));
        }
        Ok(())
    }

    /// Puts a peer in. A peer that was there on another socket moved: the newest one counts.
    fn put_peer(&mut self, now: Time, info_hash: InfoHash, peer: Peer) {
        let before = self.swarms.get(&info_hash);
        let downloaded = before.map_or(0, |swarm| swarm.downloaded);
        let first = peer.way.socket().is_some() && before.is_none_or(|swarm| swarm.sockets() == 0);
        let door = peer.way.door();
        let was = self.take_peer(info_hash, peer.id, door);
        if let Some(fleet) = &mut self.fleet
            && was.is_none_or(|was| (was.way, was.seeder) != (peer.way, peer.seeder))
        {
            fleet.note(now, info_hash, first);
        }
        let swarm = self.swarms.entry(info_hash).or_default();
        swarm.downloaded = downloaded;
        swarm.put(peer);
        self.stats.peers += 1;
        self.stats.seeders += u64::from(peer.seeder);
        self.timers.insert((peer.end, Due::Peer(info_hash, peer.id, door)));
        match peer.way {
            Way::Socket(socket) => {
                if let Some(socket) = self.sockets.get_mut(&socket) {
                    socket.peers.insert((info_hash, peer.id));
                }
            }
            Way::Address(address) => {
                self.clients.seated(Network::of(address.ip()));
                self.stats.http_peers += 1;
            }
        }
    }

    fn remove_peer(&mut self, now: Time, info_hash: InfoHash, id: PeerId, door: Door) {
        if self.take_peer(info_hash, id, door).is_some()
            && let Some(fleet) = &mut self.fleet
        {
            fleet.note(now, info_hash, false);
        }
    }

    fn take_peer(&mut self, info_hash: InfoHash, id: PeerId, door: Door) -> Option<Peer> {
        let swarm = self.swarms.get_mut(&info_hash)?;
        let peer = swarm.remove(id, door)?;
        if swarm.is_empty() {
            self.swarms.remove(&info_hash);
        }
        self.stats.peers -= 1;
        self.stats.seeders -= u64::from(peer.seeder);
        self.timers.remove(&(peer.end, Due::Peer(info_hash, id, door)));
        match peer.way {
            Way::Socket(socket) => {
                if let Some(socket) = self.sockets.get_mut(&socket) {
                    socket.peers.remove(&(info_hash, id));
                }
            }
            Way::Address(address) => {
                self.clients.left(Network::of(address.ip()));
                self.stats.http_peers -= 1;
            }
        }
        Some(peer)
    }

    fn holds(&self, socket: SocketId, info_hash: InfoHash, id: PeerId) -> bool {
        self.sockets.get(&socket).is_some_and(|socket| socket.peers.contains(&(info_hash, id)))
    }

    fn reply(&mut self, socket: SocketId, info_hash: InfoHash) {
        let Sizes { complete, incomplete, interval } = self.look(info_hash);
        let reply = AnnounceReply {
            interval: Some(interval),
            complete: Some(complete),
            incomplete: Some(incomplete),
            bridge: self.has_bridge(),
            ..AnnounceReply::new(info_hash)
        };
        self.send(socket, TrackerMessage::Announce(reply));
    }

    /// Peers of a swarm, in the whole fleet: those that have everything and those that do not.
    fn count(&self, info_hash: InfoHash) -> (usize, usize) {
        let swarm = self.swarms.get(&info_hash);
        let here = swarm.map_or((0, 0), |swarm| (swarm.seeders(), swarm.leechers()));
        let far = self.fleet.as_ref().map_or((0, 0), |fleet| fleet.count(info_hash));
        (here.0 + far.0, here.1 + far.1)
    }

    fn look(&self, info_hash: InfoHash) -> Sizes {
        let (complete, incomplete) = self.count(info_hash);
        let small = complete + incomplete <= self.config.peers_small && incomplete > 0;
        let interval = if small { self.config.interval_small } else { self.config.interval };
        Sizes {
            complete: complete as u32,
            incomplete: incomplete as u32,
            interval: interval.as_secs() as u32,
        }
    }

    fn refuse(&mut self, socket: SocketId, bad: BadMessage) {
        self.send_failure(socket, bad.info_hash, bad.action, bad.error.to_string());
    }

    fn refuse_and_close(&mut self, now: Time, socket: SocketId, reason: CloseReason) {
        self.send_failure(socket, None, Action::Announce, reason.to_string());
        self.close(now, socket, reason);
    }

    fn send_failure(
        &mut self,
        socket: SocketId,
        info_hash: Option<InfoHash>,
        action: Action,
        reason: String,
    ) {
        self.send(socket, TrackerMessage::Failure { info_hash, action, reason });
        self.stats.refusals += 1;
    }

    fn send(&mut self, socket: SocketId, message: TrackerMessage) {
        self.steps.push_back(Step::Send { socket, message });
    }

    fn close(&mut self, now: Time, socket: SocketId, reason: CloseReason) {
        self.forget_socket(now, socket);
        self.steps.push_back(Step::Close { socket, reason });
        self.stats.sockets_closed += 1;
    }

    fn forget_socket(&mut self, now: Time, id: SocketId) {
        let Some(socket) = self.sockets.remove(&id) else { return };
        self.timers.remove(&(socket.end, Due::Socket(id)));
        for (info_hash, peer) in socket.peers {
            self.remove_peer(now, info_hash, peer, Door::Socket);
        }
    }

    fn expire(&mut self, now: Time) {
        self.offers.expire(now);
        self.expire_fleet(now);
        while let Some((at, due)) = self.timers.first().copied().filter(|(at, _)| *at <= now) {
            self.timers.remove(&(at, due));
            match due {
                Due::Peer(info_hash, id, door) => {
                    self.remove_peer(now, info_hash, id, door);
                    self.stats.peers_expired += 1;
                }
                Due::Socket(socket) => {
                    let seconds = self.config.silence_max.as_secs();
                    self.close(now, socket, CloseReason::Silent { seconds });
                }
                Due::Network(network) => self.clients.forget(network),
            }
        }
    }
}

#[cfg(test)]
mod tests;
