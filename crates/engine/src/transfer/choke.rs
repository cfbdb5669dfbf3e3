//! Gives out upload slots. While we lack pieces they go to those who give most, and what is left
//! is given away in small gifts, ever more rarely to whoever gives nothing for them. Once we have
//! everything, everybody has its turn.

use headwater_base::{LinkId, Set, Time};
use headwater_wire::Message;

use super::{Stage, Transfer};
use crate::desk::Desk;
use crate::limit;
use crate::peer::Peer;
use crate::picker::Picker;
use crate::timer::Timer;

/// What a torrent knows of its own upload.
#[derive(Debug, Default)]
pub(super) struct Slots {
    /// Bytes a second that could be sent lately.
    capacity: u64,
}

/// Why a peer may be served, the best reason first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    /// It gave something lately.
    Gives,
    /// It has what we want, and may turn out to give.
    May,
    /// It just came and has nothing to give yet.
    New,
    /// It has nothing we want, though it has something.
    Behind,
    /// It gave something once, and took more lately.
    Owes,
    /// It shows less than it took, or has had nothing for long.
    Doubtful,
    /// It took gifts and gave nothing: it waits.
    Rests,
}

impl Transfer {
    /// Takes whether a peer wants something of us.
    pub(super) fn wanted_by(&mut self, desk: &mut Desk, link: LinkId, interested: bool) {
        if let Some(peer) = self.peers.get_mut(&link) {
            peer.interested = interested;
            if !interested {
                self.choke(desk, link);
            } else {
                self.grant_fast(link, desk.config.allowed_fast);
            }
            self.watch_use(desk, link);
            self.fill_slots(desk);
        }
    }

    /// Gives free slots to those who wait, without taking any away.
    pub(super) fn fill_slots(&mut self, desk: &mut Desk) {
        if self.stage != Stage::Running {
            return;
        }
        let served = self.peers.values().filter(|peer| !peer.choked).count();
        let free = self.slot_count(desk).saturating_sub(served);
        if free > 0 {
            let ranked = self.ranked(desk);
            let all = self.is_seeding() || self.has_room_for_all();
            let fit = |claim: Claim| all || claim < Claim::Doubtful;
            let waiting =
                ranked.iter().filter(|(claim, link)| fit(*claim) && self.peers[link].choked);
            let waiting: Vec<_> = waiting.copied().take(free).collect();
            for (claim, link) in waiting {
                self.unchoke(desk, link, claim);
            }
        }
        if self.peers.values().any(needs_rounds) {
            desk.timers.start(Timer::Choke(self.id), desk.now + limit::CHOKE_ROUND);
        }
    }

    /// How many peers are served at once: more where more can be sent, so that each gets enough.
    fn slot_count(&self, desk: &Desk) -> usize {
        let limit = desk.config.upload_limit.unwrap_or(u64::MAX);
        let capacity = self.slots.capacity.max(limit::CAPACITY_MIN).min(limit);
        let slots = (capacity / 1024 * 6 / 10).isqrt() as usize;
        slots.clamp(limit::SLOTS_MIN, limit::SLOTS_MAX)
    }

    /// Whether so few are linked that everybody can be served. Then nobody loses by what a peer
    /// gets for nothing, and a newcomer's only peer does not starve it.
    fn has_room_for_all(&self) -> bool {
        self.peers.len() <= limit::SLOTS_MIN
    }

    fn is_seeding(&self) -> bool {
        self.picker.as_ref().is_some_and(Picker::is_done)
    }

