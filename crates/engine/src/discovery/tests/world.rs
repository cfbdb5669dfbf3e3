//! Several machines meet through a small tracker and a small net, all in virtual time.

use std::collections::BTreeMap;

use headwater_base::Rng;

use super::*;

/// One who takes part.
struct Node {
    machine: Discovery,
    peer: PeerId,
    /// Links handed over, and who was expected behind them.
    linked: Vec<(LinkId, PeerId)>,
    /// Peer connections made, ever.
    made: usize,
    /// Most attempts and links at once.
    most: usize,
    wanted: usize,
    told: Vec<Event>,
}

/// Something that reaches a machine later.
enum Coming {
    Input(usize, DiscoveryInput),
    ToTracker(usize, TrackerId, Value),
}

/// Who is where in a swarm: node, socket, bytes left.
type Place = (usize, TrackerId, u64);

struct World {
    rng: Rng,
    now: Time,
    nodes: Vec<Node>,
    coming: BTreeMap<(Time, u64), Coming>,
    posted: u64,
    tracker_down: bool,
    /// By hash and peer.
    swarm: BTreeMap<(String, String), Place>,
    /// Answers' attempts by the offers' attempts: `(node, link)` each.
    pairs: BTreeMap<(usize, LinkId), (usize, LinkId)>,
    closed: Vec<(usize, LinkId)>,
}

impl World {
    fn new() -> Self {
        Self {
            rng: Seed([9; 32]).split("world"),
            now: Time::ZERO,
            nodes: Vec::new(),
            coming: BTreeMap::new(),
            posted: 0,
            tracker_down: false,
            swarm: BTreeMap::new(),
            pairs: BTreeMap::new(),
            closed: Vec::new(),
        }
    }

    fn join(&mut self, left: u64) -> usize {
        self.join_as(left, &[HASH])
    }

    /// One who knows the torrent by these hashes.
    fn join_as(&mut self, left: u64, hashes: &[InfoHash]) -> usize {
        let n = self.nodes.len();
        let peer = PeerId([n as u8 + 1; 20]);
        let mut machine = Discovery::new(&Config::new(peer), &Seed([n as u8; 32]));
        machine.start(self.now, (T, false), hashes, &[vec![URL.to_owned()]], Some(false));
        machine.progress(self.now, T, Totals { left: Some(left), ..Totals::default() });
        machine.want(self.now, T, 10);
        let (linked, told) = (Vec::new(), Vec::new());
        self.nodes.push(Node { machine, peer, linked, made: 0, most: 0, wanted: 10, told });
        n
    }

    fn post(&mut self, after_ms: u64, coming: Coming) {
        self.posted += 1;
        let at = self.now + Duration::from_millis(after_ms);
        self.coming.insert((at, self.posted), coming);
    }

    fn run(&mut self, span: Duration) {
        let end = self.now + span;
        loop {
            for n in 0..self.nodes.len() {
                while let Some(out) = self.nodes[n].machine.next(self.now) {
                    self.out(n, out);
                }
                let node = &mut self.nodes[n];
                node.most = node.most.max(node.machine.attempts() + node.linked.len());
            }
            let wakes = self.nodes.iter().filter_map(|node| Some(node.machine.wake()?.at));
            let next = wakes.chain(self.coming.keys().next().map(|(at, _)| *at)).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now = self.now.max(next);
            while let Some(first) = self.coming.first_entry() {
                if first.key().0 > self.now {
                    break;
                }
                match first.remove() {
                    Coming::Input(n, input) => self.nodes[n].machine.handle(self.now, input),
                    Coming::ToTracker(n, socket, message) => self.tracker(n, socket, &message),
                }
            }
        }
        self.now = end;
    }

