//! Finds peers: announces torrents to WebSocket trackers and trades WebRTC offers and answers
//! through them, or through peers that are linked already, until a link opens; dials addresses
//! that peers tell. Knows how many links are wanted, nothing of what they carry.

mod addresses;
mod announce;
mod arrival;
mod asking;
mod attempt;
mod budget;
mod circle;
mod dial;
mod elsewhere;
mod introduce;
mod limit;
mod nearness;
mod outside;
mod ports;
mod priority;
mod relay;
mod seek;
mod signal;
mod socket;
mod timer;
mod tracker;

use core::net::{IpAddr, SocketAddr};
use std::collections::VecDeque;

use headwater_base::{
    InfoHash, LinkId, Map, PeerId, Rng, Seed, Set, Time, Timers, TorrentId, TrackerId,
};
use headwater_wire::extended::SignalMessage;

use self::addresses::{Addresses, STRANGER};
use self::arrival::Arrival;
use self::attempt::Attempt;
pub(crate) use self::budget::Budget;
use self::circle::Circle;
use self::dial::Dialler;
use self::limit::{
    ARRIVALS, LEFT_UNKNOWN, LINK_SOUND, PARTED_MAX, PARTED_REST, TRACKERS_PER_TORRENT_MAX,
};
pub(crate) use self::nearness::may_name;
use self::seek::Seek;
use self::timer::Timer;
use self::tracker::{Member, Tracker, normalize};
use crate::{Action, Attempts, Config, Event, LinkEnd, TrackerTrouble, TrackerView, Wake, Warning};

/// A tracker, and the hash under which a torrent announces there.
type At = (TrackerId, InfoHash);

/// What a torrent tells trackers of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Payload bytes sent.
    pub(crate) uploaded: u64,
    /// Payload bytes fetched.
    pub(crate) downloaded: u64,
    /// Bytes missing; `None` until metadata and store are known. Reaching 0 from more says
    /// `completed`, so it must not be told before stored pieces are checked.
    pub(crate) left: Option<u64>,
}

/// News for discovery. What concerns links or trackers it does not know is ignored.
#[derive(Clone, Debug)]
pub(crate) enum DiscoveryInput {
    /// `Input::TrackerOpened`.
    TrackerOpened(TrackerId),
    /// `Input::TrackerText`.
    TrackerText { tracker: TrackerId, text: String },
    /// `Input::TrackerClosed`.
    TrackerClosed { tracker: TrackerId, why: String },
    /// `Input::OfferMade`.
    OfferMade { link: LinkId, sdp: String },
    /// `Input::AnswerMade`.
    AnswerMade { link: LinkId, sdp: String },
    /// `Input::LinkOpened`.
    LinkOpened { link: LinkId, window: usize, from: Option<IpAddr> },
    /// `Input::LinkAccepted`.
    LinkAccepted { link: LinkId, window: usize, from: SocketAddr },
    /// `Input::LinkClosed` of a link that was never handed over.
    LinkClosed { link: LinkId, end: LinkEnd },
}

/// Which side of a link made the offer, or dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// We did.
    Offered,
    /// The peer did.
    Answered,
}

/// What discovery wants done or told.
#[derive(Clone, Debug)]
pub(crate) enum Out {
    /// For the shell.
    Action(Action),
    /// For whoever listens.
    Event(Event),
    /// A link is open and handed over: it is the engine's until `link_over`.
    Linked {
        /// Which torrent.
        torrent: TorrentId,
        /// The link.
        link: LinkId,
        /// Who offered.
        role: Role,
        /// Bytes it takes before it is full.
        window: usize,
        /// Who is at its other end, as far as we were told.
        who: Expected,
    },
    /// Something to say to a neighbour that speaks `hw_signal`.
    Say {
        /// Which torrent.
        torrent: TorrentId,
        /// The link to it.
        link: LinkId,
        /// What.
        message: SignalMessage,
    },
}

/// Who should be at the other end of a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Expected {
    /// What it called itself, where somebody told that.
    pub(crate) peer: Option<PeerId>,
    /// A neighbour introduced it: under another name it is not who was meant.
    pub(crate) introduced: bool,
    /// Its IP address, as far as the shell knows it.
    pub(crate) from: Option<IpAddr>,
    /// Where it was dialled.
    pub(crate) dialled: Option<SocketAddr>,
    /// One side dialled: nothing was offered.
    pub(crate) direct: bool,
    /// The hash under which a tracker brought us together, which both sides know.
    pub(crate) hash: Option<InfoHash>,
}

