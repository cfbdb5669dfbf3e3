//! Who may name an address. A stranger's word must not make us knock inside our own network: only
//! who is as near as an address itself may tell of it.

use core::net::IpAddr;

use headwater_base::Nearness;

/// Whether somebody at `teller` may name `ip` to us, or hear of it from us. Who hides its own
/// address counts as far away.
pub(crate) fn may_name(ip: IpAddr, teller: Option<IpAddr>) -> bool {
    let teller = teller.and_then(Nearness::of).unwrap_or(Nearness::Public);
    Nearness::of(ip).is_some_and(|of| of >= teller)
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
