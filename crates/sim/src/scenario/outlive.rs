//! The swarm's tracker dies for good. Newcomers share another tracker with one of the swarm, and
//! meet the rest through it, though some abuse introductions.

use core::time::Duration;

use super::{Kind, Scenario};
use crate::{Fault, HostId, Mode, Nat, Path, Run, Shape, SignalAbuser, Spec, TrackerMood};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "outlive",
    about: "a swarm whose tracker is dead meets newcomers that know one of it",
    kind: Kind::Search,
    run,
};

/// A line so slow that newcomers want links for long enough.
const SLOW: Path = Path { up: 60_000, nat: Nat::Open, ..Path::HOME };

fn run(run: &mut Run) {
    let mut world = run.world("outlive");
    let mut rng = world.choices();
    let other = world.tracker();
    let length = 600_000 + rng.below(400_000) as u32;
    let sample = world.torrent(Shape::v1(length, 16384 << rng.below(3)));
    let old = |spec: Spec| spec.path(SLOW).knows(&[0]);
    let mut swarm = vec![world.join(old(Spec::seed(sample)))];
    for _ in 0..2 + rng.below(4) {
        let at = Duration::from_millis(rng.below(4_000));
        swarm.push(world.join(old(Spec::leech(sample).magnet().at(at))));
    }
    let known = world.join(Spec::leech(sample).magnet().path(SLOW).knows(&[0, other]));
    world.plan(Duration::from_secs(12), Fault::Tracker(0, TrackerMood::Dead));
    let newcomers: Vec<HostId> = (0..1 + rng.below(3))
        .map(|_| {
            let at = Duration::from_millis(20_000 + rng.below(20_000));
            let spec = Spec::leech(sample).magnet().at(at).path(SLOW).knows(&[other]);
            world.join(spec.config(|config| config.download_limit = Some(12_000)))
        })
        .collect();
    for _ in 0..rng.below(3) {
        let abuser = Mode::played(SignalAbuser::new(rng.below(2) * 20));
        let at = Duration::from_millis(rng.below(10_000));
        let spec = Spec::seed(sample).path(SLOW).at(at).knows(&[0, other]);
        world.join(spec.cheats("signal abuser", abuser));
    }
    world.finish(Duration::from_secs(600));
    for newcomer in newcomers {
        let met = swarm.iter().filter(|old| world.met(newcomer, **old)).count();
        let all = swarm.len();
        // Who has eight links, abusers and other newcomers among them, seeks no more.
        let enough = met * 2 >= all;
        assert!(enough, "newcomer {newcomer:?} met {met} of {all} it had no tracker with");
    }
    world.met(swarm[0], known);
    run.ended(&world);
}
