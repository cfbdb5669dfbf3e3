//! People at work: they pause and resume, set limits, read here and there, and close readers.

use core::time::Duration;

use headwater_base::{ByteCount, ReaderId, Rng};
use headwater_client::Input;

use super::{Kind, Scenario};
use crate::{Fault, HostId, Path, Run, Shape, Spec, World};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "users",
    about: "people pause and resume, set limits, read here and there",
    kind: Kind::Search,
    run,
};

/// Something a person may do.
pub(super) fn any_wish(rng: &mut Rng, world: &World, host: HostId, length: u64) -> Fault {
    let torrent = world.host(host).torrent();
    let limit = |rng: &mut Rng| (rng.below(2) == 0).then(|| 30_000 + rng.below(300_000));
    let input = match rng.below(6) {
        0 => Input::TorrentPaused(torrent),
        1 => Input::TorrentResumed(torrent),
        2 => Input::LimitsChanged { upload: limit(rng), download: limit(rng) },
        3 => Input::ReaderClosed(ReaderId(rng.below(3))),
        _ => {
            let start = rng.below(length);
            let end = start + rng.below(2 * length);
            let (start, end) = (ByteCount(start), ByteCount(end));
            Input::ReaderMoved { reader: ReaderId(rng.below(3)), torrent, start, end }
        }
    };
    Fault::Input(host, input)
}

/// Takes back whatever would keep a host from finishing.
pub(super) fn let_go(world: &mut World, at: Duration, host: HostId) {
    let torrent = world.host(host).torrent();
    world.plan(at, Fault::Input(host, Input::TorrentResumed(torrent)));
    let free = Input::LimitsChanged { upload: None, download: None };
    world.plan(at, Fault::Input(host, free));
}

fn run(run: &mut Run) {
    let mut world = run.world("users");
    let mut rng = world.choices();
    let shape = Shape::any(&mut rng, 1_200_000);
    let sample = world.torrent(shape);
    let slow = Path { up: 200_000, ..Path::HOME };
    let mut hosts = vec![world.join(Spec::seed(sample).path(slow))];
    for _ in 0..2 + rng.below(6) {
        let at = Duration::from_millis(rng.below(5_000));
        hosts.push(world.join(Spec::leech(sample).magnet().at(at).path(slow)));
    }
    for _ in 0..5 + rng.below(25) {
        let host = hosts[rng.below(hosts.len() as u64) as usize];
        let wish = any_wish(&mut rng, &world, host, u64::from(shape.length));
        world.plan(Duration::from_millis(1_000 + rng.below(40_000)), wish);
    }
    for host in hosts {
        let_go(&mut world, Duration::from_secs(45), host);
    }
    world.finish(Duration::from_secs(600));
    run.ended(&world);
}
