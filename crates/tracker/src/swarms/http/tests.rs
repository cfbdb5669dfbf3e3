//! The rules for who announces over HTTP, one by one, under virtual time.

use headwater_base::{PeerId, Seed};
use headwater_wire::tracker::ScrapeEntry;
use headwater_wire::tracker::http_server::Form;

use super::super::tests::{SWARM, Table, offered, offers, peer};
use super::*;
use crate::{Config, Step};

/// A leecher's plain announce.
fn plain(number: u8) -> Announce {
    Announce {
        info_hash: SWARM,
        peer_id: PeerId([number; 20]),
        port: 6881,
        uploaded: 0,
        downloaded: 0,
        left: Some(100),
        happening: Some(Happening::Started),
        wanted: None,
        form: Form::Compact,
    }
}

fn seed(number: u8) -> Announce {
    Announce { left: Some(0), ..plain(number) }
}

fn stopped(number: u8) -> Announce {
    Announce { happening: Some(Happening::Stopped), ..plain(number) }
}

impl Table {
    fn ask(&mut self, from: &str, question: Question) -> Reply {
        let from = from.parse().expect("an address");
        let reply = self.swarms.ask(self.now, from, Ok(question));
        assert_eq!(self.wait(0), [], "nobody else hears of it");
        reply
    }

    fn listing(&mut self, from: &str, announce: Announce) -> Listing {
        let reply = self.ask(from, Question::Announce(announce));
        let Reply::Announce(listing) = reply else { panic!("{reply:?}") };
        listing
    }

    /// Whom an announce is told of, in order.
    fn told(&mut self, from: &str, announce: Announce) -> Vec<String> {
        let peers = self.listing(from, announce).peers;
        let mut told: Vec<_> = peers.iter().map(|peer| peer.address.to_string()).collect();
        told.sort_unstable();
        told
    }

    fn refused(&mut self, from: &str, announce: Announce) -> String {
        reason(self.ask(from, Question::Announce(announce)))
    }

    /// A scrape of the one swarm.
    fn scrape(&mut self) -> ScrapeEntry {
        let reply = self.ask("8.8.4.99", Question::Scrape(vec![SWARM]));
        let Reply::Scrape(entries) = reply else { panic!("{reply:?}") };
        entries[0]
    }

    /// Its complete and incomplete.
    fn sizes(&mut self) -> (u32, u32) {
        let ScrapeEntry { complete, incomplete, .. } = self.scrape();
        (complete, incomplete)
    }
}

fn reason(reply: Reply) -> String {
    let Reply::Failure(reason) = reply else { panic!("{reply:?}") };
    reason
}

fn table() -> Table {
    Table::new(Config::default())
}

#[test]
fn peer_is_told_where_others_asked_from_and_listen() {
    let mut table = table();
    assert_eq!(table.listing("8.8.4.1", seed(1)).peers, []);
    let listing = table.listing("8.8.4.2", Announce { port: 7000, ..plain(2) });
    let address = "8.8.4.1:6881".parse().expect("an address");
    assert_eq!(listing.peers, [Listed { peer_id: PeerId([1; 20]), address }]);
    assert_eq!((listing.complete, listing.incomplete), (1, 1));
    assert_eq!((listing.interval, listing.interval_min), (30, 30));
    let stats = table.swarms.stats();
    assert_eq!((stats.http_announces, stats.addresses_told, stats.http_peers), (2, 1, 2));
}

#[test]
fn seeds_are_told_of_no_seeds_and_nobody_of_itself() {
    let mut table = table();
    table.listing("8.8.4.1", seed(1));
    assert_eq!(table.told("8.8.4.2", Announce { happening: None, ..seed(2) }), [""; 0]);
    table.listing("8.8.4.3", plain(3));
    let again = Announce { happening: None, ..seed(1) };
    assert_eq!(table.told("8.8.4.1", again), ["8.8.4.3:6881"]);
    let seeds = ["8.8.4.1:6881", "8.8.4.2:6881"];
    assert_eq!(table.told("8.8.4.3", plain(3)), seeds);
    assert_eq!(table.told("2606:4700::3", plain(3)), seeds);
    // Whoever started anew under another name is at the address of its old self.
    assert!(!table.told("8.8.4.3", plain(4)).contains(&"8.8.4.3:6881".to_owned()));
}