/// The discovery state machine. Tell it with `handle` and the rest, then drain `next`.
#[derive(Debug)]
pub(crate) struct Discovery {
    peer_id: PeerId,
    trackers_always: Vec<String>,
    /// Whether strangers may name trackers in private networks.
    local_trackers: bool,
    links_max: usize,
    /// Most of them made of offers.
    offered_max: usize,
    rng: Rng,
    /// Tells us from others at our address, for trackers that are asked.
    key: u32,
    torrents: Map<TorrentId, Swarm>,
    hashes: Map<InfoHash, TorrentId>,
    trackers: Map<TrackerId, Tracker>,
    attempts: Map<LinkId, Attempt>,
    /// Links that came in and have not said which torrent they are for.
    arrivals: Map<LinkId, Arrival>,
    /// Links handed over.
    linked: Map<LinkId, Linked>,
    dialler: Dialler,
    /// Whether the shell can look for peers where nobody keeps a list.
    seeks: bool,
    /// Seeds are of use to seeds too.
    meets_seeds: bool,
    arrival_budget: Budget,
    offer_budget: Budget,
    answer_budget: Budget,
    /// How fast attempts are made, and how many answers at once.
    pace: Attempts,
    /// No link is tried before this, since the shell said it can make none.
    unsupported_until: Option<Time>,
    timers: Timers<Timer>,
    outs: VecDeque<Out>,
    next_link: u64,
    next_tracker: u32,
}

/// A link that was handed over.
#[derive(Clone, Copy, Debug)]
struct Linked {
    torrent: TorrentId,
    since: Time,
    /// One side dialled: nothing was offered.
    direct: bool,
}

/// A torrent whose peers are looked for.
#[derive(Debug)]
struct Swarm {
    /// What trackers call it: the first is announced eagerly, the other one of a hybrid for those
    /// that know no other (BEP 52).
    hashes: Vec<InfoHash>,
    /// Whether it is private (BEP 27), once its metadata says.
    private: Option<bool>,
    /// Whether it is there for strangers, who named its trackers.
    bridge: bool,
    /// Trackers it names that this shell cannot ask, but a bridge can.
    elsewhere: Vec<String>,
    totals: Totals,
    /// Links there is room for besides those handed over.
    wanted: usize,
    /// Peers that finished a handshake on a live link.
    known: Set<PeerId>,
    /// Peers we parted with because neither side wanted anything, and when.
    parted: VecDeque<(PeerId, Time)>,
    /// Links handed over and alive.
    linked: usize,
    /// `completed` was due once.
    completed: bool,
    /// It was told that links are not supported.
    told_unsupported: bool,
    /// Who introduces it to others.
    circle: Circle,
    /// Where its peers may be dialled.
    addresses: Addresses,
    /// When it was looked for.
    seek: Seek,
}

impl Swarm {
    fn is_seed(&self) -> bool {
        self.totals.left == Some(0)
    }

    /// Whether its peers may tell each other of others.
    fn is_public(&self) -> bool {
        self.private == Some(false)
    }

    /// Whether a link to `peer` would be of no use: there is one, or it was parted with lately.
    fn shuns(&self, now: Time, peer: PeerId) -> bool {
        let lately = |(of, at): &(PeerId, Time)| *of == peer && now.since(*at) < PARTED_REST;
        self.known.contains(&peer) || self.parted.iter().any(lately)
    }

    /// Whether it needs somebody and has nobody.
    fn is_lonely(&self) -> bool {
        self.linked == 0 && !self.is_seed()
    }

    /// Missing bytes as trackers are told.
    fn left(&self) -> u64 {
        self.totals.left.unwrap_or(LEFT_UNKNOWN)
    }
}

impl Discovery {
    /// A machine that looks for nothing yet.
    pub(crate) fn new(config: &Config, seed: &Seed) -> Self {
        let attempts = &config.attempts;
        Self {
            peer_id: config.peer_id,
            trackers_always: config.trackers.clone(),
            local_trackers: config.local_trackers,
            links_max: config.links_max,
            offered_max: config.offered_links_max.unwrap_or(config.links_max),
            rng: seed.split("discovery"),
            key: seed.split("tracker key").next_u64() as u32,
            torrents: Map::new(),
            hashes: Map::new(),
            trackers: Map::new(),
            attempts: Map::new(),
            arrivals: Map::new(),
            linked: Map::new(),
            dialler: Dialler::new(config),
            seeks: config.seeks,
            meets_seeds: false,
            arrival_budget: Budget::new(ARRIVALS.0, ARRIVALS.1),
            offer_budget: Budget::new(attempts.burst, attempts.offer_every),
            answer_budget: Budget::new(attempts.burst, attempts.answer_every),
            pace: config.attempts,
            unsupported_until: None,
            timers: Timers::default(),
            outs: VecDeque::new(),
            next_link: 0,
            next_tracker: 0,
        }
    }

