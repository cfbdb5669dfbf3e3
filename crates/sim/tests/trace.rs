//! One seed is one run. `cargo xtask sim --wasm` compares native runs with those on wasm32.

use headwater_sim::{Kind, SCENARIOS, play};

#[test]
fn the_same_seed_gives_the_same_run_byte_for_byte() {
    for scenario in SCENARIOS.iter().filter(|scenario| scenario.kind == Kind::Search) {
        let [first, second] = [1, 1].map(|seed| play(scenario, seed, None));
        assert!(first.steps > 100, "{} has {} steps", scenario.name, first.steps);
        assert_eq!((first.trace, first.steps), (second.trace, second.steps), "{}", scenario.name);
    }
}

#[test]
fn other_seeds_give_other_runs() {
    let traces = [1, 2].map(|seed| play(&SCENARIOS[0], seed, None).trace);
    assert_ne!(traces[0], traces[1]);
}
