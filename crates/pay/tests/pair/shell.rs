//! The test's shell: disks, a ledger, links in order, and signatures of a scheme that anybody can
//! forge and that is for tests alone.

use std::collections::VecDeque;

use bytes::Bytes;
use headwater_base::{Address, Amount, LinkId, Map, Seed, Set, Signature, Time, UnixTime, sha256};
use headwater_pay::{
    AccountView, Action, Answer, Buying, Event, Input, JobFailure, Pay, Promise, RecordKey,
    Selling, Signed, Step, Wanted, limit,
};
use headwater_wire::extended::{ContentId, Grant, PayMessage, PayTerms, Rail, SEALED_LEN};

pub(crate) const OWNER: Address = Address([1; 20]);
pub(crate) const KEY: Address = Address([2; 20]);
pub(crate) const PAYEE: Address = Address([3; 20]);
pub(crate) const DATE: UnixTime = UnixTime(1_000_000);
pub(crate) const RAIL: Rail = Rail { chain: 3, vault: Address([4; 20]), token: Address([5; 20]) };
/// Bytes in a block.
pub(crate) const BLOCK: u64 = 16 * 1024;
/// A price at which each byte costs 7 units.
pub(crate) const PRICE: Amount = Amount(7 << 20);
/// A content that is sold, and what its key costs.
pub(crate) const CONTENT: ContentId = ContentId([6; 32]);
pub(crate) const KEY_PRICE: Amount = Amount(1_000_003);
/// Blocks on their way at once.
const PIPE: usize = 8;

/// The test scheme: the signer's address, then a digest of it and of what is signed.
pub(crate) fn test_sign(signer: Address, what: &Signed) -> Signature {
    let text = format!("{signer:?} {what:?}");
    let mut sig = [0; 65];
    sig[..20].copy_from_slice(&signer.0);
    sig[20..52].copy_from_slice(&sha256(text.as_bytes()));
    Signature(sig)
}

/// Who signed by the test scheme.
pub(crate) fn test_signer(what: &Signed, sig: Signature) -> Option<Address> {
    let signer = Address(*sig.0.first_chunk()?);
    (test_sign(signer, what) == sig).then_some(signer)
}

/// The key of a content, sealed for a session key: for tests its address, then a digest.
pub(crate) fn test_seal(key: Address, content: ContentId) -> [u8; SEALED_LEN] {
    let mut sealed = [0; SEALED_LEN];
    sealed[..20].copy_from_slice(&key.0);
    sealed[33..].copy_from_slice(&sha256(&content.0));
    sealed
}

pub(crate) fn wanted() -> Wanted {
    Wanted { content: CONTENT, price: KEY_PRICE, payee: PAYEE, rail: RAIL }
}

pub(crate) fn grant(salt: u8) -> Grant {
    let expiry = UnixTime(DATE.0 + 3600);
    Grant { owner: OWNER, key: KEY, cap: Amount(1 << 60), expiry, salt: [salt; 32] }
}

pub(crate) fn buying() -> Buying {
    let grant = grant(1);
    Buying {
        rail: RAIL,
        grant,
        grant_sig: test_sign(OWNER, &Signed::Grant { rail: RAIL, grant }),
        price_max: Amount(100 << 20),
        link_cap: Amount(1 << 50),
        session_cap: Amount(1 << 50),
    }
}

pub(crate) fn selling() -> Selling {
    Selling {
        rails: vec![RAIL],
        payee: PAYEE,
        price: PRICE,
        slots: 4,
        paid_slots: 2,
        credit: limit::CREDIT_BYTES_MIN,
        max_unsecured: Amount(1 << 60),
        claim_fee: Amount(1000),
        claim_factor: u32::MAX,
        contents: vec![(CONTENT, KEY_PRICE)],
    }
}

/// The vault as the tests have it.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) balance: u128,
    pub(crate) claimed: Map<(Grant, Address), u128>,
}

impl Ledger {
    fn view(&self, grant: Grant, payee: Address) -> AccountView {
        let claimed = self.claimed.get(&(grant, payee)).copied().unwrap_or_default();
        let spent = self.claimed.iter().filter(|((of, _), _)| *of == grant);
        AccountView {
            balance: Amount(self.balance),
            spent: Amount(spent.map(|(_, amount)| amount).sum()),
            claimed: Amount(claimed),
            ..AccountView::default()
        }
    }

    fn claim(&mut self, voucher: &Promise, sig: Signature) -> Amount {
        assert_eq!(test_signer(&Signed::Voucher(*voucher), sig), Some(voucher.grant.key));
        let claimed = self.claimed.entry((voucher.grant, voucher.payee)).or_default();
        let pay = voucher.amount.0.saturating_sub(*claimed).min(self.balance);
        *claimed += pay;
        self.balance -= pay;
        Amount(*claimed)
    }
}

