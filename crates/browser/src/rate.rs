//! How fast a seller is, before it is paid and while it is.

use headwater_base::Time;

/// Bytes of one seller and the time they took.
#[derive(Debug)]
pub(crate) struct Rate {
    since: Time,
    is_paid: bool,
    /// Bytes and seconds, free ones first.
    free: (u64, f64),
    paid: (u64, f64),
}

impl Rate {
    pub(crate) fn new(at: Time) -> Self {
        Self { since: at, is_paid: false, free: (0, 0.0), paid: (0, 0.0) }
    }

    /// Time goes on.
    pub(crate) fn pass(&mut self, at: Time) {
        let seconds = at.since(self.since).as_secs_f64();
        self.since = at;
        self.now().1 += seconds;
    }

    /// Bytes came, which are paid for or not.
    pub(crate) fn came(&mut self, at: Time, bytes: u64, is_paid: bool) {
        self.pass(at);
        self.is_paid = is_paid;
        self.now().0 += bytes;
    }

    /// Bytes a second while it was not paid.
    pub(crate) fn before(&self) -> f64 {
        rate(self.free)
    }

    /// Bytes a second while it was paid.
    pub(crate) fn after(&self) -> f64 {
        rate(self.paid)
    }

    fn now(&mut self) -> &mut (u64, f64) {
        if self.is_paid { &mut self.paid } else { &mut self.free }
    }
}

fn rate((bytes, seconds): (u64, f64)) -> f64 {
    if seconds > 0.0 { bytes as f64 / seconds } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_free_and_what_was_paid_for_are_measured_apart() {
        let mut rate = Rate::new(Time::from_millis(1000));
        rate.came(Time::from_millis(3000), 200, false);
        rate.came(Time::from_millis(3000), 0, true);
        rate.came(Time::from_millis(5000), 6000, true);
        assert_eq!((rate.before(), rate.after()), (100.0, 3000.0));
    }

    #[test]
    fn a_seller_that_was_never_paid_has_no_paid_speed() {
        let mut rate = Rate::new(Time::ZERO);
        assert_eq!((rate.before(), rate.after()), (0.0, 0.0));
        rate.pass(Time::from_millis(1000));
        assert_eq!((rate.before(), rate.after()), (0.0, 0.0));
    }
}
