//! What is wanted: priorities, readers' windows, and how much of it is stored.

use headwater_base::{Bitfield, LinkId, PieceIndex, ReaderId};

use super::{BlockAt, Picker, State, Window};
use crate::{Priority, limit};

/// Bytes kept count of.
#[derive(Debug, Default)]
pub(super) struct Sums {
    /// Of stored pieces.
    stored: u64,
    /// Of chosen pieces.
    chosen: u64,
    /// Of chosen pieces that are stored.
    chosen_stored: u64,
}

impl Sums {
    pub(super) fn keep(&mut self, len: u32, chosen: bool) {
        self.stored += u64::from(len);
        self.chosen_stored += if chosen { u64::from(len) } else { 0 };
    }

    pub(super) fn lose(&mut self, len: u32, chosen: bool) {
        self.stored -= u64::from(len);
        self.chosen_stored -= if chosen { u64::from(len) } else { 0 };
    }
}

/// What a reader's move changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Turn {
    /// Pieces that are wanted from here on.
    pub(crate) gained: Vec<PieceIndex>,
    /// Pieces that are wanted no more, though they are not stored.
    pub(crate) dropped: Vec<PieceIndex>,
    /// Blocks that were asked for in vain.
    pub(crate) vain: Vec<(LinkId, BlockAt)>,
}

impl Picker {
    pub(super) fn is_chosen(&self, piece: PieceIndex) -> bool {
        self.priorities[piece.idx()] > Priority::Skip
    }

    /// Whether `piece` is not stored and may come to be.
    fn may_come(&self, piece: PieceIndex) -> bool {
        !matches!(self.states[piece.idx()], State::Stored | State::Barred)
    }

    /// Whether every wanted piece is stored.
    pub(crate) fn is_done(&self) -> bool {
        self.wanted.is_empty()
    }

    /// How many wanted pieces somebody with the pieces in `has` could give.
    pub(crate) fn useful(&self, has: &Bitfield) -> u32 {
        if has.is_full() { self.wanted.count() } else { self.wanted.count_both(has) }
    }

    /// Whether `piece` is wanted and not stored.
    pub(crate) fn is_wanted(&self, piece: PieceIndex) -> bool {
        self.wanted.has(piece)
    }

    /// Whether a reader waits for `piece`, or will soon.
    pub(crate) fn is_awaited(&self, piece: PieceIndex) -> bool {
        self.may_come(piece) && self.windows.distance(piece).is_some()
    }

    /// Whether readers wait for anything.
    pub(crate) fn has_deadlines(&self) -> bool {
        self.waiting > 0
    }

    /// Sets each piece's priority. Answers the blocks that were asked for in vain.
    pub(crate) fn set_priorities(&mut self, priorities: Vec<Priority>) -> Vec<(LinkId, BlockAt)> {
        assert!(priorities.len() == self.states.len(), "a priority for every piece");
        self.skips = priorities.contains(&Priority::Skip);
        let before = core::mem::replace(&mut self.priorities, priorities);
        let changed = |piece: &PieceIndex| before[piece.idx()] != self.priorities[piece.idx()];
        let changed: Vec<_> = (0..self.count()).map(PieceIndex).filter(changed).collect();
        if changed.len() as u32 > self.count() / limit::SORT_PART {
            self.sort();
        } else {
            changed.into_iter().for_each(|piece| self.list(piece));
        }
        self.want_anew();
        let unwanted: Vec<_> =
            self.open.keys().copied().filter(|piece| !self.wanted.has(*piece)).collect();
        unwanted.into_iter().flat_map(|piece| self.drop_open(piece)).collect()
    }

    /// Has pieces fetched, and at least as soon as `priority` says. Answers those that are wanted
    /// from here on.
    pub(crate) fn want_pieces(
        &mut self,
        pieces: core::ops::Range<u32>,
        priority: Priority,
    ) -> Vec<PieceIndex> {
        let mut gained = Vec::new();
        for piece in pieces.map(PieceIndex) {
            let before = self.priorities[piece.idx()];
            if before >= priority {
                continue;
            }
            self.priorities[piece.idx()] = priority;
            let stored = self.states[piece.idx()] == State::Stored;
            if before == Priority::Skip {
                let len = u64::from(self.piece_len(piece));
                self.sums.chosen += len;
                self.sums.chosen_stored += if stored { len } else { 0 };
            }
            if self.may_come(piece) {
                self.list(piece);
                if self.wanted.set(piece) {
                    gained.push(piece);
                }
            }
        }
        gained
    }

