//! The machine: takes inputs to the side they concern, and counts messages that break the rules.
//! Three of these, or a flood, end payment over a link; the link itself is never touched.

use bytes::Bytes;
use headwater_base::{Amount, JobId, LinkId, Map, Seed, Time};
use headwater_wire::extended::{EndCode, PayMessage, PayTerms};

use crate::buyer::Buyer;
use crate::desk::{Desk, Job, Taken, Verdict};
use crate::seller::{Seller, Sold};
use crate::timer::Timer;
use crate::{
    Action, Answer, BuyerView, Input, JobFailure, PayView, Record, RecordError, SellerView, Step,
    Wake, limit,
};

/// Payment of one client, on both sides. Everything is off until it is switched on.
#[derive(Debug)]
pub struct Pay {
    desk: Desk,
    buyer: Buyer,
    seller: Seller,
    gates: Map<LinkId, Gate>,
}

/// What a link may still do.
#[derive(Clone, Copy, Debug, Default)]
struct Gate {
    strikes: u32,
    /// Messages heard in this round.
    heard: u32,
    shut: bool,
}

impl Pay {
    /// Makes the payment of a client that never paid. Who wins among equals depends on `seed`.
    pub fn new(seed: &Seed) -> Self {
        let desk = Desk::new(seed.split("pay"));
        Self { desk, buyer: Buyer::default(), seller: Seller::default(), gates: Map::default() }
    }

    /// Makes it from what was stored. Call before any input.
    pub fn restore<'a>(
        seed: &Seed,
        records: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Self, RecordError> {
        let mut pay = Self::new(seed);
        pay.recall(records)?;
        Ok(pay)
    }

    /// Takes back what was stored of a side that was never switched on. What comes after a record
    /// that cannot be read is left out.
    pub fn recall<'a>(
        &mut self,
        records: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<(), RecordError> {
        for bytes in records {
            match Record::decode(bytes)? {
                Record::Promised(promise) => self.buyer.restore(promise),
                Record::Credit { voucher, grant_sig, sig, claimed } => {
                    self.seller.restore(voucher, [grant_sig, sig], claimed);
                }
                Record::Overissuer { rail, owner } => self.seller.restore_overissuer(rail, owner),
                Record::Purchase { promise, content, price } => {
                    self.buyer.restore_purchase(promise, content, price);
                }
                Record::Sold { rail, owner, content, session, amount, expiry } => {
                    self.seller
                        .restore_sold((rail, owner, content), Sold::new(session, amount, expiry));
                }
            }
        }
        Ok(())
    }

    /// What the extension handshake says of us; nothing while everything is off.
    pub fn terms(&self) -> Option<PayTerms> {
        let mut terms = PayTerms::default();
        if let Some(selling) = self.seller.is_on() {
            terms.rails.clone_from(&selling.rails);
            terms.payee = Some(selling.payee);
            if selling.paid_slots > 0 {
                (terms.price, terms.credit) = (Some(selling.price), Some(selling.credit));
            }
        }
        if let Some(buying) = self.buyer.is_on().filter(|on| !terms.rails.contains(&on.rail)) {
            terms.rails.push(buying.rail);
        }
        Some(terms).filter(|terms| !terms.rails.is_empty())
    }

    /// Whether bytes that come over the link now are charged. Only those that came while they
    /// were are told as verified.
    pub fn is_charged(&self, link: LinkId) -> bool {
        self.buyer.is_charged(link)
    }

    /// Whether keys of contents are being bought.
    pub fn wants_keys(&self) -> bool {
        self.buyer.wants_keys()
    }

