//! Trackers die, fall silent, lie and speak nonsense. One that is well in the end is enough.

use core::time::Duration;

use super::{Kind, Scenario};
use crate::{Fault, Path, Run, Shape, Spec, TrackerMood};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "trackers",
    about: "one to three trackers that die, fall silent, lie or speak nonsense",
    kind: Kind::Search,
    run,
};

const MOODS: [TrackerMood; 6] = [
    TrackerMood::Well,
    TrackerMood::Dead,
    TrackerMood::Mute,
    TrackerMood::Garbage,
    TrackerMood::Boasting,
    TrackerMood::Hiding,
];

fn run(run: &mut Run) {
    let mut world = run.world("trackers");
    let mut rng = world.choices();
    let trackers = 1 + rng.below(3) as usize;
    for _ in 1..trackers {
        world.tracker();
    }
    let sample = world.torrent(Shape::any(&mut rng, 900_000));
    let slow = Path { up: 150_000, ..Path::HOME };
    world.join(Spec::seed(sample).path(slow));
    for _ in 0..3 + rng.below(6) {
        let at = Duration::from_millis(rng.below(40_000));
        let leech = Spec::leech(sample).at(at).path(slow);
        world.join(if rng.below(2) == 0 { leech.magnet() } else { leech });
    }
    for _ in 0..2 + rng.below(8) {
        let which = rng.below(trackers as u64) as usize;
        let mood = MOODS[rng.below(MOODS.len() as u64) as usize];
        world.plan(Duration::from_millis(rng.below(50_000)), Fault::Tracker(which, mood));
    }
    let well = rng.below(trackers as u64) as usize;
    world.plan(Duration::from_secs(60), Fault::Tracker(well, TrackerMood::Well));
    world.finish(Duration::from_secs(900));
    run.ended(&world);
}
