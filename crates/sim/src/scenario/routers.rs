//! Lines of all kinds: routers that let few in, loss, long and jittery ways, narrow windows, and
//! phones that move from one network to another.

use core::time::Duration;

use headwater_base::Rng;

use super::{Kind, Scenario};
use crate::{Fault, HostId, Nat, Path, Run, Shape, Spec};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "routers",
    about: "routers that refuse some pairs, loss, jitter, narrow windows, moving phones",
    kind: Kind::Search,
    run,
};

/// A line of any kind.
pub(super) fn any_path(rng: &mut Rng) -> Path {
    Path {
        up: 20_000 + rng.below(1_000_000),
        down: 60_000 + rng.below(3_000_000),
        latency: Duration::from_millis(1 + rng.below(200)),
        jitter: Duration::from_millis(rng.below(120)),
        loss: rng.below(2) * rng.below(120),
        window: 20_000 + rng.below(500_000) as usize,
        nat: [Nat::Open, Nat::Easy, Nat::Hard][rng.below(3) as usize],
    }
}

fn run(run: &mut Run) {
    let mut world = run.world("routers");
    let mut rng = world.choices();
    let sample = world.torrent(Shape::any(&mut rng, 600_000));
    world.join(Spec::seed(sample).path(Path { nat: Nat::Open, ..any_path(&mut rng) }));
    let hosts: Vec<HostId> = (0..3 + rng.below(7))
        .map(|_| {
            let at = Duration::from_millis(rng.below(10_000));
            let leech = Spec::leech(sample).at(at).path(any_path(&mut rng));
            world.join(if rng.below(2) == 0 { leech.magnet() } else { leech })
        })
        .collect();
    for _ in 0..rng.below(5) {
        let at = Duration::from_millis(5_000 + rng.below(30_000));
        let host = hosts[rng.below(hosts.len() as u64) as usize];
        world.plan(at, Fault::Path(host, any_path(&mut rng)));
        world.plan(at, Fault::Cut(host));
    }
    world.finish(Duration::from_secs(1200));
    run.ended(&world);
}
