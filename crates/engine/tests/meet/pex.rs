//! Engines tell each other where their peers can be dialled (BEP 11), and dial.

use core::time::Duration;
use std::sync::Arc;

use headwater_engine::{Config, Event, Input, Warning};

use super::net::{Net, T, address, private_torrent, torrent};

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Settings of a host that dials and listens.
fn direct(config: &mut Config) {
    config.dials = true;
    config.listens = Some(6881);
}

/// A net of hosts that dial and listen. The shell of the first sees whom it is linked with; the
/// others meet it, and not each other, by offers.
fn star(seed: u8) -> Net {
    let mut net = Net::new(seed);
    net.configure = direct;
    net.sees = [0].into();
    net.apart = (1..8).flat_map(|a| (a + 1..8).map(move |b| (a, b))).collect();
    net
}

fn known(net: &Net, host: usize) -> usize {
    net.hosts[host].engine.torrent_view(T).map_or(0, |view| view.addresses_known)
}

#[test]
fn a_third_peer_is_met_by_peer_exchange_and_dialled() {
    let (metainfo, content) = torrent(6_000_000);
    for round in 0..6 {
        let mut net = star(round);
        net.seed(&metainfo, &content);
        let (one, two) = (net.magnet(&metainfo), net.magnet(&metainfo));
        for host in [one, two] {
            net.tell(host, Input::LimitsChanged { upload: None, download: Some(100_000) });
        }
        let met = net.run_until(secs(20), |net| net.links_between(one, two) == 1);
        assert!(met, "round {round}: {:?}", net.dials);
        net.kill_tracker();
        let all = |net: &Net| net.is_done(one) && net.is_done(two);
        assert!(net.run_until(secs(120), all), "round {round}");
        assert!(net.content(two).as_ref() == Some(&*content));
        assert_eq!(net.links_between(one, two), 1, "round {round}");
    }
}

#[test]
fn a_link_that_broke_is_dialled_again_though_nobody_tells() {
    let (metainfo, content) = torrent(6_000_000);
    let mut net = star(7);
    net.seed(&metainfo, &content);
    let (one, two) = (net.magnet(&metainfo), net.magnet(&metainfo));
    for host in [one, two] {
        net.tell(host, Input::LimitsChanged { upload: None, download: Some(20_000) });
    }
    assert!(net.run_until(secs(20), |net| net.links_between(one, two) == 1));
    net.run(secs(60));
    net.kill_tracker();
    net.break_links();
    net.run(secs(1));
    assert_eq!(net.links_between(one, two), 0);
    assert!(net.run_until(secs(90), |net| net.links_between(one, two) == 1));
}

#[test]
fn one_peer_reached_by_offer_and_by_address_is_kept_once() {
    let (metainfo, content) = torrent(6_000_000);
    for round in 0..6 {
        let mut net = Net::new(round);
        net.configure = direct;
        net.sees = [0].into();
        net.seed(&metainfo, &content);
        let (one, two) = (net.magnet(&metainfo), net.magnet(&metainfo));
        for host in [one, two] {
            net.tell(host, Input::LimitsChanged { upload: None, download: Some(9_000) });
        }
        let doubled = net.run_until(secs(20), |net| net.links_between(one, two) > 1);
        assert!(doubled, "round {round}: neither knows where the other is, and so dials");
        net.run(secs(25));
        assert_eq!(net.links_between(one, two), 1, "round {round}");
        assert_eq!(net.dialled_links_between(one, two), 1, "round {round}: it costs less");
        net.run(secs(300));
        assert_eq!(net.links_between(one, two), 1, "round {round}");
        let dials = net.dialled(one, two) + net.dialled(two, one);
        assert!(dials <= 3, "round {round}: {dials} dials to whom they are linked with");
        let views = net.hosts[one].engine.peer_views(T);
        assert_eq!(views.len(), 2, "round {round}");
    }
}

#[test]
fn where_a_peer_is_that_was_reached_twice_is_not_forgotten_with_the_link_it_was_dialled_by() {
    let (metainfo, content) = torrent(6_000_000);
    let mut offered = 0;
    for round in 0..12 {
        let mut net = Net::new(round);
        net.configure = direct;
        net.sees = [0].into();
        net.seed(&metainfo, &content);
        let one = net.magnet(&metainfo);
        net.configure = |config| config.listens = Some(6881);
        let two = net.magnet(&metainfo);
        for host in [one, two] {
            net.tell(host, Input::LimitsChanged { upload: None, download: Some(9_000) });
        }
        assert!(net.run_until(secs(20), |net| net.dialled(one, two) == 1), "round {round}");
        net.run(secs(300));
        assert_eq!(net.links_between(one, two), 1, "round {round}");
        assert_eq!(net.dialled(one, two), 1, "round {round}");
        offered += 1 - net.dialled_links_between(one, two);
    }
    assert!(offered > 0, "the link that was dialled is kept in every round");
}

#[test]
fn a_private_torrent_exchanges_no_peers() {
    let (metainfo, content) = private_torrent(2_000_000);
    let mut net = star(3);
    net.seed(&metainfo, &content);
    let (one, two) = (net.torrent_file(&metainfo), net.torrent_file(&metainfo));
    assert!(net.run_until(secs(60), |net| net.is_done(one) && net.is_done(two)));
    net.run(secs(130));
    assert_eq!((net.dials.len(), net.links_between(one, two)), (0, 0));
    assert_eq!((known(&net, one), known(&net, two)), (0, 0));
}

#[test]
fn nobody_is_told_of_a_peer_that_is_banned() {
    let (metainfo, content) = torrent(2_000_000);
    let mut net = star(4);
    let victim = net.torrent_file(&metainfo);
    let witness = net.torrent_file(&metainfo);
    let other = net.torrent_file(&metainfo);
    // Both are told of each other, so that what follows is news a minute later.
    assert!(net.run_until(secs(30), |net| net.links_between(witness, other) == 1));
    let wrong: Vec<u8> = content.iter().map(|byte| !byte).collect();
    // It waits to be dialled.
    net.configure = |config| config.listens = Some(6881);
    let liar = net.seed(&metainfo, &Arc::new(wrong));
    let banned = |event: &Event| {
        let Event::Warned { warning: Warning::PeerBanned { .. }, torrent: T } = event else {
            return false;
        };
        true
    };
    let caught = net.run_until(secs(50), |net| net.hosts[victim].events.iter().any(banned));
    assert!(caught, "the liar was never asked");
    net.run(secs(300));
    let told = [witness, other].map(|host| net.dialled(host, liar));
    assert_eq!(told, [0, 0], "they dialled {:?}", address(liar));
}
