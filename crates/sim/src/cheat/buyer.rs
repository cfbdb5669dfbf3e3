//! Buyers that cheat: real clients whose words on payment are changed as they leave.

use std::collections::BTreeMap;

use headwater_base::{Address, Amount, LinkId, Rng, Signature};
use headwater_pay::{Promise, Signed};
use headwater_wire::Message;
use headwater_wire::extended::{Grant, PayMessage, Rail};

use super::Tamper;
use super::money::{said, saying};
use crate::money::vault::{RAIL, sign};

/// Bids this price for a MiB, whatever its client would bid. No cheat: it stands where it is.
#[derive(Clone, Copy, Debug)]
pub struct Bidder {
    /// The price.
    pub price: Amount,
}

impl Tamper for Bidder {
    fn leaves(&mut self, _link: LinkId, message: Message, _rng: &mut Rng) -> Vec<Message> {
        let Some(PayMessage::Bid(bid)) = said(&message) else { return vec![message] };
        let bid = headwater_wire::extended::Bid { price: self.price, ..*bid };
        vec![saying(&PayMessage::Bid(Box::new(bid)))]
    }
}

/// Pays at first, and then takes and does not pay.
#[derive(Clone, Copy, Debug)]
pub struct Defaulter {
    /// Vouchers that still leave.
    pub pays: u32,
}

impl Tamper for Defaulter {
    fn leaves(&mut self, _link: LinkId, message: Message, _rng: &mut Rng) -> Vec<Message> {
        if let Some(PayMessage::Voucher { .. }) = said(&message) {
            let Some(left) = self.pays.checked_sub(1) else { return Vec::new() };
            self.pays = left;
        }
        vec![message]
    }
}

/// Says old vouchers again after new ones, and every other one before the one it follows.
#[derive(Clone, Debug, Default)]
pub struct Reorderer {
    last: BTreeMap<LinkId, Message>,
}

impl Tamper for Reorderer {
    fn leaves(&mut self, link: LinkId, message: Message, _rng: &mut Rng) -> Vec<Message> {
        let Some(PayMessage::Voucher { .. }) = said(&message) else { return vec![message] };
        let old = self.last.insert(link, message.clone());
        core::iter::once(message).chain(old).collect()
    }
}

/// How a voucher is spoilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoils {
    /// It is of another session of the same owner.
    Session,
    /// It is for another vault.
    Vault,
    /// It is for another chain.
    Chain,
    /// It is for another payee.
    Payee,
    /// Its `s` is the high one of the two.
    HighS,
    /// Its `v` is none.
    WrongV,
    /// A bit of it is another.
    Bit,
}

impl Spoils {
    /// Every way.
    pub const ALL: [Self; 7] = [
        Self::Session,
        Self::Vault,
        Self::Chain,
        Self::Payee,
        Self::HighS,
        Self::WrongV,
        Self::Bit,
    ];
}

/// Says vouchers that are signed, and are not what they should be.
#[derive(Clone, Debug)]
pub struct Spoiler {
    how: Spoils,
    /// Session and payee of each link.
    terms: BTreeMap<LinkId, (Option<Address>, Option<Grant>)>,
}

impl Spoiler {
    /// One that spoils its vouchers like this.
    pub fn new(how: Spoils) -> Self {
        Self { how, terms: BTreeMap::new() }
    }

    /// The signature it says instead of a good one.
    fn spoilt(&self, promise: Promise, sig: Signature) -> Signature {
        let Promise { rail, grant, .. } = promise;
        let other = Address([0xee; 20]);
        let signed = |promise: Promise| sign(grant.key, &Signed::Voucher(promise));
        let flipped = |at: usize| {
            let mut sig = sig;
            sig.0[at] ^= 1;
            sig
        };
        match self.how {
            Spoils::Session => {
                signed(Promise { grant: Grant { salt: [0xee; 32], ..grant }, ..promise })
            }
            Spoils::Vault => signed(Promise { rail: Rail { vault: other, ..rail }, ..promise }),
            Spoils::Chain => {
                signed(Promise { rail: Rail { chain: rail.chain + 1, ..rail }, ..promise })
            }
            Spoils::Payee => signed(Promise { payee: other, ..promise }),
            Spoils::HighS => flipped(60),
            Spoils::WrongV => flipped(64),
            Spoils::Bit => flipped(30),
        }
    }
}

impl Tamper for Spoiler {
    fn leaves(&mut self, link: LinkId, message: Message, _rng: &mut Rng) -> Vec<Message> {
        let terms = self.terms.entry(link).or_default();
        let said = said(&message);
        if let Some(PayMessage::Bid(bid)) = &said {
            terms.1 = Some(bid.grant);
        }
        let (Some(PayMessage::Voucher { amount, sig, bytes }), (Some(payee), Some(grant))) =
            (said, *terms)
        else {
            return vec![message];
        };
        let sig = self.spoilt(Promise { rail: RAIL, grant, payee, amount }, sig);
        vec![saying(&PayMessage::Voucher { amount, sig, bytes })]
    }

    fn hears(&mut self, link: LinkId, message: &Message) {
        if let Some(PayMessage::Offer(offer)) = said(message) {
            self.terms.entry(link).or_default().0 = Some(offer.payee);
        }
    }
}