    fn out(&mut self, n: usize, out: Out) {
        match out {
            Out::Action(action) => self.act(n, action),
            Out::Event(event) => self.nodes[n].told.push(event),
            Out::Say { .. } => unreachable!("nobody here speaks hw_signal"),
            Out::Linked { link, who, .. } => {
                let node = &mut self.nodes[n];
                let peer = who.peer.expect("a name, by tracker");
                node.linked.push((link, peer));
                node.wanted -= 1;
                node.machine.want(self.now, T, node.wanted);
                node.machine.peer_known(T, peer, true);
            }
        }
    }

    fn act(&mut self, n: usize, action: Action) {
        match action {
            Action::OpenTracker { tracker, .. } if self.tracker_down => {
                let why = "connection refused".to_owned();
                let closed = DiscoveryInput::TrackerClosed { tracker, why };
                self.post(5, Coming::Input(n, closed));
            }
            Action::OpenTracker { tracker, .. } => {
                self.post(20, Coming::Input(n, DiscoveryInput::TrackerOpened(tracker)));
            }
            Action::SendTracker { tracker, text } => {
                let message = serde_json::from_str(&text).unwrap();
                self.post(10, Coming::ToTracker(n, tracker, message));
            }
            Action::MakeOffer(link) => {
                self.nodes[n].made += 1;
                let made =
                    DiscoveryInput::OfferMade { link, sdp: sdp(n as u64 * 1_000_000 + link.0) };
                self.post(300, Coming::Input(n, made));
            }
            Action::MakeAnswer { link, offer } => {
                self.nodes[n].made += 1;
                let (node, theirs) = author(&offer);
                self.pairs.insert((n, link), (node, theirs));
                let sdp = sdp(n as u64 * 1_000_000 + link.0);
                self.post(200, Coming::Input(n, DiscoveryInput::AnswerMade { link, sdp }));
            }
            Action::TakeAnswer { link, answer } => self.connect((n, link), author(&answer)),
            Action::CloseLink(link) => self.closed.push((n, link)),
            Action::CloseTracker(_) => {}
            Action::OpenStore { .. }
            | Action::CloseStore { .. }
            | Action::ReadBlock { .. }
            | Action::HashPiece { .. }
            | Action::HashStored { .. }
            | Action::HashBlocks { .. }
            | Action::HashLeaves { .. }
            | Action::WritePiece { .. }
            | Action::Dial { .. }
            | Action::FetchRange(_)
            | Action::CancelFetch(_)
            | Action::Ask(_)
            | Action::Seek { .. }
            | Action::Send { .. } => unreachable!("discovery never asks for {action:?}"),
        }
    }

    fn connect(&mut self, ours: (usize, LinkId), theirs: (usize, LinkId)) {
        if self.pairs.get(&theirs) == Some(&ours) && !self.closed.contains(&theirs) {
            for (n, link) in [ours, theirs] {
                let opened = DiscoveryInput::LinkOpened { link, window: 65536, from: None };
                self.post(100, Coming::Input(n, opened));
            }
        }
    }

    /// What a tracker does: counts, and relays each offer to another of the swarm.
    fn tracker(&mut self, n: usize, socket: TrackerId, message: &Value) {
        if self.tracker_down {
            return;
        }
        let peer = message["peer_id"].as_str().unwrap().to_owned();
        let hash = message["info_hash"].as_str().unwrap().to_owned();
        let relay = |offer: &Value, kind: &str, from: &str, id: &Value| {
            let mut relayed = json!({ "action": "announce", "info_hash": message["info_hash"] });
            (relayed["peer_id"], relayed["offer_id"]) = (json!(from), id.clone());
            relayed[kind] = offer.clone();
            relayed
        };
        if let Some(to) = message["to_peer_id"].as_str() {
            let Some((n, socket, _)) = self.swarm.get(&(hash, to.to_owned())).copied() else {
                return;
            };
            let relayed = relay(&message["answer"], "answer", &peer, &message["offer_id"]);
            return self.tell(n, socket, &relayed);
        }
        if message["event"] == "stopped" {
            self.swarm.remove(&(hash, peer));
            return;
        }
        self.swarm
            .insert((hash.clone(), peer.clone()), (n, socket, message["left"].as_u64().unwrap()));
        let there = || self.swarm.iter().filter(|((of, _), _)| *of == hash);
        let seeds = there().filter(|(_, (.., left))| *left == 0).count() as u32;
        let mut counts = counted(seeds, there().count() as u32 - seeds);
        counts["info_hash"] = message["info_hash"].clone();
        self.tell(n, socket, &counts);
        let offers = message["offers"].as_array().cloned().unwrap_or_default();
        let mut others: Vec<(usize, TrackerId)> = self
            .swarm
            .iter()
            .filter(|((of, other), _)| *of == hash && *other != peer)
            .map(|(_, (n, socket, _))| (*n, *socket))
            .collect();
        self.rng.shuffle(&mut others);
        for (offer, (n, socket)) in offers.iter().zip(others) {
            self.tell(n, socket, &relay(&offer["offer"], "offer", &peer, &offer["offer_id"]));
        }
    }

