//! Who is told of whose address: one of a network of its own is of no use outside it, and would
//! have strangers knock at machines that somebody else chose.

use std::net::IpAddr;

use headwater_base::Nearness;

/// Whether who asks from `from` is told of a peer at `at`: nobody of one nearer than itself, nor of
/// one where nobody is. Whose own place is unknown counts as far away.
pub(super) fn may_hear(from: IpAddr, at: IpAddr) -> bool {
    let from = Nearness::of(from).unwrap_or(Nearness::Public);
    Nearness::of(at).is_some_and(|at| at >= from)
}

/// Whether everybody can reach an address, whatever network they are in.
pub(super) fn is_of_the_world(ip: IpAddr) -> bool {
    Nearness::of(ip) == Some(Nearness::Public)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_to_who_is_as_near() {
        let machine = ["127.0.0.1", "::1", "::ffff:127.0.0.1"];
        let network = ["10.1.2.3", "169.254.1.1", "100.64.0.1", "fd00::1", "::ffff:192.168.0.9"];
        let world = ["1.1.1.1", "100.128.0.1", "2606:4700::1", "64:ff9b::101:101"];
        let rings = [machine.as_slice(), &network, &world];
        for (asks, from) in rings.iter().enumerate() {
            for (is, at) in rings.iter().enumerate() {
                for (from, at) in from.iter().flat_map(|from| at.iter().map(move |at| (from, at))) {
                    let ip = |text: &str| text.parse().expect("an address");
                    assert_eq!(may_hear(ip(from), ip(at)), asks <= is, "{from} of {at}");
                }
            }
        }
    }

    #[test]
    fn nobody_hears_of_what_is_nobodys_and_who_is_nowhere_hears_of_the_world_alone() {
        let ip = |text: &str| text.parse().expect("an address");
        for nobodys in ["0.0.0.0", "0.1.2.3", "240.0.0.1", "255.255.255.255", "64:ff9b::a00:1"] {
            assert!(!may_hear(ip("127.0.0.1"), ip(nobodys)), "{nobodys}");
            assert!(may_hear(ip(nobodys), ip("1.1.1.1")), "{nobodys}");
            assert!(!may_hear(ip(nobodys), ip("10.0.0.1")), "{nobodys}");
        }
    }
}
