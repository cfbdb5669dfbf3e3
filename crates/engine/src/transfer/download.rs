//! Asks peers for blocks and takes them in. Pipelines are refilled on every block that arrives;
//! timers only find peers that owe blocks for too long.

use core::cell::Cell;
use core::time::Duration;
use std::collections::VecDeque;

use bytes::Bytes;
use headwater_base::{BLOCK_LEN, BlockIndex, LinkId, PeerId, PieceIndex, Time};
use headwater_wire::{BlockSpan, Message};

use super::{Stage, Transfer};
use crate::bucket::{Bucket, Gate};
use crate::desk::Desk;
use crate::peer::{Peer, Peers, Wanted};
use crate::picker::{Asked, Asker, BlockAt, Hint, Picker, Received};
use crate::timer::Timer;
use crate::{CloseReason, limit};

impl Transfer {
    /// Asks a peer for as many blocks as keep its link busy.
    pub(super) fn refill(&mut self, desk: &mut Desk, link: LinkId) {
        if self.stage != Stage::Running {
            return;
        }
        let Some(picker) = &mut self.picker else { return };
        let reading = picker.has_deadlines();
        let Some(peer) = self.peers.get(&link) else { return };
        if !peer.serves_some() || peer.useful == 0 || peer.on_hold {
            return;
        }
        let pipeline = peer.pipeline(desk.now, reading);
        let pace = if reading { self.fetched.rate(desk.now) } else { 0 };
        let (asked, owes) = (peer.asked.len(), peer.backlog());
        let limits = [desk.config.download_limit, desk.config.peer_download_limit];
        let limited =
            limits.into_iter().any(|limit| limit.is_some()) || self.pace.download.rate().is_some();
        let quick = peer.queue_span(desk.now) <= limit::URGENT_QUEUE;
        let extra = if reading && !limited && quick { limit::URGENT_ROOM } else { 0 };
        let (room, urgent_room) =
            (pipeline.saturating_sub(owes), (pipeline + extra).saturating_sub(owes));
        if !limited {
            self.ask(desk, link, (room, urgent_room), pace);
        } else {
            for _ in 0..room {
                let Some(peer) = self.peers.get_mut(&link) else { return };
                if !may_ask(peer, desk, &mut self.pace.download)
                    || self.ask(desk, link, (1, 1), pace) == 0
                {
                    break;
                }
                if let Some(peer) = self.peers.get_mut(&link) {
                    peer.download_gate = Gate::Unpaid;
                }
            }
        }
        let Some(peer) = self.peers.get(&link) else { return };
        if peer.asked.len() < asked + room {
            self.hungry.insert(link);
        }
        if peer.asked.len() > asked {
            self.ask_leaves_of(desk, link, asked);
            desk.timers.start(Timer::Snub(link), desk.now + limit::SNUB);
            if reading {
                desk.timers.start(Timer::Urgent(self.id), desk.now + limit::URGENT_ROUND);
            }
        }
    }

    fn ask(&mut self, desk: &Desk, link: LinkId, room: (usize, usize), pace: u64) -> usize {
        let Some(picker) = &mut self.picker else { return 0 };
        let allowed = self.fetched.total() / u64::from(BLOCK_LEN) / limit::DOUBLED_PART;
        let allowed = allowed + limit::DOUBLED_MIN + limit::DOUBLED_HOPELESS;
        let spare = allowed.saturating_sub(self.twice + picker.doubled());
        let others = Others { peers: &mut self.peers, quick: &self.quick, pace, spare };
        ask(others, picker, desk, link, room)
    }

