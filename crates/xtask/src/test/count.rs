//! Counts tests in what cargo and node print, while it passes through to the person who watches.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::run::words;

/// How many tests did what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Count {
    /// A step without tests that did well.
    pub(crate) const fn passed_step() -> Self {
        Self { passed: 1, failed: 0, skipped: 0 }
    }

    /// A step that failed as a whole.
    pub(crate) const fn failed_step() -> Self {
        Self { passed: 0, failed: 1, skipped: 0 }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    /// Reads a summary line of libtest, of wasm-bindgen's runner or of `node --test`.
    fn read_line(&mut self, line: &str) {
        let line = line.trim();
        if let Some((_, counts)) = line.split_once("test result: ") {
            for part in counts.split([';', '.']) {
                self.read_pair(part.trim());
            }
        } else if let Some(pair) = line.strip_prefix("ℹ ").or_else(|| line.strip_prefix("# ")) {
            let (word, number) = pair.split_once(' ').unwrap_or_default();
            self.read_pair(&format!("{number} {word}"));
        }
    }

    fn read_pair(&mut self, pair: &str) {
        let Some((number, word)) = pair.split_once(' ') else { return };
        let Ok(number) = number.parse::<u64>() else { return };
        match word {
            "passed" | "pass" => self.passed += number,
            "failed" | "fail" | "cancelled" => self.failed += number,
            "ignored" | "skipped" | "todo" => self.skipped += number,
            _ => {}
        }
    }
}

/// Runs a program whose output tells of tests. A program that ends badly without naming a failed
/// test, or that well ran none, counts as one failure.
pub(crate) fn counted(command: &mut Command) -> Result<Count> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("start {}", words(command)))?;
    let stdout = child.stdout.take().context("no stdout")?;
    let mut count = Count::default();
    for line in BufReader::new(stdout).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        count.read_line(&line);
    }
    let well = child.wait()?.success();
    if count.failed == 0 && (!well || count.passed == 0) {
        println!("{}: {}", words(command), if well { "ran no test" } else { "failed" });
        count.failed = 1;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_of_cargo_and_node_are_added_up() {
        let mut count = Count::default();
        count.read_line(
            "test result: FAILED. 12 passed; 1 failed; 2 ignored; 0 measured; 3 filtered",
        );
        count.read_line("ℹ pass 4");
        count.read_line("# fail 1");
        count.read_line("ℹ duration_ms 4000");
        assert_eq!(count, Count { passed: 16, failed: 2, skipped: 2 });
    }

    #[test]
    fn a_program_that_ran_no_test_has_failed() {
        assert_eq!(counted(&mut Command::new("true")).unwrap().failed, 1);
        assert_eq!(counted(&mut Command::new("false")).unwrap().failed, 1);
    }
}
