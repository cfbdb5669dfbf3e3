//! Disks are slow, fail, tear and run full, and tabs crash in the middle of it. What is said to be
//! stored is there afterwards; once the disks are well and torrents are resumed, all finish.

use core::time::Duration;

use headwater_client::Input;

use super::{Kind, Scenario};
use crate::{Fault, HostId, Manners, Path, Run, Shape, Spec};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "disks",
    about: "slow flushes, failed and torn writes, full disks, crashes between",
    kind: Kind::Search,
    run,
};

fn run(run: &mut Run) {
    let mut world = run.world("disks");
    let mut rng = world.choices();
    let sample = world.torrent(Shape::any(&mut rng, 1_200_000));
    world.join(Spec::seed(sample).path(Path { up: 300_000, ..Path::HOME }));
    let hosts: Vec<HostId> = (0..3 + rng.below(5))
        .map(|_| {
            let manners = Manners {
                write: Duration::from_millis(1 + rng.below(400)),
                read: Duration::from_millis(rng.below(60)),
                write_fails: rng.below(2) * rng.below(120),
                read_fails: rng.below(2) * rng.below(60),
                room: (rng.below(3) == 0).then(|| rng.below(20) as u32),
            };
            let at = Duration::from_millis(rng.below(5_000));
            world.join(Spec::leech(sample).magnet().disk(manners).at(at))
        })
        .collect();
    for _ in 0..2 + rng.below(5) {
        let host = hosts[rng.below(hosts.len() as u64) as usize];
        let at = Duration::from_millis(2_000 + rng.below(30_000));
        world.plan_absence(host, at, at + Duration::from_millis(rng.below(8_000)));
    }
    let well = Duration::from_secs(45);
    for host in hosts {
        for seconds in (5..45).step_by(5) {
            let resume = Fault::Input(host, Input::TorrentResumed(world.host(host).torrent()));
            world.plan(Duration::from_secs(seconds), resume);
        }
        world.plan(well, Fault::Disk(host, Manners::default()));
        let resume = Fault::Input(host, Input::TorrentResumed(world.host(host).torrent()));
        world.plan(well + Duration::from_secs(1), resume);
    }
    world.finish(Duration::from_secs(600));
    run.ended(&world);
}
