//! Neighbours that speak `hw_signal`, the strangers they can introduce, and what was forwarded
//! between them. Knows who is who; decides nothing about links.

use headwater_base::{LinkId, Map, PeerId, Set, Time};
use headwater_wire::extended::SignalNews;
use headwater_wire::limit::SIGNAL_PEERS_MAX;
use headwater_wire::tracker::OfferId;

use super::budget::Budget;
use super::limit::{
    FAULTS, FORWARDS_MAX, FORWARDS_TAKEN, FORWARDS_UNANSWERED, INTRODUCTIONS_ASKED,
    INTRODUCTIONS_GRANTED, INTRODUCTIONS_TAKEN, NEWS_TAKEN, RELAY_REST, RELAY_REST_DOUBLINGS,
    STRANGERS_MAX,
};

/// One torrent's neighbours and strangers.
#[derive(Debug, Default)]
pub(super) struct Circle {
    pub(super) neighbours: Map<LinkId, Neighbour>,
    pub(super) strangers: Map<PeerId, Stranger>,
    /// Offers forwarded and not answered: by the link they went to, and whence they came.
    forwards: Map<(LinkId, OfferId), (LinkId, Time)>,
    /// When news were told last.
    pub(super) told_at: Option<Time>,
}

/// A linked peer that speaks `hw_signal`.
#[derive(Debug)]
pub(super) struct Neighbour {
    pub(super) peer: PeerId,
    /// It wants to be introduced.
    pub(super) open: bool,
    /// It has everything.
    pub(super) seed: bool,
    /// What it was told last of ourselves: whether we are open, and a seed.
    said: Option<(bool, bool)>,
    /// Whom it was told of, and whether they have everything.
    told: Map<PeerId, bool>,
    /// News it may tell.
    pub(super) tells: Budget,
    /// Offers it may have forwarded.
    pub(super) asks: Budget,
    /// Offers of others that may be forwarded to it.
    pub(super) gets: Budget,
    /// Offers it may bring us.
    pub(super) brings: Budget,
    /// Offers of ours it may be asked to forward.
    pub(super) serves: Budget,
    /// Messages that no honest peer sends.
    pub(super) faults: Budget,
    /// Offers forwarded to it since it last said anything. It may be a tab that sleeps, and would
    /// answer them all when it wakes, each too late.
    pub(super) unanswered: u32,
    /// Offers of ours in a row to which nothing came.
    pub(super) doubt: u32,
    /// It is not asked before this.
    pub(super) rests_until: Time,
    /// Somebody it introduced did answer.
    pub(super) proven: bool,
}

/// A peer somebody can introduce.
#[derive(Debug)]
pub(super) struct Stranger {
    /// Who can.
    pub(super) relays: Set<LinkId>,
    /// It has everything, they say.
    pub(super) seed: bool,
    /// It is not tried before this.
    pub(super) not_before: Time,
    /// Attempts in vain.
    pub(super) tries: u32,
}

impl Circle {
    /// Takes that a relay can introduce a peer; false when there is no room to remember.
    pub(super) fn meet(&mut self, relay: LinkId, (peer, seed): (PeerId, bool), from: Time) -> bool {
        let known = self.strangers.contains_key(&peer);
        let by_relay = self.strangers.values().filter(|one| one.relays.contains(&relay)).count();
        if by_relay >= SIGNAL_PEERS_MAX || (!known && self.strangers.len() >= STRANGERS_MAX) {
            return false;
        }
        let relays = Set::new();
        let fresh = || Stranger { relays, seed, not_before: from, tries: 0 };
        let stranger = self.strangers.entry(peer).or_insert_with(fresh);
        stranger.relays.insert(relay);
        stranger.seed = seed;
        true
    }

    /// Takes that a relay can introduce a peer no longer.
    pub(super) fn miss(&mut self, relay: LinkId, peer: PeerId) {
        if let Some(stranger) = self.strangers.get_mut(&peer) {
            stranger.relays.remove(&relay);
            if stranger.relays.is_empty() {
                self.strangers.remove(&peer);
            }
        }
    }

