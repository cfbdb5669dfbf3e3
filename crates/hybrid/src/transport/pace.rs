//! How much may wait inside SCTP: as much as leaves within half a second, so that a slow line does
//! not keep a cancel or a request behind megabytes. Pure arithmetic; time comes in.

use std::time::Duration;

use super::socket::MESSAGE_BYTES_MAX;

/// Most bytes inside SCTP, reached from 2 MiB/s on.
pub(super) const BUDGET_MAX: usize = 1 << 20;

/// Fewest bytes inside SCTP: two full messages, or a fast line could never be told from a slow.
const BUDGET_MIN: usize = 128 * 1024;

/// Time within which what SCTP holds should leave.
const LEAVES_WITHIN: Duration = Duration::from_millis(500);

/// Time over which speed is measured.
const MEASURED_OVER: Duration = Duration::from_millis(250);

/// The speed of a link and the budget that follows from it.
#[derive(Debug)]
pub(super) struct Pace {
    budget: usize,
    sent: usize,
    since: Duration,
    left_before: usize,
    was_full: bool,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { budget: BUDGET_MAX, sent: 0, since: Duration::ZERO, left_before: 0, was_full: false }
    }

    /// Notes that `len` bytes went into SCTP.
    pub(super) fn sent(&mut self, len: usize) {
        self.sent += len;
    }

    /// Whether SCTP, which holds `held` bytes at `now`, may take more.
    pub(super) fn allows(&mut self, now: Duration, held: usize) -> bool {
        let left = self.sent.saturating_sub(held);
        let span = now.saturating_sub(self.since);
        if span >= MEASURED_OVER {
            // Only a line that was kept busy shows its speed.
            if self.was_full {
                let speed = (left - self.left_before.min(left)) as f64 / span.as_secs_f64();
                let budget = (speed * LEAVES_WITHIN.as_secs_f64()) as usize;
                self.budget = budget.clamp(BUDGET_MIN, BUDGET_MAX);
            }
            (self.since, self.left_before, self.was_full) = (now, left, false);
        }
        self.was_full |= held + MESSAGE_BYTES_MAX >= self.budget;
        // At the largest budget the stack itself waits, which costs no polling.
        held < self.budget || self.budget == BUDGET_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a line of `speed` bytes a second for `seconds` and tells how much it holds then.
    fn held_after(pace: &mut Pace, speed: usize, seconds: usize) -> usize {
        let (mut held, step) = (0_usize, Duration::from_millis(5));
        for i in 0..seconds * 200 {
            let now = step * i as u32;
            held = held.saturating_sub(speed / 200);
            while held < BUDGET_MAX && pace.allows(now, held) {
                held += 65_536;
                pace.sent(65_536);
            }
        }
        held
    }

    #[test]
    fn a_slow_line_holds_half_a_second() {
        let held = held_after(&mut Pace::new(), 400_000, 10);
        assert!((150_000..300_000).contains(&held), "{held}");
    }

    #[test]
    fn a_fast_line_is_kept_full() {
        let held = held_after(&mut Pace::new(), 20 << 20, 3);
        assert!(held >= BUDGET_MAX - 110_000, "{held}");
    }
}
