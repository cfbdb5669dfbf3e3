//! The buying side: bids for slots of peers that are slow, and promises money for what they sent
//! and was found good. Nothing is promised beyond the caps, nor after the kill switch.

mod deal;
mod pledge;
mod purchase;

use headwater_base::{Amount, LinkId, Map};
use headwater_wire::extended::{Award, Bid, EndCode, Offer, PayMessage, PayTerms, RefuseCode};

use crate::desk::{Account, Desk, PurchaseId, Verdict};
use crate::timer::Timer;
use crate::{Buying, Event, GrantId, Promise, Why, limit};

use deal::{Deal, Standing};
use pledge::Pledge;
use purchase::Purchase;

/// Everything bought, from whom, and what may still be spent.
#[derive(Debug, Default)]
pub(crate) struct Buyer {
    on: Option<(GrantId, Buying)>,
    pledges: Map<Account, Pledge>,
    deals: Map<LinkId, Deal>,
    /// Keys of contents that are wanted, or paid for and not here yet.
    purchases: Map<PurchaseId, Purchase>,
    /// Links whose peers say whom to pay, with their terms.
    sellers: Map<LinkId, PayTerms>,
}

impl Buyer {
    pub(crate) fn switch_on(&mut self, desk: &mut Desk, buying: Buying) {
        self.switch_off(desk);
        let over = desk.clock.is_some_and(|date| date >= buying.grant.expiry);
        if over {
            desk.tell(Event::GrantExpired);
            return;
        }
        self.on = Some((GrantId::of(&buying.rail, &buying.grant), buying));
        desk.after(Timer::Search, limit::ROUND);
        self.resume_purchases(desk);
        for link in self.links() {
            self.bid(desk, link);
        }
    }

    /// Ends everything at once. A voucher that is being signed is not sent.
    pub(crate) fn switch_off(&mut self, desk: &mut Desk) {
        if self.on.take().is_none() {
            return;
        }
        desk.timers.clear(Timer::Search);
        self.rest_purchases(desk);
        for (link, deal) in self.deals.iter_mut() {
            desk.timers.clear(Timer::Award(*link));
            if deal.bid.take().is_some() | deal.standing.take().is_some() {
                desk.end(*link, EndCode::Off);
            }
            deal.restart();
        }
        for pledge in self.pledges.values_mut() {
            (pledge.carry, pledge.carry_bytes) = (Amount(0), 0);
        }
    }

    /// A peer said its terms, or others than before.
    pub(crate) fn opened(&mut self, desk: &mut Desk, link: LinkId, terms: &PayTerms) {
        self.deals.entry(link).or_default();
        self.meet_seller(desk, link, terms);
    }

    pub(crate) fn closed(&mut self, desk: &mut Desk, link: LinkId) {
        self.leave_seller(desk, link);
        let account = self.account(link);
        let Some(deal) = self.deals.remove(&link) else { return };
        if deal.standing.is_some() {
            desk.tell(Event::PaymentEnded { link, why: Why::Closed });
        }
        // What was found good and not promised yet goes into the next voucher for this payee.
        if let Some(pledge) = account.and_then(|account| self.pledges.get_mut(&account)) {
            pledge.carry = Amount(pledge.carry.0.saturating_add(deal.unpaid(false).0));
            pledge.carry_bytes += deal.verified.saturating_sub(deal.bought);
        }
    }

    /// Whether bytes that come over the link are charged.
    pub(crate) fn is_charged(&self, link: LinkId) -> bool {
        self.deals.get(&link).is_some_and(|deal| deal.standing.is_some())
    }

    pub(crate) fn wants(&mut self, desk: &mut Desk, link: LinkId, urgent: bool, unit: u64) {
        let Some(deal) = self.deals.get_mut(&link) else { return };
        deal.unit = unit.min(limit::UNIT_BYTES_MAX);
        deal.wanted = urgent;
        if urgent {
            self.bid(desk, link);
        } else {
            self.finish(desk, link, EndCode::Done);
        }
    }

    pub(crate) fn served(&mut self, link: LinkId, unchoked: bool) {
        if let Some(deal) = self.deals.get_mut(&link) {
            deal.unchoked = unchoked;
        }
    }

    pub(crate) fn received(&mut self, desk: &mut Desk, link: LinkId, bytes: u64) {
        if let Some(deal) = self.deals.get_mut(&link).filter(|deal| deal.standing.is_some()) {
            deal.received = deal.received.saturating_add(bytes);
            if deal.needs_advance() {
                self.settle(desk, link, false);
            }
        }
    }

    pub(crate) fn verified(&mut self, desk: &mut Desk, link: LinkId, bytes: u64) {
        let Some(deal) = self.deals.get_mut(&link) else { return };
        deal.verified = deal.verified.saturating_add(bytes).min(deal.received);
        deal.tariff.fold(deal.verified);
        let over = deal.standing.is_none();
        self.settle(desk, link, over);
    }

