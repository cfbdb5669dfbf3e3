//! Both sides keep the rules.

use headwater_base::{Amount, UnixTime};
use headwater_pay::{Event, Input, JobFailure, Pay, limit, owed};
use headwater_wire::extended::PayMessage;

use crate::shell::{BLOCK, DATE, Fate, PRICE, Packet, RAIL, World, buying, selling};

#[test]
fn accounts_agree_to_the_base_unit() {
    // A price that no number of blocks makes whole.
    let price = Amount(1_000_003);
    let mut world = World::with(buying(), headwater_pay::Selling { price, ..selling() });
    world.run(60);
    assert!(world.verified >= 2 << 20);
    let expect = owed(world.verified, price);
    assert_eq!(world.promised(), expect);
    assert_eq!(world.earned(), expect);
    assert_eq!(world.bought(), (world.verified, expect));
    assert_eq!(world.seller.pay.view().owed, Amount(0));
    assert_eq!(world.claim(), expect);
}

#[test]
fn nothing_is_said_before_the_user_opts_in() {
    let mut world = World::new();
    let pay = Pay::new(&headwater_base::Seed([0; 32]));
    assert_eq!(pay.terms(), None);
    world.buyer.pay = pay;
    world.open();
    world.run(60);
    assert_eq!((world.promised(), world.sent), (Amount(0), 0));
    assert!(world.buyer.events.is_empty() && world.buyer.out.is_empty());
}

#[test]
fn credit_grows_while_windows_are_paid_and_nobody_has_to_wait() {
    let mut world = World::new();
    world.wanted = 64 << 20;
    world.run(60);
    let asked = |event: &Event| matches!(event, Event::PaymentEnded { .. });
    assert!(world.verified >= 64 << 20);
    assert_eq!(world.buyer.events.iter().filter(|event| asked(event)).count(), 1);
    let vouchers = world.seller.events.iter().filter(|e| matches!(e, Event::Earned { .. }));
    // At the first window's half of 128 KiB there would be 512.
    assert!(vouchers.clone().count() < 100, "{}", vouchers.count());
}

#[test]
fn pieces_larger_than_the_credit_are_bought_one_unit_ahead() {
    let mut world = World::new();
    world.unit = 1 << 20;
    world.close();
    world.open();
    world.wanted = 8 << 20;
    world.run(120);
    assert!(world.verified >= 8 << 20, "{} verified", world.verified);
    assert!(world.promised() <= owed(world.verified + world.unit, PRICE));
    assert_eq!(world.promised(), world.earned());
}

#[test]
fn kill_switch_signs_nothing_more_at_whatever_step() {
    for at in (0..600).step_by(7) {
        let mut world = World::new();
        for _ in 0..at {
            world.step();
        }
        world.buyer.pay.handle(world.now, Input::BuyingOff);
        // The shell refuses to sign from here on, and fails the test when it is asked to.
        world.buyer.signs = false;
        world.run(30);
        assert!(!world.buyer.pay.is_charged(world.link));
        assert_eq!(world.buyer.pay.terms(), None);
    }
}

#[test]
fn caps_hold_and_end_payment_but_not_the_link() {
    let link_cap = owed(1 << 20, PRICE);
    let session_cap = owed(1 << 19, PRICE);
    for (cap, buying) in [
        (link_cap, headwater_pay::Buying { link_cap, ..buying() }),
        (session_cap, headwater_pay::Buying { session_cap, ..buying() }),
    ] {
        let mut world = World::with(buying, selling());
        world.run(60);
        assert_eq!(world.promised(), cap);
        assert_eq!(world.earned(), cap);
        assert_eq!(world.seller.weight(world.link), 0);
        assert_eq!(world.seller.pay.view().owed, Amount(0));
    }
}

#[test]
fn a_price_above_the_maximum_is_not_bid_on() {
    let price_max = Amount(PRICE.0 - 1);
    let mut world = World::with(headwater_pay::Buying { price_max, ..buying() }, selling());
    world.run(60);
    assert_eq!((world.promised(), world.sent), (Amount(0), 0));
}

#[test]
fn session_ends_with_its_grant() {
    let mut world = World::new();
    for _ in 0..200 {
        world.step();
    }
    let expiry = Input::Clock(UnixTime(DATE.0 + 3600));
    world.buyer.pay.handle(world.now, expiry.clone());
    world.seller.pay.handle(world.now, expiry);
    world.run(30);
    assert!(world.buyer.events.contains(&Event::GrantExpired));
    assert_eq!(world.seller.weight(world.link), 0);
    assert!(world.ledger.claimed.values().sum::<u128>() > 0, "claimed before it is too late");
}

