//! Whole engines meet through a tracker, exchange a torrent from a magnet link, and survive
//! crossing offers, a dead tracker, broken links and pauses. All in virtual time.

mod bridge;
mod net;
mod pex;
mod signal;
mod want;

use core::time::Duration;

use headwater_base::TrackerId;
use headwater_engine::{Input, TorrentState};
use headwater_metainfo::Torrent;

use self::net::{Net, T, torrent};

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_magnet_finds_its_seed_and_fetches_everything() {
    let (metainfo, content) = torrent(3_000_000);
    let mut net = Net::new(1);
    let seed = net.seed(&metainfo, &content);
    net.run(secs(3));
    let leecher = net.magnet(&metainfo);
    assert!(net.run_until(secs(20), |net| net.is_done(leecher)), "not done after 20 s");
    assert!(net.content(leecher).as_ref() == Some(&*content));
    let (peer, joined) = (net.hosts[seed].peer, net.hosts[leecher].engine.peer_views(T));
    assert_eq!(joined.iter().map(|view| view.peer).collect::<Vec<_>>(), [peer]);
    assert!(net.hosts[leecher].got < 3_200_000, "{} bytes for 3 MB", net.hosts[leecher].got);
}

#[test]
fn crossing_offers_end_in_one_link() {
    let (metainfo, content) = torrent(2_000_000);
    for round in 0..8 {
        let mut net = Net::new(round);
        let (seed, leecher) = (net.seed(&metainfo, &content), net.magnet(&metainfo));
        cross(&mut net, &metainfo);
        let met = net.run_until(secs(5), |net| net.links_between(seed, leecher) == 2);
        assert!(met, "the offers did not cross");
        assert!(net.run_until(secs(30), |net| net.is_done(leecher)));
        net.run(secs(5));
        assert_eq!(net.links_between(seed, leecher), 1);
        for host in &net.hosts {
            assert_eq!(host.engine.peer_views(T).len(), 1);
        }
        assert!(net.content(leecher).as_ref() == Some(&*content));
    }
}

#[test]
fn crossing_offers_end_in_one_link_with_a_peer_that_ends_its_own() {
    let (metainfo, content) = torrent(1_000_000);
    for dropping in [0, 1] {
        let mut net = Net::new(3);
        let (seed, leecher) = (net.seed(&metainfo, &content), net.magnet(&metainfo));
        net.hosts[dropping].drops_doubled = true;
        cross(&mut net, &metainfo);
        assert!(net.run_until(secs(15), |net| net.is_done(leecher)), "host {dropping} drops");
        assert_eq!(net.links_between(seed, leecher), 1);
    }
}

/// Makes the tracker know every host already, so that their first offers cross.
fn cross(net: &mut Net, metainfo: &Torrent) {
    for (n, host) in net.hosts.iter().enumerate() {
        net.swarm.insert((metainfo.info_hash, host.peer), (n, TrackerId(0), 1));
    }
}

#[test]
fn a_leecher_that_comes_while_the_tracker_is_dead_finishes_soon_after_it_returns() {
    let (metainfo, content) = torrent(2_000_000);
    let mut net = Net::new(4);
    let seed = net.seed(&metainfo, &content);
    let first = net.magnet(&metainfo);
    net.run_until(secs(10), |net| net.links_between(seed, first) > 0);
    net.kill_tracker();
    let second = net.magnet(&metainfo);
    assert!(net.run_until(secs(20), |net| net.is_done(first)), "links outlive the tracker");
    net.run(secs(1));
    assert!(!net.is_done(second));
    net.tracker_down = false;
    assert!(net.run_until(secs(40), |net| net.is_done(second)));
}

#[test]
fn six_leechers_finish_and_serve_each_other() {
    let (metainfo, content) = torrent(4_000_000);
    let mut net = Net::new(5);
    net.seed(&metainfo, &content);
    let leechers: Vec<usize> = (0..6)
        .map(|_| {
            net.run(secs(1));
            net.magnet(&metainfo)
        })
        .collect();
    let all = leechers.clone();
    assert!(net.run_until(secs(120), |net| all.iter().all(|n| net.is_done(*n))));
    for n in leechers {
        assert!(net.content(n).as_ref() == Some(&*content), "host {n}");
    }
}

#[test]
fn broken_links_are_replaced_and_the_transfer_goes_on() {
    let (metainfo, content) = torrent(6_000_000);
    let mut net = Net::new(6);
    net.latency = Duration::from_millis(200);
    let seed = net.seed(&metainfo, &content);
    net.run(secs(1));
    let leecher = net.magnet(&metainfo);
    assert!(net.run_until(secs(20), |net| net.hosts[leecher].got > 1_000_000));
    net.break_links();
    assert!(net.run_until(secs(60), |net| net.is_done(leecher)));
    assert!(net.content(leecher).as_ref() == Some(&*content));
    assert_eq!(net.links_between(seed, leecher), 1);
}

#[test]
fn a_paused_torrent_leaves_the_swarm_and_comes_back() {
    let (metainfo, content) = torrent(6_000_000);
    let mut net = Net::new(7);
    net.latency = Duration::from_millis(200);
    let seed = net.seed(&metainfo, &content);
    let leecher = net.magnet(&metainfo);
    assert!(net.run_until(secs(20), |net| net.hosts[leecher].got > 1_000_000));
    net.tell(leecher, Input::TorrentPaused(T));
    net.run(secs(5));
    assert_eq!(net.links_between(seed, leecher), 0);
    assert_eq!(net.swarm.len(), 1, "the tracker heard that it left");
    let got = net.hosts[leecher].got;
    net.run(secs(60));
    assert_eq!(net.hosts[leecher].got, got, "nothing flows");
    net.tell(leecher, Input::TorrentResumed(T));
    assert!(net.run_until(secs(40), |net| net.is_done(leecher)));
    let state = net.hosts[leecher].engine.torrent_view(T).unwrap().state;
    assert_eq!(state, TorrentState::Seeding);
}

#[test]
fn the_tracker_hears_who_has_everything() {
    let (metainfo, content) = torrent(1_000_000);
    let mut net = Net::new(9);
    let (seed, leecher) = (net.seed(&metainfo, &content), net.magnet(&metainfo));
    let left = |net: &Net, n: usize| {
        let key = (metainfo.info_hash, net.hosts[n].peer);
        net.swarm.get(&key).map(|(_, _, left)| *left)
    };
    assert!(net.run_until(secs(5), |net| left(net, leecher).is_some()));
    assert!(left(&net, leecher) > Some(0));
    assert!(net.run_until(secs(20), |net| net.is_done(leecher)));
    net.run(secs(1));
    assert_eq!((left(&net, seed), left(&net, leecher)), (Some(0), Some(0)));
}

#[test]
fn the_same_seeds_give_the_same_run() {
    let run = || {
        let (metainfo, content) = torrent(1_000_000);
        let mut net = Net::new(8);
        net.seed(&metainfo, &content);
        net.magnet(&metainfo);
        net.magnet(&metainfo);
        net.run(secs(30));
        net.trace
    };
    assert_eq!(run(), run());
}
