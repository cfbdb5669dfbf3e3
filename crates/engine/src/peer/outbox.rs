//! What leaves on one link, kept within its window. Messages leave in order; a block starts only
//! when it fits, and messages as small as requests may overdraw the window a little.

use bytes::{Bytes, BytesMut};
use headwater_base::{LinkId, Time};
use headwater_wire::{BlockSpan, Message};

use crate::desk::Desk;
use crate::{Action, limit};

/// Control bytes a full link still takes, so that requests do not wait behind its uploads.
const OVERDRAFT: i64 = 16 * 1024;

/// Bytes on their way to one link.
#[derive(Debug)]
pub(crate) struct Outbox {
    link: LinkId,
    /// Bytes the link takes; below zero when overdrawn.
    window: i64,
    /// The most it ever took: it is empty when it takes as much.
    full: i64,
    /// When it was given something last.
    given_at: Time,
    /// Nothing was sent since the window was told.
    fresh: bool,
    control: BytesMut,
    /// The rest of a block that was larger than the whole window.
    rest: Bytes,
    /// Something was sent since this was last asked.
    spoke: bool,
}

impl Outbox {
    pub(crate) fn new(link: LinkId, window: usize) -> Self {
        Self {
            link,
            window: clamp(window),
            full: clamp(window),
            given_at: Time::ZERO,
            fresh: true,
            control: BytesMut::new(),
            rest: Bytes::new(),
            spoke: false,
        }
    }

    /// Takes what the link says of its window.
    pub(crate) fn set_window(&mut self, window: usize) {
        self.window = clamp(window);
        self.full = self.full.max(self.window);
        self.fresh = true;
    }

    /// Bytes that the link was given and that have not left it, as far as can be known: it tells
    /// when half of what it takes has left, and no more.
    pub(crate) fn unsent(&self, now: Time) -> u64 {
        let given_lately = now.since(self.given_at) < limit::LINK_DRAINS;
        let unsent = if given_lately || self.is_full() { self.full - self.window } else { 0 };
        u64::try_from(unsent).unwrap_or(0)
    }

    /// Whether most of what the link takes has not left it.
    pub(crate) fn is_full(&self) -> bool {
        self.window < self.full / 2
    }

    /// Puts a message behind those that wait.
    pub(crate) fn say(&mut self, message: &Message) {
        message.encode(&mut self.control);
    }

    /// Puts bytes behind the messages that wait.
    pub(crate) fn say_raw(&mut self, bytes: &[u8]) {
        self.control.extend_from_slice(bytes);
    }

    /// Whether the peer lets us wait with more than it is worth.
    pub(crate) fn is_clogged(&self) -> bool {
        self.control.len() > limit::CONTROL_BYTES_MAX
    }

    /// Bytes of messages that wait for the link.
    pub(crate) fn waiting(&self) -> usize {
        self.control.len() + self.rest.len()
    }

    /// Whether anything left since this was last asked.
    pub(crate) fn take_spoke(&mut self) -> bool {
        core::mem::take(&mut self.spoke)
    }

    /// Sends what waits, as far as the window goes.
    pub(crate) fn flush(&mut self, desk: &mut Desk) {
        if !self.rest.is_empty() {
            let len = self.rest.len().min(usize::try_from(self.window).unwrap_or(0));
            let part = self.rest.split_to(len);
            self.send(desk, part);
            if !self.rest.is_empty() {
                return;
            }
        }
        let room = usize::try_from(self.window + OVERDRAFT).unwrap_or(0);
        let len = self.control.len().min(room);
        let part = self.control.split_to(len).freeze();
        self.send(desk, part);
    }

    fn send(&mut self, desk: &mut Desk, bytes: Bytes) {
        if !bytes.is_empty() {
            self.window -= bytes.len() as i64;
            self.fresh = false;
            self.given_at = desk.now;
            self.spoke = true;
            desk.act(Action::Send { link: self.link, bytes });
        }
    }

    /// Whether bulk of `len` bytes may start. All that waited before it has left then.
    pub(crate) fn takes(&mut self, desk: &mut Desk, len: usize) -> bool {
        self.flush(desk);
        let is_clear = self.rest.is_empty() && self.control.is_empty();
        is_clear && self.window > 0 && (self.window >= clamp(len) || self.fresh)
    }

    /// Sends a block; `takes` must have said yes.
    pub(crate) fn send_block(&mut self, desk: &mut Desk, span: BlockSpan, data: Bytes) {
        let head = Bytes::copy_from_slice(&Message::piece_head(span));
        if self.window >= clamp(head.len() + data.len()) {
            self.send(desk, head);
            self.send(desk, data);
            return;
        }
        let mut whole = BytesMut::with_capacity(head.len() + data.len());
        whole.extend_from_slice(&head);
        whole.extend_from_slice(&data);
        self.rest = whole.freeze();
        self.flush(desk);
    }
}

fn clamp(len: usize) -> i64 {
    i64::try_from(len).unwrap_or(i64::MAX / 2).min(i64::MAX / 2)
}
