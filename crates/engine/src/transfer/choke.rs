//! Gives out upload slots: to those who give most while we lack pieces, in turn once we have all,
//! and one to somebody at random, who may turn out to give.

use core::cmp::Reverse;
use core::time::Duration;

use headwater_base::{LinkId, Set};
use headwater_wire::Message;

use super::{Stage, Transfer};
use crate::desk::Desk;
use crate::limit;
use crate::peer::{Peer, Tally};
use crate::picker::Picker;
use crate::timer::Timer;

/// Who has the optimistic slot, and since how many rounds.
#[derive(Debug, Default)]
pub(super) struct Slots {
    optimistic: Option<LinkId>,
    rounds: u32,
}

impl Transfer {
    /// Takes whether a peer wants something of us.
    pub(super) fn wanted_by(&mut self, desk: &mut Desk, link: LinkId, interested: bool) {
        if let Some(peer) = self.peers.get_mut(&link) {
            peer.interested = interested;
            if !interested {
                self.choke(desk, link);
            } else {
                self.grant_fast(link, desk.config.allowed_fast);
            }
            self.watch_use(desk, link);
            self.fill_slots(desk);
        }
    }

    /// Gives free slots to those who wait, without taking any away.
    pub(super) fn fill_slots(&mut self, desk: &mut Desk) {
        if self.stage != Stage::Running {
            return;
        }
        let served = self.peers.values().filter(|peer| !peer.choked).count();
        let free = (limit::UPLOAD_SLOTS + 1).saturating_sub(served);
        let waiting: Vec<LinkId> = self
            .ranked(desk)
            .into_iter()
            .filter(|link| self.peers[link].choked)
            .take(free)
            .collect();
        for link in waiting {
            self.unchoke(desk, link);
        }
        if self.peers.values().any(needs_rounds) {
            desk.timers.start(Timer::Choke(self.id), desk.now + limit::CHOKE_ROUND);
        }
    }

    /// Peers that want something of us, best first.
    fn ranked(&self, desk: &Desk) -> Vec<LinkId> {
        let seeding = self.picker.as_ref().is_some_and(Picker::is_done);
        let rank = |peer: &Peer| {
            if seeding {
                let turn_over =
                    !peer.choked && desk.now.since(peer.served_since) >= limit::SLOT_TURN;
                (turn_over, Reverse(peer.sent.total() - peer.tallies[0].sent), peer.link)
            } else {
                let given = peer.fetched.total() - peer.tallies[0].fetched;
                (is_ungrateful(peer, desk), Reverse(given), peer.link)
            }
        };
        let wanting = self.peers.values().filter(|peer| peer.interested && peer.told_pieces);
        let mut ranks: Vec<_> = wanting.map(rank).collect();
        ranks.sort_unstable();
        ranks.into_iter().map(|(_, _, link)| link).collect()
    }

    pub(super) fn choke_due(&mut self, desk: &mut Desk) {
        let ranked = self.ranked(desk);
        for peer in self.peers.values_mut() {
            let tally = Tally { sent: peer.sent.total(), fetched: peer.fetched.total() };
            peer.tallies = [peer.tallies[1], tally];
        }
        let mut served: Set<LinkId> = ranked.iter().copied().take(limit::UPLOAD_SLOTS).collect();
        let others: Vec<LinkId> = ranked.into_iter().skip(limit::UPLOAD_SLOTS).collect();
        self.slots.rounds += 1;
        let stays = self.slots.optimistic.filter(|link| others.contains(link));
        if stays.is_none() || self.slots.rounds >= limit::OPTIMISTIC_ROUNDS {
            let waiting: Vec<LinkId> =
                others.iter().copied().filter(|link| Some(*link) != stays).collect();
            let pick = desk.rng.pick(waiting.len()).map(|at| waiting[at]);
            self.slots = Slots { optimistic: pick.or(stays), rounds: 0 };
        }
        served.extend(self.slots.optimistic);
        let links: Vec<LinkId> = self.peers.keys().copied().collect();
        for link in links {
            if served.contains(&link) {
                self.unchoke(desk, link);
            } else {
                self.choke(desk, link);
            }
        }
        self.reveal_due(desk);
        if self.peers.values().any(needs_rounds) {
            desk.set(Timer::Choke(self.id), limit::CHOKE_ROUND);
        }
    }

    fn unchoke(&mut self, desk: &mut Desk, link: LinkId) {
        if let Some(peer) = self.peers.get_mut(&link)
            && peer.choked
        {
            peer.choked = false;
            peer.served_since = desk.now;
            peer.outbox.say(&Message::Unchoke);
            desk.kicks.insert((self.id, link));
        }
    }

    fn choke(&mut self, desk: &mut Desk, link: LinkId) {
        if let Some(peer) = self.peers.get_mut(&link)
            && !peer.choked
        {
            peer.choked = true;
            peer.outbox.say(&Message::Choke);
            let granted = peer.fast_pieces.granted();
            Self::refuse(peer, |span| !granted.contains(&span.piece));
            desk.kicks.insert((self.id, link));
        }
    }
}

/// Whether a peer is a reason to look at slots and at what it is shown every now and then.
fn needs_rounds(peer: &Peer) -> bool {
    peer.interested || peer.reveal.is_some()
}

/// Whether a peer was served for long, could give us something, and gave nothing.
fn is_ungrateful(peer: &Peer, desk: &Desk) -> bool {
    let silent_for: Duration = desk.now.since(peer.last_block.max(peer.served_since));
    !peer.choked && peer.interesting && silent_for >= limit::ANTI_SNUB
}
