//! The life of a link: opened, handshaken, doubled, silent, closed.

use bytes::Bytes;
use headwater_base::{InfoHash, LinkId, PeerId, PieceIndex};
use headwater_wire::{Handshake, Message, Reserved};

use super::{Stage, Transfer};
use crate::desk::Desk;
use crate::discovery::{Expected, Role};
use crate::peer::{Limits, Peer, Place};
use crate::timer::Timer;
use crate::{Action, CloseReason, Event, limit};

impl Transfer {
    /// Takes a link that opened. Both sides send their handshake at once.
    pub(crate) fn linked(
        &mut self,
        desk: &mut Desk,
        (link, role): (LinkId, Role),
        window: usize,
        who: Expected,
    ) {
        let banned = who.peer.is_some_and(|peer| self.blame.is_banned(peer));
        if !self.is_active() || banned {
            desk.links.remove(&link);
            desk.discovery.link_over(desk.now, link);
            desk.act(Action::CloseLink(link));
            return;
        }
        let limits = Limits {
            upload: desk.config.peer_upload_limit,
            download: desk.config.peer_download_limit,
        };
        let mut peer = Peer::new(link, role, window, desk.now, limits);
        peer.introduced = who.peer.filter(|_| who.introduced);
        peer.place =
            Place { direct: who.direct, from: who.from, dialled: who.dialled, ..Place::default() };
        if let Some(metainfo) = &self.metainfo {
            peer.decoder.set_pieces(metainfo.piece_count());
        }
        peer.info_hash = who.hash.unwrap_or(self.info_hash);
        let waits = self.may_upgrade(peer.info_hash) && role == Role::Answered;
        self.peers.insert(link, peer);
        if waits {
            // BEP 52: who accepts a link answers with the v2 hash where both sides know it.
            desk.set(Timer::Greet(link), limit::GREET_PATIENCE);
        } else {
            self.greet(desk, link, None);
        }
        desk.set(Timer::Handshake(link), limit::HANDSHAKE_PATIENCE);
        desk.set(Timer::KeepAlive(link), limit::KEEP_ALIVE);
        desk.set(Timer::Silence(link), limit::SILENCE);
        self.tell_discovery(desk);
    }

    /// Takes what a link says of its window.
    pub(crate) fn writable(&mut self, desk: &mut Desk, link: LinkId, window: usize) {
        if let Some(peer) = self.peers.get_mut(&link) {
            peer.outbox.set_window(window);
            desk.kicks.insert((self.id, link));
        }
    }

    /// Takes bytes of a link.
    pub(crate) fn received(&mut self, desk: &mut Desk, link: LinkId, bytes: Bytes) {
        let Some(peer) = self.peers.get_mut(&link) else { return };
        peer.heard_at = desk.now;
        peer.decoder.push(bytes);
        desk.kicks.insert((self.id, link));
        if let Err(reason) = self.read(desk, link) {
            self.close(desk, link, reason);
        }
    }

    fn read(&mut self, desk: &mut Desk, link: LinkId) -> Result<(), CloseReason> {
        if let Some(peer) = self.peers.get_mut(&link)
            && let Some(handshake) = peer.decoder.next_handshake()?
        {
            self.greeted(desk, link, &handshake)?;
        }
        while let Some(peer) = self.peers.get_mut(&link)
            && let Some(message) = peer.decoder.next_message()?
        {
            self.heard(desk, link, message)?;
        }
        Ok(())
    }

