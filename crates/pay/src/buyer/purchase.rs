//! Keys of contents. A seller is first asked whether it was bought before; only then the price is
//! promised, stored and signed, once in a session however often it is asked again.

use headwater_base::{Address, Amount, LinkId, Set, Signature, Time};
use headwater_wire::extended::{
    Buy, ContentId, Grant, PayMessage, PayTerms, RefuseCode, SEALED_LEN,
};

use crate::desk::{Account, Desk, Job, PurchaseId};
use crate::timer::Timer;
use crate::{Action, Event, GrantId, JobFailure, Promise, Record, Wanted, WhyNot, limit};

use super::Buyer;
use super::pledge::Pledge;

/// The key of one content, on its way.
#[derive(Debug)]
pub(super) struct Purchase {
    wanted: Wanted,
    grant: Grant,
    paid: Paid,
    stage: Stage,
    /// The link that is asked.
    link: Option<LinkId>,
    /// When it was.
    since: Time,
    /// The link that did not answer last: the next one is asked.
    mute: Option<LinkId>,
    /// What the voucher that goes along promises in all.
    signs: Amount,
    /// Links over which it is not to be had.
    barren: Set<LinkId>,
    /// How often it got no further in time.
    tries: u32,
}

/// Whether the price is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Paid {
    /// Not in this session; whether in another one, the seller is asked.
    Unknown,
    /// The seller says that it never was.
    No,
    /// It is, and that is stored.
    Yes,
}

/// How far it got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Paid for, and nobody asks for it until the user does, or the session goes on.
    Rests,
    /// Waits for a link, or until its payee is promised nothing else.
    Waits,
    /// The seller has no time. Left at the next try.
    Rebuffed,
    /// The promise is being stored.
    Storing,
    /// The voucher is being signed.
    Signing,
    /// The seller was asked.
    Asked,
    /// What came is being opened.
    Opening,
    /// The key is here.
    Done,
    /// What came was not the key. Never left.
    Cheated,
}

impl Purchase {
    fn new(wanted: Wanted, grant: Grant, paid: Paid) -> Self {
        Self {
            wanted,
            grant,
            paid,
            stage: Stage::Waits,
            link: None,
            since: Time::ZERO,
            mute: None,
            signs: Amount(0),
            barren: Set::new(),
            tries: 0,
        }
    }

    /// Goes on, as if nobody was asked before.
    fn wake(&mut self) {
        (self.stage, self.mute, self.tries) = (Stage::Waits, None, 0);
        self.barren = Set::new();
    }

    /// Its record, or one of the same key.
    fn record(&self, payee: Address) -> Record {
        let Wanted { content, price, rail, .. } = self.wanted;
        let promise = Promise { rail, grant: self.grant, payee, amount: Amount(0) };
        Record::Purchase { promise, content, price }
    }

    /// Something is under way for it, so that nothing else of its payee may be.
    fn is_under_way(&self) -> bool {
        matches!(self.stage, Stage::Storing | Stage::Signing | Stage::Asked | Stage::Opening)
    }

    /// The price that the seller is told.
    fn named(&self) -> Amount {
        if self.paid == Paid::Yes { self.wanted.price } else { Amount(0) }
    }

    fn is_active(&self) -> bool {
        !matches!(self.stage, Stage::Rests | Stage::Done | Stage::Cheated)
    }

    /// Whether vouchers for anything else must wait: they would take the price along, and the
    /// seller could not tell what it was for.
    fn holds_vouchers(&self) -> bool {
        self.paid == Paid::Yes && self.is_active()
    }
}

impl Buyer {
    /// Takes a stored purchase back. It goes on with its session.
    pub(crate) fn restore_purchase(&mut self, promise: Promise, content: ContentId, price: Amount) {
        let Promise { rail, grant, payee, .. } = promise;
        self.restore(promise);
        let wanted = Wanted { content, price, payee, rail };
        let mut purchase = Purchase::new(wanted, grant, Paid::Yes);
        purchase.stage = Stage::Rests;
        self.purchases.insert(((GrantId::of(&rail, &grant), payee), content), purchase);
    }

