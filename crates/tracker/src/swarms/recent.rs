//! What is remembered for a while: offers that may be answered, what was said already. Bounded:
//! the oldest go first.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hash, RandomState};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use headwater_base::Time;

/// Keys with what is known of each. All live equally long, so the order they came in is that they
/// end in.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    /// The place of every key that is remembered. Places are all it holds: there are very many, and
    /// so they stay near. Only ever looked up, so that its order shows nowhere.
    table: HashTable<u64>,
    /// Everything that was remembered and has not ended, in the order of places.
    queue: VecDeque<Kept<K, V>>,
    /// The place of the first in `queue`.
    first: u64,
    hasher: RandomState,
}

#[derive(Debug)]
struct Kept<K, V> {
    end: Time,
    hash: u64,
    key: K,
    /// `None` once it was taken or came again.
    with: Option<V>,
}

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        let (table, queue) = (HashTable::new(), VecDeque::new());
        Self { table, queue, first: 0, hasher: RandomState::new() }
    }
}

impl<K: Copy + Eq + Hash, V: Copy> Recent<K, V> {
    /// Remembers a key until `end`, and at most `most` keys in all.
    pub(super) fn put(&mut self, end: Time, (key, with): (K, V), most: usize) {
        let hash = self.hasher.hash_one(key);
        let Self { table, queue, first, .. } = self;
        let at = |place: u64| (place - *first) as usize;
        let place = *first + queue.len() as u64;
        let same = |kept: &u64| queue[at(*kept)].key == key;
        match table.entry(hash, same, |kept| queue[at(*kept)].hash) {
            Entry::Occupied(mut before) => {
                let before = std::mem::replace(before.get_mut(), place);
                queue[at(before)].with = None;
            }
            Entry::Vacant(free) => {
                free.insert(place);
            }
        }
        queue.push_back(Kept { end, hash, key, with: Some(with) });
        while self.queue.len() > most {
            self.drop_oldest();
        }
    }

    /// What a key was kept with; it is forgotten afterwards.
    pub(super) fn take(&mut self, key: &K) -> Option<V> {
        let hash = self.hasher.hash_one(key);
        let Self { table, queue, first, .. } = self;
        let found = table.find_entry(hash, |kept| queue[(*kept - *first) as usize].key == *key);
        let (place, _) = found.ok()?.remove();
        queue[(place - *first) as usize].with.take()
    }

    /// The same, and it stays.
    pub(super) fn look(&self, key: &K) -> Option<V> {
        let hash = self.hasher.hash_one(key);
        let at = |place: &u64| &self.queue[(*place - self.first) as usize];
        self.table.find(hash, |kept| at(kept).key == *key).and_then(|place| at(place).with)
    }

    /// Forgets what has ended.
    pub(super) fn expire(&mut self, now: Time) {
        while self.queue.front().is_some_and(|kept| kept.end <= now) {
            self.drop_oldest();
        }
    }

    /// When there is next something to forget.
    pub(super) fn next_end(&self) -> Option<Time> {
        self.queue.front().map(|kept| kept.end)
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    fn drop_oldest(&mut self) {
        let Some(oldest) = self.queue.pop_front() else { return };
        let place = self.first;
        self.first += 1;
        if oldest.with.is_some()
            && let Ok(found) = self.table.find_entry(oldest.hash, |kept| *kept == place)
        {
            found.remove();
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
