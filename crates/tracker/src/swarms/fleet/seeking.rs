//! Who bridges a torrent in a fleet, and who is told that somebody seeks it.

use core::ops::Bound;
use std::collections::BTreeSet;

use headwater_base::{InfoHash, PeerId, Time};

use super::message::{Hex, ProcessId, Say};
use super::others::Gone;
use super::{Fleet, To, others};
use crate::limit;
use crate::swarms::swarm::Swarm;
use crate::swarms::{SocketId, Sought, Step, Swarms};

/// A look at all swarms for those that processes bridged that are gone.
#[derive(Debug)]
pub(super) struct Search {
    gone: BTreeSet<ProcessId>,
    from: Bound<InfoHash>,
}

/// What a process was told of: a torrent, and the socket here that seeks it.
pub(super) type Told = (InfoHash, SocketId, ProcessId);

impl Swarms {
    /// Whether there is a bridge for the peers here: that of another process will do.
    pub(in crate::swarms) fn has_bridge(&self) -> bool {
        let other = |fleet: &Fleet| fleet.others.bridging().next().is_some();
        self.config.tells_seekers || self.fleet.as_ref().is_some_and(other)
    }

    /// Tells the bridge that a peer seeks a torrent: that of the fleet, if it is in one.
    pub(in crate::swarms) fn seek(&mut self, now: Time, sought: Sought) {
        let Some(fleet) = &mut self.fleet else {
            return self.steps.push_back(Step::Sought(sought));
        };
        if fleet.is_part(sought.peer_id) {
            return;
        }
        match fleet.owner(sought.info_hash) {
            Some(owner) if owner != fleet.member.id => self.tell_bridge(now, owner, sought),
            Some(_) => self.steps.push_back(Step::Sought(sought)),
            None => {}
        }
    }

    /// Hands on who seeks a torrent that the bridge here has no room for.
    pub(super) fn hand_on(&mut self, now: Time, sought: Sought) {
        let Some(fleet) = &self.fleet else { return };
        let (own, others) = (fleet.member.id, fleet.others.bridging());
        if let Some(next) = others::next_owner(sought.info_hash, own, others) {
            self.tell_bridge(now, next, sought);
        }
    }

    /// Tells a bridge at another process who seeks a torrent, unless it was told just now.
    fn tell_bridge(&mut self, now: Time, bridge: ProcessId, sought: Sought) {
        let Some(fleet) = &mut self.fleet else { return };
        // Whoever hands one of its own sockets to us counts time itself.
        if sought.process.is_none() && !fleet.is_news(now, bridge, &sought) {
            return;
        }
        let Sought { info_hash, peer_id, socket, trackers, process } = sought;
        let (hash, peer, socket) = (Hex(info_hash.0), Hex(peer_id.0), socket.0);
        let process = process.map(|process| Hex(process.0));
        self.say(To::One(bridge), Say::Sought { hash, peer, socket, process, trackers });
    }

    /// Seeks anew what processes bridged that are gone, a few torrents at a time: peers here may
    /// not announce for minutes.
    pub(super) fn search(&mut self, now: Time) {
        let has_bridge = self.has_bridge();
        let Some(fleet) = self.fleet.as_mut().filter(|fleet| fleet.search_at <= now) else {
            return;
        };
        let next = || Search { gone: std::mem::take(&mut fleet.gone), from: Bound::Unbounded };
        let mut search = fleet.search.take().unwrap_or_else(next);
        if search.gone.is_empty() || !has_bridge {
            return;
        }
        fleet.search_at = now + limit::FLEET_STEP_EVERY;
        let (mut found, mut looks) = (Vec::new(), limit::FLEET_SEARCH_STEP);
        let mut rest = self.swarms.range((search.from, Bound::Unbounded));
        let is_whole = loop {
            if looks == 0 || found.len() == limit::FLEET_SEARCH_FOUND {
                break false;
            }
            let Some((hash, swarm)) = rest.next() else { break true };
            looks -= 1;
            search.from = Bound::Excluded(*hash);
            found.extend(self.sought_anew(&search.gone, *hash, swarm));
        };
        if let Some(fleet) = self.fleet.as_mut().filter(|_| !is_whole) {
            fleet.search = Some(search);
        }
        found.into_iter().for_each(|sought| self.seek(now, sought));
    }

    /// Who seeks a torrent here that one of these bridged.
    fn sought_anew(
        &self,
        gone: &BTreeSet<ProcessId>,
        info_hash: InfoHash,
        swarm: &Swarm,
    ) -> Option<Sought> {
        let fleet = self.fleet.as_ref()?;
        let lacking = swarm.peers().filter(|peer| !peer.seeder);
        let mut lacking = lacking.filter_map(|peer| Some((peer.id, peer.way.socket()?)));
        let (peer_id, socket) = lacking.find(|(id, _)| !fleet.is_part(*id))?;
        let all = fleet.bridging().chain(gone.iter().copied());
        let had = others::owner(info_hash, all).is_some_and(|owner| gone.contains(&owner));
        let (trackers, process) = (Vec::new(), None);
        had.then_some(Sought { info_hash, peer_id, socket, trackers, process })
    }
}

impl Fleet {
    /// The process that bridges a torrent.
    fn owner(&self, info_hash: InfoHash) -> Option<ProcessId> {
        others::owner(info_hash, self.bridging())
    }

    /// The processes that bridge.
    fn bridging(&self) -> impl Iterator<Item = ProcessId> {
        let own = self.member.bridges.then_some(self.member.id);
        own.into_iter().chain(self.others.bridging())
    }

    /// Takes note of a process that is gone.
    pub(super) fn lost(&mut self, process: Gone) {
        if process.bridged && self.gone.len() < limit::FLEET_PROCESSES_MAX {
            self.gone.insert(process.id);
        }
        let Some(peer) = process.peer.filter(|peer| !self.parts.contains(peer)) else { return };
        if self.parts.len() >= limit::FLEET_PARTS_MAX {
            self.parts.pop_front();
        }
        self.parts.push_back(peer);
    }

    /// When something is to be sought anew.
    pub(super) fn search_due(&self) -> Option<Time> {
        (self.search.is_some() || !self.gone.is_empty()).then_some(self.search_at)
    }

    /// Whether a peer is part of a process of the fleet.
    pub(super) fn is_part(&self, peer: PeerId) -> bool {
        let mut parts = self.others.peers().chain(self.parts.iter().copied());
        self.member.peer == peer || parts.any(|part| part == peer)
    }

    /// Whether a bridge is to be told of a seeker here: not what it was told just now.
    fn is_news(&mut self, now: Time, bridge: ProcessId, sought: &Sought) -> bool {
        let told = (sought.info_hash, sought.socket, bridge);
        let names = !sought.trackers.is_empty();
        self.told.expire(now);
        // A tab names trackers only once it knows that there is a bridge.
        if self.told.look(&told).is_some_and(|named| named || !names) {
            return false;
        }
        let end = now + limit::FLEET_SOUGHT_EVERY;
        self.told.put(end, (told, names), limit::FLEET_SOUGHT_MAX);
        true
    }
}
