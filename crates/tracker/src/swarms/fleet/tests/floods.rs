//! What one process says in excess, true or forged, keeps nobody from hearing what matters.

use super::super::message::{Dialled, Size};
use super::*;

/// A process that has no table.
fn stranger(name: u32) -> ProcessId {
    let mut id = [9; 16];
    id[..4].copy_from_slice(&name.to_be_bytes());
    ProcessId(id)
}

/// A message of one.
fn said(name: u32, say: Say) -> String {
    message::encode(stranger(name), say).expect("short")
}

/// Announces a leecher in many swarms at a process.
fn crowd(bus: &mut Bus, at: usize, swarms: u32) {
    for number in 0..swarms {
        let mut info_hash = SWARM;
        info_hash.0[..4].copy_from_slice(&number.to_be_bytes());
        // A socket is in a thousand swarms at most.
        let socket = u64::from(number / 1_000);
        bus.table(at).announce(socket, Announce { info_hash, ..peer(1) });
    }
}

fn beat(bridges: bool) -> Say {
    Say::Beat { bridges, peer: Hex([0; 20]), number: 0 }
}

fn seeks(number: u32) -> Say {
    let mut hash = SWARM;
    hash.0[..4].copy_from_slice(&number.to_be_bytes());
    let (hash, peer, socket) = (Hex(hash.0), Hex([5; 20]), u64::from(number));
    Say::Sought { hash, peer, socket, process: None, trackers: Vec::new() }
}

#[test]
fn processes_swarms_and_messages_have_limits() {
    let mut bus = Bus::new(1);
    for name in 0..200 {
        bus.tell(0, said(name, beat(false)));
    }
    assert_eq!(bus.stats(0).processes, limit::FLEET_PROCESSES_MAX as u64);
    let dropped = bus.stats(0).dropped;
    assert_eq!(dropped, 200 - limit::FLEET_PROCESSES_MAX as u64);
    let (_, at_once) = limit::FLEET_PROCESS_MESSAGES;
    (0..at_once).for_each(|_| bus.tell(0, said(0, beat(false))));
    assert_eq!(bus.stats(0).dropped, dropped + 1, "a flood is cut: one was said before");
}

#[test]
fn a_flood_of_one_kind_keeps_nobody_from_hearing_another_nor_another_process() {
    let mut bus = Bus::new(2);
    bus.announce(0, leecher(1, 0));
    bus.pass(2_000);
    bus.sought(1);
    for number in 0..100_000 {
        let flood = message::encode(id(0), seeks(number)).expect("short");
        bus.tell(1, flood);
    }
    let taken = bus.sought(1).len() as u32;
    assert_eq!(taken, limit::FLEET_PEERS_MESSAGES.1);
    bus.announce(0, seeder(2, 0));
    bus.pass(1_100);
    assert_eq!(bus.counts(1), (1, 1), "its swarms are heard of all the same");
    bus.tell(1, said(7, beat(true)));
    bus.tell(1, said(7, seeks(1)));
    assert_eq!(bus.sought(1).len(), 1, "and others are heard");
}

#[test]
fn who_says_too_much_lives_though_nothing_of_it_is_read() {
    let mut bus = Bus::new(1);
    (0..8).for_each(|name| bus.tell(0, said(name, beat(true))));
    for _ in 0..10 {
        let (_, at_once) = limit::FLEET_PEERS_MESSAGES;
        for number in 0..at_once {
            (1..8).for_each(|name| bus.tell(0, said(name, seeks(number))));
        }
        bus.sought(0);
        bus.tell(0, said(0, seeks(1)));
        assert_eq!(bus.sought(0), [], "others said all there may be");
        bus.pass(1_000);
    }
    assert_eq!(bus.stats(0).processes, 8);
}

#[test]
fn the_owner_is_told_of_a_seeker_once_a_minute_and_when_it_names_trackers() {
    let mut bus = Bus::new(2);
    bus.pass(2_500);
    let owner = (0..2).find(|at| Some(id(*at)) == others::owner(SWARM, (0..2).map(id)));
    let owner = owner.expect("one of two");
    let there = 1 - owner;
    let announce = |bus: &mut Bus, number: u8, named: &[&str]| {
        let trackers = named.iter().map(|url| (*url).to_owned()).collect();
        bus.announce(there, Announce { trackers, ..leecher(number, 0) });
        bus.pass(20);
        bus.sought(owner).len()
    };
    assert_eq!(announce(&mut bus, 5, &[]), 1);
    assert_eq!(announce(&mut bus, 5, &[]), 0);
    assert_eq!(announce(&mut bus, 5, &["udp://t.example:1"]), 1, "it names trackers");
    assert_eq!(announce(&mut bus, 5, &["udp://t.example:1"]), 0);
    assert_eq!(announce(&mut bus, 6, &[]), 1, "somebody else");
    bus.pass(59_000);
    assert_eq!(announce(&mut bus, 5, &[]), 0);
    bus.pass(1_000);
    assert_eq!(announce(&mut bus, 5, &[]), 1, "a minute later");
}

