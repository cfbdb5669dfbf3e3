//! What readers here want soon is told to peers, and what peers want soon is fetched a little
//! sooner (`hw_want`), so that it is here when they ask. Decides which; the picker does the rest.

use core::ops::Range;

use headwater_base::{LinkId, PieceIndex, Time, TorrentId};
use headwater_wire::Message;
use headwater_wire::extended::{Want, WantMessage};

use super::{Stage, Transfer};
use crate::desk::Desk;
use crate::discovery::Budget;
use crate::peer::Peer;
use crate::timer::Timer;
use crate::{CloseReason, limit};

/// What one peer wants soon, and how often it may say so.
#[derive(Debug)]
pub(crate) struct PeerWants {
    /// Its id for the messages.
    pub(crate) id: Option<u8>,
    ranges: Vec<(Range<u32>, Time)>,
    budget: Budget,
}

impl PeerWants {
    /// The pieces it wants soon, as ranges.
    pub(super) fn ranges(&self) -> impl Iterator<Item = Range<u32>> + '_ {
        self.ranges.iter().map(|(pieces, _)| pieces.clone())
    }
}

impl Default for PeerWants {
    fn default() -> Self {
        let (burst, every) = limit::WANTS_TAKEN;
        Self { id: None, ranges: Vec::new(), budget: Budget::new(burst, every) }
    }
}

/// What peers were told of our readers.
#[derive(Debug, Default)]
pub(super) struct ToldWants {
    told: WantMessage,
    at: Option<Time>,
}

impl Transfer {
    /// Has peers told soon what readers want, since that may have changed.
    pub(super) fn wants_changed(&mut self, desk: &mut Desk) {
        if self.readers.is_empty() && self.wants.told.ranges.is_empty() {
            return;
        }
        let at = self.wants.at.map_or(desk.now, |at| at + limit::WANTS_EVERY).max(desk.now);
        desk.timers.set(Timer::Want(self.id), at);
    }

    /// Tells peers what readers want. As long as that is anything it is told again now and then,
    /// since peers forget what was wanted long ago.
    pub(super) fn want_due(&mut self, desk: &mut Desk) {
        let message = WantMessage { ranges: self.reader_wants() };
        let none = message.ranges.is_empty();
        let fresh = self.wants.at.is_none_or(|at| desk.now.since(at) >= limit::WANTS_AGAIN);
        if message == self.wants.told && (none || !fresh) {
            if let Some(at) = self.wants.at.filter(|_| !none) {
                desk.timers.set(Timer::Want(self.id), at + limit::WANTS_AGAIN);
            }
            return;
        }
        for peer in self.peers.values_mut() {
            say(self.id, desk, peer, &message);
        }
        self.wants = ToldWants { told: message, at: Some(desk.now) };
        if !none {
            desk.set(Timer::Want(self.id), limit::WANTS_AGAIN);
        }
    }

    /// Tells a peer that has just said that it listens.
    pub(super) fn tell_wants(&mut self, desk: &mut Desk, link: LinkId) {
        if let Some(peer) = self.peers.get_mut(&link)
            && !self.wants.told.ranges.is_empty()
        {
            say(self.id, desk, peer, &self.wants.told);
        }
    }

    /// Two ranges a reader: what it waits for, and what it will read then.
    fn reader_wants(&self) -> Vec<Want> {
        let (Some(picker), Some(metainfo)) = (&self.picker, &self.metainfo) else {
            return Vec::new();
        };
        let length = u64::from(metainfo.piece_length);
        let (mut soon, mut later) = (Vec::new(), Vec::new());
        for reader in self.readers.values().take(limit::WANTING_READERS_MAX) {
            let window = reader.window;
            let start = picker.stored_until(window.start);
            let urgent = window.end.min(start.saturating_add(limit::URGENT_BYTES));
            let end = window.end.min(start.saturating_add(limit::READ_AHEAD_BYTES));
            if start >= window.end {
                continue;
            }
            let (first, middle) = ((start / length) as u32, urgent.div_ceil(length) as u32);
            let last = end.div_ceil(length) as u32;
            let want = |first, end: u32, within: core::time::Duration| Want {
                first: PieceIndex(first),
                count: end - first,
                within_ms: within.as_millis() as u32,
            };
            soon.push(want(first, middle, limit::WANTED_URGENTLY));
            if last > middle {
                later.push(want(middle, last, limit::WANTED_SOON));
            }
        }
        soon.append(&mut later);
        soon
    }

    /// Takes what a peer wants soon. Who says so too often is not heard.
    pub(super) fn want_message(
        &mut self,
        desk: &mut Desk,
        link: LinkId,
        payload: &[u8],
    ) -> Result<(), CloseReason> {
        let Some(peer) = self.peers.get_mut(&link) else { return Ok(()) };
        if !peer.wants.budget.take(desk.now) {
            return Ok(());
        }
        let Some(message) = WantMessage::decode(payload)? else { return Ok(()) };
        let mut pieces = limit::WISHES_PER_PEER_MAX;
        let due = |want: &Want| {
            let count = want.count.min(pieces);
            pieces -= count;
            let within = core::time::Duration::from_millis(want.within_ms.into());
            let span = want.first.0..want.first.0.saturating_add(count);
            (span, desk.now + within.min(limit::WANTED_SOON))
        };
        peer.wants.ranges = message.ranges.iter().map(due).collect();
        if self.bridge.is_some() {
            self.fetch_wanted(desk, link);
        }
        self.heed_wants(desk);
        Ok(())
    }

    /// Tells the picker what peers want, the most urgent first, as long as we lack pieces too.
    pub(super) fn heed_wants(&mut self, desk: &Desk) {
        let Some(picker) = &mut self.picker else { return };
        if !desk.config.heeds_wants || self.stage != Stage::Running || picker.is_done() {
            return;
        }
        let is_fresh = |due: Time| due + limit::WANTED_FOR > desk.now;
        let mut ranges: Vec<(Time, Range<u32>)> = Vec::new();
        for peer in self.peers.values() {
            let fresh = peer.wants.ranges.iter().filter(|(_, due)| is_fresh(*due));
            ranges.extend(fresh.map(|(span, due)| (*due, span.clone())));
        }
        ranges.sort_unstable_by_key(|(due, span)| (*due, span.start));
        let pieces = ranges.into_iter().flat_map(|(_, span)| span).map(PieceIndex);
        picker.set_wished(pieces);
    }
}

fn say(torrent: TorrentId, desk: &mut Desk, peer: &mut Peer, message: &WantMessage) {
    if let Some(id) = peer.wants.id {
        peer.outbox.say(&Message::Extended { id, payload: message.encode() });
        desk.kicks.insert((torrent, peer.link));
    }
}
