//! How many bytes two engines move on one core, sockets and stores left out: a program of its own,
//! native or for WASI, that `cargo xtask bench engine` runs in turns. Prints `name MiB/s` lines.
#![expect(clippy::print_stdout, reason = "what it measured goes to the task that started it")]

mod rig;

use core::time::Duration;
use std::hint::black_box;

use headwater_base::{sha1, sha1_many, sha256, sha256_many};

/// Work before the measured one, so that a browser's compiler or a processor's clock settles.
const WARM_UP_MIB: usize = 16;
/// How long one way of hashing is measured.
const HASH_SPAN: Duration = Duration::from_millis(200);

fn main() {
    let mib = std::env::args().filter_map(|word| word.parse().ok()).next_back().unwrap_or(256);
    for (name, hashing) in [("engine", false), ("engine+sha1", true)] {
        rig::transfer(WARM_UP_MIB, hashing);
        let start = now();
        rig::transfer(mib, hashing);
        println!("{name} {:.1}", mib as f64 / (now() - start).as_secs_f64());
    }
    let bytes = rig::noise(4 << 20);
    let pieces: Vec<&[u8]> = bytes.chunks(rig::PIECE).collect();
    let blocks: Vec<&[u8]> = bytes.chunks(16 * 1024).collect();
    hash("sha1", || {
        pieces.iter().for_each(|piece| {
            black_box(sha1(piece));
        })
    });
    hash("sha1-many", || drop(black_box(sha1_many(&pieces))));
    hash("sha256", || {
        blocks.iter().for_each(|block| {
            black_box(sha256(block));
        })
    });
    hash("sha256-many", || drop(black_box(sha256_many(&blocks))));
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