#[test]
fn who_starts_is_told_of_seeds_though_it_says_that_it_lacks_nothing() {
    let mut table = table();
    table.listing("8.8.4.1", seed(1));
    assert_eq!(table.told("8.8.4.2", seed(2)), ["8.8.4.1:6881"]);
}

#[test]
fn peers_of_both_families_are_told_to_all_and_mapped_addresses_are_ipv4() {
    let mut table = table();
    table.listing("::ffff:8.8.4.1", plain(1));
    table.listing("2606:4700::2", plain(2));
    let both = ["8.8.4.1:6881", "[2606:4700::2]:6881"];
    assert_eq!(table.told("8.8.4.3", plain(3)), both);
    assert_eq!(table.told("2606:4700::3", plain(3)), both);
}

#[test]
fn addresses_of_a_network_of_its_own_stay_in_it() {
    let mut table = table();
    table.listing("127.0.0.1", plain(1));
    table.listing("10.0.0.2", plain(2));
    table.listing("8.8.4.3", plain(3));
    assert_eq!(table.told("8.8.4.9", plain(9)), ["8.8.4.3:6881"]);
    table.listing("8.8.4.9", stopped(9));
    assert_eq!(table.told("10.0.0.8", plain(8)), ["10.0.0.2:6881", "8.8.4.3:6881"]);
    table.listing("10.0.0.8", stopped(8));
    let all = ["10.0.0.2:6881", "127.0.0.1:6881", "8.8.4.3:6881"];
    assert_eq!(table.told("127.0.0.1", Announce { port: 1, ..plain(7) }), all);
}

#[test]
fn peer_without_a_port_counts_and_is_told_to_nobody() {
    let mut table = table();
    table.listing("8.8.4.1", Announce { port: 0, ..seed(1) });
    assert_eq!(table.told("8.8.4.2", plain(2)), [""; 0]);
    assert_eq!(table.sizes(), (1, 1));
}

#[test]
fn fifty_are_told_unless_others_are_wanted_and_never_more_than_200() {
    let mut table = table();
    for number in 1..=250_u8 {
        table.listing(&format!("8.8.4.{number}"), plain(number));
    }
    let mut count = |wanted| {
        let told = table.told("9.9.9.9", Announce { wanted, ..plain(0) });
        let mut once = told.clone();
        once.dedup();
        assert_eq!(once, told, "nobody twice");
        told.len()
    };
    assert_eq!(
        [None, Some(0), Some(3), Some(199), Some(9999)].map(&mut count),
        [50, 0, 3, 199, 200]
    );
}

#[test]
fn who_is_told_is_left_to_chance() {
    let mut table = table();
    for number in 1..=10 {
        table.listing(&format!("8.8.4.{number}"), plain(number));
    }
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..100 {
        seen.extend(table.told("8.8.4.99", Announce { wanted: Some(1), ..plain(0) }));
    }
    assert_eq!(seen.len(), 10);
}

#[test]
fn peers_on_sockets_and_over_http_are_counted_together_and_never_handed_to_each_other() {
    let mut table = Table::with_sockets(2);
    table.join(0, 0);
    table.listing("8.8.4.7", seed(7));
    let listing = table.listing("8.8.4.8", plain(8));
    assert_eq!((listing.complete, listing.incomplete), (2, 1));
    assert_eq!(listing.peers.len(), 1);
    let sent =
        table.announce(1, headwater_wire::tracker::Announce { offers: offers(5), ..peer(1) });
    assert_eq!(offered(&sent).iter().map(|(to, _)| *to).collect::<Vec<_>>(), [0]);
    assert_eq!(table.sizes(), (2, 2));
}

