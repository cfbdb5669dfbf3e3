//! The selling side: offers slots, sells them round by round, gives credit within bounds, sells
//! keys of contents, takes vouchers and claims them when it is worth it. Nobody is worse off for
//! not paying.

mod bid;
mod claim;
mod credit;
mod key;
mod payer;
mod sale;

use headwater_base::{Address, Amount, LinkId, Map, Set};
use headwater_wire::extended::{EndCode, Offer, PayMessage, PayTerms, Rail, RefuseCode};

use crate::desk::{Desk, Verdict};
use crate::price::Tariff;
use crate::timer::Timer;
use crate::{Action, Event, GrantId, Selling, Why, limit};

use bid::Bidding;
use credit::Credit;
pub(crate) use key::Sold;
use key::{Asking, SoldId};
use payer::{Payer, PayerId};

/// What a seller knows of one link.
#[derive(Debug)]
pub(crate) struct Counter {
    terms: PayTerms,
    /// The id of the offer that may be bid on, and its rail.
    offer: Option<(u64, Rail)>,
    interested: bool,
    reciprocates: bool,
    bid: Option<Bidding>,
    /// The session of the last bid: its vouchers are taken though the bid is gone.
    session: Option<GrantId>,
    award: Option<Holding>,
    tariff: Tariff,
    /// Bytes sent while an award stood.
    sent: u64,
    /// Bytes sent in this round.
    sent_lately: u64,
    /// Grants that were looked at in this round.
    grants_lately: u32,
    /// The last allowance that was told.
    allowance: u64,
    /// The last weight that was told.
    weight: u32,
    /// The payer was asked for money.
    due: bool,
}

/// An award that stands.
#[derive(Clone, Copy, Debug)]
struct Holding {
    since: headwater_base::Time,
    /// The credit that was told.
    credit: u64,
    /// It was kept last round only for what was paid ahead.
    kept: bool,
}

/// Everything sold, to whom, and what is still to be claimed.
#[derive(Debug, Default)]
pub(crate) struct Seller {
    on: Option<Selling>,
    counters: Map<LinkId, Counter>,
    payers: Map<PayerId, Payer>,
    credits: Map<GrantId, Credit>,
    overissuers: Set<PayerId>,
    /// Who asks for a key, by link.
    asking: Map<LinkId, Asking>,
    /// Keys that were sold.
    sold: Map<SoldId, Sold>,
    offers_made: u64,
    /// Costs and worth of claims, known also after selling was switched off.
    claim_terms: Option<(Amount, u32)>,
}

impl Seller {
    pub(crate) fn switch_on(&mut self, desk: &mut Desk, selling: Selling) {
        self.switch_off(desk);
        self.claim_terms = Some((selling.claim_fee, selling.claim_factor));
        self.on = Some(selling);
        desk.after(Timer::Sale, limit::ROUND);
        for link in self.links() {
            self.offer(desk, link);
        }
        self.review_claims(desk);
    }

    pub(crate) fn switch_off(&mut self, desk: &mut Desk) {
        if self.on.take().is_none() {
            return;
        }
        desk.timers.clear(Timer::Sale);
        for link in self.links() {
            self.leave_asker(link);
            self.end(desk, link, EndCode::Off);
            if let Some(counter) = self.counters.get_mut(&link) {
                counter.offer = None;
            }
        }
        self.review_claims(desk);
    }

    pub(crate) fn is_on(&self) -> Option<&Selling> {
        self.on.as_ref()
    }

    pub(crate) fn opened(&mut self, desk: &mut Desk, link: LinkId, terms: PayTerms) {
        self.counters.insert(link, Counter::new(terms));
        self.offer(desk, link);
    }

    pub(crate) fn closed(&mut self, desk: &mut Desk, link: LinkId) {
        self.release(link);
        self.leave_asker(link);
        let Some(counter) = self.counters.remove(&link) else { return };
        if counter.award.is_some() {
            desk.tell(Event::PaymentEnded { link, why: Why::Closed });
            self.sell_soon(desk);
        }
    }

    pub(crate) fn interest(&mut self, desk: &mut Desk, link: LinkId, interested: bool) {
        let Some(counter) = self.counters.get_mut(&link) else { return };
        counter.interested = interested;
        if counter.bid.is_some() {
            self.sell_soon(desk);
        }
    }

    pub(crate) fn reciprocates(&mut self, link: LinkId, enough: bool) {
        if let Some(counter) = self.counters.get_mut(&link) {
            counter.reciprocates = enough;
        }
    }

    /// A link's counts of a round begin anew.
    pub(crate) fn round(&mut self, link: LinkId) {
        if let Some(counter) = self.counters.get_mut(&link) {
            (counter.sent_lately, counter.grants_lately) = (0, 0);
        }
    }

