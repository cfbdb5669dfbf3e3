//! The free bytes of an account: used at once, back within a day, evenly.

use headwater_tron::transaction::UnixMillis;

use crate::limit;

/// Free bytes that were used, and when they were counted last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bandwidth {
    used: u64,
    at: UnixMillis,
}

impl Bandwidth {
    /// What of it did not come back by now.
    pub(super) fn used(&self, now: UnixMillis) -> u64 {
        let past = now.0.saturating_sub(self.at.0);
        self.used * limit::DAY_MILLIS.saturating_sub(past) / limit::DAY_MILLIS
    }

    /// Takes so many bytes if they are free.
    pub(super) fn take(&mut self, now: UnixMillis, bytes: u64) -> bool {
        let used = self.used(now) + bytes;
        let free = used <= limit::FREE_BYTES;
        if free {
            *self = Self { used, at: now };
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_bytes_come_back_evenly_within_a_day() {
        let mut bandwidth = Bandwidth::default();
        let start = UnixMillis(limit::DAY_MILLIS * 3);
        assert!(bandwidth.take(start, 600));
        assert!(!bandwidth.take(start, 1));
        let noon = UnixMillis(start.0 + limit::DAY_MILLIS / 2);
        assert_eq!(bandwidth.used(noon), 300);
        assert!(bandwidth.take(noon, 300));
        assert_eq!(bandwidth.used(UnixMillis(noon.0 + limit::DAY_MILLIS)), 0);
    }
}
