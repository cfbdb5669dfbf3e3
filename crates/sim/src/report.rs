//! Tells what was played, how fast, what was measured and what failed.

use std::time::Duration;

use headwater_sim::{Gate, Kind, SCENARIOS};

use crate::pool::Played;

/// Names the scenarios.
pub(crate) fn list() {
    for scenario in SCENARIOS {
        let kind = match scenario.kind {
            Kind::Search => "search",
            Kind::Measure => "measure",
        };
        println!("{:<14} {kind:<8} {}", scenario.name, scenario.about);
    }
}

/// Prints a line a scenario, then figures and failures. Answers whether all is well.
pub(crate) fn print(results: &[Played]) -> bool {
    let head = ["scenario", "seeds", "failed", "hosts", "steps", "virtual s", "real s", "faster"];
    let [name, seeds, failed, hosts, steps, ahead, real, faster] = head;
    println!(
        "{name:<14} {seeds:>6} {failed:>6} {hosts:>5} {steps:>11} {ahead:>10} {real:>8} {faster:>8}"
    );
    for scenario in SCENARIOS {
        let of = |played: &&Played| played.job.scenario.name == scenario.name;
        let played: Vec<&Played> = results.iter().filter(of).collect();
        if !played.is_empty() {
            line(scenario.name, &played);
        }
    }
    line("all", &results.iter().collect::<Vec<_>>());
    for played in results {
        figures(played);
    }
    let failed: Vec<&Played> = results.iter().filter(|played| !is_well(played)).collect();
    for Played { job, .. } in &failed {
        println!("again: cargo xtask sim --scenario {} --seed {}", job.scenario.name, job.seed);
    }
    let word = if failed.is_empty() { "ok" } else { "FAILED" };
    let passed = results.len() - failed.len();
    println!("\ntest result: {word}. {passed} passed; {} failed", failed.len());
    failed.is_empty()
}

/// Whether it came to its end and every figure is what it should be.
fn is_well(played: &Played) -> bool {
    let outcome = played.outcome.as_ref();
    outcome.is_ok_and(|outcome| outcome.figures.iter().all(headwater_sim::Figure::holds))
}

fn line(name: &str, played: &[&Played]) {
    let failed = played.iter().filter(|played| !is_well(played)).count();
    let well = || played.iter().filter_map(|played| played.outcome.as_ref().ok());
    let hosts = well().map(|outcome| outcome.hosts).max().unwrap_or(0);
    let steps: u64 = well().map(|outcome| outcome.steps).sum();
    let ahead: Duration = well().map(|outcome| outcome.virtual_time).sum();
    let real: Duration = played.iter().map(|played| played.took).sum();
    let (ahead, real) = (ahead.as_secs_f64(), real.as_secs_f64());
    let faster = ahead / real.max(1e-9);
    let seeds = played.len();
    println!(
        "{name:<14} {seeds:>6} {failed:>6} {hosts:>5} {steps:>11} {ahead:>10.0} {real:>8.2} \
         {faster:>7.0}x"
    );
}

fn figures(played: &Played) {
    let Ok(outcome) = &played.outcome else { return };
    if outcome.figures.is_empty() {
        return;
    }
    println!("\n{} {}:", played.job.scenario.name, played.job.seed);
    for figure in &outcome.figures {
        let gate = match figure.gate {
            Gate::None => String::new(),
            Gate::Most(most) => format!("at most {most}: {}", word(figure.holds())),
            Gate::Least(least) => format!("at least {least}: {}", word(figure.holds())),
        };
        println!("  {:<58} {:>9.2} {:<6} {gate}", figure.what, figure.value, figure.unit);
    }
}

fn word(holds: bool) -> &'static str {
    if holds { "holds" } else { "MISSED" }
}
