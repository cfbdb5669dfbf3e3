//! Joins payment to the engine: which peers are worth paying, what of their bytes is charged, and
//! what is sold to whom. Neither knows of the other; both are told here.

use std::collections::VecDeque;

use headwater_base::{Amount, LinkId, Map, Seed, Set, Time, TorrentId};
use headwater_engine::{
    Engine, Event as EngineEvent, Input, PayNews, PayOrder, Step as EngineStep, Wake,
};
use headwater_pay::{Action, Event, Input as PayInput, Pay, PayView, RecordError, Step};
use headwater_wire::extended::PayTerms;

use crate::Client;
use crate::client::verified_at_once;

/// What payment wants of the shell, or tells whoever listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayStep {
    /// The shell must do this: sign, check, store, ask the chain.
    Do(Action),
    /// Somebody may want to know this.
    Tell(Event),
}

/// The next thing that payment wants, or that there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentStep {
    /// The engine must hear this.
    Order(PayOrder),
    /// This is for the shell.
    Shell(PayStep),
    /// Nothing until an input comes, or until then.
    Sleep(Option<headwater_pay::Wake>),
}

/// A peer that takes part in payment.
#[derive(Debug)]
struct Partner {
    torrent: TorrentId,
    /// The engine knows that its bytes are charged.
    charges: bool,
    /// Charged bytes of it that came and are not found right yet.
    unjudged: u64,
    /// It was said to be worth paying.
    urgent: bool,
}

/// Payment of one client, beside its engine: in the same program, or in a module of its own that
/// is loaded when payment is switched on.
pub struct Payment {
    pay: Pay,
    /// What peers were last told.
    terms: Option<PayTerms>,
    partners: Map<LinkId, Partner>,
    /// The engine was told to link with seeds too.
    meets: bool,
    /// Torrents for which the user pays, with the bytes of each that are verified at once.
    hurried: Map<TorrentId, u64>,
    /// What the engine must hear before anything else happens.
    orders: VecDeque<PayOrder>,
    /// Something happened to one side since the other was told last.
    changed: bool,
}

impl Payment {
    /// Payment that is off, of a client that never paid.
    pub fn new(seed: &Seed) -> Self {
        Self::beside(Pay::new(seed))
    }

    /// Payment that goes on with what was stored of it.
    pub fn restore<'a>(
        seed: &Seed,
        records: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Self, RecordError> {
        Pay::restore(seed, records).map(Self::beside)
    }

    /// Takes back what was stored of a side that was never switched on.
    pub fn recall<'a>(
        &mut self,
        records: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<(), RecordError> {
        self.pay.recall(records)
    }

    fn beside(pay: Pay) -> Self {
        Self {
            pay,
            terms: None,
            partners: Map::new(),
            meets: false,
            hurried: Map::new(),
            orders: VecDeque::new(),
            changed: false,
        }
    }

    /// Takes what the user chose, or the answer to a job.
    pub fn handle(&mut self, now: Time, input: PayInput) {
        self.pay.handle(now, input);
        self.changed = true;
    }

    /// Takes what the engine has for payment.
    pub fn hear(&mut self, now: Time, news: PayNews) {
        let input = match news {
            PayNews::Told { torrent, link, terms } => {
                self.partners.entry(link).or_insert(Partner {
                    torrent,
                    charges: false,
                    unjudged: 0,
                    urgent: false,
                });
                PayInput::LinkOpened { link, terms }
            }
            PayNews::Said { link, payload } => PayInput::Message { link, payload },
            PayNews::Left(link) => {
                self.partners.remove(&link);
                PayInput::LinkClosed(link)
            }
            PayNews::Served { link, unchoked } => PayInput::Served { link, unchoked },
            PayNews::Received { link, bytes } => {
                let charged = self.pay.is_charged(link);
                if let Some(partner) = self.partners.get_mut(&link).filter(|_| charged) {
                    partner.unjudged += bytes;
                }
                PayInput::BytesReceived { link, bytes }
            }
            PayNews::Verified { link, bytes } => {
                // Which of its bytes were charged makes no difference to what is owed for them.
                let Some(partner) = self.partners.get_mut(&link) else { return };
                let bytes = bytes.min(partner.unjudged);
                partner.unjudged -= bytes;
                PayInput::BytesVerified { link, bytes }
            }
            PayNews::Bad(link) => PayInput::BytesBad(link),
            PayNews::Sent { link, bytes } => PayInput::BytesSent { link, bytes },
            PayNews::Interest { link, interested } => PayInput::Interest { link, interested },
            PayNews::Reciprocates { link, enough } => PayInput::Reciprocates { link, enough },
        };
        self.handle(now, input);
    }

    /// Pays for a torrent's bytes from here on, of which so many are verified at once; or no
    /// longer.
    pub fn hurry(&mut self, torrent: TorrentId, unit: Option<u64>) {
        let before = match unit {
            Some(unit) => self.hurried.insert(torrent, unit),
            None => self.hurried.remove(&torrent),
        };
        self.changed |= before != unit;
    }

    /// Whether bytes that come over a link now are paid for.
    pub fn is_charged(&self, link: LinkId) -> bool {
        self.pay.is_charged(link)
    }

    /// Claims all that is worth its fee.
    pub fn claim(&mut self, now: Time) {
        self.pay.claim(now);
    }

    /// Claims every session of which more than `least` is open.
    pub fn claim_above(&mut self, now: Time, least: Amount) {
        self.pay.claim_above(now, least);
    }

    /// What was bought and sold so far.
    pub fn view(&self) -> PayView {
        self.pay.view()
    }

