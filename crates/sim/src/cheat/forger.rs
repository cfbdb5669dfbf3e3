//! Forges what it says in extension messages: metadata that hashes to something else, news and
//! introductions that were never made. The rest of what it says is right.

use bytes::BytesMut;
use headwater_base::Rng;
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
    fn leaves(&mut self, message: Message, rng: &mut Rng) -> Vec<Message> {
        let Message::Extended { id, payload } = message else { return vec![message] };
        if id == 0 || payload.len() < 8 || rng.below(self.one_in) != 0 {
            return vec![Message::Extended { id, payload }];
        }
        let mut forged = BytesMut::from(&payload[..]);
        // The end of a metadata message is metadata; its start says what it is.
        let from = if self.anywhere { 0 } else { forged.len() - forged.len() / 4 };
        let at = from + rng.below((forged.len() - from) as u64) as usize;
        forged[at] ^= 1 + rng.below(255) as u8;
        let forged = Message::Extended { id, payload: forged.freeze() };
        match rng.below(4) {
            0 => vec![forged.clone(), forged],
            1 => vec![forged, Message::Extended { id, payload }],
            _ => vec![forged],
        }
    }
}
