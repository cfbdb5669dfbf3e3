//! A bridge: it joins a swarm it dials for those that only take offers, fetches what they ask for
//! and little else.

use core::time::Duration;

use headwater_base::{ByteCount, ReaderId};
use headwater_engine::{Event, Finder, Input, TorrentState};

use super::net::{Net, T, address, torrent};

const LENGTH: usize = 30_000_000;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A seed that is only dialled, a bridge that knows its address, and a host that knows the magnet
/// link and takes offers only.
fn world(seed: u8) -> (Net, [usize; 3]) {
    let (metainfo, content) = torrent(LENGTH);
    let mut net = Net::new(seed);
    net.configure = |config| {
        config.dials = true;
        config.listens = Some(6881);
    };
    let far = net.seed(&metainfo, &content);
    let bridge = net.bridge(&metainfo);
    net.configure = |_| {};
    let viewer = net.magnet(&metainfo);
    net.cut_off.insert(far);
    net.apart.insert((far, viewer));
    let (finder, addresses) = (Finder::User, vec![address(far)]);
    net.tell(bridge, Input::PeersFound { torrent: T, finder, addresses });
    (net, [far, bridge, viewer])
}

fn read(net: &mut Net, viewer: usize, start: u64, len: u64) {
    let (reader, torrent) = (ReaderId(5), T);
    let (start, end) = (ByteCount(start), ByteCount(start + len));
    net.tell(viewer, Input::ReaderMoved { reader, torrent, start, end });
}

fn is_ready(net: &Net, viewer: usize, at: u64) -> bool {
    let ready = |event: &Event| matches!(event, Event::ReaderReady { end, .. } if end.0 >= at);
    net.hosts[viewer].events.iter().any(ready)
}

#[test]
fn a_reader_behind_a_bridge_is_served_where_it_reads_and_the_rest_is_not_fetched() {
    for round in 0..4 {
        let (mut net, [_, bridge, viewer]) = world(round);
        // Only what it reads is wanted.

        let known = |net: &Net| net.hosts[viewer].engine.metainfo(T).is_some();
        assert!(net.run_until(secs(10), known), "no metadata");
        let skip = vec![headwater_engine::Priority::Skip];
        net.tell(viewer, Input::FilesChosen { torrent: T, priorities: skip });
        read(&mut net, viewer, 0, 500_000);
        assert!(net.run_until(secs(5), |net| is_ready(net, viewer, 500_000)), "no start");
        read(&mut net, viewer, 27_000_000, 500_000);
        assert!(net.run_until(secs(5), |net| is_ready(net, viewer, 27_500_000)), "no seek");
        net.run(secs(20));
        let view = net.hosts[bridge].engine.torrent_view(T).expect("it is there");
        assert_eq!(view.state, TorrentState::Leeching, "a bridge is never done");
        assert!(view.downloaded.0 < 14_000_000, "{} fetched", view.downloaded);
    }
}

#[test]
fn one_that_says_nothing_of_its_wants_gets_everything_through_a_bridge() {
    for round in 0..4 {
        let (mut net, [far, bridge, viewer]) = world(10 + round);
        assert!(net.run_until(secs(120), |net| net.is_done(viewer)), "round {round}");
        let view = net.hosts[bridge].engine.torrent_view(T).expect("it is there");
        assert!(view.downloaded.0 < LENGTH as u64 * 11 / 10, "little comes twice");
        assert_eq!(net.links_between(far, viewer), 0);
    }
}

#[test]
fn a_bridge_fetches_nothing_that_nobody_asks_for() {
    let (mut net, [far, bridge, viewer]) = world(20);
    net.tell(viewer, Input::TorrentPaused(T));
    net.run(secs(60));
    assert_eq!(net.links_between(far, bridge), 1, "it is in the swarm");
    let view = net.hosts[bridge].engine.torrent_view(T).expect("it is there");
    assert_eq!(view.downloaded, ByteCount(0));
}
