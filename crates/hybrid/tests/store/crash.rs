//! Killed at any instant, a store keeps what it said, vouches for nothing wrong, and doubts little.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use headwater_base::Rng;

use super::*;

/// Most pieces the child below writes at once: the open pieces of a crash.
const BATCH_MAX: usize = 8;

fn large_sample() -> (Arc<Torrent>, Vec<u8>) {
    folder_of(&[("a.bin", 1_000_000), ("b.bin", 70_000), ("c/d.bin", 3_000_000)])
}

/// The child of the test below: writes pieces that are missing, saying each once it is written,
/// until it is killed.
#[test]
fn child_that_is_killed() {
    let (Ok(root), Ok(round)) = (env::var("HEADWATER_STORE_CHILD"), env::var("HEADWATER_ROUND"))
    else {
        return;
    };
    let (torrent, bytes) = large_sample();
    let (store, mut have, doubtful) = open(Path::new(&root), &torrent);
    for index in doubtful.ones() {
        if store.hash_piece(index).expect("no failure") == torrent.pieces[index.idx()] {
            have.set(index);
        }
    }
    let mut random = Seed([5; 32]).split(&round);
    let mut missing: Vec<_> = have.zeros().collect();
    while !missing.is_empty() {
        let most = random.below(BATCH_MAX as u64) as usize + 1;
        let mut batch = Vec::new();
        while batch.len() < most && !missing.is_empty() {
            batch.push(missing.swap_remove(random.below(missing.len() as u64) as usize));
        }
        let pieces: Vec<_> = batch.iter().map(|index| piece(&torrent, &bytes, *index)).collect();
        store.write_pieces(&pieces).expect("room for it");
        for index in batch {
            eprintln!("wrote {index}");
        }
    }
    eprintln!("all is written");
}

fn child(root: &Path, round: u32) -> Child {
    Command::new(env::current_exe().expect("this test"))
        .args(["--exact", "crash::child_that_is_killed", "--nocapture"])
        .env("HEADWATER_STORE_CHILD", root)
        .env("HEADWATER_ROUND", round.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a child")
}

/// Kills a child some time after it began; answers what it said it wrote.
fn killed(root: &Path, round: u32, random: &mut Rng) -> Vec<PieceIndex> {
    let mut child = child(root, round);
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let said = |line: String| line.strip_prefix("wrote ")?.parse().ok().map(PieceIndex);
    let first = random.below(30) as usize;
    let mut wrote: Vec<_> =
        lines.by_ref().map_while(Result::ok).filter_map(said).take(first).collect();
    spin(random.below(3000) as u32);
    child.kill().expect("it lives or is done");
    child.wait().expect("it is gone");
    // What it said until then it had written too.
    wrote.extend(lines.map_while(Result::ok).filter_map(said));
    wrote
}

#[test]
fn killed_a_hundred_times_it_keeps_what_it_said_and_doubts_only_open_pieces() {
    let folder = Folder::new("killed");
    let (torrent, _) = large_sample();
    let mut random = Seed([6; 32]).split("kills");
    let (mut had, mut widely) = (Bitfield::empty(torrent.piece_count()), 0);
    for round in 0..100 {
        let wrote = killed(&folder.0, round, &mut random);
        let (store, have, doubtful) = open(&folder.0, &torrent);
        assert_eq!(right(&store, &torrent, &have), have.count(), "round {round}: a wrong piece");
        let mut kept = have.clone();
        for index in doubtful.ones() {
            if store.hash_piece(index).expect("no failure") == torrent.pieces[index.idx()] {
                kept.set(index);
            }
        }
        let lost: Vec<_> = had.ones().chain(wrote).filter(|index| !kept.has(*index)).collect();
        assert!(lost.is_empty(), "round {round}: lost {lost:?}");
        widely += u32::from(doubtful.count() as usize > BATCH_MAX);
        had = kept;
        if had.count() > torrent.piece_count() * 3 / 4 {
            drop(store);
            fs::remove_dir_all(&folder.0).expect("it goes");
            had = Bitfield::empty(torrent.piece_count());
        }
    }
    eprintln!("{widely} of 100 kills had a whole file hashed");
    assert!(widely < 40, "{widely} of 100 kills had a whole file hashed");
}

#[test]
fn what_somebody_changes_after_a_crash_is_hashed_again() {
    let folder = Folder::new("changed");
    let (torrent, _) = large_sample();
    let mut random = Seed([7; 32]).split("kills");
    while killed(&folder.0, 0, &mut random).is_empty() {}
    let path = folder.0.join("film/c/d.bin");
    let mut content = fs::read(&path).expect("a file");
    content.fill(9);
    fs::write(&path, content).expect("a write");
    let (store, have, _) = open(&folder.0, &torrent);
    assert_eq!(right(&store, &torrent, &have), have.count());
}
