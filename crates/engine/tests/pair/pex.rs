//! Peer exchange word for word (BEP 11) with puppets that dial: how often, how many, of whom, and
//! what a flood brings.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use headwater_base::Time;
use headwater_engine::{CloseReason, Event, limit};
use headwater_metainfo::Torrent;
use headwater_wire::Message;
use headwater_wire::extended::{Extension, Handshake, PexFlags, PexMessage, PexPeer};

use crate::disk::Disk;
use crate::net::{Net, address};
use crate::puppet::Puppet;
use crate::{Sample, T, millis, sample, secs};

/// One engine that sees addresses and takes many links, and puppets around it that say where they
/// listen.
fn crowd(sample: &Sample, puppets: usize) -> (Net, usize, Vec<Puppet>) {
    let mut net = Net::new(1);
    let ours = net.join_with(Disk::full(sample), sample.whole(), |config| {
        (config.links_max, config.links_per_torrent_max) = (200, 150);
        (config.dials, config.listens) = (true, Some(7000));
    });
    let puppets = (0..puppets).map(|_| join(&mut net, sample, ours)).collect();
    (net, ours, puppets)
}

fn join(net: &mut Net, sample: &Sample, ours: usize) -> Puppet {
    join_saying(net, sample, ours, &Message::HaveNone)
}

fn join_saying(net: &mut Net, sample: &Sample, ours: usize, first: &Message) -> Puppet {
    let puppet = Puppet::dial(net, sample, ours);
    puppet.say_handshake(net, &Handshake { port: Some(6881), ..Handshake::ours() });
    puppet.say(net, first);
    // Links may come in so fast, and no faster.
    net.run(millis(600));
    puppet
}

/// Lets time pass in which no puppet falls silent.
fn pass(net: &mut Net, puppets: &[Puppet], seconds: u64) {
    for second in 0..seconds {
        if second % 60 == 0 {
            puppets.iter().for_each(|puppet| puppet.say(net, &Message::KeepAlive));
        }
        net.run(secs(1));
    }
}

/// Why a host closed a link that broke a rule.
fn broken(net: &Net, host: usize) -> Option<&'static str> {
    net.hosts[host].events.iter().find_map(|(_, event)| match event {
        Event::PeerLeft { reason: CloseReason::Rule(rule), .. } => Some(*rule),
        _ => None,
    })
}

fn heard(net: &Net, puppet: Puppet) -> Vec<PexMessage> {
    let payloads = puppet.heard_extended(net, Extension::Pex.own_id());
    payloads.iter().map(|payload| PexMessage::decode(payload).unwrap()).collect()
}

fn names(peers: &[PexPeer]) -> BTreeSet<SocketAddr> {
    peers.iter().map(|peer| peer.address).collect()
}

#[test]
fn a_peer_hears_of_all_others_once_and_of_fifty_a_minute() {
    let sample = sample(400_000, 16384);
    let (mut net, ours, mut puppets) = crowd(&sample, 65);
    let newcomer = join(&mut net, &sample, ours);
    let mut at: Vec<Time> = Vec::new();
    puppets.push(newcomer);
    for _ in 0..400 {
        pass(&mut net, &puppets, 1);
        at.resize(heard(&net, newcomer).len(), net.now);
    }
    let messages = heard(&net, newcomer);
    assert_eq!(messages.len(), 2, "65 in two messages, and nothing when nothing is new");
    assert!(at[1].since(at[0]) >= limit::PEX_EVERY);
    let told: Vec<SocketAddr> =
        messages.iter().flat_map(|message| &message.added).map(|peer| peer.address).collect();
    assert_eq!(messages[0].added.len(), limit::PEX_TOLD_MAX);
    puppets.pop();
    let all: BTreeSet<SocketAddr> = puppets.iter().map(|puppet| address(puppet.host)).collect();
    assert_eq!((told.len(), told.into_iter().collect()), (65, all), "each once, itself not");
    let gone = puppets.swap_remove(9);
    net.cut(gone.host);
    puppets.push(newcomer);
    pass(&mut net, &puppets, 61);
    let message = heard(&net, newcomer).pop().unwrap();
    assert_eq!((message.added.len(), message.dropped), (0, vec![address(gone.host)]));
}

