//! How much may wait inside SCTP: twice what the path holds. More would keep a cancel or a request
//! behind it, and where the other end is near, overflow its socket: Chromium's takes 64 KiB, and
//! what is lost there twice costs a second, since SCTP's shortest retransmission time-out is fixed.
//! Pure arithmetic; time comes in.

use std::collections::VecDeque;
use std::time::Duration;

use super::socket::MESSAGE_BYTES_MAX;

/// Most bytes inside SCTP.
pub(super) const BUDGET_MAX: usize = 1 << 20;

/// Fewest bytes inside SCTP: what Chromium's socket takes of full packets.
const BUDGET_MIN: usize = 72 * 1024;

/// Fewest bytes of a message that is one of several.
const MESSAGE_BYTES_MIN: usize = 16 * 1024;

/// Time within which what SCTP holds should leave where nobody knows how long the path is.
const LEAVES_WITHIN: Duration = Duration::from_millis(500);

/// Time that the other end takes to fetch what came, besides the way there and back.
const FETCHED_WITHIN: Duration = Duration::from_millis(1);

/// Time over which speed is measured.
const MEASURED_OVER: Duration = Duration::from_millis(250);

/// Bytes a second that a line is thought to bear until that is measured.
const SPEED_FIRST: f64 = (24 << 20) as f64;

/// Round-trip times remembered, the least of which counts: the others waited for something.
const RTTS_MAX: usize = 16;

/// The speed of a link and the budget that follows from it.
#[derive(Debug)]
pub(super) struct Pace {
    budget: usize,
    speed: f64,
    rtts: VecDeque<Duration>,
    sent: usize,
    since: Duration,
    left_before: usize,
    was_full: bool,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self {
            budget: BUDGET_MAX,
            speed: SPEED_FIRST,
            rtts: VecDeque::new(),
            sent: 0,
            since: Duration::ZERO,
            left_before: 0,
            was_full: false,
        }
    }

    /// Notes how long a packet took there and back just now.
    pub(super) fn measured(&mut self, rtt: Duration) {
        if self.rtts.len() == RTTS_MAX {
            self.rtts.pop_front();
        }
        self.rtts.push_back(rtt);
        self.settle();
    }

    fn settle(&mut self) {
        let rtt = self.rtts.iter().min();
        let held_for = rtt.map_or(LEAVES_WITHIN, |rtt| *rtt * 2 + FETCHED_WITHIN);
        let budget = self.speed * held_for.as_secs_f64();
        self.budget = (budget as usize).clamp(BUDGET_MIN, BUDGET_MAX);
    }

    /// Notes that `len` bytes went into SCTP.
    pub(super) fn sent(&mut self, len: usize) {
        self.sent += len;
    }

    /// Most bytes in one message: several of them fill the budget.
    pub(super) fn message_bytes(&self) -> usize {
        (self.budget / 4).clamp(MESSAGE_BYTES_MIN, MESSAGE_BYTES_MAX)
    }

    /// Bytes inside SCTP at which it is worth while to send more.
    pub(super) fn low(&self) -> usize {
        self.budget - self.message_bytes()
    }

    /// Whether SCTP, which holds `held` bytes at `now`, may take more.
    pub(super) fn allows(&mut self, now: Duration, held: usize) -> bool {
        let left = self.sent.saturating_sub(held);
        let span = now.saturating_sub(self.since);
        if span >= MEASURED_OVER {
            // Only a line that was kept busy shows its speed.
            if self.was_full {
                self.speed = (left - self.left_before.min(left)) as f64 / span.as_secs_f64();
                self.settle();
            }
            (self.since, self.left_before, self.was_full) = (now, left, false);
        }
        self.was_full |= held >= self.low();
        // At the largest budget the stack itself waits.
        held <= self.low() || self.budget == BUDGET_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a line of `speed` bytes a second for `seconds`, whose packets take `rtt` there and
    /// back, and tells how much it holds then.
    fn held_after(pace: &mut Pace, speed: usize, rtt: Duration, seconds: usize) -> usize {
        let (mut held, step) = (0_usize, Duration::from_millis(1));
        // What SCTP holds is what is on its way and what waits.
        let on_its_way = (speed as f64 * rtt.as_secs_f64()) as usize;
        for i in 0..seconds * 1000 {
            let now = step * i as u32;
            let full = held >= on_its_way;
            let part = if full { 1.0 } else { held as f64 / on_its_way as f64 };
            held = held.saturating_sub((speed as f64 * part / 1000.0) as usize);
            if i % 2000 == 0 {
                pace.measured(rtt);
            }
            while held < BUDGET_MAX && pace.allows(now, held) {
                held += pace.message_bytes();
                pace.sent(pace.message_bytes());
            }
        }
        held
    }

    const NEAR: Duration = Duration::from_micros(500);
    const FAR: Duration = Duration::from_millis(100);

    #[test]
    fn a_slow_line_holds_twice_what_its_path_does() {
        let held = held_after(&mut Pace::new(), 400_000, FAR, 20);
        assert!((60_000..110_000).contains(&held), "{held}");
        let held = held_after(&mut Pace::new(), 400_000, Duration::from_millis(600), 20);
        assert!((400_000..500_000).contains(&held), "{held}");
    }

    #[test]
    fn a_far_line_is_kept_full() {
        let mut pace = Pace::new();
        let held = held_after(&mut pace, 4 << 20, FAR, 10);
        assert!((750_000..900_000).contains(&held), "{held}");
        assert!(pace.speed > 4_000_000.0, "{}", pace.speed);
        let held = held_after(&mut Pace::new(), 20 << 20, FAR, 10);
        assert!(held >= BUDGET_MAX - 110_000, "{held}");
    }

    #[test]
    fn a_near_line_holds_little_more_than_chromium_takes() {
        let mut pace = Pace::new();
        let held = held_after(&mut pace, 25 << 20, NEAR, 10);
        assert!(held <= 96 * 1024, "{held}");
        assert!(pace.speed > 20_000_000.0, "{}", pace.speed);
        // One answer that came late does not matter.
        pace.measured(FAR);
        assert!(pace.budget <= 96 * 1024);
    }

    #[test]
    fn a_line_whose_length_nobody_knows_counts_as_far() {
        let mut pace = Pace::new();
        assert!(pace.allows(Duration::ZERO, BUDGET_MAX - 1));
        assert_eq!(pace.message_bytes(), MESSAGE_BYTES_MAX);
    }
}
