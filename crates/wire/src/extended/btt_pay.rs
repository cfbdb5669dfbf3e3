//! The messages of paid priority (`btt_pay`): offers, bids, awards, vouchers, and the sale of a
//! content's key. Decides form only; no sum or signature is judged here. Keys and kinds not known
//! here are ignored.

use bytes::Bytes;
use headwater_base::{Address, Amount, Signature};
use headwater_metainfo::bencode::{Dict, DictBuilder, Value};

use super::RULES;
use super::btt_terms::{
    ContentId, Grant, Rail, address, exact, number, put, signature, small, sum,
};
use crate::{Error, limit};

/// A message of paid priority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayMessage {
    /// A seller has slots to sell.
    Offer(Offer),
    /// A buyer wants one. It comes again when the price it would pay changes.
    Bid(Box<Bid>),
    /// A bid has won. It comes again when it changes, and before it runs out.
    Award(Award),
    /// A bid is not taken.
    Refuse {
        /// Why not.
        code: RefuseCode,
    },
    /// A promise, cumulative for the session and the payee.
    Voucher {
        /// All that is promised.
        amount: Amount,
        /// The session key's signature of it.
        sig: Signature,
        /// Bytes of this link that it is for, cumulative.
        bytes: u64,
    },
    /// A voucher was taken and is stored.
    Receipt {
        /// All that is promised.
        amount: Amount,
        /// Bytes sent at a price over this link, cumulative.
        bytes: u64,
    },
    /// The credit is used up.
    Due {
        /// What this link's bytes come to that no voucher covers.
        amount: Amount,
        /// How long the seller waits.
        grace_ms: u32,
    },
    /// A part of the deposit that the payee may lock for itself.
    Reserve {
        /// How much.
        amount: Amount,
        /// The session key's signature of it.
        sig: Signature,
    },
    /// The sender ends payment over this link. The link itself goes on.
    End {
        /// Why.
        code: EndCode,
    },
    /// A buyer wants the key of a content.
    Buy(Box<Buy>),
    /// The key of a content, which only the session key opens.
    Key {
        /// The content.
        content: ContentId,
        /// The key, sealed.
        sealed: [u8; SEALED_LEN],
    },
    /// The key of a content is not given.
    Deny {
        /// The content.
        content: ContentId,
        /// The price that was named: an answer to an earlier question says nothing of a later one.
        price: Amount,
        /// Why not.
        code: RefuseCode,
    },
}

/// Bytes of a sealed key: a point of the curve, then the 32 bytes of the key in a disguise that
/// depends on it.
pub const SEALED_LEN: usize = 65;

/// What a seller offers over a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Names the offer in bids and awards.
    pub id: u64,
    /// How to pay.
    pub rail: Rail,
    /// Whom to pay.
    pub payee: Address,
    /// The least it takes for a MiB.
    pub price: Amount,
    /// Bytes it gives before it is first paid.
    pub credit: u64,
    /// Seconds for which it may be bid on.
    pub valid_s: u32,
}

/// What a buyer would pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bid {
    /// The offer it is for.
    pub offer: u64,
    /// The most it pays for a MiB.
    pub price: Amount,
    /// The most it pays over this link.
    pub budget: Amount,
    /// What backs it.
    pub grant: Grant,
    /// The owner's signature of the grant.
    pub sig: Signature,
}

/// What a buyer says to have the key of a content. A voucher is part of it, whose signature also
/// tells the session key that the content's key is sealed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buy {
    /// The content.
    pub content: ContentId,
    /// What the voucher adds for it; 0 asks for what was bought before.
    pub price: Amount,
    /// How it is paid.
    pub rail: Rail,
    /// What backs it.
    pub grant: Grant,
    /// The owner's signature of the grant.
    pub grant_sig: Signature,
    /// All that is promised for this session and payee, the price included.
    pub amount: Amount,
    /// The session key's signature of it.
    pub sig: Signature,
}

/// A sold upload slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Award {
    /// The offer that was bid on.
    pub offer: u64,
    /// The price of a MiB, never above the bid.
    pub price: Amount,
    /// The byte of this link, of those sent at a price, from which this price holds. It makes
    /// both sides price the same bytes alike.
    pub from: u64,
    /// Bytes the seller gives ahead of a voucher.
    pub credit: u64,
    /// Seconds for which the award stands unless it comes again.
    pub until_s: u32,
}

