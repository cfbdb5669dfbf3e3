//! Which addresses a torrent may send us to. A torrent from outside must not make this program
//! ask servers of the network it stands in; the address that was judged is the one connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use headwater_engine::FetchError;
use tokio::net::{TcpStream, lookup_host};

/// Connects to the first address of `host` that answers, of those that may be asked. Where none
/// may, says why the first may not.
pub(super) async fn connect(
    host: &str,
    port: u16,
    judge: impl Fn(IpAddr) -> Result<(), &'static str>,
) -> Result<TcpStream, FetchError> {
    let unreachable = |why: String| FetchError::Unreachable(why);
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let found = lookup_host((bare, port)).await.map_err(|e| unreachable(e.to_string()))?;
    let found: Vec<SocketAddr> = found.collect();
    let allowed = || found.iter().filter(|address| judge(address.ip()).is_ok());
    if let (None, Some(refused)) = (allowed().next(), found.first()) {
        let why = judge(refused.ip()).err().unwrap_or_default();
        return Err(FetchError::Refused(why.to_owned()));
    }
    let mut why = "its name leads nowhere".to_owned();
    for address in allowed() {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Requests are small and waited for.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(e) => why = e.to_string(),
        }
    }
    Err(unreachable(why))
}

/// Whether an address is one of the public internet's (IANA's special-purpose registries).
pub(crate) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let benchmark = a == 198 && (b == 18 || b == 19);
    let assigned = a == 192 && b == 0 && c == 0;
    !(a == 0
        || a >= 224
        || shared
        || benchmark
        || assigned
        || ip.is_loopback()
        || ip.is_private()
        || ip.is_link_local()
        || ip.is_documentation())
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    if let Some(inner) = ip.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    let [a, b, c, ..] = ip.segments();
    let embedded = |high: u16, low: u16| {
        is_public_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)))
    };
    match (a, b) {
        // NAT64 and 6to4 lead to the IPv4 address inside.
        (0x0064, 0xff9b) => embedded(ip.segments()[6], ip.segments()[7]) && c == 0,
        (0x2002, _) => embedded(b, c),
        (0x2001, 0x0db8) => false,
        // Teredo and the like: no server is found there.
        (0x2001, 0..0x0200) => false,
        (a, _) => (0x2000..0x4000).contains(&a),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_told_from_public_ones() {
        let check = |text: &str, expect| {
            assert_eq!(is_public(text.parse().expect("an address")), expect, "{text}");
        };
        for public in ["1.1.1.1", "100.128.0.1", "172.32.0.1", "2606:4700::1", "64:ff9b::101:101"] {
            check(public, true);
        }
        for private in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "192.168.1.1",
            "192.0.0.8",
            "198.18.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "ff02::1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
        ] {
            check(private, false);
        }
    }

    #[tokio::test]
    async fn private_server_is_reached_only_on_trust() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let public = |ip| if is_public(ip) { Ok(()) } else { Err("private") };
        for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
            let refused = connect(host, port, public).await;
            assert!(matches!(refused, Err(FetchError::Refused(_))), "{host}: {refused:?}");
        }
        assert!(connect("127.0.0.1", port, |_| Ok(())).await.is_ok());
    }
}
