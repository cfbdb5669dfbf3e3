//! A limit on bytes a second. Whoever wants to send pays first and is told when it may.

use core::time::Duration;

use headwater_base::Time;

/// Fills with time and is emptied by what is sent. Debt makes the next payer wait, in order.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    rate: Option<u64>,
    /// When all debt is paid. Earlier than the present by at most the burst.
    clear_at: Time,
}

/// Time without sending that is made up for afterwards.
const BURST: Duration = Duration::from_millis(250);

impl Bucket {
    /// A bucket of `rate` bytes a second; `None` for no limit.
    pub(crate) fn new(rate: Option<u64>) -> Self {
        Self { rate, clear_at: Time::ZERO }
    }

    /// Whether there is a limit.
    pub(crate) fn rate(&self) -> Option<u64> {
        self.rate
    }

    /// Changes the limit and forgives what is owed.
    pub(crate) fn set_rate(&mut self, rate: Option<u64>) {
        *self = Self::new(rate);
    }

    /// Pays for `bytes`; they may be sent from the answered time on.
    pub(crate) fn pay(&mut self, now: Time, bytes: u64) -> Time {
        let Some(rate) = self.rate else { return now };
        let earliest = Time::ZERO + now.since(Time::ZERO).saturating_sub(BURST);
        let start = self.clear_at.max(earliest);
        let micros = bytes.saturating_mul(1_000_000).checked_div(rate).unwrap_or(u64::MAX);
        self.clear_at = start + Duration::from_micros(micros);
        start.max(now)
    }
}

/// Where one payer stands with its next bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Gate {
    /// They are not paid for.
    #[default]
    Unpaid,
    /// They are paid for; a timer says when they may go.
    Waiting,
    /// They may go.
    Paid,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payers_wait_in_order() {
        let mut bucket = Bucket::new(Some(1000));
        let now = Time::from_millis(10_000);
        assert_eq!(bucket.pay(now, 500), now);
        assert_eq!(bucket.pay(now, 1000), Time::from_millis(10_250));
        assert_eq!(bucket.pay(now, 1000), Time::from_millis(11_250));
    }

    #[test]
    fn no_limit_never_waits_and_a_limit_of_nothing_always_does() {
        let now = Time::from_millis(5);
        let mut free = Bucket::new(None);
        assert_eq!(free.pay(now, u64::MAX), now);
        let mut shut = Bucket::new(Some(0));
        shut.pay(now, 1);
        assert_eq!(shut.pay(now, 1), Time::from_micros(u64::MAX));
    }
}
