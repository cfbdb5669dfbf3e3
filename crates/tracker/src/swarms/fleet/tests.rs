//! Fleets of tables joined by a bus in memory that loses messages and goes away, in virtual time.

use core::time::Duration;

use headwater_wire::tracker::http_server::{Question, Reply};
use headwater_wire::tracker::{Announce, Happening};

use super::super::tests::{SWARM, Table, answer, offers, peer};
use super::super::{Config, Input};
use super::*;

mod floods;

const TICK: Duration = Duration::from_millis(10);

/// Sockets of every table.
const SOCKETS: u64 = 30;

fn id(at: usize) -> ProcessId {
    ProcessId([at as u8; 16])
}

/// The peer that is part of a process.
fn part(at: usize) -> u8 {
    200_u8.wrapping_add(at as u8)
}

/// Processes and what is between them.
struct Bus {
    tables: Vec<Option<Table>>,
    /// Whom the bus reaches.
    up: Vec<bool>,
    /// Counts messages; every `lose`th is lost.
    count: usize,
    lose: usize,
    /// What went to sockets, by process.
    sent: Vec<(usize, u64, TrackerMessage)>,
}

impl Bus {
    fn new(processes: usize) -> Self {
        let mut bus =
            Self { tables: Vec::new(), up: Vec::new(), count: 0, lose: usize::MAX, sent: vec![] };
        (0..processes).for_each(|_| bus.start());
        bus.pass(100);
        bus
    }

    /// Starts one more process, which bridges.
    fn start(&mut self) {
        self.start_with(true);
    }

    fn start_with(&mut self, bridges: bool) {
        let at = self.tables.len();
        let mut table = Table::new(Config { tells_seekers: bridges, ..Config::default() });
        table.now = self.now();
        (0..SOCKETS).for_each(|socket| assert_eq!(table.open(socket), []));
        let member = Member { id: id(at), bridges, peer: PeerId([part(at); 20]) };
        table.handle(Input::Fleet(FleetInput::Joined(member)));
        self.tables.push(Some(table));
        self.up.push(false);
        self.turn(at, true);
    }

    fn kill(&mut self, at: usize) {
        self.tables[at] = None;
    }

    /// Lets the bus reach a process, or not any more.
    fn turn(&mut self, at: usize, up: bool) {
        self.up[at] = up;
        let input = if up { FleetInput::Up } else { FleetInput::Down };
        self.table(at).handle(Input::Fleet(input));
    }

    fn now(&self) -> Time {
        self.tables.iter().flatten().map(|table| table.now).max().unwrap_or(Time::ZERO)
    }

    fn table(&mut self, at: usize) -> &mut Table {
        self.tables[at].as_mut().expect("it runs")
    }

    fn tell(&mut self, at: usize, text: String) {
        let Some(table) = &mut self.tables[at] else { return };
        let sent = table.handle(Input::Fleet(FleetInput::Told(text)));
        self.sent.extend(sent.into_iter().map(|(socket, message)| (at, socket, message)));
    }

    /// Lets time pass, and messages with it.
    fn pass(&mut self, millis: u64) {
        for _ in 0..millis / 10 {
            for at in 0..self.tables.len() {
                let Some(table) = &mut self.tables[at] else { continue };
                table.now += TICK;
                let sent = table.drain();
                self.sent.extend(sent.into_iter().map(|(socket, message)| (at, socket, message)));
            }
            self.carry();
        }
    }

    fn carry(&mut self) {
        for from in 0..self.tables.len() {
            let Some(table) = &mut self.tables[from] else { continue };
            for (to, text) in std::mem::take(&mut table.told) {
                assert!(self.up[from], "nothing is said while the bus is away: {text}");
                self.count += 1;
                if self.count.is_multiple_of(self.lose) {
                    continue;
                }
                for at in 0..self.tables.len() {
                    if at != from && self.up[at] && (to == To::All || to == To::One(id(at))) {
                        self.tell(at, text.clone());
                    }
                }
            }
        }
    }