    /// Takes a block.
    pub(super) fn block(
        &mut self,
        desk: &mut Desk,
        link: LinkId,
        (piece, begin): (PieceIndex, u32),
        data: &Bytes,
    ) -> Result<(), CloseReason> {
        let Some(peer) = self.peers.get_mut(&link) else { return Ok(()) };
        let at = BlockAt { piece, block: BlockIndex(begin / BLOCK_LEN) };
        let len = data.len() as u64;
        let asked = if begin.is_multiple_of(BLOCK_LEN) { peer.answered(at) } else { None };
        let late = asked.is_none() && begin.is_multiple_of(BLOCK_LEN) && peer.late.remove(&at);
        let (Some(picker), Some(id)) = (&mut self.picker, peer.id) else { return Ok(()) };
        if asked.is_none() && !late {
            self.wasted += len;
            peer.unasked += 1;
            let few = peer.unasked <= limit::UNASKED_MAX;
            return if few { Ok(()) } else { Err(CloseReason::Rule("peer sends unasked blocks")) };
        }
        if picker.block_len(at) != Some(data.len() as u32) {
            if picker.release(at, link) {
                self.kick_hungry(desk);
            }
            return Err(CloseReason::Rule("peer sends blocks of the wrong size"));
        }
        let stands = &peer.standing;
        let begins = peer.choked && peer.interested && stands.lately(peer.fetched.total()) == 0;
        peer.brought(desk.now, len);
        Self::tell_received(peer, desk, len);
        if let Some(asked) = asked {
            let trip = desk.now.since(asked);
            peer.round_trip = Some(peer.round_trip.map_or(trip, |known| known.min(trip)));
        }
        self.take_block(desk, at, (link, id), data);
        if begins {
            // Who begins to give may be given to at once.
            self.fill_slots(desk);
        }
        Ok(())
    }

    /// Takes a block of the right size, whoever sent it.
    pub(super) fn take_block(
        &mut self,
        desk: &mut Desk,
        at: BlockAt,
        from: (LinkId, PeerId),
        data: &Bytes,
    ) {
        let Some(picker) = &mut self.picker else { return };
        let len = data.len() as u64;
        self.fetched.add(desk.now, len);
        desk.fetched.add(desk.now, len);
        desk.measure();
        match picker.receive(at, from, data) {
            Received::Useless => {
                self.wasted += len;
                self.twice += 1;
            }
            Received::Taken { others, complete } => {
                for other in others.into_iter().flatten() {
                    self.cancel(other, at);
                    desk.kicks.insert((self.id, other));
                }
                if self.hashes_blocks() {
                    self.queue_block(desk, at, from.1, data);
                } else if complete {
                    self.completed(desk, at.piece);
                }
            }
        }
    }

    /// Tells a peer that a block is not wanted of it any more.
    pub(super) fn cancel(&mut self, link: LinkId, at: BlockAt) {
        self.web.forget(link, at);
        let (Some(peer), Some(picker)) = (self.peers.get_mut(&link), &self.picker) else { return };
        if peer.answered(at).is_some()
            && let Some(len) = picker.block_len(at)
        {
            let span = BlockSpan { piece: at.piece, begin: at.begin(), len };
            peer.outbox.say(&Message::Cancel(span));
            peer.remember_late(at);
        }
    }

    pub(super) fn choked_by(&mut self, desk: &mut Desk, link: LinkId) {
        let Some(peer) = self.peers.get_mut(&link) else { return };
        peer.choking_us = true;
        Self::tell_served(peer, desk);
        // BEP 6: what is allowed fast still comes.
        let asked = core::mem::take(&mut peer.asked);
        let (kept, given_up): (VecDeque<_>, _) =
            asked.into_iter().partition(|one| peer.fast_pieces.is_allowed(one.at.piece));
        peer.asked = given_up;
        self.give_up_asked(desk, link);
        if let Some(peer) = self.peers.get_mut(&link) {
            peer.asked = kept;
        }
    }

    pub(super) fn unchoked_by(&mut self, desk: &mut Desk, link: LinkId) {
        if let Some(peer) = self.peers.get_mut(&link) {
            peer.choking_us = false;
            peer.on_hold = false;
            Self::tell_served(peer, desk);
            desk.kicks.insert((self.id, link));
        }
    }

