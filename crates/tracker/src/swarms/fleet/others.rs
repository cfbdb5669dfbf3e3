//! The other processes: what each told of its swarms, how long that counts, and what is missing.

use core::time::Duration;
use std::collections::BTreeMap;

use headwater_base::{Digest1, InfoHash, PeerId, Time, sha1};

use super::known::{Coming, Far, Known, next};
use super::message::{ProcessId, Size};
use super::pace::{Kind, Pace, PaceOfAll};
use crate::limit;
use crate::swarms::budget::Budget;

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
    /// When it may be asked next, and how long it is waited after that.
    ask_at: Time,
    ask_wait: Duration,
    /// Whether it asked for everything, and when it may be told.
    asks: bool,
    tell_from: Time,
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
            ask_wait: limit::FLEET_ASK_EVERY,
            asks: false,
            tell_from: now,
            pace: Pace::new(now),
        }
    }

    fn gone(&self, id: ProcessId) -> Gone {
        Gone { id, bridged: self.bridges, peer: self.peer }
    }
}

/// A process that is gone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gone {
    pub(super) id: ProcessId,
    /// Whether it bridged.
    pub(super) bridged: bool,
    /// The peer that was part of it.
    pub(super) peer: Option<PeerId>,
}

/// All other processes.
#[derive(Debug)]
pub(super) struct Others {
    of: BTreeMap<ProcessId, Other>,
    /// What all together have left to say, and how many more may come.
    pace: PaceOfAll,
    newcomers: Budget,
}

impl Others {
    pub(super) fn new(now: Time) -> Self {
        let (pace, newcomers) = (PaceOfAll::new(now), Budget::new(now));
        Self { of: BTreeMap::new(), pace, newcomers }
    }

    pub(super) fn len(&self) -> usize {
        self.of.len()
    }