    /// Has a piece come no sooner than others.
    pub(crate) fn calm(&mut self, piece: PieceIndex) {
        if self.priorities[piece.idx()] == Priority::High {
            self.priorities[piece.idx()] = Priority::Normal;
            self.list(piece);
        }
    }

    /// Has pieces started in the order of the torrent, or by rarity.
    pub(crate) fn set_sequential(&mut self, sequential: bool) {
        self.sequential = sequential;
    }

    /// Sorts all pieces by rarity, which is quicker than moving many.
    pub(super) fn sort(&mut self) {
        let mut rarity = core::mem::take(&mut self.rarity);
        rarity.sort(|piece| self.rank(piece));
        self.rarity = rarity;
        self.relistings += limit::RELISTED_MAX as u64 + 1;
        self.relisted.clear();
        self.news += 1;
    }

    fn want_anew(&mut self) {
        self.wanted = Bitfield::empty(self.count());
        let stored = self.sums.stored;
        self.sums = Sums { stored, ..Sums::default() };
        for index in 0..self.count() {
            let piece = PieceIndex(index);
            if !self.is_chosen(piece) {
                continue;
            }
            let len = u64::from(self.piece_len(piece));
            self.sums.chosen += len;
            if self.states[piece.idx()] == State::Stored {
                self.sums.chosen_stored += len;
            } else if self.may_come(piece) {
                self.wanted.set(piece);
            }
        }
        let awaited: Vec<_> = self.windows.all().filter(|piece| self.may_come(*piece)).collect();
        for piece in awaited {
            self.wanted.set(piece);
        }
    }

    /// Sets or ends a reader's window. Costs what the window holds, whatever the torrent does.
    pub(crate) fn set_window(&mut self, reader: ReaderId, window: Option<Window>) -> Turn {
        let before = self.windows.set(reader, window);
        self.waiting = self.windows.all().filter(|piece| self.may_come(*piece)).count() as u32;
        self.news += 1;
        let mut turn = Turn::default();
        if !self.skips {
            return turn;
        }
        for piece in before.map(PieceIndex) {
            let is_wanted = self.is_chosen(piece) || self.windows.distance(piece).is_some();
            if !is_wanted && self.wanted.clear(piece) {
                turn.dropped.push(piece);
                turn.vain.extend(self.drop_open(piece));
            }
        }
        for index in window.map_or(0..0, |window| self.windows.pieces(window)) {
            let piece = PieceIndex(index);
            if self.may_come(piece) && self.wanted.set(piece) {
                turn.gained.push(piece);
            }
        }
        turn
    }

    /// Whether the byte at `at` is not stored.
    pub(crate) fn lacks(&self, at: u64) -> bool {
        !self.have.has(PieceIndex((at / u64::from(self.piece_length)) as u32))
    }

    /// Whether stored pieces make room for what peers could not start, or peers may help to end.
    pub(crate) fn is_short(&mut self) -> bool {
        core::mem::take(&mut self.starved) || self.rarity.is_empty()
    }

    /// One past the last byte of the run of stored pieces at `start`, or `start`.
    pub(crate) fn stored_until(&self, start: u64) -> u64 {
        let length = u64::from(self.piece_length);
        let first = PieceIndex((start / length) as u32);
        if !self.have.has(first) {
            return start;
        }
        (u64::from(self.have.run_end(first).0) * length).min(self.length)
    }

    /// Bytes of pieces that are chosen, and how many of those are stored.
    pub(crate) fn progress(&self) -> (u64, u64) {
        (self.sums.chosen, self.sums.chosen_stored)
    }

    /// Bytes of pieces that are not stored, chosen or not.
    pub(crate) fn left(&self) -> u64 {
        self.whole - self.sums.stored
    }
}