    /// Running totals.
    pub fn view(&self) -> PayView {
        let buys = |link: &LinkId| {
            let (bytes, promised) = self.buyer.bought(*link)?;
            Some(BuyerView { link: *link, bytes, promised })
        };
        let sells = |link: &LinkId| {
            let (bytes, charged) = self.seller.sold(*link)?;
            let (credit, debt) = (self.seller.credit_of(*link), self.seller.debt_of(*link));
            Some(SellerView { link: *link, bytes, charged, credit, debt })
        };
        let promised =
            self.buyer.promised().fold(0_u128, |sum, promise| sum.saturating_add(promise.amount.0));
        let (earned, claimed) = self.seller.earned();
        PayView {
            buying: self.gates.keys().filter_map(buys).filter(|view| view.bytes > 0).collect(),
            selling: self.gates.keys().filter_map(sells).filter(|view| view.bytes > 0).collect(),
            promised: Amount(promised),
            earned,
            claimed,
            claims: self.seller.claims(),
            owed: self.seller.debts(),
        }
    }

    /// Claims everything that is worth its fee, because the user asked for it.
    pub fn claim(&mut self, now: Time) {
        self.advance(now);
        self.seller.claim_all(&mut self.desk);
    }

    /// Claims every session of which more than `least` is open, because the user asked for it and
    /// knows the fee.
    pub fn claim_above(&mut self, now: Time, least: Amount) {
        self.advance(now);
        self.seller.claim_above(&mut self.desk, least);
    }

    /// Takes what happened.
    pub fn handle(&mut self, now: Time, input: Input) {
        self.advance(now);
        let desk = &mut self.desk;
        match input {
            Input::Clock(date) => {
                desk.clock = Some(desk.clock.unwrap_or_default().max(date));
                self.buyer.clock(desk);
                self.seller.clock(desk);
            }
            Input::BuyingOn(buying) => self.buyer.switch_on(desk, *buying),
            Input::BuyingOff => self.buyer.switch_off(desk),
            Input::BuyContent(wanted) => self.buyer.want(desk, wanted),
            Input::SellingOn(selling) => self.seller.switch_on(desk, *selling),
            Input::SellingOff => self.seller.switch_off(desk),
            Input::LinkOpened { link, terms } => self.open(link, &terms),
            Input::LinkClosed(link) => self.close(link),
            Input::Message { link, payload } => self.message(link, &payload),
            Input::Wants { link, urgent, unit } => self.buyer.wants(desk, link, urgent, unit),
            Input::Served { link, unchoked } => self.buyer.served(link, unchoked),
            Input::BytesReceived { link, bytes } => self.buyer.received(desk, link, bytes),
            Input::BytesVerified { link, bytes } => self.buyer.verified(desk, link, bytes),
            Input::BytesBad(link) => self.buyer.bad(desk, link),
            Input::BytesSent { link, bytes } => self.seller.sent(desk, link, bytes),
            Input::Interest { link, interested } => self.seller.interest(desk, link, interested),
            Input::Reciprocates { link, enough } => self.seller.reciprocates(link, enough),
            Input::Answered { job, answer } => self.answered(job, answer),
        }
    }

    /// Returns the next thing to do. Call until it answers `Sleep`; payment stalls otherwise.
    pub fn next(&mut self, now: Time) -> Step {
        self.advance(now);
        loop {
            if let Some(step) = self.desk.steps.pop_front() {
                if let Some(step) = self.permitted(step) {
                    return step;
                }
                continue;
            }
            let Some(timer) = self.desk.timers.due(self.desk.now) else {
                let first = self.desk.timers.first();
                return Step::Sleep(first.map(|(at, timer)| Wake { at, why: timer.name() }));
            };
            self.ring(timer);
        }
    }

    /// A voucher that waits to be signed when the kill switch comes is not signed.
    fn permitted(&mut self, step: Step) -> Option<Step> {
        let Step::Do(Action::Sign { job, voucher }) = &step else { return Some(step) };
        if self.buyer.is_on().is_some_and(|buying| buying.grant == voucher.grant) {
            return Some(step);
        }
        // A purchase rests already since the switch came.
        if let Some(Job::SignVoucher(account)) = self.desk.answered(*job) {
            self.buyer.unsigned(account);
        }
        None
    }

