//! Promises: what is owed becomes a stored record, then a signature, then a message, one at a
//! time for each payee.

use headwater_base::{Amount, LinkId, Signature};
use headwater_wire::extended::{EndCode, PayMessage};

use crate::desk::{Account, Desk, Job};
use crate::{Action, Event, JobFailure, Promise, Record, Why, limit, price};

use super::Buyer;

/// All that is promised to one payee in one session.
#[derive(Debug)]
pub(super) struct Pledge {
    /// The highest promise that is stored.
    pub(super) promise: Promise,
    /// What is owed of links that closed, and the bytes it is for.
    pub(super) carry: Amount,
    pub(super) carry_bytes: u64,
    /// The promise that is being stored or signed.
    pending: Option<Pending>,
}

/// A promise on its way.
#[derive(Clone, Copy, Debug)]
struct Pending {
    link: LinkId,
    amount: Amount,
    bytes: u64,
}

impl Pledge {
    pub(super) fn new(promise: Promise) -> Self {
        Self { promise, carry: Amount(0), carry_bytes: 0, pending: None }
    }

    /// What may come to be promised, were everything that is on its way to arrive.
    fn most(&self) -> Amount {
        self.pending.map_or(self.promise.amount, |pending| pending.amount.max(self.promise.amount))
    }

    /// Nothing is being stored or signed.
    pub(super) fn is_idle(&self) -> bool {
        self.pending.is_none()
    }

    /// A promise of so much is being stored for something else than bytes.
    pub(super) fn reserve(&mut self, link: LinkId, amount: Amount) {
        self.pending = Some(Pending { link, amount, bytes: 0 });
    }

    /// It is stored.
    pub(super) fn settle_reserved(&mut self) {
        if let Some(pending) = self.pending.take() {
            self.promise.amount = self.promise.amount.max(pending.amount);
        }
    }
}

impl Buyer {
    /// Takes a stored promise back.
    pub(crate) fn restore(&mut self, promise: Promise) {
        let account = (crate::GrantId::of(&promise.rail, &promise.grant), promise.payee);
        // The highest that is stored counts, in whichever record.
        let pledge = self.pledges.entry(account).or_insert_with(|| Pledge::new(promise));
        pledge.promise.amount = pledge.promise.amount.max(promise.amount);
    }

    pub(super) fn account(&self, link: LinkId) -> Option<Account> {
        let (session, _) = self.on.as_ref()?;
        Some((*session, self.deals.get(&link)?.offer?.payee))
    }

    /// What may still be promised over a link under every cap.
    pub(super) fn room(&self, link: LinkId) -> Amount {
        let Some((_, buying)) = &self.on else { return Amount(0) };
        let promised = self.deals.get(&link).map(|deal| deal.promised).unwrap_or_default();
        self.session_room().min(Amount(buying.link_cap.0.saturating_sub(promised.0)))
    }

    /// What may still be promised in the session, to whomever.
    pub(super) fn session_room(&self) -> Amount {
        let Some((session, buying)) = &self.on else { return Amount(0) };
        let of_session = self.pledges.iter().filter(|((other, _), _)| other == session);
        let spent = of_session.fold(0_u128, |sum, (_, pledge)| sum.saturating_add(pledge.most().0));
        Amount(buying.session_cap.min(buying.grant.cap).0.saturating_sub(spent))
    }

    /// Promises what is owed for a link: all of it when `now`, else once it is worth a voucher.
    pub(super) fn settle(&mut self, desk: &mut Desk, link: LinkId, now: bool) {
        let Some(account) = self.account(link) else { return };
        let room = self.room(link);
        if self.awaits_key(account) {
            return;
        }
        let Some(deal) = self.deals.get_mut(&link).filter(|deal| !deal.dead) else { return };
        let Some(pledge) = self.pledges.get_mut(&account) else { return };
        if pledge.pending.is_some() {
            return;
        }
        let owed = deal.unpaid(deal.needs_advance()).0;
        let all = owed.saturating_add(pledge.carry.0);
        // A voucher for each quarter window: the seller then never has to stop and wait, though
        // some of the window may be lost in links that closed.
        let worth = deal
            .standing
            .is_none_or(|standing| all >= price::owed(standing.credit / 4, standing.price).0);
        if all == 0 || !(now || worth) {
            return;
        }
        let pay = all.min(room.0);
        if pay == 0 {
            self.reach_cap(desk, link);
            return;
        }
        let carried = pay.min(pledge.carry.0);
        let amount = Amount(pledge.promise.amount.0.saturating_add(pay));
        let record = Record::Promised(Promise { amount, ..pledge.promise });
        if !desk.store(Job::StorePromise(account), &record) {
            return;
        }
        let carried_bytes = core::mem::take(&mut pledge.carry_bytes);
        let bytes = deal.verified.saturating_sub(deal.bought).saturating_add(carried_bytes);
        pledge.carry = Amount(pledge.carry.0 - carried);
        pledge.pending = Some(Pending { link, amount, bytes });
        deal.promised = Amount(deal.promised.0.saturating_add(pay - carried));
        (deal.bought, deal.due) = (deal.verified, false);
    }

