//! A small peer that fetches by the book, for puppets to build on: knows who has what, keeps
//! pipelines filled with the rarest blocks, takes what comes. What it gives is up to its puppet.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use headwater_base::{BLOCK_LEN, Bitfield, LinkId, PieceIndex, Time};
use headwater_wire::{BlockSpan, Message};

use super::Hands;

/// Blocks it asks of one peer at once.
const PIPELINE: usize = 64;
/// How long an asked block may take before somebody else is asked.
const PATIENCE: Duration = Duration::from_secs(20);

/// What it knows of one peer.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// What the peer has.
    pub has: Bitfield,
    /// Whether the peer serves us.
    pub serves_us: bool,
    /// Whether the peer wants something of us.
    pub wants: bool,
    /// Bytes it gave.
    pub given: u64,
    asked: usize,
}

/// Everything a puppet needs to fetch a torrent.
#[derive(Debug, Default)]
pub struct Fetcher {
    /// Its peers.
    pub peers: BTreeMap<LinkId, Known>,
    have: Bitfield,
    /// Blocks of pieces that are not whole: how many came.
    came: BTreeMap<u32, BTreeSet<u32>>,
    asked: BTreeMap<(u32, u32), (LinkId, Time)>,
}

impl Fetcher {
    /// A peer is there: says what we have and that we want what it has.
    pub fn met(&mut self, hands: &mut Hands<'_>, link: LinkId) {
        if self.have.is_empty() {
            self.have = Bitfield::empty(hands.sample.piece_count());
        }
        let has = Bitfield::empty(hands.sample.piece_count());
        self.peers.insert(link, Known { has, ..Known::default() });
        let bits = Bytes::copy_from_slice(self.have.as_bytes());
        hands.say(link, &Message::Bitfield(bits));
        hands.say(link, &Message::Interested);
    }

    /// A peer is gone.
    pub fn gone(&mut self, link: LinkId) {
        self.peers.remove(&link);
        self.asked.retain(|_, (of, _)| *of != link);
    }

    /// What we have.
    pub fn have(&self) -> &Bitfield {
        &self.have
    }

    /// Takes a message, as far as it concerns fetching.
    pub fn heard(&mut self, hands: &mut Hands<'_>, link: LinkId, message: &Message) {
        let Some(peer) = self.peers.get_mut(&link) else { return };
        let count = hands.sample.piece_count();
        if let Message::Have(piece) = message {
            peer.has.set(*piece);
        } else if let Message::Bitfield(bits) = message {
            peer.has = Bitfield::from_bytes(bits, count).unwrap_or(Bitfield::empty(count));
        } else if matches!(message, Message::HaveAll) {
            peer.has = Bitfield::full(count);
        } else if matches!(message, Message::Unchoke) {
            peer.serves_us = true;
        } else if matches!(message, Message::Choke) {
            (peer.serves_us, peer.asked) = (false, 0);
            self.asked.retain(|_, (of, _)| *of != link);
        } else if matches!(message, Message::Interested) {
            peer.wants = true;
        } else if matches!(message, Message::NotInterested) {
            peer.wants = false;
        } else if let Message::Reject(span) = message {
            peer.asked = peer.asked.saturating_sub(1);
            self.asked.remove(&(span.piece.0, span.begin));
            return;
        } else if let Message::Piece { piece, begin, data } = message {
            peer.given += data.len() as u64;
            peer.asked = peer.asked.saturating_sub(1);
            self.asked.remove(&(piece.0, *begin));
            self.take(hands, (*piece, *begin), data);
        }
        self.ask(hands, link);
    }

    /// Takes a block; a wrong one is thrown away.
    fn take(&mut self, hands: &mut Hands<'_>, (piece, begin): (PieceIndex, u32), data: &Bytes) {
        let right = hands.sample.part(piece, begin, data.len() as u32);
        if self.have.has(piece) || right.as_ref() != Some(data) {
            return;
        }
        let came = self.came.entry(piece.0).or_default();
        came.insert(begin);
        let blocks = hands.sample.torrent.piece_len(piece).div_ceil(BLOCK_LEN) as usize;
        if came.len() == blocks {
            self.came.remove(&piece.0);
            self.have.set(piece);
            for link in self.peers.keys() {
                hands.say(*link, &Message::Have(piece));
            }
            if self.have.is_full() {
                hands.finish();
            }
        }
    }

    /// Keeps a peer's pipeline filled: begun pieces first, then the rarest.
    fn ask(&mut self, hands: &mut Hands<'_>, link: LinkId) {
        let Some(peer) = self.peers.get(&link).filter(|peer| peer.serves_us) else { return };
        let mut room = PIPELINE.saturating_sub(peer.asked);
        if room < PIPELINE / 2 {
            return;
        }
        let copies = |piece: PieceIndex| self.peers.values().filter(|p| p.has.has(piece)).count();
        let mut pieces: Vec<_> = (0..hands.sample.piece_count())
            .map(PieceIndex)
            .filter(|piece| peer.has.has(*piece) && !self.have.has(*piece))
            .map(|piece| {
                let begun = self.came.contains_key(&piece.0);
                (!begun, copies(piece), hands.rng.next_u64(), piece)
            })
            .collect();
        pieces.sort_unstable();
        let mut wanted = Vec::new();
        for (.., piece) in pieces {
            let len = hands.sample.torrent.piece_len(piece);
            for begin in (0..len).step_by(BLOCK_LEN as usize) {
                let came = self.came.get(&piece.0).is_some_and(|came| came.contains(&begin));
                let asked = self.asked.get(&(piece.0, begin));
                let waits = asked.is_some_and(|(_, at)| hands.now.since(*at) < PATIENCE);
                if room > 0 && !came && !waits {
                    room -= 1;
                    wanted.push(BlockSpan { piece, begin, len: BLOCK_LEN.min(len - begin) });
                }
            }
            if room == 0 {
                break;
            }
        }
        for span in wanted {
            self.asked.insert((span.piece.0, span.begin), (link, hands.now));
            if let Some(peer) = self.peers.get_mut(&link) {
                peer.asked += 1;
            }
            hands.say(link, &Message::Request(span));
        }
    }

    /// Asks everybody again, since something may have come free.
    pub fn ask_all(&mut self, hands: &mut Hands<'_>) {
        let links: Vec<LinkId> = self.peers.keys().copied().collect();
        for link in links {
            self.ask(hands, link);
        }
    }
}
