//! Links that cross, lead to ourselves, fall silent or break.

use bytes::Bytes;
use headwater_base::{InfoHash, PeerId, PieceIndex, Rng, Seed};
use headwater_engine::{CloseReason, Event};
use headwater_wire::extended::MetadataMessage;
use headwater_wire::{BlockSpan, Decoder, Handshake, Message, Reserved};

use crate::disk::Disk;
use crate::net::Net;
use crate::{T, is_done, millis, sample, secs};

#[test]
fn crossing_offers_end_in_exactly_one_link() {
    for seed in 0..20 {
        let sample = sample(2_000_000, 65536);
        let mut net = Net::new(seed);
        net.tracker.hold_until = 2;
        let one = net.join(Disk::full(&sample), sample.whole());
        let two = net.join(Disk::default(), sample.magnet());
        net.run_to(two, secs(60), is_done);
        net.run(secs(20));
        let joined = |host| net.told(host, |event| matches!(event, Event::PeerJoined { .. }));
        assert_eq!((joined(one), joined(two)), (2, 2), "offers did not cross");
        assert_eq!(net.links(), 1);
        assert_eq!(net.hosts[one].engine.peer_views(T).len(), 1);
        assert_eq!(net.hosts[two].engine.peer_views(T).len(), 1);
    }
}

#[test]
fn broken_links_are_replaced_and_nothing_is_fetched_twice() {
    let sample = sample(6_000_000, 65536);
    let mut net = Net::new(22);
    net.join(Disk::full(&sample), sample.whole());
    let leech = net.join(Disk::default(), sample.magnet());
    net.hosts[0].path.bandwidth = 1_000_000;
    for _ in 0..3 {
        net.run_to(leech, secs(120), |event| matches!(event, Event::PieceStored { .. }));
        net.cut(leech);
    }
    net.run_to(leech, secs(600), is_done);
    assert_eq!(net.hosts[leech].disk.bytes, *sample.data);
    let left = net
        .told(leech, |event| matches!(event, Event::PeerLeft { reason: CloseReason::Remote, .. }));
    assert!(left >= 3, "{left}");
}

#[test]
fn silent_peer_is_dropped_after_three_minutes() {
    let sample = sample(2_000_000, 65536);
    let mut net = Net::new(23);
    let seed = net.join(Disk::full(&sample), sample.whole());
    net.hosts[seed].path.bandwidth = 100_000;
    let leech = net.join(Disk::default(), sample.magnet());
    net.run_to(leech, secs(30), |event| matches!(event, Event::PieceStored { .. }));
    net.freeze(seed, true);
    let at = net.now;
    let left = net.run_to(leech, secs(400), |event| {
        matches!(event, Event::PeerLeft { reason: CloseReason::Silent(180), .. })
    });
    assert!((175..=200).contains(&left.since(at).as_secs()), "{:?}", left.since(at));
}

#[test]
fn idle_link_is_kept_alive() {
    let sample = sample(200_000, 65536);
    let mut net = Net::new(24);
    net.join(Disk::default(), sample.magnet());
    let two = net.join(Disk::default(), sample.magnet());
    net.run(secs(900));
    assert_eq!(net.links(), 1);
    assert_eq!(net.told(two, |event| matches!(event, Event::PeerLeft { .. })), 0);
}

#[test]
fn seeds_that_are_short_of_room_part_after_a_while() {
    let sample = sample(200_000, 65536);
    let mut net = Net::new(25);
    net.join(Disk::full(&sample), sample.whole());
    let two = net.join_with(Disk::full(&sample), sample.whole(), |config| {
        config.links_per_torrent_max = 1;
    });
    net.run_to(two, secs(100), |event| {
        matches!(event, Event::PeerLeft { reason: CloseReason::Useless | CloseReason::Remote, .. })
    });
}