    /// The next thing to do.
    pub fn next(&mut self, now: Time) -> PaymentStep {
        loop {
            // Once at the end of a drain: a torrent of many peers would else be gone through for
            // each block.
            if core::mem::take(&mut self.changed) {
                self.sync(now);
            }
            if let Some(order) = self.orders.pop_front() {
                return PaymentStep::Order(order);
            }
            let action = match self.pay.next(now) {
                Step::Tell(event) => return PaymentStep::Shell(PayStep::Tell(event)),
                Step::Sleep(wake) => return PaymentStep::Sleep(wake),
                Step::Do(action) => action,
            };
            let order = match action {
                Action::Send { link, payload } => PayOrder::Say { link, payload },
                Action::Weight { link, weight } => PayOrder::Sell { link, weight },
                Action::Allowance { link, bytes } => PayOrder::Allow { link, bytes },
                Action::Sign { .. }
                | Action::Verify { .. }
                | Action::Store { .. }
                | Action::Forget(_)
                | Action::Seal { .. }
                | Action::Unseal { .. }
                | Action::ViewAccount { .. }
                | Action::SubmitClaim { .. } => return PaymentStep::Shell(PayStep::Do(action)),
            };
            self.orders.push_back(order);
            self.changed = true;
        }
    }

    /// Tells each side what follows from the other.
    fn sync(&mut self, now: Time) {
        let terms = self.pay.terms();
        if terms != self.terms {
            let told = terms.as_ref().map(PayTerms::encode);
            self.terms = terms;
            self.orders.push_back(PayOrder::Terms(told));
        }
        // Who has all of a content already meets whoever sells its key as well.
        let meets = self.pay.wants_keys();
        if core::mem::replace(&mut self.meets, meets) != meets {
            self.orders.push_back(PayOrder::Meet(meets));
        }
        for (link, partner) in &mut self.partners {
            let unit = self.hurried.get(&partner.torrent).copied();
            let urgent = unit.is_some();
            if core::mem::replace(&mut partner.urgent, urgent) != urgent {
                let unit = unit.unwrap_or_default();
                self.pay.handle(now, PayInput::Wants { link: *link, urgent, unit });
            }
            let charges = self.pay.is_charged(*link);
            if core::mem::replace(&mut partner.charges, charges) != charges {
                self.orders.push_back(PayOrder::Charge { link: *link, charges });
            }
        }
    }
}

/// Payment inside a client, and what of it waits for the shell.
pub(crate) struct Inside {
    payment: Payment,
    /// Torrents for which the user pays.
    hurried: Set<TorrentId>,
    /// What is for the shell.
    steps: VecDeque<PayStep>,
    /// The engine did something since payment was asked last.
    stirred: bool,
}

impl Inside {
    pub(crate) fn new(seed: &Seed) -> Self {
        Self {
            payment: Payment::new(seed),
            hurried: Set::new(),
            steps: VecDeque::new(),
            stirred: false,
        }
    }

    /// The engine's next step, what is for payment left out. At the end of a drain payment has its
    /// say, and the engine goes on with what follows.
    pub(crate) fn step(&mut self, now: Time, engine: &mut Engine) -> EngineStep {
        loop {
            match engine.next(now) {
                EngineStep::Event(EngineEvent::Pay(news)) => self.payment.hear(now, news),
                EngineStep::Sleep(wake) => {
                    if core::mem::take(&mut self.stirred) {
                        for torrent in &self.hurried {
                            self.payment.hurry(*torrent, verified_at_once(engine, *torrent));
                        }
                    }
                    let Some(own) = self.work(now, engine) else { continue };
                    let first = wake.into_iter().chain(own).min_by_key(|wake| wake.at);
                    return EngineStep::Sleep(first);
                }
                EngineStep::Event(event) => {
                    // Metadata may have come, or a torrent is done.
                    self.stirred = true;
                    return EngineStep::Event(event);
                }
                step @ EngineStep::Action(_) => return step,
            }
        }
    }

    /// Does what payment wants; when it sleeps, says until when.
    fn work(&mut self, now: Time, engine: &mut Engine) -> Option<Option<Wake>> {
        loop {
            match self.payment.next(now) {
                PaymentStep::Shell(step) => self.steps.push_back(step),
                PaymentStep::Order(order) => {
                    engine.handle(now, Input::PayOrdered(order));
                    return None;
                }
                PaymentStep::Sleep(wake) => {
                    return Some(wake.map(|wake| Wake { at: wake.at, why: wake.why }));
                }
            }
        }
    }
}

impl Client {
    /// Takes what the user chose of payment, or the answer to one of its jobs. Call `next`
    /// afterwards.
    pub fn handle_pay(&mut self, now: Time, input: PayInput) {
        self.payment.payment.handle(now, input);
    }

    /// Starts payment with what was stored of it. Call before any other input of payment.
    pub fn restore_pay<'a>(
        &mut self,
        seed: &Seed,
        records: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<(), RecordError> {
        self.payment.payment = Payment::restore(seed, records)?;
        Ok(())
    }

    /// What payment wants of the shell, or tells. Call until it answers nothing, whenever `next`
    /// said to sleep.
    pub fn next_pay(&mut self) -> Option<PayStep> {
        self.payment.steps.pop_front()
    }

    /// Pays for a torrent's bytes from here on, where that is switched on, or no longer. Call
    /// `next` afterwards.
    pub fn hurry(&mut self, torrent: TorrentId, on: bool) {
        if on {
            self.payment.hurried.insert(torrent);
        } else if self.payment.hurried.remove(&torrent) {
            self.payment.payment.hurry(torrent, None);
        }
        self.payment.stirred = true;
    }

    /// Claims all that is worth its fee.
    pub fn claim_pay(&mut self, now: Time) {
        self.payment.payment.claim(now);
    }

    /// What was bought and sold so far.
    pub fn pay_view(&self) -> PayView {
        self.payment.payment.view()
    }
}
