//! A peer that fetches for itself fetches sooner what its peers want soon (`hw_want`).

use core::time::Duration;

use headwater_base::{ByteCount, ReaderId, Time};
use headwater_engine::{Event, Input};

use super::net::{Net, T, torrent};

/// How long a reader near the end waits, who reaches the seed through a peer that fetches.
fn wait_of_a_reader(heeds: bool) -> Duration {
    let (metainfo, content) = torrent(4_000_000);
    let mut net = Net::new(21);
    let seed = net.seed(&metainfo, &content);
    net.tell(seed, Input::LimitsChanged { upload: Some(100_000), download: None });
    net.configure = |config| config.heeds_wants = true;
    if !heeds {
        net.configure = |_| {};
    }
    let between = net.torrent_file(&metainfo);
    let viewer = net.torrent_file(&metainfo);
    net.apart.insert((seed, viewer));
    let met = |net: &Net| net.links_between(seed, between) * net.links_between(between, viewer);
    assert!(net.run_until(Duration::from_secs(30), |net| met(net) == 1));
    net.run(Duration::from_secs(3));
    let start: Time = net.now;
    let reader = ReaderId(5);
    let (from, to) = (ByteCount(3_300_000), ByteCount(3_400_000));
    net.tell(viewer, Input::ReaderMoved { reader, torrent: T, start: from, end: to });
    let ready = |event: &Event| matches!(event, Event::ReaderReady { end, .. } if *end == to);
    let is_ready = |net: &Net| net.hosts[viewer].events.iter().any(ready);
    assert!(net.run_until(Duration::from_secs(90), is_ready), "never ready");
    net.now.since(start)
}

#[test]
fn what_a_peer_wants_soon_is_fetched_sooner_for_it() {
    let (heeded, unheeded) = (wait_of_a_reader(true), wait_of_a_reader(false));
    assert!(heeded < Duration::from_secs(6), "{heeded:?} though its wants were heeded");
    assert!(unheeded > heeded * 2, "{unheeded:?} without, {heeded:?} with");
}