    /// Announces a peer at a process, on the socket of its number, and answers what it gets.
    fn announce(&mut self, at: usize, announce: Announce) -> Vec<(u64, TrackerMessage)> {
        let socket = u64::from(announce.peer_id.0[0]) % SOCKETS;
        let sent = self.table(at).announce(socket, announce);
        self.carry();
        sent
    }

    fn counts(&mut self, at: usize) -> (usize, usize) {
        self.table(at).swarms.count(SWARM)
    }

    /// Offers that reached sockets of a process.
    fn offered(&self, at: usize) -> Vec<u64> {
        let offers = self.sent.iter().filter(|(to, _, message)| {
            *to == at && matches!(message, TrackerMessage::Offer { .. })
        });
        offers.map(|(_, socket, _)| *socket).collect()
    }

    fn stats(&mut self, at: usize) -> FleetStats {
        self.table(at).swarms.stats().fleet.expect("it is in a fleet")
    }

    fn sought(&mut self, at: usize) -> Vec<Sought> {
        std::mem::take(&mut self.table(at).sought)
    }
}

fn leecher(number: u8, count: u8) -> Announce {
    Announce { offers: offers(count), wanted: None, ..peer(number) }
}

fn seeder(number: u8, count: u8) -> Announce {
    Announce { left: Some(0), ..leecher(number, count) }
}

#[test]
fn an_offer_reaches_a_peer_of_another_process_and_its_answer_comes_back() {
    let mut bus = Bus::new(3);
    bus.announce(0, seeder(1, 0));
    bus.pass(100);
    assert_eq!((0..3).map(|at| bus.counts(at)).collect::<Vec<_>>(), [(1, 0); 3]);
    let sent = bus.announce(1, leecher(2, 5));
    let [(2, TrackerMessage::Announce(reply))] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!((reply.complete, reply.incomplete), (Some(1), Some(1)));
    let [(0, 1, TrackerMessage::Offer { peer_id, offer_id, .. })] = &bus.sent[..] else {
        panic!("{:?}", bus.sent);
    };
    assert_eq!(*peer_id, PeerId([2; 20]));
    let text = answer(1, 2, offer_id.0[0]);
    bus.sent.clear();
    assert_eq!(bus.table(0).text(1, text.clone()), []);
    bus.carry();
    let [(1, 2, TrackerMessage::Answer { peer_id, .. })] = &bus.sent[..] else {
        panic!("{:?}", bus.sent);
    };
    assert_eq!(*peer_id, PeerId([1; 20]));
    bus.sent.clear();
    bus.table(0).text(1, text);
    bus.carry();
    assert_eq!(bus.sent, [], "an answer counts once");
    assert_eq!((bus.stats(1).offers_crossed, bus.stats(2).offers_crossed), (1, 0));
}

#[test]
fn an_answer_of_a_process_that_was_not_asked_goes_nowhere() {
    let mut bus = Bus::new(3);
    bus.announce(0, seeder(1, 0));
    bus.pass(100);
    bus.announce(1, leecher(2, 1));
    let (hash, peer, to) = (Hex(SWARM.0), Hex([1; 20]), Hex([2; 20]));
    let sdp = Sdp { id: Hex([0; 20]), sdp: String::new() };
    let forged = Say::Answer { hash, peer, to, answer: sdp };
    bus.sent.clear();
    bus.tell(1, message::encode(id(2), forged).expect("short"));
    assert_eq!(bus.sent, []);
    assert_eq!(bus.stats(1).dropped, 1);
    bus.table(0).text(1, answer(1, 2, 0));
    bus.carry();
    assert_eq!(bus.sent.len(), 1, "the offer is still open for whom it went to");
}

