//! One side does not keep the rules. The other loses no more than its bound, and the link lives.

use bytes::Bytes;
use headwater_base::{Amount, Signature};
use headwater_pay::{Event, Input, Pay, Promise, Signed, Why, limit, owed};
use headwater_wire::extended::{Award, EndCode, PayMessage, Rail, RefuseCode};

use crate::shell::{
    Fate, KEY, OWNER, PAYEE, PRICE, Packet, RAIL, World, buying, grant, selling, test_sign,
};

fn decode(packet: &Packet) -> Option<PayMessage> {
    match packet {
        Packet::Pay(payload) => PayMessage::decode(payload).expect("a message"),
        Packet::Block => None,
    }
}

fn ended(events: &[Event], code: EndCode) -> bool {
    events.iter().any(|event| {
        let Event::PaymentEnded { why: Why::Peer(found) | Why::Ours(found), .. } = event else {
            return false;
        };
        *found == code
    })
}

#[test]
fn a_buyer_that_stops_paying_costs_the_seller_one_window() {
    let mut world = World::new();
    world.meddle = |from_buyer, packet| match decode(packet) {
        Some(PayMessage::Voucher { .. }) if from_buyer => Fate::Lost,
        _ => Fate::Arrives,
    };
    world.run(300);
    assert!(world.sent <= limit::CREDIT_BYTES_MIN, "{} sent", world.sent);
    assert_eq!(world.seller.weight(world.link), 0);
    assert!(ended(&world.seller.events, EndCode::Unpaid));
}

#[test]
fn coming_back_over_other_links_gives_no_second_window() {
    let mut world = World::new();
    world.meddle = |from_buyer, packet| match decode(packet) {
        Some(PayMessage::Voucher { .. }) if from_buyer => Fate::Lost,
        _ => Fate::Arrives,
    };
    for _ in 0..5 {
        world.run(60);
        world.close();
        world.open();
    }
    world.run(60);
    assert!(world.sent <= limit::CREDIT_BYTES_MIN, "{} sent", world.sent);
    let won = world.buyer.events.iter().filter(|e| matches!(e, Event::PriceChanged { .. }));
    assert_eq!(won.count(), 1, "who is in arrears wins no slot");
}

#[test]
fn a_buyer_that_pays_once_and_then_stops_costs_no_more_than_its_window() {
    let mut world = World::new();
    world.wanted = 64 << 20;
    for _ in 0..2000 {
        world.step();
    }
    let credit = world.seller.pay.view().selling[0].credit.unwrap_or_default().1;
    world.meddle = |from_buyer, packet| match decode(packet) {
        Some(PayMessage::Voucher { .. }) if from_buyer => Fate::Lost,
        _ => Fate::Arrives,
    };
    world.run(60);
    let lost = owed(world.sent, PRICE).0 - world.earned().0;
    assert!(credit.0 > 0 && lost <= credit.0, "{lost} lost, {credit:?} given");
}

#[test]
fn a_seller_that_takes_and_stalls_gets_no_more_than_a_unit_ahead() {
    for unit in [1 << 14, 1 << 20] {
        let mut world = World::new();
        (world.unit, world.wanted) = (unit, 64 << 20);
        world.close();
        world.open();
        for _ in 0..400 {
            world.step();
        }
        world.stalls = true;
        world.run(120);
        assert!(world.verified < world.wanted);
        assert!(world.promised() <= owed(world.verified + unit, PRICE), "unit {unit}");
    }
}

#[test]
fn a_seller_that_asks_for_more_than_was_sent_is_not_paid_more() {
    let mut world = World::new();
    for _ in 0..300 {
        world.step();
    }
    for _ in 0..50 {
        world.say(false, &PayMessage::Due { amount: Amount(u128::MAX), grace_ms: 0 });
        world.step();
        world.check();
    }
    world.run(60);
    assert_eq!(world.promised(), owed(world.verified, PRICE));
}

