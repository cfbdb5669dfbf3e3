//! How often peer connections may be made. Knows neither torrents nor what becomes of them.

use core::time::Duration;

use headwater_base::Time;

/// A bucket of permits that starts full and refills one at a time.
#[derive(Debug)]
pub(crate) struct Budget {
    burst: u32,
    every: Duration,
    /// Permits there would be if nothing had refilled since `counted`.
    permits: u32,
    counted: Time,
}

impl Budget {
    /// A full bucket of `burst` permits that gains one `every` so often.
    pub(crate) fn new(burst: u32, every: Duration) -> Self {
        Self { burst, every, permits: burst, counted: Time::ZERO }
    }

    /// Whether there is a permit.
    pub(crate) fn has(&mut self, now: Time) -> bool {
        self.left(now) > 0
    }

    /// How many permits there are.
    pub(crate) fn left(&mut self, now: Time) -> u32 {
        self.refill(now);
        self.permits
    }

    /// Takes a permit, if there is one.
    pub(crate) fn take(&mut self, now: Time) -> bool {
        let some = self.has(now);
        self.permits -= u32::from(some);
        some
    }

    fn refill(&mut self, now: Time) {
        let every = self.every.as_micros().max(1);
        let gained = now.since(self.counted).as_micros() / every;
        let room = self.burst - self.permits;
        match u32::try_from(gained) {
            Ok(gained) if gained < room => {
                self.permits += gained;
                self.counted += self.every * gained;
            }
            _ => {
                self.permits = self.burst;
                self.counted = self.counted.max(now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_run_out_and_come_back_one_by_one() {
        let mut budget = Budget::new(2, Duration::from_secs(10));
        let at = |s: u64| Time::from_millis(s * 1000);
        assert!(budget.take(at(0)) && budget.take(at(0)) && !budget.take(at(9)));
        assert!(budget.take(at(15)) && !budget.take(at(19)) && budget.take(at(20)));
        assert!(budget.take(at(900)) && budget.take(at(900)) && !budget.take(at(900)));
    }
}