#[test]
fn a_seeder_offers_nothing_where_others_lack_nothing() {
    let mut bus = Bus::new(2);
    bus.announce(0, seeder(1, 0));
    bus.pass(100);
    bus.announce(1, seeder(2, 5));
    assert_eq!((bus.offered(0), bus.stats(1).offers_crossed), (vec![], 0));
}

#[test]
fn offers_stay_here_as_far_as_there_are_peers_but_one_in_five_crosses() {
    let mut bus = Bus::new(2);
    for number in 1..11 {
        bus.announce(0, leecher(number, 0));
        bus.announce(1, leecher(10 + number, 0));
    }
    bus.pass(2_000);
    let sent = bus.announce(0, leecher(1, 10));
    let here = sent.iter().filter(|(_, message)| matches!(message, TrackerMessage::Offer { .. }));
    assert_eq!(here.count(), 8, "nine peers are here");
    let mut far = bus.offered(1);
    far.dedup();
    assert_eq!(far.len(), 2, "each to another peer: {far:?}");
    bus.announce(0, Announce { happening: Some(Happening::Stopped), ..peer(2) });
    for number in 3..11 {
        bus.announce(0, Announce { happening: Some(Happening::Stopped), ..peer(number) });
    }
    bus.sent.clear();
    bus.announce(0, leecher(1, 10));
    assert_eq!(bus.offered(1).len(), 10, "nobody else is here");
}

#[test]
fn changes_gather_for_a_second_and_a_swarms_first_peer_is_told_at_once() {
    let mut bus = Bus::new(2);
    bus.announce(0, seeder(1, 0));
    bus.pass(60);
    assert_eq!(bus.counts(1), (1, 0));
    let before = bus.stats(0).sent;
    for number in 2..12 {
        bus.announce(0, seeder(number, 0));
    }
    bus.pass(500);
    assert_eq!(bus.counts(1), (1, 0));
    bus.pass(600);
    assert_eq!(bus.counts(1), (11, 0));
    assert!(bus.stats(0).sent - before <= 2, "one message besides a beat");
    for number in 1..12 {
        bus.announce(0, seeder(number, 0));
    }
    let before = bus.stats(0).sent;
    bus.pass(1_500);
    assert!(bus.stats(0).sent - before <= 1, "announcing again changes nothing");
    (0..SOCKETS).for_each(|socket| bus.table(0).close(socket));
    bus.pass(1_100);
    assert_eq!((bus.counts(1), bus.stats(1).swarms), ((0, 0), 0));
}

#[test]
fn counts_come_right_whatever_was_lost() {
    for lose in 2..9 {
        let mut bus = Bus::new(3);
        bus.lose = lose;
        let swarms = || (1..20).map(|number| InfoHash([number; 20]));
        for (number, info_hash) in (1..).zip(swarms()) {
            let announce = Announce { info_hash, ..leecher(number, 0) };
            bus.announce(usize::from(number) % 3, announce);
            bus.pass(370);
        }
        bus.lose = usize::MAX;
        bus.pass(4_000);
        for (at, info_hash) in (0..3).flat_map(|at| swarms().map(move |hash| (at, hash))) {
            let count = bus.table(at).swarms.count(info_hash);
            assert_eq!(count, (0, 1), "{info_hash} at {at}; every {lose}th message was lost");
        }
    }
}

#[test]
fn thousands_of_swarms_are_told_in_parts_to_who_comes_late() {
    let mut bus = Bus::new(1);
    let swarms = 2_500_u32;
    for number in 0..swarms {
        let mut hash = SWARM;
        hash.0[..4].copy_from_slice(&number.to_be_bytes());
        // A socket is in a thousand swarms at most.
        let socket = u64::from(number / 1_000);
        bus.table(0).announce(socket, Announce { info_hash: hash, ..peer(1) });
    }
    let held = bus.table(0).swarms.stats().swarms;
    assert_eq!(held, u64::from(swarms));
    bus.start();
    bus.pass(200);
    assert_eq!(bus.stats(1).swarms, held);
}

