//! Who is told of whose address: one of a network of its own is of no use outside it, and would
//! have strangers knock at machines that somebody else chose.

use std::net::IpAddr;

/// How far away an address can be reached from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// From its own machine.
    Machine,
    /// From its own network, however large.
    Network,
    /// From everywhere.
    World,
}

/// Whether who asks from `from` is told of a peer at `at`: nobody of one farther away than itself.
pub(super) fn may_hear(from: IpAddr, at: IpAddr) -> bool {
    reach(from) <= reach(at)
}

/// Whether everybody can reach an address, whatever network they are in.
pub(super) fn is_of_the_world(ip: IpAddr) -> bool {
    reach(ip) == Reach::World && !ip.is_unspecified() && !ip.is_multicast()
}

fn reach(ip: IpAddr) -> Reach {
    let is_network = match ip {
        // RFC 1918, RFC 3927, and RFC 6598 between a provider's customers.
        IpAddr::V4(v4) => {
            v4.is_private()
                || v4.is_link_local()
                || (v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64)
        }
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    };
    if ip.is_loopback() {
        Reach::Machine
    } else if is_network {
        Reach::Network
    } else {
        Reach::World
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_to_who_is_as_near() {
        let machine = ["127.0.0.1", "127.9.9.9", "::1"];
        let network = ["10.1.2.3", "172.31.0.1", "192.168.0.9", "169.254.1.1", "100.64.0.1"];
        let network = [network.as_slice(), &["100.127.255.255", "fd00::1", "fe80::1"]].concat();
        let world = ["192.0.2.1", "100.63.0.1", "100.128.0.1", "172.32.0.1", "2001:db8::1"];
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
}
