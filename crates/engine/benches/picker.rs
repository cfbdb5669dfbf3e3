//! What single events cost in large torrents: libtorrent's own worst cases of its piece picker
//! (100 000 pieces, 20 peers), and a million pieces with a thousand peers. Driven through the
//! engine's public face, so reading the message and saying what follows are counted too.
//! `cargo bench -p headwater-engine --bench picker`
#![expect(
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods,
    reason = "a bench reads the clock and does what it knows of"
)]

#[path = "../tests/scale/crowd.rs"]
mod crowd;

use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use headwater_base::{ByteCount, PieceIndex, ReaderId};
use headwater_engine::{Input, LinkEnd};
use headwater_wire::Message;

use crowd::{Crowd, T, encoded};

/// Peers with parts of their own. All the others are seeds that serve nobody.
const BLANK: usize = 0;
const DENSE: usize = 1;
const SPARSE: usize = 2;
const SEED: usize = 3;

/// Most events timed in one go: each uses a piece up.
const EVENTS_MAX: u64 = 40;
/// Events after which a peer that claims anew each time makes way for another: each claims twice,
/// and the engine takes sixteen claims of one link.
const CLAIMS: u32 = 7;

fn crowd(pieces: u32, peers: usize) -> Crowd {
    let mut crowd = Crowd::new(pieces, peers);
    for peer in (0..peers).filter(|peer| ![BLANK, SPARSE].contains(peer)) {
        crowd.say(peer, encoded(&Message::HaveAll));
    }
    let few = crowd.bitfield((0..pieces / 50).map(|at| at * 50));
    crowd.say(SPARSE, few);
    for peer in [DENSE, SPARSE] {
        crowd.say(peer, encoded(&Message::Unchoke));
    }
    crowd.settle();
    crowd
}

/// Times what `event` answers, once for each turn, and lets the engine settle in between.
fn time(
    group: &mut BenchmarkGroup<'_, WallTime>,
    crowd: &mut Crowd,
    name: &str,
    mut event: impl FnMut(&mut Crowd, u32) -> Input,
) {
    let mut turn = 0;
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|wanted| {
            let events = wanted.min(EVENTS_MAX);
            let mut sum = Duration::ZERO;
            for _ in 0..events {
                turn += 1;
                let input = event(crowd, turn);
                let start = Instant::now();
                crowd.tell(input);
                sum += start.elapsed();
                crowd.settle();
            }
            let nanos = sum.as_nanos() * u128::from(wanted) / u128::from(events.max(1));
            let whole = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
            // As many events as were wanted would take as long: how often to ask is judged by that.
            let start = Instant::now();
            while start.elapsed() < whole.saturating_sub(sum) {
                std::hint::spin_loop();
            }
            whole
        });
    });
}

/// Has a peer go and another come in its place.
fn renew(crowd: &mut Crowd, peer: usize) {
    let last = crowd.links.len() - 1;
    let link = crowd.links.swap_remove(peer);
    crowd.tell(Input::LinkClosed { link, end: LinkEnd::Closed });
    crowd.settle();
    while crowd.links.len() <= last {
        crowd.join();
    }
    crowd.links.swap(peer, last);
}

/// Does so where the peer may soon claim no more.
fn renew_in_time(crowd: &mut Crowd, peer: usize, turn: u32) {
    if turn.is_multiple_of(CLAIMS) {
        renew(crowd, peer);
    }
}

/// Has a peer claim nothing.
fn blank(crowd: &mut Crowd, peer: usize, turn: u32) {
    renew_in_time(crowd, peer, turn);
    crowd.say(peer, encoded(&Message::HaveNone));
}

fn says(crowd: &Crowd, peer: usize, bytes: Bytes) -> Input {
    Input::LinkBytes { link: crowd.links[peer], bytes }
}

