//! Speaks no protocol: random bytes, impossible lengths, or nothing at all.

use core::time::Duration;

use bytes::Bytes;
use headwater_base::{LinkId, PeerId};
use headwater_wire::Message;

use super::{Hands, Puppet};

/// A host that makes noise after its handshake.
#[derive(Clone, Copy, Debug)]
pub struct Noise;

impl Puppet for Noise {
    fn met(&mut self, hands: &mut Hands<'_>, link: LinkId, _peer: PeerId) {
        let mut bytes = vec![0; 1 + hands.rng.below(2000) as usize];
        hands.rng.fill(&mut bytes);
        match hands.rng.below(4) {
            // Says nothing, and holds the link.
            0 => return,
            // A message of almost 4 GiB, then one that is too long by a byte.
            1 => bytes[0] = 0xff,
            2 => bytes.splice(..1, (1_u32 << 20 | 3).to_be_bytes()).for_each(drop),
            _ => {}
        }
        hands.say_raw(link, Bytes::from(bytes));
    }

    fn heard(&mut self, hands: &mut Hands<'_>, link: LinkId, _message: Message) {
        if hands.rng.below(50) == 0 {
            hands.close(link);
        }
    }

    fn gone(&mut self, _link: LinkId) {}

    fn tick(&mut self, _hands: &mut Hands<'_>) {}

    fn every(&self) -> Duration {
        Duration::from_secs(60)
    }
}
