//! Long random runs of everything at once, beside a model in plain arithmetic, with what must hold
//! after every step. A seed that fails is in the message.

use std::collections::BTreeMap;

use alloy_primitives::Address as A;
use headwater_base::{Rng, Seed};

use crate::faces::Claim;
use crate::world::{DAY, HOUR, RICH, Session, World, person};

const SEEDS: u8 = 24;
const STEPS: usize = 120;
const OWNERS: u8 = 4;

/// One promise that was signed, and what it is worth at most.
struct Promise {
    session: usize,
    claim: Claim,
}

struct Run {
    world: World,
    rng: Rng,
    sessions: Vec<Session>,
    vouchers: Vec<Promise>,
    reserves: Vec<Promise>,
    /// What each owner and payee brought in, less what they took out.
    brought: BTreeMap<A, i128>,
    seed: u8,
}

impl Run {
    fn new(seed: u8) -> Self {
        let world = World::new();
        let rng = Seed([seed; 32]).split("vault");
        let (sessions, vouchers, reserves) = (Vec::new(), Vec::new(), Vec::new());
        let brought = BTreeMap::new();
        Self { world, rng, sessions, vouchers, reserves, brought, seed }
    }

    fn small(&mut self, bound: u64) -> u128 {
        u128::from(self.rng.below(bound))
    }

    fn owner(&mut self) -> u8 {
        1 + u8::try_from(self.rng.below(OWNERS.into())).expect("small")
    }

    /// A payee: mostly a seller, and often enough another owner.
    fn payee(&mut self) -> A {
        if self.rng.below(3) == 0 {
            let owner = self.owner();
            return person(owner).address();
        }
        person(50 + u8::try_from(self.rng.below(3)).expect("small")).address()
    }

    fn step(&mut self) {
        match self.rng.below(12) {
            0 | 1 => self.deposit(),
            2 => self.grant(),
            3 | 4 => self.promise(),
            5 | 6 => self.claim(),
            7 => self.claim_many(),
            8 => self.reserve(),
            9 => self.release(),
            10 => self.leave(),
            _ => self.wait(),
        }
        self.check();
    }

    fn deposit(&mut self) {
        let (owner, amount) = (self.owner(), self.small(300) + 1);
        if self.world.deposit(owner, amount).is_ok() {
            let amount = i128::try_from(amount).expect("small");
            *self.brought.entry(person(owner).address()).or_default() += amount;
        }
    }

    fn grant(&mut self) {
        let (owner, cap) = (self.owner(), self.small(400));
        let expiry = self.world.now + self.rng.below(2 * DAY);
        self.world.now += 1;
        self.sessions.push(self.world.session_until(owner, cap, expiry));
    }

    fn promise(&mut self) {
        let Some(session) = self.rng.pick(self.sessions.len()) else { return };
        let (payee, amount) = (self.payee(), self.small(300));
        let signed = &self.sessions[session];
        if self.rng.below(3) == 0 {
            self.reserves.push(Promise { session, claim: signed.reserve(payee, amount) });
        } else {
            self.vouchers.push(Promise { session, claim: signed.voucher(payee, amount) });
        }
    }

    fn claim(&mut self) {
        let Some(at) = self.rng.pick(self.vouchers.len()) else { return };
        let Promise { session, mut claim } = self.take_copy(at);
        let forged = self.rng.below(5) == 0;
        if forged {
            claim.amount += 1 + self.small(50);
        }
        let (free, lock) = self.room(session, &claim);
        let due = self.due(session, &claim, free + lock);
        let before = self.world.balance(claim.payee);
        let result = self.world.claim(&claim);
        let seed = self.seed;
        let expected = if forged || !self.in_time(session, DAY) { 0 } else { due };
        assert_eq!(result.is_ok(), expected > 0, "seed {seed}: due {expected}");
        let itself = claim.payee == self.sessions[session].grant.owner;
        let gain = self.world.balance(claim.payee) - before;
        assert_eq!(gain, if itself { 0 } else { expected }, "seed {seed}");
    }

