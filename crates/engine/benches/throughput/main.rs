//! How many bytes two engines move on one core, sockets and stores left out: a program of its own,
//! native or for WASI, that `cargo xtask bench engine` runs in turns. Prints `name MiB/s` lines.
#![expect(clippy::print_stdout, reason = "what it measured goes to the task that started it")]

mod rig;

use core::time::Duration;
use std::hint::black_box;

use headwater_base::{sha1, sha1_many, sha256, sha256_many};
use headwater_metainfo::Version;

/// Work before the measured one, so that a browser's compiler or a processor's clock settles.
const WARM_UP_MIB: usize = 16;
/// How long one way of hashing is measured.
const HASH_SPAN: Duration = Duration::from_millis(200);

fn main() {
    let mib = std::env::args().filter_map(|word| word.parse().ok()).next_back().unwrap_or(256);
    for (name, version) in [("v1", Version::V1), ("v2", Version::V2)] {
        let (small, large) = (rig::torrent(WARM_UP_MIB, version), rig::torrent(mib, version));
        for (kind, hashing) in [("alone", false), ("and hashing", true)] {
            rig::transfer(&small, hashing);
            let start = now();
            rig::transfer(&large, hashing);
            println!("engine {name} {kind} {:.1}", mib as f64 / (now() - start).as_secs_f64());
        }
    }
    let bytes = rig::noise(4 << 20);
    let pieces: Vec<&[u8]> = bytes.chunks(rig::PIECE).collect();
    let blocks: Vec<&[u8]> = bytes.chunks(16 * 1024).collect();
    hash("sha-1 one by one", || {
        pieces.iter().for_each(|piece| {
            black_box(sha1(piece));
        })
    });
    hash("sha-1 together", || drop(black_box(sha1_many(&pieces))));
    hash("sha-256 one by one", || {
        blocks.iter().for_each(|block| {
            black_box(sha256(block));
        })
    });
    hash("sha-256 together", || drop(black_box(sha256_many(&blocks))));
}

/// Prints how fast 4 MiB are hashed, again and again.
fn hash(name: &str, work: impl Fn()) {
    work();
    let start = now();
    let mut done = 0;
    while now() - start < HASH_SPAN {
        work();
        done += 4;
    }
    println!("{name} {:.1}", f64::from(done) / (now() - start).as_secs_f64());
}

#[expect(clippy::disallowed_methods, reason = "the one place where a bench's time enters")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}