/// Codes as numbers, of which unknown ones read as `Other`.
macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $code:ident = $number:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$of])* $code,)*
            /// One that is not known here.
            Other,
        }

        impl $name {
            fn number(self) -> i64 {
                match self {
                    $(Self::$code => $number,)*
                    Self::Other => 0,
                }
            }

            fn read(number: u64) -> Self {
                match number {
                    $($number => Self::$code,)*
                    _ => Self::Other,
                }
            }
        }
    };
}

codes!(
    /// Why a bid is not taken, or a content's key not given.
    RefuseCode {
        /// The deposit does not cover the seller's exposure.
        NoFunds = 1,
        /// A signature is not the one it must be.
        BadSignature = 2,
        /// The price is below what the seller takes, or the voucher adds less than it.
        Price = 3,
        /// The grant or the offer runs out too soon, or too late.
        Expiry = 4,
        /// No slot, or this payer has one over another link.
        Busy = 5,
        /// The seller does not take that rail.
        Rail = 6,
        /// The seller has no such content.
        Content = 7,
    }
);

codes!(
    /// Why payment ended.
    EndCode {
        /// The sender wants no more.
        Done = 1,
        /// Its user switched payment off.
        Off = 2,
        /// A cap or a budget is used up.
        Cap = 3,
        /// What is due was not paid in time.
        Unpaid = 4,
        /// The two sides count bytes too differently.
        Mismatch = 5,
        /// Three messages broke the rules.
        Strikes = 6,
        /// Others bid more.
        Outbid = 7,
        /// The price is above the bid.
        Price = 8,
        /// Too many messages came.
        Flood = 9,
    }
);

impl PayMessage {
    /// The payload of the extended message.
    pub fn encode(&self) -> Bytes {
        let kind = |t| DictBuilder::new().int("t", t);
        let dict = match self {
            Self::Offer(offer) => offer.dict(kind(0)),
            Self::Bid(bid) => bid.dict(kind(1)),
            Self::Award(award) => award.dict(kind(2)),
            Self::Refuse { code } => kind(3).int("c", code.number()),
            Self::Voucher { amount, sig, bytes } => {
                put(put(kind(4), "a", amount.0).bytes("x", sig.0), "n", u128::from(*bytes))
            }
            Self::Receipt { amount, bytes } => {
                put(put(kind(5), "a", amount.0), "n", u128::from(*bytes))
            }
            Self::Due { amount, grace_ms } => {
                put(kind(6), "a", amount.0).int("g", i64::from(*grace_ms))
            }
            Self::Reserve { amount, sig } => put(kind(7), "a", amount.0).bytes("x", sig.0),
            Self::End { code } => kind(8).int("c", code.number()),
            Self::Buy(buy) => buy.dict(kind(9)),
            Self::Key { content, sealed } => kind(10).bytes("h", content.0).bytes("k", sealed),
            Self::Deny { content, price, code } => {
                let dict = kind(11).int("c", code.number()).bytes("h", content.0);
                put(dict, "q", price.0)
            }
        };
        Bytes::from(dict.finish())
    }

