//! One seller and two hundred equal leeches that can hardly give anything, played three ways:
//! nobody takes part in payment; only the seller does; one leech pays. What the payer gains, what
//! the others lose, and that payment nobody uses changes nothing.

use core::time::Duration;

use super::bargains::agree;
use super::{Kind, Scenario};
use crate::{Gate, HostId, Run, Shape, Spec, World};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "scarce",
    about: "one seller, 200 leeches of which one pays: its gain, the others' loss",
    kind: Kind::Measure,
    run,
};

const LEECHES: usize = 200;
const LENGTH: u32 = 1024 * 1024;
const BOUND: Duration = Duration::from_secs(3600);

/// What the seller sends, in bytes a second, and what each leech can send. All leeches together
/// give less than the seller does, so that it decides who is served.
const SELLS: u64 = 500_000;
const GIVES: u64 = 2_000;

fn play(run: &mut Run, sells: bool, pays: bool) -> (World, Vec<HostId>) {
    let mut world = run.world("scarce").without_referee();
    let sample = world.torrent(Shape::v2(LENGTH, 64 * 1024));
    let seller = Spec::seed(sample).dials().config(|config| config.upload_limit = Some(SELLS));
    let seller = world.join(if sells { seller.sells() } else { seller });
    let mut leeches = Vec::new();
    for at in 0..LEECHES {
        let leech = Spec::leech(sample).dials().finds(seller);
        let leech = leech.config(|config| config.upload_limit = Some(GIVES));
        leeches.push(world.join(if pays && at == 0 { leech.buys(4) } else { leech }));
    }
    world.finish(BOUND);
    (world, leeches)
}

fn slowest(world: &World, hosts: &[HostId]) -> f64 {
    hosts.iter().map(|host| world.mean_took(&[*host])).fold(0.0, f64::max)
}

fn run(run: &mut Run) {
    let (free, hosts) = play(run, false, false);
    let (unsold, _) = play(run, true, false);
    let (mut paid, _) = play(run, true, true);
    let (payer, others) = hosts.split_at(1);
    for (name, of) in [("nobody pays", &free), ("a seller alone", &unsold), ("one pays", &paid)] {
        run.figure(format!("all finish after, {name}"), of.mean_took(&hosts), "s", Gate::None);
    }
    run.figure("who pays finishes after", paid.mean_took(payer), "s", Gate::None);
    // One leech's own luck says little: what all took without payment is what it would have.
    let gain = free.mean_took(&hosts) / paid.mean_took(payer);
    run.figure("who pays is faster than unpaid", gain, "times", Gate::Least(3.0));
    let kept = free.mean_took(others) / paid.mean_took(others) * 100.0;
    run.figure("those who do not keep of their rate", kept, "%", Gate::Least(80.0));
    let kept = slowest(&free, others) / slowest(&paid, others) * 100.0;
    run.figure("the slowest keeps of its rate", kept, "%", Gate::Least(80.0));
    let apart = (free.mean_took(&hosts) / unsold.mean_took(&hosts) - 1.0).abs() * 100.0;
    run.figure("a seller and no buyer change all rates by", apart, "%", Gate::Most(2.0));
    agree(&mut paid, payer);
    [free, unsold, paid].iter().for_each(|world| run.ended(world));
}
