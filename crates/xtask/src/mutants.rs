//! Plants one-line bugs, one at a time, and says which of them the tests and the simulator catch.
//! All bugs are compiled into one copy of the core and switched on by number, so that a hundred of
//! them cost one build.

mod list;
mod plant;
mod run;

use anyhow::{Result, bail};

use crate::args::Args;
use list::Bug;
use run::{Caught, Judge};

pub(crate) const USAGE: &str = "\
usage: cargo xtask mutants [--bug N] [--kind KIND] [--list]

  --bug    just this one
  --kind   just those of one kind
  --list   name the bugs and end

Fails when fewer than 90 of 100 bugs are caught.";

/// Bugs that must be caught, of a hundred.
const CAUGHT_MIN: usize = 90;

pub(crate) fn run_args(mut args: Args) -> Result<()> {
    let listed = args.flag("--list");
    let number = args.number("--bug")?;
    let kind = args.value("--kind")?;
    args.finish()?;
    let bugs = list::read()?;
    let chosen: Vec<&Bug> = bugs
        .iter()
        .filter(|bug| number.is_none_or(|number| u64::from(bug.number) == number))
        .filter(|bug| kind.as_ref().is_none_or(|kind| bug.kind == *kind))
        .collect();
    if listed {
        for bug in chosen {
            println!("{}", row(bug, ""));
        }
        return Ok(());
    }
    let tree = plant::tree(&bugs)?;
    let judge = Judge::build(&tree)?;
    let verdicts = judge.try_all(&chosen)?;
    for (bug, caught) in chosen.iter().zip(&verdicts) {
        println!("{}", row(bug, &caught.to_string()));
    }
    summary(&chosen, &verdicts)
}

fn row(bug: &Bug, caught: &str) -> String {
    let place = bug.file.trim_start_matches("crates/");
    let Bug { number, kind, old, new, .. } = bug;
    let new = if new.is_empty() { "nothing" } else { new };
    format!("{number:>3} | {kind:<14} | {place} | `{old}` → `{new}` | {caught}")
}

/// Says how many of each kind were caught, and fails when too few were.
fn summary(bugs: &[&Bug], verdicts: &[Caught]) -> Result<()> {
    let mut kinds: Vec<&str> = bugs.iter().map(|bug| bug.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    println!("\n{:<15} {:>6} {:>7}", "kind", "bugs", "caught");
    let count = |kind: Option<&str>| {
        let of = bugs.iter().zip(verdicts).filter(|(bug, _)| kind.is_none_or(|k| bug.kind == k));
        of.fold((0, 0), |(all, caught), (_, verdict)| {
            (all + 1, caught + usize::from(*verdict != Caught::Missed))
        })
    };
    for kind in kinds {
        let (all, caught) = count(Some(kind));
        println!("{kind:<15} {all:>6} {caught:>7}");
    }
    let (all, caught) = count(None);
    println!("{:<15} {all:>6} {caught:>7}", "all");
    if caught * 100 < all * CAUGHT_MIN {
        bail!("{caught} of {all} bugs caught, at least {CAUGHT_MIN} of 100 should be");
    }
    Ok(())
}
