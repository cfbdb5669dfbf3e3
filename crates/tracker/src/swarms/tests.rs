//! The rules of the swarm table, one by one, under virtual time.

use core::time::Duration;

use headwater_base::{InfoHash, PeerId, Seed, Time};
use headwater_wire::tracker::{
    Announce, AnnounceReply, Answer, ClientMessage, Description, Happening, Offer, OfferId,
    TrackerMessage,
};

use super::*;

const SDP: &str = "v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n";
pub(super) const SWARM: InfoHash = InfoHash([0xfe; 20]);

/// A table, its time, and what it said so far.
pub(super) struct Table {
    pub(super) swarms: Swarms,
    pub(super) now: Time,
    closed: Vec<(u64, CloseReason)>,
    pub(super) sought: Vec<Sought>,
    pub(super) told: Vec<(To, String)>,
}

impl Table {
    pub(super) fn new(config: Config) -> Self {
        let swarms = Swarms::new(config, &Seed([3; 32]));
        Self { swarms, now: Time::ZERO, closed: Vec::new(), sought: Vec::new(), told: Vec::new() }
    }

    /// A table with sockets 0 to `sockets`.
    pub(super) fn with_sockets(sockets: u64) -> Self {
        let mut table = Self::new(Config::default());
        (0..sockets).for_each(|socket| assert_eq!(table.open(socket), []));
        table
    }

    pub(super) fn handle(&mut self, input: Input) -> Vec<(u64, TrackerMessage)> {
        self.swarms.handle(self.now, input);
        self.drain()
    }

    pub(super) fn drain(&mut self) -> Vec<(u64, TrackerMessage)> {
        let mut sent = Vec::new();
        loop {
            match self.swarms.next(self.now) {
                Step::Send { socket, message } => {
                    // As its client reads it.
                    sent.push((socket.0, TrackerMessage::decode(&message.encode()).unwrap()));
                }
                Step::Sought(sought) => self.sought.push(sought),
                Step::Tell { to, text } => self.told.push((to, text)),
                Step::Close { socket, reason } => self.closed.push((socket.0, reason)),
                Step::Sleep(_) => return sent,
            }
        }
    }

    pub(super) fn open(&mut self, socket: u64) -> Vec<(u64, TrackerMessage)> {
        self.handle(Input::Opened(SocketId(socket)))
    }

    pub(super) fn close(&mut self, socket: u64) {
        assert_eq!(self.handle(Input::Closed(SocketId(socket))), []);
    }

    pub(super) fn text(
        &mut self,
        socket: u64,
        text: impl Into<String>,
    ) -> Vec<(u64, TrackerMessage)> {
        self.handle(Input::Heard { socket: SocketId(socket), heard: Heard::read(&text.into()) })
    }

    pub(super) fn announce(
        &mut self,
        socket: u64,
        announce: Announce,
    ) -> Vec<(u64, TrackerMessage)> {
        self.text(socket, ClientMessage::Announce(announce).encode())
    }

    /// Joins with the peer id of this socket's number and no offers.
    pub(super) fn join(&mut self, socket: u64, left: u64) {
        let sent = self.announce(socket, Announce { left: Some(left), ..peer(socket as u8) });
        assert!(matches!(sent[..], [(to, TrackerMessage::Announce(_))] if to == socket));
    }

    pub(super) fn wait(&mut self, seconds: u64) -> Vec<(u64, TrackerMessage)> {
        self.now += Duration::from_secs(seconds);
        self.drain()
    }

    fn size(&mut self) -> (u64, u64) {
        let stats = self.swarms.stats();
        (stats.seeders, stats.peers - stats.seeders)
    }
}

/// A leecher's plain announce.
pub(super) fn peer(number: u8) -> Announce {
    Announce {
        info_hash: SWARM,
        peer_id: PeerId([number; 20]),
        happening: Some(Happening::Started),
        uploaded: 0,
        downloaded: 0,
        left: Some(100),
        wanted: Some(5),
        offers: Vec::new(),
        tracker_id: None,
        trackers: Vec::new(),
    }
}