    fn tell(&mut self, n: usize, tracker: TrackerId, message: &Value) {
        let text = message.to_string();
        self.post(10, Coming::Input(n, DiscoveryInput::TrackerText { tracker, text }));
    }

    /// The tracker dies: every socket breaks.
    fn kill_tracker(&mut self) {
        self.tracker_down = true;
        for (n, tracker, _) in core::mem::take(&mut self.swarm).into_values() {
            let why = "broken".to_owned();
            self.post(1, Coming::Input(n, DiscoveryInput::TrackerClosed { tracker, why }));
        }
    }

    fn peers_of(&self, n: usize) -> Vec<PeerId> {
        self.nodes[n].linked.iter().map(|(_, peer)| *peer).collect()
    }
}

/// Which node and link made a description.
fn author(sdp: &str) -> (usize, LinkId) {
    let line = sdp.lines().find_map(|line| line.strip_prefix("o=- ")).unwrap();
    let id: u64 = line.split(' ').next().unwrap().parse().unwrap();
    ((id / 1_000_000) as usize, LinkId(id % 1_000_000))
}

#[test]
fn a_leecher_and_a_seed_meet_within_two_seconds() {
    let mut world = World::new();
    let seed = world.join(0);
    world.run(secs(5));
    let leecher = world.join(1000);
    world.run(secs(2));
    assert_eq!(world.peers_of(leecher), [world.nodes[seed].peer]);
    assert_eq!(world.peers_of(seed), [world.nodes[leecher].peer]);
}

#[test]
fn two_leechers_that_announce_at_the_same_moment_meet() {
    let mut world = World::new();
    let (a, b) = (world.join(1000), world.join(1000));
    world.run(secs(30));
    assert!(world.peers_of(a).contains(&world.nodes[b].peer));
    assert!(world.peers_of(b).contains(&world.nodes[a].peer));
}

#[test]
fn offers_that_cross_become_two_links_on_both_sides() {
    let mut world = World::new();
    let (a, b) = (world.join(1000), world.join(1000));
    for n in [a, b] {
        let peer = latin(&world.nodes[n].peer.0);
        world.swarm.insert((latin(&HASH.0), peer), (n, TrackerId(0), 1000));
    }
    world.run(secs(5));
    assert_eq!(world.peers_of(a), [world.nodes[b].peer; 2]);
    assert_eq!(world.peers_of(b), [world.nodes[a].peer; 2]);
}

#[test]
fn a_tracker_that_dies_and_returns_brings_newcomers_within_seconds() {
    let mut world = World::new();
    let seed = world.join(0);
    world.run(secs(60));
    world.kill_tracker();
    let leecher = world.join(1000);
    world.run(secs(5));
    assert!(world.peers_of(leecher).is_empty());
    world.tracker_down = false;
    world.run(secs(10));
    assert_eq!(world.peers_of(leecher), [world.nodes[seed].peer]);
    let warnings = |n: usize| world.nodes[n].told.len();
    assert_eq!((warnings(seed), warnings(leecher)), (1, 1));
}

