//! One peer sells its upload, another buys it, and a ledger settles: the accounts agree to the
//! base unit, also when each side was killed once.

use std::fs;

use headwater_base::Amount;
use headwater_client::Event as ClientEvent;
use headwater_hybrid::shell::{News, PayNews};
use headwater_pay::{Buying, Event, Input, Record};

use crate::market::{BYTE, Folder, Ledger, Side, film};

const LIMIT: u64 = 640 << 10;

pub(crate) fn is_done(news: &News) -> bool {
    matches!(news, News::Client(ClientEvent::TorrentDone(_)))
}

fn is_claimed(news: &News) -> bool {
    matches!(news, News::Pay(PayNews::Told(Event::Claimed { .. })))
}

/// What the records of a buyer promise, and those of a seller hold.
fn promised(records: &[Record]) -> u128 {
    let of = |record: &Record| match record {
        Record::Promised(promise) => promise.amount.0,
        Record::Credit { .. }
        | Record::Overissuer { .. }
        | Record::Purchase { .. }
        | Record::Sold { .. } => 0,
    };
    records.iter().map(of).sum()
}

fn earned(records: &[Record]) -> (u128, u128) {
    let of = |record: &Record| match record {
        Record::Credit { voucher, claimed, .. } => (voucher.amount.0, claimed.0),
        Record::Promised(_)
        | Record::Overissuer { .. }
        | Record::Purchase { .. }
        | Record::Sold { .. } => (0, 0),
    };
    records.iter().map(of).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
}

/// Has the buyer pay all that it has verified, the seller hear of it and claim it; answers what the
/// ledger paid.
fn settle(ledger: &Ledger, session: &Buying, seller: &mut Side, buyer: &mut Side) -> u128 {
    buyer.settle();
    while seller.view().earned < buyer.view().promised {
        seller.until_paid(1);
    }
    assert_eq!(ledger.claimed(&session.grant), Amount(0), "nothing is claimed by itself");
    seller.claim();
    seller.until("the claim", is_claimed);
    ledger.claimed(&session.grant).0
}

#[test]
fn bytes_times_price_are_promises_vouchers_and_what_the_ledger_paid() {
    let (folder, ledger) = (Folder::new("trade"), Ledger::start());
    let film = film(&folder.0.join("seller"), 6 << 20);
    let mut seller = Side::start(&ledger, &folder.0.join("seller"), film.clone(), Some(LIMIT));
    let mut buyer = Side::start(&ledger, &folder.0.join("buyer"), film.clone(), None);
    seller.tell(Input::SellingOn(Box::new(ledger.selling())));
    let session = ledger.buying();
    buyer.buy(&session);
    buyer.meet(seller.address);
    buyer.until("the film", is_done);
    let claimed = settle(&ledger, &session, &mut seller, &mut buyer);
    let (bytes, units) = buyer.bought;
    assert!(bytes > 1 << 20 && bytes <= 6 << 20, "{bytes} bytes bought");
    assert_eq!(u128::from(bytes) * BYTE, units);
    assert_eq!(claimed, units);
    let view = seller.view();
    assert_eq!((view.earned, view.claimed), (Amount(units), Amount(units)));
    assert_eq!(promised(&buyer.stop()), units);
    assert_eq!(earned(&seller.stop()), (units, units));
    let files = ["seller", "buyer"].map(|side| fs::read(folder.0.join(side).join("film.bin")));
    assert!(files[0].as_ref().ok() == files[1].as_ref().ok() && files[0].is_ok());
}

#[test]
fn accounts_agree_after_each_side_was_killed_once() {
    let (folder, ledger) = (Folder::new("killed"), Ledger::start());
    let film = film(&folder.0.join("seller"), 16 << 20);
    let (home, away) = (folder.0.join("seller"), folder.0.join("buyer"));
    let selling = || Input::SellingOn(Box::new(ledger.selling()));
    let mut seller = Side::start(&ledger, &home, film.clone(), Some(LIMIT));
    let buyer = Side::start(&ledger, &away, film.clone(), None);
    seller.tell(selling());
    let session = ledger.buying();
    buyer.buy(&session);
    buyer.meet(seller.address);
    seller.until_paid(3);
    let before = earned(&seller.kill());
    assert!(before.0 > 0 && before.1 == 0, "{before:?}");
    let mut seller = Side::start(&ledger, &home, film.clone(), Some(LIMIT));
    assert_eq!(seller.view().earned, Amount(before.0), "what was taken is kept");
    seller.tell(selling());
    buyer.meet(seller.address);
    seller.until_paid(3);
    let kept = promised(&buyer.kill());
    let mut buyer = Side::start(&ledger, &away, film.clone(), None);
    assert!(kept > before.0, "{kept} promised, {before:?} taken before");
    assert_eq!(buyer.view().promised, Amount(kept), "what was promised is kept");
    buyer.buy(&session);
    buyer.meet(seller.address);
    buyer.until("the film", is_done);
    let claimed = settle(&ledger, &session, &mut seller, &mut buyer);
    let units = promised(&buyer.stop());
    assert_eq!(earned(&seller.stop()), (units, units));
    assert_eq!((claimed, units % BYTE), (units, 0));
    assert!(units > before.0 && units <= (16 << 20) * BYTE);
}