pub(super) fn offers(count: u8) -> Vec<Offer> {
    let offer = |number| Offer { offer_id: OfferId([number; 20]), sdp: Description::new(SDP) };
    (0..count).map(offer).collect()
}

pub(super) fn answer(from: u8, to: u8, offer: u8) -> String {
    let (info_hash, sdp) = (SWARM, Description::new(SDP));
    let (peer_id, to_peer_id) = (PeerId([from; 20]), PeerId([to; 20]));
    let offer_id = OfferId([offer; 20]);
    let answer =
        Answer { info_hash, peer_id, to_peer_id, offer_id, sdp, left: None, tracker_id: None };
    ClientMessage::Answer(answer).encode()
}

/// Who got which offer of the messages sent.
pub(super) fn offered(sent: &[(u64, TrackerMessage)]) -> Vec<(u64, u8)> {
    let offer = |(to, message): &(u64, TrackerMessage)| {
        let TrackerMessage::Offer { offer_id, .. } = message else { return None };
        Some((*to, offer_id.0[0]))
    };
    sent.iter().filter_map(offer).collect()
}

/// The failure that is all that was sent to this socket.
fn failure(sent: &[(u64, TrackerMessage)], socket: u64) -> (Option<InfoHash>, String) {
    match sent {
        [(to, TrackerMessage::Failure { info_hash, reason, .. })] if *to == socket => {
            (*info_hash, reason.clone())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn announce_is_answered_with_interval_and_counts() {
    let mut table = Table::with_sockets(2);
    table.join(0, 0);
    let expect = AnnounceReply {
        interval: Some(30),
        complete: Some(1),
        incomplete: Some(1),
        ..AnnounceReply::new(SWARM)
    };
    let sent = table.announce(1, peer(1));
    assert_eq!(sent, [(1, TrackerMessage::Announce(expect))]);
}

#[test]
fn who_lacks_pieces_is_told_of_where_that_is_asked_for() {
    let sought = |tells_seekers| {
        let mut table = Table::new(Config { tells_seekers, ..Config::default() });
        (0..2).for_each(|socket| assert_eq!(table.open(socket), []));
        table.announce(0, Announce { left: Some(0), ..peer(0) });
        let told = vec!["udp://t.example:1".to_owned()];
        let sent = table.announce(1, Announce { left: Some(9), trackers: told, ..peer(1) });
        let reply = sent.first().map(|(_, message)| message);
        let says_so = matches!(reply, Some(TrackerMessage::Announce(reply)) if reply.bridge);
        assert_eq!(says_so, tells_seekers, "whoever announces learns whether there is a bridge");
        table.announce(1, Announce { happening: Some(Happening::Stopped), ..peer(1) });
        table.sought
    };
    let (peer_id, socket) = (PeerId([1; 20]), SocketId(1));
    let trackers = vec!["udp://t.example:1".to_owned()];
    let expect = Sought { info_hash: SWARM, peer_id, socket, trackers, process: None };
    assert_eq!(sought(true), [expect]);
    assert_eq!(sought(false), []);
}

#[test]
fn interval_is_short_only_where_few_peers_wait_for_each_other() {
    let mut table = Table::with_sockets(10);
    let mut interval = |socket: u64, left| {
        let sent = table.announce(socket, Announce { left: Some(left), ..peer(socket as u8) });
        let [(_, TrackerMessage::Announce(reply))] = &sent[..] else { panic!("{sent:?}") };
        reply.interval
    };
    assert_eq!(interval(0, 0), Some(120));
    assert_eq!(interval(1, 9), Some(30));
    assert_eq!([2, 3, 4].map(|socket| interval(socket, 9)), [Some(30); 3]);
    assert_eq!(interval(5, 9), Some(120));
}

#[test]
fn offers_go_to_different_peers_and_never_back() {
    let mut table = Table::with_sockets(5);
    (0..4).for_each(|socket| table.join(socket, 9));
    let sent = table.announce(4, Announce { offers: offers(5), ..peer(4) });
    let mut receivers: Vec<_> = offered(&sent).iter().map(|(to, _)| *to).collect();
    receivers.sort_unstable();
    assert_eq!(receivers, [0, 1, 2, 3]);
    assert_eq!(sent.len(), 5);
    assert_eq!(table.swarms.stats().offers_relayed, 4);
}

#[test]
fn offers_stop_at_what_is_wanted_and_at_the_limit() {
    let mut table = Table::with_sockets(40);
    (0..39).for_each(|socket| table.join(socket, 9));
    let mut relayed = |wanted| {
        let offers = offers(30);
        offered(&table.announce(39, Announce { offers, wanted, ..peer(39) })).len()
    };
    assert_eq!(relayed(Some(0)), 0);
    assert_eq!(relayed(Some(3)), 3);
    assert_eq!(relayed(Some(1000)), 20);
    assert_eq!(relayed(None), 20);
}

#[test]
fn seeders_are_not_offered_to_seeders() {
    let mut table = Table::with_sockets(3);
    table.join(0, 0);
    table.join(1, 50);
    let seeder = Announce { left: Some(0), offers: offers(5), ..peer(2) };
    assert_eq!(offered(&table.announce(2, seeder.clone())), [(1, 0)]);
    table.announce(1, Announce { happening: Some(Happening::Completed), ..peer(1) });
    assert_eq!(offered(&table.announce(2, seeder)), []);
}

#[test]
fn peers_without_metadata_count_as_leechers() {
    let mut table = Table::with_sockets(1);
    table.announce(0, Announce { left: None, ..peer(0) });
    assert_eq!(table.size(), (0, 1));
}

#[test]
fn announce_that_does_not_tell_what_is_left_changes_nothing_unless_it_is_the_first() {
    let mut table = Table::with_sockets(1);
    table.join(0, 0);
    table.announce(0, Announce { left: None, happening: None, ..peer(0) });
    assert_eq!(table.size(), (1, 0));
    table.announce(0, Announce { left: None, ..peer(0) });
    assert_eq!(table.size(), (0, 1));
}

#[test]
fn completion_is_counted_once() {
    let mut table = Table::with_sockets(2);
    table.join(0, 9);
    for _ in 0..3 {
        table.announce(0, Announce { happening: Some(Happening::Completed), ..peer(0) });
    }
    let sent = table.text(1, ClientMessage::Scrape(vec![SWARM, InfoHash([1; 20])]).encode());
    let entry = |info_hash, complete, downloaded| ScrapeEntry {
        info_hash,
        complete,
        incomplete: 0,
        downloaded,
    };
    let expect = vec![entry(InfoHash([1; 20]), 0, 0), entry(SWARM, 1, 1)];
    assert_eq!(sent, [(1, TrackerMessage::Scrape(expect))]);
}

#[test]
fn answer_reaches_the_peer_that_made_the_offer_once() {
    let mut table = Table::with_sockets(2);
    table.join(1, 0);
    table.announce(0, Announce { offers: offers(1), ..peer(0) });
    let sent = table.text(1, answer(1, 0, 0));
    let [(0, TrackerMessage::Answer { peer_id, offer_id, .. })] = &sent[..] else {
        panic!("{sent:?}")
    };
    assert_eq!((*peer_id, *offer_id), (PeerId([1; 20]), OfferId([0; 20])));
    assert_eq!(table.text(1, answer(1, 0, 0)), []);
    assert_eq!(table.swarms.stats().answers_dropped, 1);
}

#[test]
fn answer_does_not_turn_a_seeder_into_a_leecher() {
    let mut table = Table::with_sockets(2);
    table.join(1, 0);
    table.announce(0, Announce { offers: offers(1), ..peer(0) });
    table.text(1, answer(1, 0, 0));
    assert_eq!(table.size(), (1, 1));
}

#[test]
fn forged_answers_go_nowhere_and_close_nothing() {
    let mut table = Table::with_sockets(3);
    table.join(1, 9);
    table.announce(0, Announce { offers: offers(1), ..peer(0) });
    table.join(2, 9);
    assert_eq!(table.text(2, answer(2, 0, 0)), [], "the offer went to peer 1");
    assert_eq!(table.text(2, answer(1, 0, 0)), [], "socket 2 is not peer 1");
    assert_eq!(table.text(1, answer(1, 0, 7)), [], "no such offer");
    assert_eq!(table.text(1, answer(1, 77, 0)), [], "no such peer");
    assert_eq!(table.text(1, answer(1, 0, 0)).len(), 1, "the true answer");
    assert_eq!(table.closed, []);
}

#[test]
fn offers_can_be_answered_for_two_minutes() {
    for (seconds, answers) in [(119, 1), (120, 0)] {
        let mut table = Table::with_sockets(2);
        table.join(1, 9);
        table.announce(0, Announce { offers: offers(1), ..peer(0) });
        table.wait(seconds);
        assert_eq!(table.text(1, answer(1, 0, 0)).len(), answers, "after {seconds} s");
    }
}

#[test]
fn answer_to_a_peer_that_left_is_dropped() {
    let mut table = Table::with_sockets(2);
    table.join(1, 9);
    table.announce(0, Announce { offers: offers(1), ..peer(0) });
    table.close(0);
    assert_eq!(table.text(1, answer(1, 0, 0)), []);
}

#[test]
fn stopped_peers_and_closed_sockets_leave_their_swarms() {
    let mut table = Table::with_sockets(3);
    (0..3).for_each(|socket| table.join(socket, 9));
    let stop = Announce { happening: Some(Happening::Stopped), offers: offers(2), ..peer(0) };
    let sent = table.announce(0, stop);
    assert!(matches!(&sent[..], [(0, TrackerMessage::Announce(_))]), "{sent:?}");
    assert_eq!(table.size(), (0, 2));
    table.close(1);
    table.close(2);
    assert_eq!((table.size(), table.swarms.stats().swarms), ((0, 0), 0));
    assert_eq!(table.text(1, "{}"), []);
}

#[test]
fn one_socket_may_hold_several_names() {
    let mut table = Table::with_sockets(2);
    let other = Announce { info_hash: InfoHash([1; 20]), ..peer(7) };
    table.join(0, 9);
    table.announce(0, other.clone());
    assert_eq!(table.size(), (0, 2));
    let sent = table.announce(1, Announce { offers: offers(1), peer_id: PeerId([8; 20]), ..other });
    assert_eq!(offered(&sent), [(0, 0)]);
    assert_eq!(table.closed, []);
}

#[test]
fn peer_that_reconnects_moves_to_its_new_socket() {
    let mut table = Table::with_sockets(3);
    table.join(0, 9);
    table.announce(1, Announce { happening: None, ..peer(0) });
    assert_eq!(table.size(), (0, 1));
    let sent = table.announce(2, Announce { offers: offers(1), ..peer(2) });
    assert_eq!(offered(&sent), [(1, 0)]);
    table.announce(0, Announce { happening: Some(Happening::Stopped), ..peer(0) });
    table.close(0);
    assert_eq!(table.size(), (0, 2), "its old socket has no say");
}

#[test]
fn peer_that_does_not_announce_is_removed() {
    let mut table = Table::with_sockets(1);
    table.join(0, 9);
    table.wait(200);
    table.announce(0, Announce { info_hash: InfoHash([1; 20]), ..peer(0) });
    table.wait(99);
    assert_eq!(table.size(), (0, 2));
    table.wait(1);
    assert_eq!((table.size(), table.swarms.stats().peers_expired), ((0, 1), 1));
    assert_eq!(table.closed, []);
}

#[test]
fn peer_that_announces_stays() {
    let mut table = Table::with_sockets(1);
    table.join(0, 9);
    for _ in 0..5 {
        table.wait(200);
        table.join(0, 9);
    }
    assert_eq!((table.size(), table.swarms.stats().peers_expired), ((0, 1), 0));
}

#[test]
fn silent_socket_is_closed() {
    let mut table = Table::with_sockets(1);
    table.wait(200);
    table.text(0, "no json");
    table.wait(299);
    assert_eq!(table.closed, []);
    table.wait(1);
    assert_eq!(table.closed, [(0, CloseReason::Silent { seconds: 300 })]);
    assert_eq!(table.swarms.next(table.now), Step::Sleep(None));
}

#[test]
fn sleep_ends_at_the_next_deadline() {
    let mut table = Table::with_sockets(2);
    assert_eq!(table.swarms.next(table.now), Step::Sleep(Some(Time::from_millis(300_000))));
    table.join(1, 9);
    table.announce(0, Announce { offers: offers(1), ..peer(0) });
    assert_eq!(table.swarms.next(table.now), Step::Sleep(Some(Time::from_millis(120_000))));
}

#[test]
fn failures_name_the_swarm_so_that_webtorrent_keeps_its_socket() {
    let mut table = Table::with_sockets(1);
    let text = ClientMessage::Announce(peer(0)).encode().replace("peer_id", "peerid");
    let (info_hash, reason) = failure(&table.text(0, text), 0);
    assert_eq!(info_hash, Some(SWARM));
    assert!(reason.contains("peer_id"), "{reason}");
    assert_eq!(table.closed, []);
    assert_eq!(table.swarms.stats().refusals, 1);
}

#[test]
fn unknown_event_counts_as_an_announce() {
    let mut table = Table::with_sockets(1);
    let text = ClientMessage::Announce(peer(0)).encode().replace("started", "paused");
    assert!(matches!(table.text(0, text)[..], [(0, TrackerMessage::Announce(_))]));
    assert_eq!(table.size(), (0, 1));
}

#[test]
fn message_that_is_too_long_is_refused_and_the_socket_closed() {
    let mut table = Table::with_sockets(1);
    let (_, reason) = failure(&table.text(0, "x".repeat(131_073)), 0);
    assert_eq!(reason, "message of 131073 bytes, at most 131072 allowed");
    let expect = CloseReason::TooLong { found: 131_073, allowed: 131_072 };
    assert_eq!(table.closed, [(0, expect)]);
    assert_eq!(table.text(0, "{}"), [], "a closed socket has no say");
}

#[test]
fn flood_is_refused_and_the_socket_closed() {
    let config = Config { messages_per_second: 10, messages_at_once: 20, ..Config::default() };
    let mut table = Table::new(config);
    table.open(0);
    (0..20).for_each(|_| table.join(0, 9));
    table.wait(1);
    (0..10).for_each(|_| table.join(0, 9));
    let (_, reason) = failure(&table.announce(0, peer(0)), 0);
    assert_eq!(reason, "more than 10 messages a second");
    assert_eq!(table.closed, [(0, CloseReason::TooFast { allowed: 10 })]);
    assert_eq!(table.size(), (0, 0));
}

#[test]
fn full_tables_refuse_newcomers_and_keep_members() {
    let check = |config: Config, second: Announce, expect: &str| {
        let mut table = Table::new(config);
        table.open(0);
        table.join(0, 9);
        let (info_hash, reason) = failure(&table.announce(0, second.clone()), 0);
        assert_eq!((info_hash, &reason[..]), (Some(second.info_hash), expect));
        table.join(0, 9);
        assert_eq!((table.size(), table.closed), ((0, 1), Vec::new()));
    };
    let elsewhere = || Announce { info_hash: InfoHash([1; 20]), ..peer(0) };
    let config = Config { peers_per_swarm_max: 1, ..Config::default() };
    check(config, peer(1), "swarm is full with 1 peers");
    let config = Config { peers_per_socket_max: 1, ..Config::default() };
    check(config, elsewhere(), "socket is in 1 swarms, and no more are allowed");
    let config = Config { swarms_max: 1, ..Config::default() };
    check(config, elsewhere(), "tracker is full with 1 swarms");
    let config = Config { peers_max: 1, ..Config::default() };
    check(config, elsewhere(), "tracker is full with 1 peers");
}

#[test]
fn socket_beyond_the_limit_is_closed_at_once() {
    let mut table = Table::new(Config { sockets_max: 1, ..Config::default() });
    table.open(0);
    table.open(1);
    assert_eq!(table.closed, [(1, CloseReason::Full { allowed: 1 })]);
    table.close(1);
    table.close(0);
    table.open(2);
    assert_eq!(table.closed.len(), 1);
}

#[test]
fn same_seed_and_inputs_give_the_same_steps() {
    let run = || {
        let mut table = Table::with_sockets(20);
        let mut sent = Vec::new();
        for socket in 0..20 {
            sent.extend(
                table.announce(socket, Announce { offers: offers(5), ..peer(socket as u8) }),
            );
        }
        sent
    };
    assert_eq!(run(), run());
}

#[test]
fn figures_return_to_nothing_when_everybody_left() {
    let mut table = Table::with_sockets(30);
    for round in 0..5_u8 {
        for socket in 0..30 {
            let hash = InfoHash([(socket as u8 + round) % 4; 20]);
            let left = Some(u64::from(round) % 2);
            let announce =
                Announce { info_hash: hash, left, offers: offers(3), ..peer(socket as u8) };
            table.announce(socket, announce);
        }
        table.wait(40);
    }
    assert!(table.swarms.stats().seeders > 0);
    (0..30).for_each(|socket| table.close(socket));
    table.wait(1000);
    let stats = table.swarms.stats();
    let held = [stats.sockets, stats.swarms, stats.peers, stats.seeders, stats.offers_open];
    assert_eq!(held, [0; 5]);
    assert_eq!(table.swarms.next(table.now), Step::Sleep(None));
}

/// Checks the table's figures against what it holds.
fn check_figures(swarms: &Swarms) {
    let sum = |figure: fn(&Swarm) -> usize| swarms.swarms.values().map(figure).sum::<usize>();
    let held: usize = swarms.sockets.values().map(|socket| socket.peers.len()).sum();
    let stats = swarms.stats();
    assert_eq!((stats.peers as usize, stats.seeders as usize), (held, sum(Swarm::seeders)));
    assert_eq!(sum(Swarm::len), held);
    assert_eq!(swarms.timers.len(), held + swarms.sockets.len());
    assert!(swarms.swarms.values().all(|swarm| !swarm.is_empty()));
}

#[test]
fn whatever_clients_do_the_figures_stay_true() {
    let config = Config {
        sockets_max: 6,
        peers_per_swarm_max: 4,
        peers_per_socket_max: 3,
        swarms_max: 3,
        offers_remembered_max: 8,
        ..Config::default()
    };
    let mut table = Table::new(config);
    let mut rng = Seed([9; 32]).split("clients");
    for _ in 0..20_000 {
        let (socket, number, other) = (rng.below(8), rng.below(6) as u8, rng.below(6) as u8);
        let happening =
            [None, Some(Happening::Started), Some(Happening::Completed), Some(Happening::Stopped)]
                [rng.below(4) as usize];
        let left = [None, Some(0), Some(7)][rng.below(3) as usize];
        let info_hash = InfoHash([SWARM.0[0] - rng.below(4) as u8; 20]);
        match rng.below(8) {
            0 if !table.swarms.sockets.contains_key(&SocketId(socket)) => {
                table.open(socket);
            }
            1 => table.close(socket),
            2 => {
                table.wait(rng.below(100));
            }
            3 | 4 => {
                table.text(socket, answer(number, other, rng.below(3) as u8));
            }
            _ => {
                let offers = offers(rng.below(4) as u8);
                let announce = Announce { info_hash, happening, left, offers, ..peer(number) };
                table.announce(socket, announce);
            }
        }
        check_figures(&table.swarms);
        assert!(table.swarms.stats().offers_open <= 8);
    }
    let stats = table.swarms.stats();
    let seen = [stats.peers_expired, stats.refusals, stats.answers_relayed, stats.sockets_closed];
    assert!(seen.iter().all(|count| *count > 0), "{stats:?}");
}
