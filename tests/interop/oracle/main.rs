//! Torrents made and spoiled by a seed: none makes the reader panic or take much memory, and
//! libtorrent, where it is at hand, judges each as we do. `cargo xtask oracle` runs more of them.
//! `HEADWATER_MUTANTS` says how many, `HEADWATER_SEED` which, `HEADWATER_PYTHON` who runs
//! libtorrent.

mod bomb;
mod judge;
mod make;
mod memory;
mod node;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use headwater_base::{Seed, hex};
use headwater_metainfo::Torrent;
use judge::{Outcome, POLICIES, Policy, judge};

/// Torrents judged unless told otherwise: some seconds.
const MUTANTS: u64 = 100_000;
/// Torrents handed over at once.
const BATCH: u64 = 1000;
/// Most bytes of memory for each byte of a torrent.
const MEMORY_FACTOR_MAX: usize = 64;
/// Wrong verdicts shown; one is enough to fail.
const SHOWN_MAX: usize = 12;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// libtorrent in a process of its own.
struct Oracle {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Oracle {
    /// Starts it; nothing where it is not installed.
    fn start() -> Option<Self> {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        let installed = tests.join("../target/venv/bin/python");
        let python = std::env::var("HEADWATER_PYTHON").map_or(installed, PathBuf::from);
        let script = tests.join("interop/verdicts.py");
        let mut command = Command::new(&python);
        command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().ok()?;
        let lines = BufReader::new(child.stdout.take()?);
        Some(Self { child, lines })
    }

    fn judge(&mut self, torrents: &[Vec<u8>]) -> Vec<String> {
        let mut bytes = (torrents.len() as u32).to_be_bytes().to_vec();
        for torrent in torrents {
            bytes.extend((torrent.len() as u32).to_be_bytes());
            bytes.extend(torrent);
        }
        let stdin = self.child.stdin.as_mut().expect("a pipe");
        stdin.write_all(&bytes).and_then(|()| stdin.flush()).expect("libtorrent reads");
        let lines = self.lines.by_ref().lines().take(torrents.len());
        lines.map(|line| line.expect("libtorrent answers")).collect()
    }
}

#[derive(Default)]
struct Tally {
    accepted: u64,
    policies: BTreeMap<&'static str, u64>,
    wrong: Vec<String>,
    factor_max: usize,
}

impl Tally {
    fn judge(&mut self, at: u64, bytes: &[u8], theirs: Option<&str>) {
        let (ours, peak) = memory::peak(|| Torrent::parse(bytes));
        self.accepted += u64::from(ours.is_ok());
        let factor = peak / bytes.len().max(1);
        self.factor_max = self.factor_max.max(factor);
        if factor >= MEMORY_FACTOR_MAX {
            self.fault(at, bytes, format!("{peak} bytes of memory for {}", bytes.len()));
        }
        match theirs.map_or(Outcome::Same, |theirs| judge(&ours, theirs)) {
            Outcome::Same => {}
            Outcome::Meant(name) => *self.policies.entry(name).or_default() += 1,
            Outcome::Wrong(what) => self.fault(at, bytes, what),
        }
    }

    fn fault(&mut self, at: u64, bytes: &[u8], what: String) {
        if self.wrong.len() < SHOWN_MAX {
            let text = bytes.escape_ascii().to_string();
            let shown = if text.len() > 900 { hex(&bytes[..bytes.len().min(64)]) } else { text };
            eprintln!("mutant {at}: {what}\n  {shown}");
        }
        self.wrong.push(what);
    }
}

#[test]
fn mutants_are_judged_as_libtorrent_judges_them() {
    let mutants = number("HEADWATER_MUTANTS").unwrap_or(MUTANTS);
    let seed = number("HEADWATER_SEED").unwrap_or(0);
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    let mut rng = Seed(key).split("mutants");
    let mut oracle = Oracle::start();
    let mut tally = Tally::default();
    for (name, bytes) in bomb::bombs() {
        let (_, peak) = memory::peak(|| Torrent::parse(&bytes));
        let factor = peak as f64 / bytes.len() as f64;
        eprintln!("  {factor:>6.1} bytes of memory for each of {} bytes of {name}", bytes.len());
        assert!(factor < MEMORY_FACTOR_MAX as f64, "{name}");
    }
    let mut at = 0;
    while at < mutants {
        let count = BATCH.min(mutants - at);
        let batch: Vec<_> = (0..count).map(|_| make::mutant(&mut rng)).collect();
        let lines = oracle.as_mut().map(|oracle| oracle.judge(&batch));
        for (n, bytes) in batch.iter().enumerate() {
            let theirs = lines.as_ref().map(|lines| lines[n].as_str());
            tally.judge(at + n as u64, bytes, theirs);
        }
        at += count;
    }
    if oracle.is_none() {
        eprintln!("libtorrent is not installed: only panics and memory were looked at");
    }
    eprintln!(
        "{mutants} mutants of seed {seed}: {} accepted, at most {} bytes of memory a byte",
        tally.accepted, tally.factor_max
    );
    for Policy { name, why, .. } in POLICIES {
        eprintln!("  {:>6} {name}: {why}", tally.policies.get(name).unwrap_or(&0));
    }
    assert!(tally.accepted * 10 > mutants, "only {} of {mutants} accepted", tally.accepted);
    assert!(tally.wrong.is_empty(), "{} wrong verdicts", tally.wrong.len());
}