#[test]
fn a_process_that_went_silent_is_forgotten_and_one_that_says_so_at_once() {
    let mut bus = Bus::new(3);
    bus.announce(0, leecher(1, 0));
    bus.announce(1, leecher(2, 0));
    bus.pass(2_000);
    assert_eq!((bus.counts(2), bus.stats(2).processes), ((0, 2), 2));
    bus.kill(0);
    bus.pass(4_500);
    assert_eq!(bus.counts(2), (0, 2), "signs of life may get lost");
    bus.pass(3_000);
    assert_eq!((bus.counts(2), bus.stats(2).processes), ((0, 1), 1));
    bus.table(1).swarms.leave_fleet();
    bus.pass(10);
    assert_eq!((bus.counts(2), bus.stats(2).processes), ((0, 0), 0));
}

#[test]
fn without_the_bus_each_goes_on_alone_and_with_it_all_is_told_anew() {
    let mut bus = Bus::new(2);
    bus.announce(0, seeder(1, 0));
    bus.announce(1, leecher(2, 0));
    bus.pass(2_000);
    (0..2).for_each(|at| bus.turn(at, false));
    assert_eq!((bus.counts(0), bus.counts(1)), ((1, 0), (0, 1)));
    bus.announce(0, seeder(3, 0));
    let sent = bus.announce(1, leecher(4, 5));
    assert!(
        sent.iter()
            .any(|(to, message)| { *to == 2 && matches!(message, TrackerMessage::Offer { .. }) })
    );
    bus.pass(20_000);
    assert_eq!((bus.counts(0), bus.counts(1)), ((2, 0), (0, 2)));
    bus.turn(1, true);
    bus.pass(300);
    bus.turn(0, true);
    bus.pass(1_200);
    assert_eq!((bus.counts(0), bus.counts(1)), ((2, 2), (2, 2)));
    bus.announce(1, leecher(4, 5));
    assert!(!bus.offered(0).is_empty());
}

#[test]
fn one_cut_off_for_a_while_is_asked_for_what_it_could_not_tell() {
    let mut bus = Bus::new(2);
    bus.announce(0, leecher(1, 0));
    bus.pass(2_000);
    bus.turn(0, false);
    bus.announce(0, leecher(2, 0));
    bus.announce(1, leecher(3, 0));
    bus.pass(1_500);
    bus.turn(0, true);
    bus.pass(3_200);
    assert_eq!((bus.counts(0), bus.counts(1)), ((0, 3), (0, 3)));
}

#[test]
fn one_process_bridges_a_torrent_and_when_it_is_gone_another_does() {
    let mut bus = Bus::new(3);
    bus.pass(2_500);
    let owner = (0..3).find(|at| Some(id(*at)) == others::owner(SWARM, (0..3).map(id)));
    let owner = owner.expect("one of three");
    let there = (owner + 1) % 3;
    let told = vec!["udp://t.example:1".to_owned()];
    bus.announce(there, Announce { trackers: told, ..leecher(5, 0) });
    bus.pass(20);
    let (peer_id, socket) = (PeerId([5; 20]), SocketId(5));
    let trackers = vec!["udp://t.example:1".to_owned()];
    let process = Some(id(there));
    let sought = Sought { info_hash: SWARM, peer_id, socket, trackers, process };
    assert_eq!(bus.sought(owner), [sought]);
    bus.announce(owner, leecher(6, 0));
    let (peer_id, socket) = (PeerId([6; 20]), SocketId(6));
    let (trackers, process) = (Vec::new(), None);
    let sought = Sought { info_hash: SWARM, peer_id, socket, trackers, process };
    assert_eq!(bus.sought(owner), [sought]);
    (0..3).for_each(|at| assert_eq!(bus.sought(at), []));
    bus.kill(owner);
    bus.pass(8_000);
    let left: Vec<_> = (0..3).filter(|at| *at != owner).collect();
    let told: usize = left.iter().map(|at| bus.sought(*at).len()).sum();
    assert_eq!(told, 1, "what was bridged is sought anew without an announce");
}

