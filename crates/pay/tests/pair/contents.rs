//! Keys of contents: bought once, whatever happens on the way, and given to nobody else.

use headwater_base::{Address, Amount, Signature};
use headwater_pay::{Buying, Event, Input, Promise, Record, Selling, Signed, WhyNot, limit, owed};
use headwater_wire::extended::{Buy, ContentId, PayMessage, RefuseCode};

use crate::shell::{
    CONTENT, DATE, Fate, KEY, KEY_PRICE, OWNER, PAYEE, PRICE, Packet, RAIL, World, buying, grant,
    selling, test_seal, test_sign,
};

/// A seller of keys alone.
fn shop() -> Selling {
    Selling { paid_slots: 0, ..selling() }
}

/// A world in which only keys are sold.
fn world() -> World {
    World::with(buying(), shop())
}

fn not_bought(world: &World) -> Option<WhyNot> {
    world.buyer.events.iter().rev().find_map(|event| {
        let Event::NotBought { why, .. } = event else { return None };
        Some(*why)
    })
}

fn times(events: &[Event], is_it: fn(&Event) -> bool) -> usize {
    events.iter().filter(|event| is_it(event)).count()
}

fn came(world: &World) -> usize {
    times(&world.buyer.events, |event| matches!(event, Event::KeyCame { content: CONTENT }))
}

fn decode(packet: &Packet) -> Option<PayMessage> {
    match packet {
        Packet::Pay(payload) => PayMessage::decode(payload).expect("a message"),
        Packet::Block => None,
    }
}

/// A question for the key as the buyer's session would ask it.
fn question(price: Amount, amount: Amount) -> Buy {
    let (grant, rail) = (grant(1), RAIL);
    let voucher = Promise { rail, grant, payee: PAYEE, amount };
    Buy {
        content: CONTENT,
        price,
        rail,
        grant,
        grant_sig: test_sign(OWNER, &Signed::Grant { rail, grant }),
        amount,
        sig: test_sign(KEY, &Signed::Voucher(voucher)),
    }
}

/// What the seller answers to a question that the test asks.
fn answer(world: &mut World, buy: Buy) -> Option<PayMessage> {
    world.seller.out.clear();
    world.say(true, &PayMessage::Buy(Box::new(buy)));
    for _ in 0..40 {
        if let Some(packet) = world.seller.out.pop_front() {
            return decode(&packet);
        }
        world.step_seller();
    }
    None
}

/// What is said to a question that named this price.
fn denied(price: Amount, code: RefuseCode) -> Option<PayMessage> {
    Some(PayMessage::Deny { content: CONTENT, price, code })
}

#[test]
fn a_key_is_bought_for_its_price_by_who_sells_no_slots() {
    let mut world = world();
    world.want_key();
    world.run(5);
    assert_eq!(came(&world), 1);
    assert_eq!((world.promised(), world.earned()), (KEY_PRICE, KEY_PRICE));
    let paid = Event::ContentPaid { content: CONTENT, amount: KEY_PRICE };
    assert!(world.buyer.events.contains(&paid));
    let sold = Event::KeySold { rail: RAIL, owner: OWNER, content: CONTENT, amount: KEY_PRICE };
    assert!(world.seller.events.contains(&sold));
    assert_eq!(world.seller.pay.view().owed, Amount(0));
    assert_eq!(world.claim(), KEY_PRICE);
    assert_eq!(world.sent, 0, "no slot was sold");
}

#[test]
fn bytes_and_keys_of_one_payee_come_to_one_sum() {
    for at in (0..400).step_by(3) {
        let mut world = World::new();
        for _ in 0..at {
            world.step();
        }
        world.want_key();
        world.run(60);
        assert_eq!(came(&world), 1, "step {at}");
        assert!(world.verified >= 2 << 20, "step {at}: {} verified", world.verified);
        let expect = Amount(owed(world.verified, PRICE).0 + KEY_PRICE.0);
        assert_eq!((world.promised(), world.earned()), (expect, expect), "step {at}");
        assert_eq!(world.seller.pay.view().owed, Amount(0), "step {at}");
        assert_eq!(world.claim(), expect, "step {at}");
    }
}

/// Runs with a fault after so many steps, beside a sale of slots or without, and to the end.
fn faulty(slots: bool, at: usize, fault: fn(&mut World)) -> World {
    let mut world = if slots { World::new() } else { world() };
    world.wanted = 600 << 10;
    if slots {
        // The sale of slots is under way, so that its vouchers and those of the key meet.
        while world.seller.weight(world.link) == 0 {
            world.step();
        }
    }
    world.want_key();
    for _ in 0..at {
        world.step();
        world.check();
    }
    fault(&mut world);
    world.want_key();
    world.run(90);
    world
}

