//! Meets strangers through neighbours: asks them to carry our offers to peers they are linked
//! to, and answers what they bring. Trusts a neighbour no more than a tracker.

use core::cmp::Reverse;

use headwater_base::{LinkId, PeerId, Set, Time, TorrentId};
use headwater_wire::extended::{Refusal, SignalMessage, SignalNews, SignalWay};
use headwater_wire::tracker::OfferId;

use super::attempt::{Attempt, State, Way};
use super::circle::{Neighbour, Stranger};
use super::limit::{
    INTRODUCTION_WAIT, INTRODUCTION_YIELD, INTRODUCTIONS_AT_ONCE, INTRODUCTIONS_UNPROVEN,
    LINKS_FEW, STRANGER_REST, STRANGER_REST_DOUBLINGS,
};
use super::{Discovery, Out, Timer};

impl Discovery {
    /// Asks for introductions as long as links are few, and plans when to ask again.
    pub(super) fn introduce(&mut self, now: Time, torrent: TorrentId) {
        self.timers.clear(Timer::Introduce(torrent));
        while self.seeks(now, torrent) {
            let Some((relay, peer)) = self.next_stranger(now, torrent) else { break };
            let Some(link) = self.rested(now, torrent, 1).first().copied() else {
                if self.making(torrent) == 0 {
                    self.make_offers(now, torrent, 1);
                }
                break;
            };
            self.ask(now, torrent, (relay, peer), link);
        }
        self.plan_introductions(now, torrent);
    }

    /// Whether a torrent has so few links that it looks for strangers.
    fn seeks(&self, now: Time, torrent: TorrentId) -> bool {
        let Some(swarm) = self.torrents.get(&torrent) else { return false };
        let coming = self.attempts.values();
        let coming = coming.filter(|at| at.torrent == torrent && at.peer().is_some()).count();
        swarm.is_public()
            && swarm.linked + coming < LINKS_FEW
            && coming < swarm.wanted
            && self.asked_through(torrent, None) < INTRODUCTIONS_AT_ONCE
            && !self.is_unsupported(now)
    }

    /// Offers on their way through one relay, or through any.
    fn asked_through(&self, torrent: TorrentId, relay: Option<LinkId>) -> usize {
        let asked = |at: &&Attempt| {
            at.torrent == torrent
                && at.offer().is_some_and(|offer| offer.to.is_some())
                && (relay.is_none() || at.relay == relay)
        };
        self.attempts.values().filter(asked).count()
    }

    /// The stranger to offer a link to, and by whom: one whose relay disappointed least, then of
    /// those tried least. A relay that names many who are not there would else be asked for ever.
    fn next_stranger(&mut self, now: Time, torrent: TorrentId) -> Option<(LinkId, PeerId)> {
        let usable: Set<LinkId> = self.usable_relays(now, torrent);
        let swarm = self.torrents.get(&torrent)?;
        let ready = self.eligible(torrent).filter(|(peer, not_before)| {
            let relays = swarm.circle.strangers.get(peer).map(|one| &one.relays);
            *not_before <= now && relays.is_some_and(|of| of.intersection(&usable).count() > 0)
        });
        let doubt = |link: &LinkId| swarm.circle.neighbours.get(link).map(|one| one.doubt);
        let rank = |peer: &PeerId| {
            let stranger = swarm.circle.strangers.get(peer)?;
            let best = stranger.relays.intersection(&usable).filter_map(doubt).min();
            Some((best, stranger.tries))
        };
        let ready: Vec<PeerId> = ready.map(|(peer, _)| peer).collect();
        let least = ready.iter().map(rank).min()?;
        let ready: Vec<PeerId> = ready.into_iter().filter(|peer| rank(peer) == least).collect();
        let peer = ready[self.rng.pick(ready.len())?];
        let stranger = swarm.circle.strangers.get(&peer)?;
        let best = |link: &&LinkId| {
            let proven = swarm.circle.neighbours.get(*link).is_some_and(|one| one.proven);
            let asked = self.asked_through(torrent, Some(**link));
            (doubt(link), Reverse(proven), asked, **link)
        };
        let relay = *stranger.relays.intersection(&usable).min_by_key(best)?;
        Some((relay, peer))
    }

    /// Neighbours that may be asked at the moment.
    fn usable_relays(&mut self, now: Time, torrent: TorrentId) -> Set<LinkId> {
        let busy: Vec<LinkId> = self
            .attempts
            .values()
            .filter(|at| at.offer().is_some_and(|offer| offer.to.is_some()))
            .filter_map(|at| at.relay)
            .collect();
        let Some(swarm) = self.torrents.get_mut(&torrent) else { return Set::new() };
        let usable = |(link, one): (&LinkId, &mut Neighbour)| {
            let asked = busy.iter().filter(|relay| *relay == link).count();
            let fits = one.proven || asked < INTRODUCTIONS_UNPROVEN;
            (fits && one.rests_until <= now && one.serves.has(now)).then_some(*link)
        };
        swarm.circle.neighbours.iter_mut().filter_map(usable).collect()
    }

