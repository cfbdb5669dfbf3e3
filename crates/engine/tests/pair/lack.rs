//! Pieces that are lost (BEP 54) and ends that want nothing more (BEP 21).

use bytes::Bytes;
use headwater_base::PieceIndex;
use headwater_engine::{CloseReason, Event, Input, Priority, Warning};
use headwater_wire::Message;
use headwater_wire::extended::{DontHave, Extension, Handshake as Extensions};

use crate::disk::Disk;
use crate::net::Net;
use crate::puppet::{Puppet, first_block, left};
use crate::{T, is_done, sample, secs};

#[test]
fn dont_have() {
    let sample = sample(200_000, 16384);
    let mut net = Net::new(60);
    let leech = net.join(Disk::default(), sample.whole());
    let puppet = Puppet::join(&mut net, &sample, true);
    puppet.say(&mut net, &Message::HaveAll);
    net.run(secs(1));
    let seeds = |net: &Net| net.hosts[leech].engine.torrent_view(T).unwrap().seeds;
    let pieces = |net: &Net| net.hosts[leech].engine.peer_views(T)[0].pieces;
    assert_eq!((seeds(&net), pieces(&net)), (1, 13));
    puppet.extended(&mut net, Extension::DontHave, &DontHave(PieceIndex(4)).encode());
    puppet.extended(&mut net, Extension::DontHave, &DontHave(PieceIndex(4)).encode());
    net.run(secs(1));
    assert_eq!((seeds(&net), pieces(&net)), (0, 12));
    puppet.say(&mut net, &Message::Unchoke);
    net.run(secs(1));
    assert!(puppet.asked(&net).iter().all(|span| span.piece.0 != 4));
    puppet.say(&mut net, &Message::Have(PieceIndex(4)));
    net.run(secs(1));
    assert_eq!((seeds(&net), pieces(&net)), (1, 13));
    puppet.extended(&mut net, Extension::DontHave, &DontHave(PieceIndex(13)).encode());
    net.run(secs(1));
    let rule = CloseReason::Rule("peer claims pieces that do not exist");
    assert_eq!(left(&net, leech), Some(rule));
}

#[test]
fn blocks_of_a_piece_that_a_peer_lost_are_asked_of_another() {
    let sample = sample(16384, 16384);
    let mut net = Net::new(61);
    let leech = net.join(Disk::default(), sample.whole());
    let one = Puppet::join(&mut net, &sample, true);
    one.say(&mut net, &Message::HaveAll);
    one.say(&mut net, &Message::Unchoke);
    net.run(secs(1));
    assert_eq!(one.asked(&net), [first_block(0)]);
    one.extended(&mut net, Extension::DontHave, &DontHave(PieceIndex(0)).encode());
    net.run(secs(1));
    assert_eq!(one.heard(&net).last(), Some(&Message::NotInterested));
    net.join(Disk::full(&sample), sample.whole());
    net.run_to(leech, secs(10), is_done);
}

#[test]
fn lost_piece_is_told_and_refused() {
    let sample = sample(200_000, 16384);
    let mut net = Net::new(62);
    let host = net.join(Disk::full(&sample), sample.whole());
    let puppet = Puppet::join(&mut net, &sample, true);
    puppet.say_extensions(&mut net, false);
    puppet.say(&mut net, &Message::Interested);
    net.hosts[host].disk.bytes[3 * 16384..4 * 16384].fill(0);
    net.hosts[host].disk.unreadable = true;
    net.run(secs(1));
    puppet.say(&mut net, &Message::Request(first_block(3)));
    net.run_to(host, secs(5), |event| {
        matches!(event, Event::Warned { warning: Warning::PieceLost(PieceIndex(3)), .. })
    });
    net.run(secs(1));
    let id = Extension::DontHave.own_id();
    assert_eq!(puppet.heard_extended(&net, id), [vec![0, 0, 0, 3]]);
    assert!(puppet.heard(&net).contains(&Message::Reject(first_block(3))));
}

/// What a puppet heard of our wanting nothing more: in handshakes, and in messages of their own.
fn only(net: &Net, puppet: Puppet) -> (Vec<Option<bool>>, Vec<Vec<u8>>) {
    let handshakes = puppet.heard_extended(net, 0);
    let said = handshakes.iter().map(|said| Extensions::decode(said).unwrap().upload_only);
    (said.collect(), puppet.heard_extended(net, Extension::UploadOnly.own_id()))
}

#[test]
fn partial_seed_says_that_it_wants_nothing_more_and_when_it_does_again() {
    let sample = sample(200_000, 16384);
    let mut net = Net::new(63);
    let host = net.join(Disk::default(), sample.whole());
    let old = Puppet::join(&mut net, &sample, true);
    let new = Puppet::join(&mut net, &sample, true);
    new.say_extensions(&mut net, false);
    net.run(secs(1));
    for priority in [Priority::Skip, Priority::Normal] {
        net.put(host, Input::FilesChosen { torrent: T, priorities: vec![priority] });
        net.run(secs(1));
    }
    assert_eq!(only(&net, old), (vec![Some(false), Some(true), Some(false)], vec![]));
    assert_eq!(only(&net, new), (vec![Some(false)], vec![vec![1], vec![0]]));
    let seed = Puppet::join(&mut net, &sample, true);
    net.put(host, Input::FilesChosen { torrent: T, priorities: vec![Priority::Skip] });
    net.run(secs(1));
    assert_eq!(only(&net, seed).0, [Some(true)]);
}

#[test]
fn two_ends_that_want_nothing_part_when_it_is_crowded() {
    let sample = sample(200_000, 16384);
    for (says, wants) in [(true, false), (false, false), (true, true)] {
        let mut net = Net::new(64);
        let host = net.join_with(Disk::full(&sample), sample.whole(), |config| {
            config.links_per_torrent_max = 1;
        });
        let puppet = Puppet::join(&mut net, &sample, true);
        puppet.say(&mut net, &Message::Bitfield(Bytes::from_static(&[0xff, 0])));
        puppet.say_extensions(&mut net, says);
        if wants {
            puppet.say(&mut net, &Message::Interested);
        }
        net.run(secs(100));
        let useless = left(&net, host) == Some(CloseReason::Useless);
        assert_eq!(useless, says && !wants, "{says} {wants}");
    }
}
