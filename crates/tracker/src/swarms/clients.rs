//! Who asked over HTTP: how many places each network holds and what it has left to ask. Requests
//! have no socket of their own that limits could hang on.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};

use headwater_base::Time;

use super::budget::Budget;

/// What counts as one client: an address of IPv4, or a /64 of IPv6, which is what one line gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Network(IpAddr);

#[derive(Debug)]
struct Client {
    places: usize,
    budget: Budget,
    /// When it is forgotten unless it asks something.
    end: Time,
}

/// Everybody who asked lately.
#[derive(Debug, Default)]
pub(super) struct Clients {
    clients: BTreeMap<Network, Client>,
}

impl Network {
    pub(super) fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(_) => Self(ip),
            IpAddr::V6(v6) => {
                let prefix = u128::from(v6) & !u128::from(u64::MAX);
                Self(Ipv6Addr::from(prefix).into())
            }
        }
    }
}

impl Clients {
    pub(super) fn len(&self) -> usize {
        self.clients.len()
    }

    pub(super) fn knows(&self, network: Network) -> bool {
        self.clients.contains_key(&network)
    }

    /// Remembers a client until `end` at least. Answers until when it was remembered.
    pub(super) fn keep(&mut self, now: Time, network: Network, end: Time) -> Option<Time> {
        let known = self.clients.get_mut(&network);
        let before = known.map(|client| core::mem::replace(&mut client.end, end));
        if before.is_none() {
            self.clients.insert(network, Client { places: 0, budget: Budget::new(now), end });
        }
        before
    }

    /// What a client has left to ask.
    pub(super) fn budget(&mut self, network: Network) -> Option<&mut Budget> {
        self.clients.get_mut(&network).map(|client| &mut client.budget)
    }

    pub(super) fn places(&self, network: Network) -> usize {
        self.clients.get(&network).map_or(0, |client| client.places)
    }

    /// A peer of it has a place.
    pub(super) fn seated(&mut self, network: Network) {
        if let Some(client) = self.clients.get_mut(&network) {
            client.places += 1;
        }
    }

    /// A peer of it has none any more.
    pub(super) fn left(&mut self, network: Network) {
        if let Some(client) = self.clients.get_mut(&network) {
            client.places -= 1;
        }
    }

    pub(super) fn forget(&mut self, network: Network) {
        self.clients.remove(&network);
    }

    #[cfg(test)]
    pub(super) fn places_in_all(&self) -> usize {
        self.clients.values().map(|client| client.places).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_is_one_client() {
        let network = |text: &str| Network::of(text.parse().expect("an address"));
        assert_eq!(network("2001:db8::1"), network("2001:db8:0:0:ffff::"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }
}
