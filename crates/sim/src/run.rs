//! Plays one seed of one scenario, and keeps what came of it.

use core::time::Duration;

use headwater_base::{Seed, Time};

use crate::scenario::Scenario;
use crate::trace::{Log, name_of};
use crate::world::World;

/// One seed of one scenario being played.
#[derive(Debug)]
pub struct Run {
    seed: u64,
    scenario: u64,
    log: Option<Log>,
    outcome: Outcome,
}

/// What came of a run.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// A number that differs when one byte of one step does.
    pub trace: u64,
    /// How many things happened.
    pub steps: u64,
    /// How much time passed in its worlds.
    pub virtual_time: Duration,
    /// Most hosts in one world.
    pub hosts: usize,
    /// What it measured.
    pub figures: Vec<Figure>,
}

/// Something measured.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What.
    pub what: String,
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: &'static str,
    /// What it should be.
    pub gate: Gate,
}

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gate {
    /// Whatever it is.
    None,
    /// No more than this.
    Most(f64),
    /// No less than this.
    Least(f64),
}

impl Figure {
    /// Whether it is what it should be.
    pub fn holds(&self) -> bool {
        match self.gate {
            Gate::None => true,
            Gate::Most(most) => self.value <= most,
            Gate::Least(least) => self.value >= least,
        }
    }
}

impl Run {
    /// A world of this run. Worlds with the same label begin alike.
    pub fn world(&self, label: &str) -> World {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.scenario.to_le_bytes());
        let mut own = Seed([0; 32]);
        Seed(bytes).split(label).fill(&mut own.0);
        World::new(own, self.log)
    }

    /// Which seed it is.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Takes note of a world that has come to its end.
    pub fn ended(&mut self, world: &World) {
        let outcome = &mut self.outcome;
        outcome.trace = outcome.trace.rotate_left(7) ^ world.trace().sum();
        outcome.steps += world.trace().steps();
        outcome.virtual_time += world.now().since(Time::ZERO);
        outcome.hosts = outcome.hosts.max(world.hosts().count());
    }

    /// Takes note of something measured.
    pub fn figure(&mut self, what: impl Into<String>, value: f64, unit: &'static str, gate: Gate) {
        self.outcome.figures.push(Figure { what: what.into(), value, unit, gate });
    }
}

/// Plays one seed of a scenario. Panics when a checker finds something.
pub fn play(scenario: &Scenario, seed: u64, log: Option<Log>) -> Outcome {
    let name = name_of(scenario.name);
    let mut run = Run { seed, scenario: name, log, outcome: Outcome::default() };
    (scenario.run)(&mut run);
    run.outcome
}
