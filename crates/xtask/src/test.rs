//! Runs everything that CI runs, step by step, and counts what passed and failed.
//! A step that fails does not keep the next from running; a step without tests counts as one.

mod count;
mod steps;

use std::time::Duration;

use anyhow::{Result, bail};

use crate::args::{Args, UsageError};
use crate::clock::Clock;
use crate::test::count::Count;
use crate::test::steps::STEPS;

pub(crate) const USAGE: &str = "\
usage: cargo xtask test [--full] [--only STEP[,STEP]] [--list]

  --full   long tests too: every cell of the interop matrix
  --only   just these steps
  --list   name the steps and end

Ends with one line `N passed, N failed`. Where CI=true is set, a skipped test counts as failed.";

struct Outcome {
    name: &'static str,
    took: Duration,
    count: Count,
}

pub(crate) fn run_args(mut args: Args) -> Result<()> {
    if args.flag("--list") {
        for step in STEPS {
            println!("{:<8} {}", step.name, step.about);
        }
        return args.finish();
    }
    let full = args.flag("--full");
    let only = args.value("--only")?;
    args.finish()?;
    let only: Vec<&str> = only.iter().flat_map(|names| names.split(',')).collect();
    if let Some(name) = only.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        return Err(UsageError(format!("no step named {name}; see --list")).into());
    }
    let chosen = STEPS.iter().filter(|step| only.is_empty() || only.contains(&step.name));
    let mut outcomes = Vec::new();
    for step in chosen {
        println!("\n== {}: {}", step.name, step.about);
        let clock = Clock::start();
        let count = step.run(full).unwrap_or_else(|error| {
            println!("{}: {error:#}", step.name);
            Count::failed_step()
        });
        let took = clock.elapsed();
        println!("== {} took {:.1} s", step.name, took.as_secs_f64());
        let stop = step.needed && count.failed > 0;
        outcomes.push(Outcome { name: step.name, took, count });
        if stop {
            break;
        }
    }
    summary(&outcomes)
}

fn summary(outcomes: &[Outcome]) -> Result<()> {
    println!("\n{:<8} {:>8} {:>7} {:>7} {:>8}", "step", "seconds", "passed", "failed", "skipped");
    let mut sum = Count::default();
    for Outcome { name, took, count } in outcomes {
        let Count { passed, failed, skipped } = count;
        println!("{name:<8} {:>8.1} {passed:>7} {failed:>7} {skipped:>8}", took.as_secs_f64());
        sum.add(*count);
    }
    let took: Duration = outcomes.iter().map(|outcome| outcome.took).sum();
    println!("{:<8} {:>8.1}\n", "all", took.as_secs_f64());
    if std::env::var_os("CI").is_some_and(|ci| ci == "true") && sum.skipped > 0 {
        println!("skipped in CI: {} counted as failed", sum.skipped);
        sum.failed += sum.skipped;
    }
    println!("{} passed, {} failed", sum.passed, sum.failed);
    if sum.failed > 0 {
        bail!("{} failed", sum.failed);
    }
    Ok(())
}