    /// Looks for peers of a torrent from here on. Called again, it adds trackers and hashes to
    /// those known, and learns whether the torrent is private, which only its metadata tells
    /// (BEP 27). One that a bridge joins is there for strangers, who name its trackers. A hash that
    /// names another torrent already is left to that one.
    pub(crate) fn start(
        &mut self,
        now: Time,
        (torrent, bridge): (TorrentId, bool),
        hashes: &[InfoHash],
        tiers: &[Vec<String>],
        private: Option<bool>,
    ) {
        let swarm = self.torrents.entry(torrent).or_insert_with(|| Swarm {
            hashes: Vec::new(),
            private: None,
            bridge,
            elsewhere: Vec::new(),
            totals: Totals::default(),
            wanted: 0,
            known: Set::new(),
            parted: VecDeque::new(),
            linked: 0,
            completed: false,
            told_unsupported: false,
            circle: Circle::default(),
            addresses: Addresses::default(),
            seek: Seek::default(),
        });
        if private == Some(true) {
            swarm.addresses.forget(STRANGER);
        }
        swarm.private = private;
        for hash in hashes {
            let named = *self.hashes.entry(*hash).or_insert(torrent) == torrent;
            if named && !swarm.hashes.contains(hash) {
                swarm.hashes.push(*hash);
                swarm.seek.renew();
            }
        }
        self.plan_seek(now, torrent);
        let direct = self.dialler.able();
        self.take_elsewhere(torrent, tiers);
        let own = self.own_trackers(tiers);
        // A private torrent stays with its own trackers. One whose metadata is not known may be
        // private, unless it has no tracker to be private with.
        let always = match private {
            Some(true) => false,
            Some(false) => true,
            None => own.is_empty(),
        };
        let others = if always { self.trackers_always.clone() } else { Vec::new() };
        if private == Some(true) {
            self.keep_to(torrent, &own);
        }
        for url in own.into_iter().chain(others.iter().filter_map(|url| normalize(url, direct))) {
            self.join(now, torrent, url);
        }
    }

    /// The trackers a torrent names, in the order of their tiers. All are used at once, as
    /// WebTorrent does and BEP 12 does not: whoever meets at one tracker is unknown at the next,
    /// so the first that works would hide the rest of the swarm. Only where there are too many
    /// does it matter which come first; then it is chance inside a tier.
    fn own_trackers(&mut self, tiers: &[Vec<String>]) -> Vec<String> {
        let direct = self.dialler.able();
        let usable = |tier: &Vec<String>| -> Vec<String> {
            tier.iter().filter_map(|url| normalize(url, direct)).collect()
        };
        let mut tiers: Vec<Vec<String>> = tiers.iter().map(usable).collect();
        if tiers.iter().map(Vec::len).sum::<usize>() > TRACKERS_PER_TORRENT_MAX {
            tiers.iter_mut().for_each(|tier| self.rng.shuffle(tier));
        }
        tiers.concat()
    }

    /// Has a torrent leave the trackers that are not its own.
    fn keep_to(&mut self, torrent: TorrentId, own: &[String]) {
        let foreign = |id: &TrackerId| !own.contains(&self.trackers[id].url);
        let left: Vec<TrackerId> = self.trackers_of(torrent).filter(foreign).collect();
        for tracker in left {
            self.leave(tracker, torrent);
        }
    }

    /// Stops looking for peers of a torrent and says `stopped` wherever it announced.
    /// Links that were handed over stay the engine's to close.
    pub(crate) fn stop(&mut self, torrent: TorrentId) {
        let at: Vec<TrackerId> = self.trackers_of(torrent).collect();
        for tracker in at {
            self.leave(tracker, torrent);
        }
        let attempts: Vec<LinkId> =
            self.attempts.iter().filter(|(_, a)| a.torrent == torrent).map(|(l, _)| *l).collect();
        for link in attempts {
            self.give_up(link);
        }
        self.linked.retain(|_, link| link.torrent != torrent);
        for timer in [Timer::Introduce, Timer::News, Timer::Dial, Timer::Seek] {
            self.timers.clear(timer(torrent));
        }
        if let Some(swarm) = self.torrents.remove(&torrent) {
            for hash in swarm.hashes {
                self.hashes.remove(&hash);
            }
        }
    }

