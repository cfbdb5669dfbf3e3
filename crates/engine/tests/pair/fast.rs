//! The fast extension (BEP 6), and what peers may say of their pieces in which order. Tests named
//! like libtorrent's play the same situations (`test_peer_connection`, `test_fast_extension`).

use bytes::Bytes;
use headwater_base::PieceIndex;
use headwater_engine::{CloseReason, Event};
use headwater_wire::Message;

use crate::disk::Disk;
use crate::net::Net;
use crate::puppet::{Puppet, first_block, left};
use crate::{Sample, is_done, sample, secs};

/// Plays messages to a host, and answers what became of the link and whether the peer counts as
/// having pieces.
fn plays(seeding: bool, messages: &[Message]) -> (Option<CloseReason>, u32) {
    let sample = sample(200_000, 16384);
    let mut net = Net::new(30);
    let disk = if seeding { Disk::full(&sample) } else { Disk::default() };
    let host = net.join(disk, sample.whole());
    let puppet = Puppet::join(&mut net, &sample, true);
    for message in messages {
        puppet.say(&mut net, message);
    }
    net.run(secs(5));
    let views = net.hosts[host].engine.peer_views(crate::T);
    (left(&net, host), views.first().map_or(0, |view| view.pieces))
}

/// A bitfield of 13 pieces.
fn bits(full: bool) -> Message {
    Message::Bitfield(Bytes::from_static(if full { &[0xff, 0xf8] } else { &[0x20, 0] }))
}

#[test]
fn alternate_have_all_have_none() {
    use Message::{HaveAll, HaveNone};
    let both = [HaveAll, HaveNone, HaveAll, HaveNone];
    assert_eq!(plays(false, &both), (None, 0));
    assert_eq!(plays(false, &both[..3]), (None, 13));
}

#[test]
fn alternate_have_all_have_none_seed() {
    use Message::{HaveAll, HaveNone};
    assert_eq!(plays(true, &[HaveAll, HaveNone, HaveAll, HaveNone]), (None, 0));
}

#[test]
fn bitfield_and_have_none() {
    assert_eq!(plays(false, &[bits(false), Message::HaveNone]), (None, 0));
}

#[test]
fn bitfield_and_have_all() {
    assert_eq!(plays(false, &[bits(false), Message::HaveAll]), (None, 13));
}

#[test]
fn full_bitfield_and_have_all() {
    assert_eq!(plays(false, &[bits(true), Message::HaveAll]), (None, 13));
}

#[test]
fn full_bitfield_and_have_none() {
    assert_eq!(plays(false, &[bits(true), Message::HaveNone]), (None, 0));
}

#[test]
fn multiple_bitfields() {
    assert_eq!(plays(false, &[bits(false), bits(true), bits(false)]), (None, 1));
}

#[test]
fn short_bitfield_and_long_bitfield() {
    let long = Message::Bitfield(Bytes::from_static(&[0xff, 0xf8, 0]));
    for wrong in [Message::Bitfield(Bytes::from_static(&[0xff])), long] {
        assert!(plays(false, &[wrong]).0.is_some());
    }
}

#[test]
fn have_all_invalid_msg() {
    let invalid = Message::Extended { id: 0, payload: Bytes::from_static(b"x") };
    assert!(matches!(
        plays(false, &[Message::HaveAll, invalid]).0,
        Some(CloseReason::Malformed(_))
    ));
}

#[test]
fn peer_that_never_ceases_to_say_what_it_has_is_closed() {
    let many: Vec<Message> = (0..17).map(|_| Message::HaveAll).collect();
    assert_eq!(plays(false, &many[..16]), (None, 13));
    let rule = CloseReason::Rule("peer says too often what it has");
    assert_eq!(plays(false, &many).0, Some(rule));
}