    fn greeted(
        &mut self,
        desk: &mut Desk,
        link: LinkId,
        handshake: &Handshake,
    ) -> Result<(), CloseReason> {
        let Some(says_v2) = self.swarm_of(link, handshake) else {
            return Err(CloseReason::WrongSwarm);
        };
        if handshake.peer_id == desk.config.peer_id {
            return Err(CloseReason::Ourselves);
        }
        if self.blame.is_banned(handshake.peer_id) {
            return Err(CloseReason::Banned);
        }
        if !self.is_expected(link, handshake.peer_id) {
            return Err(CloseReason::Rule("peer is not the one that was introduced"));
        }
        let cut = self.cut();
        let Some(peer) = self.peers.get_mut(&link) else { return Ok(()) };
        let may = !peer.greeted || cut == Some(peer.info_hash);
        let upgrades = may && (says_v2 || handshake.reserved.has_v2());
        peer.v2 = says_v2 || upgrades;
        peer.id = Some(handshake.peer_id);
        peer.joined_at = desk.now;
        peer.fast = handshake.reserved.has_fast();
        peer.extended = handshake.reserved.has_extension();
        peer.place.node = handshake.reserved.has_dht();
        desk.timers.clear(Timer::Handshake(link));
        self.greet(desk, link, cut.filter(|_| upgrades));
        desk.discovery.peer_known(self.id, handshake.peer_id, true);
        let peer = handshake.peer_id;
        desk.tell(Event::PeerJoined { torrent: self.id, link, peer });
        // BEP 6: what we have comes first.
        self.tell_pieces(desk, link);
        self.say_extensions(desk, link);
        self.say_dht_port(desk, link);
        self.locate(desk, link);
        self.grant_fast(link, desk.config.allowed_fast);
        if let Some(picker) = &self.picker {
            let count = picker.count();
            self.settle_claims(desk, link, count)?;
        }
        self.reconsider(desk, link);
        self.settle_double(desk, peer);
        self.ask_layers(desk);
        Ok(())
    }

    /// Says who we are, once, by the hash both sides are here for or a better one, and that we
    /// would rather speak v2 where that is not said by the hash itself.
    fn greet(&mut self, desk: &mut Desk, link: LinkId, better: Option<InfoHash>) {
        let Some(peer) = self.peers.get(&link).filter(|peer| !peer.greeted) else { return };
        let info_hash = better.unwrap_or(peer.info_hash);
        let may_upgrade = self.may_upgrade(info_hash);
        let has_node = self.dht_port(desk, link).is_some();
        let Some(peer) = self.peers.get_mut(&link) else { return };
        let reserved = Reserved::default().with_extension().with_fast();
        let reserved = if may_upgrade { reserved.with_v2() } else { reserved };
        let reserved = if has_node { reserved.with_dht() } else { reserved };
        let handshake = Handshake { info_hash, peer_id: desk.config.peer_id, reserved };
        peer.greeted = true;
        peer.outbox.say_raw(&handshake.to_bytes());
        peer.outbox.flush(desk);
        desk.timers.clear(Timer::Greet(link));
    }

    pub(super) fn greet_due(&mut self, desk: &mut Desk, link: LinkId) {
        self.greet(desk, link, None);
    }

    /// Whether the torrent has a hash of v2 that is not this one.
    fn may_upgrade(&self, hash: InfoHash) -> bool {
        self.cut().is_some_and(|cut| cut != hash)
    }

    /// Whether a hash is that of v2, when it is one of ours.
    pub(crate) fn version_of(&self, hash: InfoHash) -> Option<bool> {
        self.hashes().contains(&hash).then(|| self.cut() == Some(hash))
    }

    /// Whether a handshake speaks of v2, when it is of this torrent.
    fn swarm_of(&self, link: LinkId, handshake: &Handshake) -> Option<bool> {
        let hash = handshake.info_hash;
        if let Some(known) = self.version_of(hash) {
            return Some(known);
        }
        // libtorrent 2.1 over WebRTC says nothing at all in v2 alone, and in a hybrid the hash of
        // v1, which who knows that of v2 alone cannot tell; the tracker named the swarm.
        let peer = self.peers.get(&link)?;
        let may_be_hybrid = self.metainfo.is_none() && handshake.reserved.has_v2();
        let is_ours = hash == InfoHash([0; 20]) || may_be_hybrid;
        (self.cut() == Some(peer.info_hash) && is_ours).then_some(true)
    }

    /// Says what we have, once that is known.
    pub(super) fn tell_pieces(&mut self, desk: &mut Desk, link: LinkId) {
        let revealing = self.is_revealing();
        let (Some(peer), Some(picker)) = (self.peers.get(&link), &self.picker) else { return };
        if self.stage != Stage::Running || !peer.is_joined() || peer.told_pieces {
            return;
        }
        if revealing {
            self.begin_reveal(desk, link);
            return;
        }
        let have = self.shown_to(peer, picker);
        let told = if peer.fast && have.is_full() && !have.is_empty() {
            Some(Message::HaveAll)
        } else if have.is_empty() {
            peer.fast.then_some(Message::HaveNone)
        } else {
            Some(Message::Bitfield(Bytes::copy_from_slice(have.as_bytes())))
        };
        let Some(peer) = self.peers.get_mut(&link) else { return };
        peer.told_pieces = true;
        if let Some(message) = told {
            peer.outbox.say(&message);
        }
    }

