//! The order in which one peer is asked: deadlines, pieces under way, rarest pieces, end game.

use core::time::Duration;

use headwater_base::{Bitfield, BlockIndex, LinkId, PieceIndex, Set, Time};

use super::Asked;
use super::deadline::Deadline;
use super::open::{Open, Slot};
use super::{BlockAt, Picker, State};
use crate::peer::PAYS;
use crate::{Priority, limit};

/// What was learnt of a peer when it was last asked, so that nothing is looked at twice.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hint {
    /// The piece it was last asked for a block of.
    own: Option<PieceIndex>,
    /// It has no piece that may be started, as of so many relistings.
    barren: Option<u64>,
    /// There was nothing to ask it for, as of so much news.
    idle: Option<u64>,
}

impl Hint {
    /// Says that the peer got a piece that may be started, or other pieces altogether.
    pub(crate) fn renew(&mut self) {
        (self.barren, self.idle) = (None, None);
    }
}

/// A peer that has room for more requests.
pub(crate) struct Asker<'a> {
    pub(crate) link: LinkId,
    /// The pieces it has.
    pub(crate) has: &'a Bitfield,
    /// How many blocks it may be asked for.
    pub(crate) room: usize,
    /// The same for urgent blocks.
    pub(crate) urgent_room: usize,
    /// How many it owes already.
    pub(crate) owes: usize,
    pub(crate) now: Time,
    /// Bytes that all peers together bring before this one brings so many blocks more: what lies
    /// nearer to a reader comes sooner from others.
    pub(crate) reach: &'a dyn Fn(usize) -> u64,
    /// Whether nobody else would bring a piece's blocks sooner than it brings so many more.
    pub(crate) is_soonest: &'a dyn Fn(PieceIndex, usize) -> bool,
    /// Whether it is worth asking it too for a block so far from its reader, which somebody else
    /// was asked for first.
    pub(crate) is_worth: &'a dyn Fn(BlockAt, Asked, u64) -> bool,
    pub(crate) hint: Hint,
}

impl Asker<'_> {
    fn asked(&self) -> Asked {
        Asked { link: self.link, at: self.now }
    }
}

impl Picker {
    /// Chooses blocks to ask one peer for, and counts them as asked. Answers what to say of the
    /// peer next time.
    pub(crate) fn pick(&mut self, asker: &Asker<'_>, out: &mut Vec<BlockAt>) -> Hint {
        let mut hint = asker.hint;
        // Blocks of readers and of the end game are late by the clock, which is no news.
        let timeless = self.waiting == 0 && !self.rarity.is_empty();
        if timeless && hint.idle == Some(self.news) {
            return hint;
        }
        self.pick_awaited(asker, out);
        let rare = self.rare();
        self.pick_under_way(asker, rare, out);
        while out.len() < asker.room {
            let Some(piece) = self.next_piece(asker, &mut hint) else { break };
            self.start(piece);
            self.take_free(piece, asker, out);
        }
        if rare.is_some() {
            self.pick_under_way(asker, None, out);
        }
        if out.is_empty() && asker.owes < limit::END_GAME_MAX && self.rarity.is_empty() {
            self.pick_again(asker, out);
        }
        hint.own = out.last().map(|at| at.piece).or(hint.own);
        hint.idle = (out.len() < asker.room).then_some(self.news);
        hint
    }

    fn pick_awaited(&mut self, asker: &Asker<'_>, out: &mut Vec<BlockAt>) {
        if self.waiting == 0 {
            return;
        }
        for deadline in self.windows.nearest() {
            let (piece, urgent) = (deadline.piece, deadline.is_urgent());
            let room = if urgent { asker.urgent_room } else { asker.room };
            if out.len() >= room {
                return;
            }
            let state = self.states[piece.idx()];
            if !asker.has.has(piece) || matches!(state, State::InHand | State::Stored) {
                continue;
            }
            if self.is_kept_from(piece, asker, out) {
                continue;
            }
            if state == State::Missing {
                if !urgent && !self.has_memory(piece, 2 * limit::OPEN_BYTES_MAX) {
                    continue;
                }
                self.start(piece);
            }
            let asker = Asker { room, ..*asker };
            self.take_awaited(piece, &asker, out);
            if urgent {
                self.take_late(deadline, &asker, out);
            }
        }
    }

    /// The most copies of a piece that is finished before rarer ones are begun; `None` when all
    /// are. Who has what is rare would otherwise be asked for the rest of what many have.
    fn rare(&self) -> Option<i32> {
        let starts = self.have.count() < limit::RANDOM_PIECES;
        if self.sequential || starts || self.free.len() > limit::BEGUN_MAX {
            return None;
        }
        self.rarity.fewest()
    }

