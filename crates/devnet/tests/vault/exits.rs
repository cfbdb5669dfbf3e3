//! How money leaves the vault: late, and never what was promised in time.

use alloy_primitives::Address as A;

use crate::faces::Vault;
use crate::world::{DAY, HOUR, RICH, START, World, person, refused};
use Vault::VaultErrors as E;

/// How long an exit takes.
const NOTICE: u64 = 2 * DAY;

fn seller(n: u8) -> A {
    person(50 + n).address()
}

fn no_exit() -> E {
    E::NoExit(Vault::NoExit {})
}

#[test]
fn exit_pays_out_after_its_notice_and_not_in_its_last_second() {
    for mut world in [World::new(), World::native()] {
        let owner = person(1).address();
        world.deposit(1, 100).expect("has it");
        let told = world.request_exit(1, 60).expect("free");
        let exit_at = START + NOTICE;
        let asked = Vault::ExitRequested { owner, amount: 60, exitAt: exit_at };
        assert_eq!(told.event::<Vault::ExitRequested>(), asked);
        assert_eq!(world.account(owner), (100, 0, 60, exit_at));
        for now in [START, exit_at - 1, exit_at] {
            world.now = now;
            refused(world.exit(1), E::ExitNotDue(Vault::ExitNotDue { exitAt: exit_at }));
        }
        world.now = exit_at + 1;
        let told = world.exit(1).expect("due");
        assert_eq!(told.event::<Vault::Exited>(), Vault::Exited { owner, amount: 60 });
        assert_eq!(world.account(owner), (40, 0, 0, 0));
        assert_eq!((world.holds(owner), world.holds(world.vault)), (RICH - 40, 40));
        refused(world.exit(1), no_exit());
    }
}

#[test]
fn exit_that_nobody_asked_for_does_not_exist() {
    let mut world = World::new();
    world.deposit(1, 100).expect("approved");
    refused(world.exit(1), no_exit());
    refused(world.exit(2), no_exit());
}

#[test]
fn exit_of_more_than_is_free_is_refused() {
    let mut world = World::new();
    world.deposit(1, 100).expect("approved");
    let too_much = |amount, free| E::TooMuch(Vault::TooMuch { amount, free });
    refused(world.request_exit(1, 101), too_much(101, 100));
    refused(world.request_exit(2, 1), too_much(1, 0));
    refused(world.request_exit(1, u128::MAX), too_much(u128::MAX, 100));
    let session = world.session(1, 80);
    world.reserve(&session.reserve(seller(1), 70)).expect("good");
    refused(world.request_exit(1, 31), too_much(31, 30));
    world.request_exit(1, 30).expect("free");
}

#[test]
fn later_request_replaces_the_earlier_with_a_notice_of_its_own() {
    let mut world = World::new();
    world.deposit(1, 100).expect("approved");
    world.request_exit(1, 60).expect("free");
    world.now = START + NOTICE;
    world.request_exit(1, 100).expect("free");
    world.now = START + NOTICE + 1;
    let exit_at = START + 2 * NOTICE;
    refused(world.exit(1), E::ExitNotDue(Vault::ExitNotDue { exitAt: exit_at }));
    world.now = exit_at + 1;
    assert_eq!(world.exit(1).expect("due").event::<Vault::Exited>().amount, 100);
}

#[test]
fn request_of_nothing_takes_an_exit_back() {
    let mut world = World::new();
    world.deposit(1, 100).expect("approved");
    world.request_exit(1, 60).expect("free");
    let told = world.request_exit(1, 0).expect("free");
    assert_eq!(told.event::<Vault::ExitRequested>().exitAt, 0);
    assert_eq!(world.account(person(1).address()), (100, 0, 0, 0));
    world.now += NOTICE + 1;
    refused(world.exit(1), no_exit());
}

#[test]
fn what_exits_can_be_claimed_until_it_is_taken() {
    let mut world = World::new();
    world.deposit(1, 100).expect("approved");
    let session = world.session_until(1, 80, START + DAY);
    world.request_exit(1, 100).expect("free");
    world.now = START + NOTICE;
    world.claim(&session.voucher(seller(1), 80)).expect("in the exit's last second");
    let owner = person(1).address();
    assert_eq!(world.account(owner), (20, 0, 20, START + NOTICE));
    world.now += 1;
    assert_eq!(world.exit(1).expect("due").event::<Vault::Exited>().amount, 20);
    assert_eq!((world.balance(seller(1)), world.holds(world.vault)), (80, 80));
}

