//! Gives out upload slots. While we lack pieces they go to those who owe us least for what they
//! were sent (FairTorrent, Sherman et al. 2009), so that each is served as fast as it gives. A
//! quarter is given away in small gifts, ever more rarely to whoever gives nothing for them. Once
//! we have everything, everybody has its turn. Where nobody loses by it, everybody is served.

use headwater_base::{LinkId, Set, Time};
use headwater_wire::Message;

use super::{Stage, Transfer};
use crate::bucket::Gate;
use crate::desk::Desk;
use crate::limit;
use crate::peer::Peer;
use crate::picker::Picker;
use crate::timer::Timer;

/// Puts a turn behind all others: more microseconds than any run has.
const LATER: u64 = 1 << 62;

/// What a torrent knows of its own upload.
#[derive(Debug, Default)]
pub(super) struct Slots {
    /// Bytes a second that could be sent lately.
    capacity: u64,
    /// Bytes that had left all links when it was last measured.
    left: u64,
}

/// Why a peer may be served, the best reason first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    /// It gave something lately, or hardly less than it was sent.
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
            self.serve_sold(desk);
            self.fill_slots(desk);
            self.tell_interest(desk, link);
        }
    }

    /// Gives slots to those they were sold to.
    pub(super) fn serve_sold(&mut self, desk: &mut Desk) {
        if self.stage == Stage::Running {
            for link in self.seat_sold(desk, self.slot_count(desk)) {
                self.unchoke(desk, link, Claim::Gives);
            }
        }
    }

    /// Gives free slots to those who wait, without taking any away.
    pub(super) fn fill_slots(&mut self, desk: &mut Desk) {
        if self.stage != Stage::Running {
            return;
        }
        let served = self.peers.values().filter(is_sent_to).count();
        let free = self.slot_count(desk).saturating_sub(served);
        let busy = self.peers.values().filter(|peer| is_sent_to(peer) && asks(peer)).count();
        let spare = usize::from(busy < limit::SLOTS_MAX && self.has_spare(desk.now));
        if free.max(spare) > 0 {
            let ranked = self.ranked(desk);
            let choked = ranked.into_iter().filter(|(_, link)| self.peers[link].choked);
            let (fit, unfit): (Vec<_>, Vec<_>) =
                choked.partition(|(claim, _)| *claim < Claim::Doubtful);
            let one_more = if free >= fit.len() { unfit.first() } else { fit.get(free) };
            let one_more: Vec<_> = one_more.copied().into_iter().take(spare).collect();
            for (claim, link) in fit.into_iter().take(free).chain(one_more) {
                self.unchoke(desk, link, claim);
            }
        }
        if self.peers.values().any(needs_rounds) {
            desk.timers.start(Timer::Choke(self.id), desk.now + limit::CHOKE_ROUND);
        }
    }

    /// Measures how fast bytes left the links in the last round. What links were given says little:
    /// they take a lot at once, however slow the line.
    fn measure_capacity(&mut self, now: Time) {
        let unsent: u64 = self.peers.values().map(|peer| peer.outbox.unsent(now)).sum();
        let left = self.sent.total().saturating_sub(unsent);
        let rate = left.saturating_sub(self.slots.left) / limit::CHOKE_ROUND.as_secs();
        let slots = &mut self.slots;
        slots.left = slots.left.max(left);
        slots.capacity = rate.max(slots.capacity - slots.capacity / 8);
    }

    /// How many peers are served at once: more where more can be sent, so that each gets enough.
    fn slot_count(&self, desk: &Desk) -> usize {
        let limit = desk.config.upload_limit.unwrap_or(u64::MAX);
        let capacity = self.slots.capacity.min(limit);
        let slots = (capacity / 1024 * 6 / 10).isqrt() as usize;
        slots.clamp(limit::SLOTS_MIN, limit::SLOTS_MAX)
    }

    /// Whether nobody loses by what a peer gets for nothing: no limit holds anybody back and hardly
    /// any bytes wait for our line, as far as links told, or so few peers are linked that each can
    /// be served.
    fn has_spare(&self, now: Time) -> bool {
        let held_back = self.peers.values().any(|peer| peer.upload_gate == Gate::Waiting);
        let unsent = self.peers.values().map(|peer| peer.outbox.unsent(now));
        let is_idle = !held_back && unsent.sum::<u64>() < limit::LINE_BUSY;
        is_idle || self.peers.len() <= limit::SLOTS_MIN
    }

    pub(super) fn is_seeding(&self) -> bool {
        self.bridge.is_some() || self.picker.as_ref().is_some_and(Picker::is_done)
    }

    /// Peers that want something of us, best first, and why.
    fn ranked(&self, desk: &mut Desk) -> Vec<(Claim, LinkId)> {
        let seeding = self.is_seeding();
        let piece = self.piece_len_max();
        let mut ranks = Vec::new();
        for peer in self.peers.values().filter(|peer| peer.interested && peer.told_pieces) {
            let claim = self.claim(peer, desk.now, piece);
            let chance = desk.rng.below(1 << 16);
            let standing = &peer.standing;
            let (claim, order) = if seeding {
                // Everybody in turn, at a bridge browsers first; who hides what it took comes last.
                let sure = claim != Claim::Doubtful;
                let later = self.bridge.is_some() && peer.place.direct;
                let turn = standing.turned().as_micros() + if later { LATER } else { 0 };
                (if sure { Claim::Gives } else { Claim::Doubtful }, (turn, chance))
            } else {
                match claim {
                    Claim::Gives => (claim, (debt(peer), chance)),
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

    /// Peers that want something of us and give for it.
    pub(super) fn givers(&self, desk: &Desk) -> Set<LinkId> {
        let piece = self.piece_len_max();
        let wants = self.peers.values().filter(|peer| peer.interested && peer.told_pieces);
        let gives = wants.filter(|peer| self.claim(peer, desk.now, piece) == Claim::Gives);
        // Who was sold a slot may give besides, and takes nobody's.
        gives.filter(|peer| peer.paid.weight == 0).map(|peer| peer.link).collect()
    }

    fn piece_len_max(&self) -> u64 {
        self.metainfo.as_ref().map_or(0, |metainfo| u64::from(metainfo.piece_length))
    }

    fn claim(&self, peer: &Peer, now: Time, piece: u64) -> Claim {
        let standing = &peer.standing;
        let pieces = u64::from(peer.has.count());
        let slack = limit::HIDDEN_BYTES.max(piece * limit::HIDDEN_PIECES);
        let (given, sent) = (peer.fetched.total(), peer.sent.total());
        if given > 0 && (standing.lately(given) > 0 || sent < given + slack) {
            Claim::Gives
        } else if standing.rests(now) {
            if given > 0 { Claim::Owes } else { Claim::Rests }
        } else if sent > pieces * piece + slack {
            Claim::Doubtful
        } else if peer.useful > 0 {
            Claim::May
        } else if pieces > 0 {
            Claim::Behind
        } else if sent == 0 || now.since(peer.joined_at) < limit::NEWCOMER {
            // Nobody is to blame for having nothing who was given nothing.
            Claim::New
        } else {
            Claim::Doubtful
        }
    }

    pub(super) fn choke_due(&mut self, desk: &mut Desk) {
        self.measure_capacity(desk.now);
        let mut ranked = self.ranked(desk);
        for peer in self.peers.values_mut() {
            let given = peer.fetched.total();
            peer.standing.turn(given);
        }
        let slots = self.slot_count(desk);
        let sold = self.seat_sold(desk, slots);
        self.tell_givers(desk);
        if !sold.is_empty() {
            ranked.retain(|(_, link)| !sold.contains(link));
        }
        let slots = slots - sold.len();
        let mut kept = if self.is_seeding() {
            self.in_turn(desk.now, &ranked, slots)
        } else {
            self.by_merit(desk, &ranked, slots)
        };
        if self.has_spare(desk.now) {
            kept.extend(ranked.iter().map(|(_, link)| *link).filter(|at| !self.peers[at].choked));
        }
        let links: Vec<LinkId> = self.peers.keys().copied().collect();
        for link in links {
            if !kept.contains(&link) && !sold.contains(&link) {
                self.choke(desk, link);
            }
        }
        for (claim, link) in ranked {
            if kept.contains(&link) {
                self.unchoke(desk, link, claim);
            }
        }
        self.serve_sold(desk);
        self.fill_slots(desk);
        self.reveal_due(desk);
        if self.peers.values().any(needs_rounds) {
            desk.set(Timer::Choke(self.id), limit::CHOKE_ROUND);
        }
    }

    /// Whom a seed serves: those whose turn is not over, then those who waited longest, then those
    /// whose turn is over: they do not wait, and would else be served for ever.
    fn in_turn(&self, now: Time, ranked: &[(Claim, LinkId)], slots: usize) -> Set<LinkId> {
        let is_on = |link: &LinkId| {
            let peer = &self.peers[link];
            !peer.choked && now.since(peer.standing.turned()) < limit::SLOT_TURN
        };
        let sure = ranked.iter().filter(|(claim, _)| *claim != Claim::Doubtful);
        let (on, mut off): (Vec<LinkId>, Vec<LinkId>) =
            sure.map(|(_, link)| *link).partition(|link| is_on(link));
        off.sort_by_key(|link| {
            let peer = &self.peers[link];
            (self.bridge.is_some() && peer.place.direct, !peer.choked)
        });
        on.into_iter().chain(off).take(slots).collect()
    }

    /// Whom a leech serves: those who owe least, gifts under way, and more gifts.
    fn by_merit(&self, desk: &mut Desk, ranked: &[(Claim, LinkId)], slots: usize) -> Set<LinkId> {
        let gives = ranked.iter().filter(|(claim, _)| *claim == Claim::Gives);
        let gift_slots = slots / limit::GIFT_PART;
        let gives = gives.map(|(_, link)| *link);
        let mut kept: Set<LinkId> = gives.take(slots - gift_slots).collect();
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
        for _ in under_way..gift_slots {
            let fit =
                |(claim, link): &&(Claim, LinkId)| *claim < Claim::Rests && !kept.contains(link);
            let waiting: Vec<LinkId> = ranked.iter().filter(fit).map(|(_, link)| *link).collect();
            kept.extend(desk.rng.pick(waiting.len()).map(|at| waiting[at]));
        }
        kept
    }

    /// Bytes of a gift: a piece, or whoever has none could not give anything on.
    fn gift(&self) -> u64 {
        self.piece_len_max().clamp(limit::GIFT_BYTES, limit::GIFT_BYTES_MAX)
    }

    fn unchoke(&mut self, desk: &mut Desk, link: LinkId, claim: Claim) {
        let seeding = self.is_seeding();
        let gift = self.gift();
        let Some(peer) = self.peers.get_mut(&link) else { return };
        if claim == Claim::Gives && !seeding {
            peer.standing.earn();
            desk.kicks.insert((self.id, link));
        }
        if peer.choked {
            peer.choked = false;
            let gift = (!seeding && claim != Claim::Gives).then_some(gift);
            let flowed = (peer.sent.total(), peer.fetched.total());
            peer.standing.serve(desk.now, flowed, gift);
            peer.outbox.say(&Message::Unchoke);
            desk.kicks.insert((self.id, link));
        }
    }

    pub(super) fn choke(&mut self, desk: &mut Desk, link: LinkId) {
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
        let goes_on = self.has_spare(desk.now);
        let gift = self.gift();
        let Some(peer) = self.peers.get_mut(&link) else { return };
        if !peer.standing.has_used(peer.sent.total()) {
            return;
        }
        if goes_on {
            let flowed = (peer.sent.total(), peer.fetched.total());
            peer.standing.serve(desk.now, flowed, Some(gift));
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

/// Whether a peer has a slot, or what it was given in its last one has not left yet: a slow line
/// would else be given out again and again.
fn is_sent_to(peer: &&Peer) -> bool {
    !peer.choked || peer.outbox.is_full()
}

/// Whether a peer has something to wait for. Others may have a slot for as long as nobody loses by
/// it: a page that plays what it has fetched asks for nothing for a while and says nothing of it.
fn asks(peer: &Peer) -> bool {
    !peer.serving.is_empty() || peer.outbox.is_full()
}

/// What a peer owes us, in the order from those whom we owe most.
fn debt(peer: &Peer) -> u64 {
    let even = 1 << 63;
    (even + peer.sent.total()).saturating_sub(peer.fetched.total())
}