#[test]
fn claims_are_made_once_they_are_worth_many_fees() {
    let fee = owed(BLOCK, PRICE);
    let selling = headwater_pay::Selling { claim_fee: fee, claim_factor: 20, ..selling() };
    let mut world = World::with(buying(), selling);
    world.wanted = 100 * 1024;
    world.run(60);
    assert!(world.ledger.claimed.is_empty());
    world.wanted = 2 << 20;
    world.close();
    world.open();
    world.run(60);
    assert!(world.ledger.claimed.values().sum::<u128>() >= 20 * fee.0);
}

/// A seller that leaves claiming to its user.
fn patient() -> World {
    let claim_fee = Amount(u128::MAX);
    let mut world = World::with(buying(), headwater_pay::Selling { claim_fee, ..selling() });
    world.run(60);
    world
}

#[test]
fn a_seller_that_claims_nothing_by_itself_claims_what_its_user_asks_for() {
    let mut world = patient();
    assert_eq!(world.claim(), Amount(0));
    assert_eq!(world.seller.pay.view().claims, [RAIL.chain]);
    world.seller.pay.claim_above(world.now, world.earned());
    world.run(1);
    assert!(world.ledger.claimed.is_empty(), "not above");
    world.seller.pay.claim_above(world.now, Amount(0));
    world.run(1);
    let paid = Amount(world.ledger.claimed.values().sum());
    assert!(paid > Amount(0));
    let view = world.seller.pay.view();
    assert_eq!((view.earned, view.claimed, view.claims), (paid, paid, vec![]));
}

#[test]
fn a_claim_that_its_user_refused_is_made_again_when_asked_for() {
    let mut world = patient();
    world.seller.submits = false;
    world.seller.pay.claim_above(world.now, Amount(0));
    world.run(1);
    let refused = Event::ClaimFailed { why: JobFailure::Refused };
    assert!(world.seller.events.contains(&refused));
    world.seller.submits = true;
    world.seller.pay.claim_above(world.now, Amount(0));
    world.run(1);
    assert_eq!(Amount(world.ledger.claimed.values().sum()), world.earned());
}

#[test]
fn what_was_earned_is_taken_back_by_a_client_that_buys_already() {
    let world = patient();
    let mut pay = Pay::new(&headwater_base::Seed([7; 32]));
    pay.handle(world.now, Input::BuyingOn(Box::new(buying())));
    pay.recall(world.seller.disk.values().map(Vec::as_slice)).expect("records");
    assert_eq!(pay.view().earned, world.earned());
    assert!(pay.terms().is_some_and(|terms| terms.payee.is_none()), "it only buys");
}

#[test]
fn a_vault_that_cannot_cover_the_window_is_sold_only_what_it_covers() {
    let mut world = World::new();
    world.ledger.balance = owed(10 * BLOCK, PRICE).0;
    world.run(60);
    assert!(world.sent <= 10 * BLOCK, "{} sent", world.sent);
    assert!(world.earned() <= owed(10 * BLOCK, PRICE));
    let mut world = World::new();
    world.ledger.balance = 0;
    world.run(60);
    assert_eq!(world.sent, 0);
}

#[test]
fn what_one_payer_may_leave_unsettled_is_bounded() {
    let max_unsecured = owed(1 << 20, PRICE);
    let mut world = World::with(buying(), headwater_pay::Selling { max_unsecured, ..selling() });
    world.run(60);
    // It is claimed on the way, so that the sale goes on.
    assert!(world.verified >= 2 << 20, "{}", world.verified);
    assert!(world.ledger.claimed.values().sum::<u128>() > 0);
}

#[test]
fn records_are_removed_once_nobody_can_claim_them() {
    let mut world = World::new();
    world.run(30);
    assert!(!world.buyer.disk.is_empty() && !world.seller.disk.is_empty());
    let date = Input::Clock(UnixTime(DATE.0 + 3600 + limit::CLAIM_WINDOW_SECONDS + 1));
    world.buyer.pay.handle(world.now, date.clone());
    world.seller.pay.handle(world.now, date);
    world.run(1);
    assert!(world.buyer.disk.is_empty(), "the buyer keeps {}", world.buyer.disk.len());
}

#[test]
fn a_buyer_whose_vouchers_were_lost_pays_them_with_its_next_bid_and_goes_on() {
    let mut world = World::new();
    world.meddle = |from_buyer, packet| {
        let Packet::Pay(payload) = packet else { return Fate::Arrives };
        let message = PayMessage::decode(payload);
        let voucher = matches!(message, Ok(Some(PayMessage::Voucher { .. })));
        if from_buyer && voucher { Fate::Lost } else { Fate::Arrives }
    };
    world.run(60);
    assert_eq!((world.earned(), world.seller.weight(world.link)), (Amount(0), 0));
    world.close();
    world.meddle = |_, _| Fate::Arrives;
    world.open();
    world.run(60);
    assert!(world.verified >= world.wanted, "{} verified", world.verified);
    assert_eq!(world.earned(), owed(world.verified, PRICE));
}
