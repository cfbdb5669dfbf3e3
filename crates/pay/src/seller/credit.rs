//! What is sent on credit, and the vouchers that pay for it. A voucher is checked, stored, and
//! only then counts.

use headwater_base::{Address, Amount, LinkId, Signature};
use headwater_wire::extended::{EndCode, PayMessage};

use crate::desk::{Desk, Job, Taken, Verdict};
use crate::price::{affordable, owed};
use crate::timer::Timer;
use crate::{Action, Event, GrantId, JobFailure, Promise, Record, Signed, Why, limit};

use super::Seller;
use super::payer::{PayerId, backing};

/// The vouchers of one session.
#[derive(Debug)]
pub(super) struct Credit {
    /// The best one that is stored.
    pub(super) voucher: Promise,
    pub(super) grant_sig: Signature,
    pub(super) sig: Option<Signature>,
    /// What of it the chain has paid.
    pub(super) claimed: Amount,
    pub(super) claim: Claim,
    /// One is being checked or stored.
    busy: bool,
    /// The best that came meanwhile.
    next: Option<Taken>,
}

/// Whether a claim is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// None is.
    Idle,
    /// One is. Entered from `Idle`; left when the chain has answered.
    UnderWay,
    /// One failed and is tried again later. Entered from `UnderWay`.
    Waits,
}

impl Credit {
    pub(super) fn new(voucher: Promise, grant_sig: Signature) -> Self {
        let claimed = Amount(0);
        let (sig, next) = (None, None);
        Self { voucher, grant_sig, sig, claimed, claim: Claim::Idle, busy: false, next }
    }

    /// A voucher is being checked or stored.
    pub(super) fn is_busy(&self) -> bool {
        self.busy
    }

    /// Keeps other vouchers waiting.
    pub(super) fn hold(&mut self) {
        self.busy = true;
    }

    /// What is promised and not claimed.
    pub(super) fn unclaimed(&self) -> Amount {
        Amount(self.voucher.amount.0.saturating_sub(self.claimed.0))
    }

    pub(super) fn is_worth_keeping(&self) -> bool {
        self.unclaimed().0 > 0 || self.busy || self.claim != Claim::Idle
    }

    /// The chain paid so much.
    pub(super) fn seen(&mut self, claimed: Amount) {
        self.claimed = self.claimed.max(claimed);
    }

    pub(super) fn payer(&self) -> PayerId {
        (self.voucher.rail, self.voucher.grant.owner)
    }

    pub(super) fn record(&self, sig: Signature) -> Record {
        let Self { voucher, grant_sig, claimed, .. } = self;
        Record::Credit { voucher: *voucher, grant_sig: *grant_sig, sig, claimed: *claimed }
    }
}

impl Seller {
    /// Takes a stored voucher back.
    pub(crate) fn restore(&mut self, voucher: Promise, sigs: [Signature; 2], claimed: Amount) {
        let session = GrantId::of(&voucher.rail, &voucher.grant);
        let [grant_sig, sig] = sigs;
        let credit = Credit { sig: Some(sig), claimed, ..Credit::new(voucher, grant_sig) };
        self.credits.insert(session, credit);
    }

    /// Counts bytes that were sent. Free ones are never charged.
    pub(crate) fn sent(&mut self, desk: &mut Desk, link: LinkId, bytes: u64) {
        let Some(counter) = self.counters.get_mut(&link) else { return };
        let Some(bidding) = counter.bid.as_ref().filter(|_| counter.award.is_some()) else {
            return;
        };
        let before = counter.tariff.owed(counter.sent);
        counter.sent = counter.sent.saturating_add(bytes);
        counter.sent_lately = counter.sent_lately.saturating_add(bytes);
        let more = counter.tariff.owed(counter.sent).0.saturating_sub(before.0);
        counter.tariff.fold(counter.sent);
        if let Some(payer) = self.payers.get_mut(&bidding.payer()) {
            payer.charged = Amount(payer.charged.0.saturating_add(more));
        }
        self.allow(desk, link);
    }

    /// Tells how far a link may be served, and asks for money where it is not far enough.
    pub(super) fn allow(&mut self, desk: &mut Desk, link: LinkId) {
        let Some((room, price)) = self.room(link) else { return };
        let Some(counter) = self.counters.get_mut(&link) else { return };
        let bytes = affordable(room, price);
        let allowance = counter.sent.saturating_add(bytes);
        if allowance != counter.allowance {
            counter.allowance = allowance;
            desk.act(Action::Allowance { link, bytes: allowance });
        }
        let Some(bidding) = counter.bid.as_ref() else { return };
        let spent = counter.tariff.owed(counter.sent);
        if bytes >= u64::from(headwater_base::BLOCK_LEN) {
            return;
        }
        let left = bidding.bid.budget.0.saturating_sub(spent.0);
        if affordable(Amount(left), price) < u64::from(headwater_base::BLOCK_LEN) {
            self.end(desk, link, EndCode::Cap);
        } else if !counter.due {
            counter.due = true;
            let Some(payer) = self.payers.get_mut(&bidding.payer()) else { return };
            payer.distrust();
            let grace_ms = u32::try_from(limit::GRACE.as_millis()).unwrap_or(u32::MAX);
            desk.send(link, &PayMessage::Due { amount: payer.debt(), grace_ms });
            desk.after(Timer::Grace(link), limit::GRACE);
        }
    }

