//! Payment of both sides at once, with two links to somebody hostile and a shell that answers as
//! it likes: whatever comes, payment comes to rest, promises no more than it may, and takes no
//! voucher that nobody signed.

use std::time::Duration;

use bytes::Bytes;
use headwater_base::{Address, Amount, JobId, LinkId, Seed, Signature, Time, UnixTime};
use headwater_pay::{
    AccountView, Action, Answer, Buying, Event, Input, JobFailure, Pay, Promise, Record, RecordKey,
    Selling, Signed, Step, Wanted,
};
use headwater_wire::extended::{
    Award, Bid, Buy, ContentId, EndCode, Grant, Offer, PayMessage, PayTerms, Rail, RefuseCode,
    SEALED_LEN,
};

const RAIL: Rail = Rail { chain: 1, vault: Address([1; 20]), token: Address([2; 20]) };
const DATE: UnixTime = UnixTime(1_000_000);
const PRICE: Amount = Amount(1 << 20);
/// The most that may be promised, in all.
const CAP: Amount = Amount(3 << 17);
const CONTENT: ContentId = ContentId([6; 32]);
const GOOD: Signature = Signature([1; 65]);
/// Things payment may do for one input; more would be a loop.
const STEPS_MAX: usize = 10_000;

/// A shell that stores what it is told and answers as the bytes say.
struct Shell {
    pay: Pay,
    now: Time,
    records: std::collections::BTreeMap<RecordKey, Vec<u8>>,
    jobs: Vec<(JobId, Answer)>,
    /// What good signatures were found under.
    signed: Amount,
}

/// Each step is a byte that says what happens, and one that says how much.
pub(super) fn pay(bytes: &[u8]) {
    let mut shell = Shell {
        pay: Pay::new(&Seed([3; 32])),
        now: Time::from_millis(1),
        records: Default::default(),
        jobs: Vec::new(),
        signed: Amount(0),
    };
    shell.handle(Input::Clock(DATE));
    shell.handle(Input::BuyingOn(Box::new(buying())));
    shell.handle(Input::SellingOn(Box::new(selling())));
    for link in [LinkId(0), LinkId(1)] {
        shell.open(link);
    }
    let mut rest = bytes;
    while let [what, much, more @ ..] = rest {
        rest = shell.step(*what, *much, more);
        shell.judge();
    }
}

fn grant(owner: u8) -> Grant {
    let (owner, key) = (Address([owner; 20]), Address([7; 20]));
    Grant { owner, key, cap: CAP, expiry: UnixTime(DATE.0 + 7200), salt: [0; 32] }
}

fn buying() -> Buying {
    Buying {
        rail: RAIL,
        grant: grant(5),
        grant_sig: GOOD,
        price_max: Amount(PRICE.0 * 4),
        link_cap: CAP,
        session_cap: CAP,
    }
}

fn selling() -> Selling {
    Selling {
        rails: vec![RAIL],
        payee: Address([3; 20]),
        price: PRICE,
        slots: 4,
        paid_slots: 2,
        credit: 1 << 18,
        max_unsecured: CAP,
        claim_fee: Amount(1),
        claim_factor: 20,
        contents: vec![(CONTENT, Amount(1 << 14))],
    }
}