#[test]
fn a_lonely_hour_makes_few_peer_connections() {
    let mut world = World::new();
    let lonely = world.join(1000);
    world.run(secs(3600));
    let node = &world.nodes[lonely];
    assert!(node.made <= 60, "{} made", node.made);
    assert!(node.most <= 10, "{} at once", node.most);
}

#[test]
fn an_hour_among_peers_nobody_can_reach_stays_within_the_budget() {
    let mut world = World::new();
    let lonely = world.join(1000);
    world.run(secs(1));
    for n in 100..150_u8 {
        let name = (latin(&HASH.0), latin(&[n; 20]));
        world.swarm.insert(name, (lonely, TrackerId(999), 1000));
    }
    world.run(secs(3600));
    let node = &world.nodes[lonely];
    assert!(node.made <= 300, "{} made", node.made);
    assert!(node.most <= 10, "{} at once", node.most);
}

#[test]
fn twenty_peers_that_come_one_by_one_all_find_somebody() {
    let mut world = World::new();
    world.join(0);
    for _ in 0..19 {
        world.run(secs(2));
        world.join(1000);
    }
    world.run(secs(60));
    for (n, node) in world.nodes.iter().enumerate() {
        assert!(!node.linked.is_empty(), "node {n} is alone");
        assert!(node.most <= 60, "{}", node.most);
    }
}

const V2: InfoHash = InfoHash([0xe2; 20]);

#[test]
fn who_knows_one_hash_alone_meets_whoever_knows_both() {
    for (hash, first) in [(HASH, true), (HASH, false), (V2, true), (V2, false)] {
        let mut world = World::new();
        let early = if first { vec![hash] } else { vec![HASH, V2] };
        let late = if first { vec![HASH, V2] } else { vec![hash] };
        let one = world.join_as(if first { 1000 } else { 0 }, &early);
        world.run(secs(60));
        let two = world.join_as(if first { 0 } else { 1000 }, &late);
        world.run(secs(15));
        assert_eq!(world.peers_of(one), [world.nodes[two].peer], "{hash} {first}");
        assert_eq!(world.peers_of(two), [world.nodes[one].peer], "{hash} {first}");
    }
}

#[test]
fn peers_of_both_swarms_meet_once_and_make_few_more_offers() {
    let mut made = [0, 0];
    for (made, hashes) in made.iter_mut().zip([&[HASH][..], &[HASH, V2]]) {
        let mut world = World::new();
        for n in 0..4 {
            world.join_as(if n == 0 { 0 } else { 1000 }, hashes);
            world.run(secs(20));
        }
        world.run(secs(3600));
        for n in 0..4 {
            let mut peers = world.peers_of(n);
            peers.sort_unstable();
            peers.dedup();
            assert_eq!((peers.len(), world.nodes[n].linked.len()), (3, 3));
        }
        *made = world.nodes.iter().map(|node| node.made).sum::<usize>();
    }
    assert!(made[1] <= made[0] + 8, "{made:?}");
}

#[test]
fn a_lonely_hour_under_two_hashes_makes_no_more_peer_connections() {
    let made = [&[HASH][..], &[HASH, V2]].map(|hashes| {
        let mut world = World::new();
        let lonely = world.join_as(1000, hashes);
        world.run(secs(3600));
        world.nodes[lonely].made
    });
    assert!(made[1] <= made[0] + 2, "{made:?}");
}

#[test]
fn an_hour_among_hybrids_nobody_can_reach_stays_within_the_budget() {
    let mut world = World::new();
    let lonely = world.join_as(1000, &[HASH, V2]);
    world.run(secs(1));
    for (n, hash) in (100..150_u8).flat_map(|n| [(n, HASH), (n, V2)]) {
        let name = (latin(&hash.0), latin(&[n; 20]));
        world.swarm.insert(name, (lonely, TrackerId(999), 1000));
    }
    world.run(secs(3600));
    let node = &world.nodes[lonely];
    assert!(node.made <= 300, "{} made", node.made);
    assert!(node.most <= 10, "{} at once", node.most);
}
