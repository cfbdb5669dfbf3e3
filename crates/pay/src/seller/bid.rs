//! From a bid to a candidate for a slot: what it says, who signed its grant, what the vault says.

use headwater_base::{Address, Amount, JobId, LinkId, Signature};
use headwater_wire::extended::{Bid, Grant, Rail, RefuseCode};

use crate::desk::{Desk, Job, Verdict};
use crate::timer::Timer;
use crate::{AccountView, Action, Event, GrantId, Promise, Signed, limit};

use super::Seller;
use super::credit::Credit;
use super::payer::{Payer, PayerId, backing};

/// A bid and how far it was looked at.
#[derive(Debug)]
pub(super) struct Bidding {
    pub(super) bid: Bid,
    pub(super) rail: Rail,
    pub(super) session: GrantId,
    /// Whether the owner's signature was found good.
    pub(super) signed: bool,
    /// The job that finds out. Answers to an earlier bid of the link say nothing of this one.
    checking: JobId,
    /// The job that asks the vault.
    viewing: Option<JobId>,
}

impl Bidding {
    pub(super) fn payer(&self) -> PayerId {
        (self.rail, self.bid.grant.owner)
    }
}

impl Seller {
    /// Takes a bid, or a new price for one that stands.
    pub(crate) fn bid(&mut self, desk: &mut Desk, link: LinkId, bid: Bid) -> Verdict {
        let Some(counter) = self.counters.get_mut(&link) else { return Verdict::Fine };
        let known = counter.bid.as_mut().filter(|known| {
            (known.bid.offer, known.bid.grant, known.bid.sig) == (bid.offer, bid.grant, bid.sig)
        });
        let reserve = self.on.as_ref().map(|selling| selling.price);
        if bid.price.0 > limit::PRICE_MAX {
            return Verdict::Strike;
        }
        if let Some(known) = known.filter(|_| reserve.is_some_and(|price| bid.price >= price)) {
            known.bid = bid;
            if counter.award.is_none() {
                self.sell_soon(desk);
            }
            return Verdict::Fine;
        }
        match self.judge(desk, link, &bid) {
            Ok(rail) => self.check_grant(desk, link, bid, rail),
            Err(code) => self.refuse(desk, link, code),
        }
    }

    /// What can be said of a bid without asking anybody.
    fn judge(&self, desk: &Desk, link: LinkId, bid: &Bid) -> Result<Rail, RefuseCode> {
        let selling = self.on.as_ref().ok_or(RefuseCode::Busy)?;
        let offer = self.counters.get(&link).and_then(|counter| counter.offer);
        let offer = offer.filter(|(id, _)| *id == bid.offer);
        let (_, rail) = offer.ok_or(RefuseCode::Expiry)?;
        let date = desk.clock.ok_or(RefuseCode::Busy)?;
        let left = bid.grant.expiry.0.saturating_sub(date.0);
        if !(limit::SESSION_SECONDS_MIN..=limit::SESSION_SECONDS_MAX).contains(&left) {
            return Err(RefuseCode::Expiry);
        }
        if bid.price < selling.price {
            return Err(RefuseCode::Price);
        }
        let payer = (rail, bid.grant.owner);
        if self.overissuers.contains(&payer) {
            return Err(RefuseCode::NoFunds);
        }
        // A session's vouchers are for one payee, and questions to the chain are not for free.
        let session = self.credits.get(&GrantId::of(&rail, &bid.grant));
        let other = session.is_some_and(|credit| credit.voucher.payee != selling.payee);
        let asked = self.counters.get(&link).map_or(0, |counter| counter.grants_lately);
        if other || asked >= limit::GRANTS_PER_ROUND {
            return Err(RefuseCode::Busy);
        }
        let busy = |held: LinkId| held != link;
        if self.payers.get(&payer).and_then(|payer| payer.link).is_some_and(busy) {
            return Err(RefuseCode::Busy);
        }
        Ok(rail)
    }

    /// Has the shell find out who signed the grant.
    fn check_grant(&mut self, desk: &mut Desk, link: LinkId, bid: Bid, rail: Rail) -> Verdict {
        self.drop_bid(desk, link);
        let Some(job) = desk.job(Job::CheckGrant(link)) else {
            return self.refuse(desk, link, RefuseCode::Busy);
        };
        let of = Box::new(Signed::Grant { rail, grant: bid.grant });
        desk.act(Action::Verify { job, of, sig: bid.sig });
        let session = GrantId::of(&rail, &bid.grant);
        if let Some(counter) = self.counters.get_mut(&link) {
            counter.grants_lately += 1;
            counter.bid =
                Some(Bidding { bid, rail, session, signed: false, checking: job, viewing: None });
        }
        Verdict::Fine
    }

