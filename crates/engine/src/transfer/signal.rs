//! Introductions between peers (`hw_signal`): carries their messages between links and discovery,
//! which decides. A torrent that is private, or may be, has none (BEP 27).

use headwater_base::{LinkId, PeerId};
use headwater_wire::extended::{Extension, Handshake, SignalMessage, SignalWay};
use headwater_wire::{Error, Message};

use super::Transfer;
use crate::desk::Desk;
use crate::{CloseReason, limit};

impl Transfer {
    /// Whether the torrent is known to be public.
    pub(super) fn is_public(&self) -> bool {
        self.metainfo.as_ref().is_some_and(|metainfo| !metainfo.private)
    }

    /// Takes what a peer's extension handshake says of introductions.
    pub(super) fn learn_signal(&mut self, desk: &mut Desk, link: LinkId, said: &Handshake) {
        let Some(peer) = self.peers.get_mut(&link) else { return };
        if said.ids.contains_key(Extension::Signal.name()) {
            peer.signal_id = said.id_of(Extension::Signal);
            self.tell_signal(desk, link);
        }
    }

    /// Tells discovery whether a peer speaks `hw_signal`.
    fn tell_signal(&self, desk: &mut Desk, link: LinkId) {
        let Some(peer) = self.peers.get(&link).filter(|_| self.is_public()) else { return };
        let Some(id) = peer.id else { return };
        let speaks = peer.signal_id.is_some();
        desk.discovery.speaks_signal(desk.now, self.id, (link, id), speaks);
    }

    /// Tells discovery of everybody who speaks it, once the torrent is known to be public.
    pub(super) fn tell_signals(&self, desk: &mut Desk) {
        for (link, _) in self.peers.iter().filter(|(_, peer)| peer.signal_id.is_some()) {
            self.tell_signal(desk, *link);
        }
    }

    /// Takes a message. Whoever is banned is neither offered nor answered.
    pub(super) fn signal_message(
        &mut self,
        desk: &mut Desk,
        link: LinkId,
        payload: &[u8],
    ) -> Result<(), CloseReason> {
        if !self.is_public() {
            return Ok(());
        }
        let mut message = match SignalMessage::decode(payload) {
            Ok(Some(message)) => message,
            Ok(None) => return Ok(()),
            // What is wrong with a description depends on who reads it.
            Err(Error::Sdp { .. }) => {
                let verdict = desk.discovery.signal_fault(desk.now, self.id, link);
                return verdict.map_err(CloseReason::Rule);
            }
            Err(error) => return Err(error.into()),
        };
        match &mut message {
            SignalMessage::News(news) => {
                news.added.retain(|(peer, _)| !self.blame.is_banned(*peer));
            }
            SignalMessage::Offer { way: SignalWay::From(peer), .. }
            | SignalMessage::Answer { way: SignalWay::From(peer), .. }
                if self.blame.is_banned(*peer) =>
            {
                return Ok(());
            }
            SignalMessage::Offer { .. }
            | SignalMessage::Answer { .. }
            | SignalMessage::Refuse { .. } => {}
        }
        let at = (self.id, link);
        desk.discovery.signalled(desk.now, at, message).map_err(CloseReason::Rule)
    }

    /// Says something to a neighbour, unless it reads too slowly to be of use as one.
    pub(crate) fn say_signal(&mut self, desk: &mut Desk, link: LinkId, message: &SignalMessage) {
        let Some(peer) = self.peers.get_mut(&link) else { return };
        let Some(id) = peer.signal_id else { return };
        let bulky = matches!(message, SignalMessage::Offer { .. } | SignalMessage::Answer { .. });
        if bulky && peer.outbox.waiting() > limit::SIGNAL_BYTES_WAITING_MAX {
            return;
        }
        peer.outbox.say(&Message::Extended { id, payload: message.encode() });
        desk.kicks.insert((self.id, link));
    }

    /// Whether a link leads to whom it was to lead. Only introductions name one peer: trackers
    /// are told other names by some clients.
    pub(super) fn is_expected(&self, link: LinkId, found: PeerId) -> bool {
        let introduced = self.peers.get(&link).and_then(|peer| peer.introduced);
        introduced.is_none_or(|expected| expected == found)
    }
}
