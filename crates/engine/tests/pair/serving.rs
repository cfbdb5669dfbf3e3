//! What is served of what a peer asks for: within limits, and nothing that it took back.

use headwater_base::PieceIndex;
use headwater_engine::CloseReason;
use headwater_wire::extended::{Extension, MetadataMessage};
use headwater_wire::{BlockSpan, Message};

use crate::disk::Disk;
use crate::net::Net;
use crate::puppet::{Puppet, first_block, left};
use crate::{T, is_done, sample, secs};

/// A seed with such a limit whose links take so little at once, and a puppet that it serves.
fn served(limit: u64, window: usize) -> (Net, usize, Puppet) {
    let sample = sample(20_000_000, 65536);
    let mut net = Net::new(41);
    let seed = net.join_with(Disk::full(&sample), sample.whole(), |config| {
        config.upload_limit = Some(limit);
    });
    net.hosts[seed].path.window = window;
    let puppet = Puppet::join(&mut net, &sample, true);
    puppet.say_extensions(&mut net, false);
    puppet.say(&mut net, &Message::HaveNone);
    puppet.say(&mut net, &Message::Interested);
    net.run(secs(1));
    assert!(puppet.heard(&net).contains(&Message::Unchoke));
    (net, seed, puppet)
}

fn refused(puppet: Puppet, net: &Net) -> Vec<BlockSpan> {
    let heard = puppet.heard(net).into_iter();
    heard
        .filter_map(|said| if let Message::Reject(span) = said { Some(span) } else { None })
        .collect()
}

#[test]
fn block_that_is_taken_back_is_refused_and_its_neighbours_come() {
    let (mut net, _, puppet) = served(20_000, 16_384);
    let block = |at: u32| BlockSpan { begin: at * 16384, ..first_block(at / 4) };
    let block = |at: u32| BlockSpan { begin: at % 4 * 16384, ..block(at) };
    for at in 0..24 {
        puppet.say(&mut net, &Message::Request(block(at)));
    }
    puppet.say(&mut net, &Message::Cancel(block(21)));
    net.run(secs(60));
    assert_eq!(refused(puppet, &net), [block(21)]);
    let heard = puppet.heard(&net);
    let came = |span: BlockSpan| {
        heard.iter().any(|said| match said {
            Message::Piece { piece, begin, .. } => (*piece, *begin) == (span.piece, span.begin),
            _ => false,
        })
    };
    let missing: Vec<u32> = (0..24).filter(|at| !came(block(*at))).collect();
    assert_eq!(missing, [21]);
}

#[test]
fn newcomer_is_served_at_once_where_those_who_have_slots_ask_for_nothing() {
    let sample = sample(600_000, 65536);
    let mut net = Net::new(42);
    let seed = net.join(Disk::full(&sample), sample.whole());
    let count = headwater_engine::limit::SLOTS_MAX + 3;
    for at in 0..count {
        let puppet = Puppet::dial(&mut net, &sample, seed);
        puppet.say(&mut net, &Message::HaveNone);
        puppet.say(&mut net, &Message::Interested);
        net.run(secs(1));
        assert!(puppet.heard(&net).contains(&Message::Unchoke), "{at} of {count} waits");
    }
}

#[test]
fn newcomer_that_had_to_wait_has_its_turn_on_a_busy_line() {
    let (mut net, seed, first) = served(20_000, 16_384);
    let sample = sample(20_000_000, 65536);
    let join = |net: &mut Net| {
        let puppet = Puppet::dial(net, &sample, seed);
        puppet.say(net, &Message::HaveNone);
        puppet.say(net, &Message::Interested);
        puppet
    };
    let others = [(); 3].map(|()| join(&mut net));
    for puppet in others.into_iter().chain([first]) {
        // They show what they take, and ask for more than ever comes.
        (0..200).for_each(|piece| puppet.say(&mut net, &Message::Have(PieceIndex(piece))));
        for at in 0..400 {
            let span = BlockSpan { begin: at % 4 * 16384, ..first_block(200 + at / 4) };
            puppet.say(&mut net, &Message::Request(span));
        }
    }
    net.run(secs(1));
    let newcomer = join(&mut net);
    net.run(secs(60));
    assert!(newcomer.heard(&net).contains(&Message::Unchoke));
}