    fn take_copy(&self, at: usize) -> Promise {
        let Promise { session, claim } = &self.vouchers[at];
        Promise { session: *session, claim: claim.clone() }
    }

    /// What is free for a claim of the owner's balance, and what is locked for the payee.
    fn room(&self, session: usize, claim: &Claim) -> (u128, u128) {
        let session = &self.sessions[session];
        let (balance, reserved, _, _) = self.world.account(session.grant.owner);
        (balance - reserved, self.world.locked(session, claim.payee))
    }

    /// What a claim is worth by the rules, if it comes in time.
    fn due(&self, at: usize, claim: &Claim, there: u128) -> u128 {
        let session = &self.sessions[at];
        let fresh = claim.amount.saturating_sub(self.world.claimed(session, claim.payee));
        let others: u128 = self.locked_in(at) - self.world.locked(session, claim.payee);
        let cap = session.grant.cap - self.world.spent(session) - others;
        fresh.min(cap).min(there)
    }

    /// All that is locked in a session.
    fn locked_in(&self, at: usize) -> u128 {
        let session = &self.sessions[at];
        self.everybody().into_iter().map(|payee| self.world.locked(session, payee)).sum()
    }

    fn in_time(&self, session: usize, grace: u64) -> bool {
        let expiry = self.sessions[session].grant.expiry;
        self.world.now <= expiry + grace && expiry <= self.world.now + DAY
    }

    fn claim_many(&mut self) {
        if self.vouchers.is_empty() {
            return;
        }
        let mut claims = Vec::new();
        for _ in 0..1 + self.rng.below(5) {
            let at = self.rng.pick(self.vouchers.len()).expect("some");
            claims.push(self.vouchers[at].claim.clone());
        }
        let mut single = self.world.clone();
        let paid = claims.iter().filter(|claim| single.claim(claim).is_ok()).count();
        assert_eq!(self.world.claim_many(&claims).is_ok(), paid > 0, "seed {}", self.seed);
        for who in self.everybody() {
            assert_eq!(self.world.account(who), single.account(who), "seed {}", self.seed);
        }
    }

    fn reserve(&mut self) {
        let Some(at) = self.rng.pick(self.reserves.len()) else { return };
        let Promise { session, claim } = &self.reserves[at];
        let (session, claim) = (*session, claim.clone());
        let (free, lock) = self.room(session, &claim);
        let wanted =
            claim.amount.saturating_sub(self.world.claimed(&self.sessions[session], claim.payee));
        let signed = &self.sessions[session];
        let room = signed.grant.cap - self.world.spent(signed) - self.locked_in(session);
        let more = wanted.saturating_sub(lock).min(free).min(room);
        let expected = if self.in_time(session, 0) { more } else { 0 };
        let done = self.world.reserve(&claim).is_ok();
        assert_eq!(done, expected > 0, "seed {}: missing {expected}", self.seed);
        let found = self.world.locked(&self.sessions[session], claim.payee);
        assert_eq!(found, lock + expected, "seed {}", self.seed);
    }

    fn release(&mut self) {
        let Some(at) = self.rng.pick(self.reserves.len()) else { return };
        let Promise { session, claim } = &self.reserves[at];
        let session = &self.sessions[*session];
        let lock = self.world.locked(session, claim.payee);
        let over = self.world.now > session.grant.expiry + DAY;
        let done = self.world.release(session, claim.payee).is_ok();
        assert_eq!(done, lock > 0 && over, "seed {}", self.seed);
    }

    fn leave(&mut self) {
        let (owner, amount) = (self.owner(), self.small(300));
        let who = person(owner).address();
        let (balance, reserved, exiting, exit_at) = self.world.account(who);
        if self.rng.below(2) == 0 {
            let done = self.world.request_exit(owner, amount).is_ok();
            assert_eq!(done, amount <= balance - reserved, "seed {}", self.seed);
            return;
        }
        let due = exiting > 0 && self.world.now > exit_at;
        assert_eq!(self.world.exit(owner).is_ok(), due, "seed {}", self.seed);
        if due {
            assert_eq!(self.world.account(who), (balance - exiting, reserved, 0, 0));
            *self.brought.entry(who).or_default() -= i128::try_from(exiting).expect("small");
        }
    }