#[test]
fn peer_on_a_socket_and_over_http_keeps_both_places_and_counts_once() {
    let mut table = Table::with_sockets(2);
    table.join(1, 100);
    table.listing("8.8.4.1", plain(1));
    table.listing("2606:4700::1", plain(1));
    assert_eq!(table.sizes(), (0, 1));
    let sent =
        table.announce(0, headwater_wire::tracker::Announce { offers: offers(1), ..peer(0) });
    assert_eq!(offered(&sent), [(1, 0)]);
    table.close(1);
    assert_eq!(table.sizes(), (0, 2));
    assert_eq!(table.told("8.8.4.2", plain(2)), ["8.8.4.1:6881", "[2606:4700::1]:6881"]);
}

#[test]
fn nobody_takes_or_gives_up_the_place_of_another_address() {
    let mut table = table();
    table.listing("8.8.4.1", plain(1));
    table.listing("8.8.4.66", Announce { port: 666, ..plain(1) });
    table.listing("8.8.4.66", stopped(1));
    assert_eq!(table.told("8.8.4.2", plain(2)), ["8.8.4.1:6881"]);
}

#[test]
fn stopped_peer_is_gone_at_once_and_told_nothing() {
    let mut table = table();
    table.listing("8.8.4.1", plain(1));
    table.listing("8.8.4.2", plain(2));
    let listing = table.listing("8.8.4.1", stopped(1));
    assert_eq!((listing.incomplete, listing.peers.len()), (1, 0));
    assert_eq!(table.swarms.stats().http_peers, 1);
}

#[test]
fn moved_port_replaces_the_old_one() {
    let mut table = table();
    table.listing("8.8.4.1", plain(1));
    table.listing("8.8.4.1", Announce { port: 7000, ..plain(1) });
    assert_eq!(table.told("8.8.4.2", plain(2)), ["8.8.4.1:7000"]);
}

#[test]
fn completion_is_counted_once_whatever_the_ways() {
    let mut table = table();
    let completed = Announce { happening: Some(Happening::Completed), ..seed(1) };
    for from in ["8.8.4.1", "2606:4700::1", "8.8.4.1"] {
        table.listing(from, completed.clone());
    }
    let entry = table.scrape();
    assert_eq!((entry.downloaded, entry.complete), (1, 1));
}

#[test]
fn peer_stays_for_five_minutes_and_more_between_announces_and_no_longer_than_its_life() {
    let mut table = table();
    table.listing("8.8.4.1", plain(1));
    table.wait(749);
    assert_eq!(table.told("8.8.4.2", plain(2)), ["8.8.4.1:6881"]);
    table.wait(1);
    assert_eq!(table.told("8.8.4.2", plain(2)), [""; 0]);
    assert_eq!(table.swarms.stats().peers_expired, 1);
    table.wait(750);
    assert_eq!(table.swarms.next(table.now), Step::Sleep(None), "and no client is remembered");
    assert_eq!(table.swarms.clients.len(), 0);
}

#[test]
fn full_tables_refuse_newcomers_in_words_and_keep_members() {
    let check = |config: Config, newcomer: Announce, words: &str| {
        let mut table = Table::new(config);
        table.listing("8.8.4.1", plain(1));
        assert_eq!(table.refused("8.8.4.1", newcomer), words);
        table.listing("8.8.4.1", plain(1));
        assert_eq!(table.swarms.stats().refusals, 1);
    };
    let elsewhere = || Announce { info_hash: InfoHash([1; 20]), ..plain(1) };
    let config = Config { peers_per_address_max: 1, ..Config::default() };
    check(config, elsewhere(), "address is in 1 swarms, and no more are allowed");
    let config = Config { peers_per_swarm_max: 1, ..Config::default() };
    check(config, plain(2), "swarm is full with 1 peers");
    let config = Config { swarms_max: 1, ..Config::default() };
    check(config, elsewhere(), "tracker is full with 1 swarms");
    let config = Config { peers_max: 1, ..Config::default() };
    check(config, elsewhere(), "tracker is full with 1 peers");
}

