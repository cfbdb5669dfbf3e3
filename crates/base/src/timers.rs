//! A table of timers: each is set for one time at most, and the first that is due comes first.
//! Knows nothing of what they are for.

use crate::{Map, Set, Time};

/// Which timer rings when.
#[derive(Debug)]
pub struct Timers<T> {
    at: Map<T, Time>,
    queue: Set<(Time, T)>,
}

impl<T> Default for Timers<T> {
    fn default() -> Self {
        Self { at: Map::new(), queue: Set::new() }
    }
}

impl<T: Copy + Ord> Timers<T> {
    /// Sets `timer`, whenever it was set for before.
    pub fn set(&mut self, timer: T, at: Time) {
        self.clear(timer);
        self.at.insert(timer, at);
        self.queue.insert((at, timer));
    }

    /// Sets `timer` unless it is set.
    pub fn start(&mut self, timer: T, at: Time) {
        if !self.is_set(timer) {
            self.set(timer, at);
        }
    }

    /// Sets `timer` unless it is set for an earlier time.
    pub fn sooner(&mut self, timer: T, at: Time) {
        if self.deadline(timer).is_none_or(|known| known > at) {
            self.set(timer, at);
        }
    }

    /// Unsets `timer`.
    pub fn clear(&mut self, timer: T) {
        if let Some(at) = self.at.remove(&timer) {
            self.queue.remove(&(at, timer));
        }
    }

    /// Whether `timer` is set.
    pub fn is_set(&self, timer: T) -> bool {
        self.at.contains_key(&timer)
    }

    /// What `timer` is set for.
    pub fn deadline(&self, timer: T) -> Option<Time> {
        self.at.get(&timer).copied()
    }

    /// The first deadline and its timer.
    pub fn first(&self) -> Option<(Time, T)> {
        self.queue.first().copied()
    }

    /// Takes the first timer that is due; it is unset.
    pub fn due(&mut self, now: Time) -> Option<T> {
        let (at, timer) = self.first()?;
        if at > now {
            return None;
        }
        self.clear(timer);
        Some(timer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_ring_in_order_and_once_at_their_last_deadline() {
        let mut timers = Timers::default();
        let at = Time::from_millis;
        timers.set('b', at(9));
        timers.set('a', at(5));
        timers.set('a', at(7));
        timers.start('b', at(1));
        timers.sooner('b', at(10));
        assert_eq!((timers.first(), timers.deadline('b')), (Some((at(7), 'a')), Some(at(9))));
        assert_eq!(timers.due(at(6)), None);
        assert_eq!(timers.due(at(9)), Some('a'));
        assert_eq!(timers.due(at(9)), Some('b'));
        assert_eq!((timers.first(), timers.is_set('b')), (None, false));
    }

    #[test]
    fn a_timer_may_come_sooner_and_be_unset() {
        let mut timers = Timers::default();
        timers.sooner('a', Time::from_millis(5));
        timers.sooner('a', Time::from_millis(3));
        assert_eq!(timers.deadline('a'), Some(Time::from_millis(3)));
        timers.clear('a');
        assert_eq!(timers.due(Time::from_millis(9)), None);
    }
}
