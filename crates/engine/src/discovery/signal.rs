//! Carries link attempts from offer to answer to an open link. Never drops one because offers
//! crossed: both go on, and the engine keeps one after their handshakes.

use core::net::IpAddr;

use headwater_base::{LinkId, PeerId, Set, Time, TorrentId};
use headwater_wire::tracker::{Answer, ClientMessage, Description, OfferId};

use super::attempt::{Attempt, Offer, State, Way};
use super::limit::{
    DESCRIPTION_WAIT, LINK_OPEN_WAIT, OFFER_LIFE, TRACKER_MESSAGE_BYTES_MAX, UNSUPPORTED_PAUSE,
};
use super::{At, Discovery, Expected, Linked, Out, Role, Timer};
use crate::{Action, Event, LinkEnd, Warning};

impl Discovery {
    /// The shell made an offer.
    pub(super) fn offer_made(&mut self, now: Time, link: LinkId, sdp: String) {
        let Some(attempt) = self.attempts.get_mut(&link).filter(|a| a.is_making()) else { return };
        let mut id = OfferId([0; 20]);
        self.rng.fill(&mut id.0);
        let (until, via) = (now + OFFER_LIFE, Set::new());
        attempt.state = State::Offered(Offer { id, sdp, until, sent_at: None, via, to: None });
        let torrent = attempt.torrent;
        self.timers.set(Timer::Attempt(link), until);
        self.gathered(now, torrent);
    }

    /// A peer offers us a link. Answers whether it will be answered.
    pub(super) fn offered(
        &mut self,
        now: Time,
        (way, torrent): (Way, TorrentId),
        (peer, offer): (PeerId, OfferId),
        sdp: String,
    ) -> bool {
        let known = self.torrents.get(&torrent).is_none_or(|swarm| swarm.shuns(now, peer));
        let answers = |attempt: &&Attempt| attempt.is_answer();
        let all = self.attempts.values().filter(answers).count();
        let here = self.attempts.values().filter(|a| a.is_answer() && a.torrent == torrent);
        let again = here.clone().any(|a| a.answers(peer));
        let count = here.count();
        let refused = peer == self.peer_id
            || known
            || again
            || self.room(torrent) == 0
            || count >= self.pace.answers_per_torrent_max
            || all >= self.pace.answers_max
            || self.is_unsupported(now);
        // Room costs one of our own offers, so it is made only for an answer that may be given.
        if refused || !self.answer_budget.has(now) || !self.make_room(now, true) {
            return false;
        }
        self.answer_budget.take(now);
        let link = self.attempt(torrent, State::Answering { peer, offer, way });
        if let Some(attempt) = self.attempts.get_mut(&link) {
            match way {
                Way::Relay(relay) => attempt.relay = Some(relay),
                Way::Tracker((_, hash)) => attempt.hash = Some(hash),
            }
        }
        self.timers.set(Timer::Attempt(link), now + DESCRIPTION_WAIT);
        self.act(Action::MakeAnswer { link, offer: sdp });
        true
    }

    /// The shell made an answer.
    pub(super) fn answer_made(&mut self, now: Time, link: LinkId, sdp: String) {
        let Some(attempt) = self.attempts.get(&link) else { return };
        let State::Answering { peer, offer, way } = attempt.state else { return };
        let torrent = attempt.torrent;
        let out = match way {
            Way::Tracker(at) => {
                let text = self.answer(at, (peer, offer), &sdp);
                let text = text.filter(|text| text.len() <= TRACKER_MESSAGE_BYTES_MAX);
                text.map(|text| Out::Action(Action::SendTracker { tracker: at.0, text }))
            }
            Way::Relay(relay) => self.answer_through(torrent, relay, (peer, offer), sdp),
        };
        let (Some(out), Some(attempt)) = (out, self.attempts.get_mut(&link)) else {
            self.give_up(link);
            return;
        };
        attempt.state = State::Answered(peer);
        self.timers.set(Timer::Attempt(link), now + LINK_OPEN_WAIT);
        self.outs.push_back(out);
    }

    /// The text of an answer; `None` while the tracker is closed.
    fn answer(
        &self,
        at: At,
        (to_peer_id, offer_id): (PeerId, OfferId),
        sdp: &str,
    ) -> Option<String> {
        let swarm = self.swarm(at.1)?;
        self.trackers.get(&at.0).filter(|tracker| tracker.is_open())?;
        let answer = Answer {
            info_hash: at.1,
            peer_id: self.peer_id,
            to_peer_id,
            offer_id,
            sdp: Description::new(sdp),
            left: Some(swarm.left()),
            tracker_id: self.member(at)?.tracker_id.clone(),
        };
        Some(ClientMessage::Answer(answer).encode())
    }

    /// Somebody answered one of our offers, or says so: only who was told its id can know it.
    pub(super) fn answered(
        &mut self,
        now: Time,
        (at, torrent): (At, TorrentId),
        (peer, id): (PeerId, OfferId),
        sdp: String,
    ) {
        let known = self.torrents.get(&torrent).is_none_or(|swarm| swarm.shuns(now, peer));
        if peer == self.peer_id || known || self.room(torrent) == 0 {
            return;
        }
        let is_it = |attempt: &Attempt| {
            let offer = attempt.offer().filter(|offer| offer.id == id);
            attempt.torrent == torrent && offer.is_some_and(|offer| offer.via.contains(&at))
        };
        let found = self.attempts.iter_mut().find(|(_, attempt)| is_it(attempt));
        let Some((link, attempt)) = found.map(|(link, attempt)| (*link, attempt)) else { return };
        (attempt.state, attempt.hash) = (State::Taking(peer), Some(at.1));
        self.take_answer(now, link, sdp);
    }

