//! BitTyrant (Piatek et al. 2007): gives each peer just enough to be given back, and gives first
//! to those who give most for it.

use core::cmp::Reverse;
use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use headwater_base::{LinkId, PeerId};
use headwater_wire::{BlockSpan, Message};

use super::{Fetcher, Hands, Puppet};

/// How often it gives out what its line takes.
const TICK: Duration = Duration::from_millis(500);
/// Ticks in one round of choosing, 10 s.
const ROUND: u32 = 20;
/// What a peer is first believed to ask for, in bytes a second.
const ASKING: u64 = 15_000;

/// What it knows of one peer's price.
#[derive(Debug)]
struct Price {
    /// Bytes a second it takes for giving back.
    cost: u64,
    /// Bytes a second it gives.
    yields: u64,
    served: bool,
    /// Rounds in a row in which it was served and gave back.
    paid: u32,
    given_before: u64,
    /// What may be sent to it by now.
    credit: u64,
    queue: VecDeque<BlockSpan>,
}

/// A strategic client.
#[derive(Debug)]
pub struct Tyrant {
    fetcher: Fetcher,
    prices: BTreeMap<LinkId, Price>,
    /// Bytes a second of its line.
    capacity: u64,
    ticks: u32,
}

impl Tyrant {
    /// One whose line takes `capacity` bytes a second.
    pub fn new(capacity: u64) -> Self {
        Self { fetcher: Fetcher::default(), prices: BTreeMap::new(), capacity, ticks: 0 }
    }

    /// Learns what each peer asks and gives, then serves the best of them as far as it goes.
    fn choose(&mut self, hands: &mut Hands<'_>) {
        let seconds = TICK.as_millis() as u64 * u64::from(ROUND) / 1000;
        for (link, price) in &mut self.prices {
            let Some(peer) = self.fetcher.peers.get(link) else { continue };
            let rate = (peer.given - price.given_before) / seconds;
            price.given_before = peer.given;
            if price.served && !peer.serves_us {
                price.cost = price.cost * 6 / 5;
                price.paid = 0;
            } else if price.served {
                price.paid += 1;
                if price.paid >= 3 {
                    price.cost = (price.cost * 9 / 10).max(1000);
                }
            }
            if peer.serves_us {
                price.yields = rate.max(1);
            }
        }
        let ratio = |price: &Price| Reverse(price.yields * 1000 / price.cost.max(1));
        let mut order: Vec<_> = self.prices.iter().map(|(at, price)| (ratio(price), *at)).collect();
        order.sort_unstable();
        let mut left = self.capacity;
        for (_, link) in order {
            let wants = self.fetcher.peers.get(&link).is_some_and(|peer| peer.wants);
            let Some(price) = self.prices.get_mut(&link) else { continue };
            let serve = wants && price.cost <= left;
            left -= if serve { price.cost } else { 0 };
            if serve != price.served {
                price.served = serve;
                price.queue.clear();
                hands.say(link, if serve { &Message::Unchoke } else { &Message::Choke });
            }
        }
    }

    /// Sends each served peer what its price allows.
    fn give(&mut self, hands: &mut Hands<'_>) {
        for (link, price) in &mut self.prices {
            let earned = price.cost * TICK.as_millis() as u64 / 1000;
            price.credit = (price.credit + earned).min(price.cost * 4 + 32 * 1024);
            while let Some(span) = price.queue.front().copied()
                && price.credit >= u64::from(span.len)
                && hands.waiting(*link) < 128 * 1024
            {
                price.queue.pop_front();
                let Some(data) = hands.sample.part(span.piece, span.begin, span.len) else { break };
                price.credit -= u64::from(span.len);
                hands.say(*link, &Message::Piece { piece: span.piece, begin: span.begin, data });
            }
        }
    }
}

impl Puppet for Tyrant {
    fn met(&mut self, hands: &mut Hands<'_>, link: LinkId, _peer: PeerId) {
        self.fetcher.met(hands, link);
        let price = Price {
            cost: ASKING,
            yields: ASKING,
            served: false,
            paid: 0,
            given_before: 0,
            credit: 0,
            queue: VecDeque::new(),
        };
        self.prices.insert(link, price);
    }

    fn heard(&mut self, hands: &mut Hands<'_>, link: LinkId, message: Message) {
        self.fetcher.heard(hands, link, &message);
        let Some(price) = self.prices.get_mut(&link) else { return };
        if let Message::Request(span) = message {
            if price.served && self.fetcher.have().has(span.piece) && price.queue.len() < 500 {
                price.queue.push_back(span);
            } else {
                hands.say(link, &Message::Reject(span));
            }
        } else if let Message::Cancel(span) = message {
            price.queue.retain(|asked| *asked != span);
        }
    }

    fn gone(&mut self, link: LinkId) {
        self.fetcher.gone(link);
        self.prices.remove(&link);
    }

    fn tick(&mut self, hands: &mut Hands<'_>) {
        self.ticks += 1;
        if self.ticks.is_multiple_of(ROUND) || self.ticks < 10 {
            self.choose(hands);
        }
        self.give(hands);
        self.fetcher.ask_all(hands);
    }

    fn every(&self) -> Duration {
        TICK
    }
}