fn agree(world: &mut World, slots: bool, at: usize) {
    assert!(world.buyer.keys.contains(&CONTENT), "slots {slots}, step {at}: no key");
    assert_eq!(world.promised(), world.earned(), "slots {slots}, step {at}");
    // Bytes that the buyer verified before its own crash may stay unpaid, within a window.
    let bytes = world.promised().0.checked_sub(KEY_PRICE.0).expect("the price is promised");
    let lost = owed(world.verified, PRICE).0.checked_sub(bytes);
    let most = owed(limit::CREDIT_BYTES_MIN, PRICE).0;
    assert!(lost.is_some_and(|lost| lost <= most), "slots {slots}, step {at}: {lost:?}");
    if !slots {
        assert_eq!(world.promised(), KEY_PRICE, "step {at}");
    }
    assert_eq!(world.claim(), world.earned(), "slots {slots}, step {at}");
}

#[test]
fn either_side_may_crash_or_the_link_close_at_every_step_and_the_key_comes_for_one_price() {
    let faults: [fn(&mut World); 4] = [
        |world| world.crash(true),
        |world| world.crash(false),
        |world| {
            world.close();
            world.open();
            world.wanted += 1 << 20;
        },
        |world| {
            world.crash(false);
            world.run(1);
            world.crash(true);
        },
    ];
    for slots in [false, true] {
        for (which, fault) in faults.into_iter().enumerate() {
            for at in 0..if slots { 300 } else { 60 } {
                let mut world = faulty(slots, at, fault);
                agree(&mut world, slots, at);
                if slots && (which == 1 || which == 2) {
                    let expect = owed(world.verified, PRICE).0 + KEY_PRICE.0;
                    assert_eq!(world.promised().0, expect, "fault {which}, step {at}");
                }
            }
        }
    }
}

#[test]
fn what_was_bought_once_is_given_again_in_a_later_session_for_nothing() {
    let mut world = world();
    world.want_key();
    world.run(5);
    // Another page of the same owner, which knows nothing of the first.
    world.close();
    world.crash(false);
    let grant = grant(2);
    let grant_sig = test_sign(OWNER, &Signed::Grant { rail: RAIL, grant });
    world.buying = Buying { grant, grant_sig, ..buying() };
    world.buyer.disk = headwater_base::Map::default();
    world.buyer.keys = headwater_base::Set::default();
    world.crash(true);
    world.want_key();
    world.run(30);
    assert_eq!(came(&world), 2);
    assert_eq!((world.promised(), world.earned()), (Amount(0), KEY_PRICE));
    let again = Event::KeySold { rail: RAIL, owner: OWNER, content: CONTENT, amount: Amount(0) };
    assert!(world.seller.events.contains(&again));
}

#[test]
fn a_key_that_was_lost_on_its_way_is_asked_for_again_and_paid_once() {
    let mut world = world();
    world.meddle = |from_buyer, packet| match decode(packet) {
        Some(PayMessage::Key { .. }) if !from_buyer => Fate::Lost,
        _ => Fate::Arrives,
    };
    world.want_key();
    world.run(40);
    assert_eq!((came(&world), world.earned()), (0, KEY_PRICE));
    world.meddle = |_, _| Fate::Arrives;
    world.run(30);
    assert_eq!((came(&world), world.promised(), world.earned()), (1, KEY_PRICE, KEY_PRICE));
}

#[test]
fn a_seller_that_takes_and_stays_silent_gets_one_price_and_that_is_told() {
    let mut world = world();
    world.meddle = |from_buyer, packet| match decode(packet) {
        Some(PayMessage::Key { .. }) if !from_buyer => Fate::Lost,
        _ => Fate::Arrives,
    };
    for _ in 0..3 {
        world.want_key();
        world.run(200);
        assert_eq!(not_bought(&world), Some(WhyNot::Silent));
    }
    assert_eq!((came(&world), world.promised()), (0, KEY_PRICE));
}

#[test]
fn a_seller_that_denies_what_was_paid_gets_one_price() {
    let mut world = world();
    world.meddle = |from_buyer, packet| {
        if !from_buyer && matches!(decode(packet), Some(PayMessage::Key { .. })) {
            let (content, price, code) = (CONTENT, KEY_PRICE, RefuseCode::Price);
            *packet = Packet::Pay(PayMessage::Deny { content, price, code }.encode());
        }
        Fate::Arrives
    };
    for _ in 0..5 {
        world.want_key();
        world.run(30);
        assert_eq!(not_bought(&world), Some(WhyNot::Denied(RefuseCode::Price)));
    }
    assert_eq!((came(&world), world.promised()), (0, KEY_PRICE));
}

