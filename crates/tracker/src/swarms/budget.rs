//! How many messages a socket may send: a steady rate and a burst on top.

use core::time::Duration;

use headwater_base::Time;

/// What a socket has left to send.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    /// When everything sent so far would have been sent at the steady rate.
    paid_until: Time,
}

impl Budget {
    pub(super) fn new(now: Time) -> Self {
        Self { paid_until: now }
    }

    /// Counts one message; false when it is one too many.
    pub(super) fn take(&mut self, now: Time, per_second: u32, at_once: u32) -> bool {
        let price = Duration::from_secs(1) / per_second.max(1);
        let paid_until = self.paid_until.max(now) + price;
        let within = paid_until.since(now) <= price * at_once;
        if within {
            self.paid_until = paid_until;
        }
        within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn burst_is_taken_at_once_and_the_rate_after_that() {
        let mut budget = Budget::new(Time::ZERO);
        let mut taken = |millis| {
            let now = Time::from_millis(millis);
            (0..100).take_while(|_| budget.take(now, 2, 5)).count()
        };
        assert_eq!(taken(0), 5);
        assert_eq!(taken(499), 0);
        assert_eq!(taken(500), 1);
        assert_eq!(taken(2000), 3);
        assert_eq!(taken(1_000_000), 5);
    }
}