    /// Forgets a neighbour; answers which offers of which neighbours it can answer no more.
    pub(super) fn part(&mut self, link: LinkId) -> Vec<(LinkId, OfferId)> {
        self.neighbours.remove(&link);
        self.strangers.retain(|_, stranger| {
            stranger.relays.remove(&link);
            !stranger.relays.is_empty()
        });
        let mut orphans = Vec::new();
        self.forwards.retain(|(to, id), (from, _)| {
            if *to == link && *from != link {
                orphans.push((*from, *id));
            }
            *to != link && *from != link
        });
        orphans
    }

    /// The newest link to a peer that wants to be introduced.
    pub(super) fn open_link(&self, peer: PeerId) -> Option<LinkId> {
        let mut links = self.neighbours.iter().rev();
        links.find(|(_, one)| one.peer == peer && one.open).map(|(link, _)| *link)
    }

    /// Notes that an offer was forwarded; false when there is no room or it was before.
    pub(super) fn forward(
        &mut self,
        now: Time,
        (from, to): (LinkId, LinkId),
        id: OfferId,
        until: Time,
    ) -> bool {
        if self.forwards.len() >= FORWARDS_MAX {
            self.forwards.retain(|_, (_, until)| *until > now);
        }
        if self.forwards.len() >= FORWARDS_MAX || self.forwards.contains_key(&(to, id)) {
            return false;
        }
        self.forwards.insert((to, id), (from, until));
        true
    }

    /// Takes the answer to a forwarded offer; answers whose offer it is. There is no second.
    pub(super) fn replied(
        &mut self,
        now: Time,
        by: LinkId,
        to: PeerId,
        id: OfferId,
    ) -> Option<LinkId> {
        let (asker, _) = *self.forwards.get(&(by, id))?;
        if self.neighbours.get(&asker)?.peer != to {
            return None;
        }
        self.forwards.remove(&(by, id)).filter(|(_, until)| *until > now).map(|(link, _)| link)
    }

    /// What a neighbour has to be told of ourselves and of the others; notes that it was.
    pub(super) fn news_for(&mut self, link: LinkId, open: bool, seed: bool) -> Option<SignalNews> {
        let others = self.takers(link);
        let neighbour = self.neighbours.get_mut(&link)?;
        let told = &neighbour.told;
        let fresh = |(peer, seed): &(&PeerId, &bool)| told.get(peer) != Some(seed);
        let added: Vec<_> =
            others.iter().filter(fresh).map(|(peer, seed)| (*peer, *seed)).collect();
        let dropped: Vec<_> =
            told.keys().filter(|peer| !others.contains_key(peer)).copied().collect();
        let same = neighbour.said == Some((open, seed));
        if same && added.is_empty() && dropped.is_empty() {
            return None;
        }
        neighbour.said = Some((open, seed));
        neighbour.told = others;
        Some(SignalNews { open, seed, added, dropped })
    }

    /// Whom a neighbour can be introduced to, and whether they have everything. Of more than may
    /// be told it gets those whose ids follow its own, so that all are told of by somebody.
    fn takers(&self, link: LinkId) -> Map<PeerId, bool> {
        let Some(to) = self.neighbours.get(&link).filter(|one| one.open) else { return Map::new() };
        let useful = |one: &&Neighbour| one.open && one.peer != to.peer && !(one.seed && to.seed);
        let all: Map<PeerId, bool> =
            self.neighbours.values().filter(useful).map(|one| (one.peer, one.seed)).collect();
        let after = all.iter().filter(|(peer, _)| **peer > to.peer);
        let before = all.iter().filter(|(peer, _)| **peer < to.peer);
        after.chain(before).take(SIGNAL_PEERS_MAX).map(|(peer, seed)| (*peer, *seed)).collect()
    }
}

