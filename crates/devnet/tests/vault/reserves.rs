//! What is locked for a payee: that nobody else gets it, and that it comes free again.

use alloy_primitives::{Address as A, U256};

use crate::faces::Vault;
use crate::world::{DAY, HOUR, START, World, person, refused};
use Vault::VaultErrors as E;

fn seller(n: u8) -> A {
    person(50 + n).address()
}

fn nothing_left() -> E {
    E::NothingLeft(Vault::NothingLeft {})
}

#[test]
fn reserve_locks_a_part_of_the_deposit_for_one_payee() {
    let mut world = World::new();
    world.deposit(1, 100).expect("approved");
    let session = world.session(1, 80);
    let told = world.reserve(&session.reserve(seller(1), 30)).expect("good");
    let (owner, id) = (person(1).address(), session.id());
    let reserved = Vault::Reserved { session: id, payee: seller(1), amount: 30 };
    assert_eq!(told.event::<Vault::Reserved>(), reserved);
    assert_eq!(world.account(owner), (100, 30, 0, 0));
    let call = Vault::reserveOfCall { session: id, payee: seller(1) };
    let lock = world.view(world.vault, call);
    assert_eq!((lock.amount, lock.until, lock.owner), (30, START + HOUR + DAY, owner));
}

#[test]
fn other_payees_do_not_get_what_is_locked() {
    let mut world = World::new();
    world.deposit(1, 100).expect("approved");
    let session = world.session(1, 1_000);
    world.reserve(&session.reserve(seller(1), 70)).expect("good");
    let told = world.claim(&session.voucher(seller(2), 90)).expect("30 are free");
    assert_eq!(told.event::<Vault::Claimed>().paid, 30);
    refused(world.claim(&session.voucher(seller(2), 91)), nothing_left());
    let told = world.claim(&session.voucher(seller(1), 70)).expect("locked for it");
    assert_eq!(told.event::<Vault::Claimed>().paid, 70);
    assert_eq!(world.account(person(1).address()), (0, 0, 0, 0));
}

#[test]
fn cap_spent_on_others_does_not_take_what_is_locked() {
    let mut world = World::new();
    world.deposit(1, 1_000).expect("approved");
    let session = world.session(1, 100);
    world.reserve(&session.reserve(seller(1), 70)).expect("good");
    let told = world.claim(&session.voucher(seller(2), 100)).expect("30 of the cap are left");
    assert_eq!(told.event::<Vault::Claimed>().paid, 30);
    refused(world.claim(&session.voucher(seller(3), 1)), nothing_left());
    world.claim(&session.voucher(seller(1), 70)).expect("the cap was kept for it");
    assert_eq!((world.balance(seller(1)), world.spent(&session)), (70, 100));
}

#[test]
fn another_session_of_the_owner_does_not_take_what_is_locked() {
    let mut world = World::new();
    world.deposit(1, 100).expect("approved");
    let session = world.session(1, 80);
    world.reserve(&session.reserve(seller(1), 80)).expect("good");
    world.now += 1;
    let other = world.session(1, 1_000);
    let accomplice = person(2).address();
    let told = world.claim(&other.voucher(accomplice, 1_000)).expect("20 are free");
    assert_eq!(told.event::<Vault::Claimed>().paid, 20);
    refused(world.reserve(&other.reserve(accomplice, 2_000)), nothing_left());
    world.claim(&session.voucher(seller(1), 80)).expect("locked for it");
    assert_eq!(world.balance(seller(1)), 80);
}

#[test]
fn claims_take_what_is_locked_first_and_then_what_is_free() {
    let mut world = World::new();
    world.deposit(1, 100).expect("approved");
    let session = world.session(1, 90);
    world.reserve(&session.reserve(seller(1), 30)).expect("good");
    world.claim(&session.voucher(seller(1), 20)).expect("good");
    assert_eq!(world.account(person(1).address()), (80, 10, 0, 0));
    assert_eq!(world.locked(&session, seller(1)), 10);
    world.claim(&session.voucher(seller(1), 50)).expect("good");
    assert_eq!(world.account(person(1).address()), (50, 0, 0, 0));
    assert_eq!(world.locked(&session, seller(1)), 0);
}