    /// What a link may still be sent, in money, and at what price: the least of what its payer is
    /// trusted with, of its budget, of what may be unsettled, and of what its deposit backs.
    fn room(&self, link: LinkId) -> Option<(Amount, Amount)> {
        let counter = self.counters.get(&link)?;
        let bidding = counter.bid.as_ref().filter(|_| counter.award.is_some())?;
        let (price, id) = (counter.tariff.price()?, bidding.payer());
        let payer = self.payers.get(&id)?;
        let owing = self.unclaimed(id).0.saturating_add(payer.debt().0);
        let backed = payer.view.map(|view| backing(&view, &bidding.bid.grant)).unwrap_or_default();
        let unsecured = self.on.as_ref()?.max_unsecured;
        let budget = bidding.bid.budget.0.saturating_sub(counter.tariff.owed(counter.sent).0);
        let room = payer.room(price).0.min(budget);
        let room = room.min(backed.0.saturating_sub(owing));
        Some((Amount(room.min(unsecured.0.saturating_sub(owing))), price))
    }

    /// What a payer has promised us in all its sessions and the chain has not paid.
    pub(super) fn unclaimed(&self, id: PayerId) -> Amount {
        let of_payer = self.credits.values().filter(|credit| credit.payer() == id);
        Amount(of_payer.fold(0, |sum, credit| sum.saturating_add(credit.unclaimed().0)))
    }

    /// The payer did not pay in time. It loses its slot, and what it owes stays owed.
    pub(crate) fn grace_ran_out(&mut self, desk: &mut Desk, link: LinkId) {
        self.end(desk, link, EndCode::Unpaid);
    }

    /// A voucher came. One that is no higher than the best is answered and changes nothing.
    pub(crate) fn voucher(&mut self, desk: &mut Desk, taken: Taken, bytes: u64) -> Verdict {
        let Taken { link, amount, .. } = taken;
        let Some(counter) = self.counters.get(&link) else { return Verdict::Fine };
        // A session we know is paid for while the bid that renews it is looked at.
        let asked = counter.bid.as_ref().map(|bidding| bidding.session);
        let Some(session) = counter.session.or(asked) else { return Verdict::Fine };
        let Some(credit) = self.credits.get_mut(&session) else { return Verdict::Fine };
        if amount > credit.voucher.grant.cap {
            return Verdict::Strike;
        }
        let credit_bytes = self.payers.get(&credit.payer()).map_or(0, |payer| payer.credit);
        let ahead = bytes.saturating_sub(counter.sent);
        if ahead > credit_bytes.max(limit::CREDIT_BYTES_MIN) {
            self.end(desk, link, EndCode::Mismatch);
            return Verdict::Fine;
        }
        if amount <= credit.voucher.amount {
            let amount = credit.voucher.amount;
            desk.send(link, &PayMessage::Receipt { amount, bytes: counter.sent });
        } else if credit.busy {
            // Amounts are cumulative, so that the highest of those that wait is enough.
            credit.next = Some(credit.next.filter(|next| next.amount >= amount).unwrap_or(taken));
        } else {
            check(desk, session, credit, taken);
        }
        Verdict::Fine
    }

    /// Somebody signed a voucher, or nobody did.
    pub(crate) fn voucher_checked(
        &mut self,
        desk: &mut Desk,
        session: GrantId,
        taken: Taken,
        signer: Option<Address>,
    ) -> Verdict {
        let Some(credit) = self.credits.get_mut(&session) else { return Verdict::Fine };
        credit.busy = false;
        if signer != Some(credit.voucher.grant.key) {
            self.release_credit(desk, session);
            return self.refuse_voucher(desk, taken.link);
        }
        if taken.amount > credit.voucher.amount {
            self.store_credit(desk, session, taken);
        } else {
            self.release_credit(desk, session);
        }
        Verdict::Fine
    }

    /// Has a voucher stored that was found good. One that is no higher than the best needs none.
    pub(super) fn store_credit(&mut self, desk: &mut Desk, session: GrantId, taken: Taken) {
        let Some(credit) = self.credits.get_mut(&session) else { return };
        if taken.amount <= credit.voucher.amount {
            self.credited(desk, session, taken);
            return;
        }
        let voucher = Promise { amount: taken.amount, ..credit.voucher };
        let (grant_sig, claimed) = (credit.grant_sig, credit.claimed);
        let record = Record::Credit { voucher, grant_sig, sig: taken.sig, claimed };
        credit.busy = desk.store(Job::StoreCredit(session, taken), &record);
        if !credit.busy {
            self.credit_unstored(desk, session);
        }
    }

