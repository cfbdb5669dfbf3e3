//! Chooses which block to ask which peer for. Knows rarity, deadlines and what is in flight; knows
//! nothing of links, speeds or stores.

mod choose;
mod deadline;
mod open;
mod rarity;

use std::sync::Arc;

use headwater_base::{
    BLOCK_LEN, Bitfield, BlockIndex, LinkId, Map, PeerId, PieceIndex, ReaderId, Rng, Set,
};
use headwater_metainfo::Torrent;

use crate::{PieceState, Priority, limit};
pub(crate) use choose::Asker;
use deadline::Deadline;
pub(crate) use deadline::Window;
use open::Open;
use rarity::{Class, Rarity};

/// One block of one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BlockAt {
    pub(crate) piece: PieceIndex,
    pub(crate) block: BlockIndex,
}

impl BlockAt {
    /// Where it starts in its piece.
    pub(crate) fn begin(self) -> u32 {
        self.block.0 * BLOCK_LEN
    }
}

/// Where a piece stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No block of it is asked for.
    Missing,
    /// Open, and some blocks are asked of nobody.
    Free,
    /// Open, and every block is asked for or here.
    Busy,
    /// Complete, and being hashed or written.
    InHand,
    /// Verified and stored.
    Stored,
}

/// What became of a block that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// It is here already, or its piece is not open.
    Useless,
    /// It was taken.
    Taken {
        /// Who else was asked for it.
        others: [Option<LinkId>; 2],
        /// Whether its piece is complete.
        complete: bool,
    },
}

/// A complete piece that is not verified.
pub(crate) struct Complete {
    pub(crate) data: Arc<Vec<u8>>,
    /// Who sent each block.
    pub(crate) senders: Vec<PeerId>,
}

/// All pieces of one torrent.
pub(crate) struct Picker {
    piece_length: u32,
    length: u64,
    states: Vec<State>,
    /// How many peers have each piece, those counted in `seeds` left out.
    copies: Vec<u32>,
    /// Peers that have everything.
    seeds: u32,
    priorities: Vec<Priority>,
    /// Some piece is `Priority::Skip`.
    skips: bool,
    have: Bitfield,
    /// Bytes of the pieces in `have`.
    stored_bytes: u64,
    /// Pieces that are wanted and not stored.
    wanted: Bitfield,
    rarity: Rarity,
    open: Map<PieceIndex, Open>,
    /// The open pieces in `State::Free`.
    free: Set<PieceIndex>,
    /// Pieces that failed their hash and have not passed since.
    parole: Set<PieceIndex>,
    in_hand: usize,
    /// Bytes of open pieces and of those in hand.
    open_bytes: u64,
    windows: Map<ReaderId, Window>,
    deadlines: Vec<Deadline>,
    awaited: Set<PieceIndex>,
    spare: Vec<Vec<u8>>,
    rng: Rng,
}

impl Picker {
    /// Makes a picker for a torrent of which the pieces in `have` are stored.
    pub(crate) fn new(torrent: &Torrent, have: Bitfield, rng: Rng) -> Self {
        let count = torrent.piece_count();
        assert!(have.len() == count, "bits of {} pieces for {count}", have.len());
        let mut picker = Self {
            piece_length: torrent.piece_length,
            length: torrent.length.0,
            states: vec![State::Missing; count as usize],
            copies: vec![0; count as usize],
            seeds: 0,
            priorities: vec![Priority::Skip; count as usize],
            skips: true,
            wanted: Bitfield::empty(count),
            rarity: Rarity::new(count),
            open: Map::new(),
            free: Set::new(),
            parole: Set::new(),
            in_hand: 0,
            open_bytes: 0,
            windows: Map::new(),
            deadlines: Vec::new(),
            awaited: Set::new(),
            spare: Vec::new(),
            rng,
            have: Bitfield::empty(count),
            stored_bytes: 0,
        };
        for piece in have.ones() {
            picker.keep(piece);
        }
        picker
    }