    /// Peers that want something of us, best first, and why.
    fn ranked(&self, desk: &mut Desk) -> Vec<(Claim, LinkId)> {
        let seeding = self.is_seeding();
        let piece = self.metainfo.as_ref().map_or(0, |metainfo| u64::from(metainfo.piece_length));
        let mut ranks = Vec::new();
        for peer in self.peers.values().filter(|peer| peer.interested && peer.told_pieces) {
            let claim = self.claim(peer, desk.now, piece);
            let chance = desk.rng.below(1 << 16);
            let standing = &peer.standing;
            let (claim, order) = if seeding {
                // Everybody in turn; who hides what it took comes last.
                let doubtful = claim == Claim::Doubtful;
                let claim = if doubtful { Claim::Doubtful } else { Claim::Gives };
                (claim, (standing.turned().as_micros(), chance))
            } else {
                match claim {
                    Claim::Gives => {
                        let given = standing.lately(peer.fetched.total());
                        (claim, (u64::MAX - given, chance))
                    }
                    Claim::Behind => (claim, (standing.turned().as_micros(), chance)),
                    Claim::Owes => {
                        let owed = peer.sent.total() * 100 / peer.fetched.total().max(1);
                        (claim, (owed, chance))
                    }
                    Claim::May | Claim::New | Claim::Doubtful | Claim::Rests => {
                        (claim, (u64::from(standing.gifts()), chance))
                    }
                }
            };
            ranks.push((claim, order, peer.link));
        }
        ranks.sort_unstable();
        ranks.into_iter().map(|(claim, _, link)| (claim, link)).collect()
    }

    fn claim(&self, peer: &Peer, now: Time, piece: u64) -> Claim {
        let standing = &peer.standing;
        let pieces = u64::from(peer.has.count());
        let slack = limit::HIDDEN_BYTES.max(piece * limit::HIDDEN_PIECES);
        if standing.lately(peer.fetched.total()) > 0 {
            Claim::Gives
        } else if standing.rests(now) {
            let gave = peer.fetched.total() > 0;
            if gave { Claim::Owes } else { Claim::Rests }
        } else if peer.sent.total() > pieces * piece + slack {
            Claim::Doubtful
        } else if peer.useful > 0 {
            Claim::May
        } else if pieces > 0 {
            Claim::Behind
        } else if now.since(peer.joined_at) < limit::NEWCOMER {
            Claim::New
        } else {
            Claim::Doubtful
        }
    }

    pub(super) fn choke_due(&mut self, desk: &mut Desk) {
        let rate = self.sent.rate(desk.now);
        self.slots.capacity = rate.max(self.slots.capacity - self.slots.capacity / 16);
        let ranked = self.ranked(desk);
        for peer in self.peers.values_mut() {
            let given = peer.fetched.total();
            peer.standing.turn(given);
        }
        let slots = self.slot_count(desk);
        let kept = if self.has_room_for_all() {
            ranked.iter().map(|(_, link)| *link).collect()
        } else if self.is_seeding() {
            self.in_turn(desk.now, &ranked, slots)
        } else {
            self.by_merit(desk, &ranked, slots)
        };
        let links: Vec<LinkId> = self.peers.keys().copied().collect();
        for link in links {
            if !kept.contains(&link) {
                self.choke(desk, link);
            }
        }
        for (claim, link) in ranked {
            if kept.contains(&link) {
                self.unchoke(desk, link, claim);
            }
        }
        self.fill_slots(desk);
        self.reveal_due(desk);
        if self.peers.values().any(needs_rounds) {
            desk.set(Timer::Choke(self.id), limit::CHOKE_ROUND);
        }
    }

    /// Whom a seed serves: those whose turn is not over, then those who waited longest.
    fn in_turn(&self, now: Time, ranked: &[(Claim, LinkId)], slots: usize) -> Set<LinkId> {
        let is_on = |link: &LinkId| {
            let peer = &self.peers[link];
            !peer.choked && now.since(peer.standing.turned()) < limit::SLOT_TURN
        };
        let sure = ranked.iter().filter(|(claim, _)| *claim != Claim::Doubtful);
        let (on, off): (Vec<LinkId>, Vec<LinkId>) =
            sure.map(|(_, link)| *link).partition(|link| is_on(link));
        let doubtful = ranked.iter().filter(|(claim, _)| *claim == Claim::Doubtful);
        on.into_iter().chain(off).chain(doubtful.map(|(_, link)| *link)).take(slots).collect()
    }

