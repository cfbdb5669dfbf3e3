//! Two hundred and forty hosts of every kind: sellers, buyers with prices of their own, ordinary
//! peers that know nothing of payment, free riders, and cheats on both sides. Hosts come over a
//! minute, some crash and come back. Played twice from the same seed: with money and without.

use core::time::Duration;

use headwater_base::{Amount, Rng};
use headwater_pay::owed;

use super::bargains::{TIMES, agree};
use super::{Kind, Scenario};
use crate::money::RESERVE;
use crate::{
    Crash, Defaulter, Fault, FreeRider, Gate, HostId, Inventor, Mode, Path, Reorderer, Run, Shape,
    Spec, Spoiler, Spoils, Staller, World,
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "market",
    about: "240 hosts, half of the leeches pay, cheats on both sides: who loses what",
    kind: Kind::Measure,
    run,
};

const LENGTH: u32 = 2 * 1024 * 1024;
const SELLERS: usize = 6;
const BUYERS: usize = 100;
/// Ordinary peers, which no cheat takes the place of.
const ORDINARY: usize = 90;
const RIDERS: usize = 10;
const COME: u64 = 60_000;
const BOUND: Duration = Duration::from_secs(1800);
/// The most that a seller lets one payer have open, and what an over-issuer has in the vault.
const UNSECURED: u64 = 2 * 1024 * 1024;
const DEPOSIT: u64 = 4 * 1024 * 1024;
/// What washers move at a time, and how often.
const WASHED: Amount = Amount(1 << 60);
const WASHES: usize = 50;

/// Who is who.
struct Cast {
    world: World,
    sellers: Vec<HostId>,
    buyers: Vec<HostId>,
    free: Vec<HostId>,
    defaulters: Vec<HostId>,
    stallers: Vec<HostId>,
    overissuers: Vec<HostId>,
    washers: [HostId; 2],
}

fn sum(bytes: u64) -> Amount {
    owed(bytes, RESERVE)
}

fn home(rng: &mut Rng) -> Path {
    let up = [5_000, 10_000, 20_000][rng.below(3) as usize];
    Path { up, down: up * 20, ..Path::HOME }
}

/// Joins hosts of one kind over the time in which hosts come.
fn come(
    world: &mut World,
    rng: &mut Rng,
    count: usize,
    spec: &dyn Fn(usize) -> Spec,
) -> Vec<HostId> {
    let one = |at| {
        let late = Duration::from_millis(rng.below(COME));
        let path = home(rng);
        world.join(spec(at).path(path).at(late))
    };
    (0..count).map(one).collect()
}

/// Those who cheat for money, or are what they would be without it.
fn cheat(money: bool, spec: Spec, kind: &'static str, mode: impl FnOnce() -> Mode) -> Spec {
    if money { spec.cheats(kind, mode()) } else { spec.optional() }
}

fn cast(run: &Run, money: bool) -> Cast {
    let mut world = run.world("market").without_referee();
    let rng = &mut world.choices();
    let sample = world.torrent(Shape::v2(LENGTH, 64 * 1024));
    let seed = || Spec::seed(sample).path(Path { up: 100_000, ..Path::SERVER });
    let sold = |spec: Spec| if money { spec.sells().unsecured(sum(UNSECURED)) } else { spec };
    let leech = || Spec::leech(sample);
    let bought = |times: u128| if money { leech().buys(times) } else { leech() };
    let mut sellers = Vec::new();
    for at in 0..SELLERS {
        let crash = Crash { after: 40 + at as u32 * 50, done: at % 2 == 0 };
        let seller = sold(seed());
        sellers.push(world.join(if money && at < 2 { seller.crashes(crash) } else { seller }));
    }
    let stallers = (0..2)
        .map(|_| {
            world.join(cheat(money, sold(seed()), "staller", || Mode::tampered(Staller::default())))
        })
        .collect();
    for greedy in [false, true] {
        let inventor = || Mode::tampered(Inventor::new(Amount(RESERVE.0 * 2), greedy));
        world.join(cheat(money, sold(seed()), "inventor", inventor));
    }
    let buyers = come(&mut world, rng, BUYERS, &|at| {
        let buyer = bought(1 + at as u128 % TIMES);
        let crash = Crash { after: at as u32, done: at % 2 == 0 };
        if money && at < 6 { buyer.crashes(crash) } else { buyer }
    });
    let free = come(&mut world, rng, ORDINARY, &|_| leech());
    come(&mut world, rng, RIDERS, &|_| leech().cheats("rider", Mode::tampered(FreeRider)));
    let defaulters = come(&mut world, rng, 6, &|at| {
        let defaulter = || Mode::tampered(Defaulter { pays: at as u32 });
        cheat(money, bought(TIMES), "defaulter", defaulter)
    });
    come(&mut world, rng, 2, &|_| {
        cheat(money, bought(TIMES), "reorderer", || Mode::tampered(Reorderer::default()))
    });
    come(&mut world, rng, Spoils::ALL.len(), &|at| {
        cheat(money, bought(TIMES), "spoiler", || Mode::tampered(Spoiler::new(Spoils::ALL[at])))
    });
    let overissuers =
        come(&mut world, rng, 4, &|_| bought(TIMES).deposits(sum(DEPOSIT)).optional());
    let washers = [0; 2].map(|_| world.join(bought(1).at(Duration::from_millis(rng.below(COME)))));
    churn(&mut world, rng, &free);
    if money {
        plan_money(&mut world, &overissuers, washers);
    }
    Cast { world, sellers, buyers, free, defaulters, stallers, overissuers, washers }
}

