//! Decides when a torrent announces to a tracker, with which event and which offers.
//! Knows how many peers are missing, not what becomes of the offers.

use headwater_base::{InfoHash, LinkId, Time, TorrentId, TrackerId};
use headwater_wire::tracker::{
    Announce, AnnounceReply, ClientMessage, Description, Happening, Offer, ScrapeEntry,
};

use super::attempt::{Attempt, State};
use super::limit::{
    DESCRIPTION_WAIT, LEFT_UNKNOWN, LINKS_FEW, OFFER_WAIT, OFFERS_PER_ANNOUNCE, OFFERS_PER_TORRENT,
    OFFERS_SECOND, TRACKER_ANSWER_WAIT, TRACKER_MESSAGE_BYTES_MAX,
};
use super::tracker::{Member, clamp_interval};
use super::{At, Discovery, Out, Swarm, Timer};
use crate::Action;

impl Discovery {
    /// Sets when a hash is announced next to a tracker. Does nothing while the tracker is
    /// closed, owes an answer, or waits for offers: what ends that plans again.
    pub(super) fn plan(&mut self, now: Time, at: At) {
        let (id, hash) = at;
        let Some(&torrent) = self.hashes.get(&hash) else { return };
        let eager = self.is_eager(now, at);
        let late = self.making(torrent) == 0 && self.has_unsent(torrent);
        let Some(tracker) = self.trackers.get(&id) else { return };
        let Some(member) = tracker.members.get(&hash) else { return };
        if !tracker.is_open() || member.awaiting || member.gathering {
            return;
        }
        let due = match member.sent_at {
            Some(_) if member.completed_due || member.stale || (member.short && late) => now,
            Some(sent) => sent + member.pause(eager, tracker.is_asked(), &mut self.rng),
            None => now,
        };
        self.timers.set(Timer::Announce(id, hash), due);
    }

    /// Plans a torrent at all its trackers.
    pub(super) fn plan_all(&mut self, now: Time, torrent: TorrentId) {
        for at in self.members_of(torrent) {
            self.plan(now, at);
        }
    }

    /// Plans all torrents of a tracker.
    pub(super) fn plan_members(&mut self, now: Time, id: TrackerId) {
        let Some(tracker) = self.trackers.get(&id) else { return };
        let members: Vec<InfoHash> = tracker.members.keys().copied().collect();
        for hash in members {
            self.plan(now, (id, hash));
        }
    }

    /// Takes whether seeds are of use to seeds too.
    pub(crate) fn meet(&mut self, now: Time, seeds: bool) {
        self.meets_seeds = seeds;
        let torrents: Vec<TorrentId> = self.torrents.keys().copied().collect();
        for torrent in torrents {
            self.hasten(now, torrent);
        }
    }

    /// Has a torrent announce eagerly from the start again.
    pub(super) fn hasten(&mut self, now: Time, torrent: TorrentId) {
        for at in self.members_of(torrent) {
            if let Some(member) = self.member_mut(at) {
                member.eager = 0;
            }
        }
        self.plan_all(now, torrent);
    }

    /// Whether a torrent announces sooner than the tracker asks: it is short of links, and
    /// there may be somebody. Under its second hash there must be.
    fn is_eager(&self, now: Time, at: At) -> bool {
        let Some(swarm) = self.swarm(at.1) else { return false };
        let member = self.member(at);
        let strangers = member.and_then(|at| self.strangers(at, swarm));
        let hopeful = !self.is_second(at.1) && (swarm.is_lonely() || strangers.is_none());
        swarm.wanted > 0
            && swarm.linked < LINKS_FEW
            && !self.is_unsupported(now)
            && (hopeful || strangers.is_some_and(|strangers| strangers > 0))
    }

    /// Makes the first offers while the first socket still opens.
    pub(super) fn prepare(&mut self, now: Time, torrent: TorrentId) {
        let fresh = |id| self.trackers[&id].failures == 0 && !self.trackers[&id].is_open();
        if self.trackers_of(torrent).any(fresh) {
            let count = OFFERS_PER_ANNOUNCE.min(self.room(torrent)).min(self.share());
            let have = self.offers_of(torrent).count();
            self.make_offers(now, torrent, count.saturating_sub(have));
        }
    }

