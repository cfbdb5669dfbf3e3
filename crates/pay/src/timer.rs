//! The one table of timers. Nothing else in payment waits for a time.

use headwater_base::{LinkId, Map, Set, Time};

use crate::Wake;

/// Everything payment waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// Slots are sold anew.
    Sale,
    /// A buyer looks at its bids.
    Search,
    /// Claims that failed are tried again.
    Claims,
    /// A link's messages are counted anew.
    Flood(LinkId),
    /// An offer we made runs out.
    Offer(LinkId),
    /// An offer we were made runs out.
    Offered(LinkId),
    /// An award we hold runs out.
    Award(LinkId),
    /// A payer must have paid what is due.
    Grace(LinkId),
    /// What is known of a payer's account is too old.
    View(LinkId),
}

impl Timer {
    fn name(self) -> &'static str {
        match self {
            Self::Sale => "sale",
            Self::Search => "search",
            Self::Claims => "claims",
            Self::Flood(_) => "flood",
            Self::Offer(_) => "offer",
            Self::Offered(_) => "offered",
            Self::Award(_) => "award",
            Self::Grace(_) => "grace",
            Self::View(_) => "view",
        }
    }
}

/// Which timer rings when.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    at: Map<Timer, Time>,
    queue: Set<(Time, Timer)>,
}

impl Timers {
    /// Sets `timer`, whenever it was set for before.
    pub(crate) fn set(&mut self, timer: Timer, at: Time) {
        self.clear(timer);
        self.at.insert(timer, at);
        self.queue.insert((at, timer));
    }

    /// Sets `timer` unless it is set.
    pub(crate) fn start(&mut self, timer: Timer, at: Time) {
        if !self.at.contains_key(&timer) {
            self.set(timer, at);
        }
    }

    /// Unsets `timer`.
    pub(crate) fn clear(&mut self, timer: Timer) {
        if let Some(at) = self.at.remove(&timer) {
            self.queue.remove(&(at, timer));
        }
    }

    /// Unsets all of a link's timers.
    pub(crate) fn clear_link(&mut self, link: LinkId) {
        for timer in [Timer::Flood(link), Timer::Offered(link), Timer::Award(link)] {
            self.clear(timer);
        }
        for timer in [Timer::Offer(link), Timer::Grace(link), Timer::View(link)] {
            self.clear(timer);
        }
    }

    /// Takes a timer that is due; it is unset.
    pub(crate) fn due(&mut self, now: Time) -> Option<Timer> {
        let &(at, timer) = self.queue.first()?;
        if at > now {
            return None;
        }
        self.clear(timer);
        Some(timer)
    }

    /// The next one.
    pub(crate) fn next(&self) -> Option<Wake> {
        self.queue.first().map(|&(at, timer)| Wake { at, why: timer.name() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_ring_in_order_and_once() {
        let mut timers = Timers::default();
        timers.set(Timer::Search, Time::from_millis(9));
        timers.set(Timer::Sale, Time::from_millis(5));
        timers.start(Timer::Search, Time::from_millis(1));
        timers.set(Timer::Grace(LinkId(1)), Time::from_millis(1));
        timers.clear_link(LinkId(1));
        assert_eq!(timers.next(), Some(Wake { at: Time::from_millis(5), why: "sale" }));
        assert_eq!(timers.due(Time::from_millis(4)), None);
        assert_eq!(timers.due(Time::from_millis(9)), Some(Timer::Sale));
        assert_eq!(timers.due(Time::from_millis(9)), Some(Timer::Search));
        assert_eq!(timers.due(Time::from_millis(9)), None);
    }
}
