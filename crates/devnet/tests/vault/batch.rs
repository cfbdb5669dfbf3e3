//! Many claims in one call: as good as each by itself, and none spoils another.

use alloy_primitives::Address as A;
use headwater_base::Seed;

use crate::faces::{Claim, Vault};
use crate::world::{DAY, HOUR, World, number, person, refused};
use Vault::VaultErrors as E;

fn seller(n: u8) -> A {
    person(50 + n).address()
}

fn nothing_left() -> E {
    E::NothingLeft(Vault::NothingLeft {})
}

#[test]
fn claims_of_many_payers_are_paid_together() {
    let mut world = World::new();
    let mut claims = Vec::new();
    for owner in 1..5 {
        world.deposit(owner, 100).expect("approved");
        claims.push(world.session(owner, 80).voucher(seller(1), 10 * u128::from(owner)));
    }
    let told = world.claim_many(&claims).expect("all good");
    assert_eq!(number(&told.output), 100);
    assert_eq!(world.balance(seller(1)), 100);
}

#[test]
fn claim_that_fails_alone_spoils_no_other() {
    let mut world = World::new();
    for owner in 1..8 {
        world.deposit(owner, 100).expect("approved");
    }
    let good = world.session(1, 80).voucher(seller(1), 10);
    let forged = Claim { amount: 99, ..world.session(2, 80).voucher(seller(1), 10) };
    let far = world.session_until(3, 80, world.now + 2 * DAY).voucher(seller(1), 10);
    let old = world.session_until(4, 80, world.now - DAY - 1).voucher(seller(1), 10);
    let poor = world.session(9, 80).voucher(seller(1), 10);
    let nobody = world.session(5, 80).voucher(A::ZERO, 10);
    let empty = world.session(6, 0).voucher(seller(1), 10);
    let mut torn = world.session(7, 80).voucher(seller(1), 10);
    torn.keySig = vec![1, 2, 3].into();
    let bad = [forged, far, old, poor, nobody, empty, torn];
    for claim in &bad {
        world.claim(claim).expect_err("fails alone");
    }
    refused(world.claim_many(&bad), nothing_left());
    let mut all = bad.to_vec();
    all.insert(4, good.clone());
    let told = world.claim_many(&all).expect("one is good");
    assert_eq!((number(&told.output), told.logs.len()), (10, 1));
    // The same again is stale as a whole.
    refused(world.claim_many(&all), nothing_left());
    assert_eq!(world.balance(seller(1)), 10);
}

#[test]
fn batch_of_nothing_is_refused() {
    refused(World::new().claim_many(&[]), nothing_left());
}

#[test]
fn voucher_twice_in_a_batch_is_paid_once() {
    let mut world = World::new();
    world.deposit(1, 100).expect("approved");
    let session = world.session(1, 80);
    let (low, high) = (session.voucher(seller(1), 10), session.voucher(seller(1), 30));
    world.claim_many(&[high.clone(), low.clone(), high.clone(), low]).expect("good");
    assert_eq!((world.balance(seller(1)), world.spent(&session)), (30, 30));
}

#[test]
fn batch_ends_as_the_same_claims_one_by_one() {
    for seed in 0..20 {
        let mut rng = Seed([seed; 32]).split("batch");
        let mut world = World::new();
        let mut sessions = Vec::new();
        for owner in 1..4 {
            world.deposit(owner, u128::from(rng.below(150)) + 1).expect("approved");
            sessions.push(world.session(owner, u128::from(rng.below(120))));
        }
        let mut claims = Vec::new();
        for _ in 0..12 {
            let session = &sessions[rng.pick(sessions.len()).expect("some")];
            let payee = seller(u8::try_from(rng.below(3)).expect("small"));
            let mut claim = session.voucher(payee, u128::from(rng.below(100)));
            if rng.below(6) == 0 {
                claim.amount += 1;
            }
            claims.push(claim);
        }
        world.now += rng.below(HOUR + DAY);
        let mut single = world.clone();
        let paid: u128 = claims
            .iter()
            .map(|claim| single.claim(claim).map_or(0, |told| number(&told.output)))
            .sum();
        match world.claim_many(&claims) {
            Ok(told) => assert_eq!(number(&told.output), paid),
            Err(_) => assert_eq!(paid, 0),
        }
        for who in (1..4).map(|n| person(n).address()).chain((0..3).map(seller)) {
            assert_eq!(world.account(who), single.account(who), "seed {seed}");
        }
        for session in &sessions {
            assert_eq!(world.spent(session), single.spent(session), "seed {seed}");
        }
    }
}
