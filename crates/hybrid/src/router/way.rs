//! The router that leads to the internet, and the address it knows us by. Read from what Linux says
//! of its routes; on other systems none is found. IPv4 alone: with IPv6 nothing is translated, and
//! a router that only lets in what was asked for is asked by an address that the protocols'
//! library does not let us choose.

use std::fs::File;
use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};

/// What is read of the table of routes; a few lines in most places.
const TABLE_BYTES_MAX: u64 = 1 << 20;

/// Where PCP and NAT-PMP are spoken. No packet is sent there to find out our own address.
const PORT: u16 = 5351;

/// Flags of a route that is up and leads through a router.
const UP_BY_ROUTER: u16 = 0x3;

/// The way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Way {
    /// The router's address in our network.
    pub(super) router: Ipv4Addr,
    /// Ours, as the router sees it.
    pub(super) own: Ipv4Addr,
}

/// How the way out is looked for.
#[derive(Clone, Debug)]
pub(super) enum Search {
    /// In the system's table, by one of these addresses of ours, or by any where there are none.
    Routes(Vec<IpAddr>),
    /// It is known.
    #[cfg(test)]
    Known(Way),
}

impl Search {
    pub(super) fn new(interfaces: Vec<IpAddr>) -> Self {
        let all = interfaces.contains(&Ipv4Addr::UNSPECIFIED.into());
        Self::Routes(if all { Vec::new() } else { interfaces })
    }

    /// The way out at this moment.
    pub(super) fn way(&self) -> Option<Way> {
        let interfaces = match self {
            Self::Routes(interfaces) => interfaces,
            #[cfg(test)]
            Self::Known(way) => return Some(*way),
        };
        let mut table = String::new();
        let routes = File::open("/proc/self/net/route").ok()?;
        routes.take(TABLE_BYTES_MAX).read_to_string(&mut table).ok()?;
        let ways = routers(&table)
            .into_iter()
            .filter(|router| is_near(*router))
            .filter_map(|router| Some(Way { router, own: own(router)? }));
        let is_ours = |way: &Way| interfaces.is_empty() || interfaces.contains(&way.own.into());
        ways.into_iter().find(is_ours)
    }
}

/// Whether an address is one that a router of a home or an office has: nobody else is asked.
fn is_near(router: Ipv4Addr) -> bool {
    router.is_private() || router.is_link_local()
}

/// The address by which the system speaks with a router.
fn own(router: Ipv4Addr) -> Option<Ipv4Addr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((router, PORT)).ok()?;
    match socket.local_addr().ok()?.ip() {
        IpAddr::V4(own) => Some(own),
        IpAddr::V6(_) => None,
    }
}

/// The routers of default routes, the preferred first.
fn routers(table: &str) -> Vec<Ipv4Addr> {
    let mut found: Vec<(u32, Ipv4Addr)> = table.lines().skip(1).filter_map(default_route).collect();
    found.sort_by_key(|(metric, _)| *metric);
    found.into_iter().map(|(_, router)| router).collect()
}

/// Metric and router of a line that is a default route.
fn default_route(line: &str) -> Option<(u32, Ipv4Addr)> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    // Addresses are written as numbers of the machine's own order.
    let address = |text: &str| u32::from_str_radix(text, 16).ok().map(|n| n.to_ne_bytes().into());
    let (to, router): (Ipv4Addr, Ipv4Addr) = (address(fields.next()?)?, address(fields.next()?)?);
    let flags = u16::from_str_radix(fields.next()?, 16).ok()?;
    let metric = fields.nth(2)?.parse().ok()?;
    let mask = address(fields.next()?)?;
    let default = to.is_unspecified() && mask.is_unspecified();
    (default && flags & UP_BY_ROUTER == UP_BY_ROUTER).then_some((metric, router))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An address as the table has it.
    fn hex(ip: [u8; 4]) -> String {
        format!("{:08X}", u32::from_ne_bytes(ip))
    }

    #[test]
    fn default_routes_are_read_the_preferred_first() {
        let (any, net) = ([0; 4], [10, 0, 0, 0]);
        let row = |to, by, flags: &str, metric: u32, mask| {
            let (to, by, mask) = (hex(to), hex(by), hex(mask));
            format!("eth0\t{to}\t{by}\t{flags}\t0\t0\t{metric}\t{mask}\t0\t0\t0   \n")
        };
        let table = [
            "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
                .to_owned(),
            row(any, [192, 168, 1, 1], "0003", 600, any),
            row(any, [10, 1, 2, 3], "0003", 100, any),
            row(net, [10, 9, 9, 9], "0003", 0, [255, 0, 0, 0]),
            row(any, [10, 8, 8, 8], "0002", 0, any),
            row(any, any, "0001", 0, any),
            row(any, [10, 7, 7, 7], "0003", 0, [128, 0, 0, 0]),
            "eth0\tnonsense\n".to_owned(),
        ];
        assert_eq!(
            routers(&table.concat()),
            [Ipv4Addr::new(10, 1, 2, 3), Ipv4Addr::new(192, 168, 1, 1)]
        );
        assert!(routers("").is_empty());
    }

    #[test]
    fn only_routers_of_private_networks_are_asked() {
        for (router, near) in [
            ([192, 168, 0, 1], true),
            ([10, 0, 0, 1], true),
            ([172, 16, 0, 1], true),
            ([169, 254, 0, 1], true),
            ([8, 8, 8, 8], false),
            ([127, 0, 0, 1], false),
            ([0, 0, 0, 0], false),
            ([239, 255, 255, 250], false),
        ] {
            assert_eq!(is_near(router.into()), near, "{router:?}");
        }
    }

    #[test]
    fn our_own_address_is_the_one_the_system_would_speak_by() {
        assert_eq!(own(Ipv4Addr::new(127, 0, 0, 9)), Some(Ipv4Addr::LOCALHOST));
    }
}
