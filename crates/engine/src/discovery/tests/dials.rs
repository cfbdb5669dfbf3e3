//! Addresses that peers tell: which are dialled, when, how many at once, and links that come in.

use core::net::IpAddr;

use bytes::Bytes;
use headwater_wire::extended::{PexFlags, PexMessage, PexPeer};
use headwater_wire::{Handshake, Reserved};

use super::super::limit::*;
use super::super::{Role, priority};
use super::*;
use crate::Finder;

const PUBLIC: Option<IpAddr> = Some(IpAddr::V4(core::net::Ipv4Addr::new(60, 1, 1, 1)));

/// A rig that can dial, whose torrent wants so many links and has one, to whoever tells.
fn dialling(wanted: usize) -> (Rig, LinkId) {
    let mut rig = Rig::with(|config| {
        config.dials = true;
        config.listens = Some(7000);
    });
    rig.machine.start(rig.now, (T, false), &[HASH], &[], Some(false));
    rig.progress(T, Some(1000));
    let teller = accepted(&mut rig, 900, 60);
    rig.want(T, wanted);
    rig.take();
    (rig, teller)
}

fn from(host: u8) -> SocketAddr {
    SocketAddr::from(([60, 2, 2, host], 5000))
}

fn accept(rig: &mut Rig, link: u64, host: u8) -> LinkId {
    let link = LinkId(crate::ACCEPTED_FROM + link);
    rig.put(DiscoveryInput::LinkAccepted { link, window: 1, from: from(host) });
    link
}

fn greeting(hash: InfoHash) -> Bytes {
    let hello = Handshake { info_hash: hash, peer_id: PEER, reserved: Reserved::default() };
    Bytes::copy_from_slice(&hello.to_bytes())
}

/// A link that came in and was claimed.
fn accepted(rig: &mut Rig, link: u64, host: u8) -> LinkId {
    rig.want(T, 40);
    let link = accept(rig, link, host);
    assert_eq!(rig.machine.arrival_said(link, &greeting(HASH)), Some((HASH, greeting(HASH))));
    rig.machine.claim(rig.now, link, Some(T));
    link
}

fn address(n: u16) -> SocketAddr {
    let [a, b] = n.to_be_bytes();
    SocketAddr::from(([70, a, b, 1], 6881))
}

#[test]
fn a_private_torrent_takes_no_strangers_word_and_forgets_it_but_the_users() {
    let mut rig = Rig::with(|config| config.dials = true);
    rig.machine.start(rig.now, (T, false), &[HASH], &[], None);
    rig.progress(T, Some(1000));
    let find = |rig: &mut Rig, finder, n| {
        rig.machine.peers_found(rig.now, T, finder, &[address(n)]);
    };
    find(&mut rig, Finder::Stranger(None), 1);
    find(&mut rig, Finder::Stranger(None), 2);
    find(&mut rig, Finder::User, 2);
    assert_eq!(rig.machine.addresses_known(T), 2, "it may be public");
    rig.machine.start(rig.now, (T, false), &[HASH], &[], Some(true));
    assert_eq!(rig.machine.addresses_known(T), 1);
    find(&mut rig, Finder::Stranger(None), 3);
    assert_eq!(rig.machine.addresses_known(T), 1);
    let home = SocketAddr::from(([127, 0, 0, 1], 6881));
    rig.machine.peers_found(rig.now, T, Finder::User, &[home]);
    rig.want(T, 10);
    let dialled: Vec<_> = dials(&rig.take()).into_iter().map(|(_, at)| at).collect();
    assert!(dialled.contains(&home) && dialled.contains(&address(2)), "{dialled:?}");
}

fn tell(rig: &mut Rig, teller: LinkId, from: Option<IpAddr>, addresses: &[SocketAddr]) {
    let flags = PexFlags::default();
    let added = addresses.iter().map(|&address| PexPeer { address, flags }).collect();
    let message = PexMessage { added, dropped: Vec::new() };
    rig.machine.peers_told(rig.now, (T, teller), from, &message);
}

#[test]
fn a_told_address_is_dialled_and_handed_over_as_offered_by_us() {
    let (mut rig, teller) = dialling(10);
    tell(&mut rig, teller, PUBLIC, &[address(1)]);
    let outs = rig.take();
    let [(link, at)] = dials(&outs)[..] else { panic!("{outs:?}") };
    assert_eq!(at, address(1));
    rig.put(opened(link));
    let outs = rig.take();
    let Some(Out::Linked { role, who, .. }) = outs.first() else { panic!("{outs:?}") };
    assert_eq!((*role, who.dialled, who.peer), (Role::Offered, Some(at), None));
    assert_eq!((who.from, who.direct), (Some(at.ip()), true));
    rig.machine.located(rig.now, (T, link), at);
    assert_eq!(dials(&plain(&rig.pass(secs(7200)))), [], "who is linked is not dialled");
}

