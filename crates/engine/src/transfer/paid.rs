//! Sold upload slots and charged downloads, as whoever knows of money orders them. Here they are
//! shares, allowances and bytes: money never takes the place of a peer that gives, half of all
//! slots at most are sold, and half of what is sent at most goes there while others want it.

use bytes::Bytes;
use headwater_base::{BLOCK_LEN, LinkId, PeerId, Set};
use headwater_wire::Message;
use headwater_wire::extended::{BTT_PAY, BTT_PAY_OWN_ID, Handshake};

use super::Transfer;
use crate::desk::Desk;
use crate::peer::{PAYS, Peer};
use crate::{Event, PayNews, limit};

/// What all weights come to.
const WHOLE: u64 = 1_000_000;

impl Transfer {
    /// Adds our terms to an extension handshake, or takes back what was said before.
    pub(super) fn say_terms(desk: &Desk, peer: &mut Peer, ours: &mut Handshake) {
        if !PAYS {
            return;
        }
        if let Some(terms) = &desk.pay_terms {
            ours.ids.insert(BTT_PAY.to_owned(), BTT_PAY_OWN_ID);
            ours.pay = Some(terms.clone());
            peer.paid.told = true;
        } else if core::mem::take(&mut peer.paid.told) {
            ours.ids.insert(BTT_PAY.to_owned(), 0);
        }
    }

    /// Takes the terms of a peer's extension handshake.
    pub(super) fn learn_terms(&mut self, desk: &mut Desk, link: LinkId, said: &Handshake) {
        let Some(peer) = self.peers.get_mut(&link).filter(|_| PAYS) else { return };
        if let Some(id) = said.ids.get(BTT_PAY) {
            peer.paid.id = (*id != 0).then_some(*id);
        }
        if said.pay.is_some() {
            peer.paid.terms.clone_from(&said.pay);
        }
        self.tell_terms(desk, link);
    }

    fn tell_terms(&mut self, desk: &mut Desk, link: LinkId) {
        let Some(peer) = self.peers.get_mut(&link) else { return };
        if desk.pays()
            && let (Some(_), Some(terms)) = (peer.paid.id, &peer.paid.terms)
        {
            peer.paid.known = true;
            desk.tell_pay(PayNews::Told { torrent: self.id, link, terms: terms.clone() });
            for news in [
                PayNews::Interest { link, interested: peer.interested },
                PayNews::Served { link, unchoked: !peer.choking_us },
            ] {
                desk.tell_pay(news);
            }
        }
    }

    /// Our terms are others, or we no longer have any.
    pub(crate) fn terms_chosen(&mut self, desk: &mut Desk) {
        let links: Vec<LinkId> = self.peers.keys().copied().collect();
        for link in links {
            if !desk.pays() {
                self.sell_slot(desk, link, 0);
            }
            self.say_extensions(desk, link);
            self.tell_terms(desk, link);
        }
    }

    /// Tells that a link is gone, also when we opted out meanwhile.
    pub(super) fn tell_left(peer: &Peer, desk: &mut Desk) {
        if PAYS && peer.paid.known {
            desk.tell(Event::Pay(PayNews::Left(peer.link)));
        }
    }

    /// Tells whether a peer wants something of us.
    pub(super) fn tell_interest(&self, desk: &mut Desk, link: LinkId) {
        if let Some(peer) = self.peers.get(&link).filter(|peer| peer.paid.takes_part()) {
            desk.tell_pay(PayNews::Interest { link, interested: peer.interested });
        }
    }

    /// Tells whether a peer serves us.
    pub(super) fn tell_served(peer: &Peer, desk: &mut Desk) {
        if peer.paid.takes_part() {
            desk.tell_pay(PayNews::Served { link: peer.link, unchoked: !peer.choking_us });
        }
    }

    /// Hands on a message of payment.
    pub(super) fn pay_message(&self, desk: &mut Desk, link: LinkId, payload: &Bytes) {
        if payload.len() <= headwater_wire::limit::PAY_BYTES_MAX {
            desk.tell_pay(PayNews::Said { link, payload: payload.clone() });
        }
    }

    /// Sends a message of payment to a peer that takes part.
    pub(crate) fn say_pay(&mut self, desk: &mut Desk, link: LinkId, payload: Bytes) {
        if let Some(peer) = self.peers.get_mut(&link)
            && let Some(id) = peer.paid.id
        {
            peer.outbox.say(&Message::Extended { id, payload });
            desk.kicks.insert((self.id, link));
        }
    }

    /// Sells a slot, or gives one back to those who are served for other reasons.
    pub(crate) fn sell_slot(&mut self, desk: &mut Desk, link: LinkId, weight: u32) {
        let Some(peer) = self.peers.get_mut(&link) else { return };
        let was_sold = peer.paid.is_sold();
        peer.paid.weight = weight;
        if was_sold && weight == 0 {
            self.choke(desk, link);
        }
        self.serve_sold(desk);
        self.fill_slots(desk);
        desk.kicks.insert((self.id, link));
    }

    /// Lets a peer in a sold slot have more, all in all.
    pub(crate) fn allow_paid(&mut self, desk: &mut Desk, link: LinkId, bytes: u64) {
        if let Some(peer) = self.peers.get_mut(&link) {
            peer.paid.allowed = bytes;
            desk.kicks.insert((self.id, link));
        }
    }