    /// The user wants a key.
    pub(crate) fn want(&mut self, desk: &mut Desk, wanted: Wanted) {
        let content = wanted.content;
        let not = |desk: &mut Desk, why| desk.tell(Event::NotBought { content, why });
        let Some((session, buying)) = &self.on else { return not(desk, WhyNot::Off) };
        if wanted.rail != buying.rail {
            return not(desk, WhyNot::Rail);
        }
        let (grant, id) = (buying.grant, ((*session, wanted.payee), content));
        let full = self.purchases.len() >= limit::CONTENTS_MAX;
        match self.purchases.get_mut(&id) {
            Some(Purchase { stage: Stage::Cheated, .. }) => return not(desk, WhyNot::WrongKey),
            Some(known) if known.is_active() => return,
            Some(known) => known.wake(),
            None if full => return not(desk, WhyNot::Busy),
            None => drop(self.purchases.insert(id, Purchase::new(wanted, grant, Paid::Unknown))),
        }
        self.pursue_all(desk);
    }

    /// Goes on with whatever was paid for in this session.
    pub(super) fn resume_purchases(&mut self, desk: &mut Desk) {
        let session = self.on.as_ref().map(|(session, _)| *session);
        let resting = |((account, _), purchase): &(&PurchaseId, &mut Purchase)| {
            purchase.stage == Stage::Rests && Some(account.0) == session
        };
        self.purchases.iter_mut().filter(resting).for_each(|(_, purchase)| purchase.wake());
        self.pursue_all(desk);
    }

    /// Ends every purchase with its session. What was paid for can be had in it later.
    pub(super) fn rest_purchases(&mut self, desk: &mut Desk) {
        desk.timers.clear(Timer::Keys);
        for id in self.purchase_ids() {
            let active = self.purchases.get(&id).is_some_and(Purchase::is_active);
            // What is being stored is promised once it is.
            if active {
                self.give_up(desk, id, WhyNot::Off);
            }
        }
    }

    /// A link's peer says whom to pay.
    pub(super) fn meet_seller(&mut self, desk: &mut Desk, link: LinkId, terms: &PayTerms) {
        if terms.payee.is_none() {
            self.sellers.remove(&link);
            return;
        }
        self.sellers.insert(link, terms.clone());
        self.pursue_all(desk);
    }

    /// A link is gone, or payment over it ended: what was asked there is asked elsewhere.
    pub(super) fn leave_seller(&mut self, desk: &mut Desk, link: LinkId) {
        self.sellers.remove(&link);
        for purchase in self.purchases.values_mut() {
            purchase.barren.remove(&link);
            if purchase.link == Some(link) && purchase.stage == Stage::Asked {
                purchase.stage = Stage::Waits;
            }
        }
        self.pursue_all(desk);
    }

    /// Whether any key is being bought.
    pub(crate) fn wants_keys(&self) -> bool {
        self.on.is_some() && self.purchases.values().any(Purchase::is_active)
    }

    /// Whether a key of this payee is paid for and did not come yet.
    pub(super) fn awaits_key(&self, account: Account) -> bool {
        self.purchases.iter().any(|((of, _), purchase)| *of == account && purchase.holds_vouchers())
    }

    /// Goes on with every purchase that waits.
    pub(super) fn pursue_all(&mut self, desk: &mut Desk) {
        if self.purchases.is_empty() {
            return;
        }
        for id in self.purchase_ids() {
            self.pursue(desk, id);
        }
        self.watch(desk);
    }

    fn watch(&self, desk: &mut Desk) {
        if self.wants_keys() {
            desk.timers.start(Timer::Keys, desk.now + limit::KEY_WAIT);
        }
    }

    fn purchase_ids(&self) -> Vec<PurchaseId> {
        self.purchases.keys().copied().collect()
    }