    fn keep(&mut self, piece: PieceIndex) {
        self.states[piece.idx()] = State::Stored;
        self.wanted.clear(piece);
        if self.have.set(piece) {
            self.stored_bytes += u64::from(self.piece_len(piece));
        }
    }

    /// How many pieces there are.
    pub(crate) fn count(&self) -> u32 {
        self.states.len() as u32
    }

    /// The stored pieces.
    pub(crate) fn have(&self) -> &Bitfield {
        &self.have
    }

    /// Bytes in `piece`.
    pub(crate) fn piece_len(&self, piece: PieceIndex) -> u32 {
        let start = u64::from(piece.0) * u64::from(self.piece_length);
        (self.length - start).min(u64::from(self.piece_length)) as u32
    }

    /// Bytes in a block; `None` when there is no such block.
    pub(crate) fn block_len(&self, at: BlockAt) -> Option<u32> {
        if at.piece.0 >= self.count() {
            return None;
        }
        let begin = u64::from(at.block.0) * u64::from(BLOCK_LEN);
        let left = u64::from(self.piece_len(at.piece)).checked_sub(begin)?;
        (left > 0).then(|| left.min(u64::from(BLOCK_LEN)) as u32)
    }

    /// Whether every wanted piece is stored.
    pub(crate) fn is_done(&self) -> bool {
        self.wanted.is_empty()
    }

    /// How many wanted pieces somebody with the pieces in `has` could give.
    pub(crate) fn useful(&self, has: &Bitfield) -> u32 {
        let both = has.as_bytes().iter().zip(self.wanted.as_bytes());
        both.map(|(has, wanted)| (has & wanted).count_ones()).sum()
    }

    /// Whether `piece` is wanted and not stored.
    pub(crate) fn is_wanted(&self, piece: PieceIndex) -> bool {
        self.wanted.has(piece)
    }

    /// Whether a reader waits for `piece`, or will soon.
    pub(crate) fn is_awaited(&self, piece: PieceIndex) -> bool {
        self.awaited.contains(&piece)
    }

    /// Whether readers wait for anything.
    pub(crate) fn has_deadlines(&self) -> bool {
        !self.deadlines.is_empty()
    }

    /// Sets each piece's priority. Answers the blocks that were asked for in vain.
    pub(crate) fn set_priorities(&mut self, priorities: Vec<Priority>) -> Vec<(LinkId, BlockAt)> {
        assert!(priorities.len() == self.states.len(), "a priority for every piece");
        self.skips = priorities.contains(&Priority::Skip);
        self.priorities = priorities;
        for index in 0..self.count() {
            self.list(PieceIndex(index));
        }
        self.want_anew();
        let unwanted: Vec<_> =
            self.open.keys().copied().filter(|piece| !self.wanted.has(*piece)).collect();
        unwanted.into_iter().flat_map(|piece| self.drop_open(piece)).collect()
    }

    /// Sets or ends a reader's window. Answers whether what is wanted changed.
    pub(crate) fn set_window(&mut self, reader: ReaderId, window: Option<Window>) -> bool {
        match window {
            Some(window) => self.windows.insert(reader, window),
            None => self.windows.remove(&reader),
        };
        self.plan();
        self.skips && self.want_anew()
    }

    fn plan(&mut self) {
        let states = &self.states;
        let is_missing = |piece: PieceIndex| {
            states.get(piece.idx()).is_some_and(|state| *state != State::Stored)
        };
        self.deadlines = deadline::deadlines(&self.windows, self.piece_length, is_missing);
        self.awaited = self.deadlines.iter().map(|deadline| deadline.piece).collect();
    }

    fn want_anew(&mut self) -> bool {
        let mut wanted = Bitfield::empty(self.count());
        for index in 0..self.count() {
            let piece = PieceIndex(index);
            let chosen = self.priorities[piece.idx()] > Priority::Skip;
            if self.states[piece.idx()] != State::Stored && (chosen || self.is_awaited(piece)) {
                wanted.set(piece);
            }
        }
        let changed = wanted != self.wanted;
        self.wanted = wanted;
        changed
    }