    pub(super) fn knows(&self, id: ProcessId) -> bool {
        self.of.contains_key(&id)
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = ProcessId> {
        self.of.keys().copied()
    }

    /// Swarms known of, each as often as processes have it.
    pub(super) fn swarms(&self) -> usize {
        self.of.values().map(|other| other.known.len()).sum()
    }

    /// Hears from a process: it lives, whatever becomes of its message. False when there are too
    /// many processes, or when the message is one too many.
    pub(super) fn hear(&mut self, now: Time, id: ProcessId, kind: Kind) -> bool {
        if !self.knows(id) {
            let (pace, most) = (limit::FLEET_NEWCOMERS_PER_SECOND, limit::FLEET_PROCESSES_MAX);
            let fits = kind != Kind::End && self.of.len() < most;
            if !fits || !self.newcomers.take(now, pace, most as u32) {
                return false;
            }
        }
        let other = self.of.entry(id).or_insert_with(|| Other::new(now));
        other.end = now + limit::FLEET_LIFE;
        other.pace.take(now, kind) && self.pace.take(now, kind)
    }

    pub(super) fn beat(&mut self, id: ProcessId, (bridges, peer): (bool, PeerId), number: u64) {
        let Some(other) = self.of.get_mut(&id) else { return };
        (other.bridges, other.peer) = (bridges, Some(peer));
        if other.number != Some(number) {
            other.number = None;
        }
    }

    /// Takes what changed; false when it is older than what is known, or there is no room for it.
    pub(super) fn change(&mut self, id: ProcessId, number: u64, swarms: &[Size]) -> bool {
        let mut room = self.room();
        let Some(other) = self.of.get_mut(&id) else { return false };
        if other.number.is_some_and(|last| number <= last) {
            return false;
        }
        let fits = other.known.take(swarms, &mut room);
        other.number = next(other.number, number).filter(|_| fits);
        other.coming.take_if(|coming| !coming.change(number, swarms, &mut room));
        fits
    }

    /// Takes a part of everything; it counts once all parts came. False when it does not follow the
    /// part before, or there is no room for it.
    pub(super) fn whole(
        &mut self,
        now: Time,
        id: ProcessId,
        (number, part, parts): (u64, u32, u32),
        swarms: &[Size],
    ) -> bool {
        let mut room = self.room();
        let lacking = |other: &&mut Other| other.number.is_none();
        let Some(other) = self.of.get_mut(&id).filter(lacking) else { return false };
        if part == 0 {
            room += other.coming.replace(Coming::new(number)).map_or(0, |old| old.known.weight());
        }
        let awaits = |coming: &Coming| coming.awaits(number, part);
        let Some(mut coming) = other.coming.take().filter(awaits) else { return false };
        let more: usize = swarms.iter().map(Size::weight).sum();
        if more > room {
            // What is old makes way for what is coming.
            room += std::mem::take(&mut other.known).weight();
        }
        if !coming.take(swarms, &mut room) {
            return false;
        }
        other.ask_at = other.ask_at.max(now + limit::FLEET_ASK_EVERY);
        if !coming.is_whole(parts) {
            other.coming = Some(coming);
            return true;
        }
        (other.known, other.number) = (coming.known, coming.upto);
        if other.number.is_some() {
            other.ask_wait = limit::FLEET_ASK_EVERY;
        }
        true
    }

    /// How much more may be remembered.
    fn room(&self) -> usize {
        let coming = |other: &Other| other.coming.as_ref().map_or(0, |all| all.known.weight());
        let weight = |other: &Other| other.known.weight() + coming(other);
        let held: usize = self.of.values().map(weight).sum();
        limit::FLEET_PLACES_MAX.saturating_sub(held)
    }

    /// Whom to ask for everything, now. Who cannot tell it, or for whom there is no room, is asked
    /// ever more rarely.
    pub(super) fn lacking(&mut self, now: Time) -> Vec<ProcessId> {
        let lacks = |other: &Other| other.number.is_none() && other.ask_at <= now;
        let mut ids = Vec::new();
        for (id, other) in self.of.iter_mut().filter(|(_, other)| lacks(other)) {
            other.ask_at = now + other.ask_wait;
            other.ask_wait = (other.ask_wait * 2).min(limit::FLEET_ASK_WAIT_MAX);
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
    pub(super) fn expire(&mut self, now: Time) -> Vec<Gone> {
        let silent = self.of.extract_if(.., |_, other| other.end <= now);
        silent.map(|(id, other)| other.gone(id)).collect()
    }

    /// Forgets a process.
    pub(super) fn remove(&mut self, id: ProcessId) -> Option<Gone> {
        self.of.remove(&id).map(|other| other.gone(id))
    }

    /// Forgets all of them, and what they have said.
    pub(super) fn clear(&mut self, now: Time) -> Vec<Gone> {
        let before = std::mem::replace(self, Self::new(now));
        before.of.into_iter().map(|(id, other)| other.gone(id)).collect()
    }

    /// Takes note that a process wants to be told everything.
    pub(super) fn ask(&mut self, id: ProcessId) {
        if let Some(other) = self.of.get_mut(&id) {
            other.asks = true;
        }
    }

    /// When somebody may be told everything.
    pub(super) fn ask_due(&self) -> Option<Time> {
        self.of.values().filter(|other| other.asks).map(|other| other.tell_from).min()
    }

    /// Who is to be told everything: who may be and waits longest.
    pub(super) fn asker(&mut self, now: Time) -> Option<ProcessId> {
        let waits = self.of.iter_mut().filter(|(_, other)| other.asks && other.tell_from <= now);
        let (id, other) = waits.min_by_key(|(_, other)| other.tell_from)?;
        other.asks = false;
        Some(*id)
    }

    /// Takes note that a process is told everything, which is not done again at once. False when it
    /// is gone.
    pub(super) fn told(&mut self, now: Time, id: ProcessId) -> bool {
        let Some(other) = self.of.get_mut(&id) else { return false };
        other.tell_from = now + limit::FLEET_TELL_EVERY;
        true
    }

    /// What each process has of a swarm.
    pub(super) fn of_swarm(&self, info_hash: InfoHash) -> impl Iterator<Item = (ProcessId, &Far)> {
        self.of
            .iter()
            .filter_map(move |(id, other)| other.known.of_swarm(info_hash).map(|far| (*id, far)))
    }

    /// The peers that are part of a process.
    pub(super) fn peers(&self) -> impl Iterator<Item = PeerId> {
        self.of.values().filter_map(|other| other.peer)
    }

    /// The processes that bridge.
    pub(super) fn bridging(&self) -> impl Iterator<Item = ProcessId> {
        self.of.iter().filter(|(_, other)| other.bridges).map(|(id, _)| *id)
    }
}

/// Which of these processes bridges a torrent: all that see the same processes choose the same
/// one, and when it is gone only its torrents get another (rendezvous hashing).
pub(super) fn owner(
    info_hash: InfoHash,
    processes: impl Iterator<Item = ProcessId>,
) -> Option<ProcessId> {
    processes.max_by_key(|id| claim(info_hash, *id))
}

/// Which of these processes bridges a torrent that this one has no room for. Nobody is asked twice
/// who is asked in this order.
pub(super) fn next_owner(
    info_hash: InfoHash,
    full: ProcessId,
    processes: impl Iterator<Item = ProcessId>,
) -> Option<ProcessId> {
    let most = claim(info_hash, full);
    owner(info_hash, processes.filter(|id| claim(info_hash, *id) < most))
}

/// How good a claim a process has to a torrent.
fn claim(info_hash: InfoHash, id: ProcessId) -> Digest1 {
    sha1(&[id.0.as_slice(), &info_hash.0].concat())
}

#[cfg(test)]
mod tests;