/// What goes over a link, in order.
#[derive(Clone, Debug)]
pub(crate) enum Packet {
    Pay(Bytes),
    Block,
}

/// One side: its machine, its disk, and what its shell is told.
#[derive(Debug)]
pub(crate) struct Side {
    pub(crate) pay: Pay,
    pub(crate) disk: Map<RecordKey, Vec<u8>>,
    pub(crate) events: Vec<Event>,
    pub(crate) weights: Map<LinkId, u32>,
    pub(crate) allowance: u64,
    pub(crate) signs: bool,
    /// Keys of contents that came, which survive a crash.
    pub(crate) keys: Set<ContentId>,
    /// Whether whoever submits claims does.
    pub(crate) submits: bool,
    link: LinkId,
    answers: VecDeque<Input>,
    pub(crate) out: VecDeque<Packet>,
}

impl Side {
    fn new(seed: u8) -> Self {
        Self {
            pay: Pay::new(&Seed([seed; 32])),
            disk: Map::default(),
            events: Vec::new(),
            weights: Map::default(),
            allowance: 0,
            signs: true,
            keys: Set::default(),
            submits: true,
            link: LinkId(0),
            answers: VecDeque::new(),
            out: VecDeque::new(),
        }
    }

    /// Takes one step or one answer; says whether there was any.
    fn step(&mut self, now: Time, ledger: &mut Ledger) -> bool {
        if let Some(answer) = self.answers.pop_front() {
            self.pay.handle(now, answer);
            return true;
        }
        match self.pay.next(now) {
            Step::Do(action) => self.act(action, ledger),
            Step::Tell(event) => self.events.push(event),
            Step::Sleep(_) => return false,
        }
        true
    }

    fn act(&mut self, action: Action, ledger: &mut Ledger) {
        let (job, answer) = match action {
            // What was meant for a link that closed goes nowhere.
            Action::Send { link, payload } => {
                if link == self.link {
                    self.out.push_back(Packet::Pay(payload));
                }
                return;
            }
            Action::Weight { link, weight } => {
                self.weights.insert(link, weight);
                return;
            }
            Action::Allowance { link, bytes } => {
                if link == self.link {
                    self.allowance = bytes;
                }
                return;
            }
            Action::Forget(key) => return drop(self.disk.remove(&key)),
            Action::Sign { job, voucher } => {
                assert!(self.signs, "a voucher was signed after the kill switch");
                (job, Answer::Signed(test_sign(voucher.grant.key, &Signed::Voucher(*voucher))))
            }
            Action::Verify { job, of, sig } => (job, Answer::Verified(test_signer(&of, sig))),
            Action::Store { job, key, bytes } => {
                self.disk.insert(key, bytes);
                (job, Answer::Stored)
            }
            Action::ViewAccount { job, grant, payee, .. } => {
                (job, Answer::AccountSeen(ledger.view(grant, payee)))
            }
            Action::SubmitClaim { job, .. } if !self.submits => {
                (job, Answer::Failed(JobFailure::Refused))
            }
            Action::SubmitClaim { job, voucher, sig, .. } => {
                (job, Answer::ClaimDone(ledger.claim(&voucher, sig)))
            }
            Action::Seal { job, content, voucher, sig } => {
                let signer = test_signer(&Signed::Voucher(*voucher), sig).expect("a signature");
                (job, Answer::Sealed(test_seal(signer, content)))
            }
            Action::Unseal { job, content, sealed } => {
                let is_it = sealed == test_seal(KEY, content);
                if is_it {
                    self.keys.insert(content);
                }
                (job, Answer::Opened(is_it))
            }
        };
        self.answers.push_back(Input::Answered { job, answer });
    }

    /// Drops the machine and makes it from what is on the disk.
    fn crash(&mut self) {
        let records = self.disk.values().map(Vec::as_slice);
        self.pay = Pay::restore(&Seed([9; 32]), records).expect("records");
        self.answers.clear();
        self.out.clear();
        self.weights.clear();
        self.allowance = 0;
    }

    pub(crate) fn weight(&self, link: LinkId) -> u32 {
        self.weights.get(&link).copied().unwrap_or_default()
    }
}

/// What becomes of a packet on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Arrives,
    Lost,
}

/// Looks at what the buyer (`true`) or the seller says, and may change it.
pub(crate) type Meddler = fn(bool, &mut Packet) -> Fate;

