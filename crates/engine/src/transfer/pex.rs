//! Peer exchange (BEP 11): tells each peer where the others can be dialled, and takes what it
//! tells. A torrent that is private, or may be, has none (BEP 27).

use core::net::SocketAddr;

use headwater_base::LinkId;
use headwater_wire::Message;
use headwater_wire::extended::{Extension, Handshake, PexFlags, PexMessage, PexPeer};

use super::Transfer;
use crate::desk::Desk;
use crate::discovery::may_name;
use crate::peer::Peer;
use crate::timer::Timer;
use crate::{CloseReason, limit};

impl Transfer {
    /// Takes what a peer's extension handshake says of where it is, and where we are.
    pub(super) fn learn_place(&mut self, desk: &mut Desk, link: LinkId, said: &Handshake) {
        let Some(peer) = self.peers.get_mut(&link) else { return };
        if said.ids.contains_key(Extension::Pex.name()) {
            peer.exchange.id = said.id_of(Extension::Pex);
        }
        peer.place.port = said.port.or(peer.place.port);
        if let (Some(voter), Some(ours)) = (peer.place.from, said.your_ip) {
            desk.discovery.seen_at(voter, ours);
        }
        self.locate(desk, link);
        self.plan_pex(desk);
    }

    /// Tells discovery where a peer can be dialled, and has the others told.
    pub(super) fn locate(&mut self, desk: &mut Desk, link: LinkId) {
        let Some(peer) = self.peers.get(&link).filter(|peer| peer.is_joined()) else { return };
        if let Some(address) = peer.place.address() {
            desk.discovery.located(desk.now, (self.id, link), address);
            self.plan_pex(desk);
        }
    }

    /// Tells a peer that has a DHT node the port of ours (BEP 5).
    pub(super) fn say_dht_port(&mut self, desk: &Desk, link: LinkId) {
        if let Some(port) = self.dht_port(desk, link)
            && let Some(peer) = self.peers.get_mut(&link).filter(|peer| peer.place.node)
        {
            peer.outbox.say(&Message::Port(port));
        }
    }

    /// The port of our DHT node, for a peer that reaches it at the address it knows us by; a
    /// private torrent has none (BEP 27).
    pub(super) fn dht_port(&self, desk: &Desk, link: LinkId) -> Option<u16> {
        let private = self.metainfo.as_ref().is_some_and(|metainfo| metainfo.private);
        let place = self.peers.get(&link).map(|peer| &peer.place).filter(|place| place.direct)?;
        desk.discovery.dht_for(place.from).filter(|_| !private)
    }

    /// Tells every peer anew at which ports it reaches us.
    pub(crate) fn say_ports(&mut self, desk: &mut Desk) {
        let links: Vec<LinkId> = self.peers.iter().map(|(link, _)| *link).collect();
        for link in links {
            self.say_extensions(desk, link);
            self.say_dht_port(desk, link);
        }
    }

    /// Has every peer that speaks it told what is news to it, as soon as it may be.
    pub(super) fn plan_pex(&self, desk: &mut Desk) {
        if !self.is_public() {
            return;
        }
        let soon = desk.now + limit::PEX_SOON;
        for peer in self.peers.values().filter(|peer| peer.exchange.id.is_some()) {
            let at = peer.exchange.told_at.map_or(soon, |told| soon.max(told + limit::PEX_EVERY));
            desk.timers.start(Timer::Pex(peer.link), at);
        }
    }

    /// Tells one peer who came and who went since it was told last.
    pub(super) fn pex_due(&mut self, desk: &mut Desk, link: LinkId) {
        let Some(peer) = self.peers.get(&link) else { return };
        let Some(id) = peer.exchange.id else { return };
        let all = self.tellable(peer);
        let news = all.iter().filter(|one| !peer.exchange.told.contains(&one.address));
        let is_there = |address: &SocketAddr| all.iter().any(|one| one.address == *address);
        let gone = peer.exchange.told.iter().filter(|address| !is_there(address));
        let message = PexMessage {
            added: news.take(limit::PEX_TOLD_MAX).copied().collect(),
            dropped: gone.take(limit::PEX_TOLD_MAX).copied().collect(),
        };
        if message == PexMessage::default() {
            return;
        }
        let Some(peer) = self.peers.get_mut(&link) else { return };
        let told = &mut peer.exchange.told;
        told.retain(|address| !message.dropped.contains(address));
        told.extend(message.added.iter().map(|peer| peer.address));
        peer.exchange.told_at = Some(desk.now);
        peer.outbox.say(&Message::Extended { id, payload: message.encode() });
        desk.kicks.insert((self.id, link));
        if all.len() != peer.exchange.told.len() {
            desk.set(Timer::Pex(link), limit::PEX_EVERY);
        }
    }

    /// Whom a peer may be told of: all that can be dialled but itself, and no seed for a seed.
    fn tellable(&self, to: &Peer) -> Vec<PexPeer> {
        let has_all = |peer: &Peer| peer.is_seed() || peer.upload_only;
        let useful = |peer: &&Peer| {
            let idle = has_all(to) && has_all(peer);
            peer.is_joined() && peer.id != to.id && !peer.retiring && !idle
        };
        let tell = |peer: &Peer| {
            let address = peer.place.address()?;
            let seed = if has_all(peer) { PexFlags::SEED } else { PexFlags::default() };
            let dialled = peer.place.dialled.map_or(PexFlags::default(), |_| PexFlags::REACHABLE);
            // Under another name it may be there still, dead since it came back.
            let other = Some(address) != to.place.address();
            let tells = other && may_name(address.ip(), to.place.from);
            tells.then_some(PexPeer { address, flags: seed.with(dialled) })
        };
        let mut all: Vec<PexPeer> = Vec::new();
        for peer in self.peers.values().filter(useful).filter_map(tell) {
            if !all.iter().any(|known| known.address == peer.address) {
                all.push(peer);
            }
        }
        all
    }

    /// Takes whom a peer tells of; discovery knows whether that is of use.
    pub(super) fn pex_message(
        &mut self,
        desk: &mut Desk,
        link: LinkId,
        payload: &[u8],
    ) -> Result<(), CloseReason> {
        let Some(peer) = self.peers.get_mut(&link) else { return Ok(()) };
        if !peer.exchange.takes.take(desk.now) {
            return Err(CloseReason::Rule("peer exchanges peers too often"));
        }
        let message = PexMessage::decode(payload)?;
        desk.discovery.peers_told(desk.now, (self.id, link), peer.place.from, &message);
        Ok(())
    }

    /// Takes that a link is gone: whoever was there is not dialled again if that is of no use.
    pub(super) fn displace(&self, desk: &mut Desk, peer: &Peer, reason: &CloseReason) {
        if let Some(address) = peer.place.dialled.filter(|_| is_final(reason)) {
            desk.discovery.ban_address(self.id, address);
        }
        if peer.is_joined() && peer.place.address().is_some() {
            self.plan_pex(desk);
        }
    }
}

/// Whether a link ended for a reason that another one to the same place would end for.
fn is_final(reason: &CloseReason) -> bool {
    match reason {
        CloseReason::WrongSwarm
        | CloseReason::Ourselves
        | CloseReason::Banned
        | CloseReason::Poisoned(_)
        | CloseReason::FalseMetadata
        | CloseReason::FalseHashes(_)
        | CloseReason::Malformed(_)
        | CloseReason::Rule(_) => true,
        CloseReason::Remote
        | CloseReason::Unreachable
        | CloseReason::Stopped
        | CloseReason::Duplicate
        | CloseReason::Silent(_)
        | CloseReason::Useless
        | CloseReason::Crowded => false,
    }
}
