//! Who bridges a torrent in a fleet, and who is told that somebody seeks it.

use headwater_base::{InfoHash, PeerId, Time};

use super::message::{Hex, ProcessId, Say};
use super::{Fleet, To, others};
use crate::limit;
use crate::swarms::swarm::Swarm;
use crate::swarms::{SocketId, Sought, Step, Swarms};

/// What a process was told of: a torrent, and the socket that seeks it.
pub(super) type Told = (InfoHash, SocketId);

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
            Some(owner) if owner != fleet.member.id => {
                if !fleet.is_news(now, owner, &sought) {
                    return;
                }
                let Sought { info_hash, peer_id, socket, trackers, .. } = sought;
                let (hash, peer) = (Hex(info_hash.0), Hex(peer_id.0));
                self.say(To::One(owner), Say::Sought { hash, peer, socket: socket.0, trackers });
            }
            Some(_) => self.steps.push_back(Step::Sought(sought)),
            None => {}
        }
    }

    /// Seeks anew what a process bridged that is gone: peers here may not announce for minutes.
    pub(super) fn seek_anew(&mut self, now: Time, gone: ProcessId) {
        let Some(fleet) = self.fleet.as_ref().filter(|_| self.has_bridge()) else { return };
        let own = fleet.member.bridges.then_some(fleet.member.id);
        let had = |hash: InfoHash| {
            let all = own.into_iter().chain(fleet.others.bridging()).chain([gone]);
            others::owner(hash, all) == Some(gone)
        };
        let seeker = |(hash, swarm): (&InfoHash, &Swarm)| {
            let mut lacking = swarm.peers().filter(|peer| !peer.seeder && !fleet.is_part(peer.id));
            let (peer_id, socket) = lacking.find_map(|peer| Some((peer.id, peer.way.socket()?)))?;
            let (info_hash, trackers) = (*hash, Vec::new());
            let sought = Sought { info_hash, peer_id, socket, trackers, process: None };
            had(info_hash).then_some(sought)
        };
        let sought: Vec<Sought> = self.swarms.iter().filter_map(seeker).collect();
        sought.into_iter().for_each(|sought| self.seek(now, sought));
    }
}

impl Fleet {
    /// The process that bridges a torrent.
    pub(super) fn owner(&self, info_hash: InfoHash) -> Option<ProcessId> {
        let own = self.member.bridges.then_some(self.member.id);
        others::owner(info_hash, own.into_iter().chain(self.others.bridging()))
    }

    /// Whether a peer is part of a process of the fleet.
    pub(super) fn is_part(&self, peer: PeerId) -> bool {
        self.member.peer == peer || self.others.peers().any(|part| part == peer)
    }

    /// Whether the owner of a torrent is to be told of a seeker: not what it was told just now.
    fn is_news(&mut self, now: Time, owner: ProcessId, sought: &Sought) -> bool {
        let (told, names) = ((sought.info_hash, sought.socket), !sought.trackers.is_empty());
        self.told.expire(now);
        // A tab names trackers only once it knows that there is a bridge.
        let same = |(to, named): (ProcessId, bool)| to == owner && (named || !names);
        if self.told.look(&told).is_some_and(same) {
            return false;
        }
        let end = now + limit::FLEET_SOUGHT_EVERY;
        self.told.put(end, (told, (owner, names)), limit::FLEET_SOUGHT_MAX);
        true
    }
}
