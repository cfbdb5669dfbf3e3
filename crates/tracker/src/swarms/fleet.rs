//! One process's part in a fleet: what it tells the others of its swarms, which offers cross to
//! whom, and who bridges a torrent. A bus carries the messages, may lose any, and may be away:
//! then there are no others. What was lost is noticed by its number and asked for anew.

mod known;
mod message;
mod others;
mod pace;
mod seeking;
mod telling;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;

use headwater_base::{InfoHash, PeerId, Time};
use headwater_wire::tracker::{Answer, Offer, OfferId, TrackerMessage};

use super::recent::Recent;
use super::swarm::{Door, One};
use super::{SocketId, Sought, Step, Swarms};
use crate::limit;
use crate::stats::FleetStats;
pub use message::ProcessId;
use message::{Hex, Say, Sdp};
use others::Others;
use seeking::{Search, Told};
use telling::{Telling, checked};

/// This process, as the others know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub id: ProcessId,
    /// Whether it bridges torrents that browsers announce anywhere in the fleet.
    pub bridges: bool,
    /// What the peer that is part of it calls itself: no bridge is there for that one.
    pub peer: PeerId,
}

/// The other processes of a fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fellows {
    /// Those that live, as far as the bus tells.
    pub processes: BTreeSet<ProcessId>,
    /// The peers that are part of one, or were when it was heard last.
    pub peers: BTreeSet<PeerId>,
}

/// Something that happened to the fleet's bus.
#[derive(Clone, Debug)]
pub enum FleetInput {
    /// This process takes part from here on.
    Joined(Member),
    /// The bus can be used, for the first time or again.
    Up,
    /// The bus cannot be used.
    Down,
    /// It brought a message.
    Told(String),
    /// A message could not leave.
    Lost,
    /// The bridge of this process has no room for what a peer seeks.
    NoRoom(Sought),
}

/// Whom a message within a fleet is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// Every other process.
    All,
    /// One of them.
    One(ProcessId),
}

/// An offer that went to another process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Crossed {
    info_hash: InfoHash,
    from: PeerId,
    offer_id: OfferId,
}

/// What a process of a fleet knows besides its swarms.
#[derive(Debug)]
pub(super) struct Fleet {
    member: Member,
    up: bool,
    others: Others,
    /// Swarms that changed since the others were told.
    changed: BTreeSet<InfoHash>,
    /// When they are told, if anything changed, and how early they may be.
    tell_at: Option<Time>,
    tell_from: Time,
    /// The number of the last `Swarms`.
    number: u64,
    beat_at: Time,
    /// Everything, to who asked for it, and when the next part may go.
    telling: Option<Telling>,
    part_at: Time,
    crossed: Recent<Crossed, ProcessId>,
    /// What bridges were told of, and whether trackers were named.
    told: Recent<Told, bool>,
    /// Peers that were part of processes that are gone: as long as the bus is away, they may be
    /// there all the same, and links to them are none to browsers.
    parts: VecDeque<PeerId>,
    /// Bridges that are gone, whose torrents are to be sought anew, and how far that is.
    gone: BTreeSet<ProcessId>,
    search: Option<Search>,
    search_at: Time,
    stats: FleetStats,
}

impl Fleet {
    fn new(now: Time, member: Member) -> Self {
        Self {
            member,
            up: false,
            others: Others::new(now),
            changed: BTreeSet::new(),
            tell_at: None,
            tell_from: now,
            number: 0,
            beat_at: now,
            telling: None,
            part_at: now,
            crossed: Recent::default(),
            told: Recent::default(),
            parts: VecDeque::new(),
            gone: BTreeSet::new(),
            search: None,
            search_at: now,
            stats: FleetStats::default(),
        }
    }

    /// When there is something to do.
    pub(super) fn due(&self) -> Option<Time> {
        if !self.up {
            return self.search_due();
        }
        let dues = [Some(self.beat_at), self.tell_due(), self.search_due(), self.others.due()];
        dues.into_iter().flatten().chain(self.crossed.next_end()).min()
    }

    /// A message as a step.
    fn tell(&mut self, to: To, say: Say) -> Option<Step> {
        let Some(text) = message::encode(self.member.id, say).filter(|_| self.up) else {
            self.stats.dropped += 1;
            return None;
        };
        self.stats.sent += 1;
        Some(Step::Tell { to, text })
    }

    /// Takes note of a change of a swarm; an urgent one is told at once.
    pub(super) fn note(&mut self, now: Time, info_hash: InfoHash, urgent: bool) {
        if !self.up {
            return;
        }
        self.changed.insert(info_hash);
        let wait = if urgent { limit::FLEET_GATHER_SHORT } else { limit::FLEET_GATHER };
        // The first of many is not kept waiting for more.
        let at = if urgent { self.tell_from.max(now) } else { now + wait };
        self.tell_at = Some(self.tell_at.map_or(at, |before| before.min(at)));
    }

    /// Peers of a swarm at other processes, as told: those that have everything and those that do
    /// not.
    pub(super) fn count(&self, info_hash: InfoHash) -> (usize, usize) {
        self.others.of_swarm(info_hash).fold((0, 0), |(complete, incomplete), (_, far)| {
            (complete + far.complete as usize, incomplete + far.incomplete as usize)
        })
    }

