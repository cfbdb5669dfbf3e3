//! Seeds that failed once and were mended: `tests/seeds/SCENARIO.txt`, a line each, `SEED: cause`.

/// Reads the seeds of one scenario's file.
pub fn kept_seeds(text: &str) -> Result<Vec<u64>, String> {
    let lines = text.lines().filter(|line| !line.is_empty());
    let read = |line: &str| {
        let seed = line.split_once(": ").filter(|(_, cause)| !cause.is_empty());
        let seed = seed.and_then(|(seed, _)| seed.parse().ok());
        seed.ok_or_else(|| format!("a line is `SEED: cause`, not `{line}`"))
    };
    lines.map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_seed_needs_its_cause() {
        assert_eq!(kept_seeds("7: lost a have\n\n9: b: c\n"), Ok(vec![7, 9]));
        assert!(kept_seeds("7:\n").is_err() && kept_seeds("x: y").is_err());
    }
}
