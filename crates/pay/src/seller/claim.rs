//! When a voucher is brought to the chain: once it is worth many fees, or before it is too late.
//! And what is made of a claim that pays short.

use headwater_base::Amount;
use headwater_wire::extended::RefuseCode;

use crate::desk::{Desk, Job};
use crate::timer::Timer;
use crate::{Action, Event, GrantId, JobFailure, Record, limit};

use super::Seller;
use super::credit::{Claim, Credit};

impl Seller {
    /// Submits every claim that is worth it.
    pub(crate) fn review_claims(&mut self, desk: &mut Desk) {
        let Some((fee, factor)) = self.claim_terms else { return };
        let unsecured = self.on.as_ref().map(|selling| selling.max_unsecured);
        let sessions: Vec<_> = self.credits.keys().copied().collect();
        for session in sessions {
            let Some(credit) = self.credits.get(&session) else { continue };
            let unclaimed = credit.unclaimed();
            let often = Amount(fee.0.saturating_mul(u128::from(factor)));
            let over = desk.clock.is_some_and(|date| date >= credit.voucher.grant.expiry);
            // A payer that has promised half of what may be unsettled must settle, or it stalls.
            let crowded =
                unsecured.is_some_and(|most| self.unclaimed(credit.payer()).0 > most.0 / 2);
            if unclaimed > fee && (unclaimed >= often || over || crowded) {
                self.claim(desk, session);
            }
        }
    }

    /// Submits every claim that is worth its fee, because the user asked for it.
    pub(crate) fn claim_all(&mut self, desk: &mut Desk) {
        let Some((fee, _)) = self.claim_terms else { return };
        self.claim_above(desk, fee);
    }

    /// Submits every claim of more than that, because the user asked for it: those too that failed
    /// a moment ago.
    pub(crate) fn claim_above(&mut self, desk: &mut Desk, least: Amount) {
        let worth = |(_, credit): &(&GrantId, &Credit)| credit.unclaimed() > least;
        let sessions: Vec<_> = self.credits.iter().filter(worth).map(|(id, _)| *id).collect();
        for session in sessions {
            if let Some(credit) = self.credits.get_mut(&session)
                && credit.claim == Claim::Waits
            {
                credit.claim = Claim::Idle;
            }
            self.claim(desk, session);
        }
    }

    /// The chain of each session of which something is not claimed yet.
    pub(crate) fn claims(&self) -> Vec<u64> {
        let open = self.credits.values().filter(|credit| credit.unclaimed() > Amount(0));
        open.map(|credit| credit.voucher.rail.chain).collect()
    }

    fn claim(&mut self, desk: &mut Desk, session: GrantId) {
        let Some(credit) = self.credits.get_mut(&session) else { return };
        let Some(sig) = credit.sig.filter(|_| credit.claim == Claim::Idle) else { return };
        let amount = credit.voucher.amount;
        let Some(job) = desk.job(Job::Claim(session, amount)) else { return };
        credit.claim = Claim::UnderWay;
        let (voucher, grant_sig) = (Box::new(credit.voucher), credit.grant_sig);
        desk.act(Action::SubmitClaim { job, voucher, grant_sig, sig });
    }

    /// A claim is final. What it lacks of what was promised, the payer promised to others too.
    pub(crate) fn claimed(
        &mut self,
        desk: &mut Desk,
        session: GrantId,
        amount: Amount,
        claimed: Amount,
    ) {
        let Some(credit) = self.credits.get_mut(&session) else { return };
        credit.claim = Claim::Idle;
        let more = Amount(claimed.0.saturating_sub(credit.claimed.0));
        credit.seen(claimed);
        let (id, lost) = (credit.payer(), amount.0.saturating_sub(claimed.0));
        if let Some(sig) = credit.sig {
            let record = credit.record(sig);
            desk.store(Job::StoreOther, &record);
        }
        desk.tell(Event::Claimed { amount: more });
        if lost > 0 {
            self.remember_overissuer(desk, id, Amount(lost));
        } else {
            self.allow_payer(desk, id);
        }
    }

    /// Room that a claim made is given to the payer's link.
    fn allow_payer(&mut self, desk: &mut Desk, id: super::PayerId) {
        if let Some(link) = self.payers.get(&id).and_then(|payer| payer.link) {
            self.view(desk, link);
            self.allow(desk, link);
        }
    }

    fn remember_overissuer(&mut self, desk: &mut Desk, id: super::PayerId, lost: Amount) {
        let (rail, owner) = id;
        desk.tell(Event::Overissued { rail, owner, lost });
        if self.overissuers.len() < limit::RECORDS_MAX && self.overissuers.insert(id) {
            desk.store(Job::StoreOther, &Record::Overissuer { rail, owner });
        }
        if let Some(link) = self.payers.get(&id).and_then(|payer| payer.link) {
            self.refuse(desk, link, RefuseCode::NoFunds);
        }
    }

    /// A claim is tried again later.
    pub(crate) fn claim_failed(&mut self, desk: &mut Desk, session: GrantId, why: JobFailure) {
        if let Some(credit) = self.credits.get_mut(&session) {
            credit.claim = Claim::Waits;
        }
        desk.tell(Event::ClaimFailed { why });
        desk.timers.start(Timer::Claims, desk.now + limit::CLAIM_RETRY);
    }

    /// Tries claims again that failed.
    pub(crate) fn retry_claims(&mut self, desk: &mut Desk) {
        for credit in self.credits.values_mut().filter(|credit| credit.claim == Claim::Waits) {
            credit.claim = Claim::Idle;
        }
        self.review_claims(desk);
    }

    /// Ends what a date ends: awards of sessions that are over, and vouchers nobody can claim.
    pub(crate) fn clock(&mut self, desk: &mut Desk) {
        let Some(date) = desk.clock else { return };
        for link in self.links() {
            let bid = self.counters.get(&link).and_then(|counter| counter.bid.as_ref());
            if bid.is_some_and(|bidding| date >= bidding.bid.grant.expiry) {
                self.refuse(desk, link, RefuseCode::Expiry);
            }
        }
        let over = |credit: &Credit| {
            let expiry = credit.voucher.grant.expiry.0;
            date.0 > expiry.saturating_add(limit::CLAIM_WINDOW_SECONDS)
        };
        self.credits.retain(|_, credit| {
            let gone = over(credit) && credit.claim != Claim::UnderWay;
            if gone && let Some(sig) = credit.sig {
                desk.act(Action::Forget(credit.record(sig).key()));
            }
            !gone
        });
        self.review_claims(desk);
    }

    /// All that was promised to us, and what of it the chain has paid.
    pub(crate) fn earned(&self) -> (Amount, Amount) {
        let sum = |(all, paid): (u128, u128), credit: &Credit| {
            let amount = credit.voucher.amount.0;
            (all.saturating_add(amount), paid.saturating_add(credit.claimed.0))
        };
        let (all, paid) = self.credits.values().fold((0, 0), sum);
        (Amount(all), Amount(paid))
    }
}