    /// No voucher of the session is being checked or stored: goes on with those that waited.
    pub(super) fn release_credit(&mut self, desk: &mut Desk, session: GrantId) {
        if let Some(credit) = self.credits.get_mut(&session) {
            credit.busy = false;
            check_next(desk, session, credit);
        }
        self.credit_stored(desk, session);
    }

    /// Says that a voucher was not taken. The slot stays until what is due is not paid.
    fn refuse_voucher(&mut self, desk: &mut Desk, link: LinkId) -> Verdict {
        if self.counters.contains_key(&link) {
            let code = headwater_wire::extended::RefuseCode::BadSignature;
            return self.refuse(desk, link, code);
        }
        Verdict::Fine
    }

    /// A voucher survives a crash: it counts.
    pub(crate) fn credited(&mut self, desk: &mut Desk, session: GrantId, taken: Taken) {
        let Some(credit) = self.credits.get_mut(&session) else { return };
        credit.busy = false;
        let Taken { link, amount, price: bought, sig } = taken;
        let more = Amount(amount.0.saturating_sub(credit.voucher.amount.0));
        if more.0 > 0 {
            credit.voucher.amount = amount;
            credit.sig = Some(sig);
            desk.tell(Event::Earned { link, amount: more });
        }
        let id = credit.payer();
        let counter = self.counters.get_mut(&link);
        let counter = counter.filter(|counter| counter.session == Some(session));
        let price = counter.as_ref().and_then(|counter| counter.tariff.price());
        let lately = counter.as_ref().map_or(0, |counter| counter.sent_lately);
        if let Some(payer) = self.payers.get_mut(&id) {
            // Two seconds at the rate of a round of ten.
            let ceiling = limit::CREDIT_BYTES_CEILING;
            let credit_max = (lately / 5).clamp(limit::CREDIT_BYTES_MAX, ceiling);
            payer.buy(bought, more.min(bought));
            let rest = Amount(more.0.saturating_sub(bought.0));
            payer.pay(rest, price.unwrap_or_default(), credit_max);
        }
        if let Some(counter) = counter {
            counter.due = false;
            desk.timers.clear(Timer::Grace(link));
            desk.send(link, &PayMessage::Receipt { amount, bytes: counter.sent });
            self.allow(desk, link);
            self.renew(desk, link);
        }
        if self.counters.get(&link).is_some_and(|counter| counter.award.is_none()) {
            self.sell_soon(desk);
        }
        self.release_credit(desk, session);
        self.review_claims(desk);
    }

    /// A voucher could not be stored or checked, so it does not count.
    pub(crate) fn credit_failed(
        &mut self,
        desk: &mut Desk,
        session: GrantId,
        link: LinkId,
        why: JobFailure,
    ) {
        if let Some(credit) = self.credits.get_mut(&session) {
            credit.busy = false;
            credit.next = None;
        }
        self.credit_unstored(desk, session);
        if self.counters.get(&link).is_some_and(|counter| counter.bid.is_some()) {
            desk.send(link, &PayMessage::End { code: EndCode::Done });
            desk.tell(Event::PaymentEnded { link, why: Why::Job(why) });
            self.drop_bid(desk, link);
        }
    }

    /// What a link was sent for money, and what that came to.
    pub(crate) fn sold(&self, link: LinkId) -> Option<(u64, Amount)> {
        let counter = self.counters.get(&link)?;
        Some((counter.sent, counter.tariff.owed(counter.sent)))
    }

    /// What all payers owe beyond their vouchers.
    pub(crate) fn debts(&self) -> Amount {
        let debts = self.payers.values().map(|payer| payer.debt().0);
        Amount(debts.fold(0, u128::saturating_add))
    }

    /// What the payer of a link's bid owes beyond its vouchers.
    pub(crate) fn debt_of(&self, link: LinkId) -> Amount {
        let payer = self.payer_of(link).and_then(|id| self.payers.get(&id));
        payer.map(super::payer::Payer::debt).unwrap_or_default()
    }

    /// The most that any payer could owe at `price`, for checks of the bound.
    pub(crate) fn credit_of(&self, link: LinkId) -> Option<(u64, Amount)> {
        let payer = self.payers.get(&self.payer_of(link)?)?;
        let price = self.counters.get(&link)?.tariff.price().unwrap_or_default();
        Some((payer.credit, owed(payer.credit, price)))
    }
}

/// Has the shell find out who signed a voucher.
fn check(desk: &mut Desk, session: GrantId, credit: &mut Credit, taken: Taken) {
    let Some(job) = desk.job(Job::CheckVoucher(session, taken)) else { return };
    credit.busy = true;
    let voucher = Promise { amount: taken.amount, ..credit.voucher };
    let of = Box::new(Signed::Voucher(voucher));
    desk.act(Action::Verify { job, of, sig: taken.sig });
}

/// Looks at the voucher that came meanwhile.
fn check_next(desk: &mut Desk, session: GrantId, credit: &mut Credit) {
    let higher = |next: &Taken| next.amount > credit.voucher.amount;
    if let Some(next) = credit.next.take().filter(higher) {
        check(desk, session, credit, next);
    }
}
