//! What the UPnP library hears when it looks for a router: the router's own answers and nothing
//! else. It listens on loopback, its questions are handed on to the group, and answers of others,
//! who would send it elsewhere, are dropped before it reads them.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use socket2::SockRef;
use tokio::net::UdpSocket;

use super::way::Way;

/// Where routers are asked for (UPnP Device Architecture 1.1, 1.3.2).
pub(super) const GROUP: SocketAddr =
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(239, 255, 255, 250)), 1900);

/// Longest datagram that is handed on; the library reads no more.
const DATAGRAM_BYTES_MAX: usize = 1500;

/// Datagrams handed on either way: it asks thrice, and a router answers each a few times.
const DATAGRAMS_MAX: usize = 64;

/// A door on loopback for the library, one in our network for the router.
pub(super) struct Sieve {
    inner: UdpSocket,
    outer: UdpSocket,
    way: Way,
    group: SocketAddr,
}

impl Sieve {
    /// Must be called inside a Tokio runtime.
    pub(super) async fn open(way: Way, group: SocketAddr) -> io::Result<Self> {
        let inner = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let outer = UdpSocket::bind((way.own, 0)).await?;
        SockRef::from(&outer).set_multicast_if_v4(&way.own)?;
        Ok(Self { inner, outer, way, group })
    }

    /// Where the library asks.
    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    /// Hands on what may pass until it is enough.
    pub(super) async fn run(self) -> io::Result<()> {
        let (mut asked, mut said) = ([0; DATAGRAM_BYTES_MAX], [0; DATAGRAM_BYTES_MAX]);
        let (mut asker, mut passed) = (None, 0);
        let (ours, groups) = (self.address()?.to_string(), self.group.to_string());
        while passed < DATAGRAMS_MAX {
            tokio::select! {
                question = self.inner.recv_from(&mut asked) => {
                    let (len, from) = question?;
                    // It names where it sends to, as the group must be named.
                    let text = String::from_utf8_lossy(&asked[..len]).replace(&ours, &groups);
                    self.outer.send_to(text.as_bytes(), self.group).await?;
                    (asker, passed) = (Some(from), passed + 1);
                }
                answer = self.outer.recv_from(&mut said) => {
                    let (len, from) = answer?;
                    if from.ip() == IpAddr::V4(self.way.router) && let Some(asker) = asker {
                        self.inner.send_to(&said[..len], asker).await?;
                        passed += 1;
                    }
                }
            }
        }
        Ok(())
    }
}
