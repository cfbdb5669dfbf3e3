//! BitTorrent v2 and hybrids between engines: magnets without layers, blocks verified one by one,
//! liars of every kind, torrents that contradict themselves.

use std::collections::BTreeSet;

use headwater_base::{ByteCount, InfoHash, PeerId, PieceIndex, ReaderId};
use headwater_engine::limit::CHECKS_MAX;
use headwater_engine::{AddTorrent, CloseReason, Event, Input, StoreError, Warning};
use headwater_metainfo::Version;
use headwater_wire::{BlockSpan, Handshake, Message, Reserved};

use crate::claims::{heard, wire};
use crate::disk::Disk;
use crate::made::{Kind, made};
use crate::net::Net;
use crate::puppet::Puppet;
use crate::{Sample, T, is_done, secs};

const R: ReaderId = ReaderId(1);

fn banned(net: &Net, host: usize) -> Vec<PeerId> {
    let bans = net.hosts[host].events.iter().filter_map(|(_, event)| match event {
        Event::Warned { warning: Warning::PeerBanned { peer, .. }, .. } => Some(*peer),
        _ => None,
    });
    bans.collect()
}

fn joins(event: &Event) -> bool {
    matches!(event, Event::PeerJoined { .. })
}

/// A hybrid's magnet that names v2 alone.
fn by_v2(sample: &Sample) -> AddTorrent {
    let info_hash = InfoHash::cut(&sample.torrent.info_hash_v2.unwrap());
    AddTorrent { info_hash, ..sample.magnet() }
}

fn poisoner(sample: &Sample, every: u32) -> Disk {
    Disk { spoils_every: Some(every), ..Disk::full(sample) }
}

fn whole_way(kind: Kind, seed: u8, lens: &[usize]) {
    let sample = made(kind, lens, 65536);
    let mut net = Net::new(seed);
    net.join(Disk::full(&sample), sample.whole());
    let leech = net.join(Disk::default(), sample.magnet());
    net.run_to(leech, secs(60), is_done);
    assert_eq!(net.hosts[leech].disk.bytes, *sample.data);
    let known = net.hosts[leech].engine.metainfo(T).unwrap();
    assert_eq!(known.layerless_files().count(), 0);
    assert_eq!(banned(&net, leech), []);
}

#[test]
fn v2_magnet_without_layers_is_fetched_whole() {
    whole_way(Kind::V2, 110, &[3_000_000]);
}

#[test]
fn v2_of_many_files_of_every_size_is_fetched_whole() {
    whole_way(Kind::V2, 111, &[1, 16384, 16385, 65536, 65537, 0, 200_000, 1_000_003, 40_000]);
}

#[test]
fn hybrid_magnet_is_fetched_whole_with_its_layers() {
    whole_way(Kind::Hybrid, 112, &[1, 70_000, 65536, 1_000_003, 40_000]);
}

#[test]
fn a_whole_block_where_a_file_of_v2_ends_is_served_with_zeros_as_libtorrent_takes_it() {
    let sample = made(Kind::V2, &[20_000, 40_000], 65536);
    let mut net = Net::new(119);
    net.join(Disk::full(&sample), sample.whole());
    let puppet = Puppet::join(&mut net, &sample, true);
    puppet.say(&mut net, &Message::Interested);
    net.run(secs(1));
    let ask = |begin, len| BlockSpan { piece: PieceIndex(0), begin, len };
    let beyond = [ask(16384, 16385), ask(20_000, 16), ask(32768, 16384)];
    for span in [ask(0, 16384), ask(16384, 16384)].iter().chain(&beyond) {
        puppet.say(&mut net, &Message::Request(*span));
    }
    net.run(secs(1));
    let said = puppet.heard(&net);
    let mut given = vec![0; 32768];
    for message in &said {
        if let Message::Piece { begin, data, .. } = message {
            given[*begin as usize..][..data.len()].copy_from_slice(data);
        }
    }
    let mut right = sample.data[..20_000].to_vec();
    right.resize(32768, 0);
    assert!(given == right, "the file and zeros after it");
    assert!(beyond.map(Message::Reject).iter().all(|no| said.contains(no)), "{said:?}");
}

