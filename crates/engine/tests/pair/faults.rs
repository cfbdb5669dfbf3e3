//! Peers that lie, stores that break.

use headwater_base::{ByteCount, PieceIndex, ReaderId};
use headwater_engine::{Event, Input, StoreError, TorrentState, Warning};

use crate::disk::Disk;
use crate::net::Net;
use crate::{T, is_done, sample, secs};

fn is_ban(event: &Event) -> bool {
    matches!(event, Event::Warned { warning: Warning::PeerBanned { .. }, .. })
}

#[test]
fn poisoner_that_sends_whole_pieces_is_banned_at_once() {
    let sample = sample(1_000_000, 16384);
    let mut net = Net::new(40);
    let liar = net.join(Disk { spoils_every: Some(1), ..Disk::full(&sample) }, sample.whole());
    let leech = net.join(Disk::default(), sample.whole());
    net.run_to(leech, secs(30), is_ban);
    let peer = net.hosts[liar].peer;
    let banned = net.hosts[leech].events.iter().any(|(_, event)| match event {
        Event::Warned { warning: Warning::PeerBanned { peer: of, .. }, .. } => *of == peer,
        _ => false,
    });
    assert!(banned);
    assert!(net.hosts[leech].disk.have.is_empty());
    net.run(secs(300));
    assert_eq!(net.links(), 0);
    assert_eq!(net.told(leech, |event| matches!(event, Event::PeerJoined { .. })), 1);
}

#[test]
fn poisoner_among_several_senders_is_found_and_no_honest_peer_is_banned() {
    for seed in 41..49 {
        let sample = sample(4_000_000, 262_144);
        let mut net = Net::new(seed);
        let liar = net.join(Disk { spoils_every: Some(7), ..Disk::full(&sample) }, sample.whole());
        net.join(Disk::full(&sample), sample.whole());
        net.join(Disk::full(&sample), sample.whole());
        let leech = net.join(Disk::default(), sample.whole());
        net.run_to(leech, secs(120), is_done);
        assert_eq!(net.hosts[leech].disk.bytes, *sample.data);
        for (_, event) in &net.hosts[leech].events {
            if let Event::Warned { warning: Warning::PeerBanned { peer, .. }, .. } = event {
                assert_eq!(*peer, net.hosts[liar].peer);
            }
        }
        assert_eq!(net.told(leech, is_ban), 1);
    }
}

#[test]
fn full_disk_fails_the_torrent_and_resuming_goes_on() {
    let sample = sample(1_000_000, 65536);
    let mut net = Net::new(50);
    net.join(Disk::full(&sample), sample.whole());
    let leech = net.join(Disk { room: Some(5), ..Disk::default() }, sample.magnet());
    net.run_to(leech, secs(30), |event| {
        matches!(event, Event::TorrentFailed { error: StoreError::Full(_), .. })
    });
    net.run(secs(2));
    assert_eq!(net.hosts[leech].engine.torrent_view(T).unwrap().state, TorrentState::Failed);
    assert_eq!((net.links(), net.hosts[leech].disk.have.len()), (0, 5));
    net.hosts[leech].disk.room = None;
    net.put(leech, Input::TorrentResumed(T));
    net.run_to(leech, secs(60), is_done);
    assert_eq!(net.hosts[leech].disk.bytes, *sample.data);
    assert_eq!(net.hosts[leech].disk.opened, 2);
}

#[test]
fn what_the_user_doubts_is_hashed_again_whatever_its_record_says() {
    for is_open in [false, true] {
        let sample = sample(1_000_000, 65536);
        let mut net = Net::new(52);
        let host = net.join(Disk::full(&sample), sample.whole());
        net.hosts[host].disk.bytes[3 * 65536] ^= 1;
        if is_open {
            net.run(secs(1));
            assert_eq!(net.told(host, |event| matches!(event, Event::TorrentDone(_))), 1);
        }
        net.put(host, Input::TorrentDoubted(T));
        net.run(secs(1));
        let view = net.hosts[host].engine.torrent_view(T).unwrap();
        assert_eq!((view.state, net.hosts[host].disk.hashed), (TorrentState::Leeching, 16));
        let third = Warning::PieceLost(PieceIndex(3));
        let lost =
            |event: &Event| matches!(event, Event::Warned { warning, .. } if *warning == third);
        assert_eq!(net.told(host, lost), 1);
        assert_eq!(net.told(host, |event| matches!(event, Event::Warned { .. })), 1);
        net.join(Disk::full(&sample), sample.whole());
        net.run_to(host, secs(60), is_done);
        assert_eq!(net.hosts[host].disk.bytes, *sample.data);
    }
}

#[test]
fn unreadable_piece_is_hashed_again_and_fetched_again_when_it_is_gone() {
    let sample = sample(1_000_000, 65536);
    let mut net = Net::new(51);
    let one = net.join(Disk::full(&sample), sample.whole());
    net.join(Disk::full(&sample), sample.whole());
    net.hosts[one].disk.unreadable = true;
    net.hosts[one].disk.bytes.fill(0);
    let leech = net.join(Disk::default(), sample.magnet());
    net.run_to(leech, secs(60), is_done);
    let lost =
        |event: &Event| matches!(event, Event::Warned { warning: Warning::PieceLost(_), .. });
    assert!(net.told(one, lost) > 0);
}

#[test]
fn place_that_takes_nothing_shares_what_it_has_and_fetches_nothing() {
    let sample = sample(1_000_000, 65536);
    let mut net = Net::new(53);
    let disk = Disk { read_only: true, doubtful: [5].into(), ..Disk::full(&sample) };
    let fixed = net.join(disk, sample.whole());
    net.hosts[fixed].disk.have.remove(&5);
    for spoiled in [3, 5] {
        net.hosts[fixed].disk.bytes[spoiled * 65536] ^= 1;
    }
    net.put(fixed, Input::TorrentDoubted(T));
    net.run(secs(1));
    let reader = ReaderId(1);
    let (start, end) = (ByteCount(5 * 65536), ByteCount(6 * 65536));
    net.put(fixed, Input::ReaderMoved { reader, torrent: T, start, end });
    let leech = net.join(Disk::default(), sample.whole());
    net.run(secs(60));
    assert_eq!(net.hosts[leech].disk.have.len(), 14, "all but what was spoiled");
    net.join(Disk::full(&sample), sample.whole());
    net.run_to(leech, secs(60), is_done);
    net.run(secs(60));
    let view = net.hosts[fixed].engine.torrent_view(T).unwrap();
    assert_eq!((view.state, view.downloaded), (TorrentState::Seeding, ByteCount(0)));
    assert_eq!(view.wanted.0 - view.wanted_stored.0, 2 * 65536);
    let lost = |event: &Event| {
        matches!(event, Event::Warned { warning: Warning::PieceLost(PieceIndex(3)), .. })
    };
    assert_eq!(net.told(fixed, lost), 1);
    assert_eq!(net.told(fixed, is_done), 1);
}
