//! Cuts what leaves on each link into messages and says how much a link still takes. Knows nothing
//! of what the bytes mean; a link is a byte stream, so a message may end anywhere.

use std::time::Duration;

use headwater_base::{LinkId, Map, Time};

use crate::Host;

/// Largest message sent. Chromium moves 64 KiB messages 2.6 times faster than 16 KiB ones, and
/// libdatachannel takes no larger ones unless it says so.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// Smallest message limit believed of a remote description.
const MESSAGE_BYTES_MIN: usize = 1200;
/// Bounds of what may wait in a data channel. Less leaves it dry between two turns of the event
/// loop; with 1 MiB always ready, Chromium's transport ran into losses and stood still for 2 s.
const WINDOW_MIN: usize = 64 * 1024;
const WINDOW_MAX: usize = 256 * 1024;
/// How long a full window should take to leave.
const WINDOW_SPAN: Duration = Duration::from_millis(10);

/// The sending side of every link.
#[derive(Default)]
pub(crate) struct Links {
    outs: Map<LinkId, Out>,
    dirty: Vec<LinkId>,
}

struct Out {
    pending: Vec<u8>,
    message_max: usize,
    window: usize,
    low: usize,
    waiting: usize,
    sent: u64,
    measured: (Time, u64),
    rate: f64,
}

impl Links {
    /// Starts a link, or learns from the other side's description how long a message it takes.
    pub(crate) fn describe(&mut self, link: LinkId, remote: Option<&str>) {
        let out = self.outs.entry(link).or_insert_with(Out::new);
        if let Some(sdp) = remote {
            out.message_max = message_max(sdp);
        }
    }

    /// The window a link opens with.
    pub(crate) fn open(&mut self, host: &Host, link: LinkId, now: Time) -> usize {
        let out = self.outs.entry(link).or_insert_with(Out::new);
        out.measured = (now, 0);
        host.set_low(link.0 as f64, out.low as f64);
        out.window
    }

    /// Forgets a link.
    pub(crate) fn close(&mut self, link: LinkId) {
        self.outs.remove(&link);
    }

    /// Takes bytes to send; whole messages leave at once.
    pub(crate) fn send(&mut self, host: &Host, link: LinkId, bytes: &[u8]) {
        let Some(out) = self.outs.get_mut(&link) else { return };
        if out.pending.is_empty() {
            self.dirty.push(link);
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let (part, after) = rest.split_at(rest.len().min(out.message_max - out.pending.len()));
            rest = after;
            if part.len() == out.message_max {
                out.leave(host, link, part);
                continue;
            }
            out.pending.extend_from_slice(part);
            if out.pending.len() == out.message_max {
                out.flush(host, link);
            }
        }
    }

    /// Sends what is left of the drain; calls `writable` for each link that takes more, since one
    /// that never filled up would say nothing by itself.
    pub(crate) fn flush(
        &mut self,
        host: &Host,
        now: Time,
        mut writable: impl FnMut(LinkId, usize),
    ) {
        for link in std::mem::take(&mut self.dirty) {
            let Some(out) = self.outs.get_mut(&link) else { continue };
            out.flush(host, link);
            if out.waiting <= out.low {
                writable(link, out.widen(host, link, now));
            }
        }
    }

    /// Sends what one link still holds back.
    pub(crate) fn flush_one(&mut self, host: &Host, link: LinkId) {
        if let Some(out) = self.outs.get_mut(&link) {
            out.flush(host, link);
        }
    }

    /// Learns that a link drained down to `waiting` bytes; answers its window.
    pub(crate) fn drained(
        &mut self,
        host: &Host,
        link: LinkId,
        waiting: usize,
        now: Time,
    ) -> Option<usize> {
        let out = self.outs.get_mut(&link)?;
        out.waiting = waiting;
        Some(out.widen(host, link, now))
    }
}

impl Out {
    fn new() -> Self {
        let window = 2 * WINDOW_MIN;
        Self {
            pending: Vec::new(),
            message_max: MESSAGE_BYTES_MAX,
            window,
            low: window / 2,
            waiting: 0,
            sent: 0,
            measured: (Time::ZERO, 0),
            rate: 0.0,
        }
    }

    fn flush(&mut self, host: &Host, link: LinkId) {
        let pending = std::mem::take(&mut self.pending);
        if !pending.is_empty() {
            self.leave(host, link, &pending);
        }
        self.pending = pending;
        self.pending.clear();
    }

    fn leave(&mut self, host: &Host, link: LinkId, message: &[u8]) {
        self.sent += message.len() as u64;
        let waiting = host.send(link.0 as f64, message);
        // A broken link never drains: nothing more is read for it until it is known to be closed.
        self.waiting = if waiting < 0.0 { usize::MAX } else { waiting as usize };
    }

    /// Measures how fast the link drains, sizes the window by it, and answers what is free of it:
    /// half of it, or the link asks again once half of it is free.
    fn widen(&mut self, host: &Host, link: LinkId, now: Time) -> usize {
        let drained = self.sent.saturating_sub(self.waiting as u64);
        let span = now.since(self.measured.0).as_secs_f64();
        if span > 0.02 {
            let rate = drained.saturating_sub(self.measured.1) as f64 / span;
            self.rate = if self.rate == 0.0 { rate } else { self.rate * 0.75 + rate * 0.25 };
            self.measured = (now, drained);
            let fitting = (self.rate * WINDOW_SPAN.as_secs_f64()) as usize;
            self.window = fitting.clamp(WINDOW_MIN, WINDOW_MAX);
        }
        let low = self.window / 2;
        if low != self.low {
            self.low = low;
            host.set_low(link.0 as f64, low as f64);
        }
        self.window.saturating_sub(self.waiting)
    }
}

/// Longest message the other side takes (RFC 8841), within what is sensible to send.
fn message_max(sdp: &str) -> usize {
    let named = sdp.lines().find_map(|line| line.trim().strip_prefix("a=max-message-size:"));
    match named.and_then(|value| value.trim().parse::<usize>().ok()) {
        None | Some(0) => MESSAGE_BYTES_MAX,
        Some(bytes) => bytes.clamp(MESSAGE_BYTES_MIN, MESSAGE_BYTES_MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::message_max;

    #[test]
    fn messages_are_no_longer_than_the_other_side_takes() {
        assert_eq!(message_max("v=0\r\na=max-message-size:16384\r\n"), 16384);
        assert_eq!(message_max("v=0\r\na=max-message-size:262144\r\n"), 65536);
        assert_eq!(message_max("v=0\r\na=max-message-size:0\r\n"), 65536);
        assert_eq!(message_max("v=0\r\n"), 65536);
        assert_eq!(message_max("a=max-message-size:1\r\n"), 1200);
    }
}
