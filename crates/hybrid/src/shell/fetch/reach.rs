//! Which addresses a torrent may send us to. A torrent from outside must not make this program
//! ask servers of the network it stands in; the address that was judged is the one connected to.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use headwater_base::{Nearness, is_local_name};
use headwater_engine::FetchError;
use tokio::net::{TcpStream, lookup_host};

use crate::proxy::Proxy;

/// Connects to the first address of `host` that answers, of those that may be asked. Where none
/// may, says why the first may not. Answers the address too, unless only a
/// proxy knows it.
pub(super) async fn connect(
    proxy: Option<&Proxy>,
    (host, port): (&str, u16),
    judge: impl Fn(IpAddr) -> Result<(), &'static str>,
) -> Result<(TcpStream, Option<IpAddr>), FetchError> {
    let unreachable = |why: String| FetchError::Unreachable(why);
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Some(proxy) = proxy.filter(|proxy| proxy.carries(host)) {
        if let Some(ip) = seeming(bare) {
            judge(ip).map_err(|why| FetchError::Refused(why.to_owned()))?;
        }
        let stream = proxy.connect(bare, port).await;
        return Ok((stream.map_err(|e| unreachable(e.to_string()))?, bare.parse().ok()));
    }
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
                return Ok((stream, Some(address.ip())));
            }
            Err(e) => why = e.to_string(),
        }
    }
    Err(unreachable(why))
}

/// The address a host has as far as it can be told without asking for it: where a proxy looks names
/// up, that of a name is not known here. A local name counts as one of this machine.
fn seeming(host: &str) -> Option<IpAddr> {
    let local = || is_local_name(host).then_some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    host.parse().ok().or_else(local)
}

/// Whether an address is one of the public internet's.
pub(crate) fn is_public(ip: IpAddr) -> bool {
    Nearness::of(ip) == Some(Nearness::Public)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_told_from_public_ones() {
        let check = |text: &str, expect| {
            assert_eq!(is_public(text.parse().expect("an address")), expect, "{text}");
        };
        for public in ["1.1.1.1", "2606:4700::1", "64:ff9b::101:101"] {
            check(public, true);
        }
        for private in ["0.0.0.0", "10.1.2.3", "::1", "::ffff:10.0.0.1", "64:ff9b::7f00:1"] {
            check(private, false);
        }
    }

    #[tokio::test]
    async fn proxy_is_asked_for_no_private_server() {
        // Nobody is there: who got so far would be told of that.
        let proxy = Proxy::read("socks5://127.0.0.1:1").expect("an address");
        let public = |ip| if is_public(ip) { Ok(()) } else { Err("private") };
        for (host, allowed) in [
            ("10.0.0.1", false),
            ("[fd00::1]", false),
            ("router.lan", false),
            ("example.org", true),
            ("1.1.1.1", true),
        ] {
            let answer = connect(Some(&proxy), (host, 80), public).await;
            let expected = match allowed {
                true => {
                    matches!(&answer, Err(FetchError::Unreachable(why)) if why.contains("proxy"))
                }
                false => matches!(answer, Err(FetchError::Refused(_))),
            };
            assert!(expected, "{host}: {answer:?}");
        }
    }

    #[tokio::test]
    async fn private_server_is_reached_only_on_trust() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let public = |ip| if is_public(ip) { Ok(()) } else { Err("private") };
        for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
            let refused = connect(None, (host, port), public).await;
            assert!(matches!(refused, Err(FetchError::Refused(_))), "{host}: {refused:?}");
        }
        assert!(connect(None, ("127.0.0.1", port), |_| Ok(())).await.is_ok());
    }
}
