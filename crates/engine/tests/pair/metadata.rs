//! Metadata from peers that lie about it, lack it or get it late.

use std::sync::Arc;

use headwater_base::InfoHash;
use headwater_engine::{AddTorrent, CloseReason, Event, Warning};
use headwater_metainfo::{RawPublication, Torrent};
use headwater_wire::extended::{Handshake as Extended, MetadataMessage};
use headwater_wire::{Decoder, Handshake, Message, Reserved};

use crate::disk::Disk;
use crate::made::{Kind, made};
use crate::net::Net;
use crate::{Sample, T, is_done, sample, secs};

fn wire(message: &Message) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.encode(&mut bytes);
    bytes
}

/// Has a puppet greet like a peer that has metadata of `size` bytes, or does not say.
fn greet(net: &mut Net, host: usize, sample: &Sample, size: Option<u32>) -> headwater_base::LinkId {
    let link = net.puppet_link(host);
    let reserved = Reserved::default().with_extension().with_fast();
    let peer_id = net.hosts[host].peer;
    let greeting = Handshake { info_hash: sample.hash(), peer_id, reserved };
    net.say(host, link, greeting.to_bytes().to_vec());
    let payload = Extended { metadata_size: size, ..Extended::ours() }.encode();
    net.say(host, link, wire(&Message::Extended { id: 0, payload }));
    link
}

/// The metadata messages a puppet heard.
fn heard(net: &Net, host: usize) -> Vec<MetadataMessage> {
    let mut decoder = Decoder::new();
    let first = net.hosts[host].heard.values().next().expect("a link");
    decoder.push(first.clone().into());
    decoder.next_handshake().unwrap().unwrap();
    let messages = std::iter::from_fn(|| decoder.next_message().unwrap());
    messages
        .filter_map(|message| match message {
            Message::Extended { id: 1, payload } => MetadataMessage::decode(&payload).unwrap(),
            _ => None,
        })
        .collect()
}

fn give(net: &mut Net, host: usize, link: headwater_base::LinkId, message: &MetadataMessage) {
    net.say(host, link, wire(&Message::Extended { id: 1, payload: message.encode() }));
}

#[test]
fn metadata_of_many_blocks_comes_from_several_peers() {
    let sample = sample(44_000_000, 16384);
    assert!(sample.torrent.info.len() > 3 * 16384);
    let mut net = Net::new(60);
    net.join(Disk::full(&sample), sample.whole());
    net.join(Disk::full(&sample), sample.whole());
    let leech = net.join(Disk::default(), sample.magnet());
    net.run_to(leech, secs(30), |event| matches!(event, Event::MetadataKnown(_)));
}

#[test]
fn false_metadata_gets_its_only_sender_banned() {
    let sample = sample(200_000, 65536);
    let mut net = Net::new(61);
    let leech = net.join(Disk::default(), sample.magnet());
    let liar = net.join_puppet(sample.magnet());
    let link = greet(&mut net, liar, &sample, Some(100));
    net.run(secs(1));
    assert_eq!(heard(&net, liar), [MetadataMessage::Request { piece: 0 }]);
    let data = vec![0; 100].into();
    give(&mut net, liar, link, &MetadataMessage::Data { piece: 0, total_size: Some(100), data });
    net.run_to(leech, secs(10), |event| {
        matches!(event, Event::PeerLeft { reason: CloseReason::FalseMetadata, .. })
    });
    let peer = net.hosts[liar].peer;
    let warned = |event: &Event| match event {
        Event::Warned { warning: Warning::MetadataFalse { peer: of }, .. } => *of == peer,
        _ => false,
    };
    assert_eq!(net.told(leech, warned), 1);
    net.join(Disk::full(&sample), sample.whole());
    net.run_to(leech, secs(200), is_done);
}

#[test]
fn metadata_of_a_magnet_with_two_hashes_must_have_both() {
    let honest = made(Kind::Hybrid, &[200_000], 65536);
    let (v1, v2) = (honest.hash(), honest.torrent.info_hash_v2);
    let other = InfoHash([9; 20]);
    for (v1, v2, taken) in [(v1, v2, 1), (v1, Some([9; 32]), 0), (other, v2, 0)] {
        let torrent = Torrent::clone(&honest.torrent);
        let torrent = Arc::new(Torrent { info_hash: v1, info_hash_v2: v2, ..torrent });
        let sample = Sample { torrent, ..honest.clone() };
        let mut net = Net::new(68);
        let leech = net.join(Disk::default(), sample.magnet());
        let giver = net.join_puppet(sample.magnet());
        let data = honest.torrent.info.clone();
        let total_size = Some(data.len() as u32);
        let link = greet(&mut net, giver, &sample, total_size);
        net.run(secs(1));
        give(&mut net, giver, link, &MetadataMessage::Data { piece: 0, total_size, data });
        net.run(secs(1));
        let known = net.told(leech, |event| matches!(event, Event::MetadataKnown(_)));
        let refused = net.told(leech, |event| {
            matches!(event, Event::Warned { warning: Warning::MetadataFalse { .. }, .. })
        });
        assert_eq!((known, refused), (taken, 1 - taken), "{v1:?} {v2:?}");
    }
}

