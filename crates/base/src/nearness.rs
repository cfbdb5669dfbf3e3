//! How near an address lies: whether it is reached from its own host, its own network, or from
//! everywhere. Who may name it to whom, or send us there, follows from that.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address lies, the nearest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nearness {
    /// In its very host.
    Host,
    /// In a private network, or where none should be, which some networks use as if private.
    Network,
    /// In the public internet.
    Public,
}

impl Nearness {
    /// Nothing for addresses at which no host is (IANA's special-purpose registries).
    pub fn of(ip: IpAddr) -> Option<Self> {
        match ip.to_canonical() {
            IpAddr::V4(ip) => of_v4(ip),
            IpAddr::V6(ip) => of_v6(ip),
        }
    }
}

/// Names that lead into whatever network they are asked in: RFC 6761, 6762 and 8375, `internal`,
/// which ICANN set aside, and what routers call theirs.
const LOCAL: [&str; 5] = ["localhost", "local", "internal", "lan", "home.arpa"];

/// Whether a name leads into the network it is asked in. Nothing else can be told of a name that
/// somebody else looks up.
pub fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let is_under = |end: &&str| {
        name.strip_suffix(*end).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    !name.contains('.') || LOCAL.iter().any(is_under)
}

fn of_v4(ip: Ipv4Addr) -> Option<Nearness> {
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

fn of_v6(ip: Ipv6Addr) -> Option<Nearness> {
    let [a, b, c, d, e, f, high, low] = ip.segments();
    let leads_to = |high: u16, low: u16| {
        let inside = Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
        of_v4(inside).filter(|nearness| *nearness == Nearness::Public)
    };
    match (a, b) {
        _ if ip.is_loopback() => Some(Nearness::Host),
        _ if ip.is_unique_local() || ip.is_unicast_link_local() => Some(Nearness::Network),
        (0x2001, 0x0db8) => Some(Nearness::Network),
        // NAT64 (RFC 6052) and 6to4 (RFC 3056) lead to the IPv4 address inside.
        (0x0064, 0xff9b) if (c, d, e, f) == (0, 0, 0, 0) => leads_to(high, low),
        (0x2002, _) => leads_to(b, c),
        // Teredo and the like: nobody is found there.
        (0x2001, 0..0x0200) => None,
        _ => (0x2000..0x4000).contains(&a).then_some(Nearness::Public),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lie_in_their_host_their_network_or_the_world_or_are_nobodys() {
        let (host, network) = (Some(Nearness::Host), Some(Nearness::Network));
        let (public, nobodys) = (Some(Nearness::Public), None);
        for (expect, ips) in [
            (public, "1.1.1.1 100.63.0.1 100.128.0.1 172.32.0.1 223.255.255.255 2606:4700::1"),
            (public, "::ffff:1.1.1.1 64:ff9b::101:101 2002:101:101::1 2001:200::1"),
            (network, "10.1.2.3 172.16.0.1 172.31.0.1 192.168.0.9 169.254.169.254 100.64.0.1"),
            (network, "100.127.255.255 192.0.0.8 192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.9"),
            (network, "fc00::1 fd12::1 fe80::1 2001:db8::1 ::ffff:10.0.0.1 ::ffff:169.254.1.1"),
            (host, "127.0.0.1 127.9.9.9 ::1 ::ffff:127.0.0.1"),
            (nobodys, "0.0.0.0 0.1.2.3 224.0.0.1 240.0.0.1 255.255.255.255 ::ffff:0.0.0.0"),
            (nobodys, ":: ::10.0.0.1 ff02::1 2001::1 2001:20::1 64:ff9b:1::101:101 4000::1"),
            (nobodys, "64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b:0:1::101:101 2002:a00:1::"),
        ] {
            for ip in ips.split(' ') {
                assert_eq!(Nearness::of(ip.parse().unwrap()), expect, "{ip}");
            }
        }
    }

    #[test]
    fn names_that_somebody_else_looks_up_are_judged_by_their_ends() {
        for (name, is_local) in [
            ("example.org", false),
            ("example.org.", false),
            ("local.example", false),
            ("mylocal.net", false),
            ("printer", true),
            ("localhost", true),
            ("Router.LAN", true),
            ("nas.local.", true),
            ("metadata.google.internal", true),
            ("box.home.arpa", true),
        ] {
            assert_eq!(is_local_name(name), is_local, "{name}");
        }
    }
}
