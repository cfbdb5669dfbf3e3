//! One owner promises its deposit to several sellers at once, and takes it out through a second
//! address of its own while they serve it. Each loses no more than it lets a payer have open.

use core::time::Duration;

use headwater_base::Amount;
use headwater_pay::owed;

use super::{Kind, Scenario};
use crate::money::RESERVE;
use crate::{Fault, Gate, HostId, Run, Shape, Spec};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "overissue",
    about: "one deposit promised to five sellers and taken out: what each loses",
    kind: Kind::Measure,
    run,
};

const LENGTH: u32 = 16 * 1024 * 1024;
const SELLERS: usize = 5;
/// What each seller sends, in bytes a second.
const SELLS: u64 = 50_000;
/// The most that a seller lets one payer have open, in bytes at the least price.
const UNSECURED: u64 = 1024 * 1024;
/// What is in the vault, in the same bytes: more than all promises.
const DEPOSIT: u64 = 64 * 1024 * 1024;
/// Moments at which the deposit goes.
const MOMENTS: [u64; 4] = [15, 22, 31, 47];
/// When the sellers' claims reach the chain: always, or when all is over.
const CLAIMS: [u64; 2] = [0, 1000];

fn run(run: &mut Run) {
    let (mut worst, mut all) = (0, 0);
    for (moment, claims) in MOMENTS.into_iter().flat_map(|at| CLAIMS.map(|from| (at, from))) {
        let mut world = run.world("overissue").without_referee();
        let sample = world.torrent(Shape::v2(LENGTH, 64 * 1024));
        let sums = |bytes| owed(bytes, RESERVE);
        let seller = || Spec::seed(sample).dials().sells().unsecured(sums(UNSECURED));
        let seller = || seller().claims_from(Duration::from_secs(claims));
        let seller = || seller().config(|config| config.upload_limit = Some(SELLS));
        let sellers: Vec<HostId> = (0..SELLERS).map(|_| world.join(seller())).collect();
        let mut buyer = Spec::leech(sample).dials().buys(1).deposits(sums(DEPOSIT));
        for seller in &sellers {
            buyer = buyer.finds(*seller);
        }
        let buyer = world.join(buyer);
        let drain = move |world: &mut crate::World| world.drain_deposit(buyer);
        world.plan(Duration::from_secs(moment), Fault::Do(Box::new(drain)));
        world.finish(Duration::from_secs(900));
        world.run(Duration::from_secs(60 + claims));
        let mut lost = 0;
        for account in world.settle_accounts() {
            assert!(account.promised.0 > 0, "{account:?}");
            let open = Amount(account.earned.0 - account.claimed.0);
            assert!(open <= sums(UNSECURED), "{account:?}");
            let bytes = headwater_pay::affordable(open, RESERVE);
            (lost, worst) = (lost + bytes, bytes.max(worst));
        }
        all = lost.max(all);
        run.ended(&world);
    }
    let kib = |bytes: u64| bytes as f64 / 1024.0;
    run.figure("most that one of them lost", kib(worst), "KiB", Gate::Most(kib(UNSECURED)));
    run.figure("most that all of them lost", kib(all), "KiB", Gate::None);
}