#[test]
fn a_dead_address_is_dialled_six_times_in_an_hour_and_hardly_after() {
    let (mut rig, teller) = dialling(10);
    let mut at = Vec::new();
    let end = rig.now + secs(3 * 3600);
    while rig.now < end {
        // Telling it again and again makes no difference.
        tell(&mut rig, teller, PUBLIC, &[address(1)]);
        for (now, out) in rig.pass(secs(30)) {
            for (link, _) in dials(&[out]) {
                at.push(now);
                rig.put(DiscoveryInput::LinkClosed { link, end: FAILED });
            }
        }
    }
    let gaps: Vec<u64> = at.windows(2).map(|pair| pair[1].since(pair[0]).as_secs() / 60).collect();
    assert_eq!(gaps, [1, 2, 4, 8, 16, 32, 64]);
}

#[test]
fn few_dials_are_under_way_at_once_and_few_in_an_hour() {
    let (mut rig, teller) = dialling(40);
    let all: Vec<SocketAddr> = (0..100).map(address).collect();
    tell(&mut rig, teller, PUBLIC, &all);
    let mut under_way = dials(&rig.take());
    assert_eq!(under_way.len(), DIALS_AT_ONCE);
    let mut made = under_way.len();
    let begun = rig.now;
    // Nobody answers: the shell never says anything.
    for _ in 0..120 {
        let outs = rig.pass(secs(1));
        let closed = closes(&plain(&outs));
        under_way.retain(|(link, _)| !closed.contains(link));
        let more = dials(&plain(&outs));
        made += more.len();
        under_way.extend(more);
        assert!(under_way.len() <= DIALS_AT_ONCE, "{} at once", under_way.len());
    }
    let most = DIALS.0 as usize + (rig.now.since(begun).as_secs() / DIALS.1.as_secs()) as usize;
    assert!((40..=most).contains(&made), "{made} made, {most} allowed");
}

#[test]
fn who_sends_us_to_nobody_does_not_use_up_the_dials_of_others() {
    let (mut rig, liar) = dialling(40);
    let honest = accepted(&mut rig, 901, 61);
    let all: Vec<SocketAddr> = (0..100).map(address).collect();
    tell(&mut rig, liar, PUBLIC, &all);
    let mut made = 0;
    for _ in 0..60 {
        for (_, out) in rig.pass(secs(1)) {
            for (link, _) in dials(&[out]) {
                made += 1;
                rig.put(DiscoveryInput::LinkClosed { link, end: FAILED });
            }
        }
    }
    assert!(made >= (DIALS.0 - DIALS_RESERVED) as usize, "{made} dials in vain");
    tell(&mut rig, honest, PUBLIC, &[address(500), address(501)]);
    let at: Vec<SocketAddr> = dials(&rig.take()).into_iter().map(|(_, at)| at).collect();
    assert_eq!(at.len(), 2);
    assert!(at.contains(&address(500)) && at.contains(&address(501)), "{at:?}");
}

#[test]
fn no_more_is_dialled_than_there_is_room_for() {
    let (mut rig, teller) = dialling(3);
    let all: Vec<SocketAddr> = (0..100).map(address).collect();
    tell(&mut rig, teller, PUBLIC, &all);
    assert_eq!(dials(&rig.take()).len(), 3);
    let (mut rig, teller) = dialling(0);
    tell(&mut rig, teller, PUBLIC, &all);
    assert_eq!(dials(&plain(&rig.pass(secs(600)))), []);
    let (mut rig, teller) = dialling(40);
    tell(&mut rig, teller, PUBLIC, &all);
    let mut links = 1;
    for round in 0..600 {
        for (_, out) in rig.pass(secs(1)) {
            for (link, at) in dials(&[out]) {
                links += 1;
                rig.put(opened(link));
                rig.take();
                rig.machine.located(rig.now, (T, link), at);
                rig.want(T, 40 - links);
            }
        }
        assert!(links <= LINKS_DIALLED_FOR, "{links} links after {round} s");
    }
    assert_eq!(links, LINKS_DIALLED_FOR);
}

#[test]
fn a_shell_that_cannot_dial_is_not_asked_to_and_remembers_all_the_same() {
    let mut rig = Rig::new();
    rig.machine.start(rig.now, (T, false), &[HASH], &[], Some(false));
    let teller = accepted(&mut rig, 1, 1);
    tell(&mut rig, teller, PUBLIC, &[address(1), address(2)]);
    assert_eq!(dials(&plain(&rig.pass(secs(60)))), []);
    assert_eq!(rig.machine.addresses_known(T), 2);
}

#[test]
fn a_private_torrent_takes_no_addresses() {
    let (mut rig, teller) = dialling(10);
    rig.machine.start(rig.now, (T, false), &[HASH], &[], Some(true));
    tell(&mut rig, teller, PUBLIC, &[address(1)]);
    assert_eq!(dials(&plain(&rig.pass(secs(60)))), []);
    assert_eq!(rig.machine.addresses_known(T), 0);
}

#[test]
fn addresses_inside_a_network_are_taken_only_from_inside() {
    let inside = ["10.0.0.9:80", "127.0.0.1:22", "[fe80::1]:5", "203.0.113.9:1"];
    let inside = inside.map(|text| text.parse::<SocketAddr>().unwrap());
    for (from, expect) in [(PUBLIC, 0), (None, 0), (Some([10, 0, 0, 1].into()), 3)] {
        let (mut rig, teller) = dialling(10);
        tell(&mut rig, teller, from, &inside);
        assert_eq!(dials(&rig.take()).len(), expect, "{from:?}");
    }
}