#[test]
fn session_locks_no_more_than_its_cap() {
    let mut world = World::new();
    world.deposit(1, 1_000).expect("approved");
    let session = world.session(1, 100);
    world.claim(&session.voucher(seller(1), 20)).expect("good");
    world.reserve(&session.reserve(seller(2), 50)).expect("good");
    world.reserve(&session.reserve(seller(3), 500)).expect("30 are left");
    assert_eq!(world.locked(&session, seller(3)), 30);
    refused(world.reserve(&session.reserve(seller(4), 1)), nothing_left());
    assert_eq!(world.account(person(1).address()), (980, 80, 0, 0));
}

#[test]
fn short_balance_locks_what_there_is_and_more_when_there_is_more() {
    let mut world = World::new();
    world.deposit(1, 20).expect("approved");
    let session = world.session(1, 100);
    let reserve = session.reserve(seller(1), 50);
    let told = world.reserve(&reserve).expect("20 are there");
    assert_eq!(told.event::<Vault::Reserved>().amount, 20);
    refused(world.reserve(&reserve), nothing_left());
    world.deposit(1, 100).expect("approved");
    world.reserve(&reserve).expect("30 more");
    assert_eq!(world.locked(&session, seller(1)), 50);
}

#[test]
fn reserve_sent_again_locks_nothing_more_even_after_claims() {
    let mut world = World::new();
    world.deposit(1, 500).expect("approved");
    let session = world.session(1, 400);
    let reserve = session.reserve(seller(1), 50);
    world.reserve(&reserve).expect("good");
    refused(world.reserve(&reserve), nothing_left());
    world.claim(&session.voucher(seller(1), 20)).expect("good");
    refused(world.reserve(&reserve), nothing_left());
    world.claim(&session.voucher(seller(1), 50)).expect("good");
    let error = Vault::Stale { amount: 50, had: 50 };
    refused(world.reserve(&reserve), E::Stale(error));
    assert_eq!(world.account(person(1).address()), (450, 0, 0, 0));
}

#[test]
fn smaller_reserve_does_not_loosen_a_larger_one() {
    let mut world = World::new();
    world.deposit(1, 500).expect("approved");
    let session = world.session(1, 400);
    world.reserve(&session.reserve(seller(1), 50)).expect("good");
    refused(world.reserve(&session.reserve(seller(1), 10)), nothing_left());
    world.reserve(&session.reserve(seller(1), 60)).expect("10 more");
    assert_eq!(world.locked(&session, seller(1)), 60);
}

#[test]
fn reserve_comes_too_late_when_the_grant_expired() {
    let mut world = World::new();
    world.deposit(1, 500).expect("approved");
    let session = world.session(1, 400);
    world.now = START + HOUR + 1;
    let error = Vault::Expired { now_: U256::from(world.now), last: U256::from(START + HOUR) };
    refused(world.reserve(&session.reserve(seller(1), 10)), E::Expired(error));
    world.now -= 1;
    world.reserve(&session.reserve(seller(1), 10)).expect("the last second");
}

#[test]
fn lock_is_taken_off_after_its_time_and_not_before() {
    let mut world = World::new();
    world.deposit(1, 100).expect("approved");
    let session = world.session(1, 80);
    world.reserve(&session.reserve(seller(1), 30)).expect("good");
    let until = START + HOUR + DAY;
    for now in [START, until] {
        world.now = now;
        refused(world.release(&session, seller(1)), E::Locked(Vault::Locked { until }));
    }
    world.claim(&session.voucher(seller(1), 10)).expect("until the very end");
    world.now = until + 1;
    let told = world.release(&session, seller(1)).expect("its time is over");
    let released = Vault::Released { session: session.id(), payee: seller(1), amount: 20 };
    assert_eq!(told.event::<Vault::Released>(), released);
    assert_eq!(world.account(person(1).address()), (90, 0, 0, 0));
    assert_eq!(world.locked(&session, seller(1)), 0);
    refused(world.release(&session, seller(1)), E::NoLock(Vault::NoLock {}));
    refused(world.release(&session, seller(2)), E::NoLock(Vault::NoLock {}));
}

#[test]
fn lock_that_was_claimed_whole_has_nothing_to_release() {
    let mut world = World::new();
    world.deposit(1, 100).expect("approved");
    let session = world.session(1, 80);
    world.reserve(&session.reserve(seller(1), 30)).expect("good");
    world.claim(&session.voucher(seller(1), 30)).expect("good");
    world.now = START + HOUR + DAY + 1;
    refused(world.release(&session, seller(1)), E::NoLock(Vault::NoLock {}));
    assert_eq!(world.account(person(1).address()), (70, 0, 0, 0));
}
