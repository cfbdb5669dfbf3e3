//! A few that buy and sell, honest and not, and one that crashes in the middle of what its payment
//! wants done. Everybody honest finishes, no loss is beyond its bound, and accounts agree.

use core::time::Duration;

use headwater_base::{Amount, Rng};

use super::{Kind, Scenario};
use crate::money::RESERVE;
use crate::{
    Crash, Defaulter, HostId, Inventor, Mode, Path, Reorderer, Run, SampleId, Shape, Spec, Spoiler,
    Spoils, Staller, World,
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "bargains",
    about: "two sellers, buyers, cheats on both sides and a crash between any two steps",
    kind: Kind::Search,
    run,
};

/// The most that buyers pay, in least prices.
pub(super) const TIMES: u128 = 4;

/// A buyer or a seller that cheats.
pub(super) fn any_money_cheat(rng: &mut Rng, sample: SampleId) -> Spec {
    let buyer = || Spec::leech(sample).buys(TIMES);
    let seller = || Spec::seed(sample).sells();
    let spoils = Spoils::ALL[rng.below(Spoils::ALL.len() as u64) as usize];
    match rng.below(5) {
        0 => seller().cheats("staller", Mode::tampered(Staller::default())),
        1 => {
            let wants = Amount(RESERVE.0 * (1 + u128::from(rng.below(4))));
            seller().cheats("inventor", Mode::tampered(Inventor::new(wants, rng.below(3) == 0)))
        }
        2 => {
            let pays = rng.below(4) as u32;
            buyer().cheats("defaulter", Mode::tampered(Defaulter { pays }))
        }
        3 => buyer().cheats("reorderer", Mode::tampered(Reorderer::default())),
        _ => buyer().cheats("spoiler", Mode::tampered(Spoiler::new(spoils))),
    }
}

fn run(run: &mut Run) {
    let mut world = run.world("bargains");
    let mut rng = world.choices();
    let sample = world.torrent(Shape::any(&mut rng, 3_000_000));
    let crash = Crash { after: rng.below(60) as u32, done: rng.below(2) == 0 };
    let crashing = rng.below(6) as usize;
    let path = Path { up: 150_000, ..Path::HOME };
    let mut honest = Vec::new();
    for at in 0..6 {
        let late = Duration::from_millis(rng.below(5_000));
        let spec = match at {
            0 | 1 => Spec::seed(sample).sells().path(path),
            2 | 3 => Spec::leech(sample).buys(TIMES).path(path).at(late),
            _ => Spec::leech(sample).path(path).at(late),
        };
        honest.push(world.join(if at == crashing { spec.crashes(crash) } else { spec }));
    }
    for _ in 0..1 + rng.below(3) {
        let cheat = any_money_cheat(&mut rng, sample);
        world.join(cheat.at(Duration::from_millis(rng.below(5_000))));
    }
    world.finish(Duration::from_secs(900));
    agree(&mut world, &honest[2..4]);
    run.ended(&world);
}

/// After a while in which what is on its way comes, accounts agree.
pub(super) fn agree(world: &mut World, buyers: &[HostId]) {
    world.run(Duration::from_secs(60));
    let accounts = world.settle_accounts();
    for account in accounts.iter().filter(|account| buyers.contains(&account.buyer)) {
        assert_eq!(account.claimed, account.earned, "{account:?}");
    }
    buyers.iter().for_each(|buyer| world.judge_bought(*buyer));
}
