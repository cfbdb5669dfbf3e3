//! A bridge joins a swarm for those who cannot: browsers. To links that were offered it shows what
//! the peers of direct links have as if it were its own, and fetches a piece once it is asked for,
//! or wanted soon (`hw_want`), and a little of what follows. Their requests wait until then.

use bytes::Bytes;
use headwater_base::{Bitfield, LinkId, PieceIndex, ReaderId};
use headwater_wire::Message;

use super::Transfer;
use crate::Priority;
use crate::desk::Desk;
use crate::limit;
use crate::peer::{Peer, Serve};
use crate::picker::{Picker, Window};

/// What offered links were shown.
#[derive(Debug, Default)]
pub(super) struct Bridge {
    shown: Bitfield,
}

impl Bridge {
    /// Takes that `piece` can be shown. Answers whether it is news.
    fn learn(&mut self, piece: PieceIndex, count: u32) -> bool {
        if self.shown.len() != count {
            self.shown = Bitfield::empty(count);
        }
        self.shown.set(piece)
    }
}

/// The reader that stands for a link which is lent something: named far from those of shells.
fn reader(link: LinkId) -> ReaderId {
    ReaderId((1 << 62) + link.0)
}

impl Transfer {
    /// Whether a peer was shown `piece`, stored or not.
    pub(super) fn lends(&self, peer: &Peer, piece: PieceIndex) -> bool {
        let shown = self.bridge.as_ref().is_some_and(|bridge| bridge.shown.has(piece));
        shown && !peer.place.direct
    }

    /// What a peer is to be told that we have.
    pub(super) fn shown_to<'a>(&'a self, peer: &Peer, picker: &'a Picker) -> &'a Bitfield {
        match &self.bridge {
            Some(bridge) if !peer.place.direct && !bridge.shown.is_empty() => &bridge.shown,
            Some(_) | None => picker.have(),
        }
    }

    /// Takes that `link`, if it is a direct one, has more than it had.
    pub(super) fn lend(&mut self, desk: &mut Desk, link: LinkId) {
        let (Some(bridge), Some(peer)) = (&mut self.bridge, self.peers.get(&link)) else { return };
        if !peer.place.direct {
            return;
        }
        let count = peer.has.len();
        let news: Vec<PieceIndex> =
            peer.has.ones().filter(|piece| bridge.learn(*piece, count)).collect();
        self.show(desk, &news);
    }

    /// Takes that a direct link, or we ourselves, got `piece`.
    pub(super) fn lend_piece(&mut self, desk: &mut Desk, piece: PieceIndex) {
        let (Some(picker), Some(bridge)) = (&self.picker, &mut self.bridge) else { return };
        if bridge.learn(piece, picker.count()) {
            self.show(desk, &[piece]);
        }
    }

    fn show(&mut self, desk: &mut Desk, news: &[PieceIndex]) {
        let Some(bridge) = self.bridge.as_ref().filter(|_| !news.is_empty()) else { return };
        let told = |peer: &&mut Peer| peer.told_pieces && !peer.place.direct;
        for peer in self.peers.values_mut().filter(told) {
            if news.len() <= limit::REVEAL_SINGLY_MAX {
                news.iter().for_each(|piece| peer.outbox.say(&Message::Have(*piece)));
            } else {
                let bits = Bytes::copy_from_slice(bridge.shown.as_bytes());
                peer.outbox.say(&Message::Bitfield(bits));
            }
            desk.kicks.insert((self.id, peer.link));
        }
    }

    /// Takes that a peer asks for `piece`, which is lent: it is fetched before what nobody asked
    /// for, and what follows then.
    pub(super) fn fetch_lent(&mut self, desk: &mut Desk, link: LinkId, piece: PieceIndex) {
        let Some(picker) = &mut self.picker else { return };
        let length = u64::from(picker.piece_len(PieceIndex(0)).max(1));
        let ahead = (limit::LENT_AHEAD / length) as u32;
        let end = piece.0.saturating_add(ahead + 1).min(picker.count());
        picker.set_sequential(true);
        let mut gained = picker.want_pieces(piece.0..piece.0 + 1, Priority::High);
        gained.append(&mut picker.want_pieces(piece.0 + 1..end, Priority::Normal));
        self.hurry_lent(desk, link);
        self.gained(desk, gained);
    }

    /// Has what a peer waits for first come before anything else.
    pub(super) fn hurry_lent(&mut self, desk: &mut Desk, link: LinkId) {
        let (Some(picker), Some(peer)) = (&mut self.picker, self.peers.get(&link)) else { return };
        let waits = |piece: &PieceIndex| !picker.have().has(*piece);
        let queued = peer.serving.iter().filter(|served| matches!(served.state, Serve::Queued));
        let first = queued.map(|served| served.span.piece).find(waits);
        if peer.lent == first {
            return;
        }
        let length = u64::from(picker.piece_len(PieceIndex(0)));
        let window = first.map(|piece| {
            let start = u64::from(piece.0) * length;
            Window { start, end: start.saturating_add(length) }
        });
        let turn = picker.set_window(reader(link), window);
        if let Some(peer) = self.peers.get_mut(&link) {
            peer.lent = first;
        }
        self.turned(desk, turn);
        self.rank_quick(desk);
    }

    /// Fetches what a peer wants soon.
    pub(super) fn fetch_wanted(&mut self, desk: &mut Desk, link: LinkId) {
        let Some(peer) = self.peers.get(&link).filter(|peer| !peer.place.direct) else { return };
        let ranges: Vec<_> = peer.wants.ranges().collect();
        let Some(picker) = &mut self.picker else { return };
        let count = picker.count();
        let mut gained = Vec::new();
        for range in ranges {
            let range = range.start.min(count)..range.end.min(count);
            gained.append(&mut picker.want_pieces(range, Priority::Normal));
        }
        self.gained(desk, gained);
    }

    fn gained(&mut self, desk: &mut Desk, gained: Vec<PieceIndex>) {
        if !gained.is_empty() {
            self.turned(desk, crate::picker::Turn { gained, ..Default::default() });
            self.kick_all(desk);
        }
    }

    /// Takes that a link which was lent something is gone: nobody hurries for it.
    pub(super) fn unlend(&mut self, desk: &mut Desk, link: LinkId) {
        if self.bridge.is_some()
            && let Some(picker) = &mut self.picker
        {
            let turn = picker.set_window(reader(link), None);
            self.turned(desk, turn);
        }
    }

    /// Takes that `piece` is stored: whoever waits for it is served.
    pub(super) fn serve_lent(&mut self, desk: &mut Desk, piece: PieceIndex) {
        if self.bridge.is_none() {
            return;
        }
        self.lend_piece(desk, piece);
        let waiting = |peer: &&Peer| peer.lent == Some(piece);
        let links: Vec<LinkId> =
            self.peers.values().filter(waiting).map(|peer| peer.link).collect();
        for link in links {
            self.hurry_lent(desk, link);
        }
        desk.kicks.extend(self.peers.keys().map(|link| (self.id, *link)));
    }

    /// Whether we stay interested in a peer though nothing of it is wanted at this moment: a peer
    /// that serves its friends in turns would else let whoever comes next wait for a turn.
    pub(super) fn courts(&self, peer: &Peer) -> bool {
        let lacks = self.picker.as_ref().is_some_and(|picker| !picker.have().is_full());
        self.bridge.is_some() && peer.place.direct && lacks && !peer.has.is_empty()
    }
}