#[test]
fn while_the_bus_is_away_each_bridges_for_its_own_and_knows_the_others_peers() {
    let mut bus = Bus::new(3);
    bus.pass(2_500);
    let hashes = || (0..60).map(|number| InfoHash([number; 20]));
    for (info_hash, at) in hashes().zip([0, 1].into_iter().cycle()) {
        bus.announce(at, Announce { info_hash, ..leecher(5, 0) });
    }
    bus.pass(20);
    let sought = |bus: &mut Bus, at| {
        let sought = bus.sought(at);
        sought.into_iter().map(|sought| sought.info_hash).collect::<BTreeSet<_>>()
    };
    let before: Vec<_> = (0..3).map(|at| sought(&mut bus, at)).collect();
    assert!(before.iter().all(|before| (9..31).contains(&before.len())), "{before:?}");
    (0..3).for_each(|at| bus.turn(at, false));
    let soon = bus.now() + limit::FLEET_STEP_EVERY;
    let due = bus.table(0).swarms.fleet.as_ref().and_then(Fleet::due);
    assert!(due.is_some_and(|at| at <= soon), "it goes on by itself");
    bus.pass(500);
    for (at, before) in before.iter().enumerate().take(2) {
        let here = hashes().zip([0, 1].into_iter().cycle()).filter(|(_, there)| *there == at);
        let left: BTreeSet<_> = here.map(|(hash, _)| hash).collect();
        let left: BTreeSet<_> = left.difference(before).copied().collect();
        assert_eq!(sought(&mut bus, at), left, "what others bridged");
    }
    let peers = [1, 2].map(|at| PeerId([part(at); 20])).into();
    assert_eq!(bus.table(0).swarms.fellows(), Fellows { processes: BTreeSet::new(), peers });
    bus.announce(0, leecher(part(1), 0));
    assert_eq!(bus.sought(0), []);
}

#[test]
fn a_full_bridge_hands_seekers_on_until_one_has_room_and_none_is_asked_twice() {
    let mut bus = Bus::new(3);
    bus.pass(2_500);
    let first = others::owner(SWARM, (0..3).map(id)).expect("one of three");
    let second = others::next_owner(SWARM, first, (0..3).map(id)).expect("one of two");
    let third = others::next_owner(SWARM, second, (0..3).map(id)).expect("the last");
    let order = [first, second, third].map(|one| usize::from(one.0[0]));
    for there in 0..3 {
        let number = 5 + there as u8;
        bus.announce(there, leecher(number, 0));
        for at in order {
            bus.pass(20);
            let sought = bus.sought(at);
            let [one] = &sought[..] else { panic!("{sought:?} at {at}") };
            assert_eq!(one.peer_id, PeerId([number; 20]));
            assert_eq!(one.process, (at != there).then_some(id(there)), "where its socket is");
            bus.table(at).handle(Input::Fleet(FleetInput::NoRoom(one.clone())));
        }
        bus.pass(20);
        (0..3).for_each(|at| assert_eq!(bus.sought(at), [], "all are full"));
    }
}

#[test]
fn a_large_fleet_is_known_again_at_once_each_time_the_bus_comes_back() {
    let mut bus = Bus::new(limit::FLEET_PROCESSES_MAX + 1);
    for _ in 0..3 {
        assert_eq!(bus.stats(0).processes, limit::FLEET_PROCESSES_MAX as u64);
        (0..bus.tables.len()).for_each(|at| bus.turn(at, false));
        assert_eq!(bus.stats(0).processes, 0);
        (0..bus.tables.len()).for_each(|at| bus.turn(at, true));
        bus.pass(100);
    }
}

