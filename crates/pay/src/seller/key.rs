//! Keys of contents for vouchers. A key leaves only after the voucher that pays for it, and who
//! bought it, are stored; who bought once gets it again. The key itself is never seen here.

use headwater_base::{Address, Amount, JobId, LinkId, UnixTime};
use headwater_wire::extended::{Buy, ContentId, PayMessage, Rail, RefuseCode};

use crate::desk::{Desk, Job, Taken, Verdict};
use crate::{AccountView, Action, Answer, Event, GrantId, Promise, Record, Signed, limit};

use super::Seller;
use super::payer::{PayerId, backing};

/// Who bought what.
pub(crate) type SoldId = (Rail, Address, ContentId);

/// A key that was sold, and what paid for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sold {
    session: GrantId,
    amount: Amount,
    expiry: UnixTime,
    /// The voucher is known to be stored too.
    settled: bool,
}

/// Somebody who asks for a key.
#[derive(Debug)]
pub(super) struct Asking {
    buy: Buy,
    session: GrantId,
    stage: Stage,
    /// The price that is paid now.
    paid: Amount,
    /// What the vault says of the buyer.
    view: Option<AccountView>,
}

/// How far it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Who signed the grant.
    Grant(JobId),
    /// Who signed the voucher.
    Voucher(JobId),
    /// What backs it.
    View(JobId),
    /// Another voucher of the session is being stored.
    Waits,
    /// Who bought is being stored.
    Sold(JobId),
    /// The voucher is being stored.
    Credit,
    /// The key is being sealed.
    Seal(JobId),
}

impl Sold {
    /// A sale as it was stored.
    pub(crate) fn new(session: GrantId, amount: Amount, expiry: UnixTime) -> Self {
        Self { session, amount, expiry, settled: false }
    }

    fn claimable_until(&self) -> u64 {
        self.expiry.0.saturating_add(limit::CLAIM_WINDOW_SECONDS)
    }
}

impl Asking {
    fn payer(&self) -> PayerId {
        (self.buy.rail, self.buy.grant.owner)
    }

    fn sold_id(&self) -> SoldId {
        (self.buy.rail, self.buy.grant.owner, self.buy.content)
    }

    fn taken(&self, link: LinkId) -> Taken {
        let Buy { amount, sig, .. } = self.buy;
        Taken { link, amount, price: self.paid, sig }
    }

    /// Something is being stored that must be heard of, though the link is gone.
    fn is_storing(&self) -> bool {
        matches!(self.stage, Stage::Sold(_) | Stage::Credit)
    }

    fn awaits(&self, job: JobId) -> bool {
        let jobs = [
            Stage::Grant(job),
            Stage::Voucher(job),
            Stage::View(job),
            Stage::Sold(job),
            Stage::Seal(job),
        ];
        jobs.contains(&self.stage)
    }
}

impl Seller {
    /// Takes a stored sale back.
    pub(crate) fn restore_sold(&mut self, id: SoldId, sold: Sold) {
        self.sold.insert(id, sold);
    }

    /// Somebody wants a key. The same question again changes nothing.
    pub(crate) fn buy(&mut self, desk: &mut Desk, link: LinkId, buy: Buy) -> Verdict {
        if !self.counters.contains_key(&link) {
            return Verdict::Fine;
        }
        if buy.amount > buy.grant.cap {
            return Verdict::Strike;
        }
        match self.asking.get(&link) {
            Some(known) if known.buy == buy => return Verdict::Fine,
            Some(known) if known.is_storing() => {
                return deny(desk, link, &buy, RefuseCode::Busy);
            }
            Some(_) | None => {}
        }
        if let Err(code) = self.judge_buy(desk, link, &buy) {
            return deny(desk, link, &buy, code);
        }
        if let Some(counter) = self.counters.get_mut(&link) {
            counter.grants_lately += 1;
        }
        let session = GrantId::of(&buy.rail, &buy.grant);
        let asking = Asking { buy, session, stage: Stage::Waits, paid: Amount(0), view: None };
        self.asking.insert(link, asking);
        // The grant of a session that is known was looked at.
        let known = self.credits.contains_key(&session);
        let Buy { rail, grant, grant_sig, .. } = buy;
        if known {
            self.check_buy(desk, link)
        } else {
            let of = Box::new(Signed::Grant { rail, grant });
            self.begin(desk, link, Stage::Grant, |job| Action::Verify { job, of, sig: grant_sig })
        }
    }

