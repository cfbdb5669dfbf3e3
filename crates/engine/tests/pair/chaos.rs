//! Swarms under faults: links break, hosts pause, one lies. Once the faults stop, all finish.

use headwater_base::{Rng, Seed};
use headwater_engine::{Event, Input, Warning};

use crate::disk::Disk;
use crate::net::{Net, Path};
use crate::{Sample, T, millis, sample, secs};

/// Gives a host a path of its own.
fn path(rng: &mut Rng) -> Path {
    Path {
        latency: millis(1 + rng.below(150)),
        bandwidth: 100_000 + rng.below(3_000_000),
        window: 12_000 + rng.below(500_000) as usize,
        cuts: true,
    }
}

fn is_whole(net: &Net, host: usize, sample: &Sample) -> bool {
    net.hosts[host].disk.have.len() == sample.torrent.piece_count() as usize
}

/// One swarm: a seed, a liar and leeches that start from magnet links.
fn swarm(seed: u8, sample: &Sample) -> (Net, Rng) {
    let mut rng = Seed([seed; 32]).split("chaos");
    let mut net = Net::new(seed);
    net.job_time = millis(rng.below(30));
    net.join(Disk::full(sample), sample.whole());
    let every = 1 + rng.below(40) as u32;
    net.join(Disk { spoils_every: Some(every), ..Disk::full(sample) }, sample.whole());
    for _ in 0..4 {
        net.join(Disk::default(), sample.magnet());
    }
    for host in &mut net.hosts {
        host.path = path(&mut rng);
    }
    (net, rng)
}

fn trouble(net: &mut Net, rng: &mut Rng) {
    let host = rng.below(6) as usize;
    match rng.below(6) {
        0 | 1 => net.cut(host),
        2 => net.put(host, Input::TorrentPaused(T)),
        3 => {
            let frozen = net.is_frozen(host);
            net.freeze(host, !frozen);
        }
        4 => net.put(host, Input::LimitsChanged { upload: Some(200_000), download: None }),
        _ => {
            let (start, end) = (rng.below(2_000_000), 2_500_000);
            let reader = headwater_base::ReaderId(1);
            let (start, end) = (headwater_base::ByteCount(start), headwater_base::ByteCount(end));
            net.put(host, Input::ReaderMoved { reader, torrent: T, start, end });
        }
    }
    net.put(host, Input::TorrentResumed(T));
}

#[test]
fn everybody_finishes_once_faults_stop_and_no_honest_peer_is_banned() {
    let sample = sample(2_500_000, 65536);
    for seed in 0..24 {
        let (mut net, mut rng) = swarm(seed, &sample);
        for _ in 0..15 {
            net.run(millis(200 + rng.below(2500)));
            trouble(&mut net, &mut rng);
        }
        for host in 0..net.hosts.len() {
            net.freeze(host, false);
            net.put(host, Input::LimitsChanged { upload: None, download: None });
        }
        let all = |net: &Net| (2..6).all(|host| is_whole(net, host, &sample));
        assert!(net.run_until(secs(900), all).is_some(), "seed {seed}: {:#?}", views(&net));
        for host in 2..6 {
            assert_eq!(net.hosts[host].disk.bytes, *sample.data, "seed {seed}, host {host}");
        }
        let liar = net.hosts[1].peer;
        for (_, event) in net.hosts.iter().flat_map(|host| &host.events) {
            if let Event::Warned { warning: Warning::PeerBanned { peer, .. }, .. } = event {
                assert_eq!(*peer, liar, "seed {seed}");
            }
        }
    }
}

/// One line a host, for a failure.
fn views(net: &Net) -> Vec<String> {
    let view = |(at, host): (usize, &crate::net::Host)| {
        let state = host.engine.torrent_view(T).map(|view| view.state);
        let peers: Vec<String> = host
            .engine
            .peer_views(T)
            .iter()
            .map(|peer| {
                let (name, link) = (char::from(peer.peer.0[1]), peer.link);
                let flags = [peer.choking_us, peer.interested, peer.choked, peer.interesting];
                format!("{name}/{link} {} {flags:?} asked {}", peer.pieces, peer.asked)
            })
            .collect();
        format!("{at} {state:?} {} {peers:?}", host.disk.have.len())
    };
    net.hosts.iter().enumerate().map(view).collect()
}