    /// An announce is due, has its offers, or got no answer.
    pub(super) fn announce_due(&mut self, now: Time, at: At) {
        let (id, hash) = at;
        let Some(&torrent) = self.hashes.get(&hash) else { return };
        let second = self.is_second(hash);
        let Some(tracker) = self.trackers.get_mut(&id) else { return };
        let (open, asked) = (tracker.is_open(), tracker.is_asked());
        let Some(member) = tracker.members.get_mut(&hash) else { return };
        if !open {
            return;
        }
        if member.awaiting && second {
            // A tracker that keeps a list may pass over a hash it does not have.
            member.awaiting = false;
            self.plan(now, at);
            return;
        }
        if member.awaiting {
            self.drop_socket(now, id, "it does not answer");
            return;
        }
        let event = match (member.started, member.completed_due) {
            (false, _) => Some(Happening::Started),
            (true, true) => Some(Happening::Completed),
            (true, false) => None,
        };
        if asked {
            self.ask_tracker(at, event);
            self.has_announced(now, at, event);
            return;
        }
        let gathered = core::mem::replace(&mut member.gathering, false);
        let wanted = match event {
            Some(Happening::Completed) => 0,
            Some(Happening::Started | Happening::Stopped) | None => self.offers_wanted(now, at),
        };
        let offers = self.rested(now, torrent, wanted);
        if !gathered && offers.len() < wanted {
            let coming = offers.len() + self.making(torrent);
            self.make_offers(now, torrent, wanted.saturating_sub(coming));
            if self.making(torrent) > 0 {
                self.gather(now, at);
                return;
            }
        }
        let short = offers.len() < wanted && self.making(torrent) > 0;
        self.announce(now, at, event, offers);
        if let Some(member) = self.member_mut(at) {
            member.short = short;
        }
    }

    /// Waits for offers that are being made, for a while.
    fn gather(&mut self, now: Time, at: At) {
        if let Some(member) = self.member_mut(at) {
            member.gathering = true;
            self.timers.set(Timer::Announce(at.0, at.1), now + OFFER_WAIT);
        }
    }

    /// Lets announces go that waited for offers, once none is being made; one that did not
    /// wait long enough is followed by another.
    pub(super) fn gathered(&mut self, now: Time, torrent: TorrentId) {
        self.introduce(now, torrent);
        if self.making(torrent) > 0 {
            return;
        }
        for at in self.members_of(torrent) {
            if self.member(at).is_some_and(|member| member.gathering) {
                self.timers.set(Timer::Announce(at.0, at.1), now);
            }
        }
        self.plan_all(now, torrent);
    }

    fn announce(&mut self, now: Time, at: At, event: Option<Happening>, mut offers: Vec<LinkId>) {
        let text = loop {
            let Some(announce) = self.announcement(at, event, &offers) else { return };
            let text = ClientMessage::Announce(announce).encode();
            if text.len() <= TRACKER_MESSAGE_BYTES_MAX || offers.is_empty() {
                break text;
            }
            // One that fits no message alone is of no use; the others have another turn.
            if let (1, Some(link)) = (offers.len(), offers.pop()) {
                self.give_up(link);
            }
        };
        for link in offers {
            if let Some(State::Offered(offer)) =
                self.attempts.get_mut(&link).map(|attempt| &mut attempt.state)
            {
                offer.sent_at = Some(now);
                offer.via.insert(at);
            }
        }
        self.act(Action::SendTracker { tracker: at.0, text });
        self.has_announced(now, at, event);
    }

    /// Notes that an announce left, and waits for its answer.
    fn has_announced(&mut self, now: Time, at: At, event: Option<Happening>) {
        let eager = self.is_eager(now, at);
        let Some(member) = self.member_mut(at) else { return };
        match event {
            Some(Happening::Started) => member.started = true,
            Some(Happening::Completed) => member.completed_due = false,
            Some(Happening::Stopped) | None => {}
        }
        member.stale = false;
        member.sent_at = Some(now);
        member.awaiting = true;
        member.eager += u32::from(eager);
        self.timers.set(Timer::Announce(at.0, at.1), now + TRACKER_ANSWER_WAIT);
    }

