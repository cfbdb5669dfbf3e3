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
        }
    }

    /// Takes what the user chose, or the answer to a job.
    fn handle(&mut self, now: Time, engine: &mut Engine, input: PayInput) {
        self.pay.handle(now, input);
        let terms = self.pay.terms();
        if terms != self.terms {
            let told = terms.as_ref().map(PayTerms::encode);
            self.terms = terms;
            engine.handle(now, Input::Pay(PayOrder::Terms(told)));
        }
        self.sync(now, engine);
    }

    /// The user pays for a torrent from here on, or no longer.
    fn hurry(&mut self, now: Time, engine: &mut Engine, torrent: TorrentId, on: bool) {
        if on {
            self.hurried.insert(torrent);
        } else {
            self.hurried.remove(&torrent);
        }
        self.sync(now, engine);
    }

    /// Takes what the engine has for payment.
    fn heard(&mut self, now: Time, engine: &mut Engine, news: PayNews) {
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
        self.pay.handle(now, input);
        self.sync(now, engine);
    }

    /// Tells each side what follows from the other.
    fn sync(&mut self, now: Time, engine: &mut Engine) {
        for (link, partner) in &mut self.partners {
            let metainfo = engine.metainfo(partner.torrent);
            let done = engine.is_done(partner.torrent);
            let urgent = self.hurried.contains(&partner.torrent) && !done;
            if core::mem::replace(&mut partner.urgent, urgent) != urgent {
                let by_block = metainfo.as_ref().is_some_and(|it| it.info_hash_v2.is_some());
                let piece = metainfo.map_or(BLOCK_LEN, |it| it.piece_length);
                let unit = u64::from(if by_block { BLOCK_LEN } else { piece });
                self.pay.handle(now, PayInput::Wants { link: *link, urgent, unit });
            }
            let charges = self.pay.is_charged(*link);
            if core::mem::replace(&mut partner.charges, charges) != charges {
                engine.handle(now, Input::Pay(PayOrder::Charge { link: *link, charges }));
            }
        }
    }

    /// The engine's next step, what is for payment left out. At the end of a drain payment has its
    /// say, and the engine goes on with what follows.
    pub(crate) fn step(&mut self, now: Time, engine: &mut Engine) -> EngineStep {
        loop {
            match engine.next(now) {
                EngineStep::Event(EngineEvent::Pay(news)) => self.heard(now, engine, news),
                EngineStep::Sleep(wake) => {
                    if self.work(now, engine) {
                        let own = self.wake.map(|wake| Wake { at: wake.at, why: wake.why });
                        let first = wake.into_iter().chain(own).min_by_key(|wake| wake.at);
                        return EngineStep::Sleep(first);
                    }
                }
                step @ (EngineStep::Action(_) | EngineStep::Event(_)) => return step,
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
                Action::Send { link, payload } => Input::Pay(PayOrder::Say { link, payload }),
                Action::Weight { link, weight } => Input::Pay(PayOrder::Sell { link, weight }),
                Action::Allowance { link, bytes } => Input::Pay(PayOrder::Allow { link, bytes }),
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
            self.sync(now, engine);
            return false;
        }
    }
}

impl Client {
    /// Takes what the user chose of payment, or the answer to one of its jobs. Call `next`
    /// afterwards.
    pub fn handle_pay(&mut self, now: Time, input: PayInput) {
        self.payment.handle(now, &mut self.engine, input);
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

    /// Pays for a torrent's bytes from here on, where that is switched on, or no longer.
    pub fn hurry(&mut self, now: Time, torrent: TorrentId, on: bool) {
        self.payment.hurry(now, &mut self.engine, torrent, on);
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