#[test]
fn rubbish_for_a_key_is_told_as_such_and_not_asked_for_again() {
    let mut world = world();
    world.meddle = |from_buyer, packet| {
        if !from_buyer && matches!(decode(packet), Some(PayMessage::Key { .. })) {
            let sealed = test_seal(OWNER, CONTENT);
            *packet = Packet::Pay(PayMessage::Key { content: CONTENT, sealed }.encode());
        }
        Fate::Arrives
    };
    world.want_key();
    world.run(30);
    assert_eq!(not_bought(&world), Some(WhyNot::WrongKey));
    world.meddle = |_, _| panic!("it is asked again");
    world.buyer.out.clear();
    world.want_key();
    world.run(100);
    assert_eq!((came(&world), world.promised()), (0, KEY_PRICE));
}

#[test]
fn keys_that_nobody_asked_for_are_not_opened() {
    let mut world = world();
    world.run(1);
    let sealed = test_seal(KEY, CONTENT);
    world.say(false, &PayMessage::Key { content: CONTENT, sealed });
    let (price, code) = (Amount(0), RefuseCode::Price);
    world.say(false, &PayMessage::Deny { content: CONTENT, price, code });
    world.run(30);
    assert_eq!((came(&world), world.promised()), (0, Amount(0)));
}

#[test]
fn the_denial_of_an_earlier_question_says_nothing_of_a_later_one() {
    let mut world = world();
    world.want_key();
    while !matches!(world.buyer.events[..], [Event::ContentPaid { .. }]) {
        world.step();
    }
    for _ in 0..30 {
        let (price, code) = (Amount(0), RefuseCode::Price);
        world.say(false, &PayMessage::Deny { content: CONTENT, price, code });
        world.step();
    }
    world.run(5);
    assert_eq!((came(&world), not_bought(&world)), (1, None));
}

#[test]
fn a_repeated_purchase_is_sealed_for_whoever_signed_it() {
    let mut world = world();
    world.want_key();
    world.run(5);
    let buy = question(KEY_PRICE, KEY_PRICE);
    // It comes over a link of somebody else, who heard it on its way.
    let sealed = test_seal(KEY, CONTENT);
    assert_eq!(answer(&mut world, buy), Some(PayMessage::Key { content: CONTENT, sealed }));
    assert_eq!(world.earned(), KEY_PRICE);
}

#[test]
fn a_voucher_that_adds_less_than_the_price_buys_nothing() {
    let mut world = world();
    let short = Amount(KEY_PRICE.0 - 1);
    for (price, amount) in
        [(KEY_PRICE, short), (short, KEY_PRICE), (short, short), (KEY_PRICE, Amount(0))]
    {
        assert_eq!(answer(&mut world, question(price, amount)), denied(price, RefuseCode::Price));
        world.run(20);
    }
    assert_eq!(world.earned(), Amount(0));
    // Nor does one that was taken for something else.
    let all = question(KEY_PRICE, KEY_PRICE);
    assert!(matches!(answer(&mut world, all), Some(PayMessage::Key { .. })));
}

#[test]
fn what_was_paid_for_one_content_buys_no_other() {
    let other = ContentId([7; 32]);
    let contents = vec![(CONTENT, KEY_PRICE), (other, Amount(5))];
    let mut world = World::with(buying(), Selling { contents, ..shop() });
    let paid = question(KEY_PRICE, KEY_PRICE);
    assert!(matches!(answer(&mut world, paid), Some(PayMessage::Key { .. })));
    let next = Buy { content: other, price: Amount(5), ..question(Amount(5), KEY_PRICE) };
    let (price, code) = (Amount(5), RefuseCode::Price);
    assert_eq!(answer(&mut world, next), Some(PayMessage::Deny { content: other, price, code }));
    let all = Amount(KEY_PRICE.0 + 5);
    let next = Buy { content: other, ..question(Amount(5), all) };
    let sealed = test_seal(KEY, other);
    assert_eq!(answer(&mut world, next), Some(PayMessage::Key { content: other, sealed }));
    assert_eq!(world.earned(), all);
}

