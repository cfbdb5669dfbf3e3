//! Either side crashes, or the link closes, at every step.

use headwater_base::Amount;
use headwater_pay::owed;

use crate::shell::{PRICE, World};

/// Runs with a fault after so many steps, then to the end.
fn run(at: usize, fault: fn(&mut World)) -> World {
    let mut world = World::new();
    world.wanted = 600 << 10;
    for _ in 0..at {
        world.step();
        world.check();
    }
    fault(&mut world);
    world.run(60);
    world
}

/// Steps of a run without faults until the last voucher is taken.
fn steps() -> usize {
    let mut world = World::new();
    world.wanted = 600 << 10;
    let mut steps = 0;
    while world.now.as_micros() < 9_000_000 {
        world.step();
        steps += 1;
    }
    steps
}

fn agree(world: &mut World, at: usize) {
    let (bytes, bought) = world.bought();
    assert_eq!(bought, owed(bytes, PRICE), "step {at}");
    assert_eq!(world.promised(), world.earned(), "step {at}");
    let claimed = world.claim();
    assert_eq!(claimed, world.earned(), "step {at}");
    // A crash may come between storing a promise and telling of it.
    let untold = world.promised().0.checked_sub(bought.0);
    assert!(untold.is_some_and(|untold| untold <= owed(1 << 18, PRICE).0), "step {at}");
}

#[test]
fn buyer_may_crash_at_every_step_and_accounts_still_agree() {
    let steps = steps();
    assert!(steps > 100, "{steps}");
    for at in 0..steps {
        agree(&mut run(at, |world| world.crash(true)), at);
    }
}

#[test]
fn seller_may_crash_at_every_step_and_loses_no_voucher() {
    for at in 0..steps() {
        let mut world = run(at, |world| world.crash(false));
        agree(&mut world, at);
        // Nothing of the buyer's verified bytes is lost: it had no crash.
        assert_eq!(world.promised(), owed(world.verified, PRICE), "step {at}");
    }
}

#[test]
fn link_may_close_at_every_step_and_what_is_verified_is_still_paid() {
    for at in 0..steps() {
        let mut world = run(at, |world| {
            world.close();
            world.open();
            world.wanted += 1 << 20;
        });
        agree(&mut world, at);
        assert_eq!(world.promised(), owed(world.verified, PRICE), "step {at}");
        // What the seller sent and nobody received stays owed, and is within its first window.
        let lost = world.seller.pay.view().owed;
        assert_eq!(lost.0, owed(world.sent, PRICE).0 - world.earned().0, "step {at}");
        assert!(lost <= owed(1 << 18, PRICE), "step {at}");
    }
}

#[test]
fn a_restored_buyer_promises_no_less_than_before() {
    let mut world = run(300, |world| world.crash(true));
    let before = world.promised();
    assert!(before > Amount(0));
    world.crash(true);
    assert_eq!(world.promised(), before);
}

#[test]
fn what_is_owed_is_paid_after_any_fault_though_nothing_more_is_bought() {
    let faults: [fn(&mut World); 3] = [
        |world| world.crash(true),
        |world| world.crash(false),
        |world| {
            world.close();
            world.open();
        },
    ];
    for (which, fault) in faults.into_iter().enumerate() {
        for at in 0..steps() {
            let mut world = World::new();
            world.wanted = 600 << 10;
            for _ in 0..at {
                world.step();
            }
            fault(&mut world);
            world.stalls = true;
            world.run(60);
            assert_eq!(world.promised(), world.earned(), "fault {which}, step {at}");
            let paid = world.promised() == owed(world.verified, PRICE);
            assert!(paid || which == 0, "fault {which}, step {at}");
        }
    }
}
