//! Serves peers: keeps their requests in order, reads ahead of each link's window, sends within
//! windows and limits. Only stored pieces are served.

use bytes::Bytes;
use headwater_base::{JobId, LinkId};
use headwater_wire::{BlockSpan, Message};

use super::fast::may_ask_choked;
use super::{Stage, Transfer};
use crate::bucket::{Bucket, Gate};
use crate::desk::{Desk, Job};
use crate::peer::{Peer, Serve, Served};
use crate::timer::Timer;
use crate::{Action, CloseReason, StoreError, limit};

impl Transfer {
    /// Takes a request of a peer, or refuses it.
    pub(super) fn asked_by(
        &mut self,
        desk: &mut Desk,
        link: LinkId,
        span: BlockSpan,
    ) -> Result<(), CloseReason> {
        let lent = self.peers.get(&link).is_some_and(|peer| self.lends(peer, span.piece));
        let Some(peer) = self.peers.get_mut(&link) else { return Ok(()) };
        if span.len > limit::REQUEST_BYTES_MAX {
            return Err(CloseReason::Rule("peer asks for more than 128 KiB at once"));
        }
        let running = self.stage == Stage::Running;
        let most = desk.config.allowed_fast;
        let end = u64::from(span.begin) + u64::from(span.len);
        let (stored, exists) = self.picker.as_ref().map_or((false, false), |picker| {
            let stored = picker.have().has(span.piece);
            let fits = (stored || lent)
                && span.begin < picker.piece_len(span.piece)
                && end <= u64::from(picker.ask_end(span.piece));
            (stored, fits)
        });
        let shown = peer.reveal.as_ref().is_none_or(|reveal| reveal.shows(span.piece));
        let fits = span.len > 0 && peer.serving.len() < limit::SERVED_MAX;
        if running && exists && shown && fits && (!peer.choked || may_ask_choked(peer, span, most))
        {
            peer.serving.push_back(Served { span, state: Serve::Queued });
            desk.kicks.insert((self.id, link));
            if !stored {
                self.fetch_lent(desk, link, span.piece);
            }
        } else if peer.fast {
            peer.outbox.say(&Message::Reject(span));
            desk.kicks.insert((self.id, link));
        }
        Ok(())
    }

    /// Forgets a request, unless its bytes are on their way.
    pub(super) fn cancelled_by(&mut self, desk: &mut Desk, link: LinkId, span: BlockSpan) {
        let Some(peer) = self.peers.get_mut(&link) else { return };
        if let Some(at) = peer.serving.iter().position(|served| served.span == span) {
            drop_served(peer, at);
            if peer.fast {
                peer.outbox.say(&Message::Reject(span));
            }
            if peer.lent.is_some() {
                let asks = peer.serving.iter().any(|served| served.span.piece == span.piece);
                if let Some(picker) = self.picker.as_mut().filter(|_| !asks) {
                    picker.calm(span.piece);
                }
                self.hurry_lent(desk, link);
            }
        }
    }

    /// Forgets those requests of a peer that are not served any more.
    pub(super) fn refuse(peer: &mut Peer, fit: impl Fn(BlockSpan) -> bool) {
        for served in core::mem::take(&mut peer.serving) {
            if !fit(served.span) {
                peer.serving.push_back(served);
                continue;
            }
            if peer.fast {
                peer.outbox.say(&Message::Reject(served.span));
            }
            count_off(peer, &served);
        }
    }

    /// Sends a peer what it asked for, as far as its link and the limits allow, and reads ahead.
    pub(super) fn serve(&mut self, desk: &mut Desk, link: LinkId) {
        self.serve_metadata(desk, link);
        self.serve_hashes(desk, link);
        self.send_ready(desk, link);
        self.end_gift(desk, link);
        self.read_queued(desk, link);
    }

    fn send_ready(&mut self, desk: &mut Desk, link: LinkId) {
        while let Some(peer) = self.peers.get_mut(&link)
            && let Some(at) = next_ready(peer, self.bridge.is_some())
        {
            let Served { span, .. } = &peer.serving[at];
            let bytes = u64::from(span.len);
            if peer.standing.has_used(peer.sent.total()) || !peer.paid.may_have(bytes) {
                break;
            }
            let span = *span;
            if !peer.outbox.takes(desk, Message::PIECE_HEAD_LEN + span.len as usize) {
                return;
            }
            let turn = self.turn(link, bytes);
            let Some(peer) = self.peers.get_mut(&link) else { return };
            if !may_send(peer, desk, &mut self.pace.upload, (bytes, turn)) {
                return;
            }
            let Some(Served { state: Serve::Ready(data), .. }) = peer.serving.remove(at) else {
                return;
            };
            peer.read_ahead -= span.len;
            peer.upload_gate = Gate::Unpaid;
            peer.outbox.send_block(desk, span, data);
            Self::count_sold(peer, desk, bytes);
            peer.sent.add(desk.now, bytes);
            self.sent.add(desk.now, bytes);
            desk.sent.add(desk.now, bytes);
            desk.measure();
        }
    }

