//! Which offers went to whom and may still be answered. Bounded: the oldest go first.
//! An offer is kept with what its answer needs to know.

use std::collections::{BTreeMap, VecDeque};

use headwater_base::{InfoHash, PeerId, Time};
use headwater_wire::tracker::OfferId;

/// One offer on its way to one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Relayed {
    pub(super) info_hash: InfoHash,
    /// Who made it.
    pub(super) from: PeerId,
    /// Who got it, and alone may answer it.
    pub(super) to: PeerId,
    pub(super) offer_id: OfferId,
}

/// All open offers. Each lives equally long, so the order they came in is that they end in.
#[derive(Debug)]
pub(super) struct Offers<K, V> {
    ends: BTreeMap<K, (Time, V)>,
    /// Every offer in `ends` under its end, and some that were answered or came again.
    queue: VecDeque<(Time, K)>,
}

impl<K, V> Default for Offers<K, V> {
    fn default() -> Self {
        Self { ends: BTreeMap::new(), queue: VecDeque::new() }
    }
}

impl<K: Copy + Ord, V: Copy> Offers<K, V> {
    /// Remembers an offer until `end`, and at most `most` offers in all.
    pub(super) fn put(&mut self, end: Time, (offer, with): (K, V), most: usize) {
        self.ends.insert(offer, (end, with));
        self.queue.push_back((end, offer));
        while self.queue.len() > most {
            self.drop_oldest();
        }
    }

    /// What an open offer was kept with; it is no longer open afterwards.
    pub(super) fn take(&mut self, offer: &K) -> Option<V> {
        self.ends.remove(offer).map(|(_, with)| with)
    }

    /// The same, and it stays open.
    pub(super) fn look(&self, offer: &K) -> Option<V> {
        self.ends.get(offer).map(|(_, with)| *with)
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
        let Some((end, offer)) = self.queue.pop_front() else { return };
        if self.ends.get(&offer).is_some_and(|(ends, _)| *ends == end) {
            self.ends.remove(&offer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(number: u8) -> Relayed {
        Relayed {
            info_hash: InfoHash([1; 20]),
            from: PeerId([2; 20]),
            to: PeerId([3; 20]),
            offer_id: OfferId([number; 20]),
        }
    }

    #[test]
    fn oldest_offer_goes_when_there_are_too_many() {
        let mut offers = Offers::default();
        for number in 0..4 {
            offers.put(Time::from_millis(u64::from(number)), (offer(number), number), 3);
        }
        assert_eq!(offers.len(), 3);
        assert_eq!(offers.take(&offer(0)), None);
        assert_eq!(offers.look(&offer(1)), Some(1));
        assert_eq!(offers.take(&offer(1)), Some(1));
    }

    #[test]
    fn offer_made_again_lives_from_then() {
        let mut offers = Offers::default();
        offers.put(Time::from_millis(10), (offer(1), 1), 9);
        offers.put(Time::from_millis(20), (offer(1), 1), 9);
        offers.expire(Time::from_millis(19));
        assert_eq!(offers.look(&offer(1)), Some(1));
        assert_eq!(offers.take(&offer(1)), Some(1));
        assert_eq!((offers.len(), offers.next_end()), (0, Some(Time::from_millis(20))));
        offers.expire(Time::from_millis(20));
        assert_eq!(offers.next_end(), None);
    }
}
