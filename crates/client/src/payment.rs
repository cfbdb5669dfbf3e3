//! Joins payment to the engine: which peers are worth paying, what of their bytes is charged, and
//! what is sold to whom. Neither knows of the other; both are told here.

use headwater_base::{BLOCK_LEN, LinkId, Map, Set, Time, TorrentId};
use headwater_engine::{Engine, Input, PayNews};
use headwater_pay::{Action, Event, Input as PayInput, Pay, PayView, Step};
use headwater_wire::extended::PayTerms;

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
}

impl Payment {
    pub(crate) fn new(pay: Pay) -> Self {
        Self { pay, terms: None, partners: Map::new(), hurried: Set::new() }
    }

    pub(crate) fn claim(&mut self, now: Time) {
        self.pay.claim(now);
    }

    pub(crate) fn view(&self) -> PayView {
        self.pay.view()
    }

    /// Takes what the user chose, or the answer to a job.
    pub(crate) fn handle(&mut self, now: Time, engine: &mut Engine, input: PayInput) {
        self.pay.handle(now, input);
        let terms = self.pay.terms();
        if terms != self.terms {
            let told = terms.as_ref().map(PayTerms::encode);
            self.terms = terms;
            engine.handle(now, Input::PayTermsChosen(told));
        }
        self.sync(now, engine);
    }

    /// The user pays for a torrent from here on, or no longer.
    pub(crate) fn hurry(&mut self, now: Time, engine: &mut Engine, torrent: TorrentId, on: bool) {
        if on {
            self.hurried.insert(torrent);
        } else {
            self.hurried.remove(&torrent);
        }
        self.sync(now, engine);
    }

    /// Takes what the engine has for payment.
    pub(crate) fn heard(&mut self, now: Time, engine: &mut Engine, news: PayNews) {
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
                engine.handle(now, Input::PeerCharged { link: *link, charges });
            }
        }
    }

    /// Has the engine do what is its own to do. Answers the rest; nothing when there is nothing to
    /// be done before the deadline.
    pub(crate) fn next(&mut self, now: Time, engine: &mut Engine) -> Turn {
        let action = match self.pay.next(now) {
            Step::Tell(event) => return Turn::Step(PayStep::Tell(event)),
            Step::Sleep(wake) => return Turn::Sleep(wake),
            Step::Do(action) => action,
        };
        let input = match action {
            Action::Send { link, payload } => Input::PaySaid { link, payload },
            Action::Weight { link, weight } => Input::SlotSold { link, weight },
            Action::Allowance { link, bytes } => Input::PaidAllowed { link, bytes },
            Action::Sign { .. }
            | Action::Verify { .. }
            | Action::Store { .. }
            | Action::Forget(_)
            | Action::ViewAccount { .. }
            | Action::SubmitClaim { .. } => return Turn::Step(PayStep::Do(action)),
        };
        engine.handle(now, input);
        self.sync(now, engine);
        Turn::Engine
    }
}

/// What payment does next.
pub(crate) enum Turn {
    /// The engine was told something.
    Engine,
    /// This is for the shell.
    Step(PayStep),
    /// Nothing, until then.
    Sleep(Option<headwater_pay::Wake>),
}
