//! Canonical peer priority (BEP 40): a number that both ends of a link compute alike, so that each
//! prefers peers that prefer it, and nobody can choose to be preferred by all.

use core::net::{IpAddr, SocketAddr};

/// What the bytes that differ between two addresses are masked with.
const MASK: u8 = 0x55;

/// The priority of a link between two addresses; higher is better. `None` when they are not of
/// one kind.
pub(super) fn priority(a: SocketAddr, b: SocketAddr) -> Option<u32> {
    if a.ip() == b.ip() {
        let (low, high) = (a.port().min(b.port()), a.port().max(b.port()));
        return Some(crc32c(low.to_be_bytes().into_iter().chain(high.to_be_bytes())));
    }
    match (a.ip(), b.ip()) {
        (IpAddr::V4(a), IpAddr::V4(b)) => Some(of_bytes(&a.octets(), &b.octets(), (2, 1))),
        // BEP 40 leaves open where masking starts beyond /48; this is as libtorrent has it.
        (IpAddr::V6(a), IpAddr::V6(b)) => Some(of_bytes(&a.octets(), &b.octets(), (6, 2))),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => None,
    }
}

/// Keeps so many bytes at least, and so many after those that are alike; masks the others.
fn of_bytes(a: &[u8], b: &[u8], (least, more): (usize, usize)) -> u32 {
    let alike = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let mask = |at: usize| if at < least.max(alike + more) { 0xff } else { MASK };
    let (low, high) = (a.min(b), a.max(b));
    let both = low.iter().enumerate().chain(high.iter().enumerate());
    crc32c(both.map(|(at, byte)| byte & mask(at)))
}

/// CRC-32C, bit by bit: a few bytes an address are not worth a table.
fn crc32c(bytes: impl Iterator<Item = u8>) -> u32 {
    let step = |crc: u32| (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
    !bytes.fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| step(crc)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(a: &str, b: &str) -> Option<u32> {
        let (a, b) = (a.parse().unwrap(), b.parse().unwrap());
        assert_eq!(priority(a, b), priority(b, a), "{a} {b}");
        priority(a, b)
    }

    fn hashed(hex: &str) -> Option<u32> {
        headwater_base::unhex(hex).map(|bytes| crc32c(bytes.into_iter()))
    }

    #[test]
    fn numbers_are_those_of_bep_40() {
        assert_eq!(of("123.213.32.10:0", "98.76.54.32:0"), Some(0xec2d_7224));
        assert_eq!(of("123.213.32.10:0", "123.213.32.234:0"), Some(0x9956_8189));
        assert_eq!(crc32c(b"123456789".iter().copied()), 0xe306_9283);
    }

    #[test]
    fn more_is_compared_the_more_two_addresses_have_in_common() {
        assert_eq!(of("230.12.123.3:1234", "230.12.123.3:300"), hashed("012c04d2"));
        assert_eq!(of("230.12.123.1:1234", "230.12.123.3:300"), hashed("e60c7b01e60c7b03"));
        assert_eq!(of("230.12.23.1:1234", "230.12.123.3:300"), hashed("e60c1701e60c7b01"));
        assert_eq!(of("230.120.23.1:1234", "230.12.123.3:300"), hashed("e60c5101e6781501"));
        let ones = "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:1234";
        for (other, expect) in [
            (
                "[ffff:0fff:ffff:ffff:ffff:ffff:ffff:ffff]:300",
                "ffff0fffffff55555555555555555555ffffffffffff55555555555555555555",
            ),
            (
                "[ffff:ffff:ff0f:ffff:ffff:ffff:ffff:ffff]:300",
                "ffffffffff0fff555555555555555555ffffffffffffff555555555555555555",
            ),
            (
                "[ffff:ffff:ffff:0fff:ffff:ffff:ffff:ffff]:300",
                "ffffffffffff0fff5555555555555555ffffffffffffffff5555555555555555",
            ),
        ] {
            assert_eq!(of(ones, other), hashed(expect), "{other}");
        }
        assert_eq!(of("1.2.3.4:5", "[2001:470::1]:5"), None);
    }
}