/// Plays one message to a seed after a handshake, and answers why the seed closed the link.
fn closes_on(handshake: Handshake, message: &[u8]) -> CloseReason {
    let sample = sample(200_000, 65536);
    let mut net = Net::new(28);
    let one = net.join(Disk::full(&sample), sample.whole());
    let two = net.join_puppet(sample.magnet());
    let link = net.puppet_link(two);
    let info_hash =
        if handshake.info_hash.0 == [0; 20] { sample.hash() } else { handshake.info_hash };
    net.say(two, link, Handshake { info_hash, ..handshake }.to_bytes().to_vec());
    net.say(two, link, message.to_vec());
    net.run_to(one, secs(60), |event| matches!(event, Event::PeerLeft { .. }));
    let reason = net.hosts[one].events.iter().find_map(|(_, event)| match event {
        Event::PeerLeft { reason, .. } => Some(reason.clone()),
        _ => None,
    });
    reason.unwrap()
}

fn handshake(peer: u8) -> Handshake {
    let reserved = Reserved::default().with_fast();
    Handshake { info_hash: InfoHash([0; 20]), peer_id: PeerId([peer; 20]), reserved }
}

fn wire(message: &Message) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.encode(&mut bytes);
    bytes
}

#[test]
fn peers_that_break_rules_are_closed_with_the_rule() {
    let other = Handshake { info_hash: InfoHash([7; 20]), ..handshake(9) };
    assert_eq!(closes_on(other, &[]), CloseReason::WrongSwarm);
    let ourselves = PeerId(core::array::from_fn(|i| if i == 0 { b'-' } else { b'A' }));
    let mirror = Handshake { peer_id: ourselves, ..handshake(9) };
    assert_eq!(closes_on(mirror, &[]), CloseReason::Ourselves);
    let rule = |message: &Message| match closes_on(handshake(9), &wire(message)) {
        CloseReason::Rule(rule) => rule,
        other => panic!("{other}"),
    };
    let span = BlockSpan { piece: PieceIndex(0), begin: 0, len: 131_073 };
    assert_eq!(rule(&Message::Request(span)), "peer asks for more than 128 KiB at once");
    let unknown = "peer claims pieces that do not exist";
    assert_eq!(rule(&Message::Have(PieceIndex(4))), unknown);
    assert_eq!(rule(&Message::Bitfield(vec![0xff].into())), unknown);
    assert!(matches!(closes_on(handshake(9), &[0, 0, 0, 2, 0, 0]), CloseReason::Malformed(_)));
}

#[test]
fn four_gigabytes_announced_end_the_link_though_they_drip() {
    let sample = sample(200_000, 65536);
    let mut net = Net::new(28);
    let one = net.join(Disk::full(&sample), sample.whole());
    let two = net.join_puppet(sample.magnet());
    let link = net.puppet_link(two);
    let greeting = Handshake { info_hash: sample.hash(), ..handshake(9) };
    net.say(two, link, greeting.to_bytes().to_vec());
    for byte in [0xff; 4] {
        net.say(two, link, vec![byte]);
        net.run(millis(10));
    }
    net.run_to(one, secs(1), |event| {
        matches!(event, Event::PeerLeft { reason: CloseReason::Malformed(_), .. })
    });
}

#[test]
fn link_without_a_handshake_is_closed() {
    let sample = sample(200_000, 65536);
    let mut net = Net::new(29);
    let one = net.join(Disk::full(&sample), sample.whole());
    let two = net.join_puppet(sample.magnet());
    net.puppet_link(two);
    net.run_to(one, secs(60), |event| {
        matches!(event, Event::PeerLeft { reason: CloseReason::Silent(25), .. })
    });
}

#[test]
fn handshake_leaves_before_the_peer_has_said_anything() {
    let sample = sample(200_000, 65536);
    let mut net = Net::new(30);
    let one = net.join(Disk::full(&sample), sample.whole());
    let two = net.join_puppet(sample.magnet());
    let link = net.puppet_link(two);
    let mut decoder = Decoder::new();
    decoder.push(net.hosts[two].heard[&link].clone().into());
    let greeting = decoder.next_handshake().unwrap().unwrap();
    assert_eq!((greeting.info_hash, greeting.peer_id), (sample.hash(), net.hosts[one].peer));
    assert!(greeting.reserved.has_fast() && greeting.reserved.has_extension());
    assert_eq!(decoder.next_message(), Ok(None));
}