#[test]
fn who_asks_again_and_again_is_told_everything_every_few_seconds_a_part_at_a_time() {
    let mut bus = Bus::new(1);
    crowd(&mut bus, 0, 2_500);
    let (mut parts, mut most) = (0, 0);
    for _ in 0..900 {
        bus.tell(0, said(7, Say::Ask {}));
        bus.table(0).now += TICK;
        bus.table(0).drain();
        let told = std::mem::take(&mut bus.table(0).told);
        let states = told.iter().filter(|(_, text)| text.contains("\"state\"")).count();
        (parts, most) = (parts + states, most.max(states));
    }
    assert_eq!((parts, most), (9, 1), "three parts, three times within 9 s");
}

#[test]
fn only_those_that_bridged_are_replaced_and_who_never_lived_does_not_end() {
    let mut bus = Bus::new(1);
    bus.tell(0, said(7, beat(false)));
    crowd(&mut bus, 0, 100);
    assert_eq!(bus.sought(0).len(), 100);
    bus.tell(0, said(7, Say::Bye {}));
    bus.tell(0, said(8, Say::Bye {}));
    bus.pass(1_000);
    assert_eq!((bus.sought(0), bus.stats(0).processes), (vec![], 0));
    assert_eq!(bus.stats(0).dropped, 1);
}

#[test]
fn torrents_of_a_bridge_that_is_gone_are_sought_anew_a_few_at_a_time() {
    let mut bus = Bus::new(1);
    bus.tell(0, said(7, beat(true)));
    crowd(&mut bus, 0, 2_000);
    let owned = 2_000 - bus.sought(0).len();
    assert!((800..1_200).contains(&owned), "{owned}");
    bus.tell(0, said(7, Say::Bye {}));
    let mut found = bus.sought(0).len();
    for _ in 0..300 {
        bus.pass(10);
        let step = bus.sought(0).len();
        assert!(step <= limit::FLEET_SEARCH_FOUND, "{step}");
        found += step;
    }
    assert_eq!(found, owned);
}

#[test]
fn processes_that_come_and_go_get_no_pace_anew() {
    let mut bus = Bus::new(1);
    for name in 0..1_000 {
        bus.tell(0, said(name, beat(true)));
        bus.tell(0, said(name, Say::Bye {}));
    }
    let taken = 2_000 - bus.stats(0).dropped;
    assert_eq!(taken, 2 * limit::FLEET_PROCESSES_MAX as u64);
}

#[test]
fn no_address_inside_a_network_is_told_on_in_whatever_form_it_comes() {
    let mut bus = Bus::new(1);
    let inside =
        ["10.0.0.1", "[::ffff:10.0.0.1]", "[64:ff9b::a00:1]", "[2002:a00:1::]", "[fd00::1]"];
    let nobodys = ["0.0.0.1", "240.0.0.1", "255.255.255.255", "[::ffff:127.0.0.1]", "[ff02::1]"];
    let world = ["8.8.8.8", "[::ffff:8.8.4.4]", "[2606:4700::1]"];
    let all = inside.iter().chain(&nobodys).chain(&world);
    let at = |ip: &&str| format!("{ip}:1").parse().expect("an address");
    let dialled: Vec<_> = all.map(|ip| Dialled::new(PeerId([1; 20]), at(ip), true)).collect();
    let size = Size { hash: Hex(SWARM.0), complete: 1, incomplete: 0, sockets: 0, dialled };
    bus.tell(0, said(7, Say::Swarms { number: 1, swarms: vec![size] }));
    let fleet = bus.table(0).swarms.fleet.as_ref().expect("it is in a fleet");
    let told = fleet.dialled(SWARM, One { id: PeerId([2; 20]), seeder: false });
    let told: Vec<_> = told.iter().map(|(_, at)| at.to_string()).collect();
    assert_eq!(told, ["8.8.8.8:1", "8.8.4.4:1", "[2606:4700::1]:1"]);
}

#[test]
fn who_names_many_peers_as_parts_makes_none_of_them_forgotten() {
    let mut bus = Bus::new(2);
    let real = PeerId([part(1); 20]);
    for name in 0..60 {
        for number in 0..20 {
            let mut peer = [number; 20];
            peer[0] = name as u8;
            bus.tell(0, said(name, Say::Beat { bridges: true, peer: Hex(peer), number: 0 }));
        }
    }
    assert!(bus.table(0).swarms.fellows().peers.contains(&real));
    bus.turn(0, false);
    let fellows = bus.table(0).swarms.fellows().peers;
    assert!(fellows.contains(&real) && fellows.len() <= 61, "{}", fellows.len());
}