    /// Makes a peer an offer on the first of our rails that it takes too.
    pub(crate) fn offer(&mut self, desk: &mut Desk, link: LinkId) {
        let Some(selling) = self.on.as_ref().filter(|selling| selling.paid_slots > 0) else {
            return;
        };
        let Some(counter) = self.counters.get_mut(&link) else { return };
        let shared = selling.rails.iter().find(|rail| counter.terms.rails.contains(rail));
        let Some(rail) = shared.filter(|_| counter.bid.is_none()) else { return };
        let (id, valid_s) = (self.offers_made, limit::OFFER_SECONDS);
        self.offers_made += 1;
        counter.offer = Some((id, *rail));
        let offer = Offer {
            id,
            rail: *rail,
            payee: selling.payee,
            price: selling.price,
            credit: selling.credit,
            valid_s,
        };
        desk.send(link, &PayMessage::Offer(offer));
        desk.after(Timer::Offer(link), core::time::Duration::from_secs(u64::from(valid_s)));
    }

    /// An offer ran out: the bid on it, if any, stands until the next round would renew it.
    pub(crate) fn offer_ran_out(&mut self, desk: &mut Desk, link: LinkId) {
        self.offer(desk, link);
        desk.timers.start(Timer::Offer(link), desk.now + limit::ROUND);
    }

    /// The buyer ended payment. Bytes sent until now are charged; the answer tells it where the
    /// count stops.
    pub(crate) fn ended(&mut self, desk: &mut Desk, link: LinkId, code: EndCode) {
        let Some(counter) = self.counters.get(&link) else { return };
        if counter.bid.is_none() {
            return;
        }
        if counter.award.is_some() {
            desk.tell(Event::PaymentEnded { link, why: Why::Peer(code) });
            desk.send(link, &PayMessage::End { code: EndCode::Done });
        }
        self.drop_bid(desk, link);
    }

    /// Refuses a bid; an award that stood for it is gone.
    fn refuse(&mut self, desk: &mut Desk, link: LinkId, code: RefuseCode) -> Verdict {
        desk.send(link, &PayMessage::Refuse { code });
        self.drop_bid(desk, link);
        if code == RefuseCode::BadSignature { Verdict::Strike } else { Verdict::Fine }
    }

    /// Ends payment over a link, if there is any.
    fn end(&mut self, desk: &mut Desk, link: LinkId, code: EndCode) {
        if self.counters.get(&link).is_some_and(|counter| counter.bid.is_some()) {
            desk.end(link, code);
        }
        self.drop_bid(desk, link);
    }

    /// Ends payment over a link that broke the rules too often.
    pub(crate) fn cut(&mut self, desk: &mut Desk, link: LinkId) {
        self.leave_asker(link);
        self.drop_bid(desk, link);
        if let Some(counter) = self.counters.get_mut(&link) {
            counter.offer = None;
        }
        desk.timers.clear(Timer::Offer(link));
    }

    fn drop_bid(&mut self, desk: &mut Desk, link: LinkId) {
        self.revoke(desk, link);
        self.release(link);
        desk.timers.clear(Timer::View(link));
        if let Some(counter) = self.counters.get_mut(&link) {
            counter.bid = None;
        }
    }

    /// Takes a paid slot back. The ordinary choker has it again.
    fn revoke(&mut self, desk: &mut Desk, link: LinkId) {
        desk.timers.clear(Timer::Grace(link));
        let Some(counter) = self.counters.get_mut(&link) else { return };
        counter.due = false;
        if counter.award.take().is_some() {
            counter.weigh(desk, link, 0);
            self.sell_soon(desk);
        }
    }

    /// The payer of a link's bid may bid over another link.
    fn release(&mut self, link: LinkId) {
        if let Some(payer) = self.payer_of(link).and_then(|id| self.payers.get_mut(&id)) {
            payer.link = payer.link.filter(|held| *held != link);
        }
    }

    fn payer_of(&self, link: LinkId) -> Option<PayerId> {
        self.counters.get(&link)?.bid.as_ref().map(Bidding::payer)
    }

    fn sell_soon(&self, desk: &mut Desk) {
        if self.on.is_some() {
            desk.timers.set(Timer::Sale, desk.now);
        }
    }

    fn links(&self) -> Vec<LinkId> {
        self.counters.keys().copied().collect()
    }

    /// Counts a payer as one that promised more than it had.
    pub(crate) fn restore_overissuer(&mut self, rail: Rail, owner: Address) {
        self.overissuers.insert((rail, owner));
    }
}

impl Counter {
    fn new(terms: PayTerms) -> Self {
        Self {
            terms,
            offer: None,
            interested: false,
            reciprocates: false,
            bid: None,
            session: None,
            award: None,
            tariff: Tariff::default(),
            sent: 0,
            sent_lately: 0,
            grants_lately: 0,
            allowance: 0,
            weight: 0,
            due: false,
        }
    }

    /// Tells a new weight.
    fn weigh(&mut self, desk: &mut Desk, link: LinkId, weight: u32) {
        if self.weight != weight {
            self.weight = weight;
            desk.act(Action::Weight { link, weight });
        }
    }
}