    /// Takes from pieces that are open, from the peer's own first; else only from rare ones.
    fn pick_under_way(&mut self, asker: &Asker<'_>, rare: Option<i32>, out: &mut Vec<BlockAt>) {
        let own = asker.hint.own.filter(|own| self.states[own.idx()] == State::Free);
        if let Some(own) = own {
            self.take_fit(own, asker, out);
        }
        let mut from = PieceIndex(0);
        if self.free.len() > limit::FREE_PROBES_MAX {
            // So many that not all are looked at: others than those of the last time.
            from = PieceIndex(self.rng.below(u64::from(self.count())) as u32);
        }
        for _ in 0..limit::FREE_PROBES_MAX.min(self.free.len()) {
            if out.len() >= asker.room {
                return;
            }
            let next = self.free.range(from..).next().or_else(|| self.free.first());
            let Some(&piece) = next else { return };
            from = PieceIndex(piece.0 + 1);
            let is_rare = rare.is_none_or(|rare| self.copies[piece.idx()] <= rare);
            if is_rare || self.priorities[piece.idx()] == Priority::High {
                self.take_fit(piece, asker, out);
            }
        }
    }

    fn take_fit(&mut self, piece: PieceIndex, asker: &Asker<'_>, out: &mut Vec<BlockAt>) {
        if asker.has.has(piece) {
            self.take_awaited(piece, asker, out);
        }
    }

    /// Takes blocks as long as the piece is not too urgent for one more.
    fn take_awaited(&mut self, piece: PieceIndex, asker: &Asker<'_>, out: &mut Vec<BlockAt>) {
        if self.windows.distance(piece).is_none() {
            return self.take_free(piece, asker, out);
        }
        while out.len() < asker.room && !self.is_kept_from(piece, asker, out) {
            let before = out.len();
            self.take_free(piece, &Asker { room: before + 1, ..*asker }, out);
            if out.len() == before {
                return;
            }
        }
    }

    /// Whether `piece` is too urgent for this peer to be asked for one more block.
    fn is_kept_from(&self, piece: PieceIndex, asker: &Asker<'_>, out: &[BlockAt]) -> bool {
        let more = out.len() + 1;
        let distance = self.windows.distance(piece);
        distance.is_some_and(|bytes| bytes < (asker.reach)(more))
            && !(asker.is_soonest)(piece, more)
    }

    pub(super) fn take_free(
        &mut self,
        piece: PieceIndex,
        asker: &Asker<'_>,
        out: &mut Vec<BlockAt>,
    ) {
        let is_kept_apart = self.is_kept_apart(asker.link);
        let Some(open) = self.open.get_mut(&piece) else { return };
        if is_kept_apart && !open.claim(asker.link) {
            return;
        }
        if !open.is_open_to(asker.link) {
            return;
        }
        while out.len() < asker.room {
            let Some(block) = open.ask_free(asker.asked()) else { break };
            out.push(BlockAt { piece, block });
        }
        if open.free == 0 && self.free.remove(&piece) {
            self.states[piece.idx()] = State::Busy;
        }
    }

    /// Asks a second peer for urgent blocks that the first is slow to send.
    fn take_late(&mut self, late: Deadline, asker: &Asker<'_>, out: &mut Vec<BlockAt>) {
        let Deadline { piece, distance } = late;
        let patience = limit::URGENT_PATIENCE;
        if self.is_kept_apart(asker.link) {
            return self.seize_late((piece, distance), asker, patience, out);
        }
        let Some(open) = self.open.get_mut(&piece).filter(|open| !open.parole) else { return };
        self.doubled += take_second(open, (piece, distance), asker, out, (patience, &self.charged));
    }

    /// Asks a second peer for blocks though the first may still send them: near the end one slow
    /// link would otherwise hold the whole torrent.
    fn pick_again(&mut self, asker: &Asker<'_>, out: &mut Vec<BlockAt>) {
        let room = asker.room.min(limit::END_GAME_MAX - asker.owes);
        let asker = Asker { room, ..*asker };
        if self.is_kept_apart(asker.link) {
            return self.seize_any(&asker, out);
        }
        for (&piece, open) in self.open.iter_mut().rev() {
            if out.len() >= room {
                return;
            }
            if asker.has.has(piece) && !open.parole {
                let at_once = (Duration::ZERO, &self.charged);
                self.doubled += take_second(open, (piece, 0), &asker, out, at_once);
            }
        }
    }