    pub(super) fn rejected_by(
        &mut self,
        desk: &mut Desk,
        link: LinkId,
        span: BlockSpan,
    ) -> Result<(), CloseReason> {
        let (Some(peer), Some(picker)) = (self.peers.get_mut(&link), &mut self.picker) else {
            return Ok(());
        };
        let at = BlockAt { piece: span.piece, block: BlockIndex(span.begin / BLOCK_LEN) };
        if !span.begin.is_multiple_of(BLOCK_LEN) || peer.answered(at).is_none() {
            let called_off = peer.late.remove(&at);
            peer.unasked += u32::from(!called_off);
            let few = peer.unasked <= limit::UNASKED_MAX;
            if called_off && picker.release(at, link) {
                self.kick_hungry(desk);
            }
            return if few { Ok(()) } else { Err(CloseReason::Rule("peer refuses the unasked")) };
        }
        if peer.choking_us {
            peer.fast_pieces.disallow(span.piece);
        } else {
            // It takes fewer at once than we thought, and would refuse again at once.
            let fewer = peer.asked.len().max(limit::PIPELINE_MIN / 2);
            peer.requests_max = peer.requests_max.min(fewer);
            peer.on_hold = true;
            if peer.asked.is_empty() {
                desk.set(Timer::Snub(link), limit::HOLD);
            }
        }
        let is_free = picker.release(at, link);
        // A peer that refuses must not keep for itself what it alone was to give.
        picker.disown(link);
        if is_free {
            self.kick_hungry(desk);
        }
        Ok(())
    }

    /// Waits no more for anything asked of a link; what comes all the same is taken.
    pub(super) fn give_up_asked(&mut self, desk: &mut Desk, link: LinkId) {
        let (Some(peer), Some(picker)) = (self.peers.get_mut(&link), &mut self.picker) else {
            return;
        };
        for at in &peer.late {
            picker.release(*at, link);
        }
        let asked = core::mem::take(&mut peer.asked);
        for wanted in &asked {
            picker.release(wanted.at, link);
            peer.remember_late(wanted.at);
        }
        picker.disown(link);
        if !asked.is_empty() {
            self.kick_hungry(desk);
        }
    }

    pub(super) fn snub_due(&mut self, desk: &mut Desk, link: LinkId) {
        let Some(peer) = self.peers.get_mut(&link) else { return };
        let silent = desk.now.since(peer.last_block) >= limit::SNUB;
        if silent && peer.asked.is_empty() && !peer.late.is_empty() {
            self.give_up_asked(desk, link);
        }
        let Some(peer) = self.peers.get_mut(&link) else { return };
        let Some(oldest) = peer.asked.front() else {
            peer.on_hold = false;
            if !silent && !peer.late.is_empty() {
                // What was called off is waited for no longer than what is asked for.
                desk.timers.set(Timer::Snub(link), peer.last_block + limit::SNUB);
            }
            desk.kicks.insert((self.id, link));
            return;
        };
        let due = peer.last_block.max(oldest.asked) + limit::SNUB;
        if due > desk.now {
            desk.timers.set(Timer::Snub(link), due);
            return;
        }
        // Others come first for what it owes; then it is tried again with a single block.
        peer.snubbing = true;
        peer.on_hold = true;
        self.give_up_asked(desk, link);
        desk.set(Timer::Snub(link), limit::HOLD);
    }

    pub(super) fn download_due(&mut self, desk: &mut Desk, link: LinkId) {
        if let Some(peer) = self.peers.get_mut(&link) {
            peer.download_gate = Gate::Paid;
            desk.kicks.insert((self.id, link));
        }
    }

    pub(super) fn urgent_due(&mut self, desk: &mut Desk) {
        if self.picker.as_ref().is_some_and(Picker::has_deadlines) && !self.peers.is_empty() {
            self.rank_quick(desk);
            self.kick_all(desk);
            desk.set(Timer::Urgent(self.id), limit::URGENT_ROUND);
        }
    }

