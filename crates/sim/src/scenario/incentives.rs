//! Does giving pay? 300 hosts fetch 8 MiB from three slow seeds and each other; who has everything
//! goes. Measured: how much slower those are who give nothing (BitThief with as many links as
//! others, and with a large view of 200), judged by what they got while the honest were fetching;
//! and how much five hosts with fast lines gain by playing BitTyrant instead of the honest client.

use core::time::Duration;

use headwater_base::Rng;

use super::{Kind, Scenario};
use crate::{FreeRider, Gate, HostId, Mode, Path, Run, SampleId, Shape, Spec, Tyrant, World};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "incentives",
    about: "300 hosts: what free riders get, and what BitTyrant gains",
    kind: Kind::Measure,
    run,
};

const HOSTS: usize = 300;
const SEEDS: usize = 3;
const LENGTH: u32 = 8 * 1024 * 1024;
/// Bytes a second, out, of those who may play BitTyrant.
const FAST: u64 = 200_000;
const BOUND: Duration = Duration::from_secs(1800);

/// A line of a home; those in are four times as fast as those out.
fn line(up: u64) -> Path {
    Path { up, down: up * 4, ..Path::HOME }
}

fn some_line(rng: &mut Rng) -> Path {
    line([25_000, 50_000, 100_000, 200_000][rng.below(4) as usize])
}

/// Joins seeds and honest hosts around `special` ones.
fn swarm(world: &mut World, special: Vec<Spec>) -> (SampleId, Vec<HostId>, Vec<HostId>) {
    let mut rng = world.choices();
    let sample = world.torrent(Shape::v1(LENGTH, 32 * 1024));
    for _ in 0..SEEDS {
        world.join(Spec::seed(sample).path(line(250_000)));
    }
    let few = special.len();
    let special = special.into_iter().map(|spec| {
        let at = Duration::from_millis(rng.below(30_000));
        world.join(Spec { sample, ..spec }.at(at))
    });
    let special = special.collect();
    let mut honest = Vec::new();
    for _ in 0..HOSTS - SEEDS - few {
        let at = Duration::from_millis(rng.below(30_000));
        let leech = Spec::leech(sample).path(some_line(&mut rng)).at(at);
        honest.push(world.join(leech.leaving(Duration::from_secs(5))));
    }
    (sample, honest, special)
}

fn run(run: &mut Run) {
    free_riders(run);
    tyrants(run);
}

/// Bytes of the torrent that a host has.
fn stored(world: &World, host: HostId) -> f64 {
    let disk = world.host(host).disk();
    disk.map_or(0.0, |disk| f64::from(disk.stored()) / f64::from(disk.sample().piece_count()))
}

fn free_riders(run: &mut Run) {
    let mut world = run.world("free riders").without_referee();
    let rider = |links: usize, kind| {
        let mode = Mode::tampered(FreeRider);
        let spec = Spec::leech(SampleId::FIRST).cheats(kind, mode).path(line(FAST));
        spec.config(move |config| {
            config.links_per_torrent_max = links;
            config.links_max = links * 3 / 2;
        })
    };
    let mut special: Vec<Spec> = (0..15).map(|_| rider(40, "thief")).collect();
    special.extend((0..15).map(|_| rider(200, "large view")));
    let (_, honest, special) = swarm(&mut world, special);
    let half = honest.len() / 2;
    let done =
        |world: &World| honest.iter().filter(|host| world.host(**host).done.is_some()).count();
    world.run_until(BOUND, |world| done(world) >= half);
    let peers = honest.iter().filter_map(|host| world.host(*host).peers()).collect::<Vec<_>>();
    let mean = peers.iter().sum::<usize>() as f64 / peers.len().max(1) as f64;
    run.figure("peers of an honest host at half time, mean", mean, "", Gate::None);
    let (thieves, viewers) = special.split_at(15);
    for (kind, hosts) in [("as many links as others", thieves), ("a large view", viewers)] {
        let speed = |hosts: &[HostId]| {
            let lives = hosts.iter().map(|host| {
                let host = world.host(*host);
                let until = host.done.unwrap_or(world.now());
                until.since(host.joined).as_secs_f64()
            });
            let got: f64 = hosts.iter().map(|host| stored(&world, *host)).sum();
            got / lives.sum::<f64>()
        };
        let slower = speed(&honest) / speed(hosts).max(1e-9);
        run.figure(format!("free rider with {kind} is slower"), slower, "times", Gate::Least(3.0));
    }
    world.run_until(BOUND, |world| done(world) == honest.len());
    run.figure("honest host finishes after, mean", world.mean_took(&honest), "s", Gate::None);
    world.run_until(BOUND, |world| special.iter().all(|host| world.host(*host).done.is_some()));
    run.figure("free rider finishes after, mean", world.mean_took(&special), "s", Gate::None);
    run.ended(&world);
}

fn tyrants(run: &mut Run) {
    let mut times = [0.0; 2];
    let mut others = [0.0; 2];
    for (at, kind) in ["honest", "tyrant"].into_iter().enumerate() {
        let mut world = run.world("tyrants").without_referee();
        let special = || {
            let leech = Spec::leech(SampleId::FIRST).path(line(FAST));
            let tyrant = Mode::played(Tyrant::new(FAST));
            if kind == "honest" { leech } else { leech.cheats("tyrant", tyrant) }
        };
        let special = (0..5).map(|_| special().leaving(Duration::from_secs(5))).collect();
        let (_, honest, special) = swarm(&mut world, special);
        let all: Vec<HostId> = special.iter().chain(&honest).copied().collect();
        world.run_until(BOUND, |world| all.iter().all(|host| world.host(*host).done.is_some()));
        times[at] = world.mean_took(&special);
        others[at] = world.mean_took(&honest);
        run.ended(&world);
    }
    let gain = (times[0] / times[1] - 1.0) * 100.0;
    run.figure("five fast hosts finish after, honest", times[0], "s", Gate::None);
    run.figure("the same hosts as BitTyrant", times[1], "s", Gate::None);
    run.figure("BitTyrant gains", gain, "%", Gate::Most(10.0));
    let loss = (others[1] / others[0] - 1.0) * 100.0;
    run.figure("the others lose by it", loss, "%", Gate::None);
}