#[test]
fn fast_messages_of_a_peer_that_did_not_offer_them_end_the_link() {
    let sample = sample(200_000, 16384);
    for message in [
        Message::HaveAll,
        Message::HaveNone,
        Message::Suggest(PieceIndex(0)),
        Message::AllowedFast(PieceIndex(0)),
        Message::Reject(first_block(0)),
    ] {
        let mut net = Net::new(31);
        let host = net.join(Disk::default(), sample.whole());
        let puppet = Puppet::join(&mut net, &sample, false);
        puppet.say(&mut net, &message);
        net.run(secs(2));
        let rule = CloseReason::Rule("peer uses the fast extension unoffered");
        assert_eq!(left(&net, host), Some(rule), "{message:?}");
    }
}

#[test]
fn peer_without_the_fast_extension_hears_none_of_it() {
    let sample = sample(200_000, 16384);
    let mut net = Net::new(32);
    net.join(Disk::full(&sample), sample.whole());
    let puppet = Puppet::join(&mut net, &sample, false);
    puppet.say(&mut net, &Message::Request(first_block(0)));
    puppet.say(&mut net, &Message::Interested);
    puppet.say(&mut net, &Message::Cancel(first_block(1)));
    net.run(secs(2));
    let heard = puppet.heard(&net);
    assert_eq!(heard[0], bits(true));
    assert!(
        heard[1..].iter().all(|said| matches!(said, Message::Extended { .. } | Message::Unchoke))
    );
}

#[test]
fn every_refused_request_is_rejected_once() {
    let sample = sample(200_000, 16384);
    let mut net = Net::new(33);
    let host = net.join(Disk::full(&sample), sample.whole());
    net.hosts[host].path.bandwidth = 1_000;
    let puppet = Puppet::join(&mut net, &sample, true);
    puppet.say(&mut net, &Message::Interested);
    net.run(secs(1));
    for piece in 0..12 {
        puppet.say(&mut net, &Message::Request(first_block(piece)));
    }
    puppet.say(&mut net, &Message::Cancel(first_block(11)));
    puppet.say(&mut net, &Message::NotInterested);
    puppet.say(&mut net, &Message::Request(first_block(12)));
    net.run(secs(600));
    let heard = puppet.heard(&net);
    for piece in 1..12 {
        let answers = heard.iter().filter(|said| match said {
            Message::Piece { piece: of, .. } => of.0 == piece,
            Message::Reject(span) => span.piece.0 == piece,
            _ => false,
        });
        assert_eq!(answers.count(), 1, "piece {piece}");
    }
    let refused = Message::Reject(first_block(12));
    assert_eq!(heard.iter().filter(|said| **said == refused).count(), 1);
}

/// A leech linked to a choking puppet that has everything.
fn choked(seed: u8, sample: &Sample, says: &[Message]) -> (Net, usize, Puppet) {
    let mut net = Net::new(seed);
    let leech = net.join(Disk::default(), sample.whole());
    let puppet = Puppet::join(&mut net, sample, true);
    for message in says {
        puppet.say(&mut net, message);
    }
    net.run(secs(2));
    (net, leech, puppet)
}

#[test]
fn only_allowed_pieces_are_asked_of_a_peer_that_chokes() {
    let sample = sample(200_000, 16384);
    let allowed = [Message::HaveAll, Message::AllowedFast(PieceIndex(7))];
    let (mut net, leech, puppet) = choked(34, &sample, &allowed);
    assert_eq!(puppet.asked(&net), [first_block(7)]);
    // A choke does not end what is allowed; what comes is taken.
    puppet.say(&mut net, &Message::Choke);
    let data = sample.data[7 * 16384..8 * 16384].to_vec().into();
    puppet.say(&mut net, &Message::Piece { piece: PieceIndex(7), begin: 0, data });
    net.run_to(leech, secs(5), |event| matches!(event, Event::PieceStored { .. }));
    assert_eq!(puppet.asked(&net).len(), 1);
}

#[test]
fn reject_fast() {
    let sample = sample(200_000, 16384);
    let allowed = [Message::HaveAll, Message::AllowedFast(PieceIndex(7))];
    let (mut net, _, puppet) = choked(35, &sample, &allowed);
    puppet.say(&mut net, &Message::Reject(first_block(7)));
    net.run(secs(60));
    assert_eq!(puppet.asked(&net).len(), 1, "a refused piece is asked for again");
}