    fn advance(&mut self, now: Time) {
        self.desk.now = now.max(self.desk.now);
    }

    fn ring(&mut self, timer: Timer) {
        let desk = &mut self.desk;
        match timer {
            Timer::Sale => self.seller.sale(desk),
            Timer::Search => self.buyer.search(desk),
            Timer::Claims => self.seller.retry_claims(desk),
            Timer::Keys => self.buyer.keys_due(desk),
            Timer::Flood(link) => {
                if let Some(gate) = self.gates.get_mut(&link) {
                    gate.heard = 0;
                }
                self.seller.round(link);
            }
            Timer::Offer(link) => self.seller.offer_ran_out(desk, link),
            Timer::Offered(link) => self.buyer.offer_ran_out(link),
            Timer::Award(link) => self.buyer.award_ran_out(desk, link),
            Timer::Grace(link) => self.seller.grace_ran_out(desk, link),
            Timer::View(link) => self.seller.view(desk, link),
        }
    }

    fn open(&mut self, link: LinkId, terms: &Bytes) {
        // Terms that cannot be read are as good as none.
        let Ok(Some(terms)) = PayTerms::decode(terms) else { return };
        match self.gates.get(&link) {
            // A handshake may come again, once somebody begins to sell.
            Some(gate) if gate.shut => {}
            Some(_) => self.buyer.opened(&mut self.desk, link, &terms),
            None if self.gates.len() >= limit::LINKS_MAX => {}
            None => {
                self.gates.insert(link, Gate::default());
                self.buyer.opened(&mut self.desk, link, &terms);
                self.seller.opened(&mut self.desk, link, terms);
            }
        }
    }

    fn close(&mut self, link: LinkId) {
        self.gates.remove(&link);
        self.buyer.closed(&mut self.desk, link);
        self.seller.closed(&mut self.desk, link);
        Timer::of_link(link).into_iter().for_each(|timer| self.desk.timers.clear(timer));
    }

    fn message(&mut self, link: LinkId, payload: &[u8]) {
        let Some(gate) = self.gates.get_mut(&link).filter(|gate| !gate.shut) else { return };
        gate.heard += 1;
        let heard = gate.heard;
        self.desk.timers.start(Timer::Flood(link), self.desk.now + limit::ROUND);
        if heard > limit::MESSAGES_PER_ROUND {
            self.shut(link, EndCode::Flood);
            return;
        }
        let verdict = match PayMessage::decode(payload) {
            Ok(Some(message)) => self.heard(link, message),
            Ok(None) => Verdict::Fine,
            Err(_) => Verdict::Strike,
        };
        self.judge(link, verdict);
    }

    fn heard(&mut self, link: LinkId, message: PayMessage) -> Verdict {
        let desk = &mut self.desk;
        match message {
            PayMessage::Offer(offer) => return self.buyer.offer(desk, link, offer),
            PayMessage::Bid(bid) => return self.seller.bid(desk, link, *bid),
            PayMessage::Award(award) => return self.buyer.award(desk, link, award),
            PayMessage::Refuse { code } => self.buyer.refused(desk, link, code),
            PayMessage::Voucher { amount, sig, bytes } => {
                let price = Amount(0);
                return self.seller.voucher(desk, Taken { link, amount, price, sig }, bytes);
            }
            PayMessage::Receipt { bytes, .. } => self.buyer.receipt(desk, link, bytes),
            PayMessage::Due { .. } => self.buyer.due(desk, link),
            // To lock a deposit costs as much as to claim it, so that nothing here asks for that.
            PayMessage::Reserve { .. } => {}
            PayMessage::Buy(buy) => return self.seller.buy(desk, link, *buy),
            PayMessage::Key { content, sealed } => self.buyer.key(desk, link, content, sealed),
            PayMessage::Deny { content, price, code } => {
                self.buyer.denied(desk, link, (content, price), code);
            }
            PayMessage::End { code } => {
                self.buyer.ended(desk, link, code);
                self.seller.ended(desk, link, code);
            }
        }
        Verdict::Fine
    }

