//! A small WebSocket tracker: relays offers and answers between the hosts of a swarm.

use std::collections::BTreeMap;

use headwater_base::{InfoHash, PeerId, Rng, TrackerId};
use headwater_wire::tracker::{AnnounceReply, ClientMessage, Happening, Offer, TrackerMessage};

/// Who reaches whom how: host and socket.
type Place = (usize, TrackerId);

/// Whoever announces one hash.
#[derive(Default)]
struct Swarm {
    places: BTreeMap<PeerId, Place>,
    left: BTreeMap<PeerId, Option<u64>>,
    held: Vec<(PeerId, Vec<Offer>)>,
}

#[derive(Default)]
pub(crate) struct Tracker {
    swarms: BTreeMap<InfoHash, Swarm>,
    /// Offers wait until so many peers are there, so that they cross.
    pub(crate) hold_until: usize,
    pub(crate) announces: Vec<(PeerId, Option<Happening>, Option<u64>)>,
}

impl Tracker {
    /// Takes a message of a host; answers who is told what.
    pub(crate) fn hear(&mut self, from: Place, text: &str, rng: &mut Rng) -> Vec<(Place, String)> {
        match ClientMessage::decode(text).expect("a well-formed message") {
            ClientMessage::Announce(announce) => {
                self.announces.push((announce.peer_id, announce.happening, announce.left));
                let swarm = self.swarms.entry(announce.info_hash).or_default();
                if announce.happening == Some(Happening::Stopped) {
                    swarm.places.remove(&announce.peer_id);
                    swarm.left.remove(&announce.peer_id);
                    return Vec::new();
                }
                swarm.places.insert(announce.peer_id, from);
                let seeding = |left: &Option<u64>| *left == Some(0);
                swarm.left.insert(announce.peer_id, announce.left);
                let seeds = swarm.left.values().filter(|left| seeding(left)).count() as u32;
                let reply = AnnounceReply {
                    interval: Some(60),
                    complete: Some(seeds),
                    incomplete: Some(swarm.left.len() as u32 - seeds),
                    ..AnnounceReply::new(announce.info_hash)
                };
                let mut out = vec![(from, TrackerMessage::Announce(reply).encode())];
                swarm.held.push((announce.peer_id, announce.offers));
                if swarm.places.len() >= self.hold_until {
                    for (peer_id, offers) in std::mem::take(&mut swarm.held) {
                        let others = swarm.places.iter().filter(|(other, _)| **other != peer_id);
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
                let swarm = self.swarms.get(&answer.info_hash);
                let place = swarm.and_then(|swarm| swarm.places.get(&answer.to_peer_id));
                let Some(place) = place else { return Vec::new() };
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