    pub(super) fn next_piece(&mut self, asker: &Asker<'_>, hint: &mut Hint) -> Option<PieceIndex> {
        if self.is_barren(asker.has, hint) {
            return None;
        }
        let best = if self.sequential {
            self.rarity.first(asker.has)
        } else if self.have.count() < limit::RANDOM_PIECES {
            self.rarity.random(&mut self.rng, asker.has)
        } else {
            self.rarity.rarest(&mut self.rng, asker.has)
        };
        hint.barren = best.is_none().then_some(self.relistings);
        let best = best?;
        let suggested = self.suggested.filter(|other| self.is_as_good(*other, best, asker));
        let piece = self.wished_of(asker, best).or(suggested).unwrap_or(best);
        while !self.has_memory(piece, limit::OPEN_BYTES_MAX) {
            // Pieces that nobody here can finish must not keep others from starting.
            let is_stuck =
                |piece: &PieceIndex, open: &Open| !asker.has.has(*piece) && open.is_idle();
            let stuck = self.open.iter().filter(|(piece, open)| is_stuck(piece, open));
            // What readers were told of must stay.
            let stuck = stuck
                .filter(|(piece, open)| !(open.leaves.is_proven() && self.is_awaited(**piece)));
            let Some((&stuck, _)) = stuck.min_by_key(|(_, open)| open.here) else {
                self.starved = true;
                return None;
            };
            self.drop_open(stuck);
        }
        Some(piece)
    }

    /// Whether the peer had nothing to start, and what was listed since changes nothing.
    fn is_barren(&self, has: &Bitfield, hint: &mut Hint) -> bool {
        let Some(at) = hint.barren else { return self.rarity.is_empty() };
        let missed = self.relistings - at;
        if missed > self.relisted.len() as u64 {
            return false;
        }
        let skip = self.relisted.len() - missed as usize;
        let is_barren = !self.relisted.iter().skip(skip).any(|piece| has.has(*piece));
        if is_barren {
            hint.barren = Some(self.relistings);
        }
        is_barren
    }

    /// Takes what peers want soon, the most urgent first. Only so many pieces are remembered.
    pub(crate) fn set_wished(&mut self, pieces: impl Iterator<Item = PieceIndex>) {
        let missing = |piece: &PieceIndex| self.states.get(piece.idx()) == Some(&State::Missing);
        self.wished = pieces.filter(missing).take(limit::WISHES_MAX).collect();
    }

    /// The piece that peers want soonest among those that are wanted here as much as `best`.
    fn wished_of(&mut self, asker: &Asker<'_>, best: PieceIndex) -> Option<PieceIndex> {
        if self.sequential || self.wished.is_empty() {
            return None;
        }
        let states = &self.states;
        self.wished.retain(|piece| states[piece.idx()] == State::Missing);
        let level = self.priorities[best.idx()];
        let fits =
            |piece: &&PieceIndex| asker.has.has(**piece) && self.priorities[piece.idx()] == level;
        self.wished.iter().find(fits).copied()
    }

    /// Whether a piece that was suggested may be started in place of the best: it is as much
    /// wanted and hardly more common, so that no peer leads us away from what is rare.
    fn is_as_good(&self, other: PieceIndex, best: PieceIndex, asker: &Asker<'_>) -> bool {
        !self.sequential
            && asker.has.has(other)
            && self.states[other.idx()] == State::Missing
            && self.priorities[other.idx()] == self.priorities[best.idx()]
            && self.copies[other.idx()] <= self.copies[best.idx()] + 1
    }

    pub(super) fn has_memory(&self, piece: PieceIndex, bytes_max: u64) -> bool {
        self.open.len() + self.in_hand < limit::OPEN_PIECES_MIN
            || self.open_bytes + u64::from(self.piece_len(piece)) <= bytes_max
    }

    pub(super) fn start(&mut self, piece: PieceIndex) {
        let len = self.piece_len(piece);
        self.rarity.remove(piece);
        self.states[piece.idx()] = State::Free;
        self.free.insert(piece);
        self.open_bytes += u64::from(len);
        self.news += 1;
        self.open.insert(piece, Box::new(Open::new(len, self.parole.has(piece))));
    }
}

/// Asks a second peer for blocks that the first owes for so long, where that saves time. Answers
/// how many. What costs money is asked of one peer alone, which takes over what one that is free
/// is slow to send: see [`Picker::receive`].
fn take_second(
    open: &mut Open,
    (piece, distance): (PieceIndex, u64),
    asker: &Asker<'_>,
    out: &mut Vec<BlockAt>,
    (patience, charged): (Duration, &Set<LinkId>),
) -> u64 {
    let before = out.len();
    for index in (0..open.slots.len()).rev() {
        if out.len() >= asker.room {
            break;
        }
        let at = BlockAt { piece, block: BlockIndex(index as u32) };
        if let Slot::Asked(first, None) = open.slots[index]
            && first.link != asker.link
            && !(PAYS && charged.contains(&first.link))
            && first.at + patience <= asker.now
            && (asker.is_worth)(at, first, distance)
        {
            open.slots[index] = Slot::Asked(first, Some(asker.asked()));
            out.push(at);
        }
    }
    (out.len() - before) as u64
}