    /// Whom a leech serves: those who give most, gifts under way, and one more gift.
    fn by_merit(&self, desk: &mut Desk, ranked: &[(Claim, LinkId)], slots: usize) -> Set<LinkId> {
        let gives = ranked.iter().filter(|(claim, _)| *claim == Claim::Gives);
        let mut kept: Set<LinkId> = gives.map(|(_, link)| *link).take(slots - 1).collect();
        let is_on = |link: &LinkId| {
            let peer = &self.peers[link];
            !peer.choked
                && peer.standing.is_gift()
                && desk.now.since(peer.standing.turned()) < limit::GIFT_TIME
        };
        let gifts: Vec<LinkId> =
            ranked.iter().map(|(_, link)| *link).filter(|link| is_on(link)).collect();
        let room = slots - kept.len();
        let under_way = gifts.len();
        kept.extend(gifts.into_iter().take(room));
        if under_way == 0 {
            let fit =
                |(claim, link): &&(Claim, LinkId)| *claim < Claim::Rests && !kept.contains(link);
            let waiting: Vec<LinkId> = ranked.iter().filter(fit).map(|(_, link)| *link).collect();
            kept.extend(desk.rng.pick(waiting.len()).map(|at| waiting[at]));
        }
        kept
    }

    fn unchoke(&mut self, desk: &mut Desk, link: LinkId, claim: Claim) {
        let seeding = self.is_seeding();
        let Some(peer) = self.peers.get_mut(&link) else { return };
        if claim == Claim::Gives && !seeding {
            peer.standing.earn();
            desk.kicks.insert((self.id, link));
        }
        if peer.choked {
            peer.choked = false;
            let gift = (!seeding && claim != Claim::Gives).then_some(limit::GIFT_BYTES);
            let flowed = (peer.sent.total(), peer.fetched.total());
            peer.standing.serve(desk.now, flowed, gift);
            peer.outbox.say(&Message::Unchoke);
            desk.kicks.insert((self.id, link));
        }
    }

    fn choke(&mut self, desk: &mut Desk, link: LinkId) {
        if let Some(peer) = self.peers.get_mut(&link)
            && !peer.choked
        {
            peer.choked = true;
            // Whoever has nothing we want cannot give, and is not to wait for that.
            let could = peer.useful > 0 || peer.has.count() == 0;
            let flowed = (peer.sent.total(), peer.fetched.total());
            peer.standing.stop(desk.now, flowed, could);
            peer.outbox.say(&Message::Choke);
            let granted = peer.fast_pieces.granted();
            Self::refuse(peer, |span| !granted.contains(&span.piece));
            desk.kicks.insert((self.id, link));
        }
    }

    /// Ends a gift that is used up; who gave something for it keeps its slot.
    pub(super) fn end_gift(&mut self, desk: &mut Desk, link: LinkId) {
        let roomy = self.has_room_for_all();
        let Some(peer) = self.peers.get_mut(&link) else { return };
        if !peer.standing.has_used(peer.sent.total()) {
            return;
        }
        if roomy {
            let flowed = (peer.sent.total(), peer.fetched.total());
            peer.standing.serve(desk.now, flowed, Some(limit::GIFT_BYTES));
            desk.kicks.insert((self.id, link));
            return;
        }
        if peer.standing.lately(peer.fetched.total()) > 0 || self.is_seeding() {
            if let Some(peer) = self.peers.get_mut(&link) {
                // What waited for the gift to end goes on.
                peer.standing.earn();
                desk.kicks.insert((self.id, link));
            }
            return;
        }
        self.choke(desk, link);
        self.fill_slots(desk);
    }
}

/// Whether a peer is a reason to look at slots and at what it is shown every now and then.
fn needs_rounds(peer: &Peer) -> bool {
    peer.interested || peer.reveal.is_some()
}