    fn pursue(&mut self, desk: &mut Desk, id: PurchaseId) {
        let (account, _) = id;
        let current = self.on.as_ref().is_some_and(|(session, _)| *session == account.0);
        // One after the other: a seller could not tell what a voucher for two of them is for.
        let busy = self.purchases.iter().any(|(of, other)| {
            let others = of.0 == account && *of != id;
            others && (other.is_under_way() || other.holds_vouchers())
        });
        let Some(purchase) = self.purchases.get(&id) else { return };
        if !current || busy || purchase.stage != Stage::Waits {
            return;
        }
        let Some(link) = self.seller_of(purchase) else { return };
        if !self.pledge_for(id) {
            return self.give_up(desk, id, WhyNot::Busy);
        }
        let Some(purchase) = self.purchases.get_mut(&id) else { return };
        purchase.link = Some(link);
        match purchase.paid {
            Paid::No => self.promise_price(desk, id, link),
            Paid::Unknown | Paid::Yes => self.sign_question(desk, id),
        }
    }

    /// A link that leads to the payee: the next one after the one that was silent.
    fn seller_of(&self, purchase: &Purchase) -> Option<LinkId> {
        let Wanted { payee, rail, .. } = purchase.wanted;
        let sells = |(link, terms): &(&LinkId, &PayTerms)| {
            let known = terms.payee == Some(payee) && terms.rails.contains(&rail);
            known && !purchase.barren.contains(link)
        };
        let links = || self.sellers.iter().filter(sells).map(|(link, _)| *link);
        links().find(|link| purchase.mute < Some(*link)).or_else(|| links().next())
    }

    /// Makes room for what is promised to the payee. Answers whether there is any.
    fn pledge_for(&mut self, id: PurchaseId) -> bool {
        let ((account, _), Some(purchase)) = (id, self.purchases.get(&id)) else { return false };
        let Wanted { payee, rail, .. } = purchase.wanted;
        let (grant, full) = (purchase.grant, self.pledges.len() >= limit::RECORDS_MAX);
        if full && !self.pledges.contains_key(&account) {
            return false;
        }
        let promise = Promise { rail, grant, payee, amount: Amount(0) };
        self.pledges.entry(account).or_insert_with(|| Pledge::new(promise));
        true
    }

    fn promise_price(&mut self, desk: &mut Desk, id: PurchaseId, link: LinkId) {
        let (account, content) = id;
        let room = self.session_room();
        let Some(purchase) = self.purchases.get_mut(&id) else { return };
        // What is on its way to the payee goes first; this goes on when it is there.
        let Some(pledge) = self.pledges.get_mut(&account).filter(|pledge| pledge.is_idle()) else {
            return;
        };
        let price = purchase.wanted.price;
        if price > room {
            return self.give_up(desk, id, WhyNot::Cap);
        }
        let amount = Amount(pledge.promise.amount.0.saturating_add(price.0));
        let promise = Promise { amount, ..pledge.promise };
        if desk.store(Job::StorePurchase(id), &Record::Purchase { promise, content, price }) {
            pledge.reserve(link, amount);
            purchase.stage = Stage::Storing;
        }
    }

    /// The price is promised, and that survives a crash.
    pub(crate) fn purchase_stored(&mut self, desk: &mut Desk, id: PurchaseId) {
        let (account, content) = id;
        let current = self.on.as_ref().is_some_and(|(session, _)| *session == account.0);
        if let Some(pledge) = self.pledges.get_mut(&account) {
            pledge.settle_reserved();
        }
        let Some(purchase) = self.purchases.get_mut(&id) else { return };
        purchase.paid = Paid::Yes;
        purchase.stage = if current { Stage::Waits } else { Stage::Rests };
        desk.tell(Event::ContentPaid { content, amount: purchase.wanted.price });
        self.pursue_all(desk);
    }