    /// Addresses of peers at other processes that are of use to this one.
    pub(super) fn dialled(&self, info_hash: InfoHash, to: One) -> Vec<(PeerId, SocketAddr)> {
        let far = self.others.of_swarm(info_hash);
        far.flat_map(|(_, far)| &far.dialled)
            .filter(|one| one.peer.0 != to.id.0 && !(one.seeder && to.seeder))
            .map(|one| (PeerId(one.peer.0), one.at))
            .collect()
    }

    pub(super) fn stats(&self) -> FleetStats {
        FleetStats {
            up: u64::from(self.up),
            processes: self.others.len() as u64,
            swarms: self.others.swarms() as u64,
            ..self.stats
        }
    }
}

impl Swarms {
    /// The other processes of the fleet.
    pub fn fellows(&self) -> Fellows {
        let fellows = |fleet: &Fleet| Fellows {
            processes: fleet.others.ids().collect(),
            peers: fleet.others.peers().chain(fleet.parts.iter().copied()).collect(),
        };
        self.fleet.as_ref().map(fellows).unwrap_or_default()
    }

    /// Says that this process ends.
    pub fn leave_fleet(&mut self) {
        self.say(To::All, Say::Bye {});
    }

    pub(super) fn handle_fleet(&mut self, now: Time, input: FleetInput) {
        if let FleetInput::Joined(member) = input {
            self.fleet = Some(Fleet::new(now, member));
            return;
        }
        let Some(fleet) = &mut self.fleet else { return };
        match input {
            FleetInput::Joined(_) => {}
            FleetInput::Up => {
                (fleet.up, fleet.beat_at) = (true, now);
                // Whoever knew this process before asks for everything.
                fleet.number += 1;
            }
            FleetInput::Down => {
                fleet.up = false;
                let gone = fleet.others.clear(now);
                gone.into_iter().for_each(|gone| fleet.lost(gone));
                fleet.changed.clear();
                fleet.telling = None;
                fleet.tell_at = None;
            }
            FleetInput::Lost => fleet.stats.dropped += 1,
            FleetInput::NoRoom(sought) => self.hand_on(now, sought),
            FleetInput::Told(text) => {
                fleet.stats.received += 1;
                if !self.hear_fleet(now, &text)
                    && let Some(fleet) = &mut self.fleet
                {
                    fleet.stats.dropped += 1;
                }
            }
        }
        self.expire_fleet(now);
    }

    /// Takes a message of another process. False when it is of no use.
    fn hear_fleet(&mut self, now: Time, text: &str) -> bool {
        let Some(fleet) = self.fleet.as_mut().filter(|fleet| fleet.up) else { return false };
        let Some((from, kind)) = message::look(text) else { return false };
        let is_new = !fleet.others.knows(from);
        if from == fleet.member.id || !fleet.others.hear(now, from, kind) {
            return false;
        }
        if is_new {
            // It would take this one for no bridge until it beats.
            self.tell_beat(To::One(from));
        }
        let Some((_, say)) = message::decode(text) else { return false };
        let Some(fleet) = &mut self.fleet else { return false };
        let others = &mut fleet.others;
        match say {
            Say::Beat { bridges, peer, number } => {
                others.beat(from, (bridges, PeerId(peer.0)), number);
            }
            Say::Swarms { number, swarms } => return others.change(from, number, &checked(swarms)),
            Say::State { number, part, parts, swarms } => {
                return others.whole(now, from, (number, part, parts), &checked(swarms));
            }
            Say::Ask {} => {
                others.ask(from);
            }
            Say::Offers { hash, peer, seeder, offers } => {
                let one = One { id: PeerId(peer.0), seeder };
                let offers = offers.into_iter().map(Sdp::offer).collect();
                self.give(now, InfoHash(hash.0), one, offers, Some(from));
            }
            Say::Answer { hash, peer, to, answer } => {
                let Offer { offer_id, sdp } = answer.offer();
                let answer = Answer {
                    info_hash: InfoHash(hash.0),
                    peer_id: PeerId(peer.0),
                    to_peer_id: PeerId(to.0),
                    offer_id,
                    sdp,
                    left: None,
                    tracker_id: None,
                };
                return self.answer_from_afar(from, answer);
            }
            Say::Sought { hash, peer, socket, process, trackers } => {
                if !fleet.member.bridges || !self.config.tells_seekers {
                    return false;
                }
                let (info_hash, peer_id) = (InfoHash(hash.0), PeerId(peer.0));
                let process = process.map_or(from, |process| ProcessId(process.0));
                // What was handed on may come back to where its socket is.
                let process = Some(process).filter(|process| *process != fleet.member.id);
                let socket = SocketId(socket);
                let sought = Sought { info_hash, peer_id, socket, trackers, process };
                self.steps.push_back(Step::Sought(sought));
            }
            Say::Bye {} => {
                if let Some(gone) = others.remove(from) {
                    fleet.lost(gone);
                }
            }
        }
        true
    }

