//! A small WebSocket tracker: relays offers and answers between the hosts of one swarm.

use std::collections::BTreeMap;

use headwater_base::{PeerId, Rng, TrackerId};
use headwater_wire::tracker::{AnnounceReply, ClientMessage, Happening, Offer, TrackerMessage};

/// Who reaches whom how: host and socket.
type Place = (usize, TrackerId);

#[derive(Default)]
pub(crate) struct Tracker {
    places: BTreeMap<PeerId, Place>,
    left: BTreeMap<PeerId, Option<u64>>,
    /// Offers wait until so many peers are there, so that they cross.
    pub(crate) hold_until: usize,
    held: Vec<(PeerId, Vec<Offer>)>,
    pub(crate) announces: Vec<(PeerId, Option<Happening>, Option<u64>)>,
}

impl Tracker {
    /// Takes a message of a host; answers who is told what.
    pub(crate) fn hear(&mut self, from: Place, text: &str, rng: &mut Rng) -> Vec<(Place, String)> {
        match ClientMessage::decode(text).expect("a well-formed message") {
            ClientMessage::Announce(announce) => {
                self.announces.push((announce.peer_id, announce.happening, announce.left));
                if announce.happening == Some(Happening::Stopped) {
                    self.places.remove(&announce.peer_id);
                    self.left.remove(&announce.peer_id);
                    return Vec::new();
                }
                self.places.insert(announce.peer_id, from);
                let seeding = |left: &Option<u64>| *left == Some(0);
                self.left.insert(announce.peer_id, announce.left);
                let seeds = self.left.values().filter(|left| seeding(left)).count() as u32;
                let reply = AnnounceReply {
                    interval: Some(60),
                    complete: Some(seeds),
                    incomplete: Some(self.left.len() as u32 - seeds),
                    ..AnnounceReply::new(announce.info_hash)
                };
                let mut out = vec![(from, TrackerMessage::Announce(reply).encode())];
                self.held.push((announce.peer_id, announce.offers));
                if self.places.len() >= self.hold_until {
                    for (peer_id, offers) in std::mem::take(&mut self.held) {
                        let others = self.places.iter().filter(|(other, _)| **other != peer_id);
                        let mut others: Vec<&Place> = others.map(|(_, place)| place).collect();
                        rng.shuffle(&mut others);
                        for (place, offer) in others.into_iter().zip(offers) {
                            let relayed = TrackerMessage::Offer {
                                info_hash: announce.info_hash,
                                peer_id,
                                offer_id: offer.offer_id,
                                sdp: offer.sdp,
                            };
                            out.push((*place, relayed.encode()));
                        }
                    }
                }
                out
            }
            ClientMessage::Answer(answer) => {
                let Some(place) = self.places.get(&answer.to_peer_id) else { return Vec::new() };
                let relayed = TrackerMessage::Answer {
                    info_hash: answer.info_hash,
                    peer_id: answer.peer_id,
                    offer_id: answer.offer_id,
                    sdp: answer.sdp,
                };
                vec![(*place, relayed.encode())]
            }
            ClientMessage::Scrape(_) => Vec::new(),
        }
    }
}
