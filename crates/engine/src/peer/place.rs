//! Where a peer is, and what it was told of where others are (BEP 11).

use core::net::{IpAddr, SocketAddr};

use headwater_base::Time;

use crate::discovery::Budget;
use crate::limit;

/// Where a peer is, as far as we know.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    /// One side dialled the other.
    pub(crate) direct: bool,
    /// Its IP address, as the shell sees it.
    pub(crate) from: Option<IpAddr>,
    /// Where we dialled it.
    pub(crate) dialled: Option<SocketAddr>,
    /// The port it says it listens on.
    pub(crate) port: Option<u16>,
    /// It has a DHT node.
    pub(crate) node: bool,
}

impl Place {
    /// Takes what another link to the same peer tells of it.
    pub(crate) fn learn(&mut self, other: &Self) {
        self.from = self.from.or(other.from);
        self.dialled = self.dialled.or(other.dialled);
        self.port = self.port.or(other.port);
    }

    /// Where others may dial it.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.dialled.or_else(|| Some(SocketAddr::new(self.from?, self.port?)))
    }
}

/// Peer exchange with one peer.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// Its id for such messages.
    pub(crate) id: Option<u8>,
    /// The addresses it knows from us.
    pub(crate) told: Vec<SocketAddr>,
    /// When it was told last.
    pub(crate) told_at: Option<Time>,
    /// Messages it may send.
    pub(crate) takes: Budget,
}

impl Default for Exchange {
    fn default() -> Self {
        let (burst, every) = limit::PEX_TAKEN;
        Self { id: None, told: Vec::new(), told_at: None, takes: Budget::new(burst, every) }
    }
}