    /// Finds the peers that send soonest, with which others are compared.
    pub(super) fn rank_quick(&mut self, desk: &Desk) {
        let serving = self.peers.values().filter(|peer| peer.serves_us());
        let mut ranks: Vec<_> =
            serving.map(|peer| (peer.queue_span(desk.now), peer.link)).collect();
        if ranks.len() > limit::QUICK_MAX {
            ranks.select_nth_unstable(limit::QUICK_MAX);
            ranks.truncate(limit::QUICK_MAX);
        }
        self.quick = ranks.into_iter().map(|(_, link)| link).collect();
    }

    /// Drops requests that nobody reading waits for, to make room for what somebody does.
    pub(super) fn drop_unawaited(&mut self, desk: &mut Desk) {
        self.drop_unawaited_runs(desk);
        let Some(picker) = &mut self.picker else { return };
        for peer in self.peers.values_mut() {
            let asked = core::mem::take(&mut peer.asked);
            let (kept, dropped): (Vec<_>, Vec<_>) =
                asked.into_iter().partition(|one| picker.is_awaited(one.at.piece));
            peer.asked = kept.into();
            for Wanted { at, .. } in dropped {
                call_off(peer, picker, at);
            }
        }
        self.kick_all(desk);
    }
}

/// What a peer is compared with before it is asked.
struct Others<'a> {
    peers: &'a mut Peers,
    quick: &'a [LinkId],
    /// Bytes a second that all bring together while somebody reads.
    pace: u64,
    /// Blocks that may be asked of a second peer while the first is sending.
    spare: u64,
}

/// Chooses blocks and asks for them. Answers how many.
fn ask(
    others: Others<'_>,
    picker: &mut Picker,
    desk: &Desk,
    link: LinkId,
    room: (usize, usize),
) -> usize {
    let (blocks, hint) = choose(&others, picker, desk.now, link, room);
    let (peers, now) = (others.peers, desk.now);
    let Some(peer) = peers.get_mut(&link) else { return 0 };
    peer.hint = hint.unwrap_or(peer.hint);
    for &at in &blocks {
        if let Some(len) = picker.block_len(at) {
            let span = BlockSpan { piece: at.piece, begin: at.begin(), len };
            peer.outbox.say(&Message::Request(span));
            peer.late.remove(&at);
            peer.asked.push_back(Wanted { at, asked: now });
        }
    }
    for &at in &blocks {
        take_from_first(peers, picker, (now, link), at);
    }
    for (first, at) in picker.take_seized() {
        if let Some(first) = peers.get_mut(&first)
            && first.answered(at).is_some()
        {
            call_off(first, picker, at);
        }
    }
    blocks.len()
}