/// A buyer and a seller with a link between them.
pub(crate) struct World {
    pub(crate) now: Time,
    pub(crate) buyer: Side,
    pub(crate) seller: Side,
    pub(crate) ledger: Ledger,
    pub(crate) link: LinkId,
    pub(crate) meddle: Meddler,
    /// Bytes the buyer still wants, and those that are verified at once.
    pub(crate) wanted: u64,
    pub(crate) unit: u64,
    pub(crate) buying: Buying,
    pub(crate) selling: Selling,
    /// Bytes that came while charged and are no whole unit yet.
    unverified: u64,
    /// All bytes that came while charged and are verified.
    pub(crate) verified: u64,
    /// All bytes the seller sent while it was paid.
    pub(crate) sent: u64,
    sent_on_link: u64,
    /// A seller that stalls sends no block.
    pub(crate) stalls: bool,
    /// Whether bytes that came are found good once they are a unit.
    pub(crate) verifies: bool,
    /// What may be promised for keys.
    pub(crate) for_keys: Amount,
    done: bool,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(buying(), selling())
    }

    pub(crate) fn with(buying: Buying, selling: Selling) -> Self {
        let mut world = Self {
            now: Time::ZERO,
            buyer: Side::new(1),
            seller: Side::new(2),
            ledger: Ledger { balance: 1 << 60, claimed: Map::default() },
            link: LinkId(0),
            meddle: |_, _| Fate::Arrives,
            wanted: 2 << 20,
            unit: BLOCK,
            buying,
            selling,
            unverified: 0,
            verified: 0,
            sent: 0,
            sent_on_link: 0,
            stalls: false,
            verifies: true,
            for_keys: Amount(0),
            done: false,
        };
        world.switch_on(true);
        world.switch_on(false);
        world.open();
        world
    }

    /// The buyer's user wants the key of the content that is sold, unless it is here.
    pub(crate) fn want_key(&mut self) {
        self.for_keys = KEY_PRICE;
        if !self.buyer.keys.contains(&CONTENT) {
            self.buyer.pay.handle(self.now, Input::BuyContent(wanted()));
        }
    }

    pub(crate) fn switch_on(&mut self, buyer: bool) {
        let (side, on) = if buyer {
            (&mut self.buyer, Input::BuyingOn(Box::new(self.buying.clone())))
        } else {
            (&mut self.seller, Input::SellingOn(Box::new(self.selling.clone())))
        };
        side.pay.handle(self.now, Input::Clock(DATE));
        side.pay.handle(self.now, on);
    }

    /// Opens the next link.
    pub(crate) fn open(&mut self) {
        let (link, now, unit) = (LinkId(self.link.0 + 1), self.now, self.unit);
        self.link = link;
        (self.buyer.link, self.seller.link) = (link, link);
        let of = |side: &Side| side.pay.terms().map(|terms| PayTerms::encode(&terms));
        let terms = [of(&self.buyer), of(&self.seller)].map(Option::unwrap_or_default);
        let [buyer, seller] = terms;
        self.buyer.pay.handle(now, Input::LinkOpened { link, terms: seller });
        self.seller.pay.handle(now, Input::LinkOpened { link, terms: buyer });
        self.seller.pay.handle(now, Input::Interest { link, interested: true });
        self.buyer.pay.handle(now, Input::Wants { link, urgent: true, unit });
    }

    /// The seller's handshake comes again, with the terms that it has by then.
    pub(crate) fn tell_terms(&mut self) {
        let terms = self.seller.pay.terms().as_ref().map(PayTerms::encode).unwrap_or_default();
        self.buyer.pay.handle(self.now, Input::LinkOpened { link: self.link, terms });
    }

    /// Lets the seller do one thing, if there is any.
    pub(crate) fn step_seller(&mut self) {
        self.seller.step(self.now, &mut self.ledger);
    }

    /// Closes the link; what is on its way is lost.
    pub(crate) fn close(&mut self) {
        for side in [&mut self.buyer, &mut self.seller] {
            side.pay.handle(self.now, Input::LinkClosed(self.link));
            side.out.clear();
            side.weights.clear();
            side.allowance = 0;
        }
        (self.unverified, self.sent_on_link, self.done) = (0, 0, false);
    }

    /// Crashes one side; the other sees the link close. Then they find each other again.
    pub(crate) fn crash(&mut self, buyer: bool) {
        self.close();
        if buyer {
            self.buyer.crash();
        } else {
            self.seller.crash();
        }
        self.switch_on(buyer);
        self.open();
        self.wanted += 1 << 20;
    }

    /// Does one thing. Time passes only when there is nothing else to do.
    pub(crate) fn step(&mut self) {
        let now = self.now;
        if self.buyer.step(now, &mut self.ledger) || self.seller.step(now, &mut self.ledger) {
            return;
        }
        if let Some(packet) = self.buyer.out.pop_front() {
            return self.deliver(true, packet);
        }
        if self.send_block() {
            return;
        }
        if let Some(packet) = self.seller.out.pop_front() {
            return self.deliver(false, packet);
        }
        let wakes = [&mut self.buyer, &mut self.seller].map(|side| match side.pay.next(now) {
            Step::Sleep(Some(wake)) => wake.at,
            Step::Sleep(None) | Step::Do(_) | Step::Tell(_) => Time::from_micros(u64::MAX),
        });
        self.now = wakes[0].min(wakes[1]);
    }

    fn send_block(&mut self) -> bool {
        let room = self.sent_on_link + BLOCK <= self.seller.allowance;
        let open = self.seller.weight(self.link) > 0 && !self.stalls && !self.done;
        if !(open && room && self.seller.out.len() < PIPE) {
            return false;
        }
        self.seller.out.push_back(Packet::Block);
        let input = Input::BytesSent { link: self.link, bytes: BLOCK };
        self.seller.pay.handle(self.now, input);
        self.sent += BLOCK;
        self.sent_on_link += BLOCK;
        true
    }

    fn deliver(&mut self, from_buyer: bool, mut packet: Packet) {
        let link = self.link;
        if (self.meddle)(from_buyer, &mut packet) == Fate::Lost {
            return;
        }
        let to = if from_buyer { &mut self.seller } else { &mut self.buyer };
        match packet {
            Packet::Pay(payload) => to.pay.handle(self.now, Input::Message { link, payload }),
            Packet::Block => self.take_block(),
        }
    }

    fn take_block(&mut self) {
        let (link, now) = (self.link, self.now);
        let charged = self.buyer.pay.is_charged(link);
        self.buyer.pay.handle(now, Input::BytesReceived { link, bytes: BLOCK });
        self.unverified += if charged { BLOCK } else { 0 };
        if self.unverified >= self.unit && self.verifies {
            let bytes = self.unverified;
            self.unverified = 0;
            self.verified += bytes;
            self.buyer.pay.handle(now, Input::BytesVerified { link, bytes });
        }
        if self.verified >= self.wanted && !self.done {
            self.done = true;
            let wants = Input::Wants { link, urgent: false, unit: self.unit };
            self.buyer.pay.handle(now, wants);
        }
    }

    /// Runs for a span of virtual time, with a check after each step.
    pub(crate) fn run(&mut self, seconds: u64) -> usize {
        let end = self.now.as_micros() + seconds * 1_000_000;
        let mut steps = 0;
        while self.now.as_micros() < end {
            self.step();
            self.check();
            steps += 1;
            assert!(steps < 1_000_000, "the two sides never come to rest");
        }
        steps
    }

    /// The buyer never paid for more than one unit it has not verified.
    pub(crate) fn check(&self) {
        let most = headwater_pay::owed(self.verified + self.unit, self.selling.price);
        let most = Amount(most.0 + self.for_keys.0);
        assert!(self.promised() <= most, "{:?} promised, {most:?} allowed", self.promised());
    }

    pub(crate) fn promised(&self) -> Amount {
        self.buyer.pay.view().promised
    }

    pub(crate) fn earned(&self) -> Amount {
        self.seller.pay.view().earned
    }

    /// Has the seller claim everything and answers what the ledger paid.
    pub(crate) fn claim(&mut self) -> Amount {
        self.seller.pay.claim(self.now);
        self.run(1);
        Amount(self.ledger.claimed.values().sum())
    }

    /// Bytes and money of all promises the buyer told of, in all its lives.
    pub(crate) fn bought(&self) -> (u64, Amount) {
        let mut sum = (0, 0);
        for event in &self.buyer.events {
            if let Event::Bought { bytes, amount, .. } = event {
                sum = (sum.0 + bytes, sum.1 + amount.0);
            }
        }
        (sum.0, Amount(sum.1))
    }

    /// Has the other side hear a message that ours never sent.
    pub(crate) fn say(&mut self, to_seller: bool, message: &PayMessage) {
        self.say_bytes(to_seller, message.encode());
    }

    /// The same with any bytes.
    pub(crate) fn say_bytes(&mut self, to_seller: bool, payload: Bytes) {
        let to = if to_seller { &mut self.seller } else { &mut self.buyer };
        to.pay.handle(self.now, Input::Message { link: self.link, payload });
    }
}
