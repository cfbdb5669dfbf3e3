//! One payer at one vault: how far it is trusted, what it was sent, what it paid.

use headwater_base::{Address, Amount, LinkId, UnixTime};
use headwater_wire::extended::{Grant, Rail};

use crate::price::owed;
use crate::{AccountView, limit};

/// A vault and who has a deposit in it.
pub(super) type PayerId = (Rail, Address);

/// What is between a payer and us, whatever links and sessions it uses.
#[derive(Debug)]
pub(super) struct Payer {
    /// Bytes it is given ahead of a voucher.
    pub(super) credit: u64,
    /// What it was sent comes to.
    pub(super) charged: Amount,
    /// What it paid, in vouchers.
    pub(super) paid: Amount,
    /// What it paid since its credit last grew.
    paid_lately: Amount,
    /// What the vault says of it, while that is believed.
    pub(super) view: Option<AccountView>,
    /// The one link over which it may buy.
    pub(super) link: Option<LinkId>,
}

impl Payer {
    pub(super) fn new(credit: u64) -> Self {
        let paid = Amount(0);
        let credit = credit.clamp(CREDIT_FLOOR, limit::CREDIT_BYTES_MIN);
        Self { credit, charged: paid, paid, paid_lately: paid, view: None, link: None }
    }

    /// What it was sent and has not paid.
    pub(super) fn debt(&self) -> Amount {
        Amount(self.charged.0.saturating_sub(self.paid.0))
    }

    /// What it may still be sent on credit at `price`.
    pub(super) fn room(&self, price: Amount) -> Amount {
        let most = owed(self.credit, price).0.saturating_add(self.paid.0);
        Amount(most.saturating_sub(self.charged.0))
    }

    /// Takes a payment. Trust doubles with each window that is paid.
    pub(super) fn pay(&mut self, amount: Amount, price: Amount, credit_max: u64) {
        self.paid = Amount(self.paid.0.saturating_add(amount.0));
        self.paid_lately = Amount(self.paid_lately.0.saturating_add(amount.0));
        if self.paid_lately >= owed(self.credit, price) && self.paid <= self.charged {
            self.paid_lately = Amount(0);
            self.credit = self.credit.saturating_mul(2).min(credit_max.max(self.credit));
        }
    }

    /// Pays for something that was given at once: no trust comes of it. `paid` is what of the price
    /// the voucher adds.
    pub(super) fn buy(&mut self, price: Amount, paid: Amount) {
        self.charged = Amount(self.charged.0.saturating_add(price.0));
        self.paid = Amount(self.paid.0.saturating_add(paid.0));
    }

    /// Had to be asked for money: trust is halved.
    pub(super) fn distrust(&mut self) {
        self.credit = (self.credit / 2).max(CREDIT_FLOOR);
        self.paid_lately = Amount(0);
    }
}

/// Credit is never below so many bytes: a few blocks must fit, or nothing moves.
const CREDIT_FLOOR: u64 = 64 * 1024;

/// What of a deposit may back `exposure`: the free part of it, and whether it is enough. An exit
/// that lands while vouchers may still be claimed backs nothing at all.
pub(super) fn backing(view: &AccountView, grant: &Grant) -> Amount {
    let last_claim = grant.expiry.0.saturating_add(limit::CLAIM_WINDOW_SECONDS);
    if view.exiting.0 > 0 && view.exit_at < UnixTime(last_claim) {
        return Amount(0);
    }
    let locked = view.reserved.0.saturating_add(view.exiting.0);
    let free = view.balance.0.saturating_sub(locked);
    Amount(free.min(grant.cap.0.saturating_sub(view.spent.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payer() -> Payer {
        Payer::new(limit::CREDIT_BYTES_MIN)
    }

    const PRICE: Amount = Amount(1 << 20);

    #[test]
    fn credit_doubles_after_each_paid_window_up_to_its_bound() {
        let mut payer = payer();
        let mut seen = vec![payer.credit];
        for _ in 0..8 {
            let window = owed(payer.credit, PRICE);
            payer.charged = Amount(payer.charged.0 + window.0);
            payer.pay(window, PRICE, limit::CREDIT_BYTES_MAX);
            seen.push(payer.credit);
        }
        let expect = [18, 19, 20, 21, 22, 22, 22, 22, 22].map(|bits| 1 << bits);
        assert_eq!(seen, expect);
    }

    #[test]
    fn paying_ahead_of_service_buys_no_trust() {
        let mut payer = payer();
        payer.pay(Amount(u128::MAX), PRICE, limit::CREDIT_BYTES_MAX);
        assert_eq!(payer.credit, limit::CREDIT_BYTES_MIN);
    }

    #[test]
    fn paying_for_a_key_buys_no_trust_and_settles_no_debt() {
        let mut payer = payer();
        payer.charged = Amount(100);
        let price = owed(payer.credit, PRICE);
        payer.buy(price, price);
        assert_eq!((payer.credit, payer.debt()), (limit::CREDIT_BYTES_MIN, Amount(100)));
        // What came ahead of it pays for it.
        payer.pay(Amount(300), PRICE, limit::CREDIT_BYTES_MAX);
        payer.buy(Amount(200), Amount(0));
        assert_eq!(payer.debt(), Amount(0));
    }

    #[test]
    fn credit_halves_when_it_must_be_asked_for_and_keeps_a_few_blocks() {
        let mut payer = payer();
        payer.distrust();
        assert_eq!(payer.credit, limit::CREDIT_BYTES_MIN / 2);
        for _ in 0..9 {
            payer.distrust();
        }
        assert_eq!(payer.credit, CREDIT_FLOOR);
    }

    #[test]
    fn debt_takes_from_the_room_and_payment_ahead_adds_to_it() {
        let mut payer = payer();
        let window = owed(payer.credit, PRICE);
        assert_eq!(payer.room(PRICE), window);
        payer.charged = Amount(100);
        assert_eq!((payer.room(PRICE), payer.debt()), (Amount(window.0 - 100), Amount(100)));
        payer.paid = Amount(300);
        assert_eq!((payer.room(PRICE), payer.debt()), (Amount(window.0 + 200), Amount(0)));
    }

    #[test]
    fn a_deposit_that_is_locked_spent_or_leaving_backs_nothing() {
        let (owner, key) = (Address([1; 20]), Address([2; 20]));
        let expiry = UnixTime(1000);
        let grant = Grant { owner, key, cap: Amount(50), expiry, salt: [0; 32] };
        let view = AccountView { balance: Amount(100), ..AccountView::default() };
        assert_eq!(backing(&view, &grant), Amount(50));
        let spent = AccountView { spent: Amount(45), ..view };
        assert_eq!(backing(&spent, &grant), Amount(5));
        let locked = AccountView { reserved: Amount(95), ..view };
        assert_eq!(backing(&locked, &grant), Amount(5));
        let exit_at = UnixTime(1000 + limit::CLAIM_WINDOW_SECONDS);
        let leaving = AccountView { exiting: Amount(90), exit_at, ..view };
        assert_eq!(backing(&leaving, &grant), Amount(10));
        let soon = AccountView { exit_at: UnixTime(exit_at.0 - 1), ..leaving };
        assert_eq!(backing(&soon, &grant), Amount(0));
    }
}
