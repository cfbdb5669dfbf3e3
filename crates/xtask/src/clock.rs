//! Tells how long something took. The one place where xtask looks at a clock.

use std::time::{Duration, Instant};

/// A stopwatch that is running.
pub(crate) struct Clock(Instant);

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "a person wants to know which step is slow")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
