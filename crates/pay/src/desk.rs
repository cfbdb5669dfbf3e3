//! What both sides of payment work with: time, the date, steps to take, jobs, timers, chance.

use std::collections::VecDeque;

use headwater_base::{Address, Amount, JobId, LinkId, Map, Rng, Signature, Time, Timers, UnixTime};
use headwater_wire::extended::{ContentId, EndCode, PayMessage};

use crate::timer::Timer;
use crate::{Action, Event, GrantId, Record, Step, Why, limit};

/// What a job was handed out for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    /// A buyer's promise is stored.
    StorePromise(Account),
    /// A buyer's voucher is signed.
    SignVoucher(Account),
    /// The grant of a link's bid is looked at.
    CheckGrant(LinkId),
    /// A payer's account is looked at for a link's bid.
    View(LinkId),
    /// A voucher's signature is looked at.
    CheckVoucher(GrantId, Taken),
    /// A voucher is stored.
    StoreCredit(GrantId, Taken),
    /// A claim of so much is on its way.
    Claim(GrantId, Amount),
    /// The promise of a content's price is stored.
    StorePurchase(PurchaseId),
    /// A voucher that goes with a question for a key is signed.
    SignPurchase(PurchaseId),
    /// A content's key is opened.
    Unseal(PurchaseId),
    /// A purchase is over, and what was promised for it is stored with all other promises.
    StoreDone(PurchaseId),
    /// Something about the key that is asked for over a link.
    Key(LinkId),
    /// A record is stored that nothing waits for.
    StoreOther,
}

/// What is bought of whom, and by which session.
pub(crate) type PurchaseId = (Account, ContentId);

/// Whom a buyer promises to, and by which session.
pub(crate) type Account = (GrantId, Address);

/// A voucher on its way to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// The link it came over.
    pub(crate) link: LinkId,
    /// All that it promises.
    pub(crate) amount: Amount,
    /// What of it is the price of a content's key.
    pub(crate) price: Amount,
    /// Its signature.
    pub(crate) sig: Signature,
}

/// What a message deserves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It keeps the rules, or nothing can be said.
    Fine,
    /// It breaks them. Three of these end payment.
    Strike,
}

/// Time, steps, jobs, timers and chance.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) now: Time,
    /// The date, once it was told.
    pub(crate) clock: Option<UnixTime>,
    pub(crate) steps: VecDeque<Step>,
    pub(crate) timers: Timers<Timer>,
    pub(crate) rng: Rng,
    jobs: Map<JobId, Job>,
    jobs_made: u64,
}

impl Desk {
    pub(crate) fn new(rng: Rng) -> Self {
        Self {
            now: Time::ZERO,
            clock: None,
            steps: VecDeque::new(),
            timers: Timers::default(),
            rng,
            jobs: Map::default(),
            jobs_made: 0,
        }
    }

    /// Has the shell do something.
    pub(crate) fn act(&mut self, action: Action) {
        self.push(Step::Do(action));
    }

    /// Lets whoever listens know.
    pub(crate) fn tell(&mut self, event: Event) {
        self.push(Step::Tell(event));
    }

    fn push(&mut self, step: Step) {
        let (found, allowed) = (self.steps.len(), limit::STEPS_MAX);
        assert!(found < allowed, "{found} steps wait, at most {allowed} allowed");
        self.steps.push_back(step);
    }

    /// Sends a message.
    pub(crate) fn send(&mut self, link: LinkId, message: &PayMessage) {
        self.act(Action::Send { link, payload: message.encode() });
    }

    /// Tells a peer and whoever listens that payment over a link ended.
    pub(crate) fn end(&mut self, link: LinkId, code: EndCode) {
        self.send(link, &PayMessage::End { code });
        self.tell(Event::PaymentEnded { link, why: Why::Ours(code) });
    }

    /// Opens a job; `None` when the shell has more of them than it should.
    pub(crate) fn job(&mut self, job: Job) -> Option<JobId> {
        if self.jobs.len() >= limit::JOBS_MAX {
            return None;
        }
        let id = JobId(self.jobs_made);
        self.jobs_made += 1;
        self.jobs.insert(id, job);
        Some(id)
    }

    /// Takes a job that was answered.
    pub(crate) fn answered(&mut self, id: JobId) -> Option<Job> {
        self.jobs.remove(&id)
    }

    /// Stores a record; answers whether it will be.
    pub(crate) fn store(&mut self, job: Job, record: &Record) -> bool {
        let id = self.job(job);
        if let Some(job) = id {
            self.act(Action::Store { job, key: record.key(), bytes: record.encode() });
        }
        id.is_some()
    }

    /// Sets a timer for so long from now on.
    pub(crate) fn after(&mut self, timer: Timer, span: core::time::Duration) {
        self.timers.set(timer, self.now + span);
    }
}
