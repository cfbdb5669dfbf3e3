//! Money in the world: one vault, and signatures of a scheme that anybody could forge. Who holds
//! real keys has nothing to do here: what is shown is what payment does, not what proves it.

mod check;
pub(crate) mod vault;

use std::collections::BTreeMap;

use core::time::Duration;

use headwater_base::{Amount, JobId, LinkId, Time};
use headwater_client::PayStep;
use headwater_pay::{
    Action, Answer, Buying, Event, Input, JobFailure, Promise, Record, RecordKey, Selling, Signed,
};

use crate::fault::Fault;
use crate::host::HostId;
use crate::world::World;
use vault::{DATE, DEPOSIT, OWNER, PAYEE, RAIL, SECOND, account, grant, sign, signer};

pub use check::Account;

/// The least a seller takes for a MiB. Each byte costs 1,000 units.
pub(crate) const RESERVE: Amount = Amount(1_000 << 20);

/// What a host does with money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Trade {
    /// Nothing: nobody was asked, as everywhere by default.
    #[default]
    None,
    /// It pays up to so many times the seller's least price.
    Buys(u128),
    /// It sells half of its slots.
    Sells,
}

impl Trade {
    /// Whether it pays.
    pub(crate) fn buys(self) -> bool {
        matches!(self, Self::Buys(_))
    }
}

/// A crash in the middle of what payment wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crash {
    /// Jobs that are done and answered before.
    pub after: u32,
    /// Whether the job is done when the crash comes; its answer is never heard.
    pub done: bool,
}

/// How long a host that crashed stays away.
const AWAY: Duration = Duration::from_secs(5);

/// What a host keeps of payment, and what it was told.
#[derive(Clone, Debug)]
pub(crate) struct Purse {
    pub(crate) trade: Trade,
    /// What it has in the vault.
    pub(crate) deposit: Amount,
    /// The most one payer may have open with it.
    pub(crate) unsecured: Amount,
    /// Until then no claim of it reaches the chain.
    pub(crate) claims_from: Time,
    /// A crash that is to come.
    pub(crate) crash: Option<Crash>,
    pub(crate) records: BTreeMap<RecordKey, Vec<u8>>,
    pub(crate) events: Vec<Event>,
    /// What was stored as promised when a crash came, and never told of.
    pub(crate) orphan: Amount,
    /// The highest price of each link of this life.
    tops: BTreeMap<LinkId, u128>,
    /// The largest window each payer had, and the most it ever owed.
    windows: BTreeMap<usize, Amount>,
    debts: BTreeMap<usize, Amount>,
}

impl Purse {
    /// All that is stored as promised.
    fn promised(&self) -> Amount {
        let amount = |bytes: &Vec<u8>| {
            let Ok(Record::Promised(promise)) = Record::decode(bytes) else { return 0 };
            promise.amount.0
        };
        Amount(self.records.values().map(amount).sum())
    }
}

impl Default for Purse {
    fn default() -> Self {
        Self {
            trade: Trade::None,
            deposit: DEPOSIT,
            unsecured: DEPOSIT,
            claims_from: Time::ZERO,
            crash: None,
            records: BTreeMap::new(),
            events: Vec::new(),
            orphan: Amount(0),
            tops: BTreeMap::new(),
            windows: BTreeMap::new(),
            debts: BTreeMap::new(),
        }
    }
}

fn buying(host: usize, times: u128) -> Buying {
    let grant = grant(host);
    Buying {
        rail: RAIL,
        grant,
        grant_sig: sign(grant.owner, &Signed::Grant { rail: RAIL, grant }),
        price_max: Amount(RESERVE.0 * times),
        link_cap: DEPOSIT,
        session_cap: DEPOSIT,
    }
}

fn selling(host: usize, max_unsecured: Amount) -> Selling {
    Selling {
        rails: vec![RAIL],
        payee: account(host, PAYEE),
        price: RESERVE,
        slots: 4,
        paid_slots: 2,
        credit: headwater_pay::limit::CREDIT_BYTES_MIN,
        max_unsecured,
        claim_fee: Amount(1),
        claim_factor: u32::MAX,
        contents: Vec::new(),
    }
}

impl World {
    /// Puts a host's deposit into the vault.
    pub(crate) fn fund(&mut self, at: usize) {
        self.vault.fund(account(at, OWNER), self.hosts[at].purse.deposit);
    }

    /// Switches on what a host that came does with money, and gives it what it stored before.
    pub(crate) fn start_trade(&mut self, at: usize) {
        let seed = self.own_seed("purse", at, self.hosts[at].life);
        let (now, host) = (self.local(at), &mut self.hosts[at]);
        let torrent = host.torrent();
        let Some(client) = &mut host.client else { return };
        let purse = &mut host.purse;
        let on = match purse.trade {
            Trade::None => return,
            Trade::Buys(times) => Input::BuyingOn(Box::new(buying(at, times))),
            Trade::Sells => Input::SellingOn(Box::new(selling(at, purse.unsecured))),
        };
        purse.tops.clear();
        let records = purse.records.values().map(Vec::as_slice);
        client.restore_pay(&seed, records).expect("records of this world");
        client.handle_pay(now, Input::Clock(DATE));
        client.handle_pay(now, on);
        client.hurry(torrent, true);
    }

