//! Super seeding (BEP 16): a seed looks empty and shows each peer one piece at a time, the next
//! once the last was seen with somebody else, so that little leaves it twice.

use bytes::Bytes;
use headwater_base::{LinkId, Map, PieceIndex};
use headwater_wire::Message;

use super::{Stage, Transfer};
use crate::desk::Desk;
use crate::limit;
use crate::peer::{Peer, Reveal};
use crate::timer::Timer;

impl Transfer {
    /// Takes whether the user wants pieces shown one by one. Peers that know what we have keep
    /// knowing it.
    pub(crate) fn choose_super(&mut self, desk: &mut Desk, on: bool) {
        self.super_seed = on;
        if !self.is_revealing() {
            self.reveal_everything(desk);
        }
        self.review_upload_only(desk);
    }

    /// Whether new peers are shown pieces one by one: only a whole seed has use for it.
    pub(super) fn is_revealing(&self) -> bool {
        let full =
            |picker: &crate::picker::Picker| !picker.have().is_empty() && picker.have().is_full();
        self.super_seed && self.stage == Stage::Running && self.picker.as_ref().is_some_and(full)
    }

    /// Begins with a peer: it hears that we have nothing, and of a first piece.
    pub(super) fn begin_reveal(&mut self, desk: &mut Desk, link: LinkId) {
        let (Some(picker), Some(peer)) = (&self.picker, self.peers.get_mut(&link)) else { return };
        peer.told_pieces = true;
        peer.reveal = Some(Reveal::new(picker.count()));
        if peer.fast {
            peer.outbox.say(&Message::HaveNone);
        }
        desk.timers.start(Timer::Choke(self.id), desk.now + limit::CHOKE_ROUND);
        self.reveal_more(desk, link);
    }

    /// Takes that a peer got `piece`: whoever was shown it may be shown another.
    pub(super) fn passed_on(&mut self, desk: &mut Desk, piece: PieceIndex) {
        let waits = |peer: &Peer| {
            peer.reveal.as_ref().is_some_and(|reveal| reveal.open().contains_key(&piece))
        };
        let links: Vec<LinkId> =
            self.peers.values().filter(|peer| waits(peer)).map(|peer| peer.link).collect();
        for link in links {
            self.reveal_more(desk, link);
        }
    }

    /// Shows more pieces to every peer that passed on those it was shown, or took too long.
    pub(super) fn reveal_due(&mut self, desk: &mut Desk) {
        let shown = self.peers.values().filter(|peer| peer.reveal.is_some());
        let links: Vec<LinkId> = shown.map(|peer| peer.link).collect();
        for link in links {
            self.reveal_more(desk, link);
        }
    }

    fn reveal_more(&mut self, desk: &mut Desk, link: LinkId) {
        let Some(peer) = self.peers.get(&link) else { return };
        let Some(reveal) = &peer.reveal else { return };
        let settled: Vec<PieceIndex> = reveal
            .open()
            .iter()
            .filter(|(piece, since)| {
                desk.now.since(**since) >= limit::REVEAL_PATIENCE || self.is_settled(peer, **piece)
            })
            .map(|(piece, _)| *piece)
            .collect();
        // A peer that is alone has nobody to pass anything on to, and is to be kept busy.
        let alone = !self.others(link).any(wants_pieces);
        let most = if alone { limit::REVEAL_ALONE } else { 1 };
        let mut room = most.saturating_sub(reveal.open().len() - settled.len());
        if let Some(reveal) = self.peers.get_mut(&link).and_then(|peer| peer.reveal.as_mut()) {
            for piece in settled {
                reveal.settle(piece);
            }
        }
        while room > 0
            && let Some(piece) = self.next_to_show(desk, link)
        {
            room -= 1;
            let Some(peer) = self.peers.get_mut(&link) else { return };
            if let Some(reveal) = &mut peer.reveal {
                reveal.show(piece, desk.now);
                peer.outbox.say(&Message::Have(piece));
                desk.kicks.insert((self.id, link));
            }
        }
    }

    /// Whether a peer did with a piece what it was shown it for: it has it, and somebody else got
    /// it from elsewhere than us, or nobody is left to get it.
    fn is_settled(&self, peer: &Peer, piece: PieceIndex) -> bool {
        let elsewhere = |other: &Peer| {
            let from_us = other.reveal.as_ref().is_some_and(|reveal| reveal.shows(piece));
            other.has.has(piece) && !from_us
        };
        let lacks = |other: &Peer| wants_pieces(other) && !other.has.has(piece);
        peer.has.has(piece)
            && (self.others(peer.link).any(elsewhere) || !self.others(peer.link).any(lacks))
    }

    fn others(&self, link: LinkId) -> impl Iterator<Item = &Peer> {
        self.peers.values().filter(move |other| other.link != link && other.is_joined())
    }

    /// The piece fewest peers have or were shown, of those a peer neither has nor was shown.
    fn next_to_show(&self, desk: &mut Desk, link: LinkId) -> Option<PieceIndex> {
        let (picker, peer) = (self.picker.as_ref()?, self.peers.get(&link)?);
        let reveal = peer.reveal.as_ref()?;
        let mut shown: Map<PieceIndex, u32> = Map::new();
        for other in self.peers.values().filter_map(|other| other.reveal.as_ref()) {
            for piece in other.open().keys() {
                *shown.entry(*piece).or_default() += 1;
            }
        }
        let count = picker.count();
        let start = desk.rng.below(u64::from(count)) as u32;
        let pieces = (start..count).chain(0..start).map(PieceIndex);
        let fresh = pieces.filter(|piece| !peer.has.has(*piece) && !reveal.shows(*piece));
        fresh.min_by_key(|piece| picker.copies(*piece) + shown.get(piece).copied().unwrap_or(0))
    }

    /// Tells everybody of every piece, and shows nothing one by one from here on.
    pub(super) fn reveal_everything(&mut self, desk: &mut Desk) {
        let Some(picker) = &self.picker else { return };
        let have = picker.have();
        for peer in self.peers.values_mut() {
            let Some(reveal) = peer.reveal.take() else { continue };
            let is_news = |piece: &PieceIndex| !reveal.shows(*piece) && !peer.has.has(*piece);
            let news: Vec<PieceIndex> = have.ones().filter(is_news).collect();
            desk.kicks.insert((self.id, peer.link));
            if news.len() <= limit::REVEAL_SINGLY_MAX {
                for piece in news {
                    peer.outbox.say(&Message::Have(piece));
                }
            } else {
                peer.outbox.say(&Message::Bitfield(Bytes::copy_from_slice(have.as_bytes())));
            }
        }
    }
}

/// Whether a peer may yet take pieces from others.
fn wants_pieces(peer: &Peer) -> bool {
    !peer.is_seed() && !peer.upload_only
}
