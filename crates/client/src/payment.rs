//! Joins payment to the engine: which peers are worth paying, what of their bytes is charged, and
//! what is sold to whom. Neither knows of the other; both are told here.

use std::collections::VecDeque;

use headwater_base::{BLOCK_LEN, LinkId, Map, Seed, Set, Time, TorrentId};
use headwater_engine::{
    Engine, Event as EngineEvent, Input, PayNews, PayOrder, Step as EngineStep, Wake,
};
use headwater_pay::{Action, Event, Input as PayInput, Pay, PayView, RecordError, Step};
use headwater_wire::extended::PayTerms;

use crate::Client;

/// What payment wants of the shell, or tells whoever listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayStep {
    /// The shell must do this: sign, check, store, ask the chain.
    Do(Action),
    /// Somebody may want to know this.
    Tell(Event),
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

/// Payment of one client.
pub(crate) struct Payment {
    pay: Pay,
    /// What peers were last told.
    terms: Option<PayTerms>,
    partners: Map<LinkId, Partner>,
    /// Torrents for which the user pays.
    hurried: Set<TorrentId>,
    /// What is for the shell.
    steps: VecDeque<PayStep>,
    /// When payment has something to do.
    wake: Option<headwater_pay::Wake>,
    /// Something happened to one side since the other was told last.
    changed: bool,
}

impl Payment {
    pub(crate) fn new(seed: &Seed) -> Self {
        Self {
            pay: Pay::new(seed),
            terms: None,
            partners: Map::new(),
            hurried: Set::new(),
            steps: VecDeque::new(),
            wake: None,
            changed: false,
        }
    }

    /// Takes what the user chose, the answer to a job, or what the engine had for payment.
    fn handle(&mut self, now: Time, input: PayInput) {
        self.pay.handle(now, input);
        self.changed = true;
    }

    /// Takes what the engine has for payment.
    fn heard(&mut self, now: Time, news: PayNews) {
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

    /// Tells each side what follows from the other. Once at the end of a drain: a torrent of many
    /// peers would else be gone through for each block.
    fn sync(&mut self, now: Time, engine: &mut Engine) {
        let terms = self.pay.terms();
        if terms != self.terms {
            let told = terms.as_ref().map(PayTerms::encode);
            self.terms = terms;
            engine.handle(now, Input::PayOrdered(PayOrder::Terms(told)));
        }
        for (link, partner) in &mut self.partners {
            let hurried = self.hurried.contains(&partner.torrent);
            let unit = if hurried { unit(engine, partner.torrent) } else { None };
            let urgent = unit.is_some();
            if core::mem::replace(&mut partner.urgent, urgent) != urgent {
                let unit = unit.unwrap_or_default();
                self.pay.handle(now, PayInput::Wants { link: *link, urgent, unit });
            }
            let charges = self.pay.is_charged(*link);
            if core::mem::replace(&mut partner.charges, charges) != charges {
                engine.handle(now, Input::PayOrdered(PayOrder::Charge { link: *link, charges }));
            }
        }
    }

    /// The engine's next step, what is for payment left out. At the end of a drain payment has its
    /// say, and the engine goes on with what follows.
    pub(crate) fn step(&mut self, now: Time, engine: &mut Engine) -> EngineStep {
        loop {
            match engine.next(now) {
                EngineStep::Event(EngineEvent::Pay(news)) => self.heard(now, news),
                EngineStep::Sleep(wake) => {
                    if core::mem::take(&mut self.changed) {
                        self.sync(now, engine);
                    } else if self.work(now, engine) {
                        let own = self.wake.map(|wake| Wake { at: wake.at, why: wake.why });
                        let first = wake.into_iter().chain(own).min_by_key(|wake| wake.at);
                        return EngineStep::Sleep(first);
                    }
                }
                EngineStep::Event(event) => {
                    // Metadata may have come, or a torrent is done.
                    self.changed = true;
                    return EngineStep::Event(event);
                }
                step @ EngineStep::Action(_) => return step,
            }
        }
    }

    /// Does what payment wants; true when there is nothing more before the deadline.
    fn work(&mut self, now: Time, engine: &mut Engine) -> bool {
        loop {
            let action = match self.pay.next(now) {
                Step::Tell(event) => {
                    self.steps.push_back(PayStep::Tell(event));
                    continue;
                }
                Step::Sleep(wake) => {
                    self.wake = wake;
                    return true;
                }
                Step::Do(action) => action,
            };
            let input = match action {
                Action::Send { link, payload } => {
                    Input::PayOrdered(PayOrder::Say { link, payload })
                }
                Action::Weight { link, weight } => {
                    Input::PayOrdered(PayOrder::Sell { link, weight })
                }
                Action::Allowance { link, bytes } => {
                    Input::PayOrdered(PayOrder::Allow { link, bytes })
                }
                Action::Sign { .. }
                | Action::Verify { .. }
                | Action::Store { .. }
                | Action::Forget(_)
                | Action::ViewAccount { .. }
                | Action::SubmitClaim { .. } => {
                    self.steps.push_back(PayStep::Do(action));
                    continue;
                }
            };
            engine.handle(now, input);
            self.changed = true;
            return false;
        }
    }
}

/// Bytes that are verified at once, of a torrent that lacks any: a block in v2, a piece in v1.
fn unit(engine: &Engine, torrent: TorrentId) -> Option<u64> {
    let metainfo = engine.metainfo(torrent).filter(|_| !engine.is_done(torrent))?;
    let by_block = metainfo.info_hash_v2.is_some();
    Some(u64::from(if by_block { BLOCK_LEN } else { metainfo.piece_length }))
}

impl Client {
    /// Takes what the user chose of payment, or the answer to one of its jobs. Call `next`
    /// afterwards.
    pub fn handle_pay(&mut self, now: Time, input: PayInput) {
        self.payment.handle(now, input);
    }

    /// Starts payment with what was stored of it. Call before any other input of payment.
    pub fn restore_pay<'a>(
        &mut self,
        seed: &Seed,
        records: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<(), RecordError> {
        self.payment.pay = Pay::restore(seed, records)?;
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
        } else {
            self.payment.hurried.remove(&torrent);
        }
        self.payment.changed = true;
    }

    /// Claims all that is worth its fee.
    pub fn claim_pay(&mut self, now: Time) {
        self.payment.pay.claim(now);
    }

    /// What was bought and sold so far.
    pub fn pay_view(&self) -> PayView {
        self.payment.pay.view()
    }
}
