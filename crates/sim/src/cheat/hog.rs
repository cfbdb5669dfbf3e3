//! Takes as much of the seeds as it can and throws it away, to keep it from others (Adamsky et al.
//! 2014): has nothing for ever, asks for anything, and pretends to be new when nobody serves it.

use core::time::Duration;
use std::collections::BTreeMap;

use headwater_base::{BLOCK_LEN, LinkId, PeerId, PieceIndex};
use headwater_wire::{BlockSpan, Message};

use super::{Hands, Puppet};

/// Blocks it asks of one peer at once.
const PIPELINE: usize = 250;

/// An attacker of seeds.
#[derive(Debug, Default)]
pub struct Hog {
    /// Blocks each peer owes; `None` while it serves us not.
    owed: BTreeMap<LinkId, Option<usize>>,
}

impl Hog {
    fn ask(&mut self, hands: &mut Hands<'_>, link: LinkId) {
        let Some(Some(owed)) = self.owed.get_mut(&link) else { return };
        while *owed < PIPELINE {
            *owed += 1;
            let piece = PieceIndex(hands.rng.below(u64::from(hands.sample.piece_count())) as u32);
            let len = hands.sample.torrent.piece_len(piece);
            let begin = hands.rng.below(u64::from(len.div_ceil(BLOCK_LEN))) as u32 * BLOCK_LEN;
            let span = BlockSpan { piece, begin, len: BLOCK_LEN.min(len - begin) };
            hands.say(link, &Message::Request(span));
        }
    }
}

impl Puppet for Hog {
    fn met(&mut self, hands: &mut Hands<'_>, link: LinkId, _peer: PeerId) {
        self.owed.insert(link, None);
        hands.say(link, &Message::HaveNone);
        hands.say(link, &Message::Interested);
    }

    fn heard(&mut self, hands: &mut Hands<'_>, link: LinkId, message: Message) {
        let Some(owed) = self.owed.get_mut(&link) else { return };
        if matches!(message, Message::Unchoke) {
            *owed = Some(0);
        } else if matches!(message, Message::Choke) {
            *owed = None;
            hands.say(link, &Message::NotInterested);
            hands.say(link, &Message::Interested);
        } else if matches!(message, Message::Piece { .. } | Message::Reject(_)) {
            *owed = owed.map(|owed| owed.saturating_sub(1));
        }
        if self.owed.get(&link).copied().flatten().is_some_and(|owed| owed < PIPELINE / 2) {
            self.ask(hands, link);
        }
    }

    fn gone(&mut self, link: LinkId) {
        self.owed.remove(&link);
    }

    fn tick(&mut self, hands: &mut Hands<'_>) {
        let idle = self.owed.iter().filter(|(_, owed)| owed.is_none());
        let idle: Vec<LinkId> = idle.map(|(link, _)| *link).collect();
        for link in idle {
            hands.say(link, &Message::NotInterested);
            hands.say(link, &Message::Interested);
        }
    }

    fn every(&self) -> Duration {
        Duration::from_secs(5)
    }
}