    /// Reads the payload of an extended message; `None` for kinds not known here.
    pub fn decode(payload: &[u8]) -> Result<Option<Self>, Error> {
        let (found, allowed) = (payload.len(), limit::PAY_BYTES_MAX);
        if found > allowed {
            return Err(Error::Text { what: "payment message", found, allowed });
        }
        let (value, _) = RULES.parse_prefix(payload)?;
        let dict = value.dict().ok_or(Error::Field { key: "t", needed: "dictionary" })?;
        Ok(Some(match number(dict, "t")? {
            0 => Self::Offer(Offer::read(dict)?),
            1 => Self::Bid(Box::new(Bid::read(dict)?)),
            2 => Self::Award(Award::read(dict)?),
            3 => Self::Refuse { code: RefuseCode::read(number(dict, "c")?) },
            4 => Self::Voucher {
                amount: sum(dict, "a")?,
                sig: signature(dict, "x")?,
                bytes: number(dict, "n")?,
            },
            5 => Self::Receipt { amount: sum(dict, "a")?, bytes: number(dict, "n")? },
            6 => Self::Due { amount: sum(dict, "a")?, grace_ms: small(dict, "g")? },
            7 => Self::Reserve { amount: sum(dict, "a")?, sig: signature(dict, "x")? },
            8 => Self::End { code: EndCode::read(number(dict, "c")?) },
            9 => Self::Buy(Box::new(Buy::read(dict)?)),
            10 => {
                let sealed = exact(dict, "k", "65 bytes")?;
                Self::Key { content: ContentId::read(dict)?, sealed }
            }
            11 => Self::Deny {
                content: ContentId::read(dict)?,
                price: sum(dict, "q")?,
                code: RefuseCode::read(number(dict, "c")?),
            },
            _ => return Ok(None),
        }))
    }
}

impl Offer {
    fn dict(&self, dict: DictBuilder) -> DictBuilder {
        let dict = put(dict, "o", u128::from(self.id)).dict("r", self.rail.dict());
        let dict = put(dict.bytes("p", self.payee.0), "q", self.price.0);
        put(dict, "w", u128::from(self.credit)).int("s", i64::from(self.valid_s))
    }

    fn read(dict: &Dict<'_>) -> Result<Self, Error> {
        let rail = dict.lookup("r").ok_or(Error::Field { key: "r", needed: "rail" })?;
        Ok(Self {
            id: number(dict, "o")?,
            rail: Rail::read(rail)?,
            payee: address(dict, "p")?,
            price: sum(dict, "q")?,
            credit: number(dict, "w")?,
            valid_s: small(dict, "s")?,
        })
    }
}

impl Bid {
    fn dict(&self, dict: DictBuilder) -> DictBuilder {
        let dict = put(put(dict, "o", u128::from(self.offer)), "q", self.price.0);
        put(dict, "b", self.budget.0).dict("g", self.grant.dict()).bytes("x", self.sig.0)
    }

    fn read(dict: &Dict<'_>) -> Result<Self, Error> {
        let grant: Option<&Value<'_>> = dict.lookup("g");
        Ok(Self {
            offer: number(dict, "o")?,
            price: sum(dict, "q")?,
            budget: sum(dict, "b")?,
            grant: Grant::read(grant.ok_or(Error::Field { key: "g", needed: "grant" })?)?,
            sig: signature(dict, "x")?,
        })
    }
}

impl Buy {
    fn dict(&self, dict: DictBuilder) -> DictBuilder {
        let dict = put(dict.bytes("h", self.content.0), "q", self.price.0);
        let dict = dict.dict("r", self.rail.dict()).dict("g", self.grant.dict());
        let dict = put(dict.bytes("y", self.grant_sig.0), "a", self.amount.0);
        dict.bytes("x", self.sig.0)
    }

    fn read(dict: &Dict<'_>) -> Result<Self, Error> {
        let rail = dict.lookup("r").ok_or(Error::Field { key: "r", needed: "rail" })?;
        let grant = dict.lookup("g").ok_or(Error::Field { key: "g", needed: "grant" })?;
        Ok(Self {
            content: ContentId::read(dict)?,
            price: sum(dict, "q")?,
            rail: Rail::read(rail)?,
            grant: Grant::read(grant)?,
            grant_sig: signature(dict, "y")?,
            amount: sum(dict, "a")?,
            sig: signature(dict, "x")?,
        })
    }
}

impl Award {
    fn dict(&self, dict: DictBuilder) -> DictBuilder {
        let dict = put(put(dict, "o", u128::from(self.offer)), "q", self.price.0);
        let dict = put(dict, "n", u128::from(self.from));
        put(dict, "w", u128::from(self.credit)).int("s", i64::from(self.until_s))
    }

    fn read(dict: &Dict<'_>) -> Result<Self, Error> {
        Ok(Self {
            offer: number(dict, "o")?,
            price: sum(dict, "q")?,
            from: number(dict, "n")?,
            credit: number(dict, "w")?,
            until_s: small(dict, "s")?,
        })
    }
}

#[cfg(test)]
mod tests;
