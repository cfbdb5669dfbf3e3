//! What a buyer knows of one link: the offer, the bid, and the bytes that are charged.

use headwater_base::Amount;
use headwater_wire::extended::{Award, Offer};

use crate::price::Tariff;

/// Rounds without a bid after a seller refused or ended.
pub(super) const PAUSE_ROUNDS: u32 = 3;

/// An award that stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) price: Amount,
    /// Bytes the seller gives ahead of a voucher.
    pub(super) credit: u64,
}

/// A link to a seller.
#[derive(Debug, Default)]
pub(super) struct Deal {
    pub(super) offer: Option<Offer>,
    /// Whether the peer's bytes are worth money.
    pub(super) wanted: bool,
    pub(super) unchoked: bool,
    /// The most we said we pay, while the bid stands.
    pub(super) bid: Option<Amount>,
    /// The higher of the last two bids: an award may cross a lower one on its way.
    pub(super) ceiling: Amount,
    pub(super) standing: Option<Standing>,
    pub(super) tariff: Tariff,
    /// Bytes that came while an award stood.
    pub(super) received: u64,
    /// Those of them that were found good.
    pub(super) verified: u64,
    /// Bytes that were verified when the last promise was made.
    pub(super) bought: u64,
    /// By how much the seller's count is ahead of ours: bytes it sent and we never saw.
    pub(super) ahead: u64,
    /// What was promised for this link's bytes.
    pub(super) promised: Amount,
    /// Bytes that are verified at once.
    pub(super) unit: u64,
    /// The seller waits for money.
    pub(super) due: bool,
    /// Rounds to wait before the next bid.
    pub(super) pause: u32,
    /// Payment over this link ended for good.
    pub(super) dead: bool,
}

impl Standing {
    pub(super) fn of(award: &Award) -> Self {
        Self { price: award.price, credit: award.credit }
    }
}

impl Deal {
    /// What is owed for this link and not promised. `ahead` adds bytes that came and are not
    /// found good yet, never more than one unit of them.
    pub(super) fn unpaid(&self, ahead: bool) -> Amount {
        let unit = if ahead { self.unit } else { 0 };
        let bytes = self.verified.saturating_add(unit).min(self.received);
        Amount(self.tariff.owed(bytes).0.saturating_sub(self.promised.0))
    }

    /// Whether the seller's credit is too small for a unit, so that it must be paid for before
    /// it can be verified.
    pub(super) fn needs_advance(&self) -> bool {
        let credit = self.standing.map(|standing| standing.credit);
        credit.is_some_and(|credit| self.due || self.unit.saturating_mul(2) > credit)
    }

    /// Takes a price for the next bid.
    pub(super) fn raise(&mut self, price: Amount) {
        self.ceiling = self.bid.unwrap_or_default().max(price);
        self.bid = Some(price);
    }

    /// One step of the search for the right bid. Answers whether it changed.
    pub(super) fn step(&mut self, price_max: Amount) -> bool {
        self.pause = self.pause.saturating_sub(1);
        let (Some(bid), Some(offer)) = (self.bid, self.offer) else { return false };
        let next = if self.standing.is_some() {
            bid.0 - bid.0 / 10
        } else if self.unchoked {
            // Served for nothing: there is no reason to bid more.
            bid.0
        } else {
            bid.0.saturating_add(bid.0.div_ceil(4))
        };
        let next = Amount(next.min(price_max.0).max(offer.price.0));
        if next != bid {
            self.raise(next);
        }
        next != bid
    }

    /// Forgets everything but the offer: nothing more is promised for what came.
    pub(super) fn restart(&mut self) {
        let fresh = Self {
            offer: self.offer,
            wanted: self.wanted,
            unchoked: self.unchoked,
            unit: self.unit,
            dead: self.dead,
            ..Self::default()
        };
        *self = fresh;
    }

    /// Ends payment for good, and promises nothing more for what came.
    pub(super) fn kill(&mut self) {
        self.restart();
        self.dead = true;
    }
}

#[cfg(test)]
mod tests {
    use headwater_base::Address;
    use headwater_wire::extended::Rail;

    use super::*;

    fn deal(bid: u128, awarded: bool) -> Deal {
        let rail = Rail { chain: 1, vault: Address([0; 20]), token: Address([0; 20]) };
        let payee = Address([1; 20]);
        let price = Amount(100);
        let offer = Offer { id: 0, rail, payee, price, credit: 1 << 18, valid_s: 9 };
        let standing = awarded.then_some(Standing { price, credit: 1 << 18 });
        Deal { offer: Some(offer), bid: Some(Amount(bid)), standing, ..Deal::default() }
    }

    fn stepped(mut deal: Deal) -> u128 {
        deal.step(Amount(1000));
        deal.bid.unwrap_or_default().0
    }

    #[test]
    fn bid_goes_up_by_a_quarter_while_choked_and_down_by_a_tenth_while_served() {
        assert_eq!(stepped(deal(400, false)), 500);
        assert_eq!(stepped(deal(400, true)), 360);
        assert_eq!(stepped(deal(900, false)), 1000);
        assert_eq!(stepped(deal(105, true)), 100);
        assert_eq!(stepped(Deal { unchoked: true, ..deal(400, false) }), 400);
    }

    #[test]
    fn an_award_may_cross_a_lower_bid() {
        let mut lowered = deal(400, true);
        lowered.step(Amount(1000));
        assert_eq!((lowered.bid, lowered.ceiling), (Some(Amount(360)), Amount(400)));
    }

    #[test]
    fn no_more_than_one_unit_is_paid_before_it_is_verified() {
        let mut deal = deal(400, true);
        assert!(deal.tariff.set(0, Amount(1 << 20)));
        (deal.received, deal.verified, deal.unit) = (1000, 100, 50);
        assert_eq!(deal.unpaid(false), Amount(100));
        assert_eq!(deal.unpaid(true), Amount(150));
        deal.unit = 5000;
        assert_eq!(deal.unpaid(true), Amount(1000));
    }
}
