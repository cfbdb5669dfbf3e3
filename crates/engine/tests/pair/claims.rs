//! Peers that claim BitTorrent v2 where there is none. A version is a property of metadata, never
//! of a handshake (libtorrent issue 8692).

use headwater_base::LinkId;
use headwater_engine::{CloseReason, Event};
use headwater_wire::{Decoder, Handshake, HashSpan, Message, Reserved};

use crate::disk::Disk;
use crate::net::Net;
use crate::{Sample, is_done, sample, secs};

const SPAN: HashSpan = HashSpan { root: [7; 32], base: 0, index: 0, length: 2, proof_layers: 0 };

pub(crate) fn wire(message: &Message) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.encode(&mut bytes);
    bytes
}

/// Has a puppet greet with the v2 bit and the torrent's usual hash.
pub(crate) fn greet(net: &mut Net, host: usize, sample: &Sample) -> LinkId {
    let link = net.puppet_link(host);
    let reserved = Reserved::default().with_extension().with_fast().with_v2();
    let peer_id = net.hosts[host].peer;
    let greeting = Handshake { info_hash: sample.hash(), peer_id, reserved };
    net.say(host, link, greeting.to_bytes().to_vec());
    link
}

/// What a puppet heard.
pub(crate) fn heard(net: &Net, host: usize) -> Vec<Message> {
    let mut decoder = Decoder::new();
    let first = net.hosts[host].heard.values().next().expect("a link");
    decoder.push(first.clone().into());
    decoder.next_handshake().unwrap();
    std::iter::from_fn(|| decoder.next_message().unwrap()).collect()
}

/// A magnet's host that a puppet greets with a false claim, and what it says next.
fn claim(seed: u8, message: &Message) -> (Net, usize, usize) {
    let sample = sample(200_000, 65536);
    let mut net = Net::new(seed);
    let host = net.join(Disk::default(), sample.magnet());
    let liar = net.join_puppet(sample.magnet());
    let link = greet(&mut net, liar, &sample);
    net.say(liar, link, wire(message));
    net.run(secs(2));
    (net, host, liar)
}

fn left(net: &Net, host: usize) -> Vec<CloseReason> {
    let reasons = net.hosts[host].events.iter().filter_map(|(_, event)| match event {
        Event::PeerLeft { reason, .. } => Some(reason.clone()),
        _ => None,
    });
    reasons.collect()
}

#[test]
fn v1_only_false_v2_claim_with_a_hash_request_is_refused_in_words() {
    let (net, host, liar) = claim(100, &Message::HashRequest(SPAN));
    assert!(heard(&net, liar).contains(&Message::HashReject(SPAN)));
    assert_eq!(left(&net, host), []);
}

#[test]
fn v1_only_false_v2_claim_with_hashes_ends_the_link() {
    let hashes = vec![1; 64].into();
    let (net, host, _) = claim(101, &Message::Hashes { span: SPAN, hashes });
    let reason = CloseReason::Rule("peer sends hashes that nobody asked for");
    assert_eq!(left(&net, host), [reason]);
}

#[test]
fn v1_only_false_v2_claim_with_a_hash_reject_means_nothing() {
    let (net, host, _) = claim(102, &Message::HashReject(SPAN));
    assert_eq!(left(&net, host), []);
}

#[test]
fn v1_only_false_v2_claim_after_metadata_is_asked_for_no_hashes() {
    let sample = sample(200_000, 65536);
    let mut net = Net::new(103);
    let host = net.join(Disk::default(), sample.whole());
    let liar = net.join_puppet(sample.whole());
    let link = greet(&mut net, liar, &sample);
    net.say(liar, link, wire(&Message::HaveAll));
    net.say(liar, link, wire(&Message::Unchoke));
    net.run(secs(2));
    let asked = |message: &Message| matches!(message, Message::HashRequest(_));
    let blocks = |message: &Message| matches!(message, Message::Request(_));
    let heard = heard(&net, liar);
    assert!(heard.iter().any(blocks) && !heard.iter().any(asked), "{heard:?}");
    net.join(Disk::full(&sample), sample.whole());
    net.run_to(host, secs(120), is_done);
}