fn counts(group: &mut BenchmarkGroup<'_, WallTime>, crowd: &mut Crowd) {
    for bits in [1, 10, 49, 50, 200, 5000] {
        let apart = crowd.pieces / bits;
        let some = crowd.bitfield((0..bits).map(|at| at * apart));
        time(group, crowd, &format!("bitfield of {bits}"), |crowd, turn| {
            blank(crowd, BLANK, turn);
            says(crowd, BLANK, some.clone())
        });
    }
    let half = crowd.bitfield((0..crowd.pieces).filter(|at| at % 2 == 0));
    time(group, crowd, "bitfield of every other piece", |crowd, turn| {
        blank(crowd, BLANK, turn);
        says(crowd, BLANK, half.clone())
    });
    renew(crowd, BLANK);
    let pieces = crowd.pieces;
    time(group, crowd, "have", |crowd, turn| {
        says(crowd, BLANK, encoded(&Message::Have(PieceIndex(turn * 7919 % pieces))))
    });
    let all = encoded(&Message::HaveAll);
    let none = encoded(&Message::HaveNone);
    let near = crowd.bitfield(1..crowd.pieces);
    for (name, whole) in [("seed", &all), ("near-seed", &near)] {
        time(group, crowd, &format!("{name} comes"), |crowd, turn| {
            blank(crowd, SEED, turn);
            says(crowd, SEED, whole.clone())
        });
        time(group, crowd, &format!("{name} goes"), |crowd, turn| {
            renew_in_time(crowd, SEED, turn);
            crowd.say(SEED, whole.clone());
            says(crowd, SEED, none.clone())
        });
    }
    time(group, crowd, "seed turns out to lack a piece", |crowd, turn| {
        renew_in_time(crowd, SEED, turn);
        crowd.say(SEED, all.clone());
        says(crowd, SEED, near.clone())
    });
}

fn picks(group: &mut BenchmarkGroup<'_, WallTime>, crowd: &mut Crowd) {
    for (name, peer) in [("dense", DENSE), ("sparse", SPARSE)] {
        time(group, crowd, &format!("block of a {name} peer, and the next pick"), |crowd, _| {
            let block = crowd.block(peer).expect("a request");
            says(crowd, peer, block)
        });
    }
    let some = crowd.bitfield((0..5000).map(|at| at * (crowd.pieces / 5000)));
    time(group, crowd, "the same after 5000 copies changed", |crowd, turn| {
        renew_in_time(crowd, BLANK, turn);
        let news = if turn % 2 == 0 { some.clone() } else { encoded(&Message::HaveNone) };
        crowd.say(BLANK, news);
        let block = crowd.block(DENSE).expect("a request");
        says(crowd, DENSE, block)
    });
    time(group, crowd, "piece stored", |crowd, _| {
        let block = crowd.block(DENSE).expect("a request");
        crowd.say(DENSE, block);
        loop {
            let job = crowd.next_job().expect("a write");
            if matches!(job, Input::PieceWritten { .. }) {
                return job;
            }
            crowd.tell(job);
        }
    });
    time(group, crowd, "choke", |crowd, _| {
        crowd.say(DENSE, encoded(&Message::Unchoke));
        crowd.settle();
        says(crowd, DENSE, encoded(&Message::Choke))
    });
    crowd.say(DENSE, encoded(&Message::Unchoke));
    crowd.settle();
    let length = u64::from(crowd.pieces) * 16384;
    for (name, start) in [("low", 0), ("high", length - 1_000_000)] {
        time(group, crowd, &format!("reader jumps to a {name} piece"), |crowd, _| {
            let moved = |start| {
                let (start, end) = (ByteCount(start), ByteCount(start + 65_536));
                Input::ReaderMoved { reader: ReaderId(1), torrent: T, start, end }
            };
            crowd.tell(moved(length / 2));
            crowd.settle();
            moved(start)
        });
    }
}

fn bench(criterion: &mut Criterion) {
    for (pieces, peers) in [(100_000, 20), (1_000_000, 1000)] {
        let mut group = criterion.benchmark_group(format!("{pieces} pieces x {peers} peers"));
        let (warm, measure) = (Duration::from_millis(100), Duration::from_millis(500));
        group.sample_size(10).warm_up_time(warm).measurement_time(measure);
        counts(&mut group, &mut crowd(pieces, peers));
        picks(&mut group, &mut crowd(pieces, peers));
        group.finish();
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
