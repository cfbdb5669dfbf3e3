//! What vouchers pay, to whom, how often and until when.

use alloy_primitives::{Address as A, B256, U256, hex};
use alloy_sol_types::SolStruct;

use crate::faces::{Grant, Vault, Voucher};
use crate::world::{DAY, HOUR, START, World, number, person, refused};
use Vault::VaultErrors as E;

/// Somebody who seeds and is paid.
fn seller(n: u8) -> A {
    person(50 + n).address()
}

fn stale(amount: u128, had: u128) -> E {
    E::Stale(Vault::Stale { amount, had })
}

fn nothing_left() -> E {
    E::NothingLeft(Vault::NothingLeft {})
}

#[test]
fn domain_and_session_are_those_of_typed_data() {
    for mut world in [World::new(), World::native()] {
        let found = world.view(world.vault, Vault::domainSeparatorCall {});
        assert_eq!(found, world.domain().separator());
        world.deposit(1, 10).expect("approved");
        let session = world.session(1, 10);
        let told = world.claim(&session.voucher(seller(1), 4)).expect("good");
        assert_eq!(told.event::<Vault::Claimed>().session, session.id());
    }
}

#[test]
fn typed_data_is_what_wallets_hash() {
    let world = World::new();
    let domain = alloy_sol_types::Eip712Domain {
        verifying_contract: Some(A::repeat_byte(0x44)),
        ..world.domain()
    };
    let grant = Grant {
        owner: person(0x11).address(),
        key: person(0x22).address(),
        cap: 5_000 * 10_u128.pow(18),
        expiry: 1_800_000_000,
        salt: B256::repeat_byte(0x55),
    };
    let session = grant.eip712_hash_struct();
    // The session has no domain in it, so it is the one that was computed for another name.
    let known = hex!("541ddbd627e75892426808cbf1fa959c4ee9b98f9d06bd839a8e595c99ac2fc7");
    assert_eq!(session.0, known);
    let voucher = Voucher { session, payee: person(0x33).address(), amount: 1 };
    assert_ne!(voucher.eip712_signing_hash(&domain), grant.eip712_signing_hash(&domain));
}

#[test]
fn voucher_pays_into_the_payees_balance() {
    let mut world = World::new();
    world.deposit(1, 100).expect("approved");
    let session = world.session(1, 80);
    let told = world.claim(&session.voucher(seller(1), 30)).expect("good");
    assert_eq!(number(&told.output), 30);
    let owner = person(1).address();
    let claimed =
        Vault::Claimed { session: session.id(), owner, payee: seller(1), paid: 30, total: 30 };
    assert_eq!(told.event::<Vault::Claimed>(), claimed);
    assert_eq!((world.balance(owner), world.balance(seller(1))), (70, 30));
    assert_eq!((world.spent(&session), world.claimed(&session, seller(1))), (30, 30));
    assert_eq!(world.holds(world.vault), 100);
}

#[test]
fn voucher_pays_in_coin_too() {
    let mut world = World::native();
    world.deposit(1, 100).expect("has it");
    let session = world.session(1, 80);
    world.claim(&session.voucher(seller(1), 30)).expect("good");
    assert_eq!((world.balance(person(1).address()), world.balance(seller(1))), (70, 30));
}

#[test]
fn later_voucher_pays_only_what_is_new_in_it() {
    let mut world = World::new();
    world.deposit(1, 100).expect("approved");
    let session = world.session(1, 80);
    world.claim(&session.voucher(seller(1), 30)).expect("good");
    let told = world.claim(&session.voucher(seller(1), 45)).expect("good");
    assert_eq!(told.event::<Vault::Claimed>().paid, 15);
    assert_eq!(told.event::<Vault::Claimed>().total, 45);
    assert_eq!(world.balance(seller(1)), 45);
}

#[test]
fn voucher_claimed_twice_or_after_a_later_one_pays_nothing() {
    let mut world = World::new();
    world.deposit(1, 100).expect("approved");
    let session = world.session(1, 80);
    world.claim(&session.voucher(seller(1), 45)).expect("good");
    refused(world.claim(&session.voucher(seller(1), 45)), stale(45, 45));
    refused(world.claim(&session.voucher(seller(1), 30)), stale(30, 45));
    refused(world.claim(&session.voucher(seller(2), 0)), stale(0, 0));
    assert_eq!(world.balance(seller(1)), 45);
}

#[test]
fn cap_binds_all_payees_of_a_session_together() {
    let mut world = World::new();
    world.deposit(1, 1_000).expect("approved");
    let session = world.session(1, 80);
    world.claim(&session.voucher(seller(1), 50)).expect("good");
    let told = world.claim(&session.voucher(seller(2), 50)).expect("30 are left");
    assert_eq!(told.event::<Vault::Claimed>().paid, 30);
    refused(world.claim(&session.voucher(seller(3), 50)), nothing_left());
    refused(world.claim(&session.voucher(seller(1), 51)), nothing_left());
    assert_eq!((world.spent(&session), world.balance(person(1).address())), (80, 920));
}