    /// Turns what a peer said of its pieces before they could be counted into what it has.
    pub(super) fn settle_claims(
        &mut self,
        desk: &mut Desk,
        link: LinkId,
        count: u32,
    ) -> Result<(), CloseReason> {
        let Some(peer) = self.peers.get_mut(&link) else { return Ok(()) };
        peer.decoder.set_pieces(count);
        let has = peer.early.settle(count);
        let has = has.ok_or(CloseReason::Rule("peer claims pieces that do not exist"))?;
        self.set_pieces(desk, link, has);
        Ok(())
    }

    /// Two links to one peer: both ends keep the one whose offerer has the smaller id. The side
    /// with the smaller id closes the other; should it not, the other side does later. Until
    /// then both carry data, so that a peer with rules of its own ends with one link too.
    fn settle_double(&mut self, desk: &mut Desk, peer: PeerId) {
        let links: Vec<LinkId> = self.links_to(desk, peer);
        let Some((&kept, others)) = links.split_first() else { return };
        let places: Vec<Place> = others.iter().map(|link| self.peers[link].place.clone()).collect();
        if let Some(known) = self.peers.get_mut(&kept) {
            known.retiring = false;
            places.iter().for_each(|place| known.place.learn(place));
            desk.timers.clear(Timer::Retire(kept));
            if !others.is_empty() {
                // A sign of life, without which the other side will not let the other link go.
                known.outbox.say(&Message::KeepAlive);
            }
            desk.kicks.insert((self.id, kept));
        }
        let small = desk.config.peer_id < peer;
        let grace = if small { limit::RETIRE_SOON } else { limit::RETIRE_LATE };
        for &link in others {
            if let Some(known) = self.peers.get_mut(&link) {
                known.retiring = true;
                desk.set(Timer::Retire(link), grace);
                self.give_up_asked(desk, link);
            }
        }
        if !others.is_empty() {
            self.locate(desk, kept);
        }
    }

    /// The handshaken links to `peer`, the one to keep first.
    fn links_to(&self, desk: &Desk, peer: PeerId) -> Vec<LinkId> {
        let rank = |known: &Peer| {
            let offered = known.role == Role::Offered;
            // Of two that one side made, what it dialled costs less than what it offered.
            (offered != (desk.config.peer_id < peer), !known.place.direct)
        };
        let same = self.peers.values().filter(|known| known.id == Some(peer));
        let mut links: Vec<_> = same.map(|known| (rank(known), known.link)).collect();
        links.sort_unstable();
        links.into_iter().map(|(_, link)| link).collect()
    }

    pub(super) fn retire_due(&mut self, desk: &mut Desk, link: LinkId) {
        let Some((id, since)) =
            self.peers.get(&link).and_then(|peer| Some((peer.id?, peer.joined_at)))
        else {
            return;
        };
        let kept = self.links_to(desk, id).first().copied().filter(|kept| *kept != link);
        let Some(kept) = kept.and_then(|kept| self.peers.get(&kept)) else { return };
        if kept.heard_at >= since {
            self.close(desk, link, CloseReason::Duplicate);
        } else if let Some(peer) = self.peers.get_mut(&link) {
            // The link to keep may be dead without knowing: this one goes on until it speaks.
            peer.retiring = false;
            desk.set(Timer::Retire(link), limit::RETIRE_LATE);
            desk.kicks.insert((self.id, link));
        }
    }

    pub(super) fn handshake_due(&mut self, desk: &mut Desk, link: LinkId) {
        self.close(desk, link, CloseReason::Silent(limit::HANDSHAKE_PATIENCE.as_secs()));
    }

    pub(super) fn keep_alive_due(&mut self, desk: &mut Desk, link: LinkId) {
        let Some(peer) = self.peers.get_mut(&link) else { return };
        if !peer.outbox.take_spoke() && peer.is_joined() {
            peer.outbox.say(&Message::KeepAlive);
            peer.outbox.flush(desk);
            peer.outbox.take_spoke();
        }
        desk.set(Timer::KeepAlive(link), limit::KEEP_ALIVE);
    }