    /// Takes what a torrent tells trackers of itself.
    pub(crate) fn progress(&mut self, now: Time, torrent: TorrentId, totals: Totals) {
        let Some(swarm) = self.torrents.get_mut(&torrent) else { return };
        let was_seed = swarm.is_seed();
        let before = core::mem::replace(&mut swarm.totals, totals).left;
        if was_seed != swarm.is_seed() {
            self.news_due_soon(now, torrent);
        }
        if before.is_none() && totals.left.is_some() {
            self.say_anew(now, torrent);
        }
        let Some(swarm) = self.torrents.get_mut(&torrent) else { return };
        let reached = totals.left == Some(0) && before.is_some_and(|left| left > 0);
        if !reached || core::mem::replace(&mut swarm.completed, true) {
            return;
        }
        for at in self.members_of(torrent) {
            if let Some(member) = self.member_mut(at) {
                member.completed_due = true;
            }
        }
        self.plan_all(now, torrent);
    }

    /// Takes how many links a torrent has room for besides those handed over.
    pub(crate) fn want(&mut self, now: Time, torrent: TorrentId, links_wanted: usize) {
        let Some(swarm) = self.torrents.get_mut(&torrent) else { return };
        let before = core::mem::replace(&mut swarm.wanted, links_wanted);
        if (before == 0) != (links_wanted == 0) {
            self.news_due_soon(now, torrent);
        }
        if before == 0 && links_wanted > 0 {
            self.hasten(now, torrent);
            self.prepare(now, torrent);
            self.introduce(now, torrent);
            self.plan_dials(now, torrent);
            self.plan_seek(now, torrent);
        }
    }

    /// Takes whether a peer has a live link that finished its handshake.
    pub(crate) fn peer_known(&mut self, torrent: TorrentId, peer: PeerId, known: bool) {
        let Some(swarm) = self.torrents.get_mut(&torrent) else { return };
        if known {
            swarm.known.insert(peer);
        } else {
            swarm.known.remove(&peer);
        }
    }

    /// Takes that we parted with a peer because neither side wanted anything of the other.
    pub(crate) fn parted(&mut self, now: Time, torrent: TorrentId, (link, peer): (LinkId, PeerId)) {
        let Some(swarm) = self.torrents.get_mut(&torrent) else { return };
        swarm.addresses.part(link, now + PARTED_REST);
        swarm.parted.retain(|(of, at)| *of != peer && now.since(*at) < PARTED_REST);
        swarm.parted.truncate(PARTED_MAX - 1);
        swarm.parted.push_front((peer, now));
    }

    /// Takes that a torrent lacks something again: whoever it parted with may have it.
    pub(crate) fn lacks_again(&mut self, now: Time, torrent: TorrentId) {
        if let Some(swarm) = self.torrents.get_mut(&torrent) {
            swarm.parted.clear();
            swarm.addresses.hurry(now);
            self.plan_dials(now, torrent);
        }
    }

    /// Takes news.
    pub(crate) fn handle(&mut self, now: Time, input: DiscoveryInput) {
        match input {
            DiscoveryInput::TrackerOpened(tracker) => self.socket_opened(now, tracker),
            DiscoveryInput::TrackerText { tracker, text } => self.heard(now, tracker, &text),
            DiscoveryInput::TrackerClosed { tracker, why } => {
                self.socket_closed(now, tracker, &why);
            }
            DiscoveryInput::OfferMade { link, sdp } => self.offer_made(now, link, sdp),
            DiscoveryInput::AnswerMade { link, sdp } => self.answer_made(now, link, sdp),
            DiscoveryInput::LinkOpened { link, window, from } => {
                self.link_opened(now, link, window, from);
            }
            DiscoveryInput::LinkAccepted { link, window, from } => {
                self.accepted(now, (link, from), window);
            }
            DiscoveryInput::LinkClosed { link, end } => {
                self.forget_arrival(link);
                self.attempt_closed(now, link, end);
            }
        }
    }

    /// Answers the next thing to do or tell, or `None` until `wake` or an input.
    pub(crate) fn next(&mut self, now: Time) -> Option<Out> {
        loop {
            if let Some(out) = self.outs.pop_front() {
                return Some(out);
            }
            match self.timers.due(now)? {
                Timer::Socket(tracker) => self.socket_due(now, tracker),
                Timer::Announce(tracker, hash) => self.announce_due(now, (tracker, hash)),
                Timer::Attempt(link) => self.attempt_due(now, link),
                Timer::Introduce(torrent) => self.introduce(now, torrent),
                Timer::News(torrent) => self.news_due(now, torrent),
                Timer::Dial(torrent) => self.dial_due(now, torrent),
                Timer::Seek(torrent) => self.seek_due(now, torrent),
                Timer::Arrival(link) => self.refuse_arrival(link),
            }
        }
    }