#[test]
fn only_peers_that_can_be_dialled_are_told_of_and_no_seed_to_a_seed() {
    let sample = sample(100_000, 16384);
    let (mut net, ours, _) = crowd(&sample, 0);
    let silent = Puppet::dial(&mut net, &sample, ours);
    silent.say_handshake(&mut net, &Handshake::ours());
    let seeds = [(); 2].map(|()| join_saying(&mut net, &sample, ours, &Message::HaveAll));
    let leech = join(&mut net, &sample, ours);
    net.run(secs(130));
    let mut told = heard(&net, leech);
    assert_eq!(told.len(), 1, "{told:?}");
    let added = told.remove(0).added;
    assert_eq!(names(&added), seeds.iter().map(|seed| address(seed.host)).collect());
    assert!(added.iter().all(|peer| peer.flags == PexFlags::SEED), "{added:?}");
    for seed in seeds {
        let told: Vec<_> = heard(&net, seed).iter().flat_map(|told| names(&told.added)).collect();
        assert!(!told.contains(&address(seeds[0].host)), "{told:?}");
        assert!(!told.contains(&address(seeds[1].host)), "{told:?}");
    }
}

#[test]
fn a_flood_of_peer_exchange_ends_the_link_and_a_bunch_does_not() {
    let sample = sample(100_000, 16384);
    let (mut net, ours, puppets) = crowd(&sample, 2);
    let [honest, flood] = puppets[..] else { panic!("two puppets") };
    let message = PexMessage::default().encode();
    let (burst, _) = limit::PEX_TAKEN;
    for _ in 0..burst {
        honest.extended(&mut net, Extension::Pex, &message);
    }
    pass(&mut net, &puppets, 300);
    for _ in 0..5 {
        honest.extended(&mut net, Extension::Pex, &message);
        pass(&mut net, &puppets, 60);
    }
    assert_eq!(broken(&net, ours), None);
    for _ in 0..=burst {
        flood.extended(&mut net, Extension::Pex, &message);
    }
    net.run(secs(1));
    assert_eq!(broken(&net, ours), Some("peer exchanges peers too often"));
    assert_eq!(net.hosts[ours].engine.peer_views(T).len(), 1);
}

#[test]
fn what_one_peer_tells_is_limited_and_what_nobody_listens_at_is_soon_left_alone() {
    let sample = sample(100_000, 16384);
    let (mut net, ours, puppets) = crowd(&sample, 1);
    let flags = PexFlags::default();
    let nobody = |n: u32| SocketAddr::from(((0x4600_0000 + n * 77).to_be_bytes(), 80));
    for round in 0..6 {
        let added = (0..200).map(|n| PexPeer { address: nobody(round * 200 + n), flags });
        let message = PexMessage { added: added.collect(), dropped: Vec::new() };
        puppets[0].extended(&mut net, Extension::Pex, &message.encode());
    }
    net.run(secs(2));
    let known = net.hosts[ours].engine.torrent_view(T).unwrap().addresses_known;
    assert!((90..=102).contains(&known), "{known} of 1200 told by one peer");
    pass(&mut net, &puppets, 3600);
    let mut times = std::collections::BTreeMap::new();
    for (_, _, to) in &net.dials {
        *times.entry(*to).or_insert(0) += 1;
    }
    assert!(times.len() > 50, "{} dialled", times.len());
    assert!(times.values().all(|count| *count <= 7), "{times:?}");
    assert_eq!(broken(&net, ours), None, "telling much is no crime");
}

#[test]
fn a_private_torrent_offers_takes_and_tells_nothing_of_peers() {
    let public = sample(100_000, 16384);
    let torrent = Torrent { private: true, ..(*public.torrent).clone() };
    let sample = Sample { torrent: Arc::new(torrent), ..public };
    let (mut net, ours, _) = crowd(&sample, 2);
    let puppet = join(&mut net, &sample, ours);
    let flags = PexFlags::default();
    let added = vec![PexPeer { address: SocketAddr::from(([60, 9, 9, 9], 6881)), flags }];
    let message = PexMessage { added, dropped: Vec::new() };
    puppet.extended(&mut net, Extension::Pex, &message.encode());
    net.run(secs(130));
    assert_eq!((broken(&net, ours), net.dials.len()), (None, 0));
    assert_eq!(heard(&net, puppet), []);
    for said in puppet.heard_extended(&net, 0) {
        let said = Handshake::decode(&said).unwrap();
        assert_eq!(said.id_of(Extension::Pex), None);
        assert!(said.id_of(Extension::Metadata).is_some());
    }
}
