//! Chooses which block to ask which peer for. Knows rarity, deadlines and what is in flight; knows
//! nothing of links, speeds or stores.

mod choose;
mod crowd;
mod deadline;
mod leaves;
mod open;
mod rarity;
mod run;
mod seize;
mod want;

use std::collections::VecDeque;
use std::sync::Arc;

use headwater_base::{BLOCK_LEN, Bitfield, BlockIndex, LinkId, Map, PeerId, PieceIndex, Rng, Set};
use headwater_metainfo::{Torrent, Version};

use crate::peer::PAYS;
use crate::{Priority, limit};
pub(crate) use choose::{Asker, Hint};
pub(crate) use deadline::Window;
use deadline::Windows;
pub(crate) use leaves::Hashed;
pub(crate) use open::Asked;
use open::{Open, Slot};
use rarity::{Class, Rarity};
pub(crate) use run::RunAsker;
use want::Sums;
pub(crate) use want::Turn;

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
    /// Not stored where nothing can be written: nobody is asked for it.
    Barred,
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
    /// Pieces of v2 that end with their file, and their sizes; ascending.
    short: Vec<(PieceIndex, u32)>,
    /// Bytes of all pieces.
    whole: u64,
    states: Vec<State>,
    /// How many peers have each piece, less `base`.
    copies: Vec<i32>,
    /// Copies every piece has besides. A peer that has nearly all is counted here, and what it
    /// lacks is taken off.
    base: i32,
    priorities: Vec<Priority>,
    /// Some piece is `Priority::Skip`.
    skips: bool,
    have: Bitfield,
    sums: Sums,
    /// Pieces that are wanted and not stored.
    wanted: Bitfield,
    rarity: Rarity,
    /// Pieces that were listed as missing again, the last ones, and how many there were ever.
    relisted: VecDeque<PieceIndex>,
    relistings: u64,
    /// Changes after which a peer may find what it did not find before.
    news: u64,
    /// Some peer could start no piece for want of memory.
    starved: bool,
    /// Pieces are started in the order of the torrent.
    sequential: bool,
    /// Nothing can be written.
    read_only: bool,
    open: Map<PieceIndex, Box<Open>>,
    /// Blocks that two are asked for.
    doubled: u64,
    /// The open pieces in `State::Free`.
    free: Set<PieceIndex>,
    /// Pieces that failed their hash and have not passed since; empty until the first.
    parole: Bitfield,
    in_hand: usize,
    /// Bytes of open pieces and of those in hand.
    open_bytes: u64,
    windows: Windows,
    /// Pieces of the windows that are not stored.
    waiting: u32,
    /// Missing pieces that peers want soon, the most urgent first (`hw_want`).
    wished: Vec<PieceIndex>,
    /// The piece that whoever is asked next would like to send (BEP 6).
    suggested: Option<PieceIndex>,
    spare: Vec<Vec<u8>>,
    /// Links whose blocks cost money: nobody else is asked for those too.
    charged: Set<LinkId>,
    /// Only whole pieces can be judged: what costs money is to come from one peer.
    by_piece: bool,
    /// Blocks that were asked for and are somebody else's to send now.
    seized: Vec<(LinkId, BlockAt)>,
    rng: Rng,
}

impl Picker {
    /// Makes a picker for a torrent of which the pieces in `have` are stored.
    pub(crate) fn new(torrent: &Torrent, have: Bitfield, rng: Rng) -> Self {
        let count = torrent.piece_count();
        assert!(have.len() == count, "bits of {} pieces for {count}", have.len());
        let short = short_pieces(torrent);
        let missing = |(_, len): &(_, u32)| u64::from(torrent.piece_length - len);
        let total = u64::from(count) * u64::from(torrent.piece_length);
        let whole = match torrent.version() {
            Version::V2 => total - short.iter().map(missing).sum::<u64>(),
            Version::V1 | Version::Hybrid => torrent.length.0,
        };
        let mut picker = Self {
            short,
            whole,
            piece_length: torrent.piece_length,
            length: torrent.length.0,
            states: vec![State::Missing; count as usize],
            copies: vec![0; count as usize],
            base: 0,
            priorities: vec![Priority::Skip; count as usize],
            skips: true,
            have: Bitfield::empty(count),
            sums: Sums::default(),
            wanted: Bitfield::empty(count),
            rarity: Rarity::new(count),
            relisted: VecDeque::new(),
            relistings: 0,
            news: 0,
            starved: false,
            sequential: false,
            read_only: false,
            open: Map::new(),
            doubled: 0,
            free: Set::new(),
            parole: Bitfield::default(),
            in_hand: 0,
            open_bytes: 0,
            windows: Windows::new(torrent.piece_length, count),
            waiting: 0,
            wished: Vec::new(),
            suggested: None,
            spare: Vec::new(),
            charged: Set::new(),
            by_piece: torrent.version() == Version::V1,
            seized: Vec::new(),
            rng,
        };
        for piece in have.ones() {
            picker.keep(piece);
        }
        picker
    }

