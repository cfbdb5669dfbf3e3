//! Whole swarms in virtual time: every scenario once, and every seed that failed before.
//! `cargo xtask sim` plays the same by the thousand; `SIM_SEED` has another seed played here.

use std::path::Path;

use headwater_sim::{Kind, SCENARIOS, kept_seeds, play};

#[test]
fn every_scenario_passes() {
    let seed = std::env::var("SIM_SEED").map_or(0, |seed| seed.parse().unwrap());
    for scenario in SCENARIOS.iter().filter(|scenario| scenario.kind == Kind::Search) {
        eprintln!("cargo xtask sim --scenario {} --seed {seed}", scenario.name);
        play(scenario, seed, None);
    }
}

#[test]
fn every_seed_that_failed_before_passes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|end| end != "txt") {
            continue;
        }
        let named = |scenario: &&headwater_sim::Scenario| {
            path.file_stem().is_some_and(|stem| stem == scenario.name)
        };
        let scenario = SCENARIOS.iter().find(named).expect("seeds of a scenario");
        for seed in kept_seeds(&std::fs::read_to_string(&path).unwrap()).unwrap() {
            eprintln!("cargo xtask sim --scenario {} --seed {seed}", scenario.name);
            play(scenario, seed, None);
        }
    }
}
