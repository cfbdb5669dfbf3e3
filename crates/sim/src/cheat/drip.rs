//! Sends what it is asked for a few bytes at a time, for as long as it is borne.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use bytes::{Bytes, BytesMut};
use headwater_base::{LinkId, PeerId};
use headwater_wire::Message;

use super::{Hands, Puppet};

/// Bytes that wait for one peer; more is forgotten.
const WAITING_MAX: usize = 256 * 1024;

/// A host that drips.
#[derive(Debug)]
pub struct Drip {
    /// Bytes it sends every second.
    rate: usize,
    waiting: BTreeMap<LinkId, VecDeque<u8>>,
}

impl Drip {
    /// One that sends `rate` bytes every second.
    pub fn new(rate: usize) -> Self {
        Self { rate, waiting: BTreeMap::new() }
    }
}

impl Puppet for Drip {
    fn met(&mut self, hands: &mut Hands<'_>, link: LinkId, _peer: PeerId) {
        self.waiting.insert(link, VecDeque::new());
        hands.say(link, &Message::HaveAll);
        hands.say(link, &Message::Unchoke);
    }

    fn heard(&mut self, hands: &mut Hands<'_>, link: LinkId, message: Message) {
        let Some(waiting) = self.waiting.get_mut(&link) else { return };
        if let Message::Request(span) = message
            && waiting.len() < WAITING_MAX
            && let Some(data) = hands.sample.part(span.piece, span.begin, span.len)
        {
            let mut bytes = BytesMut::new();
            Message::Piece { piece: span.piece, begin: span.begin, data }.encode(&mut bytes);
            waiting.extend(bytes);
        }
    }

    fn gone(&mut self, link: LinkId) {
        self.waiting.remove(&link);
    }

    fn tick(&mut self, hands: &mut Hands<'_>) {
        for (link, waiting) in &mut self.waiting {
            let few = self.rate.min(waiting.len());
            let drops: Vec<u8> = waiting.drain(..few).collect();
            hands.say_raw(*link, Bytes::from(drops));
        }
    }

    fn every(&self) -> Duration {
        Duration::from_secs(1)
    }
}
