//! Tells other processes what swarms are here: what changed, and everything to who asks for it.

use std::collections::VecDeque;
use std::net::SocketAddr;

use headwater_base::{InfoHash, Time};

use super::message::{Dialled, Hex, ProcessId, Say, Size};
use super::{Fleet, To};
use crate::limit;
use crate::swarms::Swarms;
use crate::swarms::near::is_of_the_world;
use crate::swarms::swarm::{Peer, Swarm};

/// Everything, on its way to one process.
#[derive(Debug)]
pub(super) struct Telling {
    to: ProcessId,
    /// The number of the last `Swarms` before it.
    number: u64,
    /// Which part comes next, and what is in it and in those after it.
    part: u32,
    parts: VecDeque<Vec<InfoHash>>,
}

impl Fleet {
    /// When there is something to tell.
    pub(super) fn tell_due(&self) -> Option<Time> {
        let part = self.telling.as_ref().map(|_| self.part_at);
        let ask = self.others.ask_due().map(|at| at.max(self.part_at));
        self.tell_at.into_iter().chain(part.or(ask)).min()
    }
}

impl Swarms {
    pub(super) fn tell_changes(&mut self, now: Time) {
        let Some(fleet) = &mut self.fleet else { return };
        if fleet.tell_at.is_none_or(|at| at > now) {
            return;
        }
        (fleet.tell_at, fleet.tell_from) = (None, now + limit::FLEET_GATHER_SHORT);
        let changed = std::mem::take(&mut fleet.changed);
        for swarms in self.parts(changed.into_iter()) {
            let Some(fleet) = &mut self.fleet else { return };
            fleet.number += 1;
            let number = fleet.number;
            self.say(To::All, Say::Swarms { number, swarms });
        }
    }

    /// Answers who asked for everything, one after the other, a part at a time.
    pub(super) fn tell_everything(&mut self, now: Time) {
        let Some(fleet) = self.fleet.as_mut().filter(|fleet| fleet.part_at <= now) else { return };
        if fleet.telling.is_none() {
            let Some(to) = fleet.others.asker(now) else { return };
            let number = fleet.number;
            let parts = self.parts(self.swarms.keys().copied()).into_iter();
            let parts = parts.map(|part| part.iter().map(Size::info_hash).collect());
            let mut parts: VecDeque<_> = parts.collect();
            if parts.is_empty() {
                parts.push_back(Vec::new());
            }
            let Some(fleet) = &mut self.fleet else { return };
            fleet.telling = Some(Telling { to, number, part: 0, parts });
        }
        self.tell_part(now);
    }

    /// Tells the next part, as its swarms are by then: what changed since the first is told to all.
    fn tell_part(&mut self, now: Time) {
        let Some(fleet) = &mut self.fleet else { return };
        let Some(mut telling) = fleet.telling.take() else { return };
        fleet.part_at = now + limit::FLEET_STEP_EVERY;
        let is_there = fleet.others.told(now, telling.to);
        let Some(hashes) = telling.parts.pop_front().filter(|_| is_there) else { return };
        let Telling { to, number, part, .. } = telling;
        let parts = part + 1 + telling.parts.len() as u32;
        telling.part += 1;
        fleet.telling = (!telling.parts.is_empty()).then_some(telling);
        let mut room = limit::FLEET_WEIGHT_MAX - hashes.len();
        let mut sizes = Vec::new();
        for hash in hashes {
            let mut size = size(hash, self.swarms.get(&hash));
            size.dialled.truncate(room);
            room -= size.dialled.len();
            sizes.push(size);
        }
        self.say(To::One(to), Say::State { number, part, parts, swarms: sizes });
    }

    /// What swarms are, cut into what fits into a message.
    fn parts(&self, hashes: impl Iterator<Item = InfoHash>) -> Vec<Vec<Size>> {
        let mut parts = Vec::new();
        let (mut part, mut weight) = (Vec::new(), 0);
        for hash in hashes {
            let size = size(hash, self.swarms.get(&hash));
            if weight + size.weight() > limit::FLEET_WEIGHT_MAX {
                parts.push(std::mem::take(&mut part));
                weight = 0;
            }
            weight += size.weight();
            part.push(size);
        }
        if !part.is_empty() {
            parts.push(part);
        }
        parts
    }
}

/// What a swarm is. Of those that can be dialled only some are told, the same ones every time.
fn size(info_hash: InfoHash, swarm: Option<&Swarm>) -> Size {
    let none = Swarm::default();
    let swarm = swarm.unwrap_or(&none);
    let has_http = swarm.len() > swarm.sockets();
    let peers = swarm.peers().filter(|_| has_http);
    Size {
        hash: Hex(info_hash.0),
        complete: swarm.seeders() as u32,
        incomplete: swarm.leechers() as u32,
        sockets: swarm.sockets() as u32,
        dialled: peers.filter_map(dialled).take(limit::FLEET_DIALLED_MAX).collect(),
    }
}

fn dialled(peer: &Peer) -> Option<Dialled> {
    let at = peer.way.address().filter(can_be_dialled)?;
    Some(Dialled::new(peer.id, at, peer.seeder))
}

/// Addresses of a network are of no use in another, and who writes to the bus names none inside.
fn can_be_dialled(at: &SocketAddr) -> bool {
    at.port() != 0 && is_of_the_world(at.ip())
}

pub(super) fn checked(mut swarms: Vec<Size>) -> Vec<Size> {
    for size in &mut swarms {
        size.dialled.retain(|one| can_be_dialled(&one.at));
        // As it is told to those that read IPv4 alone.
        size.dialled.iter_mut().for_each(|one| one.at.set_ip(one.at.ip().to_canonical()));
    }
    swarms
}
