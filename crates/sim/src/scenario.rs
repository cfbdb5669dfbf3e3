//! The table of scenarios. Each has a file of its own below.

mod bargains;
mod cheats;
mod churn;
mod clean;
mod clocks;
mod crashes;
mod disks;
mod exchange;
mod hogs;
mod incentives;
mod market;
mod outlive;
mod overissue;
mod paid;
mod poison;
mod poisoning;
mod routers;
mod scarce;
mod shares;
mod storm;
mod stream;
mod trackers;
mod users;

use crate::run::Run;

/// A situation, the same for every seed but for what chance decides.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What it shows.
    pub about: &'static str,
    /// What it is good for.
    pub kind: Kind,
    /// Plays it. Panics where something does not hold.
    pub run: fn(&mut Run),
}

/// What a scenario is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Searching for bugs, seed after seed.
    Search,
    /// Measuring, when asked for by name.
    Measure,
}

/// Every scenario.
pub const SCENARIOS: &[Scenario] = &[
    clean::SCENARIO,
    churn::SCENARIO,
    outlive::SCENARIO,
    exchange::SCENARIO,
    poison::SCENARIO,
    cheats::SCENARIO,
    disks::SCENARIO,
    clocks::SCENARIO,
    trackers::SCENARIO,
    routers::SCENARIO,
    users::SCENARIO,
    bargains::SCENARIO,
    paid::SCENARIO,
    crashes::SCENARIO,
    shares::SCENARIO,
    scarce::SCENARIO,
    overissue::SCENARIO,
    market::SCENARIO,
    storm::SCENARIO,
    poisoning::SCENARIO,
    incentives::SCENARIO,
    hogs::SCENARIO,
    stream::SCENARIO,
];

impl Scenario {
    /// The scenario of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        SCENARIOS.iter().find(|scenario| scenario.name == name)
    }
}
