//! Judges what a server says before its bytes. A part is taken only from an answer that names
//! exactly that part; a plain 200 only where the whole file was asked for.

use crate::{RangeHead, WebSeedTrouble};

/// Whether the bytes that follow are those from `start` to `end` of a file of `length` bytes.
pub(super) fn check(
    head: &RangeHead,
    (start, end): (u64, u64),
    length: u64,
) -> Result<(), WebSeedTrouble> {
    let packed =
        head.encoding.as_deref().map(str::trim).is_some_and(|encoding| {
            !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity")
        });
    match head.status {
        200 if packed => Err(WebSeedTrouble::Encoded),
        200 if (start, end) != (0, length) => Err(WebSeedTrouble::NoRanges),
        200 => length_is(head, length),
        206 if packed => Err(WebSeedTrouble::Encoded),
        206 => match &head.range {
            Some(range) if !names(range, (start, end), length) => Err(WebSeedTrouble::WrongRange),
            None if !head.hidden => Err(WebSeedTrouble::WrongRange),
            Some(_) | None => length_is(head, end - start),
        },
        status => Err(WebSeedTrouble::Status(status)),
    }
}

/// An unknown length is counted as the bytes come.
fn length_is(head: &RangeHead, expected: u64) -> Result<(), WebSeedTrouble> {
    match head.length {
        Some(length) if length > expected => Err(WebSeedTrouble::TooLong),
        // The file on the server is another one: asking again would not mend it.
        Some(length) if length < expected => Err(WebSeedTrouble::WrongRange),
        Some(_) | None => Ok(()),
    }
}

/// Whether `bytes 0-9/100` (RFC 9110 14.4) names this part of a file of this length.
fn names(range: &str, (start, end): (u64, u64), length: u64) -> bool {
    let parse = || {
        let (unit, rest) = range.trim().split_once(' ')?;
        let (span, whole) = rest.trim().split_once('/')?;
        let (first, last) = span.trim().split_once('-')?;
        let number = |text: &str| text.trim().parse::<u64>().ok();
        let fits = whole.trim() == "*" || number(whole)? == length;
        let same = number(first)? == start && number(last)? == end - 1;
        Some(unit.eq_ignore_ascii_case("bytes") && fits && same)
    };
    parse() == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(range: &str) -> RangeHead {
        RangeHead { status: 206, range: Some(range.to_owned()), ..RangeHead::default() }
    }

    fn of(head: &RangeHead) -> Result<(), WebSeedTrouble> {
        check(head, (10, 20), 100)
    }

    #[test]
    fn part_must_be_exactly_the_one_asked_for() {
        for right in ["bytes 10-19/100", "Bytes  10-19/*", " bytes 10-19/100 "] {
            assert_eq!(of(&part(right)), Ok(()), "{right}");
        }
        for wrong in [
            "bytes 10-20/100",
            "bytes 9-19/100",
            "bytes 10-19/101",
            "bytes */100",
            "bytes 10-19",
            "items 10-19/100",
            "bytes 10-99999999999999999999/100",
            "",
        ] {
            assert_eq!(of(&part(wrong)), Err(WebSeedTrouble::WrongRange), "{wrong}");
        }
    }

    #[test]
    fn range_that_is_missing_counts_only_where_it_cannot_be_seen() {
        let none = RangeHead { status: 206, ..RangeHead::default() };
        assert_eq!(of(&none), Err(WebSeedTrouble::WrongRange));
        assert_eq!(of(&RangeHead { hidden: true, ..none }), Ok(()));
    }

    #[test]
    fn length_must_fit_where_it_is_told() {
        let with = |length| RangeHead { length: Some(length), ..part("bytes 10-19/100") };
        assert_eq!(of(&with(10)), Ok(()));
        assert_eq!(of(&with(11)), Err(WebSeedTrouble::TooLong));
        assert_eq!(of(&with(9)), Err(WebSeedTrouble::WrongRange));
    }

    #[test]
    fn whole_answer_is_taken_only_for_a_whole_file() {
        let whole = RangeHead { status: 200, length: Some(100), ..RangeHead::default() };
        assert_eq!(of(&whole), Err(WebSeedTrouble::NoRanges));
        assert_eq!(check(&whole, (0, 100), 100), Ok(()));
        assert_eq!(check(&whole, (0, 99), 100), Err(WebSeedTrouble::NoRanges));
        let other = RangeHead { length: Some(101), ..whole };
        assert_eq!(check(&other, (0, 100), 100), Err(WebSeedTrouble::TooLong));
    }

    #[test]
    fn packed_bytes_are_refused_whatever_else_is_right() {
        let gzip = RangeHead { encoding: Some("gzip".into()), ..part("bytes 10-19/100") };
        assert_eq!(of(&gzip), Err(WebSeedTrouble::Encoded));
        assert_eq!(of(&RangeHead { encoding: Some("identity".into()), ..gzip }), Ok(()));
    }

    #[test]
    fn other_statuses_are_told() {
        for status in [204, 302, 403, 404, 416, 503] {
            let head = RangeHead { status, ..RangeHead::default() };
            assert_eq!(of(&head), Err(WebSeedTrouble::Status(status)));
        }
    }
}