    /// What can be said of a question without asking anybody.
    fn judge_buy(&self, desk: &Desk, link: LinkId, buy: &Buy) -> Result<(), RefuseCode> {
        let selling = self.on.as_ref().ok_or(RefuseCode::Busy)?;
        let price = price_of(&selling.contents, buy.content).ok_or(RefuseCode::Content)?;
        if !selling.rails.contains(&buy.rail) {
            return Err(RefuseCode::Rail);
        }
        let date = desk.clock.ok_or(RefuseCode::Busy)?;
        let left = buy.grant.expiry.0.saturating_sub(date.0);
        if !(limit::SESSION_SECONDS_MIN..=limit::SESSION_SECONDS_MAX).contains(&left) {
            return Err(RefuseCode::Expiry);
        }
        // Nothing at all asks for what was bought before.
        if buy.price.0 > 0 && buy.price < price {
            return Err(RefuseCode::Price);
        }
        let session = self.credits.get(&GrantId::of(&buy.rail, &buy.grant));
        let other = session.is_some_and(|credit| credit.voucher.payee != selling.payee);
        let asked = self.counters.get(&link).map_or(0, |counter| counter.grants_lately);
        if other || asked >= limit::GRANTS_PER_ROUND { Err(RefuseCode::Busy) } else { Ok(()) }
    }

    /// Opens a job for the question of a link.
    fn begin(
        &mut self,
        desk: &mut Desk,
        link: LinkId,
        stage: fn(JobId) -> Stage,
        action: impl FnOnce(JobId) -> Action,
    ) -> Verdict {
        let Some(job) = desk.job(Job::Key(link)) else {
            return self.deny_buy(desk, link, RefuseCode::Busy);
        };
        if let Some(asking) = self.asking.get_mut(&link) {
            asking.stage = stage(job);
            desk.act(action(job));
        }
        Verdict::Fine
    }

    fn deny_buy(&mut self, desk: &mut Desk, link: LinkId, code: RefuseCode) -> Verdict {
        let Some(asking) = self.asking.remove(&link) else { return Verdict::Fine };
        deny(desk, link, &asking.buy, code)
    }

    /// A job for the question of a link was answered.
    pub(crate) fn key_answered(
        &mut self,
        desk: &mut Desk,
        (link, job): (LinkId, JobId),
        answer: Answer,
    ) -> Verdict {
        let Some(asking) = self.asking.get(&link).filter(|asking| asking.awaits(job)) else {
            return Verdict::Fine;
        };
        let grant = asking.buy.grant;
        match (asking.stage, answer) {
            (Stage::Grant(_), Answer::Verified(Some(signer))) if signer == grant.owner => {
                self.check_buy(desk, link)
            }
            (Stage::Voucher(_), Answer::Verified(Some(signer))) if signer == grant.key => {
                self.buy_checked(desk, link)
            }
            (Stage::Grant(_) | Stage::Voucher(_), Answer::Verified(_)) => {
                self.deny_buy(desk, link, RefuseCode::BadSignature)
            }
            (Stage::View(_), Answer::AccountSeen(view)) => {
                if let Some(asking) = self.asking.get_mut(&link) {
                    asking.view = Some(view);
                }
                self.charge(desk, link)
            }
            (Stage::Sold(_), Answer::Stored) => self.sold_stored(desk, link),
            (Stage::Seal(_), Answer::Sealed(sealed)) => self.give(desk, link, sealed),
            (Stage::Sold(_), _) => {
                self.free_credit(desk, link);
                self.deny_buy(desk, link, RefuseCode::Busy)
            }
            _ => self.deny_buy(desk, link, RefuseCode::Busy),
        }
    }

    /// The grant is good: who signed the voucher?
    fn check_buy(&mut self, desk: &mut Desk, link: LinkId) -> Verdict {
        let Some((voucher, sig)) = self.voucher_of(link) else { return Verdict::Fine };
        let of = Box::new(Signed::Voucher(voucher));
        self.begin(desk, link, Stage::Voucher, |job| Action::Verify { job, of, sig })
    }

    fn voucher_of(&self, link: LinkId) -> Option<(Promise, headwater_base::Signature)> {
        let payee = self.on.as_ref()?.payee;
        let Buy { rail, grant, amount, sig, .. } = self.asking.get(&link)?.buy;
        Some((Promise { rail, grant, payee, amount }, sig))
    }

