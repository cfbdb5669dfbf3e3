//! Some peers send wrong blocks, always or now and then. Everybody finishes, and nobody else is
//! banned.

use core::time::Duration;

use super::{Kind, Scenario};
use crate::{Mode, Poisoner, Run, Shape, Spec};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "poison",
    about: "up to a third of the peers send wrong blocks, always or one in 64",
    kind: Kind::Search,
    run,
};

fn run(run: &mut Run) {
    let mut world = run.world("poison");
    let mut rng = world.choices();
    let sample = world.torrent(Shape::any(&mut rng, 1_200_000));
    world.join(Spec::seed(sample));
    let honest = 3 + rng.below(6);
    for _ in 0..honest {
        let at = Duration::from_millis(rng.below(10_000));
        world.join(Spec::leech(sample).magnet().at(at));
    }
    for _ in 0..1 + rng.below(honest / 2 + 1) {
        let one_in = if rng.below(2) == 0 { 1 } else { 64 };
        let poisoner = Mode::tampered(Poisoner { one_in });
        world.join(Spec::seed(sample).cheats("poisoner", poisoner));
    }
    world.finish(Duration::from_secs(600));
    run.ended(&world);
}