#[test]
fn a_content_that_is_not_sold_is_denied() {
    let mut world = world();
    let content = ContentId([7; 32]);
    let buy = Buy { content, ..question(KEY_PRICE, KEY_PRICE) };
    let (price, code) = (KEY_PRICE, RefuseCode::Content);
    assert_eq!(answer(&mut world, buy), Some(PayMessage::Deny { content, price, code }));
    let rail = headwater_wire::extended::Rail { chain: 77, ..RAIL };
    let buy = Buy { rail, ..question(KEY_PRICE, KEY_PRICE) };
    assert_eq!(answer(&mut world, buy), denied(KEY_PRICE, RefuseCode::Rail));
    assert_eq!(world.earned(), Amount(0));
}

#[test]
fn who_does_not_hold_the_owners_session_gets_nothing_of_what_the_owner_bought() {
    let mut world = world();
    world.want_key();
    world.run(20);
    let right = question(Amount(0), Amount(0));
    let thief = Address([0x77; 20]);
    let voucher = |payee| {
        Signed::Voucher(Promise { rail: RAIL, grant: right.grant, payee, amount: Amount(0) })
    };
    let theirs = headwater_wire::extended::Grant { key: thief, salt: [9; 32], ..right.grant };
    for bad in [
        // The grant was seen, its session key is another's.
        Buy { sig: test_sign(thief, &voucher(PAYEE)), ..right },
        // A voucher of the session, but for somebody else.
        Buy { sig: test_sign(KEY, &voucher(OWNER)), ..right },
        // A grant that the owner never signed.
        Buy {
            grant: theirs,
            sig: test_sign(
                thief,
                &Signed::Voucher(Promise {
                    rail: RAIL,
                    grant: theirs,
                    payee: PAYEE,
                    amount: Amount(0),
                }),
            ),
            grant_sig: test_sign(thief, &Signed::Grant { rail: RAIL, grant: theirs }),
            ..right
        },
    ] {
        assert_eq!(answer(&mut world, bad), denied(Amount(0), RefuseCode::BadSignature));
        world.close();
        world.run(20);
        world.open();
    }
    let sealed = test_seal(KEY, CONTENT);
    assert_eq!(answer(&mut world, right), Some(PayMessage::Key { content: CONTENT, sealed }));
}

#[test]
fn a_changed_signature_buys_nothing() {
    let mut world = world();
    let right = question(KEY_PRICE, KEY_PRICE);
    let Signature(mut sig) = right.sig;
    sig[51] ^= 1;
    let changed = Buy { sig: Signature(sig), ..right };
    assert_eq!(answer(&mut world, changed), denied(KEY_PRICE, RefuseCode::BadSignature));
    assert_eq!(world.earned(), Amount(0));
}

#[test]
fn an_over_issuer_is_sold_no_key() {
    let mut world = World::new();
    world.run(30);
    world.ledger.balance = 1000;
    world.claim();
    world.ledger.balance = 1 << 60;
    world.want_key();
    world.run(30);
    assert_eq!(not_bought(&world), Some(WhyNot::Denied(RefuseCode::NoFunds)));
    assert_eq!(came(&world), 0);
}

#[test]
fn a_deposit_that_does_not_cover_what_is_open_and_the_price_buys_nothing() {
    let mut world = world();
    world.ledger.balance = KEY_PRICE.0 - 1;
    let buy = question(KEY_PRICE, KEY_PRICE);
    assert_eq!(answer(&mut world, buy), denied(KEY_PRICE, RefuseCode::NoFunds));
    assert_eq!(world.earned(), Amount(0));
    assert!(world.seller.disk.is_empty(), "nothing is stored of it");
    world.ledger.balance = KEY_PRICE.0;
    world.run(20);
    assert!(matches!(answer(&mut world, buy), Some(PayMessage::Key { .. })));
}

#[test]
fn a_denial_for_want_of_funds_is_mended_by_a_deposit_and_one_price() {
    let mut world = world();
    world.ledger.balance = 1;
    world.want_key();
    world.run(20);
    assert_eq!(not_bought(&world), Some(WhyNot::Denied(RefuseCode::NoFunds)));
    world.ledger.balance = 1 << 60;
    world.want_key();
    world.run(20);
    assert_eq!((came(&world), world.promised(), world.earned()), (1, KEY_PRICE, KEY_PRICE));
}

#[test]
fn what_one_payer_may_leave_unsettled_bounds_keys_too() {
    let other = ContentId([7; 32]);
    let selling = Selling {
        contents: vec![(CONTENT, KEY_PRICE), (other, KEY_PRICE)],
        max_unsecured: Amount(KEY_PRICE.0 + 1),
        ..shop()
    };
    let mut world = World::with(buying(), selling);
    let first = question(KEY_PRICE, KEY_PRICE);
    assert!(matches!(answer(&mut world, first), Some(PayMessage::Key { .. })));
    // Half of what may be open is, so that it is claimed at once, and there is room again.
    world.run(20);
    assert_eq!(world.ledger.claimed.values().sum::<u128>(), KEY_PRICE.0);
    let both = Amount(KEY_PRICE.0 * 2);
    let second = Buy { content: other, ..question(KEY_PRICE, both) };
    assert!(matches!(answer(&mut world, second), Some(PayMessage::Key { .. })));
    let mut world = World::with(buying(), Selling { max_unsecured: Amount(1), ..shop() });
    assert_eq!(answer(&mut world, first), denied(KEY_PRICE, RefuseCode::Busy));
    assert_eq!(world.earned(), Amount(0));
}

