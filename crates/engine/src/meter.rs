//! How many bytes a second flow, over the last two seconds. Knows no direction.

use core::time::Duration;

use headwater_base::Time;

const SLOTS: u64 = 8;
const SLOT: Duration = Duration::from_millis(250);

/// Counts bytes and tells their rate.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter {
    total: u64,
    slots: [u64; SLOTS as usize],
    /// Number of the newest slot, counted from the start of time.
    newest: u64,
    /// When bytes began to flow after a pause longer than all slots.
    since: Time,
}

impl Meter {
    /// Takes note of bytes that flowed.
    pub(crate) fn add(&mut self, now: Time, bytes: u64) {
        if self.sum(now) == 0 {
            self.since = now;
        }
        self.turn(now);
        self.total += bytes;
        self.slots[(self.newest % SLOTS) as usize] += bytes;
    }

    /// All bytes ever.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Bytes a second. A flow younger than two seconds is judged by its own age.
    pub(crate) fn rate(&self, now: Time) -> u64 {
        let whole = SLOT * (SLOTS as u32 - 1) + Self::into_slot(now);
        let age = now.since(self.since).clamp(SLOT, whole.max(SLOT));
        self.sum(now) * 1_000_000 / age.as_micros().max(1) as u64
    }

    fn into_slot(now: Time) -> Duration {
        Duration::from_micros(now.as_micros() % SLOT.as_micros() as u64)
    }

    fn number(now: Time) -> u64 {
        now.as_micros() / SLOT.as_micros() as u64
    }

    fn turn(&mut self, now: Time) {
        let number = Self::number(now).max(self.newest);
        for slot in self.newest + 1..=number.min(self.newest + SLOTS) {
            self.slots[(slot % SLOTS) as usize] = 0;
        }
        self.newest = number;
    }

    fn sum(&self, now: Time) -> u64 {
        let number = Self::number(now).max(self.newest);
        let oldest = (number + 1).saturating_sub(SLOTS);
        (oldest..=self.newest).map(|slot| self.slots[(slot % SLOTS) as usize]).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steady_flow_is_measured_within_a_tenth() {
        let mut meter = Meter::default();
        for milli in 0..5000 {
            meter.add(Time::from_millis(milli), 1000);
        }
        let rate = meter.rate(Time::from_millis(5000));
        assert!((900_000..1_100_000).contains(&rate), "{rate}");
        assert_eq!(meter.total(), 5_000_000);
    }

    #[test]
    fn young_flow_is_judged_by_its_own_age() {
        let mut meter = Meter::default();
        meter.add(Time::from_millis(10_000), 100_000);
        assert_eq!(meter.rate(Time::from_millis(10_000)), 400_000);
        assert_eq!(meter.rate(Time::from_millis(11_000)), 100_000);
    }

    #[test]
    fn rate_falls_to_zero_when_nothing_flows() {
        let mut meter = Meter::default();
        meter.add(Time::from_millis(100), 100_000);
        assert_eq!(meter.rate(Time::from_millis(2600)), 0);
        assert_eq!(meter.rate(Time::from_millis(1_000_000)), 0);
    }
}