#[test]
fn layers_longer_than_one_request_come_with_proofs() {
    let sample = made(Kind::V2, &[1500 * 16384 + 5, 40_000], 16384);
    let mut net = Net::new(113);
    net.join(Disk::full(&sample), sample.whole());
    net.join(Disk::full(&sample), sample.whole());
    let leech = net.join(Disk::default(), sample.magnet());
    net.run_to(leech, secs(60), |event| matches!(event, Event::MetadataKnown(_)));
    let known = net.hosts[leech].engine.metainfo(T).unwrap();
    assert_eq!(known.layerless_files().count(), 0);
}

#[test]
fn hybrid_magnet_of_its_v2_name_alone_is_fetched() {
    let sample = made(Kind::Hybrid, &[300_000, 70_000], 65536);
    for leech_first in [false, true] {
        let mut net = Net::new(114);
        let mut seed = None;
        if !leech_first {
            seed = Some(net.join(Disk::full(&sample), sample.whole()));
        }
        let leech = net.join(Disk::default(), by_v2(&sample));
        net.run(secs(60));
        let seed = seed.unwrap_or_else(|| net.join(Disk::full(&sample), sample.whole()));
        net.run(secs(30));
        assert_eq!(net.told(leech, is_done), 1);
        assert_eq!(net.hosts[leech].engine.metainfo(T).unwrap().version(), Version::Hybrid);
        // Both are in both swarms by then, and linked once all the same.
        net.run(secs(600));
        assert_eq!((net.links(), net.told(seed, joins)), (1, 1));
    }
}

#[test]
fn hybrid_of_which_each_side_knows_another_name_is_fetched_from_who_knows_both() {
    let sample = made(Kind::Hybrid, &[300_000, 70_000], 65536);
    let mut net = Net::new(136);
    net.join(Disk::full(&sample), sample.whole());
    let by_v1 = net.join(Disk::default(), AddTorrent { info_hash_v2: None, ..sample.magnet() });
    let by_v2 = net.join(Disk::default(), by_v2(&sample));
    net.join(Disk::default(), sample.v1_only());
    net.run(secs(60));
    for host in [by_v1, by_v2, 3] {
        assert_eq!(net.told(host, is_done), 1, "host {host}");
    }
}

#[test]
fn hybrid_met_by_its_v2_name_is_greeted_by_it_whatever_the_other_says() {
    let sample = made(Kind::Hybrid, &[200_000], 65536);
    let cut = by_v2(&sample).info_hash;
    // libtorrent 2.1 says nothing where it knows v2 alone, and v1 where it knows both.
    for (says, speaks_v2) in [(cut, false), (InfoHash([0; 20]), false), (sample.hash(), true)] {
        let mut net = Net::new(137);
        let host = net.join(Disk::full(&sample), sample.whole());
        let guest = net.join_puppet(by_v2(&sample));
        let link = net.puppet_link(guest);
        net.run(secs(1));
        let mut decoder = headwater_wire::Decoder::new();
        decoder.push(net.hosts[guest].heard[&link].clone().into());
        let greeting = decoder.next_handshake().unwrap().unwrap();
        assert_eq!((greeting.info_hash, greeting.reserved.has_v2()), (cut, false));
        let reserved = Reserved::default().with_fast();
        let reserved = if speaks_v2 { reserved.with_v2() } else { reserved };
        let greeting = Handshake { info_hash: says, peer_id: PeerId([9; 20]), reserved };
        net.say(guest, link, greeting.to_bytes().to_vec());
        net.run(secs(2));
        assert_eq!(net.told(host, joins), 1, "{says}");
    }
}

#[test]
fn hybrid_peer_may_greet_by_a_v1_name_that_we_cannot_know_yet() {
    let sample = made(Kind::Hybrid, &[200_000], 65536);
    for (speaks_v2, joined) in [(true, 1), (false, 0)] {
        let mut net = Net::new(132);
        let host = net.join(Disk::default(), by_v2(&sample));
        let guest = net.join_puppet(by_v2(&sample));
        let link = net.puppet_link(guest);
        let reserved = Reserved::default().with_fast();
        let reserved = if speaks_v2 { reserved.with_v2() } else { reserved };
        let greeting = Handshake { info_hash: sample.hash(), peer_id: PeerId([9; 20]), reserved };
        net.say(guest, link, greeting.to_bytes().to_vec());
        net.run(secs(4));
        assert_eq!(net.told(host, joins), joined);
    }
}

