//! Pieces that change hands. What costs money comes in v1 as whole pieces of one peer, since only
//! those can be judged; so near the end, or where somebody waits, a seller takes over whole pieces
//! with which others are slow. What was here of them is fetched again.

use core::time::Duration;

use headwater_base::{BlockIndex, LinkId, PieceIndex};

use super::choose::Asker;
use super::open::{Open, Slot};
use super::{BlockAt, Picker};
use crate::peer::PAYS;

impl Picker {
    /// Whether what a link sends costs money and can be judged by whole pieces alone: then it has
    /// pieces for itself.
    pub(super) fn is_kept_apart(&self, link: LinkId) -> bool {
        PAYS && self.by_piece && self.charged.contains(&link)
    }

    /// Takes over the piece of which least is here.
    pub(super) fn seize_any(&mut self, asker: &Asker<'_>, out: &mut Vec<BlockAt>) {
        let at_once = (0, Duration::ZERO);
        let slow = self.open.iter().filter(|(piece, open)| {
            asker.has.has(**piece) && self.is_slow(**piece, open, asker, at_once)
        });
        if let Some((&piece, _)) = slow.min_by_key(|(_, open)| open.here) {
            self.seize(piece, asker, out);
        }
    }

    /// Takes over a piece that somebody waits for, if those who were asked are late with it.
    pub(super) fn seize_late(
        &mut self,
        (piece, distance): (PieceIndex, u64),
        asker: &Asker<'_>,
        patience: Duration,
        out: &mut Vec<BlockAt>,
    ) {
        let Some(open) = self.open.get(&piece) else { return };
        if self.is_slow(piece, open, asker, (distance, patience)) {
            self.seize(piece, asker, out);
        }
    }

    /// Whether all that is asked of a piece is owed for so long, by peers that cost nothing, that
    /// it comes sooner from `asker`.
    fn is_slow(
        &self,
        piece: PieceIndex,
        open: &Open,
        asker: &Asker<'_>,
        (distance, patience): (u64, Duration),
    ) -> bool {
        let mut owed = open.slots.iter().enumerate().filter_map(|(index, slot)| match slot {
            Slot::Asked(first, _) => {
                Some((BlockAt { piece, block: BlockIndex(index as u32) }, *first))
            }
            Slot::Free | Slot::Here(_) => None,
        });
        !open.parole
            && owed.all(|(at, first)| {
                first.link != asker.link
                    && !self.charged.contains(&first.link)
                    && first.at + patience <= asker.now
                    && (asker.is_worth)(at, first, distance)
            })
    }

    fn seize(&mut self, piece: PieceIndex, asker: &Asker<'_>, out: &mut Vec<BlockAt>) {
        // Who can be asked for nothing now would only take it from others.
        if out.len() >= asker.room {
            return;
        }
        let asked = self.drop_open(piece);
        self.seized.extend(asked);
        self.start(piece);
        self.take_free(piece, asker, out);
    }

    /// Who is waited for no more, since somebody else took over.
    pub(crate) fn take_seized(&mut self) -> Vec<(LinkId, BlockAt)> {
        core::mem::take(&mut self.seized)
    }
}