#[test]
fn a_newcomer_knows_at_once_who_bridges() {
    let mut bus = Bus::new(2);
    bus.pass(2_500);
    bus.start();
    bus.pass(50);
    for at in 0..3 {
        let fleet = bus.table(at).swarms.fleet.as_ref().expect("it is in a fleet");
        assert_eq!(fleet.others.bridging().count(), 2, "{at}");
    }
}

#[test]
fn a_process_without_a_bridge_hands_seekers_to_one_that_has_one() {
    let mut bus = Bus::new(1);
    (0..2).for_each(|_| bus.start_with(false));
    bus.pass(2_500);
    let bridged = |message: &TrackerMessage| {
        let TrackerMessage::Announce(reply) = message else { return false };
        reply.bridge
    };
    let says_so = |sent: &[(u64, TrackerMessage)]| sent.iter().any(|(_, sent)| bridged(sent));
    let sent = bus.announce(1, leecher(5, 0));
    assert!(says_so(&sent), "{sent:?}");
    bus.pass(20);
    assert_eq!(bus.sought(0).len(), 1);
    bus.kill(0);
    bus.pass(8_000);
    let sent = bus.announce(1, leecher(5, 0));
    assert!(!says_so(&sent), "{sent:?}");
    (1..3).for_each(|at| assert_eq!(bus.sought(at), []));
}

#[test]
fn nobody_bridges_for_a_peer_that_is_part_of_a_process() {
    let mut bus = Bus::new(2);
    bus.pass(2_500);
    for at in 0..2 {
        bus.announce(at, leecher(part(at), 0));
        bus.announce(at, leecher(part(1 - at), 0));
    }
    bus.pass(100);
    (0..2).for_each(|at| assert_eq!(bus.sought(at), []));
    let fellows = Fellows { processes: [id(1)].into(), peers: [PeerId([part(1); 20])].into() };
    assert_eq!(bus.table(0).swarms.fellows(), fellows);
}

#[test]
fn garbled_messages_are_refused_and_counted_and_harm_nothing() {
    let mut bus = Bus::new(2);
    bus.announce(0, leecher(1, 0));
    bus.pass(2_000);
    let own = message::encode(id(1), Say::Bye {}).expect("short");
    let lost = Say::State { number: 3, part: 1, parts: 2, swarms: Vec::new() };
    let lost = message::encode(id(0), lost).expect("short");
    let garbled = [String::new(), "{}".to_owned(), "null".to_owned(), own, lost];
    let before = bus.stats(1).dropped;
    for text in &garbled {
        bus.tell(1, text.clone());
    }
    assert_eq!(bus.stats(1).dropped - before, garbled.len() as u64);
    assert_eq!(bus.counts(1), (0, 1));
}

#[test]
fn who_asks_over_http_is_told_of_others_in_the_world_and_of_no_network() {
    let mut bus = Bus::new(2);
    let ask = |bus: &mut Bus, at: usize, from: &str, number: u8| {
        let query = format!(
            "info_hash={}&peer_id={}&port=6881&left=9&compact=0",
            "%fe".repeat(20),
            format!("%{number:02x}").repeat(20)
        );
        let table = bus.table(at);
        let question = Question::announce(&query);
        let reply = table.swarms.ask(table.now, from.parse().expect("an address"), question);
        let Reply::Announce(listing) = reply else { panic!("{reply:?}") };
        bus.pass(1_100);
        let told: Vec<_> = listing.peers.iter().map(|peer| peer.address.to_string()).collect();
        ((listing.complete, listing.incomplete), told)
    };
    assert_eq!(ask(&mut bus, 0, "8.8.4.7", 1), ((0, 1), vec![]));
    assert_eq!(ask(&mut bus, 0, "10.0.0.7", 2).0, (0, 2));
    let told = ask(&mut bus, 1, "8.8.4.8", 3);
    assert_eq!(told, ((0, 3), vec!["8.8.4.7:6881".to_owned()]));
    bus.kill(0);
    bus.pass(8_000);
    assert_eq!(ask(&mut bus, 1, "8.8.4.9", 4).0, (0, 2));
}
