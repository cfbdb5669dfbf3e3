//! Super seeding (BEP 16): what a seed shows to whom, and how little it sends twice.

use headwater_base::PieceIndex;
use headwater_engine::Input;
use headwater_wire::Message;

use crate::disk::Disk;
use crate::net::Net;
use crate::puppet::{Puppet, first_block};
use crate::{Sample, T, is_done, sample, secs};

fn super_seed(seed: u8, sample: &Sample) -> (Net, usize) {
    let mut net = Net::new(seed);
    let host = net.join(Disk::full(sample), sample.whole());
    net.put(host, Input::SuperSeedChosen { torrent: T, on: true });
    (net, host)
}

#[test]
fn next_piece_is_shown_once_the_last_was_seen_elsewhere() {
    let sample = sample(200_000, 16384);
    let (mut net, _) = super_seed(70, &sample);
    let one = Puppet::join(&mut net, &sample, true);
    one.say(&mut net, &Message::HaveNone);
    let two = Puppet::join(&mut net, &sample, true);
    two.say(&mut net, &Message::HaveNone);
    net.run(secs(20));
    assert_eq!(one.heard(&net)[0], Message::HaveNone);
    // Alone, the first was shown several; from here on it waits.
    let (before, shown) = (one.told(&net), two.told(&net));
    assert_eq!((before.len(), shown.len()), (8, 1));
    assert!(!before.contains(&shown[0]), "one piece is shown twice");
    two.say(&mut net, &Message::Have(PieceIndex(shown[0])));
    net.run(secs(5));
    assert_eq!(two.told(&net).len(), 1, "the next is shown before the last is elsewhere");
    one.say(&mut net, &Message::Have(PieceIndex(shown[0])));
    net.run(secs(5));
    assert_eq!(two.told(&net).len(), 2);
    // Who passes nothing on is not stuck for ever.
    net.run(secs(80));
    assert_eq!(two.told(&net).len(), 3);
}

#[test]
fn piece_that_was_not_shown_is_refused() {
    let sample = sample(200_000, 16384);
    let (mut net, _) = super_seed(71, &sample);
    let puppet = Puppet::join(&mut net, &sample, true);
    net.run(secs(1));
    puppet.say(&mut net, &Message::Interested);
    net.run(secs(1));
    let shown = puppet.told(&net);
    let hidden = (0..13).find(|piece| !shown.contains(piece)).unwrap();
    for piece in [hidden, shown[0]] {
        puppet.say(&mut net, &Message::Request(first_block(piece)));
    }
    net.run(secs(1));
    let heard = puppet.heard(&net);
    assert!(heard.contains(&Message::Reject(first_block(hidden))));
    let sent = |said: &Message| matches!(said, Message::Piece { piece, .. } if piece.0 == shown[0]);
    assert!(heard.iter().any(sent));
}

#[test]
fn lone_leech_gets_everything_at_nearly_full_speed() {
    let sample = sample(4_000_000, 65536);
    let (mut net, _) = super_seed(72, &sample);
    let leech = net.join(Disk::default(), sample.magnet());
    let done = net.run_to(leech, secs(60), is_done);
    assert!(done.as_micros() < 4_000_000, "{done:?}");
}

#[test]
fn swarm_finishes_though_little_leaves_the_seed_twice() {
    let sample = sample(4_000_000, 65536);
    let sent = |on| {
        let mut net = Net::new(73);
        let host = net.join(Disk::full(&sample), sample.whole());
        net.put(host, Input::SuperSeedChosen { torrent: T, on });
        net.hosts[host].path.bandwidth = 100_000;
        let leeches: Vec<usize> =
            (0..6).map(|_| net.join(Disk::default(), sample.whole())).collect();
        let all = |net: &Net| leeches.iter().all(|leech| net.told(*leech, is_done) == 1);
        let done = net.run_until(secs(1200), all);
        assert!(done.is_some(), "super {on}");
        net.hosts[host].engine.torrent_view(T).unwrap().uploaded.0
    };
    let (revealed, plain) = (sent(true), sent(false));
    assert!(revealed * 10 < 4_000_000 * 15, "{revealed} bytes sent of 4 MB, {plain} otherwise");
    assert!(revealed < plain, "{revealed} bytes sent, {plain} otherwise");
}

#[test]
fn peers_are_told_everything_when_super_seeding_ends() {
    let sample = sample(200_000, 16384);
    let (mut net, host) = super_seed(74, &sample);
    let puppet = Puppet::join(&mut net, &sample, true);
    net.run(secs(1));
    net.put(host, Input::SuperSeedChosen { torrent: T, on: false });
    net.run(secs(1));
    let mut told = puppet.told(&net);
    told.sort_unstable();
    assert_eq!(told, (0..13).collect::<Vec<u32>>());
    let later = Puppet::join(&mut net, &sample, true);
    net.run(secs(1));
    assert_eq!(later.heard(&net)[0], Message::HaveAll);
}

#[test]
fn leech_that_was_told_to_super_seed_is_an_ordinary_leech() {
    let sample = sample(1_000_000, 65536);
    let mut net = Net::new(75);
    net.join(Disk::full(&sample), sample.whole());
    let leech = net.join(Disk::default(), sample.magnet());
    net.put(leech, Input::SuperSeedChosen { torrent: T, on: true });
    net.run_to(leech, secs(30), is_done);
    let other = net.join(Disk::default(), sample.magnet());
    net.run_to(other, secs(60), is_done);
}