#[test]
fn what_was_banned_is_not_dialled_again_whoever_tells() {
    let (mut rig, teller) = dialling(10);
    tell(&mut rig, teller, PUBLIC, &[address(1)]);
    let (link, at) = dials(&rig.take())[0];
    rig.put(opened(link));
    rig.take();
    rig.machine.ban_address(T, at);
    rig.machine.link_over(rig.now, link);
    tell(&mut rig, teller, PUBLIC, &[address(1)]);
    assert_eq!(dials(&plain(&rig.pass(secs(7200)))), []);
}

#[test]
fn the_best_by_canonical_priority_are_dialled_first_once_we_know_where_we_are() {
    let (mut rig, teller) = dialling(1);
    let ours = SocketAddr::from(([80, 9, 9, 9], 7000));
    let all: Vec<SocketAddr> = (0..100).map(address).collect();
    tell(&mut rig, teller, PUBLIC, &all);
    for voter in 1..=VOTES_NEEDED as u8 {
        rig.machine.seen_at([61, 0, 0, voter].into(), ours.ip());
    }
    let mut best = all;
    best.sort_by_key(|at| core::cmp::Reverse(priority::priority(ours, *at)));
    for expect in best.iter().take(20) {
        let outs = rig.pass(secs(1));
        let [(link, at)] = dials(&plain(&outs))[..] else { panic!("{outs:?}") };
        assert_eq!(at, *expect);
        rig.put(DiscoveryInput::LinkClosed { link, end: FAILED });
    }
    let told = rig.machine.addresses_known(T);
    tell(&mut rig, teller, PUBLIC, &[ours]);
    assert_eq!(rig.machine.addresses_known(T), told, "nobody needs to tell us of ourselves");
}

#[test]
fn a_shell_that_can_dial_no_more_is_left_alone_for_a_while_and_still_offers() {
    let (mut rig, teller) = dialling(10);
    tell(&mut rig, teller, PUBLIC, &[address(1), address(2)]);
    for (link, _) in dials(&rig.take()) {
        rig.put(DiscoveryInput::LinkClosed { link, end: LinkEnd::Unsupported });
    }
    assert_eq!(dials(&plain(&rig.pass(UNSUPPORTED_PAUSE - secs(1)))), []);
    assert!(!rig.machine.is_unsupported(rig.now), "offers go on");
    assert_eq!(dials(&plain(&rig.pass(secs(2)))).len(), 2);
}

#[test]
fn links_that_come_in_are_few_until_they_say_what_they_are_for() {
    let mut rig = Rig::with(|config| config.links_max = 500);
    rig.start(T, HASH, &[]);
    rig.want(T, 10);
    rig.take();
    for link in 0..800 {
        accept(&mut rig, link, (link / 20) as u8);
    }
    let refused = closes(&rig.take());
    assert_eq!(refused.len(), 800 - ARRIVALS_MAX);
    let of_one = (0..20).filter(|n| refused.contains(&LinkId(crate::ACCEPTED_FROM + n))).count();
    assert_eq!(20 - of_one, ARRIVALS_PER_HOST_MAX);
    assert_eq!(rig.machine.attempts(), ARRIVALS_MAX);
    let outs = rig.pass(ARRIVAL_WAIT);
    assert_eq!((closes(&plain(&outs)).len(), rig.machine.attempts()), (ARRIVALS_MAX, 0));
}

#[test]
fn a_link_that_came_in_is_claimed_byte_by_byte_or_closed() {
    let mut rig = Rig::new();
    rig.start(T, HASH, &[]);
    rig.want(T, 1);
    let link = accept(&mut rig, 1, 1);
    let hello = greeting(HASH);
    for at in 0..hello.len() - 1 {
        assert_eq!(rig.machine.arrival_said(link, &hello.slice(at..=at)), None);
    }
    let last = hello.slice(hello.len() - 1..);
    assert_eq!(rig.machine.arrival_said(link, &last), Some((HASH, hello)));
    rig.machine.claim(rig.now, link, Some(T));
    let outs = rig.take();
    let linked = |out: &Out| matches!(out, Out::Linked { role: Role::Answered, .. });
    assert!(outs.iter().any(linked), "{outs:?}");
    rig.want(T, 0);
    let full = accept(&mut rig, 2, 1);
    rig.machine.claim(rig.now, full, Some(T));
    let stranger = accept(&mut rig, 3, 1);
    rig.machine.claim(rig.now, stranger, None);
    let loud = accept(&mut rig, 4, 1);
    assert_eq!(rig.machine.arrival_said(loud, &Bytes::from(vec![b'G'; 68])), None);
    let gone = accept(&mut rig, 5, 1);
    rig.put(DiscoveryInput::LinkClosed { link: gone, end: LinkEnd::Closed });
    assert_eq!(closes(&rig.take()), [full, stranger, loud]);
    assert_eq!(rig.machine.attempts(), 0);
}