impl Neighbour {
    pub(super) fn new(peer: PeerId) -> Self {
        let budget = |(burst, every)| Budget::new(burst, every);
        Self {
            peer,
            open: false,
            seed: false,
            said: None,
            told: Map::new(),
            tells: budget(NEWS_TAKEN),
            asks: budget(INTRODUCTIONS_GRANTED),
            gets: budget(FORWARDS_TAKEN),
            brings: budget(INTRODUCTIONS_TAKEN),
            serves: budget(INTRODUCTIONS_ASKED),
            faults: budget(FAULTS),
            unanswered: 0,
            doubt: 0,
            rests_until: Time::ZERO,
            proven: false,
        }
    }

    /// Notes that somebody it introduced answered or refused: it does forward.
    pub(super) fn prove(&mut self) {
        (self.doubt, self.proven) = (0, true);
    }

    /// Whether one more offer may be forwarded to it.
    pub(super) fn gets(&mut self, now: Time) -> bool {
        let fits = self.unanswered < FORWARDS_UNANSWERED && self.gets.take(now);
        self.unanswered += u32::from(fits);
        fits
    }

    /// Notes that nothing came to an offer it was to forward.
    pub(super) fn disappoint(&mut self, now: Time) {
        self.doubt = self.doubt.saturating_add(1);
        self.proven = false;
        let doublings = (self.doubt - 1).min(RELAY_REST_DOUBLINGS);
        self.rests_until = now + RELAY_REST * (1 << doublings);
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    const NOW: Time = Time::ZERO;

    fn peer(n: u8) -> PeerId {
        PeerId([n; 20])
    }

    /// Neighbours 1 to `count`, all open, on links of the same numbers.
    fn circle(count: u8) -> Circle {
        let mut circle = Circle::default();
        for n in 1..=count {
            circle.neighbours.insert(LinkId(n.into()), Neighbour::new(peer(n)));
        }
        for neighbour in circle.neighbours.values_mut() {
            neighbour.open = true;
        }
        circle
    }

    #[test]
    fn news_are_told_once_and_then_only_what_changed() {
        let mut circle = circle(3);
        let news = circle.news_for(LinkId(2), true, false).unwrap();
        assert_eq!((news.open, news.seed), (true, false));
        assert_eq!(
            news.added,
            [(peer(3), false), (peer(1), false)].into_iter().rev().collect::<Vec<_>>()
        );
        assert_eq!(circle.news_for(LinkId(2), true, false), None);
        circle.part(LinkId(1));
        let news = circle.news_for(LinkId(2), true, false).unwrap();
        assert_eq!((news.added, news.dropped), (vec![], vec![peer(1)]));
        circle.neighbours.get_mut(&LinkId(3)).unwrap().seed = true;
        let news = circle.news_for(LinkId(2), true, false).unwrap();
        assert_eq!(news.added, [(peer(3), true)]);
    }

    #[test]
    fn only_the_open_are_introduced_and_told_and_no_seed_to_a_seed() {
        let mut circle = circle(4);
        circle.neighbours.get_mut(&LinkId(1)).unwrap().open = false;
        circle.neighbours.get_mut(&LinkId(2)).unwrap().seed = true;
        circle.neighbours.get_mut(&LinkId(3)).unwrap().seed = true;
        let mut told = |link| {
            let news = circle.news_for(LinkId(link), true, false).unwrap();
            news.added.into_iter().map(|(peer, _)| peer.0[0]).collect::<Vec<_>>()
        };
        assert_eq!((told(1), told(2), told(3), told(4)), (vec![], vec![4], vec![4], vec![2, 3]));
    }

    #[test]
    fn of_too_many_each_is_told_those_that_follow() {
        let mut circle = circle(80);
        let news = circle.news_for(LinkId(60), true, false).unwrap();
        let told: Set<u8> = news.added.iter().map(|(peer, _)| peer.0[0]).collect();
        assert_eq!(told, (61..=80).chain(1..=30).collect());
    }

    #[test]
    fn a_reply_is_taken_once_and_only_from_whom_the_offer_went_to() {
        let mut circle = circle(3);
        let (id, until) = (OfferId([5; 20]), NOW + Duration::from_secs(30));
        assert!(circle.forward(NOW, (LinkId(1), LinkId(2)), id, until));
        assert!(!circle.forward(NOW, (LinkId(3), LinkId(2)), id, until), "a name is taken once");
        assert_eq!(circle.replied(NOW, LinkId(3), peer(1), id), None);
        assert_eq!(circle.replied(NOW, LinkId(2), peer(3), id), None);
        assert_eq!(circle.replied(NOW, LinkId(2), peer(1), OfferId([6; 20])), None);
        assert_eq!(circle.replied(NOW, LinkId(2), peer(1), id), Some(LinkId(1)));
        assert_eq!(circle.replied(NOW, LinkId(2), peer(1), id), None);
        assert!(circle.forward(NOW, (LinkId(1), LinkId(2)), id, until));
        assert_eq!(circle.replied(until, LinkId(2), peer(1), id), None, "too late");
    }

    #[test]
    fn who_parts_takes_its_introductions_along() {
        let mut circle = circle(3);
        assert!(circle.meet(LinkId(1), (peer(8), false), NOW));
        assert!(circle.meet(LinkId(1), (peer(9), false), NOW));
        assert!(circle.meet(LinkId(2), (peer(9), true), NOW));
        let until = NOW + Duration::from_secs(1);
        assert!(circle.forward(NOW, (LinkId(2), LinkId(1)), OfferId([1; 20]), until));
        assert!(circle.forward(NOW, (LinkId(1), LinkId(3)), OfferId([2; 20]), until));
        assert_eq!(circle.part(LinkId(1)), [(LinkId(2), OfferId([1; 20]))]);
        assert_eq!(circle.strangers.keys().copied().collect::<Vec<_>>(), [peer(9)]);
        assert!(circle.forwards.is_empty());
        circle.miss(LinkId(2), peer(9));
        assert!(circle.strangers.is_empty());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut circle = circle(9);
        let name = |relay: u64, at: u64| {
            PeerId(core::array::from_fn(|i| if i == 0 { relay as u8 } else { at as u8 }))
        };
        for relay in 1..=9 {
            for at in 0..200 {
                circle.meet(LinkId(relay), (name(relay, at), false), NOW);
            }
        }
        let by = |relay| {
            circle.strangers.values().filter(move |one| one.relays.contains(&LinkId(relay)))
        };
        assert_eq!((by(1).count(), circle.strangers.len()), (SIGNAL_PEERS_MAX, STRANGERS_MAX));
        let until = NOW + Duration::from_secs(1);
        for at in 0..FORWARDS_MAX as u64 * 2 {
            let id = OfferId(core::array::from_fn(|i| at.to_le_bytes()[i % 8]));
            circle.forward(NOW, (LinkId(1), LinkId(2)), id, until);
        }
        assert_eq!(circle.forwards.len(), FORWARDS_MAX);
        assert!(circle.forward(until, (LinkId(1), LinkId(2)), OfferId([255; 20]), until));
        assert_eq!(circle.forwards.len(), 1, "what is over makes way");
    }

    #[test]
    fn a_relay_that_disappoints_rests_longer_each_time() {
        let mut relay = Neighbour::new(peer(1));
        let mut rest = || {
            relay.disappoint(NOW);
            relay.rests_until.since(NOW)
        };
        assert_eq!([rest(), rest(), rest()], [RELAY_REST, RELAY_REST * 2, RELAY_REST * 4]);
        relay.prove();
        relay.disappoint(NOW);
        assert_eq!(relay.rests_until.since(NOW), RELAY_REST);
    }
}
