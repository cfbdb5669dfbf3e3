//! Readers of a torrent that is still being fetched.

use headwater_base::{ByteCount, ReaderId};
use headwater_engine::{Event, Input};

use crate::disk::Disk;
use crate::net::Net;
use crate::{T, is_done, sample, secs};

const R: ReaderId = ReaderId(1);

fn move_to(net: &mut Net, host: usize, start: u64, end: u64) {
    let (start, end) = (ByteCount(start), ByteCount(end));
    net.put(host, Input::ReaderMoved { reader: R, torrent: T, start, end });
}

fn ready(event: &Event) -> Option<u64> {
    match event {
        Event::ReaderReady { reader: R, end } => Some(end.0),
        _ => None,
    }
}

#[test]
fn bytes_a_reader_waits_for_outrank_rarity_after_a_seek() {
    let sample = sample(40_000_000, 65536);
    let mut net = Net::new(70);
    let seed = net.join(Disk::full(&sample), sample.whole());
    net.hosts[seed].path.bandwidth = 1_000_000;
    let leech = net.join(Disk::default(), sample.magnet());
    move_to(&mut net, leech, 0, 40_000_000);
    let first = net.run_to(leech, secs(10), |event| ready(event).is_some());
    net.run(secs(3));
    move_to(&mut net, leech, 32_000_000, 40_000_000);
    let asked = net.now;
    let at = net.run_to(leech, secs(10), |event| ready(event).is_some_and(|end| end > 32_000_000));
    assert!(at.since(asked).as_millis() < 1200, "{:?} after the seek", at.since(asked));
    assert!(first.as_micros() < 3_000_000, "{first:?}");
    let near = |piece: &&u32| (32_000_000 / 65536..34_000_000 / 65536).contains(*piece);
    net.run(secs(3));
    assert!(net.hosts[leech].disk.have.iter().filter(near).count() >= 28);
}

#[test]
fn reader_hears_each_time_its_run_grows_and_at_once_when_it_is_there() {
    let sample = sample(1_000_000, 65536);
    let mut net = Net::new(71);
    net.join(Disk::full(&sample), sample.whole());
    let leech = net.join(Disk::default(), sample.magnet());
    move_to(&mut net, leech, 100_000, 900_000);
    net.run_to(leech, secs(30), is_done);
    let ends: Vec<u64> =
        net.hosts[leech].events.iter().filter_map(|(_, event)| ready(event)).collect();
    assert!(ends.is_sorted() && ends.len() > 3, "{ends:?}");
    assert_eq!(ends.last(), Some(&900_000));
    move_to(&mut net, leech, 500_000, 600_000);
    net.run(secs(0));
    let (_, last) = net.hosts[leech].events.last().unwrap();
    assert_eq!(ready(last), Some(600_000));
    move_to(&mut net, leech, 1_000_000, 2_000_000);
    net.run(secs(0));
    let (_, last) = net.hosts[leech].events.last().unwrap();
    assert_eq!(ready(last), Some(1_000_000));
}

#[test]
fn reader_of_a_removed_torrent_fails() {
    let sample = sample(1_000_000, 65536);
    let mut net = Net::new(72);
    let leech = net.join(Disk::default(), sample.magnet());
    move_to(&mut net, leech, 0, 1000);
    net.put(leech, Input::TorrentRemoved { torrent: T, delete: false });
    move_to(&mut net, leech, 0, 1000);
    net.run(secs(1));
    assert_eq!(net.told(leech, |event| *event == Event::ReaderFailed(R)), 2);
}

#[test]
fn slow_peer_does_not_hold_up_a_reader() {
    let sample = sample(20_000_000, 65536);
    let mut net = Net::new(73);
    let slow = net.join(Disk::full(&sample), sample.whole());
    net.hosts[slow].path.bandwidth = 20_000;
    let fast = net.join(Disk::full(&sample), sample.whole());
    net.hosts[fast].path.bandwidth = 2_000_000;
    let leech = net.join(Disk::default(), sample.whole());
    let start = net.run_to(leech, secs(10), |event| matches!(event, Event::PieceStored { .. }));
    for step in 0..16 {
        let place = step * 1_000_000;
        move_to(&mut net, leech, place, 20_000_000);
        let far = |net: &Net| {
            let told = net.hosts[leech].events.iter().filter_map(|(_, event)| ready(event)).max();
            told >= Some(place + 1_000_000)
        };
        assert!(net.run_until(secs(4), far).is_some(), "reader starves at {place}");
    }
    assert!(net.now.since(start) < secs(14), "{:?}", net.now.since(start));
}

#[test]
fn torrent_is_done_again_when_a_reader_leaves_what_nobody_chose() {
    let sample = sample(4_000_000, 65536);
    let mut net = Net::new(74);
    let leech = net.join(Disk::default(), sample.whole());
    let priorities = vec![headwater_engine::Priority::Skip];
    net.put(leech, Input::FilesChosen { torrent: T, priorities });
    net.run(secs(1));
    assert_eq!(net.told(leech, is_done), 1);
    move_to(&mut net, leech, 0, 2_000_000);
    let seed = net.join(Disk::full(&sample), sample.whole());
    net.hosts[seed].path.bandwidth = 100_000;
    let ready = |event: &Event| ready(event).is_some();
    net.run_to(leech, secs(30), ready);
    assert_eq!(net.told(leech, is_done), 1);
    move_to(&mut net, leech, 4_000_000, 4_000_000);
    net.run(secs(2));
    assert_eq!(net.told(leech, is_done), 2);
    let wasted = net.hosts[leech].engine.torrent_view(T).unwrap().wasted.0;
    assert!(wasted < 1_000_000, "{wasted} bytes wasted");
    let stored = net.hosts[leech].disk.have.len();
    net.run(secs(10));
    assert_eq!(net.hosts[leech].disk.have.len(), stored);
}
