//! Whole transfers between honest engines.

use headwater_base::ByteCount;
use headwater_engine::{Event, Input, Priority, TorrentState};

use crate::disk::Disk;
use crate::net::Net;
use crate::{T, is_done, millis, sample, secs};

#[test]
fn whole_torrent_comes_from_a_magnet_link() {
    let sample = sample(3_000_000, 65536);
    let mut net = Net::new(1);
    let seed = net.join(Disk::full(&sample), sample.whole());
    let leech = net.join(Disk::default(), sample.magnet());
    net.run_to(leech, secs(60), is_done);
    assert_eq!(net.hosts[leech].disk.bytes, *sample.data);
    assert_eq!(net.told(leech, |event| matches!(event, Event::MetadataKnown(_))), 1);
    assert_eq!(net.told(leech, |event| matches!(event, Event::PieceStored { .. })), 46);
    let view = net.hosts[leech].engine.torrent_view(T).unwrap();
    assert_eq!(
        (view.state, view.wanted, view.wanted_stored, view.wasted),
        (TorrentState::Seeding, ByteCount(3_000_000), ByteCount(3_000_000), ByteCount(0),)
    );
    let view = net.hosts[seed].engine.torrent_view(T).unwrap();
    assert_eq!(view.uploaded, ByteCount(3_000_000));
}

#[test]
fn same_seed_gives_the_same_trace() {
    let run = |seed| {
        let sample = sample(2_000_000, 32768);
        let mut net = Net::new(seed);
        net.join(Disk::full(&sample), sample.whole());
        net.join(Disk::default(), sample.magnet());
        net.join(Disk::default(), sample.magnet());
        net.run(secs(30));
        assert_eq!(net.told(1, is_done) + net.told(2, is_done), 2);
        net.trace()
    };
    assert_eq!(run(2), run(2));
    assert_ne!(run(2), run(3));
}

#[test]
fn leeches_trade_with_each_other() {
    let sample = sample(8_000_000, 65536);
    let mut net = Net::new(3);
    let seed = net.join(Disk::full(&sample), sample.whole());
    net.hosts[seed].path.bandwidth = 400_000;
    let one = net.join(Disk::default(), sample.magnet());
    let two = net.join(Disk::default(), sample.magnet());
    net.run_until(secs(120), |net| net.told(one, is_done) + net.told(two, is_done) == 2);
    assert_eq!(net.hosts[one].disk.bytes, *sample.data);
    assert_eq!(net.hosts[two].disk.bytes, *sample.data);
    let sent = net.hosts[seed].sent;
    assert!(sent < 12_000_000, "the seed alone sent {sent} of twice 8 MB");
}

#[test]
fn stored_pieces_are_not_fetched_again_and_doubtful_ones_are_hashed() {
    let sample = sample(1_000_000, 65536);
    let mut net = Net::new(4);
    net.join(Disk::full(&sample), sample.whole());
    let mut disk = Disk::full(&sample);
    disk.have = (0..6).collect();
    disk.doubtful = (6..10).collect();
    disk.bytes[7 * 65536] ^= 1;
    let leech = net.join(disk, sample.whole());
    net.run_to(leech, secs(30), is_done);
    assert_eq!(net.hosts[leech].disk.bytes, *sample.data);
    assert_eq!(net.hosts[leech].disk.hashed, 4);
    let view = net.hosts[leech].engine.torrent_view(T).unwrap();
    assert_eq!(view.downloaded.0, 65536 + 1_000_000 - 10 * 65536);
}

#[test]
fn pause_closes_links_and_resume_goes_on() {
    let sample = sample(4_000_000, 65536);
    let mut net = Net::new(5);
    net.join(Disk::full(&sample), sample.whole());
    let leech = net.join(Disk::default(), sample.magnet());
    net.run_to(leech, secs(30), |event| matches!(event, Event::PieceStored { .. }));
    net.put(leech, Input::TorrentPaused(T));
    net.run(secs(5));
    assert_eq!(net.links(), 0);
    let stored = net.hosts[leech].disk.have.len();
    net.run(secs(20));
    assert_eq!(net.hosts[leech].disk.have.len(), stored);
    assert!(stored < 62);
    net.put(leech, Input::TorrentResumed(T));
    net.run_to(leech, secs(120), is_done);
    assert_eq!(net.hosts[leech].disk.bytes, *sample.data);
}

#[test]
fn torrent_added_paused_waits() {
    let sample = sample(500_000, 65536);
    let mut net = Net::new(6);
    net.join(Disk::full(&sample), sample.whole());
    let leech =
        net.join(Disk::default(), headwater_engine::AddTorrent { paused: true, ..sample.magnet() });
    net.run(secs(30));
    assert_eq!(net.hosts[leech].engine.torrent_view(T).unwrap().state, TorrentState::Paused);
    assert!(net.hosts[leech].events.is_empty());
    net.put(leech, Input::TorrentResumed(T));
    net.run_to(leech, secs(120), is_done);
}