#[test]
fn every_block_is_hashed_once_as_it_comes() {
    let sample = made(Kind::V2, &[1_000_000], 65536);
    let mut net = Net::new(115);
    net.join(Disk::full(&sample), sample.whole());
    let leech = net.join(Disk::default(), sample.whole());
    net.run_to(leech, secs(60), is_done);
    assert_eq!(net.hosts[leech].hashed_blocks, 1_000_000_usize.div_ceil(16384));
}

#[test]
fn v2_poisoner_is_gone_within_one_bad_block() {
    for seed in 116..122 {
        let sample = made(Kind::V2, &[4_000_000], 262_144);
        let mut net = Net::new(seed);
        let liar = net.join(poisoner(&sample, 9), sample.whole());
        net.join(Disk::full(&sample), sample.whole());
        let leech = net.join(Disk::default(), sample.magnet());
        net.run_to(leech, secs(60), is_done);
        assert_eq!(net.hosts[leech].disk.bytes, *sample.data);
        assert_eq!(banned(&net, leech), [net.hosts[liar].peer], "seed {seed}");
        let wasted = net.hosts[leech].engine.torrent_view(T).unwrap().wasted.0;
        assert!(wasted <= 10 * 16384, "{wasted} bytes wasted, seed {seed}");
    }
}

#[test]
fn v2_poisoner_is_banned_long_before_its_piece_is_whole() {
    let sample = made(Kind::V2, &[1_000_000], 262_144);
    let mut net = Net::new(135);
    let liar = net.join(poisoner(&sample, 1), sample.whole());
    net.hosts[liar].path.bandwidth = 100_000;
    let leech = net.join(Disk::default(), sample.whole());
    net.run_to(leech, secs(20), |event| {
        matches!(event, Event::Warned { warning: Warning::PeerBanned { .. }, .. })
    });
    let fetched = net.hosts[leech].engine.torrent_view(T).unwrap().downloaded.0;
    assert!(fetched <= 2 * 16384, "{fetched} bytes before the ban");
}

#[test]
fn v2_pieces_of_peers_without_leaves_are_judged_by_their_node() {
    let sample = made(Kind::V2, &[2_000_000], 131_072);
    let mut net = Net::new(122);
    let liar = net.join(poisoner(&sample, 11), sample.whole());
    net.join(Disk::full(&sample), sample.whole());
    for host in 0..2 {
        net.hosts[host].leafless = true;
    }
    let leech = net.join(Disk::default(), sample.magnet());
    net.run_to(leech, secs(120), is_done);
    assert_eq!(net.hosts[leech].disk.bytes, *sample.data);
    assert!(banned(&net, leech).iter().all(|peer| *peer == net.hosts[liar].peer));
}

#[test]
fn hybrid_poisoner_is_banned_and_only_it() {
    for seed in 123..127 {
        let sample = made(Kind::Hybrid, &[2_000_000, 70_000], 131_072);
        let mut net = Net::new(seed);
        let liar = net.join(poisoner(&sample, 9), sample.whole());
        net.join(Disk::full(&sample), sample.whole());
        let leech = net.join(Disk::default(), sample.magnet());
        net.run_to(leech, secs(120), is_done);
        assert_eq!(net.hosts[leech].disk.bytes, *sample.data);
        assert_eq!(banned(&net, leech), [net.hosts[liar].peer]);
    }
}

#[test]
fn hybrid_that_contradicts_itself_fails_and_nobody_is_banned() {
    let cases = [(Kind::FalseV1, false), (Kind::FalseV2, false), (Kind::FalseV2, true)];
    for (kind, leaves) in cases {
        let sample = made(kind, &[400_000], 65536);
        let mut net = Net::new(127);
        let mut hashed = sample.data.to_vec();
        hashed[2 * 65536 + 9] ^= 1;
        let disk = Disk { leaf_bytes: leaves.then_some(hashed), ..Disk::full(&sample) };
        let seed = net.join(disk, sample.whole());
        net.hosts[seed].leafless = !leaves;
        let leech = net.join(Disk::default(), sample.whole());
        net.run_to(leech, secs(60), |event| {
            matches!(event, Event::TorrentFailed { error: StoreError::Contradiction(_), .. })
        });
        assert_eq!(banned(&net, leech), [], "{kind:?}");
    }
}

