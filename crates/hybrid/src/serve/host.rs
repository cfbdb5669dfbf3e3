//! By which names this server may be reached. A page of another site that lets its name point
//! here (DNS rebinding) carries its own name in `Host` and is turned away.

use std::net::{IpAddr, SocketAddr};

/// Decides who may talk to the server.
#[derive(Clone, Debug)]
pub(super) struct Hosts {
    listen: IpAddr,
    names: Vec<String>,
}

impl Hosts {
    pub(super) fn new(listen: SocketAddr, names: Vec<String>) -> Self {
        let names = names.into_iter().map(|name| name.to_ascii_lowercase()).collect();
        Self { listen: listen.ip(), names }
    }

    /// Whether a request with this `Host` header is meant for us.
    pub(super) fn allows_host(&self, host: &str) -> bool {
        let name = without_port(host).to_ascii_lowercase();
        if name == "localhost" || self.names.contains(&name) {
            return true;
        }
        literal(&name).is_some_and(|address| {
            address.is_loopback() || address == self.listen || self.listen.is_unspecified()
        })
    }

    /// Whether a page of this origin may use the tracker. A server for this machine alone serves
    /// pages of this machine alone.
    pub(super) fn allows_origin(&self, origin: &str) -> bool {
        if !self.listen.is_loopback() {
            return true;
        }
        origin.split_once("://").is_some_and(|(_, host)| self.allows_host(host))
    }
}

/// Whether a `Host` header bears an address, which no site can let its name point to.
pub(super) fn is_literal(host: &str) -> bool {
    literal(without_port(host)).is_some()
}

fn literal(name: &str) -> Option<IpAddr> {
    name.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.is_empty() => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(listen: &str, host: &str, expect: bool) {
        let listen = listen.parse().expect("an address");
        let hosts = Hosts::new(listen, vec!["Film.example".to_owned()]);
        assert_eq!(hosts.allows_host(host), expect, "{host} on {listen}");
    }

    #[test]
    fn only_our_own_names_are_answered() {
        for host in ["localhost", "LOCALHOST:7420", "127.0.0.1:1", "[::1]:7420", "film.example"] {
            check("127.0.0.1:7420", host, true);
        }
        for host in ["evil.example", "localhost.evil.example", "192.0.2.7", "", "film.example.evil"]
        {
            check("127.0.0.1:7420", host, false);
        }
        check("0.0.0.0:7420", "192.0.2.7:7420", true);
        check("0.0.0.0:7420", "evil.example", false);
    }

    #[test]
    fn a_loopback_tracker_is_for_pages_of_this_machine() {
        let local = Hosts::new("127.0.0.1:1".parse().expect("an address"), Vec::new());
        assert!(local.allows_origin("http://localhost:3000"));
        assert!(!local.allows_origin("https://evil.example") && !local.allows_origin("null"));
        let open = Hosts::new("0.0.0.0:1".parse().expect("an address"), Vec::new());
        assert!(open.allows_origin("https://film.example"));
    }
}
