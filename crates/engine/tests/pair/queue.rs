//! Limits of one torrent, torrents that wait for their turn, and a pause that lets nothing through.

use headwater_base::{ByteCount, ReaderId, TorrentId};
use headwater_engine::{AddTorrent, Event, Input, TorrentState, WebSeed};
use headwater_wire::tracker::Happening;

use crate::disk::Disk;
use crate::net::Net;
use crate::web::Server;
use crate::{T, is_done, millis, sample, secs};

const URL: &str = "http://one.example/film";

#[test]
fn limits_of_one_torrent_hold_both_ways_and_can_be_lifted() {
    let sample = sample(3_000_000, 65536);
    for upload in [false, true] {
        let mut net = Net::new(60);
        let seed = net.join(Disk::full(&sample), sample.whole());
        let leech = net.join(Disk::default(), sample.whole());
        let host = if upload { seed } else { leech };
        let limit = |rate| {
            let (up, down) = if upload { (rate, None) } else { (None, rate) };
            Input::TorrentLimited { torrent: T, upload: up, download: down }
        };
        net.put(host, limit(Some(100_000)));
        net.run(secs(12));
        let fetched = |net: &Net| net.hosts[leech].engine.torrent_view(T).unwrap().downloaded.0;
        let bytes = fetched(&net);
        assert!((600_000..1_300_000).contains(&bytes), "{bytes} in 12 s, upload: {upload}");
        net.put(host, limit(None));
        let start = net.now;
        let end = net.run_to(leech, secs(30), is_done);
        assert!(end.since(start) < secs(3), "{:?} without a limit", end.since(start));
    }
}

#[test]
fn limit_of_one_torrent_holds_for_web_seeds_and_peers_together() {
    let sample = sample(2_000_000, 65536);
    let mut net = Net::new(61);
    net.join(Disk::full(&sample), sample.whole());
    net.web.insert(URL.to_owned(), Server::new(&[(URL, &sample.data)]));
    let seed = WebSeed { url: URL.to_owned(), trusted: false };
    let add = AddTorrent { web_seeds: vec![seed], ..sample.whole() };
    let leech = net.join_with(Disk::default(), add, |config| {
        config.torrent_download_limit = Some(100_000);
    });
    let start = net.now;
    let took = net.run_to(leech, secs(60), is_done).since(start);
    assert!(secs(16) <= took && took <= secs(26), "2 MB at 100 kB/s took {took:?}");
}

#[test]
fn pause_says_goodbye_and_lets_nothing_through_until_it_ends() {
    let sample = sample(8_000_000, 65536);
    let mut net = Net::new(62);
    let seed = net.join(Disk::full(&sample), sample.whole());
    net.hosts[seed].path.bandwidth = 1_000_000;
    let leech = net.join(Disk::default(), sample.magnet());
    net.run_to(leech, secs(30), |event| matches!(event, Event::PieceStored { .. }));
    let (reader, start, end) = (ReaderId(7), ByteCount(7_000_000), ByteCount(7_100_000));
    net.put(leech, Input::ReaderMoved { reader, torrent: T, start, end });
    net.put(leech, Input::TorrentPaused(T));
    net.run(secs(1));
    let peer = net.hosts[leech].peer;
    let last = net.tracker.announces.iter().rfind(|(of, ..)| *of == peer).cloned();
    assert_eq!(last.unwrap().1, Some(Happening::Stopped));
    assert_eq!(net.links(), 0);
    let (sent, announced) = (net.hosts[leech].sent, net.tracker.announces.len());
    let stored = net.hosts[leech].disk.have.len();
    net.run(secs(600));
    assert_eq!(net.hosts[leech].sent, sent, "nothing is sent while it is paused");
    assert_eq!(net.hosts[leech].disk.have.len(), stored, "nothing is stored while it is paused");
    let ours = |(of, ..): &&(_, _, _)| *of == peer;
    assert_eq!(net.tracker.announces[announced..].iter().filter(ours).count(), 0);
    let ready =
        |event: &Event| matches!(event, Event::ReaderReady { end, .. } if end.0 == 7_100_000);
    assert_eq!(net.told(leech, ready), 0);
    net.put(leech, Input::TorrentResumed(T));
    net.run_to(leech, secs(120), ready);
    net.run_to(leech, secs(120), is_done);
    assert_eq!(net.hosts[leech].disk.bytes, *sample.data);
}

