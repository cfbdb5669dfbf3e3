//! Sends wrong bytes.

use bytes::BytesMut;
use headwater_base::{LinkId, Rng};
use headwater_wire::Message;

use super::Tamper;

/// Spoils one byte of some of the blocks it sends.
#[derive(Clone, Copy, Debug)]
pub struct Poisoner {
    /// One block in so many is wrong.
    pub one_in: u64,
}

impl Tamper for Poisoner {
    fn leaves(&mut self, _link: LinkId, message: Message, rng: &mut Rng) -> Vec<Message> {
        let Message::Piece { piece, begin, data } = message else { return vec![message] };
        if data.is_empty() || rng.below(self.one_in) != 0 {
            return vec![Message::Piece { piece, begin, data }];
        }
        let mut wrong = BytesMut::from(&data[..]);
        let at = rng.below(wrong.len() as u64) as usize;
        wrong[at] ^= 1 + rng.below(255) as u8;
        vec![Message::Piece { piece, begin, data: wrong.freeze() }]
    }
}
