//! Chooses runs of blocks for web seeds: long and contiguous, where they take least from peers.
//! What a reader lacks comes first, then what nobody else has.

use headwater_base::{BLOCK_LEN, Bitfield, BlockIndex, LinkId, PieceIndex, Time};

use super::choose::{Asker, Hint};
use super::open::{Asked, Slot};
use super::{BlockAt, Picker, State};
use crate::{Priority, limit};

/// A web seed that has room for a run.
pub(crate) struct RunAsker<'a> {
    pub(crate) link: LinkId,
    /// The pieces it has.
    pub(crate) has: &'a Bitfield,
    /// Most blocks of the run.
    pub(crate) room: usize,
    pub(crate) now: Time,
    /// Urgent blocks asked of a peer before this are late.
    pub(crate) late_before: Time,
    /// The same for others; they are taken when nothing else is left.
    pub(crate) owed_before: Time,
    /// Peers do well: only what is urgent and not asked for, or what no peer has.
    pub(crate) only_gaps: bool,
    /// Where its last run ended.
    pub(crate) cursor: PieceIndex,
}

impl RunAsker<'_> {
    fn asked(&self) -> Asked {
        Asked { link: self.link, at: self.now }
    }
}

impl Picker {
    /// Chooses a run of blocks for a web seed and counts them as asked. Empty when there is none.
    pub(crate) fn pick_run(&mut self, asker: &RunAsker<'_>) -> Vec<BlockAt> {
        let mut run = Vec::new();
        self.run_awaited(asker, &mut run);
        if run.is_empty() && !asker.only_gaps {
            self.run_under_way(asker, &mut run);
        }
        if run.is_empty()
            && let Some(piece) = self.run_start(asker)
        {
            self.start(piece);
            self.take_run(piece, None, asker, &mut run);
        }
        self.lengthen(asker, &mut run);
        if run.is_empty() && !asker.only_gaps && self.rarity.is_empty() {
            self.run_owed(asker, &mut run);
        }
        run
    }

    /// Blocks a reader waits for, which nobody is asked for or somebody is late with.
    fn run_awaited(&mut self, asker: &RunAsker<'_>, run: &mut Vec<BlockAt>) {
        if self.waiting == 0 {
            return;
        }
        for deadline in self.windows.nearest() {
            let piece = deadline.piece;
            if !run.is_empty() || (asker.only_gaps && !deadline.is_urgent()) {
                return;
            }
            let state = self.states[piece.idx()];
            if !asker.has.has(piece) || matches!(state, State::InHand | State::Stored) {
                continue;
            }
            if state == State::Missing {
                if !deadline.is_urgent() && !self.has_memory(piece, limit::OPEN_BYTES_MAX) {
                    return;
                }
                self.start(piece);
            }
            let late = deadline.is_urgent().then_some(asker.late_before);
            self.take_run(piece, late, asker, run);
        }
    }

    /// Pieces that were begun and are nobody's.
    fn run_under_way(&mut self, asker: &RunAsker<'_>, run: &mut Vec<BlockAt>) {
        let is_left = |piece: &&PieceIndex| {
            let owner = self.open.get(piece).map(|open| open.owner);
            asker.has.has(**piece) && matches!(owner, Some(None))
        };
        if let Some(&piece) = self.free.iter().find(is_left) {
            self.take_run(piece, None, asker, run);
        }
    }

    /// A piece to start with: where the last run ended while nobody else takes part, or else one
    /// that peers lack most.
    fn run_start(&mut self, asker: &RunAsker<'_>) -> Option<PieceIndex> {
        if !asker.only_gaps && self.may_lengthen(asker.cursor, asker) {
            return Some(asker.cursor);
        }
        let peer = Asker {
            link: asker.link,
            has: asker.has,
            room: asker.room,
            urgent_room: 0,
            owes: 0,
            now: asker.now,
            reach: &|_| 0,
            is_soonest: &|_, _| true,
            is_worth: &|_, _, _| false,
            hint: Hint::default(),
        };
        let picked = self.next_piece(&peer, &mut Hint::default())?;
        (!asker.only_gaps || self.is_gap(picked)).then_some(picked)
    }

    /// Whether no peer has `piece`.
    fn is_gap(&self, piece: PieceIndex) -> bool {
        self.copies[piece.idx()] + self.base <= 0
    }

    /// Adds whole pieces behind the run while it reaches the end of one.
    fn lengthen(&mut self, asker: &RunAsker<'_>, run: &mut Vec<BlockAt>) {
        while let Some(last) = run.last() {
            let next = PieceIndex(last.piece.0 + 1);
            let ends_piece = self.piece_len(last.piece).div_ceil(BLOCK_LEN) == last.block.0 + 1;
            if !ends_piece || !self.may_lengthen(next, asker) {
                return;
            }
            let blocks = self.piece_len(next).div_ceil(BLOCK_LEN) as usize;
            if run.len() + blocks > asker.room {
                return;
            }
            self.start(next);
            self.take_run(next, None, asker, run);
        }
    }

    fn may_lengthen(&self, piece: PieceIndex, asker: &RunAsker<'_>) -> bool {
        self.states.get(piece.idx()).is_some_and(|state| *state == State::Missing)
            && (self.priorities[piece.idx()] > Priority::Skip || self.is_awaited(piece))
            && asker.has.has(piece)
            && (!asker.only_gaps || self.is_gap(piece))
            && self.has_memory(piece, limit::OPEN_BYTES_MAX)
    }

    /// Takes blocks side by side from the first that is free; with `late` also those that were
    /// asked of one peer before that time.
    fn take_run(
        &mut self,
        piece: PieceIndex,
        late: Option<Time>,
        asker: &RunAsker<'_>,
        run: &mut Vec<BlockAt>,
    ) {
        let Some(open) = self.open.get_mut(&piece) else { return };
        if !open.is_open_to(asker.link) {
            return;
        }
        let begun = run.len();
        for index in 0..open.slots.len() {
            let slot = match open.slots[index] {
                Slot::Free if run.len() < asker.room => {
                    open.free -= 1;
                    open.owner = Some(asker.link);
                    Slot::Asked(asker.asked(), None)
                }
                Slot::Asked(first, None)
                    if run.len() < asker.room
                        && first.link != asker.link
                        && late.is_some_and(|late| first.at < late) =>
                {
                    self.doubled += 1;
                    Slot::Asked(first, Some(asker.asked()))
                }
                Slot::Free | Slot::Asked(..) | Slot::Here(_) if run.len() > begun => break,
                Slot::Free | Slot::Asked(..) | Slot::Here(_) => continue,
            };
            open.slots[index] = slot;
            run.push(BlockAt { piece, block: BlockIndex(index as u32) });
        }
        if open.free == 0 && self.free.remove(&piece) {
            self.states[piece.idx()] = State::Busy;
        }
    }

    /// Blocks that peers owe for long, once nothing else is left: one slow peer would otherwise
    /// hold the whole torrent.
    fn run_owed(&mut self, asker: &RunAsker<'_>, run: &mut Vec<BlockAt>) {
        let pieces: Vec<PieceIndex> =
            self.open.keys().copied().filter(|piece| asker.has.has(*piece)).collect();
        for piece in pieces {
            self.take_run(piece, Some(asker.owed_before), asker, run);
            if !run.is_empty() {
                return;
            }
        }
    }
}
