//! Three of 32 hosts take what the seeds give and throw it away, with fast lines and without end.
//! Measured: how much longer the other 29 take than where those three are honest. The seeds give
//! nearly everything here, so that their choice of whom to serve decides.

use core::time::Duration;

use super::{Kind, Scenario};
use crate::{Gate, Hog, HostId, Mode, Path, Run, Shape, Spec};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "hogs",
    about: "three of 32 hosts waste what seeds give: how much slower the honest are",
    kind: Kind::Measure,
    run,
};

/// Plays one world; answers how long the honest take.
fn play(run: &mut Run, attacked: bool) -> f64 {
    let mut world = run.world("hogs").without_referee();
    let mut rng = world.choices();
    let sample = world.torrent(Shape::v1(8 * 1024 * 1024, 64 * 1024));
    for _ in 0..2 {
        world.join(Spec::seed(sample).path(Path { up: 500_000, ..Path::SERVER }));
    }
    for _ in 0..3 {
        let path = Path { up: 20_000, ..Path::SERVER };
        let leech = Spec::leech(sample).path(path);
        let hog = || Mode::played(Hog::default());
        world.join(if attacked { leech.cheats("hog", hog()) } else { leech });
    }
    let mut honest: Vec<HostId> = Vec::new();
    for _ in 0..29 {
        let at = Duration::from_millis(rng.below(20_000));
        let path = Path { up: 20_000, down: 1_000_000, ..Path::HOME };
        honest.push(world.join(Spec::leech(sample).path(path).at(at)));
    }
    world.finish(Duration::from_secs(3600));
    run.ended(&world);
    world.mean_took(&honest)
}

fn run(run: &mut Run) {
    let (clean, attacked) = (play(run, false), play(run, true));
    run.figure("honest finish after, mean, all are honest", clean, "s", Gate::None);
    run.figure("honest finish after, mean, three attack", attacked, "s", Gate::None);
    let slower = (attacked / clean - 1.0) * 100.0;
    run.figure("three attackers slow the honest by", slower, "%", Gate::Most(15.0));
}
