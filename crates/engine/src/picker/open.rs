//! One piece that is being fetched: which blocks are here, who was asked for the others.

use headwater_base::{BLOCK_LEN, BlockIndex, LinkId, PeerId, PieceIndex, Set, Time};

use super::BlockAt;
use super::leaves::Leaves;

/// Who was asked for a block, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) link: LinkId,
    pub(crate) at: Time,
}

/// Where a block stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Slot {
    /// Nobody is asked.
    Free,
    /// One or two peers are asked.
    Asked(Asked, Option<Asked>),
    /// It is here, from this peer.
    Here(PeerId),
}

/// A piece of which blocks are asked for or here.
#[derive(Debug)]
pub(super) struct Open {
    /// Its bytes; empty until the first block comes.
    pub(super) data: Vec<u8>,
    pub(super) len: u32,
    pub(super) slots: Vec<Slot>,
    /// Blocks in `Slot::Free`.
    pub(super) free: u32,
    /// Blocks in `Slot::Here`.
    pub(super) here: u32,
    /// All its blocks are to come from one peer: it failed before, or is paid for as a whole.
    pub(super) parole: bool,
    /// Who was asked last; under parole the only one to ask.
    pub(super) owner: Option<LinkId>,
    /// What its blocks hash to, in v2.
    pub(super) leaves: Leaves,
}

impl Open {
    pub(super) fn new(len: u32, parole: bool) -> Self {
        let blocks = len.div_ceil(BLOCK_LEN);
        Self {
            data: Vec::new(),
            len,
            slots: vec![Slot::Free; blocks as usize],
            free: blocks,
            here: 0,
            parole,
            owner: None,
            leaves: Leaves::default(),
        }
    }

    /// Whether `link` may be asked for blocks nobody else is asked for.
    pub(super) fn is_open_to(&self, link: LinkId) -> bool {
        !self.parole || self.owner.is_none_or(|owner| owner == link)
    }

    /// Takes a piece that nobody was asked for as one to come from `link` alone. Answers whether
    /// it is such a piece.
    pub(super) fn claim(&mut self, link: LinkId) -> bool {
        if self.free as usize == self.slots.len() {
            (self.parole, self.owner) = (true, Some(link));
        }
        self.parole && self.owner == Some(link)
    }

    /// Marks the next free block as asked of `link`.
    pub(super) fn ask_free(&mut self, asked: Asked) -> Option<BlockIndex> {
        if self.free == 0 {
            return None;
        }
        let at = self.slots.iter().position(|slot| matches!(slot, Slot::Free))?;
        self.slots[at] = Slot::Asked(asked, None);
        self.free -= 1;
        self.owner = Some(asked.link);
        Some(BlockIndex(at as u32))
    }

    /// Whether two are asked for `block`.
    pub(super) fn is_doubled(&self, block: BlockIndex) -> bool {
        matches!(self.slots[block.idx()], Slot::Asked(_, Some(_)))
    }

    /// Whether `block` is asked of one of those that are `charged` for, other than `link`.
    pub(super) fn is_bought_of_another(
        &self,
        block: BlockIndex,
        link: LinkId,
        charged: &Set<LinkId>,
    ) -> bool {
        let Slot::Asked(first, second) = self.slots[block.idx()] else { return false };
        let is_bought = |asked: &Asked| asked.link != link && charged.contains(&asked.link);
        is_bought(&first) || second.as_ref().is_some_and(is_bought)
    }

    /// Takes `link` off those asked for `block`; true when nobody is left.
    pub(super) fn release(&mut self, block: BlockIndex, link: LinkId) -> bool {
        let slot = &mut self.slots[block.idx()];
        match *slot {
            Slot::Asked(first, second) if first.link == link => match second {
                Some(second) => *slot = Slot::Asked(second, None),
                None => {
                    *slot = Slot::Free;
                    self.free += 1;
                    return true;
                }
            },
            Slot::Asked(first, Some(second)) if second.link == link => {
                *slot = Slot::Asked(first, None);
            }
            Slot::Free | Slot::Here(_) | Slot::Asked(..) => {}
        }
        false
    }

    /// Takes a block that arrived. Answers who else was asked for it, or `None` when it is here.
    pub(super) fn receive(
        &mut self,
        block: BlockIndex,
        from: (LinkId, PeerId),
        bytes: &[u8],
    ) -> Option<[Option<LinkId>; 2]> {
        let slot = &mut self.slots[block.idx()];
        let others = match *slot {
            Slot::Here(_) => return None,
            Slot::Free => {
                self.free -= 1;
                [None, None]
            }
            Slot::Asked(first, second) => [Some(first.link), second.map(|asked| asked.link)],
        };
        *slot = Slot::Here(from.1);
        self.here += 1;
        let start = (block.0 * BLOCK_LEN) as usize;
        self.data[start..start + bytes.len()].copy_from_slice(bytes);
        Some(others.map(|link| link.filter(|link| *link != from.0)))
    }

    pub(super) fn is_complete(&self) -> bool {
        self.here as usize == self.slots.len()
    }

    /// Who sent each block of a complete piece.
    pub(super) fn senders(&self) -> Vec<PeerId> {
        let sender = |slot: &Slot| match slot {
            Slot::Here(peer) => Some(*peer),
            Slot::Free | Slot::Asked(..) => None,
        };
        self.slots.iter().filter_map(sender).collect()
    }

    /// Who is asked for which block.
    pub(super) fn asked(&self, piece: PieceIndex) -> Vec<(LinkId, BlockAt)> {
        let mut list = Vec::new();
        for (index, slot) in self.slots.iter().enumerate() {
            if let Slot::Asked(first, second) = slot {
                let at = BlockAt { piece, block: BlockIndex(index as u32) };
                list.push((first.link, at));
                list.extend(second.map(|second| (second.link, at)));
            }
        }
        list
    }

    /// Whether nobody is asked for any block.
    pub(super) fn is_idle(&self) -> bool {
        (self.free + self.here) as usize == self.slots.len()
    }
}