    /// A cap is used up. Free service goes on.
    fn reach_cap(&mut self, desk: &mut Desk, link: LinkId) {
        let Some(deal) = self.deals.get(&link) else { return };
        if deal.bid.is_some() || deal.standing.is_some() {
            desk.tell(Event::CapReached { amount: deal.promised });
            self.end(desk, link, EndCode::Cap);
        }
    }

    /// Signs the last promise again for a seller that may not have it.
    pub(super) fn repeat(&mut self, desk: &mut Desk, link: LinkId) {
        let Some(account) = self.account(link) else { return };
        if self.awaits_key(account) {
            return;
        }
        let Some(pledge) = self.pledges.get_mut(&account) else { return };
        let amount = pledge.promise.amount;
        if pledge.pending.is_some() || amount.0 == 0 {
            return;
        }
        pledge.pending = Some(Pending { link, amount, bytes: 0 });
        self.sign(desk, account);
    }

    fn sign(&mut self, desk: &mut Desk, account: Account) {
        let Some(pledge) = self.pledges.get_mut(&account) else { return };
        match desk.job(Job::SignVoucher(account)) {
            Some(job) => desk.act(Action::Sign { job, voucher: Box::new(pledge.promise) }),
            None => pledge.pending = None,
        }
    }

    /// The promise survives a crash; it may be signed.
    pub(crate) fn stored(&mut self, desk: &mut Desk, account: Account) {
        let Some(pledge) = self.pledges.get_mut(&account) else { return };
        let Some(Pending { link, amount, bytes }) = pledge.pending else { return };
        let more = Amount(amount.0.saturating_sub(pledge.promise.amount.0));
        pledge.promise.amount = amount;
        desk.tell(Event::Bought { link, bytes, amount: more });
        if self.is_current(account) {
            self.sign(desk, account);
        } else if let Some(pledge) = self.pledges.get_mut(&account) {
            pledge.pending = None;
            self.pursue_all(desk);
        }
    }

    pub(crate) fn signed(&mut self, desk: &mut Desk, account: Account, sig: Signature) {
        let current = self.is_current(account);
        let Some(pledge) = self.pledges.get_mut(&account) else { return };
        let Some(Pending { link, amount, .. }) = pledge.pending.take() else { return };
        if let Some(deal) = self.deals.get(&link).filter(|_| current) {
            let bytes = deal.verified.saturating_add(deal.ahead);
            desk.send(link, &PayMessage::Voucher { amount, sig, bytes });
        }
        // A key that waited for its turn goes before more bytes.
        self.pursue_all(desk);
        let Some(deal) = self.deals.get(&link).filter(|_| current) else { return };
        let now = deal.due || deal.standing.is_none();
        self.settle(desk, link, now);
    }

    /// A voucher is not signed after all.
    pub(crate) fn unsigned(&mut self, account: Account) {
        if let Some(pledge) = self.pledges.get_mut(&account) {
            pledge.pending = None;
        }
    }

    /// Nothing was stored or signed, so nothing more is bought over the link.
    pub(crate) fn failed(&mut self, desk: &mut Desk, account: Account, why: JobFailure) {
        let Some(pledge) = self.pledges.get_mut(&account) else { return };
        let Some(Pending { link, .. }) = pledge.pending.take() else { return };
        if let Some(deal) = self.deals.get_mut(&link) {
            deal.kill();
            desk.timers.clear(crate::timer::Timer::Award(link));
            desk.send(link, &PayMessage::End { code: EndCode::Done });
            desk.tell(Event::PaymentEnded { link, why: Why::Job(why) });
        }
        self.pursue_all(desk);
    }

    /// Forgets promises that nobody can claim any more.
    pub(super) fn forget_old(&mut self, desk: &mut Desk) {
        let Some(date) = desk.clock else { return };
        self.pledges.retain(|_, pledge| {
            let expiry = pledge.promise.grant.expiry.0;
            let old = date.0 > expiry.saturating_add(limit::CLAIM_WINDOW_SECONDS);
            if old && pledge.pending.is_none() {
                desk.act(Action::Forget(Record::Promised(pledge.promise).key()));
            }
            !old || pledge.pending.is_some()
        });
    }

    fn is_current(&self, account: Account) -> bool {
        self.on.as_ref().is_some_and(|(session, _)| *session == account.0)
    }
}