#[test]
fn sessions_of_one_owner_have_caps_of_their_own() {
    let mut world = World::new();
    world.deposit(1, 1_000).expect("approved");
    let first = world.session(1, 80);
    world.now += 1;
    let second = world.session(1, 80);
    assert_ne!(first.id(), second.id());
    world.claim(&first.voucher(seller(1), 80)).expect("good");
    world.claim(&second.voucher(seller(1), 80)).expect("good");
    assert_eq!(world.balance(seller(1)), 160);
}

#[test]
fn short_balance_pays_what_there_is_and_the_rest_when_there_is_more() {
    let mut world = World::new();
    world.deposit(1, 20).expect("approved");
    let session = world.session(1, 80);
    let voucher = session.voucher(seller(1), 50);
    assert_eq!(world.claim(&voucher).expect("20").event::<Vault::Claimed>().paid, 20);
    refused(world.claim(&voucher), nothing_left());
    world.deposit(1, 100).expect("approved");
    let told = world.claim(&voucher).expect("30 more");
    assert_eq!((told.event::<Vault::Claimed>().paid, world.balance(seller(1))), (30, 50));
    refused(world.claim(&voucher), stale(50, 50));
}

#[test]
fn owner_without_a_deposit_pays_nothing() {
    let mut world = World::new();
    world.deposit(2, 500).expect("approved");
    let session = world.session(1, 80);
    refused(world.claim(&session.voucher(seller(1), 50)), nothing_left());
    assert_eq!(world.balance(person(2).address()), 500);
}

#[test]
fn claims_end_with_the_last_second_of_their_window() {
    let mut world = World::new();
    world.deposit(1, 100).expect("approved");
    let session = world.session(1, 80);
    let last = START + HOUR + DAY;
    world.now = last;
    world.claim(&session.voucher(seller(1), 10)).expect("still in time");
    world.now = last + 1;
    let error = Vault::Expired { now_: U256::from(last + 1), last: U256::from(last) };
    refused(world.claim(&session.voucher(seller(1), 20)), E::Expired(error));
}

#[test]
fn grant_that_runs_longer_than_a_session_may_is_worth_nothing_yet() {
    let mut world = World::new();
    world.deposit(1, 100).expect("approved");
    let expiry = START + DAY + 1;
    let session = world.session_until(1, 80, expiry);
    let voucher = session.voucher(seller(1), 10);
    let allowed = U256::from(START + DAY);
    let error = Vault::ExpiryTooFar { expiry: U256::from(expiry), allowed };
    refused(world.claim(&voucher), E::ExpiryTooFar(error.clone()));
    refused(world.reserve(&session.reserve(seller(1), 10)), E::ExpiryTooFar(error));
    world.now += 1;
    world.claim(&voucher).expect("a day is left");
}

#[test]
fn grant_without_end_never_pays_and_overflows_nothing() {
    let mut world = World::new();
    world.deposit(1, 100).expect("approved");
    for expiry in [u64::MAX, u64::MAX - DAY, u64::MAX - DAY + 1] {
        let session = world.session_until(1, 80, expiry);
        let allowed = U256::from(START + DAY);
        let error = Vault::ExpiryTooFar { expiry: U256::from(expiry), allowed };
        refused(world.claim(&session.voucher(seller(1), 10)), E::ExpiryTooFar(error));
    }
}

#[test]
fn nobody_cannot_be_paid() {
    let mut world = World::new();
    world.deposit(1, 100).expect("approved");
    let session = world.session(1, 80);
    let error = || E::NoPayee(Vault::NoPayee {});
    refused(world.claim(&session.voucher(A::ZERO, 10)), error());
    refused(world.reserve(&session.reserve(A::ZERO, 10)), error());
}

#[test]
fn owner_that_pays_itself_moves_nothing_and_uses_up_its_cap() {
    let mut world = World::new();
    world.deposit(1, 100).expect("approved");
    let session = world.session(1, 80);
    let owner = person(1).address();
    world.claim(&session.voucher(owner, 80)).expect("good");
    assert_eq!((world.balance(owner), world.spent(&session)), (100, 80));
    refused(world.claim(&session.voucher(seller(1), 1)), nothing_left());
}

#[test]
fn income_pays_on() {
    let mut world = World::new();
    world.deposit(1, 100).expect("approved");
    let first = world.session(1, 100);
    world.claim(&first.voucher(person(2).address(), 100)).expect("good");
    let second = world.session(2, 60);
    world.claim(&second.voucher(seller(1), 60)).expect("paid out of income");
    assert_eq!(world.balance(person(2).address()), 40);
    assert_eq!(world.balance(seller(1)), 60);
}

#[test]
fn largest_amounts_overflow_nothing() {
    let mut world = World::new();
    world.deposit(1, 100).expect("approved");
    let session = world.session(1, u128::MAX);
    let told = world.claim(&session.voucher(seller(1), u128::MAX)).expect("all there is");
    assert_eq!(told.event::<Vault::Claimed>().paid, 100);
    world.deposit(1, 5).expect("approved");
    world.claim(&session.voucher(seller(1), u128::MAX)).expect("the rest");
    assert_eq!(world.balance(seller(1)), 105);
}
