//! What is known of payment over one link: who takes part, what was sold to it, what it was sent
//! for that. Knows shares and bytes, never amounts.

use bytes::Bytes;

/// Whether this build pays at all. A page that does not has none of what this decides on.
pub(crate) const PAYS: bool = cfg!(feature = "pay");

/// Payment over one link, in both directions.
#[derive(Debug, Default)]
pub(crate) struct Paid {
    /// Its id for messages of payment, while it takes part.
    pub(crate) id: Option<u8>,
    /// Its terms, as they came last.
    pub(crate) terms: Option<Bytes>,
    /// Payment was told of it, and is to be told when it goes.
    pub(crate) known: bool,
    /// It was told that we take part.
    pub(crate) told: bool,
    /// Its share of what is sold, in millionths.
    pub(crate) weight: u32,
    /// It has a share, and is one of those whose slots may be sold.
    pub(crate) seated: bool,
    /// Bytes it was sent in sold slots.
    pub(crate) sent: u64,
    /// What those may come to.
    pub(crate) allowed: u64,
    /// What it may send at once of what its turns brought, while slots are sold.
    pub(crate) saved: u64,
    /// What the turn that it waits for brings.
    pub(crate) turn: u64,
    /// It gives enough for a slot of its own, as was told last.
    pub(crate) gives: bool,
}

impl Paid {
    /// Whether it holds a sold slot.
    pub(crate) fn is_sold(&self) -> bool {
        PAYS && self.seated
    }

    /// Whether it takes part, as far as it said so.
    pub(crate) fn takes_part(&self) -> bool {
        PAYS && self.terms.is_some()
    }

    /// Whether so many more bytes may be sent to it: in a sold slot only what is allowed.
    pub(crate) fn may_have(&self, bytes: u64) -> bool {
        !self.is_sold() || self.sent.saturating_add(bytes) <= self.allowed
    }
}