    /// Strangers worth a link, and when they may be tried.
    fn eligible(&self, torrent: TorrentId) -> impl Iterator<Item = (PeerId, Time)> + '_ {
        let met = move |peer: &PeerId| {
            self.attempts.values().any(|at| at.torrent == torrent && at.peer() == Some(*peer))
        };
        let swarm = self.torrents.get(&torrent);
        let worth = move |(peer, one): (&PeerId, &Stranger)| {
            let swarm = swarm?;
            let useless = one.seed && swarm.is_seed();
            (!useless && !swarm.known.contains(peer) && !met(peer))
                .then_some((*peer, one.not_before))
        };
        swarm.into_iter().flat_map(|swarm| swarm.circle.strangers.iter()).filter_map(worth)
    }

    /// Sends an offer through a relay. Under a new name: the old one may be known to others.
    fn ask(
        &mut self,
        now: Time,
        torrent: TorrentId,
        (relay, peer): (LinkId, PeerId),
        link: LinkId,
    ) {
        let mut id = OfferId([0; 20]);
        self.rng.fill(&mut id.0);
        let Some(attempt) = self.attempts.get_mut(&link) else { return };
        let State::Offered(offer) = &mut attempt.state else { return };
        (offer.id, offer.to, offer.sent_at) = (id, Some(peer), Some(now));
        offer.via.clear();
        attempt.relay = Some(relay);
        let (sdp, way) = (offer.sdp.clone(), SignalWay::To(peer));
        self.timers.set(Timer::Attempt(link), now + INTRODUCTION_WAIT);
        if let Some(one) = self.neighbour(torrent, relay) {
            one.serves.take(now);
        }
        self.say(torrent, relay, SignalMessage::Offer { way, id, sdp });
    }

    /// Sets when to look for strangers again, if time alone may bring one.
    fn plan_introductions(&mut self, now: Time, torrent: TorrentId) {
        if !self.seeks(now, torrent) || self.making(torrent) > 0 {
            return;
        }
        let Some(first) = self.eligible(torrent).map(|(_, at)| at).min() else { return };
        // One that could be tried at once waits for a relay.
        let at = if first > now { first } else { now + STRANGER_REST };
        self.timers.set(Timer::Introduce(torrent), at);
    }

    /// A neighbour told how it stands and whom it can introduce.
    pub(super) fn news_heard(
        &mut self,
        now: Time,
        torrent: TorrentId,
        (link, news): (LinkId, SignalNews),
    ) -> bool {
        let ours = self.peer_id;
        let Some(swarm) = self.torrents.get_mut(&torrent) else { return true };
        let Some(one) = swarm.circle.neighbours.get_mut(&link) else { return true };
        if !one.tells.take(now) {
            return false;
        }
        let changed = (one.open, one.seed) != (news.open, news.seed);
        (one.open, one.seed) = (news.open, news.seed);
        for peer in news.dropped {
            swarm.circle.miss(link, peer);
        }
        for (peer, seed) in news.added.into_iter().filter(|(peer, _)| *peer != ours) {
            let from = if ours < peer { now } else { now + INTRODUCTION_YIELD };
            swarm.circle.meet(link, (peer, seed), from);
        }
        if changed {
            self.tell_news(now, torrent, link);
            self.news_due_soon(now, torrent);
        }
        self.introduce(now, torrent);
        true
    }

    /// A neighbour brings the offer of a stranger.
    pub(super) fn offer_brought(
        &mut self,
        now: Time,
        (torrent, relay): (TorrentId, LinkId),
        (peer, id): (PeerId, OfferId),
        sdp: String,
    ) -> bool {
        let Some(one) = self.neighbour(torrent, relay) else { return true };
        if !one.brings.take(now) {
            return false;
        }
        let swarm = self.torrents.get(&torrent);
        let known = swarm.is_some_and(|swarm| swarm.known.contains(&peer));
        let ours =
            self.attempts.iter().find(|(_, at)| at.torrent == torrent && at.peer() == Some(peer));
        let yields = |at: &Attempt| at.offer().is_some() && self.peer_id > peer;
        let crossed = ours.filter(|(_, at)| yields(at)).map(|(link, _)| *link);
        if known || (ours.is_some() && crossed.is_none()) {
            self.refuse((torrent, relay), (peer, id), Refusal::Known);
            return true;
        }
        if let Some(link) = crossed {
            // The smaller id offers: ours waits for somebody else.
            self.take_back(now, link);
        }
        if !self.offered(now, (Way::Relay(relay), torrent), (peer, id), sdp) {
            self.refuse((torrent, relay), (peer, id), Refusal::Busy);
        }
        true
    }

    /// Our answer as the relay gets it; `None` when the relay is gone.
    pub(super) fn answer_through(
        &mut self,
        torrent: TorrentId,
        link: LinkId,
        (peer, id): (PeerId, OfferId),
        sdp: String,
    ) -> Option<Out> {
        self.neighbour(torrent, link)?;
        let message = SignalMessage::Answer { way: SignalWay::To(peer), id, sdp };
        Some(Out::Say { torrent, link, message })
    }

    /// A neighbour brings an answer. It counts if the offer went through that neighbour to that
    /// peer, and only once.
    pub(super) fn answer_brought(
        &mut self,
        now: Time,
        (torrent, relay): (TorrentId, LinkId),
        (peer, id): (PeerId, OfferId),
        sdp: String,
    ) -> bool {
        let Some(link) = self.asked_attempt(relay, (peer, id)) else { return false };
        if let Some(one) = self.neighbour(torrent, relay) {
            one.prove();
        }
        let known = self.torrents.get(&torrent).is_none_or(|swarm| swarm.known.contains(&peer));
        if known || self.room(torrent) == 0 {
            self.give_up(link);
        } else if let Some(attempt) = self.attempts.get_mut(&link) {
            attempt.state = State::Taking(peer);
            self.take_answer(now, link, sdp);
        }
        true
    }

    /// A neighbour says that no answer will come.
    pub(super) fn refusal_brought(
        &mut self,
        now: Time,
        (torrent, relay): (TorrentId, LinkId),
        (peer, id): (PeerId, OfferId),
        why: Refusal,
    ) -> bool {
        let Some(link) = self.asked_attempt(relay, (peer, id)) else { return false };
        if let Some(one) = self.neighbour(torrent, relay) {
            one.prove();
        }
        self.take_back(now, link);
        self.rest_stranger(now, torrent, peer, why != Refusal::Known);
        self.introduce(now, torrent);
        true
    }

    /// The attempt whose offer went through that relay to that peer under that name.
    fn asked_attempt(&self, relay: LinkId, (peer, id): (PeerId, OfferId)) -> Option<LinkId> {
        let is_it = |at: &Attempt| {
            let offer = at.offer().filter(|offer| offer.id == id && offer.to == Some(peer));
            at.relay == Some(relay) && offer.is_some()
        };
        self.attempts.iter().find(|(_, at)| is_it(at)).map(|(link, _)| *link)
    }

    /// Makes an offer that a relay was asked to carry one that anybody may get.
    pub(super) fn take_back(&mut self, now: Time, link: LinkId) {
        let Some(attempt) = self.attempts.get_mut(&link) else { return };
        let State::Offered(offer) = &mut attempt.state else { return };
        (offer.to, offer.sent_at) = (None, None);
        attempt.relay = None;
        // Whoever saw the old name must not be able to answer.
        self.rng.fill(&mut offer.id.0);
        let until = offer.until;
        if offer.is_young(now) {
            self.timers.set(Timer::Attempt(link), until);
        } else {
            self.give_up(link);
        }
    }

    /// An attempt came to nothing. A relay through which nothing at all came is used less.
    pub(super) fn in_vain(&mut self, now: Time, attempt: &Attempt) {
        let (Some(relay), Some(peer)) = (attempt.relay, attempt.peer()) else { return };
        if let State::Answering { offer, .. } = attempt.state
            && self.neighbour(attempt.torrent, relay).is_some()
        {
            self.refuse((attempt.torrent, relay), (peer, offer), Refusal::Busy);
        }
        if attempt.offer().is_some()
            && let Some(one) = self.neighbour(attempt.torrent, relay)
        {
            one.disappoint(now);
        }
        self.rest_stranger(now, attempt.torrent, peer, true);
    }

    /// Leaves a stranger alone for a while, longer with each try in vain.
    pub(super) fn rest_stranger(
        &mut self,
        now: Time,
        torrent: TorrentId,
        peer: PeerId,
        vain: bool,
    ) {
        let Some(swarm) = self.torrents.get_mut(&torrent) else { return };
        let Some(stranger) = swarm.circle.strangers.get_mut(&peer) else { return };
        stranger.not_before =
            now + STRANGER_REST * (1 << stranger.tries.min(STRANGER_REST_DOUBLINGS));
        stranger.tries += u32::from(vain);
    }
}
