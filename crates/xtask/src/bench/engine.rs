//! Measures the engine and its hashing, natively and in wasm in turns, so that a slow minute of the
//! machine hits both alike. Prints medians.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::run::{capture, cargo, tool};
use crate::{setup, web};

/// Names and figures, in the order in which they came first.
type Figures = Vec<(String, Vec<f64>)>;

const WASM: &str = "wasm32-wasip1";

/// Runs everything and prints the tables.
pub(super) fn bench(rounds: u64, mib: u64) -> Result<()> {
    setup::ensure(false)?;
    web::build(false)?;
    let (native, wasm) = (build(&[])?, build(&["--target", WASM])?);
    let mut both: [Figures; 2] = [Vec::new(), Vec::new()];
    for round in 0..rounds {
        for which in if round % 2 == 0 { [0, 1] } else { [1, 0] } {
            let mut program = if which == 0 {
                tool(&native)
            } else {
                let mut node = tool("tests/wasi.mjs");
                node.arg(&wasm);
                node
            };
            measure(program.arg(mib.to_string()), &mut both[which])?;
        }
    }
    println!("{mib} MiB between two engines on one core; MiB/s, medians of {rounds} rounds\n");
    println!("{:<24}{:>10}{:>10}{:>16}", "", "native", "wasm", "wasm/native");
    for ((name, native), (_, wasm)) in both[0].iter().zip(&both[1]) {
        let ratios = native.iter().zip(wasm).map(|(native, wasm)| wasm / native * 100.0);
        let ratio = median(&ratios.collect::<Vec<_>>());
        println!("{name:<24}{:>10.0}{:>10.0}{ratio:>14.0} %", median(native), median(wasm));
    }
    let mut page = Vec::new();
    measure(tool("node").arg("tests/bench/hashing.mjs").arg(rounds.to_string()), &mut page)?;
    println!("\nhashing in a Chromium worker: SHA-1 of 256 KiB, SHA-256 of 16 KiB\n");
    for (name, values) in page {
        println!("{name:<24}{:>10.0}", median(&values));
    }
    Ok(())
}

/// Builds the engine's bench for speed; answers where it is.
fn build(target: &[&str]) -> Result<PathBuf> {
    let mut build = cargo();
    build.args(["build", "--release", "-p", "headwater-engine", "--bench", "throughput"]);
    let lines = capture(build.args(["--message-format=json-render-diagnostics"]).args(target))?;
    let lines = String::from_utf8_lossy(&lines).into_owned();
    let made = lines.lines().filter_map(|line| serde_json::from_str(line).ok());
    let mut programs = made
        .filter_map(|message: serde_json::Value| message["executable"].as_str().map(PathBuf::from));
    programs.next_back().context("cargo says not where the bench is")
}

/// Runs a program whose lines are a name and a figure, and adds them.
fn measure(program: &mut Command, figures: &mut Figures) -> Result<()> {
    let lines = capture(program)?;
    for line in String::from_utf8_lossy(&lines).lines() {
        let (name, figure) = line.rsplit_once(['\t', ' ']).context("a line without a figure")?;
        let figure: f64 = figure.parse().context("a figure that is no number")?;
        match figures.iter_mut().find(|(known, _)| known == name) {
            Some((_, values)) => values.push(figure),
            None => figures.push((name.to_owned(), vec![figure])),
        }
    }
    Ok(())
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match sorted.get(half) {
        Some(high) if sorted.len() % 2 == 1 => *high,
        Some(high) => (sorted[half - 1] + high) / 2.0,
        None => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_count_lies_between_the_middle_two() {
        assert_eq!(median(&[9.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[9.0, 1.0, 2.0, 4.0]), 3.0);
    }
}