#[test]
fn a_seller_that_invents_bids_gets_no_more_than_the_buyers_own_maximum() {
    let mut world = World::new();
    world.meddle = |from_buyer, packet| {
        if let (false, Some(PayMessage::Award(award))) = (from_buyer, decode(packet)) {
            let price = Amount(award.price.0 + 1);
            *packet = Packet::Pay(PayMessage::Award(Award { price, ..award }).encode());
        }
        Fate::Arrives
    };
    world.run(60);
    assert_eq!(world.promised(), Amount(0));
    assert!(
        ended(&world.buyer.events, EndCode::Price) || ended(&world.seller.events, EndCode::Price)
    );
}

#[test]
fn a_price_is_never_raised_for_bytes_that_came() {
    let mut world = World::new();
    for _ in 0..300 {
        world.step();
    }
    let (offer, price, credit) = (0, PRICE, 1 << 18);
    world.say(false, &PayMessage::Award(Award { offer, price, from: 0, credit, until_s: 30 }));
    assert!(!world.buyer.pay.is_charged(world.link));
}

#[test]
fn counts_further_apart_than_a_window_end_payment() {
    let mut world = World::new();
    for _ in 0..300 {
        world.step();
    }
    assert!(world.buyer.pay.is_charged(world.link));
    world.say(false, &PayMessage::Receipt { amount: Amount(1), bytes: 1 << 30 });
    assert!(!world.buyer.pay.is_charged(world.link));
    world.run(30);
    assert!(ended(&world.buyer.events, EndCode::Mismatch));
}

#[test]
fn an_over_issuer_is_remembered_across_a_crash_and_sold_nothing() {
    let mut world = World::new();
    world.run(30);
    // It drained its deposit to itself before we claimed.
    world.ledger.balance = 1000;
    let earned = world.earned();
    assert_eq!(world.claim(), Amount(1000));
    let lost = Amount(earned.0 - 1000);
    assert!(world.seller.events.contains(&Event::Overissued { rail: RAIL, owner: OWNER, lost }));
    world.run(1);
    world.ledger.balance = 1 << 60;
    world.crash(false);
    let sent = world.sent;
    world.run(60);
    assert_eq!(world.sent, sent);
    let code = RefuseCode::NoFunds;
    assert!(world.buyer.events.contains(&Event::Refused { link: world.link, code }));
}

/// A world where the last voucher's signature is replaced.
fn forged(sig: Signature) -> World {
    let mut world = World::new();
    while world.seller.weight(world.link) == 0 {
        world.step();
    }
    world.meddle = |from_buyer, packet| match decode(packet) {
        Some(PayMessage::Voucher { .. }) if from_buyer => Fate::Lost,
        _ => Fate::Arrives,
    };
    world.say(true, &PayMessage::Voucher { amount: Amount(500), sig, bytes: 0 });
    for _ in 0..100 {
        world.step();
    }
    world
}

fn voucher(rail: Rail, salt: u8) -> Promise {
    Promise { rail, grant: grant(salt), payee: PAYEE, amount: Amount(500) }
}

#[test]
fn the_right_voucher_is_taken() {
    let world = forged(test_sign(KEY, &Signed::Voucher(voucher(RAIL, 1))));
    assert_eq!(world.earned(), Amount(500));
}

#[test]
fn vouchers_of_another_chain_vault_session_payee_or_key_are_not_taken() {
    let right = voucher(RAIL, 1);
    let wrong = [
        (KEY, voucher(Rail { chain: 4, ..RAIL }, 1)),
        (KEY, voucher(Rail { vault: PAYEE, ..RAIL }, 1)),
        (KEY, voucher(RAIL, 2)),
        (KEY, Promise { payee: OWNER, ..right }),
        (KEY, Promise { amount: Amount(501), ..right }),
        (OWNER, right),
    ];
    for (signer, promise) in wrong {
        let world = forged(test_sign(signer, &Signed::Voucher(promise)));
        assert_eq!(world.earned(), Amount(0), "{promise:?}");
        assert_eq!(world.seller.weight(world.link), 0);
    }
}

