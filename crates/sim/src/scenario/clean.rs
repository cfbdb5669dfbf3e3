//! A swarm in which nothing goes wrong: one seed, browsers that come one after the other.

use core::time::Duration;

use super::{Kind, Scenario};
use crate::{Nat, Path, Run, Shape, Spec};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "clean",
    about: "browsers of all kinds of lines fetch from one seed and each other",
    kind: Kind::Search,
    run,
};

fn run(run: &mut Run) {
    let mut world = run.world("clean");
    let mut rng = world.choices();
    let sample = world.torrent(Shape::any(&mut rng, 1_000_000));
    world.join(Spec::seed(sample).path(Path { nat: Nat::Open, ..Path::HOME }));
    for _ in 0..3 + rng.below(10) {
        let at = Duration::from_millis(rng.below(8_000));
        let path = match rng.below(4) {
            0 => Path::MOBILE,
            1 => Path::SERVER,
            _ => Path::HOME,
        };
        let leech = Spec::leech(sample).at(at).path(path);
        let magnet = rng.below(3) > 0;
        world.join(if magnet { leech.magnet() } else { leech });
    }
    world.finish(Duration::from_secs(300));
    run.ended(&world);
}