    /// Nothing was stored, so nothing is promised.
    pub(crate) fn purchase_unstored(&mut self, desk: &mut Desk, id: PurchaseId, why: JobFailure) {
        self.unsigned(id.0);
        if let Some(purchase) = self.purchases.get_mut(&id) {
            purchase.stage = Stage::Waits;
        }
        self.give_up(desk, id, WhyNot::Job(why));
    }

    /// Has a voucher signed that goes with the question.
    fn sign_question(&mut self, desk: &mut Desk, id: PurchaseId) {
        let Some(pledge) = self.pledges.get(&id.0) else { return };
        let voucher = Box::new(pledge.promise);
        let Some(job) = desk.job(Job::SignPurchase(id)) else { return };
        desk.act(Action::Sign { job, voucher });
        if let Some(purchase) = self.purchases.get_mut(&id) {
            (purchase.stage, purchase.signs) = (Stage::Signing, pledge.promise.amount);
        }
    }

    /// The voucher is signed: asks the seller.
    pub(crate) fn purchase_signed(&mut self, desk: &mut Desk, id: PurchaseId, sig: Signature) {
        let Some((session, buying)) = &self.on else { return };
        let Some(purchase) = self.purchases.get_mut(&id) else { return };
        let Some(link) = purchase.link.filter(|_| purchase.stage == Stage::Signing) else { return };
        if *session != id.0.0 {
            return;
        }
        purchase.stage = Stage::Asked;
        purchase.since = desk.now;
        let (Wanted { content, rail, .. }, price) = (purchase.wanted, purchase.named());
        let (grant, grant_sig, amount) = (buying.grant, buying.grant_sig, purchase.signs);
        let buy = Buy { content, price, rail, grant, grant_sig, amount, sig };
        desk.send(link, &PayMessage::Buy(Box::new(buy)));
    }

    /// Nobody signs.
    pub(crate) fn purchase_unsigned(&mut self, desk: &mut Desk, id: PurchaseId, why: JobFailure) {
        self.give_up(desk, id, WhyNot::Job(why));
    }

    /// The seller gives no key.
    pub(crate) fn denied(
        &mut self,
        desk: &mut Desk,
        link: LinkId,
        (content, price): (ContentId, Amount),
        code: RefuseCode,
    ) {
        let Some((id, purchase)) = self.asked(link, content) else { return };
        if purchase.named() != price {
            return;
        }
        match (code, purchase.paid) {
            (RefuseCode::Price, Paid::Unknown) => {
                (purchase.paid, purchase.stage) = (Paid::No, Stage::Waits);
            }
            (RefuseCode::Busy, _) => purchase.stage = Stage::Rebuffed,
            _ => {
                purchase.barren.insert(link);
                purchase.stage = Stage::Waits;
                if self.purchases.get(&id).is_some_and(|known| self.seller_of(known).is_none()) {
                    self.give_up(desk, id, WhyNot::Denied(code));
                }
            }
        }
        self.pursue_all(desk);
    }

    /// A key came. The shell finds out whether it is the right one.
    pub(crate) fn key(
        &mut self,
        desk: &mut Desk,
        link: LinkId,
        content: ContentId,
        sealed: [u8; SEALED_LEN],
    ) {
        let Some((id, purchase)) = self.asked(link, content) else { return };
        if let Some(job) = desk.job(Job::Unseal(id)) {
            purchase.stage = Stage::Opening;
            desk.act(Action::Unseal { job, content, sealed });
        }
    }

    fn asked(&mut self, link: LinkId, content: ContentId) -> Option<(PurchaseId, &mut Purchase)> {
        let asked = |((_, of), purchase): &(&PurchaseId, &mut Purchase)| {
            *of == content && purchase.stage == Stage::Asked && purchase.link == Some(link)
        };
        self.purchases.iter_mut().find(asked).map(|(id, purchase)| (*id, purchase))
    }

