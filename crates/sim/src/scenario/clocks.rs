//! Clocks leap as after a sleep, and tabs in the background run no code for seconds or minutes.

use core::time::Duration;

use super::{Kind, Scenario};
use crate::{Fault, Path, Run, Shape, Spec};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "clocks",
    about: "clocks leap ahead by up to a day, tabs freeze and thaw",
    kind: Kind::Search,
    run,
};

fn run(run: &mut Run) {
    let mut world = run.world("clocks");
    let mut rng = world.choices();
    let sample = world.torrent(Shape::any(&mut rng, 1_200_000));
    let slow = Path { up: 120_000, ..Path::HOME };
    let mut hosts = vec![world.join(Spec::seed(sample).path(slow))];
    for _ in 0..3 + rng.below(5) {
        let at = Duration::from_millis(rng.below(5_000));
        hosts.push(world.join(Spec::leech(sample).magnet().at(at).path(slow)));
    }
    for _ in 0..3 + rng.below(8) {
        let at = Duration::from_millis(1_000 + rng.below(40_000));
        let host = hosts[rng.below(hosts.len() as u64) as usize];
        if rng.below(2) == 0 {
            let most = 10_u64.pow(1 + rng.below(8) as u32).min(86_400_000);
            world.plan(at, Fault::Leap(host, Duration::from_millis(rng.below(most))));
        } else {
            let most = if rng.below(3) == 0 { 240_000 } else { 9_000 };
            let asleep = Duration::from_millis(rng.below(most));
            world.plan(at, Fault::Freeze(host));
            world.plan(at + asleep, Fault::Thaw(host));
        }
    }
    world.finish(Duration::from_secs(900));
    run.ended(&world);
}