#[test]
fn requests_while_choked_or_for_missing_bytes_are_rejected() {
    let sample = sample(200_000, 65536);
    let mut net = Net::new(31);
    net.join(Disk::full(&sample), sample.whole());
    let two = net.join_puppet(sample.magnet());
    let link = net.puppet_link(two);
    let greeting = Handshake { info_hash: sample.hash(), ..handshake(9) };
    net.say(two, link, greeting.to_bytes().to_vec());
    let span = BlockSpan { piece: PieceIndex(0), begin: 0, len: 16384 };
    let past = BlockSpan { piece: PieceIndex(3), begin: 0, len: 16384 };
    net.say(two, link, wire(&Message::Request(span)));
    net.say(two, link, wire(&Message::Interested));
    net.say(two, link, wire(&Message::Request(past)));
    net.say(two, link, wire(&Message::Request(span)));
    net.run(secs(2));
    let mut decoder = Decoder::new();
    decoder.push(net.hosts[two].heard[&link].clone().into());
    decoder.next_handshake().unwrap().unwrap();
    let said: Vec<Message> = std::iter::from_fn(|| decoder.next_message().unwrap()).collect();
    let data = sample.data[..16384].to_vec().into();
    assert_eq!(
        said,
        [
            Message::HaveAll,
            Message::Reject(span),
            Message::Unchoke,
            Message::Reject(past),
            Message::Piece { piece: PieceIndex(0), begin: 0, data },
        ]
    );
}

/// Something a hostile peer may say.
fn noise(rng: &mut Rng) -> Message {
    let piece = PieceIndex(rng.below(6) as u32);
    let begin = (rng.below(6) * 8192) as u32;
    let span = BlockSpan { piece, begin, len: (rng.below(5) * 8192) as u32 };
    let bytes = |rng: &mut Rng, most| {
        let mut bytes = vec![0; rng.below(most) as usize];
        rng.fill(&mut bytes);
        Bytes::from(bytes)
    };
    match rng.below(18) {
        0 => Message::KeepAlive,
        1 => Message::Choke,
        2 | 3 => Message::Unchoke,
        4 => Message::Interested,
        5 => Message::NotInterested,
        6 => Message::Have(PieceIndex(rng.below(4) as u32)),
        7 => Message::Bitfield(Bytes::from_static(&[0b1010_0000])),
        8 => Message::Request(span),
        9 => Message::Piece { piece, begin, data: Bytes::from(vec![1; 16384]) },
        10 => Message::Cancel(span),
        11 => Message::Suggest(piece),
        12 => Message::HaveAll,
        13 => Message::HaveNone,
        14 => Message::Reject(span),
        15 => Message::AllowedFast(piece),
        16 => Message::Extended { id: rng.below(3) as u8, payload: bytes(rng, 60) },
        _ => Message::Extended {
            id: 1,
            payload: MetadataMessage::Request { piece: rng.below(3) as u32 }.encode(),
        },
    }
}

#[test]
fn noise_of_one_peer_harms_neither_the_engine_nor_the_transfer_from_another() {
    for seed in 0..60 {
        let sample = sample(200_000, 65536);
        let mut rng = Seed([seed; 32]).split("noise");
        let mut net = Net::new(seed);
        let add = if seed % 2 == 0 { sample.whole() } else { sample.magnet() };
        let victim = net.join(Disk::default(), add);
        let noisy = net.join_puppet(sample.magnet());
        let link = net.puppet_link(noisy);
        let greeting = Handshake { info_hash: sample.hash(), ..handshake(9) };
        let reserved = greeting.reserved.with_extension();
        net.say(noisy, link, Handshake { reserved, ..greeting }.to_bytes().to_vec());
        for _ in 0..150 {
            net.say(noisy, link, wire(&noise(&mut rng)));
            net.run(millis(rng.below(40)));
        }
        net.join(Disk::full(&sample), sample.whole());
        net.run_to(victim, secs(300), is_done);
        assert_eq!(net.hosts[victim].disk.bytes, *sample.data);
    }
}