    /// A seller of bad bytes is paid for nothing more over this link.
    pub(crate) fn bad(&mut self, desk: &mut Desk, link: LinkId) {
        let Some(deal) = self.deals.get_mut(&link) else { return };
        if deal.bid.is_some() || deal.standing.is_some() {
            desk.tell(Event::PaymentEnded { link, why: Why::BadBytes });
            desk.send(link, &PayMessage::End { code: EndCode::Mismatch });
        }
        desk.timers.clear(Timer::Award(link));
        deal.kill();
    }

    /// Ends what needs a date to end.
    pub(crate) fn clock(&mut self, desk: &mut Desk) {
        let expiry = self.on.as_ref().map(|(_, buying)| buying.grant.expiry);
        if desk.clock.zip(expiry).is_some_and(|(date, expiry)| date >= expiry) {
            self.switch_off(desk);
            desk.tell(Event::GrantExpired);
        }
        self.forget_old(desk);
        self.forget_old_purchases(desk);
    }

    pub(crate) fn offer(&mut self, desk: &mut Desk, link: LinkId, offer: Offer) -> Verdict {
        let Some(deal) = self.deals.get_mut(&link) else { return Verdict::Fine };
        if offer.price.0 > limit::PRICE_MAX {
            return Verdict::Strike;
        }
        // Vouchers of a link are for one payee, or its counts would be of two.
        let same = |known: &Offer| (known.rail, known.payee) == (offer.rail, offer.payee);
        if deal.received > 0 && !deal.offer.as_ref().is_some_and(same) {
            return Verdict::Strike;
        }
        if deal.standing.is_none() {
            deal.offer = Some(offer);
            let valid = core::time::Duration::from_secs(u64::from(offer.valid_s));
            desk.after(Timer::Offered(link), valid);
            self.bid(desk, link);
        }
        Verdict::Fine
    }

    pub(crate) fn offer_ran_out(&mut self, link: LinkId) {
        // The payee of what was received is still owed: only unused offers are forgotten.
        let unused = |deal: &&mut Deal| deal.received == 0 && deal.standing.is_none();
        if let Some(deal) = self.deals.get_mut(&link).filter(unused) {
            deal.offer = None;
            deal.bid = None;
        }
    }

    pub(crate) fn award(&mut self, desk: &mut Desk, link: LinkId, award: Award) -> Verdict {
        let Some(price_max) = self.on.as_ref().map(|(_, buying)| buying.price_max) else {
            return Verdict::Fine;
        };
        let Some(deal) = self.deals.get_mut(&link).filter(|deal| deal.bid.is_some()) else {
            return Verdict::Fine;
        };
        if deal.offer.is_none_or(|offer| offer.id != award.offer) {
            return Verdict::Strike;
        }
        if award.price > deal.ceiling.min(price_max) {
            self.end(desk, link, EndCode::Price);
            return Verdict::Strike;
        }
        let fresh = deal.standing.is_none();
        if fresh {
            let Some(ahead) = award.from.checked_sub(deal.received) else {
                return Verdict::Strike;
            };
            deal.ahead = ahead;
        }
        let from = award.from.checked_sub(deal.ahead).filter(|from| *from >= deal.received);
        if !from.is_some_and(|from| deal.tariff.set(from, award.price)) {
            self.end(desk, link, EndCode::Mismatch);
            return Verdict::Fine;
        }
        let known = deal.standing.replace(Standing::of(&award));
        if known.is_none_or(|known| known.price != award.price) {
            desk.tell(Event::PriceChanged { link, price: award.price });
        }
        let stands = u64::from(award.until_s.min(limit::AWARD_SECONDS_MAX));
        desk.after(Timer::Award(link), core::time::Duration::from_secs(stands));
        if fresh {
            // The seller may have lost the last voucher in a crash, or we may have before sending.
            self.repeat(desk, link);
        }
        Verdict::Fine
    }

    pub(crate) fn award_ran_out(&mut self, desk: &mut Desk, link: LinkId) {
        let Some(deal) = self.deals.get_mut(&link) else { return };
        deal.standing = None;
        self.settle(desk, link, true);
    }

    pub(crate) fn refused(&mut self, desk: &mut Desk, link: LinkId, code: RefuseCode) {
        let Some(deal) = self.deals.get_mut(&link).filter(|deal| deal.bid.is_some()) else {
            return;
        };
        if code != RefuseCode::Price {
            deal.bid = None;
            deal.pause = deal::PAUSE_ROUNDS;
        }
        if deal.standing.take().is_some() {
            desk.timers.clear(Timer::Award(link));
            self.settle(desk, link, true);
        }
        desk.tell(Event::Refused { link, code });
    }

    /// A receipt tells what the seller counts. Further apart than a window of credit, one of the
    /// two is wrong, and which one cannot be found out.
    pub(crate) fn receipt(&mut self, desk: &mut Desk, link: LinkId, bytes: u64) {
        let Some(deal) = self.deals.get(&link) else { return };
        let Some(standing) = deal.standing else { return };
        let apart = bytes.abs_diff(deal.received.saturating_add(deal.ahead));
        if apart > standing.credit {
            self.end(desk, link, EndCode::Mismatch);
        }
    }

    pub(crate) fn due(&mut self, desk: &mut Desk, link: LinkId) {
        if let Some(deal) = self.deals.get_mut(&link).filter(|deal| deal.standing.is_some()) {
            deal.due = true;
            self.settle(desk, link, true);
        }
    }