impl Shell {
    /// Does what two bytes say, with more of them where it needs some. Answers what is left.
    fn step<'a>(&mut self, what: u8, much: u8, more: &'a [u8]) -> &'a [u8] {
        let (link, bytes) = (LinkId(u64::from(what >> 7)), u64::from(much) << 10);
        let input = match what & 0x3f {
            0..=8 => Input::Message { link, payload: message(what & 0x1f, much).encode() },
            32..=34 => Input::Message { link, payload: key_message(what & 0x3f, much).encode() },
            35 => Input::BuyContent(Wanted {
                content: CONTENT,
                price: Amount(u128::from(much) << 12),
                payee: Address([9; 20]),
                rail: RAIL,
            }),
            9 => {
                let (raw, later) = more.split_at(usize::from(much).min(more.len()));
                let payload = Bytes::copy_from_slice(raw);
                self.handle(Input::Message { link, payload });
                return later;
            }
            10 => Input::BytesReceived { link, bytes },
            11 => Input::BytesVerified { link, bytes },
            12 => Input::BytesSent { link, bytes },
            13 => Input::BytesBad(link),
            14 => Input::Interest { link, interested: much & 1 == 0 },
            15 => Input::Served { link, unchoked: much & 1 == 0 },
            16 => Input::Reciprocates { link, enough: much & 1 == 0 },
            17 => Input::Wants { link, urgent: much & 1 == 0, unit: bytes },
            18 => Input::LinkClosed(link),
            19 => return self.then(more, |shell| shell.open(link)),
            20 => return self.then(more, Self::restart),
            21 => Input::Clock(UnixTime(DATE.0 + u64::from(much) * 400)),
            22 => Input::BuyingOff,
            23 => Input::BuyingOn(Box::new(buying())),
            24 => Input::SellingOff,
            25 => Input::SellingOn(Box::new(selling())),
            26 | 27 => {
                self.now += Duration::from_millis(u64::from(much) * 100);
                return self.then(more, Self::drain);
            }
            28 => return self.then(more, |shell| shell.pay.claim(shell.now)),
            29 => return self.then(more, |shell| shell.answer(much, Answer::Stored)),
            30 => {
                let failed = Answer::Failed(JobFailure::Unreachable);
                return self.then(more, |shell| shell.answer(much, failed));
            }
            _ => return self.then(more, |shell| shell.answer_well(much)),
        };
        self.handle(input);
        more
    }

    fn then<'a>(&mut self, more: &'a [u8], act: impl FnOnce(&mut Self)) -> &'a [u8] {
        act(self);
        self.drain();
        more
    }

    fn open(&mut self, link: LinkId) {
        let rails = vec![RAIL];
        let terms = PayTerms { rails, payee: Some(Address([9; 20])), ..PayTerms::default() };
        self.handle(Input::LinkOpened { link, terms: terms.encode() });
    }

    /// Begins anew with what is stored.
    fn restart(&mut self) {
        let records = self.records.values().map(Vec::as_slice);
        self.pay = Pay::restore(&Seed([3; 32]), records).expect("its own records");
        self.jobs.clear();
        self.handle(Input::Clock(DATE));
        self.handle(Input::BuyingOn(Box::new(buying())));
        self.handle(Input::SellingOn(Box::new(selling())));
    }

    fn handle(&mut self, input: Input) {
        self.pay.handle(self.now, input);
        self.drain();
    }

    /// Answers a job that waits with anything.
    fn answer(&mut self, which: u8, answer: Answer) {
        if let Some((job, _)) = self.take(which) {
            self.handle(Input::Answered { job, answer });
        }
    }

    /// Answers a job that waits as it should be.
    fn answer_well(&mut self, which: u8) {
        if let Some((job, answer)) = self.take(which) {
            self.handle(Input::Answered { job, answer });
        }
    }

    fn take(&mut self, which: u8) -> Option<(JobId, Answer)> {
        let at = usize::from(which).checked_rem(self.jobs.len())?;
        Some(self.jobs.remove(at))
    }

    fn drain(&mut self) {
        for _ in 0..STEPS_MAX {
            match self.pay.next(self.now) {
                Step::Do(action) => self.act(action),
                Step::Tell(Event::PriceChanged { price, .. }) => {
                    assert!(price <= buying().price_max, "{price:?} for a MiB");
                }
                Step::Tell(_) => {}
                Step::Sleep(wake) => {
                    assert!(wake.is_none_or(|wake| wake.at > self.now), "{wake:?} is over");
                    return;
                }
            }
        }
        panic!("payment never sleeps");
    }

    /// Keeps a job until it is answered. What is stored is stored at once.
    fn act(&mut self, action: Action) {
        let (job, answer) = match action {
            Action::Sign { job, voucher } => {
                assert!(voucher.amount <= CAP, "{voucher:?} is above the cap");
                // A promise of nothing goes with a question for a key.
                let stored = voucher.amount.0 == 0 || self.is_stored(&voucher);
                assert!(stored, "{voucher:?} is signed before it is stored");
                (job, Answer::Signed(GOOD))
            }
            Action::Verify { job, of, sig } => {
                let signer = match *of {
                    Signed::Grant { grant, .. } => grant.owner,
                    Signed::Voucher(voucher) => {
                        self.signed = self.signed.max(voucher.amount);
                        voucher.grant.key
                    }
                };
                (job, Answer::Verified((sig == GOOD).then_some(signer)))
            }
            Action::Store { job, key, bytes } => {
                self.records.insert(key, bytes);
                (job, Answer::Stored)
            }
            Action::Forget(key) => {
                self.records.remove(&key);
                return;
            }
            Action::ViewAccount { job, .. } => {
                let view = AccountView { balance: Amount(CAP.0 * 2), ..AccountView::default() };
                (job, Answer::AccountSeen(view))
            }
            Action::SubmitClaim { job, voucher, sig, .. } => {
                assert_eq!(sig, GOOD, "a claim that nobody signed");
                (job, Answer::ClaimDone(voucher.amount))
            }
            Action::Send { payload, .. } => {
                assert!(matches!(PayMessage::decode(&payload), Ok(Some(_))), "{payload:?}");
                return;
            }
            Action::Seal { job, sig, .. } => {
                assert_eq!(sig, GOOD, "sealed for nobody");
                (job, Answer::Sealed([3; SEALED_LEN]))
            }
            Action::Unseal { job, sealed, .. } => (job, Answer::Opened(sealed[0] == 3)),
            Action::Weight { .. } | Action::Allowance { .. } => return,
        };
        self.jobs.push((job, answer));
    }

    /// Whether a record holds so much of a promise, or more.
    fn is_stored(&self, voucher: &Promise) -> bool {
        self.records.values().any(|bytes| {
            let stored = match Record::decode(bytes) {
                Ok(Record::Promised(promise) | Record::Purchase { promise, .. }) => promise,
                _ => return false,
            };
            Promise { amount: voucher.amount, ..stored } == *voucher
                && stored.amount >= voucher.amount
        })
    }

    /// No more is promised than the cap, nothing is earned that no good signature was under.
    fn judge(&self) {
        let view = self.pay.view();
        assert!(view.promised <= CAP, "{:?} promised", view.promised);
        assert!(view.earned.0 <= self.signed.0 * 2, "{:?} earned", view.earned);
    }
}