#[test]
fn peer_that_names_no_size_is_asked_all_the_same() {
    let sample = sample(200_000, 65536);
    let mut net = Net::new(62);
    let leech = net.join(Disk::default(), sample.magnet());
    let shy = net.join_puppet(sample.magnet());
    let link = greet(&mut net, shy, &sample, None);
    net.run(secs(1));
    assert_eq!(heard(&net, shy), [MetadataMessage::Request { piece: 0 }]);
    let data = sample.torrent.info.clone();
    let total_size = Some(data.len() as u32);
    give(&mut net, shy, link, &MetadataMessage::Data { piece: 0, total_size, data });
    net.run_to(leech, secs(5), |event| matches!(event, Event::MetadataKnown(_)));
}

#[test]
fn peer_that_lacked_metadata_is_asked_again_later() {
    let sample = sample(200_000, 65536);
    let mut net = Net::new(63);
    net.join(Disk::default(), sample.magnet());
    let late = net.join_puppet(sample.magnet());
    let link = greet(&mut net, late, &sample, None);
    net.run(secs(1));
    give(&mut net, late, link, &MetadataMessage::Reject { piece: 0 });
    net.run(secs(5));
    assert_eq!(heard(&net, late).len(), 1);
    net.run(secs(15));
    assert_eq!(heard(&net, late).len(), 2);
}

#[test]
fn absurd_size_is_not_believed() {
    let sample = sample(200_000, 65536);
    let mut net = Net::new(64);
    net.join(Disk::default(), sample.magnet());
    let liar = net.join_puppet(sample.magnet());
    greet(&mut net, liar, &sample, Some(u32::MAX));
    net.run(secs(3));
    assert_eq!(heard(&net, liar), []);
}

#[test]
fn two_magnet_peers_get_metadata_when_a_third_brings_it() {
    let sample = sample(500_000, 65536);
    let mut net = Net::new(65);
    let one = net.join(Disk::default(), sample.magnet());
    let two = net.join(Disk::default(), sample.magnet());
    net.run(secs(20));
    let mut seed = AddTorrent { ..sample.whole() };
    seed.name = Some("sample".to_owned());
    net.join(Disk::full(&sample), seed);
    net.run_to(one, secs(200), is_done);
    net.run(secs(30));
    assert_eq!(net.told(two, is_done), 1);
}

#[test]
fn what_a_link_says_of_the_publisher_stays_with_the_metadata_that_peers_bring() {
    let sample = sample(200_000, 65536);
    let said = RawPublication::read(b"d1:xi1ee");
    let mut net = Net::new(67);
    net.join(Disk::full(&sample), sample.whole());
    let add = AddTorrent { publication: said.clone(), ..sample.magnet() };
    let leech = net.join(Disk::default(), add);
    let silent = net.join(Disk::default(), sample.magnet());
    net.run(secs(60));
    for (host, expect) in [(leech, said), (silent, None)] {
        assert_eq!(net.told(host, is_done), 1);
        let known = net.hosts[host].engine.metainfo(T).expect("it is known");
        assert_eq!(known.publication, expect);
        assert_eq!(known.info, sample.torrent.info);
    }
}

#[test]
fn slow_liar_about_the_size_does_not_hold_a_magnet() {
    let sample = sample(200_000, 65536);
    let mut net = Net::new(66);
    let leech = net.join(Disk::default(), sample.magnet());
    let liar = net.join_puppet(sample.magnet());
    let size = 16 * 1024 * 1024;
    let link = greet(&mut net, liar, &sample, Some(size));
    net.run(secs(1));
    net.join(Disk::full(&sample), sample.whole());
    let (mut given, mut rounds) = (0, 0);
    // Everything asked for comes, five seconds late: no block is ever overdue, and all take hours.
    while net.told(leech, |event| matches!(event, Event::MetadataKnown(_))) == 0 {
        assert!(rounds < 8, "still held after {given} blocks");
        for asked in heard(&net, liar).split_off(given) {
            let MetadataMessage::Request { piece } = asked else { panic!("{asked:?}") };
            let data = vec![0; 16384].into();
            let block = MetadataMessage::Data { piece, total_size: Some(size), data };
            give(&mut net, liar, link, &block);
            given += 1;
        }
        net.run(secs(5));
        rounds += 1;
    }
    net.run(secs(60));
    assert_eq!(net.told(leech, is_done), 1);
}

#[test]
fn sizes_that_no_metadata_has_are_believed_by_nobody() {
    for size in ["-1", "0", "2147483648", "4294967296", "9223372036854775807"] {
        let sample = sample(200_000, 65536);
        let mut net = Net::new(67);
        let leech = net.join(Disk::default(), sample.magnet());
        let liar = net.join_puppet(sample.magnet());
        let link = greet(&mut net, liar, &sample, None);
        let again = format!("d1:md11:ut_metadatai1ee13:metadata_sizei{size}ee");
        net.say(liar, link, wire(&Message::Extended { id: 0, payload: again.into() }));
        net.run(secs(1));
        let data = format!("d8:msg_typei1e5:piecei0e10:total_sizei{size}eeabc");
        net.say(liar, link, wire(&Message::Extended { id: 1, payload: data.into() }));
        net.run(secs(3));
        let asked = heard(&net, liar);
        assert!(asked.iter().all(|one| *one == MetadataMessage::Request { piece: 0 }), "{size}");
        net.join(Disk::full(&sample), sample.whole());
        net.run_to(leech, secs(60), is_done);
    }
}
