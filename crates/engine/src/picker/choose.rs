//! The order in which one peer is asked: deadlines, pieces under way, rarest pieces, end game.

use headwater_base::{Bitfield, BlockIndex, LinkId, PieceIndex, Time};

use super::open::{Asked, Open, Slot};
use super::{BlockAt, Picker, State};
use crate::limit;

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
    /// Urgent blocks asked of others before this are late.
    pub(crate) late_before: Time,
    /// Whether it is quick enough for urgent blocks of a piece.
    pub(crate) may_rush: &'a dyn Fn(PieceIndex) -> bool,
}

impl Asker<'_> {
    fn asked(&self) -> Asked {
        Asked { link: self.link, at: self.now }
    }
}

impl Picker {
    /// Chooses blocks to ask one peer for, and counts them as asked.
    pub(crate) fn pick(&mut self, asker: &Asker<'_>, out: &mut Vec<BlockAt>) {
        self.pick_awaited(asker, out);
        self.pick_under_way(asker, out, true);
        self.pick_under_way(asker, out, false);
        while out.len() < asker.room {
            let Some(piece) = self.next_piece(asker) else { break };
            self.start(piece);
            self.take_free(piece, asker, out);
        }
        if out.is_empty() && asker.owes < limit::END_GAME_MAX && self.rarity.is_empty() {
            self.pick_again(asker, out);
        }
    }

    fn pick_awaited(&mut self, asker: &Asker<'_>, out: &mut Vec<BlockAt>) {
        for at in 0..self.deadlines.len() {
            let deadline = self.deadlines[at];
            let (piece, urgent) = (deadline.piece, deadline.is_urgent());
            let room = if urgent { asker.urgent_room } else { asker.room };
            if out.len() >= room {
                return;
            }
            let state = self.states[piece.idx()];
            if !asker.has.has(piece) || matches!(state, State::InHand | State::Stored) {
                continue;
            }
            if urgent && !(asker.may_rush)(piece) {
                continue;
            }
            if state == State::Missing {
                if !urgent && !self.has_memory(piece, 2 * limit::OPEN_BYTES_MAX) {
                    continue;
                }
                self.start(piece);
            }
            let asker = Asker { room, ..*asker };
            self.take_free(piece, &asker, out);
            if urgent {
                self.take_late(piece, &asker, out);
            }
        }
    }

    fn pick_under_way(&mut self, asker: &Asker<'_>, out: &mut Vec<BlockAt>, own: bool) {
        let mut from = PieceIndex(0);
        while out.len() < asker.room {
            let Some(&piece) = self.free.range(from..).next() else { return };
            from = PieceIndex(piece.0 + 1);
            let Some(open) = self.open.get(&piece) else { continue };
            if asker.has.has(piece)
                && (!own || open.owner == Some(asker.link))
                && !self.is_kept_from(piece, asker)
            {
                self.take_free(piece, asker, out);
            }
        }
    }

    /// Whether `piece` is too urgent for this peer.
    fn is_kept_from(&self, piece: PieceIndex, asker: &Asker<'_>) -> bool {
        self.is_awaited(piece)
            && self.deadlines.iter().any(|known| known.piece == piece && known.is_urgent())
            && !(asker.may_rush)(piece)
    }

    fn take_free(&mut self, piece: PieceIndex, asker: &Asker<'_>, out: &mut Vec<BlockAt>) {
        let Some(open) = self.open.get_mut(&piece) else { return };
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
    fn take_late(&mut self, piece: PieceIndex, asker: &Asker<'_>, out: &mut Vec<BlockAt>) {
        let Some(open) = self.open.get_mut(&piece) else { return };
        take_second(open, piece, asker, out, |first| first.at < asker.late_before);
    }

    /// Asks a second peer for blocks though the first may still send them: near the end one slow
    /// link would otherwise hold the whole torrent.
    fn pick_again(&mut self, asker: &Asker<'_>, out: &mut Vec<BlockAt>) {
        let room = asker.room.min(limit::END_GAME_MAX - asker.owes);
        let asker = Asker { room, ..*asker };
        for (&piece, open) in self.open.iter_mut().rev() {
            if out.len() >= room {
                return;
            }
            if asker.has.has(piece) && !open.parole {
                take_second(open, piece, &asker, out, |_| true);
            }
        }
    }

    fn next_piece(&mut self, asker: &Asker<'_>) -> Option<PieceIndex> {
        let fit = |piece: PieceIndex| asker.has.has(piece);
        let piece = if self.have.count() < limit::RANDOM_PIECES {
            self.rarity.random(&mut self.rng, fit)
        } else {
            self.rarity.rarest(&mut self.rng, fit)
        }?;
        while !self.has_memory(piece, limit::OPEN_BYTES_MAX) {
            // Pieces that nobody here can finish must not keep others from starting.
            let is_stuck =
                |piece: &PieceIndex, open: &Open| !asker.has.has(*piece) && open.is_idle();
            let stuck = self.open.iter().filter(|(piece, open)| is_stuck(piece, open));
            let (&stuck, _) = stuck.min_by_key(|(_, open)| open.here)?;
            self.drop_open(stuck);
        }
        Some(piece)
    }

    fn has_memory(&self, piece: PieceIndex, bytes_max: u64) -> bool {
        self.open.len() + self.in_hand < limit::OPEN_PIECES_MIN
            || self.open_bytes + u64::from(self.piece_len(piece)) <= bytes_max
    }

    fn start(&mut self, piece: PieceIndex) {
        let len = self.piece_len(piece);
        self.rarity.remove(piece);
        self.states[piece.idx()] = State::Free;
        self.free.insert(piece);
        self.open_bytes += u64::from(len);
        self.open.insert(piece, Open::new(len, self.parole.contains(&piece)));
    }
}

fn take_second(
    open: &mut Open,
    piece: PieceIndex,
    asker: &Asker<'_>,
    out: &mut Vec<BlockAt>,
    fit: impl Fn(Asked) -> bool,
) {
    for index in (0..open.slots.len()).rev() {
        if out.len() >= asker.room {
            return;
        }
        if let Slot::Asked(first, None) = open.slots[index]
            && first.link != asker.link
            && fit(first)
        {
            open.slots[index] = Slot::Asked(first, Some(asker.asked()));
            out.push(BlockAt { piece, block: BlockIndex(index as u32) });
        }
    }
}