#[test]
fn hybrid_honest_v2_bit_is_answered_with_the_v2_hash() {
    let sample = made(Kind::Hybrid, &[200_000], 65536);
    let mut net = Net::new(129);
    let host = net.join(Disk::full(&sample), sample.whole());
    let guest = net.join_puppet(sample.whole());
    crate::claims::greet(&mut net, guest, &sample);
    net.run(secs(4));
    let mut decoder = headwater_wire::Decoder::new();
    let heard = net.hosts[guest].heard.values().next().cloned().unwrap_or_default();
    decoder.push(heard.into());
    let greeting = decoder.next_handshake().unwrap().unwrap();
    let cut = InfoHash::cut(&sample.torrent.info_hash_v2.unwrap());
    // Whoever opened the link speaks first, by the v1 hash.
    let ours = [(sample.hash(), true), (cut, false)];
    assert!(ours.contains(&(greeting.info_hash, greeting.reserved.has_v2())), "{greeting:?}");
    assert_eq!(net.told(host, joins), 1);
}

#[test]
fn hybrid_honest_v1_peer_is_served_and_asked_for_no_hashes() {
    let sample = made(Kind::Hybrid, &[200_000], 65536);
    let mut net = Net::new(130);
    net.join(Disk::full(&sample), sample.v1_only());
    let leech = net.join(Disk::default(), sample.whole());
    net.run_to(leech, secs(60), is_done);
    assert_eq!(net.hosts[leech].disk.bytes, *sample.data);
}

#[test]
fn false_hashes_get_their_sender_banned() {
    let sample = made(Kind::V2, &[200_000], 65536);
    let mut net = Net::new(131);
    let leech = net.join(Disk::default(), sample.magnet());
    let liar = net.join_puppet(sample.magnet());
    let link = crate::claims::greet(&mut net, liar, &sample);
    let data = sample.torrent.info.clone();
    let total_size = Some(data.len() as u32);
    let give = headwater_wire::extended::MetadataMessage::Data { piece: 0, total_size, data };
    let said = headwater_wire::extended::Handshake {
        metadata_size: total_size,
        ..headwater_wire::extended::Handshake::ours()
    };
    net.say(liar, link, wire(&Message::Extended { id: 0, payload: said.encode() }));
    net.run(secs(1));
    net.say(liar, link, wire(&Message::Extended { id: 1, payload: give.encode() }));
    net.run(secs(1));
    let asked = heard(&net, liar).into_iter().find_map(|message| match message {
        Message::HashRequest(span) => Some(span),
        _ => None,
    });
    let span = asked.expect("a request for the layer");
    let hashes = vec![9; span.count() as usize * 32].into();
    net.say(liar, link, wire(&Message::Hashes { span, hashes }));
    net.run_to(leech, secs(5), |event| {
        matches!(event, Event::PeerLeft { reason: CloseReason::FalseHashes(_), .. })
    });
    net.join(Disk::full(&sample), sample.whole());
    net.run_to(leech, secs(120), is_done);
}

#[test]
fn false_leaves_get_their_sender_banned_and_no_honest_peer() {
    let sample = made(Kind::V2, &[200_000], 65536);
    let mut net = Net::new(136);
    let leech = net.join(Disk::default(), sample.whole());
    let liar = net.join_puppet(sample.magnet());
    let link = crate::claims::greet(&mut net, liar, &sample);
    net.say(liar, link, wire(&Message::HaveAll));
    net.say(liar, link, wire(&Message::Unchoke));
    net.run(secs(1));
    let asked = heard(&net, liar).into_iter().find_map(|message| match message {
        Message::HashRequest(span) => Some(span),
        _ => None,
    });
    let span = asked.expect("a request for leaves");
    assert_eq!((span.base, span.length, span.proof_layers), (0, 4, 0));
    let hashes = vec![9; span.count() as usize * 32].into();
    net.say(liar, link, wire(&Message::Hashes { span, hashes }));
    net.run_to(leech, secs(5), |event| {
        matches!(event, Event::PeerLeft { reason: CloseReason::FalseHashes(_), .. })
    });
    net.join(Disk::full(&sample), sample.whole());
    net.run_to(leech, secs(120), is_done);
    assert_eq!(banned(&net, leech), [net.hosts[liar].peer]);
}