    /// An announce; `None` when the torrent does not use the tracker.
    pub(super) fn announcement(
        &self,
        at: At,
        happening: Option<Happening>,
        offers: &[LinkId],
    ) -> Option<Announce> {
        let swarm = self.swarm(at.1)?;
        let offer = |link: &LinkId| {
            let offer = self.attempts.get(link)?.offer()?;
            Some(Offer { offer_id: offer.id, sdp: Description::new(&offer.sdp) })
        };
        let announce = Announce {
            info_hash: at.1,
            peer_id: self.peer_id,
            happening,
            uploaded: swarm.totals.uploaded,
            downloaded: swarm.totals.downloaded,
            // Trackers lead no seed to another one.
            left: Some(if self.meets_seeds { LEFT_UNKNOWN } else { swarm.left() }),
            wanted: Some(OFFERS_PER_ANNOUNCE as u32),
            offers: offers.iter().filter_map(offer).collect(),
            tracker_id: self.member(at)?.tracker_id.clone(),
            trackers: Vec::new(),
        };
        Some(announce)
    }

    /// Says `stopped` at a tracker that heard `started`.
    pub(super) fn say_stopped(&mut self, at: At) {
        let Some(tracker) = self.trackers.get(&at.0) else { return };
        let started = self.member(at).is_some_and(|member| member.started);
        if !started || !tracker.is_open() {
            return;
        }
        if tracker.is_asked() {
            self.ask_tracker(at, Some(Happening::Stopped));
        } else if let Some(announce) = self.announcement(at, Some(Happening::Stopped), &[]) {
            let text = ClientMessage::Announce(announce).encode();
            self.act(Action::SendTracker { tracker: at.0, text });
        }
    }

    /// A tracker answered an announce, or an answer: some do (aquatic).
    pub(super) fn announced(&mut self, now: Time, id: TrackerId, answer: AnnounceReply) {
        let at = (id, answer.info_hash);
        let seed = self.swarm(at.1).is_some_and(Swarm::is_seed);
        let tracker = self.trackers.get_mut(&id);
        let member = tracker.and_then(|tracker| tracker.members.get_mut(&at.1));
        let Some(member) = member else { return };
        let before = member.others(seed);
        let tells = answer.bridge && !core::mem::replace(&mut member.told_elsewhere, answer.bridge);
        member.awaiting = false;
        member.clear_trouble();
        member.interval = answer.interval.map(clamp_interval).or(member.interval);
        member.interval_min = answer.interval_min.map(clamp_interval).or(member.interval_min);
        member.tracker_id = answer.tracker_id.or(member.tracker_id.take());
        // Some trackers count only when they are asked to (BEP 48).
        let uncounted = answer.complete.is_none() && answer.incomplete.is_none();
        if uncounted && member.is_scrape_due(now) {
            let text = ClientMessage::Scrape(vec![answer.info_hash]).encode();
            self.outs.push_back(Out::Action(Action::SendTracker { tracker: id, text }));
        }
        let counts = member.counts.unwrap_or_default();
        member.counts =
            Some((answer.complete.unwrap_or(counts.0), answer.incomplete.unwrap_or(counts.1)));
        // A first answer is no news of newcomers: the announce it answers had offers for them.
        if before.is_some_and(|before| member.others(seed) > Some(before)) {
            member.eager = 0;
        }
        if tells {
            self.tell_elsewhere(at);
        }
        self.plan(now, at);
    }

    /// A tracker counted swarms for us. Those we did not ask for, or do not have there, are left
    /// aside.
    pub(super) fn scraped(&mut self, now: Time, id: TrackerId, entries: &[ScrapeEntry]) {
        for entry in entries {
            let at = (id, entry.info_hash);
            let seed = self.swarm(at.1).is_some_and(Swarm::is_seed);
            let Some(member) = self.member_mut(at) else { continue };
            if !member.takes_scrape() {
                continue;
            }
            let before = member.others(seed);
            member.counts = Some((entry.complete, entry.incomplete));
            if before.is_some_and(|before| member.others(seed) > Some(before)) {
                member.eager = 0;
            }
            self.plan(now, at);
        }
    }

    /// How many of use a tracker counted that are not linked; of seeds only those that need some.
    fn strangers(&self, member: &Member, swarm: &Swarm) -> Option<usize> {
        member.strangers(swarm.is_seed() && !self.meets_seeds, &swarm.known)
    }