    /// Puts `piece` into the rarity list, moves it there, or takes it out.
    fn list(&mut self, piece: PieceIndex) {
        let class = match self.priorities[piece.idx()] {
            Priority::Skip => None,
            Priority::Normal => Some(Class::Normal),
            Priority::High => Some(Class::High),
        };
        self.rarity.remove(piece);
        if let (State::Missing, Some(class)) = (self.states[piece.idx()], class) {
            self.rarity.insert(piece, class, self.copies[piece.idx()]);
        }
    }

    fn count_copy(&mut self, piece: PieceIndex, more: bool) {
        let copies = &mut self.copies[piece.idx()];
        *copies = if more { *copies + 1 } else { copies.saturating_sub(1) };
        let copies = *copies;
        match self.priorities[piece.idx()] {
            Priority::Skip => {}
            Priority::Normal => self.rarity.update(piece, Class::Normal, copies),
            Priority::High => self.rarity.update(piece, Class::High, copies),
        }
    }

    /// Counts a peer's pieces. Answers whether it counts as a seed: say so when it goes.
    pub(crate) fn peer_came(&mut self, has: &Bitfield) -> bool {
        if has.is_full() {
            self.seeds += 1;
            return true;
        }
        for piece in has.ones() {
            self.count_copy(piece, true);
        }
        false
    }

    /// Counts one more piece of a peer.
    pub(crate) fn peer_got(&mut self, piece: PieceIndex) {
        self.count_copy(piece, true);
    }

    /// Takes a peer's pieces off the count.
    pub(crate) fn peer_went(&mut self, has: &Bitfield, as_seed: bool) {
        if as_seed {
            self.seeds = self.seeds.saturating_sub(1);
            return;
        }
        for piece in has.ones() {
            self.count_copy(piece, false);
        }
    }

    /// Frees a block that `link` was asked for. Answers whether somebody else may be asked now.
    pub(crate) fn release(&mut self, at: BlockAt, link: LinkId) -> bool {
        let Some(open) = self.open.get_mut(&at.piece) else { return false };
        if !open.release(at.block, link) {
            return false;
        }
        self.states[at.piece.idx()] = State::Free;
        self.free.insert(at.piece);
        true
    }

    /// Says that `link` is not to be waited for: others may be asked for what it alone fetched.
    pub(crate) fn disown(&mut self, link: LinkId) {
        for open in self.open.values_mut() {
            if open.owner == Some(link) {
                open.owner = None;
            }
        }
    }

    /// Takes a block whose size is right.
    pub(crate) fn receive(
        &mut self,
        at: BlockAt,
        from: (LinkId, PeerId),
        bytes: &[u8],
    ) -> Received {
        let Some(open) = self.open.get_mut(&at.piece) else { return Received::Useless };
        if open.data.is_empty() {
            open.data = self.spare.pop().unwrap_or_default();
            open.data.resize(open.len as usize, 0);
        }
        let Some(others) = open.receive(at.block, from, bytes) else { return Received::Useless };
        if open.free == 0 && self.free.remove(&at.piece) {
            self.states[at.piece.idx()] = State::Busy;
        }
        Received::Taken { others, complete: open.is_complete() }
    }

    /// Takes a complete piece out to be verified.
    pub(crate) fn complete(&mut self, piece: PieceIndex) -> Option<Complete> {
        if !self.open.get(&piece)?.is_complete() {
            return None;
        }
        let open = self.open.remove(&piece)?;
        self.free.remove(&piece);
        self.states[piece.idx()] = State::InHand;
        self.in_hand += 1;
        Some(Complete { senders: open.senders(), data: Arc::new(open.data) })
    }

    /// Says that a piece in hand is stored.
    pub(crate) fn stored(&mut self, piece: PieceIndex, data: Arc<Vec<u8>>) {
        self.leave_hand(piece, State::Stored, data);
        self.parole.remove(&piece);
        self.keep(piece);
        if self.awaited.remove(&piece) {
            self.deadlines.retain(|deadline| deadline.piece != piece);
        }
    }

