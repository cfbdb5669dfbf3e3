//! A node of the distributed hash table (BEP 5, with BEP 42 and 43), in which peers of a torrent
//! find each other without a tracker. IPv4 alone: the library speaks no BEP 32. It answers others
//! only once it has run for a quarter of an hour and was reached from outside.

mod node;
mod pace;
mod state;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::time::Duration;

use headwater_base::{InfoHash, TorrentId};
use headwater_engine::Input;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Torrents that may wait for their turn; those beyond are asked for again by the engine.
const ORDERS_MAX: usize = 1024;

/// Longest wait for the nodes we know to be written down.
const FINISH_TIME_MAX: Duration = Duration::from_secs(2);

/// How a node is run.
#[derive(Clone, Debug, Default)]
pub struct DhtConfig {
    /// Nodes to ask first, as `host:port`; the well-known ones when none is named.
    pub bootstrap: Vec<String>,
    /// The file in which known nodes are kept from one run to the next.
    pub state: Option<PathBuf>,
    /// The address to listen on and to ask from; all when `None`. On a loopback address nothing
    /// leaves this machine and peers on it are found.
    pub bind: Option<Ipv4Addr>,
    /// The UDP port; 0 for any that is free.
    pub port: u16,
}

/// A node whose port is taken and that has not started.
#[derive(Debug)]
pub struct Bound {
    config: DhtConfig,
    /// Holds the port until the library binds it.
    socket: UdpSocket,
    port: u16,
}

impl Bound {
    /// Takes a port.
    pub fn bind(config: DhtConfig) -> io::Result<Self> {
        let address = config.bind.unwrap_or(Ipv4Addr::UNSPECIFIED);
        let socket = UdpSocket::bind(SocketAddr::from((address, config.port)))?;
        let port = socket.local_addr()?.port();
        Ok(Self { config, socket, port })
    }

    /// The UDP port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// A torrent to look for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    pub(crate) torrent: TorrentId,
    pub(crate) info_hash: InfoHash,
    /// The TCP port to announce, if others are to hear of us.
    pub(crate) announce: Option<u16>,
}

/// A running node.
#[derive(Debug)]
pub(crate) struct Dht {
    orders: mpsc::Sender<Order>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Dht {
    /// Starts a node, which reports to `found`. Must be called inside a Tokio runtime.
    pub(crate) fn start(bound: Bound, found: mpsc::Sender<Input>) -> Self {
        let (orders, to_do) = mpsc::channel(ORDERS_MAX);
        let stop = CancellationToken::new();
        let task = tokio::spawn(node::run(bound, to_do, found, stop.clone()));
        Self { orders, stop, task }
    }

    /// Looks for peers of a torrent, unless too many wait already.
    pub(crate) fn seek(&self, order: Order) {
        let _ = self.orders.try_send(order);
    }

    /// Writes down the nodes it knows and ends.
    pub(crate) async fn finish(&mut self) {
        self.stop.cancel();
        if timeout(FINISH_TIME_MAX, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}