    /// The seller ended payment. What was received until then is still paid for.
    pub(crate) fn ended(&mut self, desk: &mut Desk, link: LinkId, code: EndCode) {
        let Some(deal) = self.deals.get_mut(&link) else { return };
        if deal.bid.is_none() && deal.standing.is_none() {
            return;
        }
        // Where we ended it ourselves, this is only the answer.
        let news = deal.bid.is_some();
        if code != EndCode::Outbid {
            deal.bid = None;
            deal.pause = deal::PAUSE_ROUNDS;
        }
        desk.timers.clear(Timer::Award(link));
        if deal.standing.take().is_some() && news {
            desk.tell(Event::PaymentEnded { link, why: Why::Peer(code) });
        }
        self.settle(desk, link, true);
    }

    /// Looks at every bid again: up while choked, down while served, so that it settles at what
    /// this seller is worth. And pays whatever is verified.
    pub(crate) fn search(&mut self, desk: &mut Desk) {
        let Some((_, buying)) = &self.on else { return };
        let price_max = buying.price_max;
        desk.after(Timer::Search, limit::ROUND);
        for link in self.links() {
            let Some(deal) = self.deals.get_mut(&link) else { continue };
            let changed = deal.step(price_max);
            if changed || deal.bid.is_none() {
                self.bid(desk, link);
            }
            self.settle(desk, link, true);
        }
    }

    pub(crate) fn links(&self) -> Vec<LinkId> {
        self.deals.keys().copied().collect()
    }

    pub(crate) fn is_on(&self) -> Option<&Buying> {
        self.on.as_ref().map(|(_, buying)| buying)
    }

    pub(crate) fn promised(&self) -> impl Iterator<Item = Promise> {
        self.pledges.values().map(|pledge| pledge.promise)
    }

    pub(crate) fn bought(&self, link: LinkId) -> Option<(u64, Amount)> {
        self.deals.get(&link).map(|deal| (deal.verified, deal.promised))
    }

    /// Sends a bid where it makes sense.
    fn bid(&mut self, desk: &mut Desk, link: LinkId) {
        let Some((session, buying)) = &self.on else { return };
        let Some(deal) = self.deals.get(&link) else { return };
        let Some(offer) = deal.offer.filter(|offer| offer.rail == buying.rail) else { return };
        let open = deal.wanted && !deal.dead && deal.pause == 0;
        if !open || offer.price > buying.price_max || self.is_dealt(link, offer.payee) {
            return;
        }
        let account = (*session, offer.payee);
        if self.awaits_key(account) {
            return;
        }
        let known = self.pledges.contains_key(&account);
        if !known && self.pledges.len() >= limit::RECORDS_MAX {
            return;
        }
        let room = self.room(link);
        if room.0 == 0 {
            return;
        }
        let price = deal.bid.unwrap_or(offer.price).max(offer.price);
        let (grant, sig) = (buying.grant, buying.grant_sig);
        let budget = Amount(deal.promised.0.saturating_add(room.0));
        let promise = Promise { rail: offer.rail, grant, payee: offer.payee, amount: Amount(0) };
        self.pledges.entry(account).or_insert_with(|| Pledge::new(promise));
        let first = deal.bid.is_none();
        if let Some(deal) = self.deals.get_mut(&link) {
            deal.raise(price);
        }
        let bid = Bid { offer: offer.id, price, budget, grant, sig };
        desk.send(link, &PayMessage::Bid(Box::new(bid)));
        if first {
            // What a closed link left owed is paid at once: the seller may sell nothing before.
            self.settle(desk, link, true);
            self.repeat(desk, link);
        }
    }

    /// Whether another link deals with the same payee. Vouchers are cumulative for a payee, so
    /// two links at once would confuse what each is for.
    fn is_dealt(&self, link: LinkId, payee: headwater_base::Address) -> bool {
        self.deals.iter().any(|(other, deal)| {
            let busy = deal.bid.is_some() || deal.standing.is_some();
            *other != link && busy && deal.offer.is_some_and(|offer| offer.payee == payee)
        })
    }

    /// Wants no more over a link. Bytes count until the seller has heard of it.
    fn finish(&mut self, desk: &mut Desk, link: LinkId, code: EndCode) {
        let Some(deal) = self.deals.get_mut(&link) else { return };
        if deal.bid.take().is_some() {
            desk.end(link, code);
        }
        self.settle(desk, link, true);
    }

    /// Ends payment over a link for good.
    fn end(&mut self, desk: &mut Desk, link: LinkId, code: EndCode) {
        desk.timers.clear(Timer::Award(link));
        if let Some(deal) = self.deals.get_mut(&link) {
            deal.kill();
            desk.end(link, code);
        }
    }

    /// Ends payment over a link that broke the rules too often.
    pub(crate) fn cut(&mut self, desk: &mut Desk, link: LinkId) {
        self.leave_seller(desk, link);
        desk.timers.clear(Timer::Award(link));
        if let Some(deal) = self.deals.get_mut(&link) {
            deal.kill();
        }
    }
}