    /// Has the store read what comes next; blocks side by side are read at once.
    fn read_queued(&mut self, desk: &mut Desk, link: LinkId) {
        let (Some(peer), Some(picker)) = (self.peers.get_mut(&link), &self.picker) else { return };
        let is_queued = |served: &Served| {
            matches!(served.state, Serve::Queued) && picker.have().has(served.span.piece)
        };
        while peer.read_ahead < limit::READ_AHEAD_PER_LINK
            && let Some(first) = peer.serving.iter().position(is_queued)
        {
            let span = peer.serving[first].span;
            let mut len = 0;
            let mut count = 0;
            for served in peer.serving.iter().skip(first) {
                let next = served.span;
                let side_by_side = next.piece == span.piece && next.begin == span.begin + len;
                let fits = count == 0 || len + next.len <= limit::READ_BYTES_MAX;
                if !side_by_side || !fits || !is_queued(served) {
                    break;
                }
                len += next.len;
                count += 1;
            }
            let piece = span.piece;
            let begin = span.begin;
            let job = desk.job(self.id, Job::Read { link, piece, begin, len });
            for served in peer.serving.iter_mut().skip(first).take(count) {
                served.state = Serve::Reading(job);
            }
            peer.read_ahead += len;
            let len = len.min(picker.piece_len(piece).saturating_sub(begin));
            desk.act(Action::ReadBlock { job, torrent: self.id, piece, begin, len });
        }
    }

    /// Takes what the store read.
    pub(super) fn was_read(
        &mut self,
        desk: &mut Desk,
        job: JobId,
        (link, read): (LinkId, BlockSpan),
        result: Result<Bytes, StoreError>,
    ) {
        let mut short = false;
        let BlockSpan { piece, begin, len } = read;
        let piece_len = self.picker.as_ref().map_or(0, |picker| picker.piece_len(piece));
        let stored = len.min(piece_len.saturating_sub(begin));
        let mut kept = 0;
        if let Some(peer) = self.peers.get_mut(&link) {
            for served in &mut peer.serving {
                let Serve::Reading(reading) = served.state else { continue };
                if reading != job {
                    continue;
                }
                let start = (served.span.begin - begin) as usize;
                let end = start + served.span.len as usize;
                match &result {
                    Ok(bytes) if bytes.len() >= end.min(stored as usize) => {
                        served.state = Serve::Ready(padded(bytes, start, end));
                        kept += served.span.len;
                    }
                    Ok(_) | Err(_) => short = true,
                }
            }
            // What was given up while it was read comes off only here, so that no peer can have
            // more read at once by asking and cancelling.
            peer.read_ahead = peer.read_ahead.saturating_sub(len.saturating_sub(kept));
            if short {
                while let Some(at) = peer.serving.iter().position(
                    |served| matches!(served.state, Serve::Reading(reading) if reading == job),
                ) {
                    let span = peer.serving[at].span;
                    drop_served(peer, at);
                    if peer.fast {
                        peer.outbox.say(&Message::Reject(span));
                    }
                }
            }
            desk.kicks.insert((self.id, link));
        }
        if short || result.is_err() {
            self.doubt(desk, piece);
        }
    }

    pub(super) fn upload_due(&mut self, desk: &mut Desk, link: LinkId) {
        if let Some(peer) = self.peers.get_mut(&link) {
            peer.paid.saved += core::mem::take(&mut peer.paid.turn);
            peer.upload_gate = Gate::Unpaid;
            desk.kicks.insert((self.id, link));
        }
    }
}

/// The request to answer next: the oldest, unless that waits for a piece that a bridge fetches.
fn next_ready(peer: &Peer, bridge: bool) -> Option<usize> {
    let ready = |served: &Served| matches!(served.state, Serve::Ready(_));
    let most = if bridge { peer.serving.len() } else { 1 };
    peer.serving.iter().take(most).position(ready)
}

/// That part of what was read, with zeros for what is past its end.
fn padded(bytes: &Bytes, start: usize, end: usize) -> Bytes {
    if end <= bytes.len() {
        return bytes.slice(start..end);
    }
    let mut block = bytes[start.min(bytes.len())..].to_vec();
    block.resize(end - start, 0);
    block.into()
}

fn drop_served(peer: &mut Peer, at: usize) {
    if let Some(served) = peer.serving.remove(at) {
        count_off(peer, &served);
    }
}

/// Counts off what was read and is not sent; what is still read comes off with its answer.
fn count_off(peer: &mut Peer, served: &Served) {
    if matches!(served.state, Serve::Ready(_)) {
        peer.read_ahead = peer.read_ahead.saturating_sub(served.span.len);
    }
}

/// Whether the limits let a peer have its next block; else a timer tells when. A turn brings a
/// block, or more or less of one where slots are sold; turns come around.
fn may_send(peer: &mut Peer, desk: &mut Desk, own: &mut Bucket, (bytes, turn): (u64, u64)) -> bool {
    while peer.upload_gate == Gate::Unpaid {
        if peer.paid.saved >= bytes {
            peer.paid.saved -= bytes;
            peer.upload_gate = Gate::Paid;
            break;
        }
        let at = desk.upload.pay(desk.now, turn).max(peer.upload.pay(desk.now, turn));
        let at = at.max(own.pay(desk.now, turn));
        if at > desk.now {
            peer.paid.turn = turn;
            peer.upload_gate = Gate::Waiting;
            desk.timers.set(Timer::Upload(peer.link), at);
        } else {
            peer.paid.saved += turn;
        }
    }
    peer.upload_gate == Gate::Paid
}
