//! The one place where time enters the native shell.

use std::time::Instant;

use headwater_base::Time;

/// Monotonic time since the shell started.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock(Instant);

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the one place where native time enters")]
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    pub(super) fn now(self) -> Time {
        Time::from_micros(u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// The moment `time` names, for a timer.
    pub(super) fn moment(self, time: Time) -> tokio::time::Instant {
        let span = time.since(Time::ZERO);
        self.0.checked_add(span).unwrap_or(self.0 + std::time::Duration::from_secs(86_400)).into()
    }
}
