//! The other processes: what each told of its swarms, how long that counts, and what is missing.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use headwater_base::{InfoHash, PeerId, Time, sha1};

use super::message::{Dialled, ProcessId, Size};
use super::pace::{Kind, Pace, PaceOfAll};
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
struct Known {
    swarms: BTreeMap<InfoHash, Far>,
    weight: usize,
}

impl Known {
    fn put(&mut self, size: Size) {
        let (hash, weight) = (size.info_hash(), size.weight());
        let Size { complete, incomplete, sockets, dialled, .. } = size;
        let before = if complete + incomplete == 0 {
            self.swarms.remove(&hash)
        } else {
            self.weight += weight;
            self.swarms.insert(hash, Far { complete, incomplete, sockets, dialled })
        };
        self.weight -= before.map_or(0, |far| 1 + far.dialled.len());
    }
}

/// Everything a process has, as far as its parts came.
#[derive(Debug)]
struct Coming {
    number: u64,
    next: u32,
    known: Known,
}

/// Another process.
#[derive(Debug)]
struct Other {
    bridges: bool,
    peer: Option<PeerId>,
    /// When it is taken for gone unless it says something.
    end: Time,
    known: Known,
    /// The number of its last `Swarms` that was heard with all before; `None` when some are lost.
    number: Option<u64>,
    coming: Option<Coming>,
    /// When it may be asked next.
    ask_at: Time,
    /// What it has left to say.
    pace: Pace,
}

impl Other {
    fn new(now: Time) -> Self {
        Self {
            bridges: false,
            peer: None,
            end: now,
            known: Known::default(),
            number: None,
            coming: None,
            ask_at: now,
            pace: Pace::new(now),
        }
    }
}

/// All other processes.
#[derive(Debug)]
pub(super) struct Others {
    of: BTreeMap<ProcessId, Other>,
    /// What all together have left to say.
    pace: PaceOfAll,
}

impl Others {
    pub(super) fn new(now: Time) -> Self {
        Self { of: BTreeMap::new(), pace: PaceOfAll::new(now) }
    }

    pub(super) fn len(&self) -> usize {
        self.of.len()
    }

    /// Swarms known of, each as often as processes have it.
    pub(super) fn swarms(&self) -> usize {
        self.of.values().map(|other| other.known.swarms.len()).sum()
    }

    pub(super) fn clear(&mut self) {
        self.of.clear();
    }

