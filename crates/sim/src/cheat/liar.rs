//! Says that it has everything, lets everybody ask, and has nothing.

use core::time::Duration;

use bytes::Bytes;
use headwater_base::{LinkId, PeerId};
use headwater_wire::Message;

use super::{Hands, Puppet};

/// What it answers to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing, ever.
    Silence,
    /// That it will not.
    Reject,
    /// Bytes that are not the block.
    Noise,
    /// A block that nobody asked for.
    Other,
    /// That it has no more room, again and again.
    Choke,
}

/// A host that claims what it has not.
#[derive(Clone, Copy, Debug)]
pub struct Liar {
    /// What it answers to a request.
    pub answer: Answer,
}

impl Puppet for Liar {
    fn met(&mut self, hands: &mut Hands<'_>, link: LinkId, _peer: PeerId) {
        hands.say(link, &Message::HaveAll);
        hands.say(link, &Message::Unchoke);
    }

    fn heard(&mut self, hands: &mut Hands<'_>, link: LinkId, message: Message) {
        let Message::Request(span) = message else { return };
        match self.answer {
            Answer::Silence => {}
            Answer::Reject => hands.say(link, &Message::Reject(span)),
            Answer::Choke => {
                hands.say(link, &Message::Choke);
                hands.say(link, &Message::Unchoke);
            }
            Answer::Noise | Answer::Other => {
                let mut noise = vec![0; span.len as usize];
                hands.rng.fill(&mut noise);
                let begin =
                    if self.answer == Answer::Noise { span.begin } else { span.begin ^ 16384 };
                let data = Bytes::from(noise);
                hands.say(link, &Message::Piece { piece: span.piece, begin, data });
            }
        }
    }

    fn gone(&mut self, _link: LinkId) {}

    fn tick(&mut self, _hands: &mut Hands<'_>) {}

    fn every(&self) -> Duration {
        Duration::from_secs(60)
    }
}