    /// Somebody signed the grant, or nobody did.
    pub(crate) fn grant_checked(
        &mut self,
        desk: &mut Desk,
        (link, job): (LinkId, JobId),
        signer: Option<Address>,
    ) -> Verdict {
        let bidding = self.counters.get_mut(&link).and_then(|counter| counter.bid.as_mut());
        let Some(bidding) = bidding.filter(|bidding| bidding.checking == job) else {
            return Verdict::Fine;
        };
        if signer != Some(bidding.bid.grant.owner) {
            return self.refuse(desk, link, RefuseCode::BadSignature);
        }
        bidding.signed = true;
        let (id, session, bid) = (bidding.payer(), bidding.session, bidding.bid);
        let held = self.payers.get(&id).and_then(|payer| payer.link);
        let taken = held.is_some_and(|held| held != link);
        if taken || !self.admit(id, session, &bid.grant, bid.sig) {
            return self.refuse(desk, link, RefuseCode::Busy);
        }
        if let Some(counter) = self.counters.get_mut(&link) {
            counter.session = Some(session);
        }
        if let Some(payer) = self.payers.get_mut(&id) {
            payer.link = Some(link);
        }
        self.view(desk, link);
        Verdict::Fine
    }

    /// Nobody could say who signed the grant.
    pub(crate) fn grant_unchecked(&mut self, desk: &mut Desk, link: LinkId, job: JobId) {
        let bid = self.counters.get(&link).and_then(|counter| counter.bid.as_ref());
        if bid.is_some_and(|bidding| bidding.checking == job) {
            self.refuse(desk, link, RefuseCode::Busy);
        }
    }

    /// Makes room for a payer and its session. Answers whether there is any.
    pub(super) fn admit(
        &mut self,
        id: PayerId,
        session: GrantId,
        grant: &Grant,
        sig: Signature,
    ) -> bool {
        let Some(selling) = &self.on else { return false };
        if self.payers.len() >= limit::RECORDS_MAX {
            // Who owes nothing and is not here is forgotten; who owes is not.
            self.payers.retain(|_, payer| payer.link.is_some() || payer.debt().0 > 0);
        }
        if self.credits.len() >= limit::RECORDS_MAX {
            self.credits.retain(|_, credit| credit.is_worth_keeping());
        }
        let payers_full = self.payers.len() >= limit::RECORDS_MAX && !self.payers.contains_key(&id);
        let full = self.credits.len() >= limit::RECORDS_MAX;
        if payers_full || (full && !self.credits.contains_key(&session)) {
            return false;
        }
        let (credit, payee) = (selling.credit, selling.payee);
        self.payers.entry(id).or_insert_with(|| Payer::new(credit));
        let voucher = Promise { rail: id.0, grant: *grant, payee, amount: Amount(0) };
        self.credits.entry(session).or_insert_with(|| Credit::new(voucher, sig));
        true
    }

    /// Asks the vault about the payer of a link's bid.
    pub(crate) fn view(&mut self, desk: &mut Desk, link: LinkId) {
        let payee = self.on.as_ref().map(|selling| selling.payee);
        let Some(payee) = payee else { return };
        let Some(bidding) = self.counters.get_mut(&link).and_then(|c| c.bid.as_mut()) else {
            return;
        };
        if bidding.viewing.is_some() || !bidding.signed {
            return;
        }
        let (rail, grant) = (bidding.rail, bidding.bid.grant);
        if let Some(job) = desk.job(Job::View(link)) {
            bidding.viewing = Some(job);
            desk.act(Action::ViewAccount { job, rail, grant, payee });
        }
    }

    /// The vault told of the payer of a link's bid, or did not.
    pub(crate) fn viewed(
        &mut self,
        desk: &mut Desk,
        (link, job): (LinkId, JobId),
        view: Option<AccountView>,
    ) {
        let bidding = self.counters.get_mut(&link).and_then(|counter| counter.bid.as_mut());
        let Some(bidding) = bidding.filter(|bidding| bidding.viewing == Some(job)) else {
            return;
        };
        bidding.viewing = None;
        let (id, session, grant) = (bidding.payer(), bidding.session, bidding.bid.grant);
        let price = bidding.bid.price;
        let Some(payer) = self.payers.get_mut(&id) else { return };
        payer.view = view;
        desk.after(Timer::View(link), limit::VIEW_AGE);
        let Some(view) = view else {
            self.refuse(desk, link, RefuseCode::NoFunds);
            return;
        };
        if let Some(credit) = self.credits.get_mut(&session) {
            credit.seen(view.claimed);
        }
        let window = self.payers.get(&id).map(|payer| payer.room(price)).unwrap_or_default();
        let unclaimed = self.unclaimed(id);
        let free = backing(&view, &grant);
        let exposure = Amount(unclaimed.0.saturating_add(window.0));
        if free < exposure {
            let (rail, owner) = id;
            desk.tell(Event::Insolvent { rail, owner, free, exposure });
            // What little the deposit backs may still be sold, unless it is nothing at all.
            if free <= unclaimed {
                self.refuse(desk, link, RefuseCode::NoFunds);
                return;
            }
        }
        self.allow(desk, link);
        if self.counters.get(&link).is_some_and(|counter| counter.award.is_none()) {
            self.sell_soon(desk);
        }
    }
}
