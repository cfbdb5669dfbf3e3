//! Engines introduce each other (`hw_signal`): a swarm goes on meeting when its tracker is gone.

use core::time::Duration;
use std::sync::Arc;

use headwater_engine::{Event, Input, Warning};
use headwater_metainfo::Torrent;

use super::net::{Net, T, private_torrent, torrent};

type Content = (Arc<Torrent>, Arc<Vec<u8>>);

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Four hosts that met and have everything, of which only host 1 reaches a tracker from here on.
fn four_without_a_tracker(seed: u8, (metainfo, content): &Content) -> Net {
    let mut net = Net::new(seed);
    net.seed(metainfo, content);
    for _ in 0..3 {
        net.torrent_file(metainfo);
    }
    assert!(net.run_until(secs(120), |net| (1..4).all(|n| net.is_done(n))));
    net.kill_tracker();
    net.cut_off = [0, 2, 3].into();
    net.tracker_down = false;
    net.run(secs(60));
    net
}

/// Whether a host has one link to each host before it.
fn met_all(net: &Net, host: usize) -> bool {
    (0..host).all(|n| net.links_between(n, host) == 1)
}

#[test]
fn a_newcomer_that_reaches_one_of_a_swarm_without_a_tracker_meets_all() {
    let content = torrent(2_000_000);
    for round in 0..8 {
        let mut net = four_without_a_tracker(round, &content);
        let before: Vec<usize> = net.hosts.iter().map(|host| host.offers).collect();
        let fifth = net.magnet(&content.0);
        // It is slow: who has everything wants no more links to those who have.
        net.tell(fifth, Input::LimitsChanged { upload: None, download: Some(40_000) });
        assert!(net.run_until(secs(40), |net| met_all(net, fifth)), "round {round}");
        assert!(!net.is_done(fifth));
        assert!(net.run_until(secs(60), |net| net.is_done(fifth)));
        assert!(met_all(&net, fifth), "round {round}: links come and go");
        assert!(net.content(fifth).as_ref() == Some(&*content.1));
        for (host, before) in net.hosts.iter().zip(before) {
            let made = host.offers - before;
            assert!(made <= 8, "round {round}: {made} offers made");
        }
    }
}

#[test]
fn a_leecher_finds_a_link_that_broke_again_through_others() {
    let (metainfo, content) = torrent(12_000_000);
    let mut net = Net::new(12);
    net.latency = Duration::from_millis(200);
    let seed = net.seed(&metainfo, &content);
    let (one, two) = (net.torrent_file(&metainfo), net.torrent_file(&metainfo));
    assert!(net.run_until(secs(60), |net| met_all(net, one) && met_all(net, two)));
    net.kill_tracker();
    net.break_links_between(seed, one);
    net.run(secs(1));
    assert_eq!(net.links_between(seed, one), 0);
    assert!(!net.is_done(one));
    assert!(net.run_until(secs(60), |net| net.links_between(seed, one) == 1));
}

#[test]
fn seeds_are_not_introduced_to_each_other() {
    let content = torrent(500_000);
    let mut net = four_without_a_tracker(3, &content);
    let fifth = net.seed(&content.0, &content.1);
    net.run(secs(120));
    for n in [0, 2, 3] {
        assert_eq!(net.links_between(n, fifth), 0);
    }
}

#[test]
fn a_private_torrent_introduces_nobody() {
    let content = private_torrent(2_000_000);
    let mut net = four_without_a_tracker(13, &content);
    net.latency = Duration::from_millis(200);
    let fifth = net.torrent_file(&content.0);
    net.run(secs(120));
    let met: Vec<usize> = (0..4).filter(|n| net.links_between(*n, fifth) > 0).collect();
    assert_eq!(met, [1], "only who shares its tracker");
}

#[test]
fn a_peer_that_one_banned_is_not_met_through_another() {
    let (metainfo, content) = torrent(2_000_000);
    let mut net = four_without_a_tracker(14, &(metainfo.clone(), content.clone()));
    let wrong: Vec<u8> = content.iter().map(|byte| !byte).collect();
    let liar = net.seed(&metainfo, &Arc::new(wrong));
    let victim = net.magnet(&metainfo);
    assert!(net.run_until(secs(120), |net| net.is_done(victim)));
    assert!(net.run_until(secs(120), |net| net.links_between(1, liar) == 1));
    net.run(secs(300));
    let name = net.hosts[liar].peer;
    let banned = |event: &Event| {
        let Event::Warned { warning: Warning::PeerBanned { peer, .. }, torrent: T } = event else {
            return false;
        };
        *peer == name
    };
    assert!(net.hosts[victim].events.iter().any(banned), "the liar was never asked");
    assert_eq!(net.links_between(victim, liar), 0);
}

#[test]
fn the_same_seeds_give_the_same_introductions() {
    let run = || {
        let content = torrent(500_000);
        let mut net = four_without_a_tracker(15, &content);
        net.magnet(&content.0);
        net.run(secs(60));
        net.trace
    };
    assert_eq!(run(), run());
}