    /// How many offers the next announce should carry: one for each stranger. What a tracker
    /// counted before its socket broke tells nothing of who is there since. Whoever is in both
    /// swarms of a hybrid is met in the first, so that the second gets few, and none in hope.
    fn offers_wanted(&self, now: Time, at: At) -> usize {
        let Some((&torrent, swarm)) = self.hashes.get(&at.1).zip(self.swarm(at.1)) else {
            return 0;
        };
        if self.is_unsupported(now) {
            return 0;
        }
        let fresh = self.member(at).filter(|member| member.sent_at.is_some());
        let strangers = fresh.and_then(|at| self.strangers(at, swarm));
        let offers = match (self.is_second(at.1), strangers) {
            (true, _) if swarm.linked >= LINKS_FEW => 0,
            (true, strangers) => strangers.unwrap_or(0).min(OFFERS_SECOND),
            (false, None) => OFFERS_PER_ANNOUNCE,
            (false, Some(0)) => usize::from(swarm.is_lonely()),
            (false, Some(strangers)) => strangers.min(OFFERS_PER_ANNOUNCE),
        };
        offers.min(self.room(torrent)).min(self.share())
    }

    /// Links a torrent still wants when those that are on their way have come.
    pub(super) fn room(&self, torrent: TorrentId) -> usize {
        let joint = |attempt: &&Attempt| attempt.torrent == torrent && attempt.is_joint();
        let coming = self.attempts.values().filter(joint).count();
        self.torrents.get(&torrent).map_or(0, |swarm| swarm.wanted.saturating_sub(coming))
    }

    /// Offers all torrents together keep waiting: a third of the links there may be, so that
    /// answers to others' offers, which lead to somebody for sure, have room.
    fn offers_max(&self) -> usize {
        (self.offered_max / 3).max(1)
    }

    /// Offers an announce may carry so that every torrent that wants links has some.
    fn share(&self) -> usize {
        let wanting = self.torrents.values().filter(|swarm| swarm.wanted > 0).count();
        (self.offers_max() / wanting.max(1)).max(1)
    }

    /// Offers of a torrent that are made or being made and have no answer.
    fn offers_of(&self, torrent: TorrentId) -> impl Iterator<Item = (LinkId, &Attempt)> + '_ {
        let ours = move |attempt: &Attempt| attempt.torrent == torrent && !attempt.is_joint();
        self.attempts
            .iter()
            .filter(move |(_, attempt)| ours(attempt))
            .map(|(link, attempt)| (*link, attempt))
    }

    fn has_unsent(&self, torrent: TorrentId) -> bool {
        let mut offers = self.offers_of(torrent).filter_map(|(_, attempt)| attempt.offer());
        offers.any(|offer| offer.sent_at.is_none())
    }

    pub(super) fn making(&self, torrent: TorrentId) -> usize {
        self.offers_of(torrent).filter(|(_, attempt)| attempt.is_making()).count()
    }

    /// At most `count` offers to announce: those that rested longest first.
    pub(super) fn rested(&self, now: Time, torrent: TorrentId, count: usize) -> Vec<LinkId> {
        let mut rested: Vec<(Option<Time>, LinkId)> = self
            .offers_of(torrent)
            .filter_map(|(link, attempt)| Some((link, attempt.offer()?)))
            .filter(|(_, offer)| offer.is_rested(now) && offer.is_young(now))
            .map(|(link, offer)| (offer.sent_at, link))
            .collect();
        rested.sort_unstable();
        rested.into_iter().take(count).map(|(_, link)| link).collect()
    }

    /// Has up to `count` more offers made, within all limits.
    pub(super) fn make_offers(&mut self, now: Time, torrent: TorrentId, count: usize) {
        for _ in 0..count {
            let all = self.attempts.values().filter(|attempt| !attempt.is_joint()).count();
            let full = self.offers_of(torrent).count() >= OFFERS_PER_TORRENT
                || all >= self.offers_max()
                || !self.fits(true);
            if full || self.is_unsupported(now) || !self.offer_budget.take(now) {
                return;
            }
            let link = self.attempt(torrent, State::Making);
            self.timers.set(Timer::Attempt(link), now + DESCRIPTION_WAIT);
            self.act(Action::MakeOffer(link));
        }
    }

    /// Begins an attempt under a new name.
    pub(super) fn attempt(&mut self, torrent: TorrentId, state: State) -> LinkId {
        let link = LinkId(self.next_link);
        self.next_link += 1;
        self.attempts.insert(link, Attempt { torrent, state, relay: None, hash: None });
        link
    }
}