    /// What a peer sends is charged to us from here on, or no longer.
    pub(crate) fn charged_by(&mut self, link: LinkId, charges: bool) {
        if let Some(picker) = &mut self.picker {
            picker.set_charged(link, charges);
        }
    }

    /// Those with a share that want something, the largest shares first: half of all slots at most,
    /// and no slot that a peer has for what it gives, or that is there for gifts.
    fn sold(&self, desk: &Desk, slots: usize) -> Set<LinkId> {
        let is_sold = |peer: &&Peer| peer.paid.weight > 0 && peer.interested && peer.told_pieces;
        if !desk.pays() || !self.peers.values().any(|peer| peer.paid.weight > 0) {
            return Set::new();
        }
        let earned = if self.is_seeding() { 0 } else { self.givers(desk).len() };
        let most = (slots - slots / limit::GIFT_PART).saturating_sub(earned).min(slots / 2);
        let mut sold: Vec<_> = self
            .peers
            .values()
            .filter(is_sold)
            .map(|peer| (core::cmp::Reverse(peer.paid.weight), peer.link))
            .collect();
        sold.sort_unstable();
        sold.into_iter().map(|(_, link)| link).take(most).collect()
    }

    /// Seats those whose slots are sold, and answers who they are.
    pub(super) fn seat_sold(&mut self, desk: &Desk, slots: usize) -> Set<LinkId> {
        if !PAYS {
            return Set::new();
        }
        let sold = self.sold(desk, slots);
        for peer in self.peers.values_mut() {
            peer.paid.seated = sold.contains(&peer.link);
        }
        sold
    }

    /// Bytes that a peer's next turn at the upload limit brings. Those who are served for nothing
    /// have a block each; what is sold is as much as all of them together, divided by shares.
    pub(super) fn turn(&self, link: LinkId, block: u64) -> u64 {
        let is_sold = |peer: &Peer| peer.paid.is_sold() && !peer.choked;
        let Some(peer) = self.peers.get(&link) else { return block };
        if !is_sold(peer) {
            return block;
        }
        let waits = |peer: &&Peer| !peer.choked && !is_sold(peer) && !peer.serving.is_empty();
        let free = self.peers.values().filter(waits).count() as u64;
        let sum = if free > 0 { free } else { limit::SOLD_BLOCKS };
        let bytes = sum * u64::from(BLOCK_LEN) * u64::from(peer.paid.weight) / WHOLE;
        bytes.max(limit::SOLD_TURN_MIN)
    }

    /// Counts a block that was sent in a sold slot.
    pub(super) fn count_sold(peer: &mut Peer, desk: &mut Desk, bytes: u64) {
        if peer.paid.is_sold() {
            peer.paid.sent += bytes;
            desk.tell_pay(PayNews::Sent { link: peer.link, bytes });
        }
    }

    /// Tells of a block that came.
    pub(super) fn tell_received(peer: &Peer, desk: &mut Desk, bytes: u64) {
        if peer.paid.takes_part() {
            desk.tell_pay(PayNews::Received { link: peer.link, bytes });
        }
    }

    /// Tells of bytes that a peer sent and that are right.
    pub(super) fn charge(&self, desk: &mut Desk, sender: PeerId, bytes: u64) {
        let sent = |peer: &&Peer| peer.id == Some(sender) && peer.paid.takes_part();
        if desk.pays()
            && let Some(peer) = self.peers.values().find(sent)
        {
            desk.tell_pay(PayNews::Verified { link: peer.link, bytes });
        }
    }

    /// Tells of a right piece, if its blocks were not told of one by one.
    pub(super) fn charge_piece(&self, desk: &mut Desk, senders: &[PeerId], len: usize) {
        if !desk.pays() {
            return;
        }
        for (at, sender) in senders.iter().enumerate() {
            let begin = at * BLOCK_LEN as usize;
            self.charge(desk, *sender, (len - begin).min(BLOCK_LEN as usize) as u64);
        }
    }

    /// Tells that a peer sent wrong bytes.
    pub(super) fn tell_bad(&self, desk: &mut Desk, sender: PeerId) {
        let sent = |peer: &&Peer| peer.id == Some(sender) && peer.paid.takes_part();
        for peer in self.peers.values().filter(sent) {
            desk.tell_pay(PayNews::Bad(peer.link));
        }
    }

    /// Tells of peers that begin or cease to give enough for a slot of their own.
    pub(super) fn tell_givers(&mut self, desk: &mut Desk) {
        if !desk.pays() || self.is_seeding() {
            return;
        }
        let givers = self.givers(desk);
        for peer in self.peers.values_mut().filter(|peer| peer.paid.takes_part()) {
            let enough = givers.contains(&peer.link);
            if core::mem::replace(&mut peer.paid.gives, enough) != enough {
                desk.tell_pay(PayNews::Reciprocates { link: peer.link, enough });
            }
        }
    }
}

impl Desk {
    /// Whether the user has opted in.
    pub(crate) fn pays(&self) -> bool {
        PAYS && self.pay_terms.is_some()
    }

    /// Tells payment, which is there when there are terms.
    pub(crate) fn tell_pay(&mut self, news: PayNews) {
        if self.pays() {
            self.tell(Event::Pay(news));
        }
    }
}
