//! Takes and never gives, as BitThief does (Locher et al. 2006): a real client that serves nobody.
//! With many more links than others have it sees most of the swarm (large view, Sirivianos 2007).

use headwater_base::{LinkId, Rng};
use headwater_wire::Message;

use super::Tamper;

/// A client that serves nobody. It says nothing of what it has, so nobody asks.
#[derive(Clone, Copy, Debug)]
pub struct FreeRider;

impl Tamper for FreeRider {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the rest passes as it is")]
    fn leaves(&mut self, _link: LinkId, message: Message, _rng: &mut Rng) -> Vec<Message> {
        match message {
            Message::Unchoke
            | Message::Piece { .. }
            | Message::AllowedFast(_)
            | Message::Have(_)
            | Message::Suggest(_) => Vec::new(),
            Message::Bitfield(_) | Message::HaveAll => vec![Message::HaveNone],
            other => vec![other],
        }
    }
}
