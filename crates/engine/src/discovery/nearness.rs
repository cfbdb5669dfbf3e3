//! How near an address lies. A stranger's word must not make us knock inside our own network:
//! only who is as near as an address itself may tell of it.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address lies, the nearest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Nearness {
    /// In this very host.
    Host,
    /// In a private network, or where none should be, which some networks use as if private.
    Network,
    /// In the public internet.
    Public,
}

/// Whether somebody at `teller` may name `ip` to us, or hear of it from us. Who hides its own
/// address counts as far away.
pub(crate) fn may_name(ip: IpAddr, teller: Option<IpAddr>) -> bool {
    let teller = teller.and_then(nearness).unwrap_or(Nearness::Public);
    nearness(ip).is_some_and(|of| of >= teller)
}

/// Nothing for addresses at which no peer is (IANA's special-purpose registries).
fn nearness(ip: IpAddr) -> Option<Nearness> {
    match ip.to_canonical() {
        IpAddr::V4(ip) => nearness_v4(ip),
        IpAddr::V6(ip) => nearness_v6(ip),
    }
}

fn nearness_v4(ip: Ipv4Addr) -> Option<Nearness> {
    let [a, b, c, _] = ip.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let benchmark = a == 198 && (b == 18 || b == 19);
    let assigned = a == 192 && b == 0 && c == 0;
    let private = ip.is_private() || ip.is_link_local() || ip.is_documentation();
    if ip.is_loopback() {
        Some(Nearness::Host)
    } else if a == 0 || a >= 224 {
        None
    } else if private || shared || benchmark || assigned {
        Some(Nearness::Network)
    } else {
        Some(Nearness::Public)
    }
}

fn nearness_v6(ip: Ipv6Addr) -> Option<Nearness> {
    let [a, b, ..] = ip.segments();
    if ip.is_loopback() {
        Some(Nearness::Host)
    } else if ip.is_unique_local() || ip.is_unicast_link_local() || (a, b) == (0x2001, 0x0db8) {
        Some(Nearness::Network)
    } else {
        // 6to4, Teredo and the like lead to an address inside.
        let odd = a == 0x2002 || (a == 0x2001 && b < 0x0200);
        ((0x2000..0x4000).contains(&a) && !odd).then_some(Nearness::Public)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(ip: &str, teller: Option<&str>) -> bool {
        may_name(ip.parse().unwrap(), teller.map(|ip| ip.parse().unwrap()))
    }

    #[test]
    fn only_who_is_as_near_may_name_an_address() {
        let (far, near, own) = (Some("1.1.1.1"), Some("192.168.0.9"), Some("127.0.0.1"));
        for (ip, expect) in [
            ("8.8.8.8", [true; 4]),
            ("2606:4700::1", [true; 4]),
            ("10.0.0.1", [false, false, true, true]),
            ("100.64.0.1", [false, false, true, true]),
            ("169.254.169.254", [false, false, true, true]),
            ("203.0.113.9", [false, false, true, true]),
            ("198.18.0.1", [false, false, true, true]),
            ("192.0.0.8", [false, false, true, true]),
            ("2001:db8::1", [false, false, true, true]),
            ("fe80::1", [false, false, true, true]),
            ("fd00::1", [false, false, true, true]),
            ("::ffff:10.0.0.1", [false, false, true, true]),
            ("127.0.0.1", [false, false, false, true]),
            ("::1", [false, false, false, true]),
            ("::ffff:127.0.0.1", [false, false, false, true]),
        ] {
            assert_eq!([None, far, near, own].map(|teller| named(ip, teller)), expect, "{ip}");
        }
    }

    #[test]
    fn nobody_may_name_what_is_no_peers_address() {
        let own = Some("127.0.0.1");
        for ip in [
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "::",
            "ff02::1",
            "2001::1",
            "2002:7f00:1::",
            "64:ff9b::7f00:1",
        ] {
            assert!(!named(ip, own), "{ip}");
        }
    }
}