#[test]
fn allowed_fast_that_does_not_exist_is_ignored() {
    let sample = sample(200_000, 16384);
    let says = [Message::HaveAll, Message::AllowedFast(PieceIndex(13))];
    let (net, leech, puppet) = choked(36, &sample, &says);
    assert_eq!((puppet.asked(&net).len(), left(&net, leech)), (0, None));
}

#[test]
fn allowed_fast_survives_metadata() {
    let sample = sample(200_000, 16384);
    let mut net = Net::new(37);
    let leech = net.join(Disk::default(), sample.magnet());
    let puppet = Puppet::join(&mut net, &sample, true);
    puppet.say(&mut net, &Message::HaveAll);
    puppet.say(&mut net, &Message::AllowedFast(PieceIndex(12)));
    puppet.say(&mut net, &Message::AllowedFast(PieceIndex(u32::MAX)));
    net.run(secs(1));
    net.put(
        leech,
        headwater_engine::Input::TorrentAdded { torrent: crate::T, add: Box::new(sample.whole()) },
    );
    net.run(secs(2));
    let asked = puppet.asked(&net);
    assert!(asked.len() == 1 && asked[0].piece == PieceIndex(12), "{asked:?}");
}

#[test]
fn suggested_piece_comes_first_where_nothing_is_rarer() {
    let sample = sample(200_000, 16384);
    let mut first = Vec::new();
    for piece in [3, 9] {
        let suggests = [Message::HaveAll, Message::Suggest(PieceIndex(piece))];
        let (mut net, _, puppet) = choked(38, &sample, &suggests);
        puppet.say(&mut net, &Message::Suggest(PieceIndex(u32::MAX)));
        puppet.say(&mut net, &Message::Unchoke);
        net.run(secs(1));
        first.push(puppet.asked(&net)[0].piece.0);
    }
    assert_eq!(first, [3, 9]);
}

#[test]
fn granted_pieces_are_served_once_to_a_starting_peer_that_is_choked() {
    let sample = sample(20_000_000, 16384);
    let mut net = Net::new(39);
    net.join_with(Disk::full(&sample), sample.whole(), |config| config.allowed_fast = 5);
    let puppet = Puppet::join(&mut net, &sample, true);
    puppet.say(&mut net, &Message::HaveNone);
    net.run(secs(1));
    let heard = puppet.heard(&net);
    let granted: Vec<u32> = heard
        .iter()
        .filter_map(|said| match said {
            Message::AllowedFast(piece) => Some(piece.0),
            _ => None,
        })
        .collect();
    assert_eq!(granted.len(), 5);
    assert!(!heard.contains(&Message::Unchoke));
    let other = (0..).find(|piece| !granted.contains(piece)).unwrap();
    for piece in [granted[0], other, granted[0]] {
        puppet.say(&mut net, &Message::Request(first_block(piece)));
    }
    net.run(secs(1));
    let heard = puppet.heard(&net);
    let sent = |of: u32| {
        heard
            .iter()
            .filter(move |said| matches!(said, Message::Piece { piece, .. } if piece.0 == of))
    };
    let refused = |of: u32| {
        heard.iter().filter(move |said| matches!(said, Message::Reject(span) if span.piece.0 == of))
    };
    assert_eq!((sent(granted[0]).count(), refused(granted[0]).count()), (1, 1));
    assert_eq!((sent(other).count(), refused(other).count()), (0, 1));
}

#[test]
fn nothing_is_granted_by_default_and_whole_transfers_need_no_grant() {
    let sample = sample(400_000, 16384);
    let mut net = Net::new(40);
    net.join(Disk::full(&sample), sample.whole());
    let puppet = Puppet::join(&mut net, &sample, true);
    puppet.say(&mut net, &Message::Interested);
    let leech = net.join(Disk::default(), sample.magnet());
    net.run_to(leech, secs(30), is_done);
    assert!(!puppet.heard(&net).iter().any(|said| matches!(said, Message::AllowedFast(_))));
}
