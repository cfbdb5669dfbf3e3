//! What each call costs, as energy on TRON and as gas on BTTC, with bounds it must keep to.

use alloy_primitives::Address as A;
use headwater_devnet::evm::prices::Prices;

use crate::faces::{Claim, Token};
use crate::world::{CHAIN, DAY, HOUR, World, person};

fn seller(n: u8) -> A {
    person(50 + n).address()
}

/// What every call took, in the order of a vault's life.
fn costs(mut world: World) -> Vec<(&'static str, u64)> {
    let mut costs = Vec::new();
    let mut note = |name, used: u64| costs.push((name, used));
    let (token, spender) = (world.token, world.vault);
    let approve = Token::approveCall { spender, value: alloy_primitives::U256::from(9) };
    let from = person(99).address();
    note("approve", world.send(from, token, 0, approve).expect("never fails").used);
    note("deposit, first", world.deposit(1, 1_000).expect("approved").used);
    note("deposit, again", world.deposit(1, 1_000).expect("approved").used);
    let session = world.session(1, 900);
    let mut claim = |world: &mut World, name, claim: Claim| {
        let used = world.claim(&claim).expect("good").used;
        note(name, used);
    };
    claim(&mut world, "claim, new session and payee", session.voucher(seller(1), 10));
    claim(&mut world, "claim, again", session.voucher(seller(1), 20));
    claim(&mut world, "claim, new payee", session.voucher(seller(2), 10));
    let mut claims = Vec::new();
    for owner in 2..10 {
        world.deposit(owner, 100).expect("approved");
        claims.push(world.session(owner, 80).voucher(seller(1), 5));
    }
    let many = world.claim_many(&claims).expect("good").used;
    note("claimMany, each of 8 new sessions", many / 8);
    let reserve = session.reserve(seller(1), 100);
    note("reserve, first", world.reserve(&reserve).expect("good").used);
    let used = world.claim(&session.voucher(seller(1), 50)).expect("good").used;
    note("claim, out of a reserve", used);
    note("requestExit", world.request_exit(1, 500).expect("free").used);
    world.now += 2 * DAY + HOUR;
    note("release", world.release(&session, seller(1)).expect("over").used);
    note("exit", world.exit(1).expect("due").used);
    costs
}

#[test]
fn calls_cost_no_more_than_stated() {
    let energy = costs(World::of(Prices::Energy, CHAIN));
    let gas = costs(World::of(Prices::Gas, CHAIN));
    let mut table = String::new();
    for ((name, energy), (_, gas)) in energy.iter().zip(&gas) {
        table += &format!("| {name} | {energy} | {gas} |\n");
    }
    eprintln!("| call | energy | gas |\n|---|---|---|\n{table}");
    let readme = include_str!("../../../tron/contracts/README.md");
    assert!(readme.contains(&table), "the README's table must say:\n{table}");
    let most = |name: &str| energy.iter().find(|(known, _)| *known == name).expect("known").1;
    assert!(most("claim, new session and payee") < 95_000);
    assert!(most("claim, again") < 45_000);
    assert!(most("deposit, first") < 70_000);
    assert!(most("exit") < 60_000);
}
