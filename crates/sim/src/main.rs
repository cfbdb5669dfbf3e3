//! Plays scenarios on all cores and says which seed fails, and how to see it again.
#![expect(clippy::print_stdout, reason = "a program of the command line talks on stdout")]

mod args;
mod pool;
mod report;

use std::path::Path;
use std::process::ExitCode;

use headwater_sim::{Kind, SCENARIOS, Scenario, kept_seeds, play};

use crate::args::Args;
use crate::pool::Job;

fn main() -> ExitCode {
    let args = match Args::read(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(trouble) => {
            eprintln!("sim: {trouble}\n\n{}", args::USAGE);
            return ExitCode::from(2);
        }
    };
    if args.help {
        println!("{}", args::USAGE);
        return ExitCode::SUCCESS;
    }
    if args.list {
        report::list();
        return ExitCode::SUCCESS;
    }
    if let Some(seeds) = args.traces {
        return traces(seeds);
    }
    if args.trace {
        return trace(&args);
    }
    let jobs = match jobs(&args) {
        Ok(jobs) => jobs,
        Err(trouble) => {
            eprintln!("sim: {trouble}");
            return ExitCode::from(2);
        }
    };
    let results = pool::play_all(&jobs, args.jobs);
    if report::print(&results) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What is to be played.
fn jobs(args: &Args) -> Result<Vec<Job>, String> {
    let mut jobs = Vec::new();
    if args.kept {
        jobs.extend(kept()?);
    }
    if args.measured {
        // They take longest, so they begin.
        let measure = SCENARIOS.iter().filter(|scenario| scenario.kind == Kind::Measure);
        jobs.extend(measure.map(|scenario| Job { scenario, seed: args.seed.unwrap_or(0) }));
    }
    let chosen: Vec<&Scenario> = match &args.scenario {
        Some(name) => vec![Scenario::named(name).ok_or(format!("no scenario named {name}"))?],
        None => SCENARIOS.iter().filter(|scenario| scenario.kind == Kind::Search).collect(),
    };
    let many = chosen.first().filter(|_| args.scenario.is_some());
    let few = many.is_some_and(|scenario| scenario.kind == Kind::Measure);
    let seeds = match (args.seed, args.seeds) {
        (Some(seed), _) => seed..seed + 1,
        (None, Some(seeds)) => args.first..args.first + seeds.div_ceil(chosen.len() as u64),
        (None, None) if few => args.first..args.first + 1,
        (None, None) => args.first..args.first + args::SEEDS_EACH,
    };
    for seed in seeds {
        jobs.extend(chosen.iter().map(|&scenario| Job { scenario, seed }));
    }
    Ok(jobs)
}

/// Every seed of `tests/seeds`.
fn kept() -> Result<Vec<Job>, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/seeds");
    let mut jobs = Vec::new();
    for scenario in SCENARIOS {
        let file = folder.join(scenario.name).with_extension("txt");
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let seeds = kept_seeds(&text).map_err(|why| format!("{}: {why}", file.display()))?;
        jobs.extend(seeds.into_iter().map(|seed| Job { scenario, seed }));
    }
    Ok(jobs)
}

/// Plays the first seeds of every scenario that searches, and prints the sum of each trace.
fn traces(seeds: u64) -> ExitCode {
    for scenario in SCENARIOS.iter().filter(|scenario| scenario.kind == Kind::Search) {
        for seed in 0..seeds {
            let outcome = play(scenario, seed, None);
            println!("{} {seed} {} {:016x}", scenario.name, outcome.steps, outcome.trace);
        }
    }
    ExitCode::SUCCESS
}

/// Plays one seed and says everything that happens.
fn trace(args: &Args) -> ExitCode {
    let name = args.scenario.as_deref().unwrap_or_default();
    let (Some(scenario), Some(seed)) = (Scenario::named(name), args.seed) else {
        eprintln!("sim: --trace needs --scenario and --seed");
        return ExitCode::from(2);
    };
    let outcome = play(scenario, seed, Some(|line| println!("{line}")));
    println!("{name} {seed}: {} steps, trace {:016x}", outcome.steps, outcome.trace);
    ExitCode::SUCCESS
}
