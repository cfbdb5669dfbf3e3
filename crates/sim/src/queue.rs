//! What is still to come, in the order it will happen. Equal times keep the order of posting.

use core::cmp::Reverse;
use std::collections::BinaryHeap;

use headwater_base::Time;

/// A queue by time, O(log n), whose order depends on nothing but its use.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    heap: BinaryHeap<Reverse<(Time, u64, usize)>>,
    items: Vec<Option<T>>,
    free: Vec<usize>,
    posted: u64,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), items: Vec::new(), free: Vec::new(), posted: 0 }
    }
}

impl<T> Queue<T> {
    /// Puts something in for a time.
    pub(crate) fn post(&mut self, at: Time, item: T) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.items.push(None);
            self.items.len() - 1
        });
        self.items[place] = Some(item);
        self.posted += 1;
        self.heap.push(Reverse((at, self.posted, place)));
    }

    /// When the next thing happens.
    pub(crate) fn next_at(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    /// Takes the next thing out.
    pub(crate) fn pop(&mut self) -> Option<(Time, T)> {
        let Reverse((at, _, place)) = self.heap.pop()?;
        self.free.push(place);
        self.items[place].take().map(|item| (at, item))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earlier_comes_first_and_equal_times_keep_their_order() {
        let mut queue = Queue::default();
        for (at, item) in [(5, 'c'), (1, 'a'), (5, 'd'), (1, 'b')] {
            queue.post(Time::from_millis(at), item);
        }
        let order: String = core::iter::from_fn(|| queue.pop()).map(|(_, item)| item).collect();
        assert_eq!((order.as_str(), queue.next_at()), ("abcd", None));
    }
}