#[test]
fn skipped_file_is_not_fetched_until_it_is_chosen() {
    let sample = sample(1_000_000, 65536);
    let mut net = Net::new(7);
    net.join(Disk::full(&sample), sample.whole());
    let leech = net.join(Disk::default(), sample.whole());
    net.put(leech, Input::FilesChosen { torrent: T, priorities: vec![Priority::Skip] });
    net.run(secs(20));
    assert!(net.hosts[leech].disk.have.is_empty());
    assert_eq!(net.told(leech, is_done), 1);
    net.put(leech, Input::FilesChosen { torrent: T, priorities: vec![Priority::High] });
    net.run_to(leech, secs(30), is_done);
    assert_eq!(net.hosts[leech].disk.bytes, *sample.data);
}

#[test]
fn removed_torrent_leaves_nothing_behind() {
    let sample = sample(4_000_000, 65536);
    let mut net = Net::new(8);
    net.join(Disk::full(&sample), sample.whole());
    let leech = net.join(Disk::default(), sample.magnet());
    net.run_to(leech, secs(30), |event| matches!(event, Event::PieceStored { .. }));
    net.put(leech, Input::TorrentRemoved { torrent: T, delete: true });
    net.run(secs(10));
    assert!(net.hosts[leech].disk.deleted);
    assert_eq!(net.links(), 0);
    assert_eq!(net.hosts[leech].engine.torrent_view(T), None);
    assert_eq!(net.hosts[leech].engine.view().links, 0);
}

#[test]
fn seed_serves_more_peers_than_it_has_slots_in_turn() {
    let sample = sample(600_000, 65536);
    let mut net = Net::new(9);
    let seed = net.join(Disk::full(&sample), sample.whole());
    net.hosts[seed].path.bandwidth = 200_000;
    let leeches: Vec<usize> = (0..14).map(|_| net.join(Disk::default(), sample.magnet())).collect();
    for leech in &leeches {
        net.hosts[*leech].path.latency = millis(40);
    }
    let all = |net: &Net| leeches.iter().all(|leech| net.told(*leech, is_done) == 1);
    assert!(net.run_until(secs(300), all).is_some());
}

#[test]
fn last_pieces_do_not_wait_for_a_slow_peer() {
    let sample = sample(2_000_000, 65536);
    let mut net = Net::new(10);
    net.join(Disk::full(&sample), sample.whole());
    let slow = net.join(Disk::full(&sample), sample.whole());
    net.hosts[slow].path.bandwidth = 3_000;
    let leech = net.join(Disk::default(), sample.magnet());
    let done = net.run_to(leech, secs(60), is_done);
    assert!(done.as_micros() < 8_000_000, "{done:?}");
}

#[test]
fn those_who_give_are_served_before_those_who_do_not() {
    let sample = sample(8_000_000, 65536);
    let mut net = Net::new(11);
    net.join_with(Disk::full(&sample), sample.whole(), |config| {
        config.upload_limit = Some(200_000);
    });
    let mut join = |upload| {
        net.join_with(Disk::default(), sample.whole(), |config| config.upload_limit = upload)
    };
    let givers: Vec<usize> = (0..14).map(|_| join(Some(100_000))).collect();
    let takers: Vec<usize> = (0..12).map(|_| join(Some(0))).collect();
    net.run(secs(60));
    let mean = |hosts: &[usize]| {
        let bytes = hosts.iter().map(|host| net.hosts[*host].engine.torrent_view(T).unwrap());
        bytes.map(|view| view.downloaded.0).sum::<u64>() / hosts.len() as u64
    };
    let (gave, took) = (mean(&givers), mean(&takers));
    assert!(gave > took * 2, "givers got {gave} bytes, takers {took}");
}

#[test]
fn idle_line_serves_those_who_give_nothing_too() {
    let sample = sample(4_000_000, 65536);
    let mut net = Net::new(12);
    let mut disk = Disk::full(&sample);
    disk.have.remove(&7);
    let leech = net.join(disk, sample.whole());
    net.hosts[leech].path.bandwidth = 2_000_000;
    let takers: Vec<usize> = (0..6)
        .map(|_| {
            net.join_with(Disk::default(), sample.whole(), |config| {
                config.upload_limit = Some(0);
                config.peer_download_limit = Some(60_000);
            })
        })
        .collect();
    net.run(secs(60));
    for taker in takers {
        let got = net.hosts[taker].engine.torrent_view(T).unwrap().downloaded.0;
        assert!(got > 1_000_000, "{got} bytes through an idle line in a minute");
    }
}

#[test]
fn sequential_torrent_is_stored_in_order_and_one_by_rarity_is_not() {
    for sequential in [false, true] {
        let sample = sample(8_000_000, 65536);
        let mut net = Net::new(75);
        net.join(Disk::full(&sample), sample.whole());
        net.join(Disk::full(&sample), sample.whole());
        let leech = net.join(Disk::default(), sample.magnet());
        net.put(leech, Input::OrderChosen { torrent: T, sequential });
        net.run_to(leech, secs(30), is_done);
        let stored = net.hosts[leech].events.iter().filter_map(|(_, event)| match event {
            Event::PieceStored { piece, .. } => Some(piece.0 as usize),
            _ => None,
        });
        let far = stored.enumerate().map(|(at, piece)| at.abs_diff(piece)).max().unwrap();
        assert_eq!(sequential, far < 8, "a piece came {far} places out of order");
    }
}
