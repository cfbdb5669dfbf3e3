//! The merkle leaves of open pieces (BEP 52): those that blocks here have, and those they should
//! have. Knows no trees: who proves leaves has checked them.

use bytes::Bytes;
use headwater_base::{BLOCK_LEN, BlockIndex, Digest256, PeerId, PieceIndex};

use super::open::{Open, Slot};
use super::{BlockAt, Picker, State};

/// What is known of one open piece's leaves.
#[derive(Debug, Default)]
pub(super) struct Leaves {
    /// Leaves of blocks that are here; short while nothing is hashed.
    found: Vec<Option<Digest256>>,
    /// The right ones. What is past their end is padding.
    proven: Option<Vec<Digest256>>,
    /// Somebody is asked for them, or nobody is left to ask.
    asked: bool,
    /// How often they were asked for.
    tries: u8,
}

/// What came of hashing a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hashed {
    /// It is no longer here.
    Gone,
    /// Nobody has said yet what is right.
    Unproven,
    /// It is what it should be.
    Right,
    /// It is not.
    Wrong,
}

impl Leaves {
    fn found(&self, block: usize) -> Option<&Digest256> {
        self.found.get(block)?.as_ref()
    }

    /// Whether right blocks can be told from wrong ones.
    pub(super) fn is_proven(&self) -> bool {
        self.proven.is_some()
    }

    fn judge(&self, block: usize) -> Hashed {
        match (self.found(block), &self.proven) {
            (None, _) => Hashed::Gone,
            (Some(_), None) => Hashed::Unproven,
            (Some(found), Some(proven)) => {
                let right = proven.get(block).copied().unwrap_or([0; 32]);
                if *found == right { Hashed::Right } else { Hashed::Wrong }
            }
        }
    }
}

impl Open {
    fn sender(&self, block: usize) -> Option<PeerId> {
        match self.slots.get(block)? {
            Slot::Here(peer) => Some(*peer),
            Slot::Free | Slot::Asked(..) => None,
        }
    }

    fn block_end(&self, block: usize) -> u32 {
        ((block as u32 + 1) * BLOCK_LEN).min(self.len)
    }
}

impl Picker {
    /// Takes the leaf of a block that `from` sent.
    pub(crate) fn hashed(&mut self, at: BlockAt, from: PeerId, leaf: Digest256) -> Hashed {
        let Some(open) = self.open.get_mut(&at.piece) else { return Hashed::Gone };
        let block = at.block.idx();
        if open.sender(block) != Some(from) || open.leaves.found(block).is_some() {
            return Hashed::Gone;
        }
        let count = open.slots.len();
        open.leaves.found.resize(count, None);
        open.leaves.found[block] = Some(leaf);
        open.leaves.judge(block)
    }

    /// Takes the right leaves of an open piece.
    pub(crate) fn prove(&mut self, piece: PieceIndex, leaves: Vec<Digest256>) {
        if let Some(open) = self.open.get_mut(&piece) {
            open.leaves.proven = Some(leaves);
        }
    }

    /// The blocks of an open piece that are here and proven wrong, and who sent them.
    pub(crate) fn wrong_blocks(&self, piece: PieceIndex) -> Vec<(BlockAt, PeerId)> {
        self.blocks_that_are(Hashed::Wrong, piece)
    }

    /// The blocks of an open piece that are here and proven right, and who sent them.
    pub(crate) fn right_blocks(&self, piece: PieceIndex) -> Vec<(BlockAt, PeerId)> {
        self.blocks_that_are(Hashed::Right, piece)
    }

    fn blocks_that_are(&self, judged: Hashed, piece: PieceIndex) -> Vec<(BlockAt, PeerId)> {
        let Some(open) = self.open.get(&piece) else { return Vec::new() };
        let blocks = (0..open.slots.len()).filter(|at| open.leaves.judge(*at) == judged);
        let name = |block: usize| {
            let at = BlockAt { piece, block: BlockIndex(block as u32) };
            open.sender(block).map(|sender| (at, sender))
        };
        blocks.filter_map(name).collect()
    }

    /// Throws away a block that is here, so that it is asked for again.
    pub(crate) fn refuse(&mut self, at: BlockAt) {
        let Some(open) = self.open.get_mut(&at.piece) else { return };
        let block = at.block.idx();
        if open.sender(block).is_none() {
            return;
        }
        open.slots[block] = Slot::Free;
        open.here -= 1;
        open.free += 1;
        if let Some(found) = open.leaves.found.get_mut(block) {
            *found = None;
        }
        open.owner = None;
        self.states[at.piece.idx()] = State::Free;
        self.free.insert(at.piece);
        self.news += 1;
    }

    /// Whether every block of an open piece is here and hashed.
    pub(crate) fn is_hashed(&self, piece: PieceIndex) -> bool {
        self.open.get(&piece).is_some_and(|open| {
            open.is_complete() && (0..open.slots.len()).all(|at| open.leaves.found(at).is_some())
        })
    }

    /// The leaves of an open piece's blocks, up to the first that is not hashed.
    pub(crate) fn leaves(&self, piece: PieceIndex) -> Vec<Digest256> {
        let found = self.open.get(&piece).map_or(&[][..], |open| &open.leaves.found);
        found.iter().map_while(|leaf| *leaf).collect()
    }

    /// The bytes of an open piece that is whole.
    pub(crate) fn whole(&self, piece: PieceIndex) -> Option<Vec<u8>> {
        self.open.get(&piece).filter(|open| open.is_complete()).map(|open| open.data.clone())
    }

    /// Whether the right leaves of an open piece are known.
    pub(crate) fn is_proven(&self, piece: PieceIndex) -> bool {
        self.open.get(&piece).is_some_and(|open| open.leaves.proven.is_some())
    }

    /// Whether leaves of an open piece are to be asked for.
    pub(crate) fn lacks_leaves(&self, piece: PieceIndex) -> bool {
        let leaves = self.open.get(&piece).map(|open| &open.leaves);
        leaves.is_some_and(|leaves| leaves.proven.is_none() && !leaves.asked)
    }

    /// Notes whether somebody is asked for a piece's leaves. Answers how often that was tried.
    pub(crate) fn leaves_asked(&mut self, piece: PieceIndex, asked: bool) -> u8 {
        let Some(open) = self.open.get_mut(&piece) else { return 0 };
        open.leaves.asked = asked;
        open.leaves.tries = open.leaves.tries.saturating_add(u8::from(asked));
        open.leaves.tries
    }

    /// One past the last byte of the run of right blocks at `begin` of an open piece, or `begin`.
    pub(crate) fn right_until(&self, piece: PieceIndex, begin: u32) -> u32 {
        let Some(open) = self.open.get(&piece) else { return begin };
        let first = (begin / BLOCK_LEN) as usize;
        let right = |block: &usize| open.leaves.judge(*block) == Hashed::Right;
        let run = (first..open.slots.len()).take_while(right);
        run.last().map_or(begin, |last| open.block_end(last).max(begin))
    }

    /// Bytes of right blocks of an open piece.
    pub(crate) fn read_open(&self, piece: PieceIndex, begin: u32, len: u32) -> Option<Bytes> {
        let end = begin.checked_add(len)?;
        if self.right_until(piece, begin) < end {
            return None;
        }
        let bytes = self.open.get(&piece)?.data.get(begin as usize..end as usize)?;
        Some(Bytes::copy_from_slice(bytes))
    }
}