    /// Says that nothing can be written: what is not stored will not be.
    pub(crate) fn set_read_only(&mut self) {
        self.read_only = true;
        for state in self.states.iter_mut().filter(|state| **state == State::Missing) {
            *state = State::Barred;
        }
    }

    fn keep(&mut self, piece: PieceIndex) {
        self.states[piece.idx()] = State::Stored;
        self.wanted.clear(piece);
        if self.have.set(piece) {
            self.sums.keep(self.piece_len(piece), self.is_chosen(piece));
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
        if let Ok(at) = self.short.binary_search_by_key(&piece, |(piece, _)| *piece) {
            return self.short[at].1;
        }
        let start = u64::from(piece.0) * u64::from(self.piece_length);
        (self.length - start).min(u64::from(self.piece_length)) as u32
    }

    /// Where a request in `piece` may end. libtorrent 2.0 asks for whole blocks where files of v2
    /// alone end, and takes zeros for what is past the end.
    pub(crate) fn ask_end(&self, piece: PieceIndex) -> u32 {
        let len = self.piece_len(piece);
        let is_short = self.short.binary_search_by_key(&piece, |(piece, _)| *piece).is_ok();
        if is_short { len.next_multiple_of(BLOCK_LEN) } else { len }
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

    /// Puts `piece` into the rarity list, moves it there, or takes it out.
    fn list(&mut self, piece: PieceIndex) {
        let was_listed = self.rarity.has(piece);
        self.rarity.remove(piece);
        let Some((class, copies)) = self.rank(piece) else { return };
        self.rarity.insert(piece, class, copies);
        if !was_listed {
            self.relistings += 1;
            self.news += 1;
            if self.relisted.len() == limit::RELISTED_MAX {
                self.relisted.pop_front();
            }
            self.relisted.push_back(piece);
        }
    }

    /// Where `piece` belongs in the rarity list; `None` when it does not.
    fn rank(&self, piece: PieceIndex) -> Option<(Class, i32)> {
        let class = match self.priorities[piece.idx()] {
            _ if self.states[piece.idx()] != State::Missing => return None,
            Priority::Skip => return None,
            Priority::Normal => Class::Normal,
            Priority::High => Class::High,
        };
        Some((class, self.copies[piece.idx()]))
    }

    /// Frees a block that `link` was asked for. Answers whether somebody else may be asked now.
    pub(crate) fn release(&mut self, at: BlockAt, link: LinkId) -> bool {
        let Some(open) = self.open.get_mut(&at.piece) else { return false };
        let doubled = open.is_doubled(at.block);
        let is_free = open.release(at.block, link);
        self.doubled -= u64::from(doubled && !open.is_doubled(at.block));
        if !is_free {
            return false;
        }
        self.states[at.piece.idx()] = State::Free;
        self.free.insert(at.piece);
        self.news += 1;
        true
    }

    /// Who was asked for a block before `link` was.
    pub(crate) fn asked_before(&self, at: BlockAt, link: LinkId) -> Option<LinkId> {
        match self.open.get(&at.piece)?.slots.get(at.block.idx())? {
            Slot::Asked(first, Some(second)) if second.link == link => Some(first.link),
            Slot::Free | Slot::Here(_) | Slot::Asked(..) => None,
        }
    }

    /// Bytes of open pieces and of those in hand.
    pub(crate) fn open_bytes(&self) -> u64 {
        self.open_bytes
    }

    /// Blocks that two are asked for.
    pub(crate) fn doubled(&self) -> u64 {
        self.doubled
    }

    /// Says whether a link's blocks cost money.
    pub(crate) fn set_charged(&mut self, link: LinkId, charges: bool) {
        if charges {
            self.charged.insert(link);
        } else if PAYS {
            self.charged.remove(&link);
        }
    }

    /// Says that `link` is not to be waited for: others may be asked for what it alone fetched.
    pub(crate) fn disown(&mut self, link: LinkId) {
        for open in self.open.values_mut() {
            if open.owner == Some(link) {
                open.owner = None;
            }
        }
        self.news += 1;
    }

    /// Takes a block whose size is right. One that a peer is paid for comes from that peer alone:
    /// it would be charged all the same if another's were taken, and nothing would prove it.
    pub(crate) fn receive(
        &mut self,
        at: BlockAt,
        from: (LinkId, PeerId),
        bytes: &[u8],
    ) -> Received {
        let Some(open) = self.open.get_mut(&at.piece) else { return Received::Useless };
        if PAYS && open.is_bought_of_another(at.block, from.0, &self.charged) {
            self.release(at, from.0);
            return Received::Useless;
        }
        if open.data.is_empty() {
            open.data = self.spare.pop().unwrap_or_default();
            open.data.resize(open.len as usize, 0);
        }
        self.doubled -= u64::from(open.is_doubled(at.block));
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
        self.parole.clear(piece);
        self.waiting -= u32::from(self.windows.distance(piece).is_some());
        self.keep(piece);
    }

    /// Says that a piece in hand is wrong or could not be stored, and must come again.
    pub(crate) fn failed(&mut self, piece: PieceIndex, wrong: bool, data: Arc<Vec<u8>>) {
        self.leave_hand(piece, State::Missing, data);
        if wrong {
            if self.parole.is_empty() {
                self.parole = Bitfield::empty(self.count());
            }
            self.parole.set(piece);
        }
        self.list(piece);
    }

    fn leave_hand(&mut self, piece: PieceIndex, state: State, data: Arc<Vec<u8>>) {
        let found = self.states[piece.idx()];
        assert!(found == State::InHand, "piece {piece} is {found:?}, not in hand");
        self.states[piece.idx()] = state;
        self.in_hand -= 1;
        self.free_memory(self.piece_len(piece));
        if let Some(buffer) = Arc::into_inner(data) {
            self.keep_buffer(buffer);
        }
    }

    fn free_memory(&mut self, len: u32) {
        self.open_bytes -= u64::from(len);
        self.news += u64::from(self.starved);
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
        self.sums.lose(self.piece_len(piece), self.is_chosen(piece));
        if self.read_only {
            self.states[piece.idx()] = State::Barred;
            return true;
        }
        self.states[piece.idx()] = State::Missing;
        self.list(piece);
        let awaited = self.windows.distance(piece).is_some();
        self.waiting += u32::from(awaited);
        if awaited || self.is_chosen(piece) {
            self.wanted.set(piece);
        }
        true
    }

    /// Says that a piece turned out to be stored already. False when it is being fetched.
    pub(crate) fn found(&mut self, piece: PieceIndex) -> bool {
        match self.states[piece.idx()] {
            State::Barred => {}
            State::Missing => {
                self.rarity.remove(piece);
                self.waiting -= u32::from(self.windows.distance(piece).is_some());
            }
            State::Free | State::Busy | State::InHand | State::Stored => return false,
        }
        self.keep(piece);
        true
    }

    /// Gives up an open piece. Answers who is asked for blocks of it.
    fn drop_open(&mut self, piece: PieceIndex) -> Vec<(LinkId, BlockAt)> {
        let Some(open) = self.open.remove(&piece) else { return Vec::new() };
        self.free.remove(&piece);
        self.states[piece.idx()] = State::Missing;
        self.free_memory(open.len);
        self.list(piece);
        let asked = open.asked(piece);
        // Whoever else was asked for a block follows the first.
        self.doubled -=
            (asked.len() - (open.slots.len() - (open.free + open.here) as usize)) as u64;
        self.keep_buffer(open.data);
        asked
    }
}

/// The pieces of a torrent of v2 alone that are shorter than the others.
fn short_pieces(torrent: &Torrent) -> Vec<(PieceIndex, u32)> {
    if torrent.version() != Version::V2 {
        return Vec::new();
    }
    let ends = (0..torrent.files.len()).filter(|at| !torrent.files[*at].pad);
    let last = ends.filter_map(|at| torrent.file_pieces(at).next_back()).map(PieceIndex);
    let sized = last.map(|piece| (piece, torrent.piece_len(piece)));
    sized.filter(|(_, len)| *len < torrent.piece_length).collect()
}

#[cfg(test)]
mod tests;
