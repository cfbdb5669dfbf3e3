//! Abuses peer exchange (BEP 11): names thousands of addresses, those of innocents, of private
//! networks and of nobody, in lists that do not fit, and as often as it likes.

use core::time::Duration;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;
use headwater_base::{LinkId, PeerId, Time};
use headwater_wire::Message;
use headwater_wire::extended::{Extension, Handshake, PexFlags, PexMessage, PexPeer};

use super::{Hands, Puppet};
use crate::dial::address_of;

/// How often one that is patient sends: as often as is taken.
const PATIENCE: Duration = Duration::from_secs(31);
/// Hosts among which it looks for victims.
const VICTIMS: u64 = 24;

/// Somebody who sends others after addresses.
#[derive(Debug)]
pub struct PexAbuser {
    /// Messages it sends on each link every second; none for one that keeps to the pace.
    flood: u64,
    /// The id each peer wants such messages under.
    ids: BTreeMap<LinkId, u8>,
    said_at: Time,
}

impl PexAbuser {
    /// One that sends so many messages on each link every second, or patiently when it is none.
    pub fn new(flood: u64) -> Self {
        Self { flood, ids: BTreeMap::new(), said_at: Time::ZERO }
    }
}

/// An address of some kind.
fn address(hands: &mut Hands<'_>) -> SocketAddr {
    let number = hands.rng.next_u64();
    let port = 1 + (number >> 32) as u16 % 60_000;
    let [a, b, c, d, ..] = number.to_le_bytes();
    match hands.rng.below(6) {
        0 => address_of((number % VICTIMS) as usize),
        1 => SocketAddr::new(address_of((number % VICTIMS) as usize).ip(), port),
        2 => SocketAddr::from(([192, 168, a, b], port)),
        3 => SocketAddr::from(([127, 0, 0, a], port)),
        4 => SocketAddr::from(([0x2001, 0x470, 1, 2, 3, 4, 5, u16::from(a)], port)),
        _ => SocketAddr::from(([60 + a % 100, b, c, d], port)),
    }
}

fn message(hands: &mut Hands<'_>) -> Bytes {
    let count = [3, 60, 200, 2000][hands.rng.below(4) as usize];
    let added: Vec<PexPeer> = (0..count)
        .map(|_| {
            let address = address(hands);
            PexPeer { address, flags: PexFlags(hands.rng.below(32) as u8) }
        })
        .collect();
    let dropped = (0..hands.rng.below(40)).map(|_| address(hands)).collect();
    match hands.rng.below(24) {
        0 => Bytes::from_static(b"d5:added5:abcde7:added.f9:abcdefghie"),
        1 => Bytes::from_static(b"d5:added"),
        _ => PexMessage { added, dropped }.encode(),
    }
}

impl Puppet for PexAbuser {
    fn met(&mut self, hands: &mut Hands<'_>, link: LinkId, _peer: PeerId) {
        let lie = address(hands);
        let (port, your_ip) = (Some(lie.port()), Some(lie.ip()));
        let said = Handshake { port, your_ip, ..Handshake::ours() };
        hands.say(link, &Message::Extended { id: 0, payload: said.encode() });
        hands.say(link, &Message::HaveAll);
    }

    fn heard(&mut self, hands: &mut Hands<'_>, link: LinkId, message: Message) {
        let Message::Extended { id: 0, payload } = message else { return };
        let said = Handshake::decode(&payload).ok();
        if let Some(id) = said.and_then(|said| said.id_of(Extension::Pex)) {
            self.ids.insert(link, id);
            let payload = self::message(hands);
            hands.say(link, &Message::Extended { id, payload });
        }
    }

    fn gone(&mut self, link: LinkId) {
        self.ids.remove(&link);
    }

    fn tick(&mut self, hands: &mut Hands<'_>) {
        let patient = self.flood == 0;
        if patient && hands.now.since(self.said_at) < PATIENCE {
            return;
        }
        self.said_at = hands.now;
        for (&link, &id) in &self.ids {
            for _ in 0..self.flood.max(1) {
                let payload = message(hands);
                hands.say(link, &Message::Extended { id, payload });
            }
        }
    }

    fn every(&self) -> Duration {
        Duration::from_secs(1)
    }
}