    pub(super) fn silence_due(&mut self, desk: &mut Desk, link: LinkId) {
        let Some(peer) = self.peers.get(&link) else { return };
        let due = peer.heard_at + limit::SILENCE;
        if due > desk.now {
            desk.timers.set(Timer::Silence(link), due);
        } else {
            self.close(desk, link, CloseReason::Silent(limit::SILENCE.as_secs()));
        }
    }

    /// Has a link closed after a while when neither side has use for it.
    pub(super) fn watch_use(&self, desk: &mut Desk, link: LinkId) {
        if self.is_useless(link) {
            let at = desk.now + limit::USELESS_PATIENCE;
            desk.timers.start(Timer::Useless(link), at);
        }
    }

    fn is_useless(&self, link: LinkId) -> bool {
        let wants_nothing = |peer: &Peer| {
            (peer.is_seed() || peer.upload_only) && !peer.interested && peer.useful == 0
        };
        self.stage == Stage::Running
            && self.is_done()
            && self.peers.get(&link).is_some_and(wants_nothing)
    }

    pub(super) fn useless_due(&mut self, desk: &mut Desk, link: LinkId) {
        if !self.is_useless(link) {
            return;
        }
        // Where there is room an idle link costs less than making it again and again.
        let crowded = self.peers.len() * 2 > desk.config.links_per_torrent_max
            || desk.links.len() * 4 > desk.config.links_max * 3;
        if crowded {
            self.close(desk, link, CloseReason::Useless);
        } else {
            desk.set(Timer::Useless(link), limit::USELESS_PATIENCE);
        }
    }

    /// Closes a link from our side.
    pub(super) fn close(&mut self, desk: &mut Desk, link: LinkId, reason: CloseReason) {
        if self.peers.contains_key(&link) {
            desk.act(Action::CloseLink(link));
            self.gone(desk, link, reason);
        }
    }

    /// Takes that a link is no more.
    pub(crate) fn gone(&mut self, desk: &mut Desk, link: LinkId, reason: CloseReason) {
        self.give_up_asked(desk, link);
        self.unlend(desk, link);
        let Some(peer) = self.peers.remove(&link) else { return };
        if let Some(picker) = &mut self.picker {
            picker.peer_went(&peer.has);
            picker.set_charged(link, false);
        }
        Self::tell_left(&peer, desk);
        desk.links.remove(&link);
        Timer::of_link(link).into_iter().for_each(|timer| desk.timers.clear(timer));
        desk.kicks.remove(&(self.id, link));
        self.hungry.remove(&link);
        self.fetch.link_gone(link);
        self.hashes_of_gone(desk, link);
        if let Some(id) = peer.id {
            let linked = self.peers.values().any(|other| other.id == Some(id));
            desk.discovery.peer_known(self.id, id, linked);
            if reason == CloseReason::Useless && !linked {
                desk.discovery.parted(desk.now, self.id, (link, id));
            }
            self.settle_double(desk, id);
        }
        self.displace(desk, &peer, &reason);
        desk.discovery.link_over(desk.now, link);
        desk.tell(Event::PeerLeft { torrent: self.id, link, reason });
        self.fill_slots(desk);
        self.reveal_due(desk);
        self.ask_metadata(desk);
        self.tell_discovery(desk);
    }

    /// Closes every link to a peer that lied, and refuses it from here on.
    pub(super) fn ban(&mut self, desk: &mut Desk, peer: PeerId, reason: &CloseReason) {
        self.blame.ban(peer);
        desk.discovery.shun(self.id, peer);
        let links: Vec<LinkId> = self
            .peers
            .values()
            .filter(|known| known.id == Some(peer))
            .map(|known| known.link)
            .collect();
        for link in links {
            self.close(desk, link, reason.clone());
        }
    }

    /// Tells every peer that we have `piece`.
    pub(super) fn tell_have(&mut self, desk: &mut Desk, piece: PieceIndex) {
        self.serve_lent(desk, piece);
        let shown = self.bridge.is_some();
        let told = |peer: &&mut Peer| {
            peer.told_pieces && peer.reveal.is_none() && (peer.place.direct || !shown)
        };
        for peer in self.peers.values_mut().filter(told) {
            peer.outbox.say(&Message::Have(piece));
            desk.kicks.insert((self.id, peer.link));
        }
    }
}
