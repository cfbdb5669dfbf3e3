//! Amounts as people write them: "1.5" is 1.5 × 10^18 base units of a token with 18 decimals.
//! Exact in both directions; no float comes near them.

use headwater_base::Amount;

use crate::limit;

/// Text that names no amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// No amount has so many digits.
    #[error("amount of {found} characters, 1 to {allowed} allowed")]
    Length {
        /// How many there are.
        found: usize,
        /// The most allowed.
        allowed: usize,
    },
    /// Something else than digits and one point between them.
    #[error("amount has a character at {at} that is no digit")]
    Digit {
        /// Where it stands.
        at: usize,
    },
    /// The token has no unit so small.
    #[error("amount with {found} decimals, the token has {allowed}")]
    Decimals {
        /// How many there are.
        found: usize,
        /// The most allowed.
        allowed: u8,
    },
    /// More than there can be of any token.
    #[error("amount exceeds 128 bits of base units")]
    Large,
}

/// Reads an amount of a token with `decimals`: digits, and a point with digits on both sides.
pub fn parse(text: &str, decimals: u8) -> Result<Amount, AmountError> {
    let (found, allowed) = (text.len(), limit::AMOUNT_CHARS_MAX);
    if found == 0 || found > allowed {
        return Err(AmountError::Length { found, allowed });
    }
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let at = if whole.is_empty() { 0 } else { whole.len() + 1 };
    let digits_at = |part: &str| part.bytes().position(|byte| !byte.is_ascii_digit());
    let odd = digits_at(whole).or_else(|| digits_at(part).map(|odd| at + odd));
    if let Some(at) = odd.or((whole.is_empty() || part.is_empty()).then_some(at)) {
        return Err(AmountError::Digit { at });
    }
    let part = part.trim_end_matches('0');
    if part.len() > usize::from(decimals) {
        return Err(AmountError::Decimals { found: part.len(), allowed: decimals });
    }
    let missing = usize::from(decimals) - part.len();
    let zeros = core::iter::repeat_n(b'0', missing);
    let mut units: u128 = 0;
    for digit in whole.bytes().chain(part.bytes()).chain(zeros) {
        let grown =
            units.checked_mul(10).and_then(|units| units.checked_add((digit - b'0').into()));
        units = grown.ok_or(AmountError::Large)?;
    }
    Ok(Amount(units))
}

/// Writes an amount of a token with `decimals`, with no more digits than it needs.
pub fn text(amount: Amount, decimals: u8) -> String {
    let places = usize::from(decimals);
    let digits = format!("{:0>width$}", amount.0, width = places + 1);
    let (whole, part) = digits.split_at(digits.len() - places);
    match part.trim_end_matches('0') {
        "" => whole.to_owned(),
        part => format!("{whole}.{part}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_to_the_base_unit() {
        for (written, decimals, units) in [
            ("0", 18, 0),
            ("1.5", 18, 1_500_000_000_000_000_000),
            ("0.000000000000000001", 18, 1),
            ("007.10", 6, 7_100_000),
            ("12", 0, 12),
            ("12.000", 0, 12),
            ("990000000000000", 18, 990_000_000_000_000 * 10_u128.pow(18)),
        ] {
            assert_eq!(parse(written, decimals), Ok(Amount(units)), "{written}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for decimals in [0, 6, 18, 38] {
            for units in [0, 1, 9, 10, 12_345, 10_u128.pow(18), 10_u128.pow(18) + 1, u128::MAX] {
                let written = text(Amount(units), decimals);
                assert_eq!(parse(&written, decimals), Ok(Amount(units)), "{written}");
            }
        }
        assert_eq!(text(Amount(1_500_000), 6), "1.5");
        assert_eq!(text(Amount(1), 6), "0.000001");
        assert_eq!(text(Amount(3_000_000), 6), "3");
    }

    #[test]
    fn anything_but_digits_and_a_point_is_refused() {
        for (written, at) in
            [("-1", 0), ("1e3", 1), ("1,5", 1), (".5", 0), ("5.", 2), ("1.2.3", 3), (" 1", 0)]
        {
            assert_eq!(parse(written, 18), Err(AmountError::Digit { at }), "{written}");
        }
        assert!(matches!(parse("٣", 18), Err(AmountError::Digit { .. })));
    }

    #[test]
    fn units_too_small_and_amounts_too_large_are_refused() {
        let error = AmountError::Decimals { found: 7, allowed: 6 };
        assert_eq!(parse("0.0000001", 6), Err(error));
        assert_eq!(parse("340282366920938463463374607431768211456", 0), Err(AmountError::Large));
        assert_eq!(parse(&"9".repeat(40), 18), Err(AmountError::Large));
        assert_eq!(parse("", 18), Err(AmountError::Length { found: 0, allowed: 64 }));
        assert_eq!(parse(&"0".repeat(65), 18), Err(AmountError::Length { found: 65, allowed: 64 }));
    }

    #[test]
    fn token_of_more_decimals_than_128_bits_has_digits_never_panics() {
        assert_eq!(parse("1", 255), Err(AmountError::Large));
        assert_eq!(parse("0", 255), Ok(Amount(0)));
        assert_eq!(text(Amount(1), 255).len(), 257);
    }
}