/// Every tenth of the free goes away for a while.
fn churn(world: &mut World, rng: &mut Rng, free: &[HostId]) {
    for host in free.iter().step_by(10) {
        let from = Duration::from_millis(COME + rng.below(30_000));
        let to = from + Duration::from_millis(5_000 + rng.below(20_000));
        world.plan_absence(*host, from, to);
    }
}

/// Over-issuers empty their deposits while they buy; a pair pays each other for nothing.
fn plan_money(world: &mut World, overissuers: &[HostId], [one, other]: [HostId; 2]) {
    for (at, host) in overissuers.iter().enumerate() {
        let (host, after) = (*host, Duration::from_secs(60 + 20 * at as u64));
        world.plan(after, Fault::Do(Box::new(move |world| world.drain_deposit(host))));
    }
    for at in 0..WASHES {
        let (from, to) = if at % 2 == 0 { (one, other) } else { (other, one) };
        let wash = move |world: &mut World| {
            let before = world.wealth(&[from, to]);
            world.wash(from, to, WASHED);
            assert_eq!(world.wealth(&[from, to]), before, "washing makes nothing");
        };
        world.plan(Duration::from_secs(10 + at as u64), Fault::Do(Box::new(wash)));
    }
}

fn run(run: &mut Run) {
    let mut before = cast(run, false);
    before.world.finish(BOUND);
    let mut cast = cast(run, true);
    cast.world.finish(BOUND);
    let Cast { world, sellers, buyers, free, defaulters, stallers, overissuers, washers } =
        &mut cast;
    run.figure(
        "free peers finish after, no payment",
        before.world.mean_took(free),
        "s",
        Gate::None,
    );
    run.figure("free peers finish after", world.mean_took(free), "s", Gate::None);
    let kept = before.world.mean_took(free) / world.mean_took(free) * 100.0;
    run.figure("free peers keep of their rate", kept, "%", Gate::Least(80.0));
    let slowest =
        |world: &World| free.iter().map(|host| world.mean_took(&[*host])).fold(0.0, f64::max);
    let kept = slowest(&before.world) / slowest(world) * 100.0;
    run.figure("the slowest of them keeps of its rate", kept, "%", Gate::Least(50.0));
    run.figure("buyers finish after, no payment", before.world.mean_took(buyers), "s", Gate::None);
    run.figure("buyers finish after", world.mean_took(buyers), "s", Gate::None);
    let top = buyers.iter().map(|host| world.host(*host).top_price()).max().unwrap_or_default();
    let top = top.0 as f64 / RESERVE.0 as f64;
    let what = "highest price that a buyer agreed to, in least prices";
    run.figure(what, top, "", Gate::Most(TIMES as f64));
    agree(world, buyers);
    sums(run, world, sellers, buyers);
    let most_owed = |payers: &[HostId]| {
        let pairs =
            sellers.iter().flat_map(|seller| payers.iter().map(move |payer| (*seller, *payer)));
        pairs.map(|(seller, payer)| world.worst_debt(seller, payer)).max().unwrap_or_default()
    };
    let kib = |bytes: u64| bytes as f64 / 1024.0;
    run.figure("most a defaulter owed one seller", kib(most_owed(defaulters)), "KiB", Gate::None);
    let lost = world.lost_to_overissuers();
    let most = kib(UNSECURED) * overissuers.len() as f64;
    run.figure("most a seller lost to over-issuers", kib(lost), "KiB", Gate::Most(most));
    let stalled = stallers.iter().map(|host| world.host(*host).sold()).sum::<u128>();
    run.figure(
        "stallers were paid for",
        kib(headwater_pay::affordable(Amount(stalled), RESERVE)),
        "KiB",
        Gate::None,
    );
    let washed = world.wealth(washers.as_slice());
    assert!(washed <= before.world.wealth(washers.as_slice()), "washers gained");
    run.ended(&before.world);
    run.ended(world);
}

/// What honest buyers verified, promised, and honest sellers had paid.
fn sums(run: &mut Run, world: &mut World, sellers: &[HostId], buyers: &[HostId]) {
    let accounts = world.settle_accounts();
    let between = |account: &&crate::Account| {
        sellers.contains(&account.seller) && buyers.contains(&account.buyer)
    };
    let accounts: Vec<_> = accounts.iter().filter(between).collect();
    let exact = accounts.iter().filter(|account| account.promised == account.claimed).count();
    run.figure(
        "accounts of honest buyers at honest sellers",
        accounts.len() as f64,
        "",
        Gate::Least(20.0),
    );
    run.figure("of which agree to the unit", exact as f64, "", Gate::None);
    for account in accounts {
        let lost = Amount(account.promised.0 - account.claimed.0);
        let crashed =
            [account.buyer, account.seller].iter().any(|host| world.host(*host).lives() > 1);
        assert!(crashed || lost.0 == 0, "{account:?}, and neither crashed");
        let window = world.largest_window(account.seller, account.buyer);
        assert!(lost <= window, "{account:?} of a window of {window:?}");
    }
}