/// A host with torrents that all look alike but for their numbers, none of which has a source.
fn waiting(downloads: Option<usize>, count: u32) -> (Net, usize) {
    let sample = sample(100_000, 65536);
    let mut net = Net::new(63);
    let host = net.join_with(Disk::default(), sample.magnet(), |config| {
        config.active_downloads_max = downloads;
        config.active_seeds_max = Some(1);
    });
    for torrent in 1..count {
        let mut add = sample.magnet();
        add.info_hash.0[0] ^= torrent as u8;
        net.put(host, Input::TorrentAdded { torrent: TorrentId(torrent), add: Box::new(add) });
    }
    net.run(secs(1));
    (net, host)
}

fn states(net: &Net, host: usize, count: u32) -> String {
    let state = |torrent| net.hosts[host].engine.torrent_view(TorrentId(torrent)).unwrap().state;
    let letter = |torrent| match state(torrent) {
        TorrentState::Queued => 'q',
        TorrentState::Paused => 'p',
        TorrentState::Resolving => 'r',
        other => panic!("{other:?}"),
    };
    (0..count).map(letter).collect()
}

#[test]
fn torrents_wait_for_their_turn_and_start_by_themselves() {
    let (mut net, host) = waiting(Some(2), 5);
    assert_eq!(states(&net, host, 5), "rrqqq");
    net.put(host, Input::TorrentPaused(TorrentId(0)));
    net.run(secs(1));
    assert_eq!(states(&net, host, 5), "prrqq", "the next starts when one is paused");
    net.put(host, Input::TorrentResumed(TorrentId(0)));
    net.run(secs(1));
    assert_eq!(states(&net, host, 5), "rrqqq", "its place is kept");
    net.put(host, Input::QueueMoved { torrent: TorrentId(4), place: 0 });
    net.run(secs(1));
    assert_eq!(states(&net, host, 5), "rqqqr");
    let (reader, torrent) = (ReaderId(1), TorrentId(2));
    let (start, end) = (ByteCount(0), ByteCount(9));
    net.put(host, Input::ReaderMoved { reader, torrent, start, end });
    net.run(secs(1));
    assert_eq!(states(&net, host, 5), "rqrqr", "what is read never waits");
    net.put(host, Input::ReaderClosed(reader));
    net.put(host, Input::QueueLimited { downloads: None, seeds: None });
    net.run(secs(1));
    assert_eq!(states(&net, host, 5), "rrrrr");
    assert!(net.hosts[host].engine.view().links > 0);
}

#[test]
fn nothing_waits_unless_it_is_asked_for() {
    let (net, host) = waiting(None, 4);
    assert_eq!(states(&net, host, 4), "rrrr");
}

#[test]
fn done_torrent_makes_room_for_the_next() {
    let sample = sample(1_000_000, 65536);
    let mut net = Net::new(64);
    net.join(Disk::full(&sample), sample.whole());
    let leech = net.join_with(Disk::default(), sample.whole(), |config| {
        config.active_downloads_max = Some(1);
    });
    let mut other = sample.magnet();
    other.info_hash.0[0] ^= 1;
    let torrent = TorrentId(1);
    net.put(leech, Input::TorrentAdded { torrent, add: Box::new(other) });
    net.run(millis(1));
    let state = |net: &Net| net.hosts[leech].engine.torrent_view(torrent).unwrap().state;
    assert_eq!(state(&net), TorrentState::Queued);
    net.run_to(leech, secs(30), is_done);
    net.run(secs(1));
    assert_eq!(state(&net), TorrentState::Resolving);
}
