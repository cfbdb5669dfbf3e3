//! A seller with many bidders, who are spoken for by the test itself.

use headwater_base::{Address, Amount, JobId, LinkId, Map, Seed, Time};
use headwater_pay::{AccountView, Action, Answer, Input, Pay, Signed, Step, limit};
use headwater_wire::extended::{Award, Bid, Grant, PayMessage, PayTerms};

use crate::shell::{DATE, OWNER, PRICE, RAIL, grant, selling, test_sign, test_signer};

struct Booth {
    pay: Pay,
    now: Time,
    offers: Map<LinkId, u64>,
    awards: Map<LinkId, Award>,
    weights: Map<LinkId, u32>,
    /// Questions to the vault.
    asked: u32,
}

impl Booth {
    fn new(slots: usize, paid_slots: usize) -> Self {
        let mut pay = Pay::new(&Seed([1; 32]));
        let selling = headwater_pay::Selling { slots, paid_slots, ..selling() };
        pay.handle(Time::ZERO, Input::Clock(DATE));
        pay.handle(Time::ZERO, Input::SellingOn(Box::new(selling)));
        let (offers, awards, weights) = Default::default();
        Self { pay, now: Time::ZERO, offers, awards, weights, asked: 0 }
    }

    /// A peer comes that is interested, and bids unless it does not.
    fn come(&mut self, at: u64, price: Option<u128>) {
        let link = LinkId(at);
        let terms = PayTerms { rails: vec![RAIL], ..PayTerms::default() }.encode();
        self.handle(Input::LinkOpened { link, terms });
        self.handle(Input::Interest { link, interested: true });
        if let Some(price) = price {
            self.bid(at, price, at);
        }
    }

    fn bid(&mut self, at: u64, price: u128, owner: u64) {
        let link = LinkId(at);
        let owner = Address([u8::try_from(owner).unwrap_or_default() + 100; 20]);
        let grant = Grant { owner, ..grant(1) };
        let bid = Bid {
            offer: self.offers.get(&link).copied().unwrap_or(u64::MAX),
            price: Amount(price * PRICE.0),
            budget: Amount(1 << 60),
            grant,
            sig: test_sign(owner, &Signed::Grant { rail: RAIL, grant }),
        };
        let payload = PayMessage::Bid(Box::new(bid)).encode();
        self.handle(Input::Message { link, payload });
    }

    fn handle(&mut self, input: Input) {
        self.pay.handle(self.now, input);
        loop {
            let (job, answer) = match self.pay.next(self.now) {
                Step::Do(Action::Send { link, payload }) => {
                    self.heard(link, PayMessage::decode(&payload).expect("a message"));
                    continue;
                }
                Step::Do(Action::Weight { link, weight }) => {
                    self.weights.insert(link, weight);
                    continue;
                }
                Step::Do(Action::Verify { job, of, sig }) => {
                    (job, Answer::Verified(test_signer(&of, sig)))
                }
                Step::Do(Action::ViewAccount { job, .. }) => {
                    self.asked += 1;
                    let balance = Amount(1 << 60);
                    (job, Answer::AccountSeen(AccountView { balance, ..AccountView::default() }))
                }
                Step::Do(_) | Step::Tell(_) => continue,
                Step::Sleep(_) => return,
            };
            self.pay.handle(self.now, Input::Answered { job, answer });
        }
    }

    fn heard(&mut self, link: LinkId, message: Option<PayMessage>) {
        match message {
            Some(PayMessage::Offer(offer)) => drop(self.offers.insert(link, offer.id)),
            Some(PayMessage::Award(award)) => drop(self.awards.insert(link, award)),
            _ => {}
        }
    }

    fn round(&mut self) {
        self.now += core::time::Duration::from_secs(10);
        self.handle(Input::Clock(DATE));
    }

    fn paid(&self) -> Vec<(u64, u32)> {
        let holds = self.weights.iter().filter(|(_, weight)| **weight > 0);
        holds.map(|(link, weight)| (link.0, *weight)).collect()
    }

    fn price(&self, at: u64) -> u128 {
        self.awards.get(&LinkId(at)).map_or(0, |award| award.price.0 / PRICE.0)
    }
}

#[test]
fn upload_is_shared_in_proportion_to_bids() {
    let mut booth = Booth::new(4, 2);
    booth.come(1, Some(1));
    booth.come(2, Some(3));
    booth.round();
    assert_eq!(booth.paid(), [(1, 250_000), (2, 750_000)]);
}