    /// Hears from a process: it lives, whatever becomes of its message. False when there are too
    /// many processes, or when the message is one too many.
    pub(super) fn hear(&mut self, now: Time, id: ProcessId, kind: Kind) -> bool {
        let known = self.of.len();
        let other = match self.of.entry(id) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(_) if known >= limit::FLEET_PROCESSES_MAX => return false,
            Entry::Vacant(entry) => entry.insert(Other::new(now)),
        };
        other.end = now + limit::FLEET_LIFE;
        other.pace.take(now, kind) && self.pace.take(now, kind)
    }

    pub(super) fn beat(&mut self, id: ProcessId, bridges: bool, peer: PeerId, number: u64) {
        let Some(other) = self.of.get_mut(&id) else { return };
        (other.bridges, other.peer) = (bridges, Some(peer));
        if other.number != Some(number) {
            other.number = None;
        }
    }

    /// Takes what changed; false when there is no room for it.
    pub(super) fn change(&mut self, id: ProcessId, number: u64, swarms: Vec<Size>) -> bool {
        let room = self.has_room(&swarms);
        let Some(other) = self.of.get_mut(&id) else { return false };
        let follows = room && other.number.is_some_and(|last| last.checked_add(1) == Some(number));
        other.number = follows.then_some(number);
        if room {
            swarms.into_iter().for_each(|size| other.known.put(size));
        }
        room
    }

    /// Takes a part of everything; it counts once all parts came.
    pub(super) fn whole(&mut self, id: ProcessId, at: (u64, u32, u32), swarms: Vec<Size>) -> bool {
        let (number, part, parts) = at;
        let room = self.has_room(&swarms);
        let Some(other) = self.of.get_mut(&id) else { return false };
        if part == 0 {
            other.coming = Some(Coming { number, next: 0, known: Known::default() });
        }
        let follows = |coming: &Coming| room && (coming.number, coming.next) == (number, part);
        let Some(mut coming) = other.coming.take().filter(follows) else { return false };
        swarms.into_iter().for_each(|size| coming.known.put(size));
        coming.next += 1;
        if coming.next == parts {
            (other.known, other.number) = (coming.known, Some(number));
        } else {
            other.coming = Some(coming);
        }
        true
    }

    fn has_room(&self, swarms: &[Size]) -> bool {
        let weight = |other: &Other| {
            other.known.weight + other.coming.as_ref().map_or(0, |coming| coming.known.weight)
        };
        let held: usize = self.of.values().map(weight).sum();
        let more: usize = swarms.iter().map(Size::weight).sum();
        held + more <= limit::FLEET_PLACES_MAX
    }

    /// Whom to ask for everything, now.
    pub(super) fn lacking(&mut self, now: Time) -> Vec<ProcessId> {
        let lacks = |other: &Other| other.number.is_none() && other.ask_at <= now;
        let mut ids = Vec::new();
        for (id, other) in self.of.iter_mut().filter(|(_, other)| lacks(other)) {
            other.ask_at = now + limit::FLEET_ASK_EVERY;
            ids.push(*id);
        }
        ids
    }

    /// When somebody is to be asked or taken for gone.
    pub(super) fn due(&self) -> Option<Time> {
        let asks = self.of.values().filter(|other| other.number.is_none());
        let asks = asks.map(|other| other.ask_at);
        asks.chain(self.of.values().map(|other| other.end)).min()
    }

    /// Takes those for gone that were silent.
    pub(super) fn expire(&mut self, now: Time) -> Vec<ProcessId> {
        let silent = self.of.iter().filter(|(_, other)| other.end <= now);
        let silent: Vec<_> = silent.map(|(id, _)| *id).collect();
        silent.iter().for_each(|id| self.remove(*id));
        silent
    }

    pub(super) fn remove(&mut self, id: ProcessId) {
        self.of.remove(&id);
    }

    /// What each process has of a swarm.
    pub(super) fn of_swarm(&self, info_hash: InfoHash) -> impl Iterator<Item = (ProcessId, &Far)> {
        self.of
            .iter()
            .filter_map(move |(id, other)| other.known.swarms.get(&info_hash).map(|far| (*id, far)))
    }

    /// The processes that bridge.
    pub(super) fn bridging(&self) -> impl Iterator<Item = ProcessId> {
        self.of.iter().filter(|(_, other)| other.bridges).map(|(id, _)| *id)
    }

    /// The peers that are part of a process.
    pub(super) fn peers(&self) -> impl Iterator<Item = PeerId> {
        self.of.values().filter_map(|other| other.peer)
    }
}

/// Which of these processes bridges a torrent: all that see the same processes choose the same
/// one, and when it is gone only its torrents get another (rendezvous hashing).
pub(super) fn owner(
    info_hash: InfoHash,
    processes: impl Iterator<Item = ProcessId>,
) -> Option<ProcessId> {
    let score = |id: &ProcessId| sha1(&[id.0.as_slice(), &info_hash.0].concat());
    processes.max_by_key(score)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn torrents_spread_over_processes_and_only_those_of_one_gone_move() {
        let ids: Vec<_> = (0..4).map(|number| ProcessId([number; 16])).collect();
        let hashes: Vec<_> = (0..=255).map(|number| InfoHash([number; 20])).collect();
        let mut counts = [0; 4];
        for hash in hashes {
            let before = owner(hash, ids.iter().copied()).expect("one of four");
            counts[usize::from(before.0[0])] += 1;
            let after = owner(hash, ids[1..].iter().copied()).expect("one of three");
            assert!(after == before || before == ids[0]);
            assert_eq!(owner(hash, ids.iter().rev().copied()), Some(before));
        }
        assert!(counts.iter().all(|count| (40..90).contains(count)), "{counts:?}");
        assert_eq!(owner(InfoHash([1; 20]), core::iter::empty()), None);
    }
}
