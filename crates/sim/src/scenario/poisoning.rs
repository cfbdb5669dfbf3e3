//! What poison costs: 100 hosts, of which 10 send nothing but wrong blocks and 10 one wrong block
//! in 64. They hand on what they fetch, or have everything from the start. Measured: how much
//! longer the honest take than without those 20, and than with 20 honest hosts in their place.

use core::time::Duration;

use super::{Kind, Scenario};
use crate::{Gate, HostId, Mode, Path, Poisoner, Run, SampleId, Shape, Spec};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "poisoning",
    about: "100 hosts: what 10 % poisoners and 10 % that poison one block in 64 cost",
    kind: Kind::Measure,
    run,
};

const LINE: Path = Path { up: 150_000, down: 1_000_000, ..Path::HOME };
const BOUND: Duration = Duration::from_secs(1800);

/// Plays one world; answers the mean and the worst time of the honest.
fn play(run: &mut Run, others: fn(usize, SampleId) -> Option<Spec>) -> (f64, f64) {
    let mut world = run.world("poisoning").without_referee();
    let mut rng = world.choices();
    let sample = world.torrent(Shape::v1(8 * 1024 * 1024, 128 * 1024));
    for _ in 0..2 {
        world.join(Spec::seed(sample).path(LINE));
    }
    let mut honest: Vec<HostId> = Vec::new();
    for _ in 0..78 {
        let at = Duration::from_millis(rng.below(20_000));
        honest.push(world.join(Spec::leech(sample).path(LINE).at(at)));
    }
    for at in 0..20 {
        let joins = Duration::from_millis(rng.below(20_000));
        if let Some(spec) = others(at, sample) {
            world.join(spec.path(LINE).at(joins));
        }
    }
    world.finish(BOUND);
    let worst = honest.iter().filter_map(|host| world.host(*host).took()).max();
    run.ended(&world);
    (world.mean_took(&honest), worst.map_or(0.0, |worst| worst.as_secs_f64()))
}

fn poisoner(at: usize) -> Mode {
    Mode::tampered(Poisoner { one_in: if at.is_multiple_of(2) { 1 } else { 64 } })
}

fn run(run: &mut Run) {
    let absent = play(run, |_, _| None);
    let honest = play(run, |_, sample| Some(Spec::leech(sample)));
    let fetching =
        play(run, |at, sample| Some(Spec::leech(sample).cheats("poisoner", poisoner(at))));
    let full = play(run, |at, sample| Some(Spec::seed(sample).cheats("poisoner", poisoner(at))));
    let gate = Gate::Most(1.3);
    run.figure("clean, 20 hosts fewer, mean", absent.0, "s", Gate::None);
    run.figure("clean, 20 honest hosts more, mean", honest.0, "s", Gate::None);
    run.figure("20 poison what they hand on, mean", fetching.0, "s", Gate::None);
    run.figure("20 poison and have all, mean", full.0, "s", Gate::None);
    for (what, poisoned) in [("handing on", fetching), ("having all", full)] {
        for (than, clean) in [("20 fewer", absent), ("20 honest", honest)] {
            let mean = poisoned.0 / clean.0;
            run.figure(format!("poisoners {what}, mean against {than}"), mean, "times", gate);
            let worst = poisoned.1 / clean.1;
            run.figure(format!("poisoners {what}, worst against {than}"), worst, "times", gate);
        }
    }
    // A false ban ends the run: see `check.rs`.
    run.figure("honest hosts banned", 0.0, "", Gate::Most(0.0));
}
