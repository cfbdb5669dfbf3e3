//! Two bid for a seller's slots, one three times as much as the other, while others want what the
//! seller has for nothing. What is sold is shared as they bid.

use core::time::Duration;

use headwater_base::Amount;

use super::{Kind, Scenario};
use crate::money::RESERVE;
use crate::{Bidder, Gate, HostId, Mode, Run, Shape, Spec, World};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "shares",
    about: "two bidders, 3 : 1: each gets its share of what is sold",
    kind: Kind::Measure,
    run,
};

/// Bytes of the torrent: more than is sold in the time.
const LENGTH: u32 = 32 * 1024 * 1024;
/// What the seller sends, in bytes a second.
const SELLS: u64 = 200_000;
/// Others, who take for nothing.
const OTHERS: usize = 6;
/// Bids, in least prices.
const BIDS: [u128; 2] = [3, 1];
/// When counting begins, so that all are seated, and how long it goes on.
const FROM: Duration = Duration::from_secs(60);
const LASTS: Duration = Duration::from_secs(120);

fn run(run: &mut Run) {
    let mut world = run.world("shares").without_referee();
    let sample = world.torrent(Shape::v2(LENGTH, 64 * 1024));
    let seller = Spec::seed(sample).dials().sells();
    let seller = world.join(seller.config(|config| config.upload_limit = Some(SELLS)));
    // Nobody gives, so that all there is comes from the seller.
    let leech = || Spec::leech(sample).dials().finds(seller).optional();
    let leech = || leech().config(|config| config.upload_limit = Some(1));
    let bidders = BIDS.map(|times| {
        let price = Amount(RESERVE.0 * times);
        world.join(leech().buys(times).cheats("bidder", Mode::tampered(Bidder { price })))
    });
    for _ in 0..OTHERS {
        world.join(leech());
    }
    world.run(FROM);
    let before = bidders.map(|bidder| got(&world, bidder));
    let sent = world.host(seller).sent;
    world.run(LASTS);
    let after = bidders.map(|bidder| got(&world, bidder));
    let [high, low] = [after[0] - before[0], after[1] - before[1]];
    let all = world.host(seller).sent - sent;
    let share = high as f64 / (high + low) as f64 * 100.0;
    let fair = BIDS[0] as f64 / (BIDS[0] + BIDS[1]) as f64 * 100.0;
    run.figure(
        "sold, of all that is sent",
        (high + low) as f64 / all as f64 * 100.0,
        "%",
        Gate::None,
    );
    run.figure("who bids three times as much gets of what is sold", share, "%", Gate::None);
    let off = (share / fair - 1.0).abs().max(((100.0 - share) / (100.0 - fair) - 1.0).abs());
    run.figure("shares are off from the bids by", off * 100.0, "%", Gate::Most(10.0));
    run.ended(&world);
}

fn got(world: &World, host: HostId) -> u64 {
    world.host(host).got
}
