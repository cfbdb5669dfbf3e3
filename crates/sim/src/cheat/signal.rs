//! Abuses introductions (`hw_signal`): invents strangers, floods those it is linked to with offers,
//! forges answers, answers nobody.

use core::time::Duration;
use std::collections::BTreeMap;

use bytes::Bytes;
use headwater_base::{LinkId, PeerId};
use headwater_wire::Message;
use headwater_wire::extended::{
    Extension, Handshake, Refusal, SignalMessage, SignalNews, SignalWay,
};
use headwater_wire::tracker::OfferId;

use super::{Hands, Puppet};
use crate::net::describe;

/// Strangers it invents for each peer.
const INVENTED: usize = 30;

/// A relay and asker nobody should want.
#[derive(Debug, Default)]
pub struct SignalAbuser {
    /// Messages it sends on each link at every tick; none for one that only lies and keeps silent.
    pub flood: u64,
    /// The id each peer wants introductions under.
    ids: BTreeMap<LinkId, u8>,
    /// Everybody it heard of.
    known: Vec<PeerId>,
    /// Offers it was to carry or to answer.
    seen: Vec<(PeerId, OfferId)>,
}

impl SignalAbuser {
    /// One that sends so many messages on each link five times a second.
    pub fn new(flood: u64) -> Self {
        Self { flood, ..Self::default() }
    }

    fn say(&self, hands: &mut Hands<'_>, link: LinkId, message: &SignalMessage) {
        if let Some(&id) = self.ids.get(&link) {
            hands.say(link, &Message::Extended { id, payload: message.encode() });
        }
    }

    /// Something it makes up.
    fn nonsense(&self, hands: &mut Hands<'_>) -> SignalMessage {
        let peer = hands.rng.pick(self.known.len()).map_or(invented(hands), |at| self.known[at]);
        let way = if hands.rng.below(2) == 0 { SignalWay::To(peer) } else { SignalWay::From(peer) };
        let seen = hands.rng.pick(self.seen.len()).map(|at| self.seen[at]);
        let mut id = OfferId([0; 20]);
        hands.rng.fill(&mut id.0);
        let (forged_way, forged_id) =
            seen.map_or((way, id), |(peer, id)| (SignalWay::From(peer), id));
        // Nobody made the connection that this describes.
        let sdp = describe((u32::MAX as usize, 0, LinkId(hands.rng.below(99))));
        match hands.rng.below(4) {
            0 => SignalMessage::Answer { way: forged_way, id: forged_id, sdp },
            1 => SignalMessage::Refuse { way, id, why: Refusal::Busy },
            2 => SignalMessage::News(SignalNews { open: true, ..SignalNews::default() }),
            _ => SignalMessage::Offer { way, id, sdp },
        }
    }
}

/// A peer that does not exist.
fn invented(hands: &mut Hands<'_>) -> PeerId {
    let mut peer = PeerId(*b"-HW0100-............");
    hands.rng.fill(&mut peer.0[8..]);
    peer
}

impl Puppet for SignalAbuser {
    fn met(&mut self, hands: &mut Hands<'_>, link: LinkId, peer: PeerId) {
        self.known.push(peer);
        let payload = Handshake::ours().encode();
        hands.say(link, &Message::Extended { id: 0, payload });
        hands.say(link, &Message::HaveAll);
    }

    fn heard(&mut self, hands: &mut Hands<'_>, link: LinkId, message: Message) {
        let Message::Extended { id, payload } = message else { return };
        if id == 0 {
            let said = Handshake::decode(&payload).ok();
            let known = self.ids.contains_key(&link);
            if let Some(id) = said.and_then(|said| said.id_of(Extension::Signal))
                && !known
            {
                self.ids.insert(link, id);
                let added = (0..INVENTED).map(|_| (invented(hands), false)).collect();
                let news = SignalNews { open: true, seed: false, added, dropped: Vec::new() };
                self.say(hands, link, &SignalMessage::News(news));
            }
            return;
        }
        if Extension::from_own_id(id) != Some(Extension::Signal) {
            return;
        }
        match SignalMessage::decode(&payload) {
            Ok(Some(SignalMessage::News(news))) => {
                self.known.extend(news.added.into_iter().map(|(peer, _)| peer));
                self.known.truncate(100);
            }
            Ok(Some(SignalMessage::Offer { way: SignalWay::To(peer), id, .. })) => {
                self.seen.push((peer, id));
            }
            Ok(_) | Err(_) => {}
        }
    }

    fn gone(&mut self, link: LinkId) {
        self.ids.remove(&link);
    }

    fn tick(&mut self, hands: &mut Hands<'_>) {
        let links: Vec<LinkId> = self.ids.keys().copied().collect();
        for link in links {
            for _ in 0..self.flood {
                let message = self.nonsense(hands);
                self.say(hands, link, &message);
            }
            if self.flood > 0 && hands.rng.below(8) == 0 {
                let payload = Bytes::from_static(b"d1:ti1e1:vi1e2:id3:abce");
                if let Some(&id) = self.ids.get(&link) {
                    hands.say(link, &Message::Extended { id, payload });
                }
            }
        }
    }

    fn every(&self) -> Duration {
        Duration::from_millis(200)
    }
}
