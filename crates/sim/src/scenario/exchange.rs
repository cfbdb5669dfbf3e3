//! A swarm without a tracker: some hosts only dial, some only offer, some do both. Peer exchange
//! has those who dial meet, while some abuse it; everybody gets everything.

use core::time::Duration;

use super::{Kind, Scenario};
use crate::{Fault, HostId, Mode, Nat, Path, PexAbuser, Run, Shape, Spec, TrackerMood};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "exchange",
    about: "hosts that dial, offer, or both meet by peer exchange after the tracker died",
    kind: Kind::Search,
    run,
};

/// A line so slow that links are wanted for long enough.
const SLOW: Path = Path { up: 60_000, nat: Nat::Open, ..Path::HOME };

fn run(run: &mut Run) {
    let mut world = run.world("exchange");
    let mut rng = world.choices();
    let length = 600_000 + rng.below(400_000) as u32;
    let sample = world.torrent(Shape::v1(length, 16384 << rng.below(3)));
    // The one that every newcomer finds has nothing of its own.
    let slow = |config: &mut headwater_client::Config| config.download_limit = Some(12_000);
    let known = world.join(Spec::leech(sample).path(SLOW).dials());
    let seed = Spec::seed(sample).path(SLOW);
    world.join(if rng.below(2) == 0 { seed.dials() } else { seed });
    for _ in 0..rng.below(3) {
        let at = Duration::from_millis(rng.below(4_000));
        world.join(Spec::leech(sample).magnet().path(SLOW).at(at));
    }
    world.plan(Duration::from_secs(12), Fault::Tracker(0, TrackerMood::Dead));
    let dialling: Vec<HostId> = (0..3 + rng.below(4))
        .map(|_| {
            let at = Duration::from_millis(6_000 + rng.below(30_000));
            let nat = if rng.below(4) == 0 { Nat::Hard } else { Nat::Open };
            let spec = Spec::leech(sample).path(Path { nat, ..SLOW }).at(at).config(slow);
            world.join(spec.dials_only().finds(known))
        })
        .collect();
    for _ in 0..rng.below(3) {
        let abuser = Mode::played(PexAbuser::new(rng.below(2) * 20));
        let at = Duration::from_millis(rng.below(20_000));
        let spec = Spec::seed(sample).path(SLOW).at(at).dials().finds(known);
        world.join(spec.cheats("pex abuser", abuser));
    }
    if rng.below(3) == 0 {
        let from = Duration::from_millis(40_000 + rng.below(20_000));
        world.plan_absence(dialling[0], from, from + Duration::from_secs(20));
    }
    world.finish(Duration::from_secs(900));
    // The first may have been away; who cannot be dialled hears of newcomers only once a minute.
    let open = |host: &&HostId| world.host(**host).path.nat != Nat::Hard;
    let lasting: Vec<HostId> = dialling.iter().skip(1).filter(open).copied().collect();
    for host in &lasting {
        let others = lasting.iter().filter(|other| *other != host);
        let (all, met) = (others.clone().count(), others.filter(|to| world.met(*host, **to)));
        let met = met.count();
        assert!(met * 2 >= all, "host {host:?} met {met} of {all} it knew nothing of");
    }
    run.ended(&world);
}