    /// Both signatures are good.
    fn buy_checked(&mut self, desk: &mut Desk, link: LinkId) -> Verdict {
        let Some(asking) = self.asking.get(&link) else { return Verdict::Fine };
        let (id, session, buy) = (asking.payer(), asking.session, asking.buy);
        if self.has_bought(desk, asking.sold_id()) {
            return self.seal(desk, link);
        }
        if buy.price.0 == 0 {
            return self.deny_buy(desk, link, RefuseCode::Price);
        }
        if self.overissuers.contains(&id) {
            return self.deny_buy(desk, link, RefuseCode::NoFunds);
        }
        let full = self.sold.len() >= limit::SOLD_MAX && !self.forget_oldest(desk);
        let payee = self.on.as_ref().map(|selling| selling.payee);
        let (Some(payee), false) = (payee, full) else {
            return self.deny_buy(desk, link, RefuseCode::Busy);
        };
        if !self.admit(id, session, &buy.grant, buy.grant_sig) {
            return self.deny_buy(desk, link, RefuseCode::Busy);
        }
        let Buy { rail, grant, .. } = buy;
        self.begin(desk, link, Stage::View, |job| Action::ViewAccount { job, rail, grant, payee })
    }

    fn has_bought(&self, desk: &Desk, id: SoldId) -> bool {
        let Some(sold) = self.sold.get(&id) else { return false };
        let credit = self.credits.get(&sold.session);
        // Of a session that long is over, nothing else is kept.
        let over = desk.clock.is_some_and(|date| date.0 > sold.claimable_until());
        sold.settled || over || credit.is_some_and(|known| known.voucher.amount >= sold.amount)
    }

    /// Makes room for a sale. Answers whether there is any.
    fn forget_oldest(&mut self, desk: &mut Desk) -> bool {
        let oldest = self.sold.iter().min_by_key(|(_, sold)| sold.expiry);
        let over = |sold: &Sold| desk.clock.is_some_and(|date| date.0 > sold.claimable_until());
        let Some((id, sold)) = oldest.filter(|(_, sold)| over(sold)).map(|(id, sold)| (*id, *sold))
        else {
            return false;
        };
        desk.act(Action::Forget(record(id, &sold).key()));
        self.sold.remove(&id);
        true
    }

    /// Takes the price, if the voucher has it and something backs it.
    fn charge(&mut self, desk: &mut Desk, link: LinkId) -> Verdict {
        let Some(asking) = self.asking.get_mut(&link) else { return Verdict::Fine };
        let (id, buy, session, sold) =
            (asking.payer(), asking.buy, asking.session, asking.sold_id());
        let Some(view) = asking.view else { return Verdict::Fine };
        let Some(credit) = self.credits.get_mut(&session) else {
            return self.deny_buy(desk, link, RefuseCode::Busy);
        };
        if credit.is_busy() {
            asking.stage = Stage::Waits;
            return Verdict::Fine;
        }
        credit.seen(view.claimed);
        let more = buy.amount.0.saturating_sub(credit.voucher.amount.0);
        if self.has_bought(desk, sold) {
            return self.seal(desk, link);
        }
        // A voucher that took the price along came before, if what was paid ahead is as much.
        let ahead =
            self.payers.get(&id).map_or(0, |payer| payer.paid.0.saturating_sub(payer.charged.0));
        if more < buy.price.0 && ahead.saturating_add(more) < buy.price.0 {
            return self.deny_buy(desk, link, RefuseCode::Price);
        }
        let exposure = Amount(self.unclaimed(id).0.saturating_add(more));
        let free = backing(&view, &buy.grant);
        if free < exposure {
            let (rail, owner) = id;
            desk.tell(Event::Insolvent { rail, owner, free, exposure });
            return self.deny_buy(desk, link, RefuseCode::NoFunds);
        }
        if self.on.as_ref().is_none_or(|selling| exposure > selling.max_unsecured) {
            self.review_claims(desk);
            return self.deny_buy(desk, link, RefuseCode::Busy);
        }
        let entry = Sold::new(session, buy.amount, buy.grant.expiry);
        if let Some(credit) = self.credits.get_mut(&session) {
            credit.hold();
        }
        if let Some(asking) = self.asking.get_mut(&link) {
            asking.paid = buy.price;
        }
        let (key, bytes) = (record(sold, &entry).key(), record(sold, &entry).encode());
        self.begin(desk, link, Stage::Sold, |job| Action::Store { job, key, bytes })
    }

