//! Which addresses a torrent may send us to. A torrent from outside must not make this program
//! ask servers of the network it stands in; the address that was judged is the one connected to.

use std::net::{IpAddr, SocketAddr};

use headwater_base::Nearness;
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
