//! Asks a router for all ports that are to be reached, by the first protocol it answers in.

use std::net::SocketAddr;
use std::time::Duration;

use crab_nat::PortMapping;
use futures_util::future::join_all;
use tokio::time::timeout;

use super::upnp::Device;
use super::way::{Search, Way};
use super::{LEASE_ASKED, Mapping, Protocol, RouterConfig, Trouble, datagrams, sieve, upnp};

/// Longest time for one protocol, all ports together.
const PROTOCOL_TIME_MAX: Duration = Duration::from_secs(30);

/// Shortest lease that is of any use (RFC 6887, 15: servers grant two minutes at least).
const LEASE_MIN: Duration = Duration::from_secs(120);

/// A port of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// For links over TCP.
    Tcp(u16),
    /// For links over uTP.
    Utp(u16),
    /// For the DHT node.
    Dht(u16),
}

impl Door {
    pub(super) fn own(self) -> u16 {
        let (Self::Tcp(port) | Self::Utp(port) | Self::Dht(port)) = self;
        port
    }

    pub(super) fn is_tcp(self) -> bool {
        matches!(self, Self::Tcp(_))
    }
}

/// What a router gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Granted {
    /// Its own port.
    pub(super) port: u16,
    /// For how long.
    pub(super) lasts: Duration,
}

/// A port that is mapped.
struct Held {
    door: Door,
    granted: Granted,
    how: How,
}

/// How a port was mapped.
enum How {
    Datagrams(Box<PortMapping>),
    Upnp,
}

/// What is mapped, and for how long at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lease {
    pub(super) mapping: Mapping,
    pub(super) lasts: Duration,
}

/// A router as it was found.
struct Found {
    way: Way,
    by: Protocol,
    /// For UPnP.
    device: Option<Device>,
}

/// Asks for ports and remembers what is mapped.
pub(super) struct Asker {
    doors: Vec<Door>,
    search: Search,
    group: SocketAddr,
    found: Option<Found>,
    held: Vec<Held>,
}

impl Asker {
    pub(super) fn new(config: &RouterConfig, search: Search) -> Self {
        let tcp = config.tcp.map(Door::Tcp).into_iter();
        let doors = tcp.chain(config.utp.map(Door::Utp)).chain(config.dht.map(Door::Dht));
        let (doors, group) = (doors.collect(), sieve::GROUP);
        Self { doors, search, group, found: None, held: Vec::new() }
    }

    /// Looks for routers by asking elsewhere.
    #[cfg(test)]
    pub(super) fn in_group(self, group: SocketAddr) -> Self {
        Self { group, ..self }
    }

    /// Asks for everything anew.
    pub(super) async fn map(&mut self) -> Result<Lease, Trouble> {
        let way = self.search.way().ok_or(Trouble::NoRouter)?;
        let mut trouble = Trouble::Silent;
        for by in [Protocol::Pcp, Protocol::NatPmp, Protocol::Upnp] {
            let asked = timeout(PROTOCOL_TIME_MAX, self.map_by(by, way)).await;
            match asked.unwrap_or(Err(Trouble::Silent)) {
                // Those that came before the time was over are good.
                Err(_) if !self.held.is_empty() => {}
                Ok(()) => {}
                Err(Trouble::Silent) => continue,
                Err(why) => {
                    trouble = why;
                    continue;
                }
            }
            return self.lease().await;
        }
        Err(trouble)
    }

    /// Asks by one protocol. Whether it will do is decided by the first port, which links need; the
    /// others are welcome.
    pub(super) async fn map_by(&mut self, by: Protocol, way: Way) -> Result<(), Trouble> {
        let device = match by {
            Protocol::Upnp => Some(upnp::find(way, self.group).await?),
            Protocol::Pcp | Protocol::NatPmp => None,
        };
        self.found = Some(Found { way, by, device });
        for door in self.doors.clone() {
            match self.ask(door).await {
                Err(why) if self.held.is_empty() => return Err(why),
                // One port less is better than no mapping.
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    async fn ask(&mut self, door: Door) -> Result<(), Trouble> {
        let Some(Found { way, by, device }) = &self.found else { return Err(Trouble::NoRouter) };
        let told = self.held.first().map(|first| first.granted.port);
        // Others are told one port for TCP and uTP.
        let told = told.filter(|_| matches!(door, Door::Utp(_)));
        let wish = told.unwrap_or(door.own());
        let (how, granted) = match device {
            Some(device) => (How::Upnp, upnp::ask(device, way.own, door, wish).await?),
            None => {
                let (mapped, granted) = datagrams::ask(*by, *way, door, wish).await?;
                (How::Datagrams(Box::new(mapped)), granted)
            }
        };
        let held = Held { door, granted, how };
        let short = granted.lasts < LEASE_MIN;
        if short || told.is_some_and(|told| told != granted.port) {
            give_back(device.as_ref(), held).await;
            let seconds = granted.lasts.as_secs();
            return Err(Trouble::Refused(match short {
                true => format!("it maps for {seconds} s, below two minutes"),
                false => "it maps TCP and UDP to different ports".to_owned(),
            }));
        }
        self.held.push(held);
        Ok(())
    }

    /// Renews everything that is mapped.
    pub(super) async fn renew(&mut self) -> Result<Lease, Trouble> {
        let Some(Found { way, device, .. }) = &self.found else { return Err(Trouble::Lost) };
        if self.search.way() != Some(*way) {
            return Err(Trouble::Lost);
        }
        for Held { door, granted, how } in &mut self.held {
            *granted = match (how, device) {
                (How::Datagrams(mapped), _) => datagrams::renew(mapped).await?,
                (How::Upnp, Some(device)) => {
                    upnp::ask(device, way.own, *door, granted.port).await?
                }
                (How::Upnp, None) => return Err(Trouble::Lost),
            };
            // It was taken away instead.
            if granted.lasts.is_zero() {
                return Err(Trouble::Lost);
            }
        }
        self.lease().await
    }

    /// Gives everything back.
    pub(super) async fn unmap(&mut self) {
        let device = self.found.take().and_then(|found| found.device);
        let held = self.held.drain(..).map(|held| give_back(device.as_ref(), held));
        join_all(held.collect::<Vec<_>>()).await;
    }

    /// Takes that nothing is mapped any more.
    pub(super) fn forget(&mut self) {
        self.found = None;
        self.held.clear();
    }

    async fn lease(&self) -> Result<Lease, Trouble> {
        let (Some(first), Some(found)) = (self.held.first(), &self.found) else {
            return Err(Trouble::Lost);
        };
        let address = match (&first.how, &found.device) {
            (How::Datagrams(mapped), _) => datagrams::address(mapped).await,
            (How::Upnp, Some(device)) => upnp::address(device).await,
            (How::Upnp, None) => None,
        };
        let dht = self.held.iter().find(|held| matches!(held.door, Door::Dht(_)));
        let shortest = self.held.iter().map(|held| held.granted.lasts).min();
        let mapping = Mapping {
            by: found.by,
            listens: first.granted.port,
            dht: dht.map(|held| held.granted.port),
            ports: self.held.len(),
            address,
        };
        // A router may promise years, and restart tomorrow.
        let lasts = shortest.unwrap_or_default().clamp(LEASE_MIN, LEASE_ASKED);
        Ok(Lease { mapping, lasts })
    }
}

async fn give_back(device: Option<&Device>, held: Held) {
    match (held.how, device) {
        (How::Datagrams(mapped), _) => datagrams::unmap(*mapped).await,
        (How::Upnp, Some(device)) => upnp::unmap(device, held.door, held.granted.port).await,
        (How::Upnp, None) => {}
    }
}