    /// Who bought is stored; it counts once the voucher is.
    fn sold_stored(&mut self, desk: &mut Desk, link: LinkId) -> Verdict {
        let Some(asking) = self.asking.get_mut(&link) else { return Verdict::Fine };
        asking.stage = Stage::Credit;
        let (session, id, buy) = (asking.session, asking.sold_id(), asking.buy);
        let taken = asking.taken(link);
        self.sold.insert(id, Sold::new(session, buy.amount, buy.grant.expiry));
        self.store_credit(desk, session, taken);
        Verdict::Fine
    }

    /// A voucher counts, or there was nothing to store: whoever it pays for gets its key.
    pub(super) fn credit_stored(&mut self, desk: &mut Desk, session: GrantId) {
        for link in self.askers(session) {
            let Some(asking) = self.asking.get(&link) else { continue };
            if asking.stage == Stage::Waits && asking.view.is_some() {
                self.charge(desk, link);
            } else if asking.stage == Stage::Credit {
                let id = asking.sold_id();
                if let Some(sold) = self.sold.get_mut(&id) {
                    sold.settled = true;
                }
                self.seal(desk, link);
            }
        }
    }

    /// A voucher was not stored.
    pub(super) fn credit_unstored(&mut self, desk: &mut Desk, session: GrantId) {
        for link in self.askers(session) {
            match self.asking.get(&link).map(|asking| asking.stage) {
                Some(Stage::Credit) => drop(self.deny_buy(desk, link, RefuseCode::Busy)),
                Some(Stage::Waits) => drop(self.charge(desk, link)),
                _ => {}
            }
        }
    }

    fn askers(&self, session: GrantId) -> Vec<LinkId> {
        let of_session = |(_, asking): &(&LinkId, &Asking)| asking.session == session;
        self.asking.iter().filter(of_session).map(|(link, _)| *link).collect()
    }

    fn free_credit(&mut self, desk: &mut Desk, link: LinkId) {
        let Some(session) = self.asking.get(&link).map(|asking| asking.session) else { return };
        self.release_credit(desk, session);
    }

    fn seal(&mut self, desk: &mut Desk, link: LinkId) -> Verdict {
        let content = self.asking.get(&link).map(|asking| asking.buy.content);
        let (Some((voucher, sig)), Some(content)) = (self.voucher_of(link), content) else {
            return self.deny_buy(desk, link, RefuseCode::Busy);
        };
        let voucher = Box::new(voucher);
        self.begin(desk, link, Stage::Seal, |job| Action::Seal { job, content, voucher, sig })
    }

    fn give(
        &mut self,
        desk: &mut Desk,
        link: LinkId,
        sealed: [u8; headwater_wire::extended::SEALED_LEN],
    ) -> Verdict {
        let Some(asking) = self.asking.remove(&link) else { return Verdict::Fine };
        let (Buy { rail, grant, content, .. }, amount) = (asking.buy, asking.paid);
        desk.send(link, &PayMessage::Key { content, sealed });
        desk.tell(Event::KeySold { rail, owner: grant.owner, content, amount });
        Verdict::Fine
    }

    /// A link is gone, or payment over it ended. What is being stored is still waited for.
    pub(super) fn leave_asker(&mut self, link: LinkId) {
        if self.asking.get(&link).is_some_and(|asking| !asking.is_storing()) {
            self.asking.remove(&link);
        }
    }
}

/// Denies a key. Only a signature that is not what it must be breaks the rules.
fn deny(desk: &mut Desk, link: LinkId, buy: &Buy, code: RefuseCode) -> Verdict {
    let Buy { content, price, .. } = *buy;
    desk.send(link, &PayMessage::Deny { content, price, code });
    if code == RefuseCode::BadSignature { Verdict::Strike } else { Verdict::Fine }
}

fn record((rail, owner, content): SoldId, sold: &Sold) -> Record {
    let Sold { session, amount, expiry, .. } = *sold;
    Record::Sold { rail, owner, content, session, amount, expiry }
}

fn price_of(contents: &[(ContentId, Amount)], content: ContentId) -> Option<Amount> {
    contents.iter().find(|(id, _)| *id == content).map(|(_, price)| *price)
}