    /// What came was opened: it is the key, and kept, or it is not.
    pub(crate) fn opened_key(&mut self, desk: &mut Desk, id: PurchaseId, is_it: bool) {
        let (account, content) = id;
        let Some(purchase) = self.purchases.get_mut(&id) else { return };
        if !is_it {
            let paid = purchase.paid == Paid::Yes;
            purchase.stage = Stage::Cheated;
            if !paid {
                self.purchases.remove(&id);
            }
            desk.tell(Event::NotBought { content, why: WhyNot::WrongKey });
            return self.go_on(desk, account);
        }
        desk.tell(Event::KeyCame { content });
        let paid = purchase.paid == Paid::Yes;
        let promise = self.pledges.get(&account).map(|pledge| pledge.promise);
        let done = promise.filter(|_| paid).map(Record::Promised);
        // Only then its own record is not needed: it held the highest promise.
        if done.is_none_or(|record| !desk.store(Job::StoreDone(id), &record)) {
            self.purchases.remove(&id);
        } else if let Some(purchase) = self.purchases.get_mut(&id) {
            purchase.stage = Stage::Done;
        }
        self.go_on(desk, account);
    }

    /// What came could not be opened or kept.
    pub(crate) fn unopened_key(&mut self, desk: &mut Desk, id: PurchaseId, why: JobFailure) {
        self.give_up(desk, id, WhyNot::Job(why));
    }

    /// The promise is stored with all others: the purchase's own record may go.
    pub(crate) fn purchase_done(&mut self, desk: &mut Desk, id: PurchaseId) {
        // Unless the user asked for it once more.
        let Some(purchase) = self.purchases.get(&id).filter(|known| known.stage == Stage::Done)
        else {
            return;
        };
        desk.act(Action::Forget(purchase.record(id.0.1).key()));
        self.purchases.remove(&id);
    }

    /// Time went by: asks again, or tells that nothing comes.
    pub(crate) fn keys_due(&mut self, desk: &mut Desk) {
        for id in self.purchase_ids() {
            let Some(purchase) = self.purchases.get_mut(&id).filter(|known| known.is_active())
            else {
                continue;
            };
            if purchase.stage == Stage::Asked && desk.now < purchase.since + limit::KEY_WAIT {
                continue;
            }
            purchase.tries += 1;
            if purchase.tries >= limit::KEY_TRIES && purchase.stage != Stage::Storing {
                self.give_up(desk, id, WhyNot::Silent);
            } else if matches!(purchase.stage, Stage::Asked | Stage::Rebuffed) {
                (purchase.stage, purchase.mute) = (Stage::Waits, purchase.link);
            }
        }
        self.pursue_all(desk);
    }

    /// Ends a purchase. One that is paid for rests.
    fn give_up(&mut self, desk: &mut Desk, id: PurchaseId, why: WhyNot) {
        let Some(purchase) = self.purchases.get_mut(&id) else { return };
        desk.tell(Event::NotBought { content: id.1, why });
        match (purchase.stage, purchase.paid) {
            // It is promised once that is stored.
            (Stage::Storing, _) => {}
            (_, Paid::Yes) => purchase.stage = Stage::Rests,
            (_, Paid::Unknown | Paid::No) => drop(self.purchases.remove(&id)),
        }
    }

    /// Goes on with what waited for a purchase to end.
    fn go_on(&mut self, desk: &mut Desk, account: Account) {
        for link in self.links() {
            if self.account(link) == Some(account) {
                self.bid(desk, link);
                self.settle(desk, link, true);
            }
        }
        self.pursue_all(desk);
    }

    /// Forgets purchases whose vouchers nobody can claim any more.
    pub(super) fn forget_old_purchases(&mut self, desk: &mut Desk) {
        let Some(date) = desk.clock else { return };
        self.purchases.retain(|id, purchase| {
            let expiry = purchase.grant.expiry.0;
            let old = date.0 > expiry.saturating_add(limit::CLAIM_WINDOW_SECONDS);
            if old && purchase.paid == Paid::Yes {
                desk.act(Action::Forget(purchase.record(id.0.1).key()));
            }
            !old
        });
    }
}