#[test]
fn every_grant_shown_before_an_exit_was_asked_for_can_be_claimed_before_it() {
    // The longest grant there is, shown in the same second in which its owner asks to leave.
    let mut world = World::new();
    world.deposit(1, 100).expect("approved");
    let session = world.session_until(1, 100, START + DAY);
    world.request_exit(1, 100).expect("free");
    // Its last claim comes in the last second there is, and is not too late for the money.
    world.now = START + DAY + DAY;
    world.exit(1).expect_err("not due");
    world.claim(&session.voucher(seller(1), 100)).expect("first");
    world.now += 1;
    refused(world.exit(1), no_exit());
}

#[test]
fn claims_take_what_stays_before_what_exits() {
    let mut world = World::new();
    world.deposit(1, 100).expect("approved");
    let session = world.session(1, 80);
    world.request_exit(1, 50).expect("free");
    world.claim(&session.voucher(seller(1), 40)).expect("good");
    assert_eq!(world.account(person(1).address()), (60, 0, 50, START + NOTICE));
    world.claim(&session.voucher(seller(1), 70)).expect("good");
    assert_eq!(world.account(person(1).address()), (30, 0, 30, START + NOTICE));
}

#[test]
fn exit_never_takes_what_is_locked() {
    let mut world = World::new();
    world.deposit(1, 100).expect("approved");
    world.request_exit(1, 100).expect("free");
    world.now = START + NOTICE + 1 - HOUR;
    let session = world.session(1, 80);
    world.reserve(&session.reserve(seller(1), 80)).expect("good");
    assert_eq!(world.account(person(1).address()), (100, 80, 20, START + NOTICE));
    world.now = START + NOTICE + 1;
    assert_eq!(world.exit(1).expect("due").event::<Vault::Exited>().amount, 20);
    world.claim(&session.voucher(seller(1), 80)).expect("was locked for it");
    assert_eq!(world.balance(seller(1)), 80);
}

#[test]
fn exit_that_was_claimed_away_does_not_come_back_with_the_next_deposit() {
    let mut world = World::new();
    world.deposit(1, 100).expect("approved");
    world.request_exit(1, 100).expect("free");
    let session = world.session_until(1, 100, START + DAY);
    world.claim(&session.voucher(seller(1), 100)).expect("good");
    world.now = START + NOTICE + 1;
    world.deposit(1, 100).expect("approved");
    assert_eq!(world.account(person(1).address()), (100, 0, 0, 0));
    refused(world.exit(1), no_exit());
}

#[test]
fn exit_cannot_be_taken_twice_through_a_second_account() {
    // Both accounts of one owner have a due exit; the money of one moves to the other and back.
    let mut world = World::new();
    for owner in [1, 2] {
        world.deposit(owner, 100).expect("approved");
        world.request_exit(owner, 100).expect("free");
    }
    world.now = START + NOTICE + 1;
    let session = world.session(1, 100);
    world.claim(&session.voucher(person(2).address(), 100)).expect("good");
    assert_eq!(world.exit(2).expect("due").event::<Vault::Exited>().amount, 100);
    refused(world.exit(1), no_exit());
    assert_eq!(world.account(person(2).address()), (100, 0, 0, 0));
    refused(world.exit(2), no_exit());
}

#[test]
fn what_was_released_needs_a_notice_of_its_own() {
    let mut world = World::new();
    world.deposit(1, 100).expect("approved");
    let session = world.session(1, 80);
    world.reserve(&session.reserve(seller(1), 80)).expect("good");
    world.request_exit(1, 20).expect("free");
    world.now = START + NOTICE + 1;
    world.release(&session, seller(1)).expect("its time is over");
    assert_eq!(world.exit(1).expect("due").event::<Vault::Exited>().amount, 20);
    assert_eq!(world.account(person(1).address()), (80, 0, 0, 0));
}

#[test]
fn payee_leaves_with_its_income() {
    let mut world = World::new();
    world.deposit(1, 100).expect("approved");
    let session = world.session(1, 80);
    let payee = person(2).address();
    world.claim(&session.voucher(payee, 80)).expect("good");
    world.request_exit(2, 80).expect("free");
    world.now += NOTICE + 1;
    world.exit(2).expect("due");
    assert_eq!((world.holds(payee), world.holds(world.vault)), (RICH + 80, 20));
}
