//! Replays what `tests/fuzz/corpus` keeps, and changed copies of it, through every fuzz target.

use std::path::Path;

use headwater_base::{Rng, Seed};
use headwater_tests::targets::TARGETS;

/// Changed copies of each input.
const COPIES: u32 = 100;

#[test]
fn nothing_kept_breaks_a_rule_nor_do_changed_copies() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (name, target) in TARGETS {
        let mut rng = Seed([5; 32]).split(name);
        let mut inputs = 0;
        for entry in std::fs::read_dir(corpus.join(name)).expect(name) {
            let path = entry.expect("an entry").path();
            let bytes = std::fs::read(&path).expect("an input");
            eprintln!("{}", path.display());
            target(&bytes);
            for _ in 0..COPIES {
                target(&changed(&mut rng, &bytes));
            }
            inputs += 1;
        }
        assert!(inputs > 0, "no input for {name}");
    }
}

fn changed(rng: &mut Rng, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=rng.below(3) {
        let at = rng.below(bytes.len() as u64 + 1) as usize;
        let end = (at + rng.below(9) as usize).min(bytes.len());
        match rng.below(4) {
            0 => drop(bytes.drain(at..end)),
            1 => bytes.insert(at, rng.next_u64() as u8),
            2 if at < bytes.len() => bytes[at] ^= 1 << rng.below(8),
            _ => {
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
        }
    }
    bytes
}