#[test]
fn caps_hold_for_keys() {
    let session_cap = Amount(KEY_PRICE.0 - 1);
    for (buying, why) in [
        (Buying { session_cap, ..buying() }, WhyNot::Cap),
        (
            Buying { rail: headwater_wire::extended::Rail { chain: 4, ..RAIL }, ..buying() },
            WhyNot::Rail,
        ),
    ] {
        let mut world = World::with(buying, shop());
        world.want_key();
        world.run(30);
        assert_eq!(not_bought(&world), Some(why));
        assert_eq!(world.promised(), Amount(0));
    }
}

#[test]
fn with_payment_off_no_key_is_bought_and_the_kill_switch_signs_nothing_more() {
    for at in 0..60 {
        let mut world = world();
        world.want_key();
        for _ in 0..at {
            world.step();
        }
        world.buyer.pay.handle(world.now, Input::BuyingOff);
        world.buyer.signs = false;
        world.run(100);
        world.want_key();
        world.run(1);
        if !world.buyer.keys.contains(&CONTENT) {
            assert_eq!(not_bought(&world), Some(WhyNot::Off), "step {at}");
        }
    }
}

#[test]
fn nobody_who_sells_it_is_waited_for_and_then_that_is_told() {
    let mut world = world();
    world.close();
    world.want_key();
    world.run(30);
    assert_eq!(not_bought(&world), None);
    world.open();
    world.run(5);
    assert_eq!(came(&world), 1);
    let mut world = world_without_seller();
    world.want_key();
    world.run(200);
    assert_eq!(not_bought(&world), Some(WhyNot::Silent));
    assert_eq!(world.promised(), Amount(0));
}

fn world_without_seller() -> World {
    World::with(buying(), Selling { payee: OWNER, ..shop() })
}

#[test]
fn a_seller_that_begins_to_sell_later_is_found() {
    let mut world = world();
    world.seller.pay.handle(world.now, Input::SellingOff);
    world.close();
    world.open();
    world.want_key();
    world.run(20);
    assert_eq!(came(&world), 0);
    world.switch_on(false);
    world.tell_terms();
    world.run(20);
    assert_eq!(came(&world), 1);
}

#[test]
fn one_link_cannot_have_signatures_and_the_chain_looked_at_without_end() {
    let mut world = world();
    let mut given = 0;
    for amount in 0..100 {
        let buy = question(Amount(0), Amount(amount));
        let busy = answer(&mut world, buy) == denied(Amount(0), RefuseCode::Busy);
        given += u32::from(!busy);
    }
    assert_eq!(given, limit::GRANTS_PER_ROUND);
}

#[test]
fn a_voucher_above_the_cap_breaks_the_rules() {
    let mut world = world();
    let (grant, amount) = (grant(1), Amount((1 << 60) + 1));
    for salt in 0..3 {
        let grant = headwater_wire::extended::Grant { salt: [salt; 32], ..grant };
        let buy = Buy { grant, ..question(KEY_PRICE, amount) };
        assert_eq!(answer(&mut world, buy), if salt < 2 { None } else { ended() });
    }
}

fn ended() -> Option<PayMessage> {
    Some(PayMessage::End { code: headwater_wire::extended::EndCode::Strikes })
}

#[test]
fn records_of_purchases_go_once_nobody_can_claim_them_and_those_of_sales_stay() {
    let mut world = world();
    world.want_key();
    world.run(20);
    let date =
        Input::Clock(headwater_base::UnixTime(DATE.0 + 3600 + limit::CLAIM_WINDOW_SECONDS + 1));
    world.buyer.pay.handle(world.now, date.clone());
    world.seller.pay.handle(world.now, date);
    world.run(1);
    assert!(world.buyer.disk.is_empty(), "the buyer keeps {}", world.buyer.disk.len());
    let kept: Vec<_> = world.seller.disk.values().map(|bytes| Record::decode(bytes)).collect();
    assert!(matches!(kept[..], [Ok(Record::Sold { .. })]), "{kept:?}");
}