    /// Has the shell take the answer to one of our offers.
    pub(super) fn take_answer(&mut self, now: Time, link: LinkId, answer: String) {
        self.timers.set(Timer::Attempt(link), now + LINK_OPEN_WAIT);
        self.act(Action::TakeAnswer { link, answer });
    }

    /// An attempt became a link: it is handed over.
    pub(super) fn link_opened(
        &mut self,
        now: Time,
        link: LinkId,
        window: usize,
        from: Option<IpAddr>,
    ) {
        let Some(attempt) = self.attempts.get(&link) else { return };
        let (role, peer) = match attempt.state {
            State::Taking(peer) => (Role::Offered, Some(peer)),
            State::Answered(peer) => (Role::Answered, Some(peer)),
            State::Dialling(_) => (Role::Offered, None),
            State::Making | State::Offered(_) | State::Answering { .. } => {
                self.give_up(link);
                return;
            }
        };
        let dialled = attempt.dials();
        let from = dialled.map(|address| address.ip()).or(from);
        let who = Expected {
            peer,
            introduced: attempt.relay.is_some(),
            from,
            dialled,
            direct: dialled.is_some(),
            hash: attempt.hash,
        };
        let torrent = attempt.torrent;
        self.attempts.remove(&link);
        self.timers.clear(Timer::Attempt(link));
        if dialled.is_none() {
            self.unsupported_until = None;
        }
        self.hand_over(now, (torrent, link), (role, window), who);
    }

    /// Hands a link that is open over to its torrent.
    pub(super) fn hand_over(
        &mut self,
        now: Time,
        (torrent, link): (TorrentId, LinkId),
        (role, window): (Role, usize),
        who: Expected,
    ) {
        let Some(swarm) = self.torrents.get_mut(&torrent) else { return };
        swarm.linked += 1;
        swarm.told_unsupported = false;
        self.linked.insert(link, Linked { torrent, since: now, direct: who.direct });
        self.outs.push_back(Out::Linked { torrent, link, role, window, who });
        if let Some(peer) = who.peer {
            self.rest_stranger(now, torrent, peer, false);
        }
        self.plan_all(now, torrent);
        self.plan_dials(now, torrent);
    }

    /// An attempt failed, or the shell can make none.
    pub(super) fn attempt_closed(&mut self, now: Time, link: LinkId, end: LinkEnd) {
        let Some(attempt) = self.attempts.remove(&link) else { return };
        self.timers.clear(Timer::Attempt(link));
        if attempt.dials().is_some() {
            self.dial_failed(now, &attempt, end);
            return;
        }
        if end == LinkEnd::Unsupported {
            self.unsupported(now, attempt.torrent);
        }
        self.in_vain(now, &attempt);
        self.gathered(now, attempt.torrent);
    }

    /// An attempt took too long, or an offer is too old.
    pub(super) fn attempt_due(&mut self, now: Time, link: LinkId) {
        let Some(attempt) = self.attempts.remove(&link) else { return };
        self.act(Action::CloseLink(link));
        if attempt.dials().is_some() {
            self.dial_failed(now, &attempt, LinkEnd::Failed);
            return;
        }
        self.in_vain(now, &attempt);
        self.gathered(now, attempt.torrent);
    }

    /// Has the shell drop an attempt.
    pub(super) fn give_up(&mut self, link: LinkId) {
        if self.attempts.remove(&link).is_some() {
            self.timers.clear(Timer::Attempt(link));
            self.act(Action::CloseLink(link));
        }
    }

    /// Whether the shell said lately that it can make no links.
    pub(super) fn is_unsupported(&self, now: Time) -> bool {
        self.unsupported_until.is_some_and(|until| now < until)
    }

    fn unsupported(&mut self, now: Time, torrent: TorrentId) {
        self.unsupported_until = Some(now + UNSUPPORTED_PAUSE);
        if let Some(swarm) = self.torrents.get_mut(&torrent)
            && !core::mem::replace(&mut swarm.told_unsupported, true)
        {
            let warning = Warning::LinksUnsupported;
            self.outs.push_back(Out::Event(Event::Warned { torrent, warning }));
        }
    }

    /// Whether one more link fits, made of an offer or dialled.
    pub(super) fn fits(&self, offered: bool) -> bool {
        let all = self.attempts() + self.linked.len();
        let direct = self.linked.values().filter(|link| link.direct).count()
            + self.attempts.values().filter(|attempt| attempt.dials().is_some()).count()
            + self.arrivals.len();
        all < self.links_max && (!offered || all - direct < self.offered_max)
    }

    /// Sees to it that one more attempt fits: an offer that nobody took makes way.
    pub(super) fn make_room(&mut self, now: Time, offered: bool) -> bool {
        if self.fits(offered) {
            return true;
        }
        let Some(link) = self.idle_offer(now) else { return false };
        self.give_up(link);
        true
    }

    /// Whether one more attempt fits, or can be made to.
    pub(super) fn has_room(&self, now: Time) -> bool {
        self.fits(false) || self.idle_offer(now).is_some()
    }

    /// The offer that waits longest for somebody to take it.
    fn idle_offer(&self, now: Time) -> Option<LinkId> {
        let idle = self.attempts.iter().filter_map(|(link, attempt)| {
            let offer = attempt.offer().filter(|offer| offer.is_rested(now))?;
            Some((offer.sent_at, *link))
        });
        idle.min().map(|(_, link)| link)
    }
}