#[test]
fn verified_blocks_are_read_before_their_piece_is_stored() {
    let sample = made(Kind::V2, &[8 * 1024 * 1024], 4 * 1024 * 1024);
    let mut net = Net::new(132);
    let seed = net.join(Disk::full(&sample), sample.whole());
    net.hosts[seed].path.bandwidth = 500_000;
    let leech = net.join(Disk::default(), sample.whole());
    let (start, end) = (ByteCount(0), ByteCount(8 * 1024 * 1024));
    net.put(leech, Input::ReaderMoved { reader: R, torrent: T, start, end });
    let ready = |event: &Event| match event {
        Event::ReaderReady { reader: R, end } => Some(end.0),
        _ => None,
    };
    net.run_to(leech, secs(6), |event| ready(event).is_some_and(|end| end >= 1_000_000));
    assert!(net.hosts[leech].disk.have.is_empty());
    let engine = &net.hosts[leech].engine;
    let bytes = engine.read_open(T, PieceIndex(0), 10, 900_000).unwrap();
    assert_eq!(bytes, sample.data[10..900_010]);
    assert_eq!(engine.read_open(T, PieceIndex(0), 0, 4 * 1024 * 1024), None);
    assert_eq!(engine.read_open(T, PieceIndex(1), 0, 1), None);
    net.run_to(leech, secs(60), is_done);
    assert_eq!(net.hosts[leech].disk.bytes, *sample.data);
}

#[test]
fn doubtful_v2_pieces_are_checked_by_their_leaves() {
    for kind in [Kind::V2, Kind::Hybrid] {
        let sample = made(kind, &[300_000, 100_000], 65536);
        let mut net = Net::new(133);
        let mut disk = Disk { doubtful: (0..7).collect(), ..Disk::full(&sample) };
        disk.have.clear();
        disk.bytes[70_000] ^= 1;
        let host = net.join(disk, sample.whole());
        net.run(secs(5));
        let stored = |event: &Event| matches!(event, Event::PieceStored { .. });
        assert_eq!(net.told(host, stored), 6, "{kind:?}");
    }
}

#[test]
fn doubtful_pieces_are_hashed_a_few_at_once() {
    for (kind, hashes) in [(None, 20), (Some(Kind::V2), 20), (Some(Kind::Hybrid), 40)] {
        let whole = || crate::sample(20 * 16384, 16384);
        let sample = kind.map_or_else(whole, |kind| made(kind, &[20 * 16384], 16384));
        let mut net = Net::new(137);
        net.job_time = secs(10);
        let disk =
            Disk { doubtful: (0..20).collect(), have: BTreeSet::new(), ..Disk::full(&sample) };
        let host = net.join(disk, sample.whole());
        // The store takes ten seconds to open, and each piece ten seconds to be hashed.
        net.run(secs(5));
        for round in 0..hashes / CHECKS_MAX {
            net.run(secs(10));
            assert_eq!(net.hosts[host].disk.hashed, (round + 1) * CHECKS_MAX, "{kind:?}");
        }
        net.run(secs(10));
        let stored = |event: &Event| matches!(event, Event::PieceStored { .. });
        assert_eq!((net.hosts[host].disk.hashed, net.told(host, stored)), (hashes, 20));
    }
}

#[test]
fn flood_of_hash_requests_is_refused_in_words() {
    let sample = made(Kind::V2, &[3_000_000], 65536);
    let mut net = Net::new(134);
    let host = net.join(Disk::full(&sample), sample.whole());
    let flood = net.join_puppet(sample.whole());
    let link = crate::claims::greet(&mut net, flood, &sample);
    let root = sample.torrent.files[0].root.unwrap();
    for round in 0..3000_u32 {
        let index = round % 45 * 4;
        let span = headwater_wire::HashSpan { root, base: 0, index, length: 4, proof_layers: 5 };
        net.say(flood, link, wire(&Message::HashRequest(span)));
    }
    net.run(secs(5));
    let heard = heard(&net, flood);
    let given = heard.iter().filter(|message| matches!(message, Message::Hashes { .. })).count();
    let refused = heard.iter().filter(|message| matches!(message, Message::HashReject(_))).count();
    assert_eq!(given + refused, 3000);
    assert!(given >= 64 && refused > 0, "{given} given, {refused} refused");
    assert!(net.hosts[host].disk.hashed <= 46, "{} pieces hashed", net.hosts[host].disk.hashed);
}
