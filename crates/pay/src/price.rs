//! What bytes come to. Both sides of a link do this alike, with one rounding, or they would
//! disagree by a unit each time.

use headwater_base::Amount;

use crate::limit;

/// Bytes in a MiB, the unit of prices.
const MIB: u128 = 1 << 20;

/// What `bytes` come to at `price` for a MiB, rounded up.
pub fn owed(bytes: u64, price: Amount) -> Amount {
    Amount(u128::from(bytes).saturating_mul(price.0).div_ceil(MIB))
}

/// The most bytes that come to no more than `amount`; all there are when the price is zero.
pub fn affordable(amount: Amount, price: Amount) -> u64 {
    if price.0 == 0 {
        return u64::MAX;
    }
    // Quotient and remainder apart: amounts may be so large that they cannot be multiplied.
    let whole = (amount.0 / price.0).saturating_mul(MIB);
    let rest = amount.0 % price.0;
    let part = rest.checked_mul(MIB).map_or_else(|| rest / price.0.div_ceil(MIB), |r| r / price.0);
    u64::try_from(whole.saturating_add(part)).unwrap_or(u64::MAX)
}

/// The prices of a link's bytes, from the byte each holds from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tariff {
    /// First byte and price, in order of the bytes. The last one has no end.
    steps: Vec<(u64, Amount)>,
    /// Bytes times price of everything before the first step.
    folded: u128,
}

impl Tariff {
    /// Sets the price of bytes from `from` on. Answers whether it may be: prices of bytes that
    /// are already priced never change, and there are only so many steps.
    pub(crate) fn set(&mut self, from: u64, price: Amount) -> bool {
        if price.0 > limit::PRICE_MAX {
            return false;
        }
        match self.steps.last_mut() {
            Some((last, _)) if *last > from => false,
            Some((_, known)) if *known == price => true,
            Some((last, known)) if *last == from => {
                *known = price;
                true
            }
            Some(_) | None => {
                let room = self.steps.len() < limit::STEPS_OF_PRICE_MAX;
                if room {
                    self.steps.push((from, price));
                }
                room
            }
        }
    }

    /// Forgets the steps that `bytes` are past; nobody may ask for fewer bytes later.
    pub(crate) fn fold(&mut self, bytes: u64) {
        while let [(first, price), (end, _), ..] = self.steps[..] {
            if end > bytes {
                return;
            }
            self.folded = self.folded.saturating_add(u128::from(end - first) * price.0);
            self.steps.remove(0);
        }
    }

    /// The price of the next byte.
    pub(crate) fn price(&self) -> Option<Amount> {
        self.steps.last().map(|(_, price)| *price)
    }

    /// What the first `bytes` come to, rounded up once.
    pub(crate) fn owed(&self, bytes: u64) -> Amount {
        let mut sum = self.folded;
        for (at, (first, price)) in self.steps.iter().enumerate() {
            let end = self.steps.get(at + 1).map_or(bytes, |(end, _)| (*end).min(bytes));
            sum = sum.saturating_add(u128::from(end.saturating_sub(*first)) * price.0);
        }
        Amount(sum.div_ceil(MIB))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn owed_is_rounded_up_once() {
        assert_eq!(owed(1, Amount(1)), Amount(1));
        assert_eq!(owed(1 << 20, Amount(7)), Amount(7));
        assert_eq!(owed((1 << 20) + 1, Amount(7)), Amount(8));
        assert_eq!(owed(0, Amount(7)), Amount(0));
        let mut tariff = Tariff::default();
        assert!(tariff.set(0, Amount(1)) && tariff.set(1, Amount(2)));
        assert_eq!(tariff.owed(3), Amount(1));
    }

    #[test]
    fn prices_of_priced_bytes_never_change() {
        let mut tariff = Tariff::default();
        assert!(tariff.set(100, Amount(5)));
        assert!(!tariff.set(99, Amount(1)));
        assert!(tariff.set(100, Amount(6)));
        assert_eq!(tariff.price(), Some(Amount(6)));
        assert!(!tariff.set(200, Amount(limit::PRICE_MAX + 1)));
        for step in 1..100 {
            tariff.set(100 + step, Amount(u128::from(step) + 10));
        }
        assert_eq!(tariff.steps.len(), limit::STEPS_OF_PRICE_MAX);
    }

    proptest! {
        #[test]
        fn folding_changes_no_sum(
            steps in prop::collection::vec((0..500_u64, 0..1_u128 << 80), 1..20),
            at in 0..10_000_u64, more in 0..10_000_u64,
        ) {
            let mut tariff = Tariff::default();
            let mut from = 0;
            for (gap, price) in steps {
                prop_assert!(tariff.set(from, Amount(price)));
                from += gap;
            }
            let before = tariff.owed(at + more);
            tariff.fold(at);
            prop_assert_eq!(tariff.owed(at + more), before);
        }

        #[test]
        fn what_is_affordable_is_never_dearer(
            amount in any::<u128>(), price in 1..=limit::PRICE_MAX,
        ) {
            let bytes = affordable(Amount(amount), Amount(price));
            prop_assert!(owed(bytes, Amount(price)).0 <= amount);
            if amount < 1 << 100 && bytes < u64::MAX {
                prop_assert!(owed(bytes + 1, Amount(price)).0 > amount);
            }
        }
    }
}