#[test]
fn the_lowest_bid_loses_and_sets_the_price_of_the_others() {
    let mut booth = Booth::new(4, 2);
    for (at, price) in [(1, 5), (2, 3), (3, 9)] {
        booth.come(at, Some(price));
    }
    booth.round();
    assert_eq!(booth.paid().iter().map(|(at, _)| *at).collect::<Vec<_>>(), [1, 3]);
    assert_eq!((booth.price(1), booth.price(3)), (3, 3));
    // Who raises its bid gets its slot back.
    booth.bid(2, 7, 2);
    booth.round();
    assert_eq!(booth.paid().iter().map(|(at, _)| *at).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(booth.price(3), 5);
}

#[test]
fn nobody_gets_a_slot_without_a_bid_and_unsold_slots_are_nobodys() {
    let mut booth = Booth::new(8, 4);
    booth.come(1, None);
    booth.come(2, Some(1));
    booth.round();
    assert_eq!(booth.paid(), [(2, 1_000_000)]);
}

#[test]
fn reciprocating_peers_keep_their_slots_against_any_bid() {
    let mut booth = Booth::new(4, 2);
    for at in 1..=3 {
        booth.come(at, None);
        booth.handle(Input::Reciprocates { link: LinkId(at), enough: true });
    }
    booth.come(4, Some(1000));
    booth.round();
    assert_eq!(booth.paid(), []);
    booth.handle(Input::Reciprocates { link: LinkId(1), enough: false });
    booth.round();
    assert_eq!(booth.paid(), [(4, 1_000_000)]);
}

#[test]
fn one_payer_buys_over_one_link_at_a_time() {
    let mut booth = Booth::new(8, 4);
    booth.come(1, Some(2));
    booth.come(2, None);
    booth.bid(2, 9, 1);
    booth.round();
    assert_eq!(booth.paid(), [(1, 1_000_000)]);
    booth.handle(Input::LinkClosed(LinkId(1)));
    booth.bid(2, 9, 1);
    booth.round();
    assert!(booth.paid().contains(&(2, 1_000_000)));
}

#[test]
fn a_bid_below_the_reserve_price_is_refused() {
    let mut booth = Booth::new(4, 2);
    booth.come(1, Some(0));
    booth.round();
    assert_eq!(booth.paid(), []);
}

/// Jobs of signature checks and of questions to the vault that `pay` opens until it sleeps.
fn jobs(pay: &mut Pay) -> (Vec<JobId>, Vec<JobId>) {
    let (mut checks, mut views) = (Vec::new(), Vec::new());
    loop {
        match pay.next(Time::ZERO) {
            Step::Do(Action::Verify { job, .. }) => checks.push(job),
            Step::Do(Action::ViewAccount { job, .. }) => views.push(job),
            Step::Do(_) | Step::Tell(_) => {}
            Step::Sleep(_) => return (checks, views),
        }
    }
}

#[test]
fn the_answer_to_an_earlier_bid_says_nothing_of_a_later_one() {
    let mut booth = Booth::new(4, 2);
    booth.come(1, None);
    let Booth { mut pay, offers, .. } = booth;
    let link = LinkId(1);
    let offer = offers.get(&link).copied().unwrap_or_default();
    let mut bid = |grant: Grant, sig| {
        let (price, budget) = (PRICE, Amount(1 << 60));
        let payload = PayMessage::Bid(Box::new(Bid { offer, price, budget, grant, sig })).encode();
        pay.handle(Time::ZERO, Input::Message { link, payload });
        jobs(&mut pay)
    };
    let sig = test_sign(OWNER, &Signed::Grant { rail: RAIL, grant: grant(1) });
    let (first, _) = bid(grant(1), sig);
    // The same owner, but a cap it never signed, slipped in while the first is looked at.
    let forged = Grant { cap: Amount(u128::MAX), ..grant(1) };
    let (second, _) = bid(forged, sig);
    assert_eq!((first.len(), second.len()), (1, 1));
    let answer = Answer::Verified(Some(OWNER));
    pay.handle(Time::ZERO, Input::Answered { job: first[0], answer });
    assert_eq!(jobs(&mut pay).1, []);
    pay.handle(Time::ZERO, Input::Answered { job: second[0], answer });
    assert_eq!(jobs(&mut pay).1.len(), 1);
}

#[test]
fn one_link_cannot_have_the_chain_asked_without_end() {
    let mut booth = Booth::new(4, 2);
    booth.come(1, None);
    for owner in 0..100 {
        booth.bid(1, 2, owner);
    }
    assert_eq!(booth.asked, limit::GRANTS_PER_ROUND);
}