    /// Does what a host's payment wants; answers whether there was anything.
    pub(crate) fn trade(&mut self, at: usize) -> bool {
        let now = self.local(at);
        let Some(client) = &mut self.hosts[at].client else { return false };
        let Some(step) = client.next_pay() else { return false };
        let action = match step {
            PayStep::Tell(event) => {
                self.trace.note(self.now, at, format_args!("{event:?}"));
                self.judge_deal(at, &event);
                self.hosts[at].purse.events.push(event);
                self.judge_purse(at);
                return true;
            }
            PayStep::Do(action) => action,
        };
        self.trace.note(self.now, at, format_args!("{action:?}"));
        if let Action::Forget(key) = action {
            self.hosts[at].purse.records.remove(&key);
            return true;
        }
        let crash = self.hosts[at].purse.crash;
        let crashes = crash.filter(|crash| crash.after == 0);
        if let Some(crash) = &mut self.hosts[at].purse.crash {
            crash.after = crash.after.saturating_sub(1);
        }
        let answered = match crashes {
            Some(Crash { done: false, .. }) => None,
            Some(_) | None => Some(self.do_job(at, action)),
        };
        if crashes.is_some() {
            let (_, told) = self.hosts[at].bought();
            let purse = &mut self.hosts[at].purse;
            purse.crash = None;
            purse.orphan = Amount(purse.promised().0 - told.0);
            self.fail(Fault::Vanish(HostId(at)));
            self.plan(AWAY, Fault::Return(HostId(at)));
            return false;
        }
        let Some((job, answer)) = answered else { return true };
        if let Some(client) = &mut self.hosts[at].client {
            client.handle_pay(now, Input::Answered { job, answer });
        }
        self.judge_purse(at);
        true
    }

    /// Does one job of a host's payment.
    fn do_job(&mut self, at: usize, action: Action) -> (JobId, Answer) {
        let purse = &mut self.hosts[at].purse;
        match action {
            Action::Sign { job, voucher } => {
                (job, Answer::Signed(sign(voucher.grant.key, &Signed::Voucher(*voucher))))
            }
            Action::Verify { job, of, sig } => (job, Answer::Verified(signer(&of, sig))),
            Action::Store { job, key, bytes } => {
                purse.records.insert(key, bytes);
                (job, Answer::Stored)
            }
            Action::ViewAccount { job, grant, payee, .. } => {
                (job, Answer::AccountSeen(self.vault.view(grant, payee)))
            }
            Action::SubmitClaim { job, .. } if self.now < purse.claims_from => {
                (job, Answer::Failed(JobFailure::Unreachable))
            }
            Action::SubmitClaim { job, voucher, sig, .. } => {
                let signed = signer(&Signed::Voucher(*voucher), sig) == Some(voucher.grant.key);
                let claimed = self.vault.claim(DATE, &voucher).filter(|_| signed);
                let undone = Answer::Failed(JobFailure::Reverted);
                (job, claimed.map_or(undone, Answer::ClaimDone))
            }
            // No content is sold here.
            Action::Seal { job, .. } | Action::Unseal { job, .. } => {
                (job, Answer::Failed(JobFailure::Refused))
            }
            Action::Forget(_)
            | Action::Send { .. }
            | Action::Weight { .. }
            | Action::Allowance { .. } => unreachable!("done elsewhere"),
        }
    }

    /// A host takes all of its deposit out through a second address of its own, as if it had sold
    /// itself something.
    pub fn drain_deposit(&mut self, host: HostId) {
        let payee = account(host.0, SECOND);
        self.say(format_args!("host {} empties its deposit", host.0));
        let voucher = Promise { rail: RAIL, grant: grant(host.0), payee, amount: DEPOSIT };
        self.vault.claim(DATE, &voucher);
    }

    /// A host pays another for nothing, so that it looks as if much were sold.
    pub fn wash(&mut self, from: HostId, to: HostId, amount: Amount) {
        let (grant, payee) = (grant(from.0), account(to.0, PAYEE));
        let amount = Amount(self.vault.claimed(grant, payee).0 + amount.0);
        self.vault.claim(DATE, &Promise { rail: RAIL, grant, payee, amount });
    }

    /// What hosts have, in the vault and paid out by it.
    pub fn wealth(&self, hosts: &[HostId]) -> Amount {
        let of = |host: &HostId| {
            let taken = self.vault.taken_from(account(host.0, OWNER));
            self.hosts[host.0].purse.deposit.0 - taken.0 + self.vault.paid_to(*host).0
        };
        Amount(hosts.iter().map(of).sum())
    }

    /// The most that one honest seller lost to over-issuers, in bytes at the least price.
    pub fn lost_to_overissuers(&self) -> u64 {
        let lost = |event: &Event| {
            if let Event::Overissued { lost, .. } = event { lost.0 } else { 0 }
        };
        let honest = self.hosts.iter().filter(|host| host.honest);
        let losses = honest.map(|host| host.purse.events.iter().map(lost).sum());
        headwater_pay::affordable(Amount(losses.max().unwrap_or_default()), RESERVE)
    }

    /// Has a host claim all it was promised, and answers what the vault paid it in all.
    pub fn claim(&mut self, host: HostId) -> Amount {
        let now = self.local(host.0);
        if let Some(client) = &mut self.hosts[host.0].client {
            client.claim_pay(now);
        }
        self.drain(host.0);
        self.vault.paid_to(host)
    }
}
