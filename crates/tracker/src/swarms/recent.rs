//! What is remembered for a while: offers that may be answered, what was said already. Bounded:
//! the oldest go first.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use headwater_base::Time;

/// Keys with what is known of each. All live equally long, so the order they came in is that they
/// end in.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    /// Hashed, since there are very many; only ever looked up, so that its order shows nowhere.
    ends: HashMap<K, (Time, V)>,
    /// Every key in `ends` under its end, and some that were taken or came again.
    queue: VecDeque<(Time, K)>,
}

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self { ends: HashMap::new(), queue: VecDeque::new() }
    }
}

impl<K: Copy + Eq + Hash, V: Copy> Recent<K, V> {
    /// Remembers a key until `end`, and at most `most` keys in all.
    pub(super) fn put(&mut self, end: Time, (key, with): (K, V), most: usize) {
        self.ends.insert(key, (end, with));
        self.queue.push_back((end, key));
        while self.queue.len() > most {
            self.drop_oldest();
        }
    }

    /// What a key was kept with; it is forgotten afterwards.
    pub(super) fn take(&mut self, key: &K) -> Option<V> {
        self.ends.remove(key).map(|(_, with)| with)
    }

    /// The same, and it stays.
    pub(super) fn look(&self, key: &K) -> Option<V> {
        self.ends.get(key).map(|(_, with)| *with)
    }

    /// Forgets what has ended.
    pub(super) fn expire(&mut self, now: Time) {
        while self.queue.front().is_some_and(|(end, _)| *end <= now) {
            self.drop_oldest();
        }
    }

    /// When there is next something to forget.
    pub(super) fn next_end(&self) -> Option<Time> {
        self.queue.front().map(|(end, _)| *end)
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    fn drop_oldest(&mut self) {
        let Some((end, key)) = self.queue.pop_front() else { return };
        if self.ends.get(&key).is_some_and(|(ends, _)| *ends == end) {
            self.ends.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oldest_goes_when_there_are_too_many() {
        let mut recent = Recent::default();
        for number in 0..4 {
            recent.put(Time::from_millis(number), (number, number), 3);
        }
        assert_eq!(recent.len(), 3);
        assert_eq!(recent.take(&0), None);
        assert_eq!(recent.look(&1), Some(1));
        assert_eq!(recent.take(&1), Some(1));
    }

    #[test]
    fn what_came_again_lives_from_then() {
        let mut recent = Recent::default();
        recent.put(Time::from_millis(10), (1, 1), 9);
        recent.put(Time::from_millis(20), (1, 1), 9);
        recent.expire(Time::from_millis(19));
        assert_eq!(recent.look(&1), Some(1));
        assert_eq!(recent.take(&1), Some(1));
        assert_eq!((recent.len(), recent.next_end()), (0, Some(Time::from_millis(20))));
        recent.expire(Time::from_millis(20));
        assert_eq!(recent.next_end(), None);
    }
}
