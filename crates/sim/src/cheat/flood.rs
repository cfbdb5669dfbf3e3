//! Says far too much: requests, claims, keep-alives, extension messages, and what nobody knows.

use core::time::Duration;
use std::collections::BTreeSet;

use bytes::Bytes;
use headwater_base::{LinkId, PeerId, PieceIndex};
use headwater_wire::{BlockSpan, Message};

use super::{Hands, Puppet};

/// Bytes that wait at a link before it says no more.
const WAITING_MAX: usize = 128 * 1024;
/// Messages of one burst.
const BURST: u64 = 400;

/// A host that floods.
#[derive(Debug, Default)]
pub struct Flood {
    links: BTreeSet<LinkId>,
}

impl Flood {
    fn burst(hands: &mut Hands<'_>, link: LinkId) {
        let kind = hands.rng.below(14);
        for _ in 0..1 + hands.rng.below(BURST) {
            let message = message(hands, kind);
            hands.say(link, &message);
        }
    }
}

/// Something of a kind, rarely something that cannot be.
fn message(hands: &mut Hands<'_>, kind: u64) -> Message {
    let count = u64::from(hands.sample.piece_count());
    let odd = u64::from(hands.rng.below(4000) == 0) * 1000;
    let piece = PieceIndex(hands.rng.below(count + odd) as u32);
    let begin = hands.rng.below(8) as u32 * 16384;
    let span = BlockSpan { piece, begin, len: 1 + hands.rng.below(16384) as u32 };
    let whole = BlockSpan { len: 16384, ..span };
    let mut noise = vec![0; hands.rng.below(300) as usize];
    hands.rng.fill(&mut noise);
    let payload = Bytes::from(noise);
    match kind {
        0 => Message::KeepAlive,
        1 => Message::Have(piece),
        2 => Message::Request(whole),
        3 => Message::Cancel(whole),
        4 if hands.rng.below(2) == 0 => Message::Interested,
        4 => Message::NotInterested,
        5 if hands.rng.below(2) == 0 => Message::Choke,
        5 => Message::Unchoke,
        6 => Message::Extended { id: hands.rng.below(8) as u8, payload },
        7 => Message::Suggest(piece),
        8 => Message::AllowedFast(piece),
        9 => Message::Reject(whole),
        10 => Message::Unknown { id: 99, payload },
        11 => Message::Port(7),
        12 => Message::Request(span),
        _ => Message::Piece { piece, begin, data: payload },
    }
}

impl Puppet for Flood {
    fn met(&mut self, hands: &mut Hands<'_>, link: LinkId, _peer: PeerId) {
        self.links.insert(link);
        let first = if hands.rng.below(2) == 0 { Message::HaveAll } else { Message::HaveNone };
        hands.say(link, &first);
        hands.say(link, &Message::Interested);
        hands.say(link, &Message::Unchoke);
    }

    fn heard(&mut self, _hands: &mut Hands<'_>, _link: LinkId, _message: Message) {}

    fn gone(&mut self, link: LinkId) {
        self.links.remove(&link);
    }

    fn tick(&mut self, hands: &mut Hands<'_>) {
        let links: Vec<LinkId> = self.links.iter().copied().collect();
        for link in links {
            if hands.waiting(link) < WAITING_MAX {
                Self::burst(hands, link);
            }
        }
    }

    fn every(&self) -> Duration {
        Duration::from_millis(700)
    }
}