    /// The next deadline.
    pub(crate) fn wake(&self) -> Option<Wake> {
        self.timers.first().map(|(at, timer)| Wake { at, why: timer.why() })
    }

    /// Takes that a link which was handed over is closed, by whomever.
    pub(crate) fn link_over(&mut self, now: Time, link: LinkId) {
        let Some(Linked { torrent, since, .. }) = self.linked.remove(&link) else { return };
        let Some(swarm) = self.torrents.get_mut(&torrent) else { return };
        swarm.linked = swarm.linked.saturating_sub(1);
        swarm.addresses.link_over(now, link, now.since(since) >= LINK_SOUND);
        self.plan_dials(now, torrent);
        self.neighbour_gone(now, torrent, link);
        let Some(swarm) = self.torrents.get_mut(&torrent) else { return };
        if swarm.linked == 0 && now.since(since) >= LINK_SOUND {
            self.hasten(now, torrent);
            self.seek_again(now, torrent);
        } else {
            self.plan_seek(now, torrent);
            self.plan_all(now, torrent);
        }
    }

    /// How the trackers of a torrent stand. A tracker that owes an answer has no next time.
    pub(crate) fn views(&self, now: Time, torrent: TorrentId) -> Vec<TrackerView> {
        let view = |tracker: TrackerId| {
            let (at, hashes) = (&self.trackers[&tracker], &self.torrents[&torrent].hashes);
            let announce = self.timers.deadline(Timer::Announce(tracker, hashes[0]));
            let next = announce.or(self.timers.deadline(Timer::Socket(tracker)));
            let next = next.filter(|_| !at.members[&hashes[0]].awaiting);
            at.view(hashes, next.map(|at| at.since(now)))
        };
        self.trackers_of(torrent).map(view).collect()
    }

    /// How many attempts are under way, besides links handed over.
    pub(crate) fn attempts(&self) -> usize {
        self.attempts.len() + self.arrivals.len()
    }

    /// The trackers a torrent uses.
    fn trackers_of(&self, torrent: TorrentId) -> impl Iterator<Item = TrackerId> + '_ {
        let first = self.torrents.get(&torrent).and_then(|swarm| swarm.hashes.first());
        let uses =
            move |tracker: &Tracker| first.is_some_and(|first| tracker.members.contains_key(first));
        self.trackers.iter().filter(move |(_, tracker)| uses(tracker)).map(|(id, _)| *id)
    }

    /// Where a torrent announces, and under which hash.
    fn members_of(&self, torrent: TorrentId) -> Vec<At> {
        let hashes = || self.torrents.get(&torrent).into_iter().flat_map(|swarm| &swarm.hashes);
        self.trackers_of(torrent).flat_map(|id| hashes().map(move |hash| (id, *hash))).collect()
    }

    fn member(&self, (id, hash): At) -> Option<&Member> {
        self.trackers.get(&id)?.members.get(&hash)
    }

    fn member_mut(&mut self, (id, hash): At) -> Option<&mut Member> {
        self.trackers.get_mut(&id)?.members.get_mut(&hash)
    }

    /// The torrent a hash names.
    fn swarm(&self, hash: InfoHash) -> Option<&Swarm> {
        self.torrents.get(self.hashes.get(&hash)?)
    }

    /// Whether a hash is the second of its torrent.
    fn is_second(&self, hash: InfoHash) -> bool {
        self.swarm(hash).is_some_and(|swarm| swarm.hashes.first() != Some(&hash))
    }

    /// Tells the user of a torrent what is wrong with a tracker, unless that is no news or is
    /// said of its first hash.
    fn warn(&mut self, now: Time, (tracker, hash): At, trouble: &TrackerTrouble) {
        let Some(&torrent) = self.hashes.get(&hash).filter(|_| !self.is_second(hash)) else {
            return;
        };
        let Some(at) = self.trackers.get_mut(&tracker) else { return };
        let Some(member) = at.members.get_mut(&hash) else { return };
        if member.tell(now, trouble) {
            let (url, trouble) = (at.url.clone(), trouble.clone());
            let warning = Warning::Tracker { tracker, url, trouble };
            self.outs.push_back(Out::Event(Event::Warned { torrent, warning }));
        }
    }

    /// Has the shell do something.
    fn act(&mut self, action: Action) {
        self.outs.push_back(Out::Action(action));
    }
}

#[cfg(test)]
mod tests;