/// A message of some kind, as large as is said. Of some the signature is not good.
fn message(kind: u8, many: u8) -> PayMessage {
    let much = u64::from(many);
    let sum = Amount(u128::from(much) << 12);
    let sig = if much % 7 == 6 { Signature([2; 65]) } else { GOOD };
    let small = u32::from(many);
    match kind {
        0 => PayMessage::Offer(Offer {
            id: much % 2,
            rail: RAIL,
            payee: Address([9; 20]),
            price: Amount(u128::from(much) << 15),
            credit: 1 << 18,
            valid_s: small,
        }),
        1 => {
            let (grant, price) = (grant(8 + many % 2), Amount(PRICE.0 * 2));
            PayMessage::Bid(Box::new(Bid { offer: much % 4, price, budget: CAP, grant, sig }))
        }
        2 => PayMessage::Award(Award {
            offer: much % 2,
            price: Amount(u128::from(much) << 15),
            from: (much / 8) << 14,
            credit: 1 << 18,
            until_s: small,
        }),
        3 => PayMessage::Refuse { code: RefuseCode::Busy },
        4 => PayMessage::Voucher { amount: sum, sig, bytes: much << 12 },
        5 => PayMessage::Receipt { amount: sum, bytes: much << 12 },
        6 => PayMessage::Due { amount: sum, grace_ms: small },
        7 => PayMessage::Reserve { amount: sum, sig },
        _ => PayMessage::End { code: EndCode::Outbid },
    }
}

/// A message about a key. Of some the signature is not good.
fn key_message(kind: u8, many: u8) -> PayMessage {
    let much = u64::from(many);
    let amount = Amount(u128::from(much) << 12);
    let sig = if much % 7 == 6 { Signature([2; 65]) } else { GOOD };
    let price = Amount(if many.is_multiple_of(3) { 0 } else { 1 << 14 });
    match kind {
        32 => {
            let (grant, rail, grant_sig) = (grant(8 + many % 2), RAIL, GOOD);
            let content = CONTENT;
            PayMessage::Buy(Box::new(Buy { content, price, rail, grant, grant_sig, amount, sig }))
        }
        33 => PayMessage::Key { content: CONTENT, sealed: [many % 5; SEALED_LEN] },
        _ => PayMessage::Deny {
            content: CONTENT,
            price,
            code: if many.is_multiple_of(2) { RefuseCode::Price } else { RefuseCode::Busy },
        },
    }
}
