//! One buyer and one seller, and a crash of either at every job that payment hands to its shell,
//! before the job is done and after. Whatever was verified and promised is claimed, to the unit.

use core::time::Duration;

use headwater_base::Amount;
use headwater_pay::{affordable, owed};

use super::{Kind, Scenario};
use crate::money::RESERVE;
use crate::{Crash, Gate, HostId, Run, Shape, Spec, World};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "crashes",
    about: "buyer or seller crashes at every job of its payment: accounts agree",
    kind: Kind::Measure,
    run,
};

const LENGTH: u32 = 2 * 1024 * 1024;
/// What the seller sends, in bytes a second: slow enough that who comes back still buys.
const SELLS: u64 = 30_000;
/// Jobs of one side in a run without a crash are fewer.
const JOBS_MAX: u32 = 400;

fn run(run: &mut Run) {
    let (mut crashes, mut unheard, mut lost) = (0, 0, 0);
    for (buyer, done) in [(true, false), (true, true), (false, false), (false, true)] {
        for after in 0..JOBS_MAX {
            let crash = Crash { after, done };
            let (world, hosts) = play(run, buyer, crash);
            let crashed = world.host(hosts[usize::from(buyer)]).lives() > 1;
            run.ended(&world);
            if !crashed {
                assert!(after > 10, "crashes before job {after}");
                break;
            }
            assert!(after + 1 < JOBS_MAX, "more jobs than were looked for");
            crashes += 1;
            let bytes = affordable(settle(world, hosts, crash), RESERVE);
            unheard += u32::from(bytes > 0);
            lost = bytes.max(lost);
        }
    }
    run.figure("crashes", f64::from(crashes), "", Gate::Least(100.0));
    let what = "after which a promise was never heard of";
    run.figure(what, f64::from(unheard), "", Gate::None);
    let what = "most that such a promise was for";
    run.figure(what, lost as f64 / 1024.0, "KiB", Gate::None);
}

fn play(run: &Run, buyer: bool, crash: Crash) -> (World, [HostId; 2]) {
    let mut world = run.world("crashes").without_referee();
    let sample = world.torrent(Shape::v2(LENGTH, 64 * 1024));
    let seller = Spec::seed(sample).dials().sells();
    let seller = seller.config(|config| config.upload_limit = Some(SELLS));
    let seller = world.join(if buyer { seller } else { seller.crashes(crash) });
    let leech = Spec::leech(sample).dials().finds(seller).buys(1);
    let leech = world.join(if buyer { leech.crashes(crash) } else { leech });
    world.finish(Duration::from_secs(600));
    world.run(Duration::from_secs(90));
    (world, [seller, leech])
}

/// What is verified, promised, taken and claimed. Answers what was promised and never heard of,
/// which is within the window.
fn settle(mut world: World, [seller, buyer]: [HostId; 2], crash: Crash) -> Amount {
    world.judge_bought(buyer);
    let accounts = world.settle_accounts();
    let [account] = accounts[..] else { panic!("{accounts:?} after {crash:?}") };
    let (bytes, amount) = world.host(buyer).bought();
    assert_eq!(amount, owed(bytes, RESERVE), "verified and promised, {crash:?}");
    assert_eq!(account.claimed, account.earned, "taken and claimed, {crash:?}");
    let unheard = Amount(account.promised.0 - account.claimed.0);
    let window = world.largest_window(seller, buyer);
    assert!(unheard <= window, "{unheard:?} lost of {window:?}, {crash:?}");
    unheard
}
