//! Sellers that cheat: real clients whose words on payment, and whose blocks, are changed as they
//! leave.

use std::collections::{BTreeMap, BTreeSet};

use headwater_base::{Amount, LinkId, Rng};
use headwater_wire::Message;
use headwater_wire::extended::{Award, PayMessage};

use super::Tamper;
use super::money::{said, saying};

/// Takes a voucher and sends nothing from then on.
#[derive(Clone, Debug, Default)]
pub struct Staller {
    paid: BTreeSet<LinkId>,
}

impl Tamper for Staller {
    fn leaves(&mut self, link: LinkId, message: Message, _rng: &mut Rng) -> Vec<Message> {
        if let Some(PayMessage::Receipt { amount, .. }) = said(&message)
            && amount.0 > 0
        {
            self.paid.insert(link);
        }
        if matches!(message, Message::Piece { .. }) && self.paid.contains(&link) {
            return Vec::new();
        }
        vec![message]
    }
}

/// Invents bids: it serves nobody until a bid is as high as it wants, and then says that another
/// bid lost at just that price.
#[derive(Clone, Debug)]
pub struct Inventor {
    wants: Amount,
    /// It says more than was bid.
    greedy: bool,
    bids: BTreeMap<LinkId, Amount>,
}

impl Inventor {
    /// One that waits for bids of so much, and may ask for more than was bid.
    pub fn new(wants: Amount, greedy: bool) -> Self {
        Self { wants, greedy, bids: BTreeMap::new() }
    }
}

impl Tamper for Inventor {
    fn leaves(&mut self, link: LinkId, message: Message, _rng: &mut Rng) -> Vec<Message> {
        let bid = self.bids.get(&link).copied().filter(|bid| *bid >= self.wants);
        let bids = self.bids.contains_key(&link);
        let serves = matches!(message, Message::Unchoke | Message::Piece { .. });
        if bids && bid.is_none() && serves {
            return Vec::new();
        }
        let Some(PayMessage::Award(award)) = said(&message) else { return vec![message] };
        let Some(price) = bid else { return Vec::new() };
        let price = if self.greedy { Amount(price.0 * 8) } else { price };
        vec![saying(&PayMessage::Award(Award { price, ..award })), Message::Unchoke]
    }

    fn hears(&mut self, link: LinkId, message: &Message) {
        if let Some(PayMessage::Bid(bid)) = said(message) {
            self.bids.insert(link, bid.price);
        }
    }
}
