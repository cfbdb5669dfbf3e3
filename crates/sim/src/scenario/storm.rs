//! Everything at once: any line, any fault, any cheater, any wish. Afterwards everybody finishes.

use core::time::Duration;

use headwater_base::Rng;

use super::cheats::any_cheater;
use super::routers::any_path;
use super::users::{any_wish, let_go};
use super::{Kind, Scenario};
use crate::{Fault, HostId, Manners, Nat, Path, Run, Shape, Spec, TrackerMood, World};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "storm",
    about: "any line, any fault, any cheater and any wish at once",
    kind: Kind::Search,
    run,
};

fn any_fault(rng: &mut Rng, world: &mut World, host: HostId, at: Duration) {
    let later = at + Duration::from_millis(rng.below(40_000));
    let fault = match rng.below(10) {
        0 => return world.plan_absence(host, at, later),
        1 => Fault::Part(host, 1),
        2 => Fault::Heal,
        3 => Fault::Cut(host),
        4 => Fault::Leap(host, Duration::from_millis(rng.below(3_600_000))),
        5 => {
            world.plan(at, Fault::Freeze(host));
            return world.plan(later, Fault::Thaw(host));
        }
        6 => Fault::Path(host, Path { nat: Nat::Open, ..any_path(rng) }),
        7 => {
            let moods = [TrackerMood::Well, TrackerMood::Dead, TrackerMood::Mute];
            Fault::Tracker(0, moods[rng.below(3) as usize])
        }
        8 => {
            let write = Duration::from_millis(rng.below(300));
            let (write_fails, read_fails) = (rng.below(60), rng.below(30));
            let room = (rng.below(4) == 0).then(|| rng.below(30) as u32);
            let read = Duration::from_millis(rng.below(30));
            Fault::Disk(host, Manners { write, read, write_fails, read_fails, room })
        }
        _ => any_wish(rng, world, host, 400_000),
    };
    world.plan(at, fault);
}

fn run(run: &mut Run) {
    let mut world = run.world("storm");
    let mut rng = world.choices();
    let sample = world.torrent(Shape::any(&mut rng, 700_000));
    let first = Path { nat: Nat::Open, ..any_path(&mut rng) };
    let mut hosts = vec![world.join(Spec::seed(sample).path(first))];
    for _ in 0..3 + rng.below(6) {
        let at = Duration::from_millis(rng.below(20_000));
        let leech = Spec::leech(sample).magnet().at(at).path(any_path(&mut rng));
        let leech = if rng.below(3) == 0 { leech.dials() } else { leech };
        hosts.push(world.join(leech));
    }
    for _ in 0..rng.below(3) {
        let cheater = any_cheater(&mut rng, sample);
        world.join(cheater);
    }
    for _ in 0..4 + rng.below(16) {
        let host = hosts[rng.below(hosts.len() as u64) as usize];
        let at = Duration::from_millis(1_000 + rng.below(60_000));
        any_fault(&mut rng, &mut world, host, at);
    }
    let calm = Duration::from_secs(105);
    world.plan(calm, Fault::Heal);
    world.plan(calm, Fault::Tracker(0, TrackerMood::Well));
    for host in hosts {
        world.plan(calm, Fault::Return(host));
        world.plan(calm, Fault::Thaw(host));
        world.plan(calm, Fault::Disk(host, Manners::default()));
        let_go(&mut world, calm + Duration::from_secs(1), host);
    }
    world.finish(Duration::from_secs(1200));
    run.ended(&world);
}
