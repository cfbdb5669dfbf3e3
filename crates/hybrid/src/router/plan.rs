//! When a router is asked: at once, ever more rarely while it does not answer, and well before a
//! mapping ends. Knows nothing of what is asked.

use std::time::Duration;

use tokio::time::Instant;

use super::Trouble;

/// Pauses between attempts in vain, each twice the one before.
const AGAIN_MIN: Duration = Duration::from_secs(60);
const AGAIN_MAX: Duration = Duration::from_secs(3600);

/// Least time between two renewals: half of what is left is waited for (RFC 6887, 11.2.1), and that
/// comes to nothing.
const RENEW_GAP: Duration = Duration::from_secs(30);

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// Ask for mappings.
    Map,
    /// Renew those there are.
    Renew,
    /// Take them for lost.
    Lose,
}

/// What is to be done, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    next: (Instant, Task),
    /// When the mappings end, where there are any.
    ends: Option<Instant>,
    /// Attempts in vain since the last that was not.
    vain: u32,
}

impl Plan {
    /// Asks at once.
    pub(super) fn new(now: Instant) -> Self {
        Self { next: (now, Task::Map), ends: None, vain: 0 }
    }

    pub(super) fn next(&self) -> (Instant, Task) {
        self.next
    }

    /// Takes that what was asked for is there for so long.
    pub(super) fn mapped(&mut self, now: Instant, lasts: Duration) {
        (self.ends, self.vain) = (Some(now + lasts), 0);
        self.renew_by_half(now);
    }

    /// Takes that nothing came of it.
    pub(super) fn failed(&mut self, now: Instant, why: &Trouble) {
        match (self.ends, why) {
            // Another network: there is nothing to renew.
            (Some(_), Trouble::Lost) => self.next = (now, Task::Lose),
            (Some(_), _) => self.renew_by_half(now),
            // To look for a router costs nobody anything.
            (None, Trouble::NoRouter) => self.next = (now + AGAIN_MIN, Task::Map),
            (None, _) => {
                let pause = AGAIN_MIN.saturating_mul(1 << self.vain.min(16)).min(AGAIN_MAX);
                self.vain += 1;
                self.next = (now + pause, Task::Map);
            }
        }
    }

    /// Takes that the mappings are gone: they are asked for anew.
    pub(super) fn lost(&mut self, now: Instant) {
        *self = Self::new(now);
    }

    fn renew_by_half(&mut self, now: Instant) {
        let left = self.ends.map_or(Duration::ZERO, |ends| ends.saturating_duration_since(now));
        let pause = (left / 2).max(RENEW_GAP);
        self.next = match pause < left {
            true => (now + pause, Task::Renew),
            false => (now + left, Task::Lose),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Has everything fail with `why`, and answers what was done when, in seconds from now on.
    fn fail(plan: &mut Plan, start: Instant, why: &Trouble, steps: usize) -> Vec<(u64, Task)> {
        let mut done = Vec::new();
        for _ in 0..steps {
            let (at, task) = plan.next();
            done.push((at.duration_since(start).as_secs(), task));
            match task {
                Task::Lose => plan.lost(at),
                Task::Map | Task::Renew => plan.failed(at, why),
            }
        }
        done
    }

    #[test]
    fn a_silent_router_is_asked_ever_more_rarely_and_hourly_at_last() {
        let start = Instant::now();
        let mut plan = Plan::new(start);
        let asked = fail(&mut plan, start, &Trouble::Silent, 10);
        let times = [0, 60, 180, 420, 900, 1860, 3780, 7380, 10_980, 14_580];
        assert_eq!(asked, times.map(|at| (at, Task::Map)));
        let (now, _) = plan.next();
        plan.mapped(now, secs(1800));
        plan.lost(now);
        plan.failed(now, &Trouble::Silent);
        assert_eq!(plan.next(), (now + secs(60), Task::Map), "what worked once is forgiven");
    }

    #[test]
    fn a_router_that_is_not_there_yet_is_looked_for_every_minute() {
        let start = Instant::now();
        let looked = fail(&mut Plan::new(start), start, &Trouble::NoRouter, 4);
        assert_eq!(looked, [0, 60, 120, 180].map(|at| (at, Task::Map)));
    }

    #[test]
    fn a_mapping_is_renewed_at_half_its_time_and_ever_sooner_before_it_is_lost() {
        let start = Instant::now();
        let mut plan = Plan::new(start);
        plan.mapped(start, secs(1800));
        assert_eq!(plan.next(), (start + secs(900), Task::Renew));
        plan.mapped(start + secs(900), secs(1800));
        let failed = fail(&mut plan, start + secs(900), &Trouble::Silent, 8);
        let renewals = [900, 1350, 1575, 1687, 1743, 1773].map(|at| (at, Task::Renew));
        assert_eq!(failed[..6], renewals);
        assert_eq!(failed[6..], [(1800, Task::Lose), (1800, Task::Map)]);
    }

    #[test]
    fn in_another_network_it_is_asked_for_anew_at_once() {
        let start = Instant::now();
        let mut plan = Plan::new(start);
        plan.mapped(start, secs(1800));
        let done = fail(&mut plan, start, &Trouble::Lost, 3);
        assert_eq!(done, [(900, Task::Renew), (900, Task::Lose), (900, Task::Map)]);
    }

    #[test]
    fn a_mapping_that_hardly_lasts_is_not_renewed_in_a_frenzy() {
        let start = Instant::now();
        let mut plan = Plan::new(start);
        for lasts in [0, 1, 30] {
            plan.mapped(start, secs(lasts));
            assert_eq!(plan.next(), (start + secs(lasts), Task::Lose));
        }
        plan.mapped(start, secs(40));
        assert_eq!(plan.next(), (start + RENEW_GAP, Task::Renew));
    }
}
