//! Forges what it says beside blocks: metadata and merkle hashes (BEP 52) that prove nothing, news
//! and introductions that were never made. The rest of what it says is right.

use bytes::{Bytes, BytesMut};
use headwater_base::{LinkId, Rng};
use headwater_wire::Message;

use super::Tamper;

/// A client whose extension messages are spoilt now and then.
#[derive(Clone, Copy, Debug)]
pub struct Forger {
    /// One extension message in so many is changed.
    pub one_in: u64,
    /// Whether the change may make the message unreadable.
    pub anywhere: bool,
}

impl Tamper for Forger {
    fn leaves(&mut self, _link: LinkId, message: Message, rng: &mut Rng) -> Vec<Message> {
        if let Message::Hashes { span, hashes } = message {
            let forged = rng.below(self.one_in) == 0 && !hashes.is_empty();
            let hashes = if forged { flipped(&hashes, 0, rng) } else { hashes };
            return vec![Message::Hashes { span, hashes }];
        }
        let Message::Extended { id, payload } = message else { return vec![message] };
        if id == 0 || payload.len() < 8 || rng.below(self.one_in) != 0 {
            return vec![Message::Extended { id, payload }];
        }
        // The end of a metadata message is metadata; its start says what it is.
        let from = if self.anywhere { 0 } else { payload.len() - payload.len() / 4 };
        let forged = Message::Extended { id, payload: flipped(&payload, from, rng) };
        match rng.below(4) {
            0 => vec![forged.clone(), forged],
            1 => vec![forged, Message::Extended { id, payload }],
            _ => vec![forged],
        }
    }
}

/// The same bytes but for one at or after `from`.
fn flipped(bytes: &[u8], from: usize, rng: &mut Rng) -> Bytes {
    let mut forged = BytesMut::from(bytes);
    let at = from + rng.below((forged.len() - from) as u64) as usize;
    forged[at] ^= 1 + rng.below(255) as u8;
    forged.freeze()
}