/// Chooses blocks to ask a peer for, and answers what was learnt of it.
fn choose(
    others: &Others<'_>,
    picker: &mut Picker,
    now: Time,
    link: LinkId,
    (room, urgent_room): (usize, usize),
) -> (Vec<BlockAt>, Option<Hint>) {
    let Others { peers, quick, pace, .. } = others;
    let mut blocks = Vec::new();
    let (Some(peer), 1..) = (peers.get(&link), urgent_room) else { return (blocks, None) };
    let left = Cell::new(others.spare);
    let span = peer.queue_span(now);
    // One that gave before and owes nothing is idle, not slow.
    let is_idle = peer.backlog() == 0 && peer.fetched.total() > 0;
    let is_known = peer.fetched.rate(now) > 0 || is_idle;
    let within = |span: Duration| {
        let bytes = u128::from(*pace) * span.as_micros() / 1_000_000;
        u64::try_from(bytes).unwrap_or(u64::MAX)
    };
    let is_worth = |at, first: Asked, distance| {
        let Some(first) = peers.get(&first.link) else { return true };
        let wait = first.wait(now, at);
        if !first.is_lively(now) {
            return wait > span;
        }
        let saves = wait > span.saturating_mul(2).saturating_add(limit::SECOND_MARGIN);
        // A peer so slow that it is hardly there is waited for even less.
        let hopeless = wait > span.saturating_mul(8).saturating_add(limit::LIVELY);
        let least = if hopeless { 0 } else { limit::DOUBLED_HOPELESS };
        let worth = is_known && saves && distance <= within(wait) && left.get() > least;
        left.set(left.get() - u64::from(worth));
        worth
    };
    picker.suggest(peer.fast_pieces.suggested().find(|piece| picker.is_wanted(*piece)));
    // While choked only some pieces count, from which nothing is learnt for later.
    let allowed = peer.choking_us.then(|| peer.fast_pieces.allowed_of(&peer.has));
    let asker = Asker {
        link,
        has: allowed.as_ref().unwrap_or(&peer.has),
        room,
        urgent_room,
        owes: peer.asked.len(),
        now,
        reach: &|more| within(peer.span_of(now, more)),
        is_soonest: &|piece, more| {
            is_soonest((peers, quick), now, (link, peer.span_of(now, more)), piece)
        },
        is_worth: &is_worth,
        hint: if allowed.is_some() { Hint::default() } else { peer.hint },
    };
    let hint = picker.pick(&asker, &mut blocks);
    (blocks, allowed.is_none().then_some(hint))
}

/// Takes a block that `link` is asked for off whoever was asked before it.
fn take_from_first(
    peers: &mut Peers,
    picker: &mut Picker,
    (now, link): (Time, LinkId),
    at: BlockAt,
) {
    if let Some(first) = picker.asked_before(at, link).and_then(|first| peers.get_mut(&first)) {
        take_away(first, picker, now, at);
    }
}

/// Takes a block off a peer that is late with it, unless it may be sending it already.
fn take_away(peer: &mut Peer, picker: &mut Picker, now: Time, at: BlockAt) {
    let is_next = peer.asked.front().is_none_or(|next| next.at == at);
    let sends_it = is_next && peer.is_lively(now);
    if !sends_it && peer.answered(at).is_some() {
        call_off(peer, picker, at);
    }
}

/// Cancels a block that was asked for. Until a peer with the fast extension says that it will not
/// come, nobody else is asked for it without need: it may be on its way.
fn call_off(peer: &mut Peer, picker: &mut Picker, at: BlockAt) {
    let Some(len) = picker.block_len(at) else { return };
    let span = BlockSpan { piece: at.piece, begin: at.begin(), len };
    peer.outbox.say(&Message::Cancel(span));
    if !peer.fast || peer.late.len() >= limit::LATE_MAX {
        picker.release(at, peer.link);
    }
    peer.remember_late(at);
}

/// Whether none of the quick peers would bring a block of `piece` sooner.
fn is_soonest(
    (peers, quick): (&Peers, &[LinkId]),
    now: Time,
    (link, span): (LinkId, Duration),
    piece: PieceIndex,
) -> bool {
    let sooner = |other: &Peer| {
        other.link != link
            && other.serves_us()
            && other.has.has(piece)
            && other.queue_span(now).saturating_mul(3) / 2 < span
    };
    let mut quick = quick.iter().filter_map(|link| peers.get(link));
    !quick.any(sooner)
}

/// Whether the limits let a peer be asked for one more block; else a timer tells when.
fn may_ask(peer: &mut Peer, desk: &mut Desk, own: &mut Bucket) -> bool {
    if peer.download_gate == Gate::Unpaid {
        let bytes = u64::from(BLOCK_LEN);
        let at = desk.download.pay(desk.now, bytes).max(peer.download.pay(desk.now, bytes));
        let at = at.max(own.pay(desk.now, bytes));
        peer.download_gate = if at > desk.now { Gate::Waiting } else { Gate::Paid };
        if at > desk.now {
            desk.timers.set(Timer::Download(peer.link), at);
        }
    }
    peer.download_gate == Gate::Paid
}