#[test]
fn addresses_of_one_line_share_their_limit_and_others_have_their_own() {
    let mut table = Table::new(Config { peers_per_address_max: 2, ..Config::default() });
    table.listing("2606:4700::1", plain(1));
    table.listing("2606:4700::2", plain(2));
    assert!(table.refused("2606:4700::3", plain(3)).starts_with("address is in 2 swarms"));
    table.listing("2606:4700:0:1::3", plain(3));
    table.listing("2606:4700::1", stopped(1));
    table.listing("2606:4700::3", plain(3));
}

#[test]
fn clients_beyond_the_limit_are_refused_until_others_are_forgotten() {
    let mut table = Table::new(Config { addresses_max: 1, ..Config::default() });
    table.listing("8.8.4.1", plain(1));
    assert_eq!(table.refused("8.8.4.2", plain(2)), "tracker is full with 1 addresses");
    table.wait(750);
    table.listing("8.8.4.2", plain(2));
}

#[test]
fn flood_from_one_address_is_refused_in_words_and_spares_others() {
    let config = Config { requests_per_second: 2, requests_at_once: 5, ..Config::default() };
    let mut table = Table::new(config);
    (0..5).for_each(|_| assert_eq!(table.told("8.8.4.1", plain(1)), [""; 0]));
    let words = "more than 2 requests a second from one address";
    assert_eq!(table.refused("8.8.4.1", plain(1)), words);
    table.listing("8.8.4.2", plain(2));
    table.wait(1);
    table.listing("8.8.4.1", plain(1));
}

#[test]
fn requests_that_cannot_be_read_are_answered_in_words_and_count_as_requests() {
    let mut table = Table::new(Config { requests_at_once: 1, ..Config::default() });
    let (now, from) = (table.now, IpAddr::from([192, 0, 2, 1]));
    let mut failure = |query| reason(table.swarms.ask(now, from, Question::announce(query)));
    assert_eq!(failure("port=x"), "field port is missing or is no port");
    assert_eq!(failure("port=x"), "more than 20 requests a second from one address");
}

#[test]
fn whatever_clients_ask_the_figures_stay_true() {
    let config = Config {
        peers_per_swarm_max: 4,
        peers_per_address_max: 3,
        swarms_max: 3,
        peers_max: 9,
        addresses_max: 5,
        requests_per_second: 1,
        requests_at_once: 20,
        ..Config::default()
    };
    let mut table = Table::new(config);
    let mut rng = Seed([9; 32]).split("clients");
    for _ in 0..20_000 {
        table.wait([0, 0, 1, rng.below(400)][rng.below(4) as usize]);
        let from = IpAddr::from([192, 0, 2, rng.below(7) as u8]);
        let happening = [None, Some(Happening::Completed), Some(Happening::Stopped)];
        let announce = Announce {
            info_hash: InfoHash([SWARM.0[0] - rng.below(4) as u8; 20]),
            happening: happening[rng.below(3) as usize],
            left: [None, Some(0), Some(7)][rng.below(3) as usize],
            port: rng.below(3) as u16,
            ..plain(rng.below(6) as u8)
        };
        table.swarms.ask(table.now, from, Ok(Question::Announce(announce)));
        check_figures(&table.swarms);
    }
    let stats = table.swarms.stats();
    let seen = [stats.peers_expired, stats.refusals, stats.addresses_told, stats.seeders];
    assert!(seen.iter().all(|count| *count > 0), "{stats:?}");
    table.wait(10_000);
    let stats = table.swarms.stats();
    assert_eq!([stats.swarms, stats.peers, stats.seeders, stats.http_peers], [0; 4]);
    assert_eq!((table.swarms.clients.len(), table.swarms.timers.len()), (0, 0));
}

/// Checks the table's figures against what it holds.
fn check_figures(swarms: &Swarms) {
    let places: usize = swarms.swarms.values().map(|swarm| swarm.len()).sum();
    let stats = swarms.stats();
    assert_eq!((stats.peers as usize, stats.http_peers as usize), (places, places));
    assert_eq!(swarms.clients.places_in_all(), places);
    assert_eq!(swarms.timers.len(), places + swarms.clients.len());
    assert!(swarms.swarms.values().all(|swarm| !swarm.is_empty()));
    assert!(swarms.clients.len() <= 5 && places <= 9 && swarms.swarms.len() <= 3);
}
