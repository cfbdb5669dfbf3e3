//! Does paying help, and whom does it hurt? One slow seller and ten equal leeches that can hardly
//! give anything, played three ways: nobody takes part in payment; only the seller does; one leech
//! pays. Accounts must agree to the last unit.

use core::time::Duration;

use headwater_pay::owed;

use super::{Kind, Scenario};
use crate::money::RESERVE;
use crate::{Gate, HostId, Run, Shape, Spec, World};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "paid",
    about: "one slow seller, ten leeches: what paying brings, and what others lose by it",
    kind: Kind::Measure,
    run,
};

const LEECHES: usize = 10;
const LENGTH: u32 = 4 * 1024 * 1024;
const BOUND: Duration = Duration::from_secs(3600);

/// What the seller sends, in bytes a second, and what each leech can send.
const SELLS: u64 = 100_000;
const GIVES: u64 = 2_000;

/// Worlds of each kind: chance decides who meets whom first.
const WORLDS: usize = 3;

/// One way to play it, with every world it was played in.
struct Played {
    worlds: Vec<(World, Vec<HostId>)>,
}

impl Played {
    fn new(run: &Run, sells: bool, pays: bool) -> Self {
        let play = |at| {
            let mut world = run.world(&format!("paid {at}")).without_referee();
            let hosts = few(&mut world, sells, pays);
            world.finish(BOUND);
            (world, hosts)
        };
        Self { worlds: (0..WORLDS).map(play).collect() }
    }

    /// Seconds that these leeches took, on average.
    fn took(&self, leeches: core::ops::Range<usize>) -> f64 {
        let took = |(world, hosts): &(World, Vec<HostId>)| world.mean_took(&hosts[leeches.clone()]);
        self.worlds.iter().map(took).sum::<f64>() / WORLDS as f64
    }

    /// Seconds that the slowest leech of each world took, on average.
    fn slowest(&self) -> f64 {
        let slowest = |(world, hosts): &(World, Vec<HostId>)| {
            hosts[1..].iter().map(|host| world.mean_took(&[*host])).fold(0.0, f64::max)
        };
        self.worlds.iter().map(slowest).sum::<f64>() / WORLDS as f64
    }
}

fn run(run: &mut Run) {
    let free = Played::new(run, false, false);
    let unsold = Played::new(run, true, false);
    let mut paid = Played::new(run, true, true);
    let (all, payer, others) = (1..LEECHES + 1, 1..2, 2..LEECHES + 1);
    for (name, of) in [("nobody pays", &free), ("a seller alone", &unsold), ("one pays", &paid)] {
        run.figure(format!("all finish after, {name}"), of.took(all.clone()), "s", Gate::None);
    }
    run.figure("who pays finishes after", paid.took(payer.clone()), "s", Gate::None);
    let gain = free.took(payer.clone()) / paid.took(payer);
    run.figure("who pays is faster than unpaid", gain, "times", Gate::Least(3.0));
    let kept = free.took(others.clone()) / paid.took(others) * 100.0;
    run.figure("those who do not keep of their rate", kept, "%", Gate::Least(80.0));
    let kept = free.slowest() / paid.slowest() * 100.0;
    run.figure("the slowest keeps of its rate", kept, "%", Gate::Least(80.0));
    let kept = free.took(all.clone()) / unsold.took(all) * 100.0;
    run.figure("with a seller and no buyer all keep", kept, "%", Gate::Least(95.0));
    for (world, hosts) in &mut paid.worlds {
        settle(world, hosts[0], hosts[1]);
    }
    for played in [free, unsold, paid] {
        played.worlds.iter().for_each(|(world, _)| run.ended(world));
    }
}

/// The seller first, then the leeches, of which the first may pay.
fn few(world: &mut World, sells: bool, pays: bool) -> Vec<HostId> {
    let sample = world.torrent(Shape::v2(LENGTH, 64 * 1024));
    let seller = Spec::seed(sample).dials().config(|config| config.upload_limit = Some(SELLS));
    let mut hosts = vec![world.join(if sells { seller.sells() } else { seller })];
    for at in 0..LEECHES {
        let leech = Spec::leech(sample).dials().finds(hosts[0]);
        let leech = leech.config(|config| config.upload_limit = Some(GIVES));
        hosts.push(world.join(if pays && at == 0 { leech.buys(4) } else { leech }));
    }
    hosts
}

/// What was verified, promised and paid is one sum.
fn settle(world: &mut World, seller: HostId, buyer: HostId) {
    let paid = world.claim(seller);
    let (bytes, promised) = world.host(buyer).bought();
    assert_eq!(paid, promised, "paid and promised");
    assert!(bytes > u64::from(LENGTH) * 8 / 10, "{bytes} bytes bought");
    // There was no other bidder, so that the least price was the price.
    assert_eq!(paid, owed(bytes, RESERVE), "{bytes} bytes");
}
