//! Tabs come and go, the world falls into parts, links break. Afterwards everybody finishes.

use core::time::Duration;

use super::{Kind, Scenario};
use crate::{Fault, Path, Run, Shape, Spec};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "churn",
    about: "tabs vanish and come back, the world falls apart and heals, links break",
    kind: Kind::Search,
    run,
};

fn run(run: &mut Run) {
    let mut world = run.world("churn");
    let mut rng = world.choices();
    let sample = world.torrent(Shape::any(&mut rng, 1_200_000));
    let slow = Path { up: 150_000, ..Path::HOME };
    let mut hosts = vec![world.join(Spec::seed(sample).path(slow))];
    for _ in 0..3 + rng.below(6) {
        let at = Duration::from_millis(rng.below(5_000));
        hosts.push(world.join(Spec::leech(sample).magnet().at(at).path(slow)));
    }
    for _ in 0..4 + rng.below(10) {
        let at = Duration::from_millis(3_000 + rng.below(60_000));
        let host = hosts[rng.below(hosts.len() as u64) as usize];
        let fault = match rng.below(4) {
            0 => Fault::Part(host, 1),
            1 => Fault::Cut(host),
            2 => Fault::Heal,
            _ => {
                let back = at + Duration::from_millis(rng.below(30_000));
                world.plan_absence(host, at, back);
                continue;
            }
        };
        world.plan(at, fault);
    }
    world.plan(Duration::from_secs(65), Fault::Heal);
    world.finish(Duration::from_secs(600));
    run.ended(&world);
}
