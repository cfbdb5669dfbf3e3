//! What one process has, as it told: all of it in parts, and then what changed.

use std::collections::BTreeMap;

use headwater_base::InfoHash;

use super::message::{Dialled, Size};
use crate::limit;

/// What one process has of a swarm.
#[derive(Clone, Debug)]
pub(super) struct Far {
    pub(super) complete: u32,
    pub(super) incomplete: u32,
    pub(super) sockets: u32,
    pub(super) dialled: Vec<Dialled>,
}

impl Far {
    /// Peers there that may take an offer: a seeder's is of use to those that lack pieces alone.
    pub(super) fn takers(&self, seeder: bool) -> u32 {
        if seeder { self.sockets.min(self.incomplete) } else { self.sockets }
    }
}

/// Swarms, and what they take.
#[derive(Debug, Default)]
pub(super) struct Known {
    swarms: BTreeMap<InfoHash, Far>,
    weight: usize,
}

impl Known {
    pub(super) fn len(&self) -> usize {
        self.swarms.len()
    }

    pub(super) fn weight(&self) -> usize {
        self.weight
    }

    pub(super) fn of_swarm(&self, info_hash: InfoHash) -> Option<&Far> {
        self.swarms.get(&info_hash)
    }

    /// Takes what swarms are instead of what they were; false when that is more than there is room
    /// for.
    pub(super) fn take(&mut self, swarms: &[Size], room: &mut usize) -> bool {
        swarms.iter().all(|size| self.put(size, room))
    }

    fn put(&mut self, size: &Size, room: &mut usize) -> bool {
        let hash = size.info_hash();
        let before = self.swarms.get(&hash).map_or(0, |far| 1 + far.dialled.len());
        let is_gone = size.complete + size.incomplete == 0;
        let after = if is_gone { 0 } else { size.weight() };
        let most = limit::FLEET_PLACES_OF_ONE_MAX;
        if after > before + *room || self.weight + after > before + most {
            return false;
        }
        (*room, self.weight) = (*room + before - after, self.weight + after - before);
        if is_gone {
            self.swarms.remove(&hash);
        } else {
            let Size { complete, incomplete, sockets, .. } = *size;
            let dialled = size.dialled.clone();
            self.swarms.insert(hash, Far { complete, incomplete, sockets, dialled });
        }
        true
    }
}

/// Everything a process has, as far as its parts came, with what changed since the first.
#[derive(Debug)]
pub(super) struct Coming {
    /// The number of the last `Swarms` before it began, which is in each part.
    number: u64,
    next: u32,
    /// The number of the last `Swarms` in it; `None` when some are lost.
    pub(super) upto: Option<u64>,
    pub(super) known: Known,
}

impl Coming {
    pub(super) fn new(number: u64) -> Self {
        Self { number, next: 0, upto: Some(number), known: Known::default() }
    }

    /// Whether this part comes next.
    pub(super) fn awaits(&self, number: u64, part: u32) -> bool {
        (self.number, self.next) == (number, part)
    }

    /// Takes the next part; false when there is no room for it.
    pub(super) fn take(&mut self, swarms: &[Size], room: &mut usize) -> bool {
        self.next += 1;
        self.known.take(swarms, room)
    }

    pub(super) fn is_whole(&self, parts: u32) -> bool {
        self.next == parts
    }

    /// Takes what changed meanwhile: the parts that are still to come are no older. False when
    /// there is no room for it.
    pub(super) fn change(&mut self, number: u64, swarms: &[Size], room: &mut usize) -> bool {
        if self.upto.is_some_and(|last| number <= last) {
            return true;
        }
        self.upto = next(self.upto, number);
        self.known.take(swarms, room)
    }
}

/// The number that follows, if none is missing before it.
pub(super) fn next(last: Option<u64>, number: u64) -> Option<u64> {
    last.and_then(|last| last.checked_add(1)).filter(|next| *next == number)
}