    /// Says that a piece in hand is wrong or could not be stored, and must come again.
    pub(crate) fn failed(&mut self, piece: PieceIndex, wrong: bool, data: Arc<Vec<u8>>) {
        self.leave_hand(piece, State::Missing, data);
        if wrong {
            self.parole.insert(piece);
        }
        self.list(piece);
    }

    fn leave_hand(&mut self, piece: PieceIndex, state: State, data: Arc<Vec<u8>>) {
        let found = self.states[piece.idx()];
        assert!(found == State::InHand, "piece {piece} is {found:?}, not in hand");
        self.states[piece.idx()] = state;
        self.in_hand -= 1;
        self.open_bytes -= u64::from(self.piece_len(piece));
        if let Some(buffer) = Arc::into_inner(data) {
            self.keep_buffer(buffer);
        }
    }

    fn keep_buffer(&mut self, buffer: Vec<u8>) {
        if buffer.capacity() > 0 && self.spare.len() < limit::SPARE_BUFFERS_MAX {
            self.spare.push(buffer);
        }
    }

    /// Says that a stored piece is gone. Answers false when it was not stored.
    pub(crate) fn lost(&mut self, piece: PieceIndex) -> bool {
        if !self.have.clear(piece) {
            return false;
        }
        self.stored_bytes -= u64::from(self.piece_len(piece));
        self.states[piece.idx()] = State::Missing;
        self.list(piece);
        self.plan();
        self.want_anew();
        true
    }

    /// Says that a piece turned out to be stored already. False when it is being fetched.
    pub(crate) fn found(&mut self, piece: PieceIndex) -> bool {
        if self.states[piece.idx()] != State::Missing {
            return false;
        }
        self.rarity.remove(piece);
        self.keep(piece);
        true
    }

    /// Gives up an open piece. Answers who is asked for blocks of it.
    fn drop_open(&mut self, piece: PieceIndex) -> Vec<(LinkId, BlockAt)> {
        let Some(open) = self.open.remove(&piece) else { return Vec::new() };
        self.free.remove(&piece);
        self.states[piece.idx()] = State::Missing;
        self.open_bytes -= u64::from(open.len);
        self.list(piece);
        let asked = open.asked(piece);
        self.keep_buffer(open.data);
        asked
    }

    /// One past the last byte of the run of stored pieces at `start`, or `start`.
    pub(crate) fn stored_until(&self, start: u64) -> u64 {
        let mut piece = PieceIndex((start / u64::from(self.piece_length)) as u32);
        let mut end = start;
        while self.have.has(piece) {
            end = (u64::from(piece.0) + 1) * u64::from(self.piece_length);
            piece.0 += 1;
        }
        end.min(self.length.max(start))
    }

    /// Every piece, for a map.
    pub(crate) fn piece_states(&self) -> Vec<PieceState> {
        let view = |(state, copies): (&State, &u32)| match state {
            State::Stored => PieceState::Stored,
            State::Free | State::Busy | State::InHand => PieceState::Partial,
            State::Missing if *copies + self.seeds > 0 => PieceState::Available,
            State::Missing => PieceState::Absent,
        };
        self.states.iter().zip(&self.copies).map(view).collect()
    }

    /// Fewest copies of a wanted missing piece; `None` when there is none.
    pub(crate) fn rarest_copies(&self) -> Option<u32> {
        self.wanted.ones().map(|piece| self.copies[piece.idx()] + self.seeds).min()
    }

    /// Bytes of pieces that are chosen, and how many of those are stored.
    pub(crate) fn progress(&self) -> (u64, u64) {
        let mut sums = (0, 0);
        for index in 0..self.count() {
            let piece = PieceIndex(index);
            let len = u64::from(self.piece_len(piece));
            if self.priorities[piece.idx()] > Priority::Skip {
                sums.0 += len;
                sums.1 += if self.have.has(piece) { len } else { 0 };
            }
        }
        sums
    }

    /// Bytes of pieces that are not stored, chosen or not.
    pub(crate) fn left(&self) -> u64 {
        self.length - self.stored_bytes
    }
}

#[cfg(test)]
mod tests;