    fn judge(&mut self, link: LinkId, verdict: Verdict) {
        let Some(gate) = self.gates.get_mut(&link).filter(|_| verdict == Verdict::Strike) else {
            return;
        };
        gate.strikes += 1;
        if gate.strikes >= limit::STRIKES_MAX {
            self.shut(link, EndCode::Strikes);
        }
    }

    /// Ends payment over a link for as long as it lives.
    fn shut(&mut self, link: LinkId, code: EndCode) {
        let Some(gate) = self.gates.get_mut(&link).filter(|gate| !gate.shut) else { return };
        gate.shut = true;
        self.desk.end(link, code);
        self.buyer.cut(&mut self.desk, link);
        self.seller.cut(&mut self.desk, link);
    }

    fn answered(&mut self, id: JobId, answer: Answer) {
        let Some(job) = self.desk.answered(id) else { return };
        let desk = &mut self.desk;
        match (job, answer) {
            (Job::StorePromise(account), Answer::Stored) => self.buyer.stored(desk, account),
            (Job::SignVoucher(account), Answer::Signed(sig)) => {
                self.buyer.signed(desk, account, sig);
            }
            (Job::CheckGrant(link), Answer::Verified(signer)) => {
                let verdict = self.seller.grant_checked(desk, (link, id), signer);
                self.judge(link, verdict);
            }
            (Job::View(link), Answer::AccountSeen(view)) => {
                self.seller.viewed(desk, (link, id), Some(view));
            }
            (Job::CheckVoucher(session, taken), Answer::Verified(signer)) => {
                let verdict = self.seller.voucher_checked(desk, session, taken, signer);
                self.judge(taken.link, verdict);
            }
            (Job::StoreCredit(session, taken), Answer::Stored) => {
                self.seller.credited(desk, session, taken);
            }
            (Job::Claim(session, amount), Answer::ClaimDone(claimed)) => {
                self.seller.claimed(desk, session, amount, claimed);
            }
            (Job::StorePurchase(of), Answer::Stored) => self.buyer.purchase_stored(desk, of),
            (Job::SignPurchase(of), Answer::Signed(sig)) => {
                self.buyer.purchase_signed(desk, of, sig);
            }
            (Job::Unseal(of), Answer::Opened(is_it)) => self.buyer.opened_key(desk, of, is_it),
            (Job::StoreDone(of), Answer::Stored) => self.buyer.purchase_done(desk, of),
            (Job::Key(link), answer) => {
                let verdict = self.seller.key_answered(desk, (link, id), answer);
                self.judge(link, verdict);
            }
            (job, Answer::Failed(why)) => self.failed(id, job, why),
            (job, _) => self.failed(id, job, JobFailure::Refused),
        }
    }

    fn failed(&mut self, id: JobId, job: Job, why: JobFailure) {
        let desk = &mut self.desk;
        match job {
            Job::StorePromise(account) | Job::SignVoucher(account) => {
                self.buyer.failed(desk, account, why);
            }
            Job::CheckGrant(link) => {
                self.seller.grant_unchecked(desk, link, id);
            }
            Job::View(link) => self.seller.viewed(desk, (link, id), None),
            Job::CheckVoucher(session, taken) | Job::StoreCredit(session, taken) => {
                self.seller.credit_failed(desk, session, taken.link, why);
            }
            Job::Claim(session, _) => self.seller.claim_failed(desk, session, why),
            Job::StorePurchase(of) => self.buyer.purchase_unstored(desk, of, why),
            Job::SignPurchase(of) => self.buyer.purchase_unsigned(desk, of, why),
            Job::Unseal(of) => self.buyer.unopened_key(desk, of, why),
            // Its own record says the same, and is asked about after the next start.
            Job::StoreDone(_) | Job::StoreOther | Job::Key(_) => {}
        }
    }
}