    fn wait(&mut self) {
        self.world.now += match self.rng.below(3) {
            0 => self.rng.below(HOUR),
            1 => self.rng.below(12 * HOUR),
            _ => self.rng.below(2 * DAY + HOUR),
        };
    }

    fn everybody(&self) -> Vec<A> {
        (1..=OWNERS).chain(50..53).map(|n| person(n).address()).collect()
    }

    /// What holds whatever happened.
    fn check(&self) {
        let (world, seed) = (&self.world, self.seed);
        let mut sum = 0;
        for who in self.everybody() {
            let (balance, reserved, exiting, exit_at) = world.account(who);
            assert!(reserved + exiting <= balance, "seed {seed}: {who} counts money twice");
            assert_eq!(exiting == 0, exit_at == 0, "seed {seed}: exit without money or date");
            let locks: u128 = (0..self.sessions.len())
                .filter(|at| self.sessions[*at].grant.owner == who)
                .map(|at| self.locked_in(at))
                .sum();
            assert_eq!(reserved, locks, "seed {seed}: {who} has locks that are nobody's");
            sum += balance;
        }
        assert_eq!(sum, world.holds(world.vault), "seed {seed}: money made or lost");
        let brought: i128 = self.brought.values().sum();
        assert_eq!(i128::try_from(sum), Ok(brought), "seed {seed}");
        for (at, session) in self.sessions.iter().enumerate() {
            let (spent, cap) = (world.spent(session), session.grant.cap);
            let claimed: u128 =
                self.everybody().into_iter().map(|who| world.claimed(session, who)).sum();
            assert_eq!(spent, claimed, "seed {seed}: session {at}");
            assert!(spent + self.locked_in(at) <= cap, "seed {seed}: {at} above its cap");
        }
        for Promise { session, claim } in &self.vouchers {
            let most = self.most_promised(*session, claim.payee);
            let had = world.claimed(&self.sessions[*session], claim.payee);
            assert!(had <= most, "seed {seed}: paid {had} of {most} promised");
        }
    }

    fn most_promised(&self, at: usize, payee: A) -> u128 {
        let of_it = |p: &&Promise| p.session == at && p.claim.payee == payee;
        self.vouchers.iter().filter(of_it).map(|p| p.claim.amount).max().unwrap_or(0)
    }
}

#[test]
fn nothing_is_lost_made_or_taken_in_long_random_runs() {
    for seed in 0..SEEDS {
        let mut run = Run::new(seed);
        for _ in 0..STEPS {
            run.step();
        }
        // Whatever is locked in the end comes free, and everybody leaves with what is theirs.
        run.world.now += 5 * DAY;
        for at in 0..run.reserves.len() {
            let Promise { session, claim } = &run.reserves[at];
            let _ = run.world.release(&run.sessions[*session], claim.payee);
        }
        let mut out = 0;
        for owner in 1..=OWNERS {
            let all = run.world.balance(person(owner).address());
            run.world.request_exit(owner, all).expect("nothing is locked any more");
            out += all;
        }
        run.world.now += 2 * DAY + 1;
        let held = run.world.holds(run.world.vault);
        for owner in 1..=OWNERS {
            let due = run.world.account(person(owner).address()).2;
            assert_eq!(run.world.exit(owner).is_ok(), due > 0, "seed {seed}");
        }
        assert_eq!(run.world.holds(run.world.vault), held - out, "seed {seed}");
        let outside: u128 = (1..=9).map(|n| run.world.holds(person(n).address())).sum();
        assert_eq!(outside, 9 * RICH - (held - out), "seed {seed}");
    }
}