    /// Does what is due.
    pub(super) fn expire_fleet(&mut self, now: Time) {
        self.search(now);
        let Some(fleet) = self.fleet.as_mut().filter(|fleet| fleet.up) else { return };
        fleet.crossed.expire(now);
        for gone in fleet.others.expire(now) {
            fleet.lost(gone);
        }
        let asked = fleet.others.lacking(now);
        for id in asked {
            self.say(To::One(id), Say::Ask {});
        }
        self.tell_changes(now);
        self.tell_everything(now);
        self.beat(now);
    }

    fn beat(&mut self, now: Time) {
        let Some(fleet) = self.fleet.as_mut().filter(|fleet| fleet.beat_at <= now) else { return };
        fleet.beat_at = now + limit::FLEET_BEAT;
        self.tell_beat(To::All);
    }

    fn tell_beat(&mut self, to: To) {
        let Some(fleet) = &self.fleet else { return };
        let Member { bridges, peer, .. } = fleet.member;
        let say = Say::Beat { bridges, peer: Hex(peer.0), number: fleet.number };
        self.say(to, say);
    }

    /// How many of so many offers go to other processes: those that find no peer here, and some of
    /// the others, since a swarm would fall into parts that never meet.
    pub(super) fn crossing(&mut self, info_hash: InfoHash, from: One, offers: usize) -> usize {
        let Some(fleet) = &self.fleet else { return 0 };
        let takers = fleet.others.of_swarm(info_hash).map(|(_, far)| far.takers(from.seeder));
        let takers: usize = takers.map(|takers| takers as usize).sum();
        if takers == 0 {
            return 0;
        }
        let here = self.swarms.get(&info_hash).map_or(0, |swarm| swarm.takers(from));
        let mixed = match offers {
            0 => 0,
            1 => self.rng.below(2) as usize,
            _ => offers.div_ceil(5),
        };
        takers.min(mixed.max(offers - here.min(offers)))
    }

    /// Hands offers to other processes, to each as often as it has peers in proportion.
    pub(super) fn cross(&mut self, now: Time, info_hash: InfoHash, from: One, offers: Vec<Offer>) {
        let Some(fleet) = &mut self.fleet else { return };
        let far = fleet.others.of_swarm(info_hash);
        let mut takers: Vec<_> =
            far.map(|(id, far)| (id, u64::from(far.takers(from.seeder)))).collect();
        let mut shares: BTreeMap<ProcessId, Vec<Sdp>> = BTreeMap::new();
        for Offer { offer_id, sdp } in offers {
            let all: u64 = takers.iter().map(|(_, count)| count).sum();
            if all == 0 {
                break;
            }
            let mut at = self.rng.below(all);
            let drawn = takers.iter_mut().find(|(_, count)| {
                let here = at < *count;
                at = at.saturating_sub(*count);
                here
            });
            let Some((id, count)) = drawn else { break };
            *count -= 1;
            let crossed = Crossed { info_hash, from: from.id, offer_id };
            let end = now + self.config.offer_life;
            fleet.crossed.put(end, (crossed, *id), self.config.offers_remembered_max);
            fleet.stats.offers_crossed += 1;
            shares.entry(*id).or_default().push(Sdp::new(offer_id, &sdp));
        }
        for (id, offers) in shares {
            let (hash, peer) = (Hex(info_hash.0), Hex(from.id.0));
            self.say(To::One(id), Say::Offers { hash, peer, seeder: from.seeder, offers });
        }
    }

    /// Carries an answer to the process of whose offer it was.
    pub(super) fn answer_afar(&mut self, process: ProcessId, answer: Answer) {
        let Answer { info_hash, peer_id, to_peer_id, offer_id, sdp, .. } = answer;
        self.stats.answers_relayed += 1;
        let (hash, peer, to) = (Hex(info_hash.0), Hex(peer_id.0), Hex(to_peer_id.0));
        let answer = Sdp::new(offer_id, &sdp);
        self.say(To::One(process), Say::Answer { hash, peer, to, answer });
    }

    /// Takes an answer if it comes from the process that the offer went to.
    fn answer_from_afar(&mut self, from: ProcessId, answer: Answer) -> bool {
        let Answer { info_hash, peer_id, to_peer_id, offer_id, sdp, .. } = answer;
        let crossed = Crossed { info_hash, from: to_peer_id, offer_id };
        let Some(fleet) = &mut self.fleet else { return false };
        if fleet.crossed.look(&crossed) != Some(from) {
            return false;
        }
        fleet.crossed.take(&crossed);
        let swarm = self.swarms.get(&info_hash);
        let maker = swarm.and_then(|swarm| swarm.lookup(to_peer_id, Door::Socket));
        let Some(socket) = maker.and_then(|maker| maker.way.socket()) else { return false };
        self.send(socket, TrackerMessage::Answer { info_hash, peer_id, offer_id, sdp });
        self.stats.answers_relayed += 1;
        true
    }

    fn say(&mut self, to: To, say: Say) {
        let step = self.fleet.as_mut().and_then(|fleet| fleet.tell(to, say));
        self.steps.extend(step);
    }
}

#[cfg(test)]
mod tests;