#[test]
fn requests_beyond_what_is_kept_of_one_peer_are_refused() {
    let (mut net, _, puppet) = served(1_000, 16_384);
    for at in 0..600 {
        let span = BlockSpan { begin: at % 4 * 16384, ..first_block(at / 4) };
        puppet.say(&mut net, &Message::Request(span));
    }
    net.run(secs(2));
    let most = headwater_engine::limit::SERVED_MAX;
    let refused = refused(puppet, &net).len();
    assert!((600 - most - 8..=600 - most).contains(&refused), "{refused} of 600");
}

#[test]
fn metadata_that_is_not_there_is_refused_and_asking_over_and_over_ends_the_link() {
    let (mut net, seed, puppet) = served(1_000, 16_384);
    net.hosts[seed].path.bandwidth = 2_000;
    let blocks = net.hosts[seed].engine.metainfo(T).unwrap().info.len().div_ceil(16384) as u32;
    let ask = |net: &mut Net, piece| {
        let request = MetadataMessage::Request { piece };
        puppet.extended(net, Extension::Metadata, &request.encode());
    };
    ask(&mut net, blocks);
    net.run(secs(2));
    let own_id = Extension::Metadata.own_id();
    let heard = puppet.heard_extended(&net, own_id);
    let reject = MetadataMessage::Reject { piece: blocks }.encode().to_vec();
    assert_eq!(heard, [reject]);
    for _ in 0..headwater_engine::limit::METADATA_SERVED_MAX + 8 {
        ask(&mut net, 0);
    }
    net.run(secs(1));
    let reason = CloseReason::Rule("peer asks for metadata over and over");
    assert_eq!(left(&net, seed), Some(reason));
}

#[test]
fn peer_that_reads_nothing_of_what_it_asks_for_is_closed() {
    let (mut net, seed, puppet) = served(1_000, 1_000);
    net.hosts[seed].path.bandwidth = 1;
    // Each is refused, in 17 bytes that nobody reads.
    let wrong = BlockSpan { piece: PieceIndex(1_000_000), begin: 0, len: 16384 };
    for _ in 0..headwater_engine::limit::CONTROL_BYTES_MAX / 17 + 2_000 {
        puppet.say(&mut net, &Message::Request(wrong));
    }
    net.run(secs(5));
    let reason = CloseReason::Rule("peer reads nothing of what we say");
    assert_eq!(left(&net, seed), Some(reason));
}

#[test]
fn block_that_came_is_taken_back_from_whoever_else_was_asked() {
    let sample = sample(16384, 16384);
    let mut net = Net::new(42);
    let leech = net.join(Disk::default(), sample.whole());
    let puppets = [0, 1].map(|_| {
        let puppet = Puppet::join(&mut net, &sample, true);
        puppet.say(&mut net, &Message::HaveAll);
        puppet
    });
    puppets[0].say(&mut net, &Message::Unchoke);
    net.run(secs(8));
    puppets[1].say(&mut net, &Message::Unchoke);
    net.run(secs(1));
    assert_eq!(puppets.map(|puppet| puppet.asked(&net).len()), [1, 1]);
    // The first was called off, and brings it all the same.
    let data = sample.data.to_vec().into();
    puppets[0].say(&mut net, &Message::Piece { piece: PieceIndex(0), begin: 0, data });
    net.run(secs(1));
    assert_eq!(net.told(leech, is_done), 1);
    for puppet in puppets {
        assert!(puppet.heard(&net).contains(&Message::Cancel(first_block(0))));
    }
}

#[test]
fn pieces_of_a_peer_that_went_are_counted_no_more() {
    let sample = sample(2_000_000, 65536);
    let mut net = Net::new(43);
    let leech = net.join_with(Disk::default(), sample.whole(), |config| {
        config.download_limit = Some(1000);
    });
    let puppet = Puppet::join(&mut net, &sample, true);
    puppet.say(&mut net, &Message::HaveAll);
    net.run(secs(1));
    let rarest = |net: &Net| net.hosts[leech].engine.torrent_view(T).unwrap().rarest;
    assert_eq!(rarest(&net), Some(1));
    net.cut(puppet.host);
    net.run(secs(1));
    assert_eq!(rarest(&net), Some(0));
}