#[test]
fn a_malleated_signature_is_not_taken() {
    let Signature(mut sig) = test_sign(KEY, &Signed::Voucher(voucher(RAIL, 1)));
    sig[51] ^= 1;
    assert_eq!(forged(Signature(sig)).earned(), Amount(0));
}

#[test]
fn a_grant_that_its_owner_did_not_sign_buys_nothing() {
    let grant_sig = test_sign(KEY, &Signed::Grant { rail: RAIL, grant: grant(1) });
    let mut world = World::with(headwater_pay::Buying { grant_sig, ..buying() }, selling());
    world.run(120);
    assert_eq!(world.sent, 0);
    let code = RefuseCode::BadSignature;
    assert!(world.buyer.events.contains(&Event::Refused { link: world.link, code }));
    // Three of them are enough for as long as the link lives.
    assert!(ended(&world.seller.events, EndCode::Strikes));
}

#[test]
fn old_vouchers_that_come_again_change_nothing() {
    let mut world = World::new();
    world.run(60);
    let earned = world.earned();
    for amount in [1, 500, earned.0] {
        let promise = Promise { amount: Amount(amount), ..voucher(RAIL, 1) };
        let sig = test_sign(KEY, &Signed::Voucher(promise));
        world.say(true, &PayMessage::Voucher { amount: Amount(amount), sig, bytes: 0 });
        world.run(1);
    }
    assert_eq!(world.earned(), earned);
    assert!(!ended(&world.seller.events, EndCode::Strikes));
}

#[test]
fn three_malformed_messages_end_payment_and_never_more() {
    let mut world = World::new();
    for _ in 0..300 {
        world.step();
    }
    assert!(world.seller.weight(world.link) > 0);
    for count in 1..=3 {
        world.say_bytes(true, Bytes::from_static(b"d1:ti4ee"));
        for _ in 0..30 {
            world.step();
        }
        assert_eq!(world.seller.weight(world.link) == 0, count == 3);
    }
    assert!(ended(&world.seller.events, EndCode::Strikes));
    // A message of a kind nobody knows is no offence, and the link may go on for nothing.
    let before = world.seller.events.len();
    world.say_bytes(true, Bytes::from_static(b"d1:ti99ee"));
    world.seller.pay.handle(world.now, Input::BytesSent { link: world.link, bytes: 1 << 20 });
    world.run(30);
    assert_eq!(world.seller.events.len(), before);
}

#[test]
fn a_flood_ends_payment() {
    let mut world = World::new();
    world.run(1);
    for _ in 0..=limit::MESSAGES_PER_ROUND {
        world.say_bytes(true, Bytes::from_static(b"d1:ti99ee"));
    }
    world.run(1);
    assert!(ended(&world.seller.events, EndCode::Flood));
}

#[test]
fn bad_bytes_end_payment_over_the_link() {
    let mut world = World::new();
    for _ in 0..300 {
        world.step();
    }
    world.buyer.pay.handle(world.now, Input::BytesBad(world.link));
    let promised = world.promised();
    world.run(60);
    assert!(world.promised().0 - promised.0 <= owed(1 << 18, PRICE).0);
    assert!(world.verified < world.wanted);
}

#[test]
fn broken_records_are_refused_and_not_guessed() {
    assert!(Pay::restore(&headwater_base::Seed([0; 32]), [&[1_u8, 0, 7][..]]).is_err());
}

#[test]
fn bytes_that_are_never_found_good_are_paid_for_one_unit() {
    let mut world = World::new();
    (world.unit, world.verifies) = (1 << 16, false);
    world.close();
    world.open();
    world.run(120);
    assert_eq!(world.promised(), owed(1 << 16, PRICE));
    assert!(ended(&world.seller.events, EndCode::Unpaid));
}
