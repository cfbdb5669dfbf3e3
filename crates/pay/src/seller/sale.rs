//! One round: sells the slots, tells winners and losers, and looks at accounts again.

use headwater_base::{Amount, LinkId};
use headwater_wire::extended::{Award, EndCode, PayMessage};

use crate::auction::{Candidate, Slots, sell};
use crate::desk::Desk;
use crate::timer::Timer;
use crate::{Event, Why, limit};

use super::{Holding, Seller};

impl Seller {
    /// Sells the slots of the next round.
    pub(crate) fn sale(&mut self, desk: &mut Desk) {
        let Some(selling) = &self.on else { return };
        let (reserve, all, paid_max) = (selling.price, selling.slots, selling.paid_slots);
        desk.after(Timer::Sale, limit::ROUND);
        let links = self.links();
        let candidates: Vec<_> = links.iter().filter_map(|link| self.candidate(*link)).collect();
        let holds_by_right = |link: &&LinkId| {
            let free = |counter: &&super::Counter| counter.bid.is_none() && counter.interested;
            self.counters.get(link).filter(free).is_some_and(|counter| counter.reciprocates)
        };
        let reciprocating = links.iter().filter(holds_by_right).count();
        let slots = Slots { all, paid_max, reciprocating };
        let sale = sell(slots, reserve, &candidates, &mut desk.rng);
        for link in links {
            if !sale.winners.contains(&link) {
                self.lose(desk, link);
            }
        }
        for link in &sale.winners {
            self.win(desk, *link, sale.price);
        }
        self.weigh(desk, &sale.winners);
    }

    /// A link's bid, if it may win: backed, not in arrears, and the peer wants something.
    fn candidate(&self, link: LinkId) -> Option<Candidate> {
        let counter = self.counters.get(&link).filter(|counter| counter.interested)?;
        let bidding = counter.bid.as_ref().filter(|bidding| bidding.signed)?;
        let payer = self.payers.get(&bidding.payer()).filter(|payer| payer.view.is_some())?;
        let bid = bidding.bid.price;
        // Who owes its whole credit is in arrears, whatever it bids.
        let reserve = self.on.as_ref()?.price;
        let block = crate::price::owed(u64::from(headwater_base::BLOCK_LEN), reserve);
        if counter.award.is_none() && payer.room(reserve) < block {
            return None;
        }
        let keeps = counter.award.is_some_and(|award| !award.kept) && payer.paid > payer.charged;
        Some(Candidate { link, bid, since: counter.award.map(|award| award.since), keeps })
    }

    fn win(&mut self, desk: &mut Desk, link: LinkId, price: Amount) {
        let Some(counter) = self.counters.get_mut(&link) else { return };
        let Some(bidding) = &counter.bid else { return };
        let bid = bidding.bid.price;
        // One that keeps its slot for what it paid ahead keeps it once, and at its own bid.
        let (own, kept) = (bid < price, bid < price);
        let price = if own { bid } else { price };
        if !counter.tariff.set(counter.sent, price) {
            self.end(desk, link, EndCode::Mismatch);
            return;
        }
        let since = counter.award.map_or(desk.now, |award| award.since);
        counter.award = Some(Holding { since, kept, credit: 0 });
        self.renew(desk, link);
        self.allow(desk, link);
    }

    /// Tells an award again when the credit that goes with it is new.
    pub(super) fn renew(&mut self, desk: &mut Desk, link: LinkId) {
        let Some(counter) = self.counters.get_mut(&link) else { return };
        let Some((bidding, award)) = counter.bid.as_ref().zip(counter.award.as_mut()) else {
            return;
        };
        let payer = self.payers.get(&bidding.payer());
        let credit = payer.map_or(limit::CREDIT_BYTES_MIN, |payer| payer.credit);
        let price = counter.tariff.price().unwrap_or_default();
        if credit != award.credit {
            award.credit = credit;
            let (offer, from, until_s) = (bidding.bid.offer, counter.sent, limit::AWARD_SECONDS);
            desk.send(link, &PayMessage::Award(Award { offer, price, from, credit, until_s }));
        }
    }

    /// A link that lost its slot keeps its bid: it may win it back.
    fn lose(&mut self, desk: &mut Desk, link: LinkId) {
        let holds = self.counters.get(&link).is_some_and(|counter| counter.award.is_some());
        if holds {
            let code = EndCode::Outbid;
            desk.send(link, &PayMessage::End { code });
            desk.tell(Event::PaymentEnded { link, why: Why::Ours(code) });
            if let Some(counter) = self.counters.get_mut(&link) {
                counter.award = None;
                counter.due = false;
                counter.weigh(desk, link, 0);
            }
            desk.timers.clear(Timer::Grace(link));
        }
    }

    /// Shares the paid part of upload in proportion to bids. Many bids of one payer together get
    /// what one bid of their sum would.
    fn weigh(&mut self, desk: &mut Desk, winners: &[LinkId]) {
        let bid_of = |link: &LinkId| {
            let counter = self.counters.get(link).filter(|counter| counter.award.is_some())?;
            Some((*link, counter.bid.as_ref()?.bid.price.0))
        };
        let bids: Vec<_> = winners.iter().filter_map(bid_of).collect();
        let sum = bids.iter().fold(0_u128, |sum, (_, bid)| sum.saturating_add(*bid)).max(1);
        for (link, bid) in bids {
            let share = u32::try_from(bid.saturating_mul(WHOLE) / sum).unwrap_or(u32::MAX);
            if let Some(counter) = self.counters.get_mut(&link) {
                counter.weigh(desk, link, share.max(1));
            }
        }
    }
}

/// All weights together.
const WHOLE: u128 = 1_000_000;
