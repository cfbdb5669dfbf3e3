//! The task of a node: joins the network, looks torrents up, keeps the addresses of nodes.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;

use futures_util::StreamExt;
use headwater_engine::{Finder, Input};
use mainline::async_dht::AsyncDht;
use mainline::{DEFAULT_BOOTSTRAP_NODES, Id, ServerSettings};
use tokio::net::lookup_host;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::pace::Pace;
use super::{Bound, DhtConfig, Order, state};

/// Torrents looked up at once.
const LOOKUPS_MAX: usize = 8;

/// Addresses taken of one lookup.
const FOUND_MAX: usize = 200;

/// Longest lookup; most take a few seconds.
const LOOKUP_TIME_MAX: Duration = Duration::from_secs(60);

/// Longest wait for the name of a node.
const NAME_TIME_MAX: Duration = Duration::from_secs(10);

/// Pause before the network is joined anew when there was nobody.
const REJOIN: Duration = Duration::from_secs(30);

/// How often is looked whether anybody is known, for the log.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// How often the nodes we know are counted and written down.
const KEEP_EVERY: Duration = Duration::from_secs(120);

/// Nodes asked first. The library asks all of them at each lookup for which it knows fewer close
/// ones, of which it takes twenty.
const FIRST_MAX: usize = 16;

/// Why a node no longer serves.
#[derive(PartialEq)]
enum End {
    /// It was told to stop.
    Told,
    /// It knows nobody.
    Lost,
}

struct Task {
    config: DhtConfig,
    found: mpsc::Sender<Input>,
    stop: CancellationToken,
}

/// Runs until it is stopped.
pub(super) async fn run(
    bound: Bound,
    mut orders: mpsc::Receiver<Order>,
    found: mpsc::Sender<Input>,
    stop: CancellationToken,
) {
    let Bound { mut config, socket, port } = bound;
    config.port = port;
    let mut held = Some(socket);
    let task = Task { config, found, stop };
    loop {
        let first = tokio::select! {
            first = task.first() => first,
            () = task.stop.cancelled() => return,
        };
        if !first.is_empty() {
            held = None;
            if let Ok(node) = build(task.config.clone(), first).await
                && task.serve(&node, &mut orders).await == End::Told
            {
                return;
            }
        } else {
            warn!("no node of the DHT has a known address; looked for again in 30 s");
        }
        tokio::select! {
            () = sleep(REJOIN) => {}
            () = task.stop.cancelled() => break,
        }
    }
    drop(held);
}

async fn build(config: DhtConfig, first: Vec<SocketAddrV4>) -> io::Result<AsyncDht> {
    let build = move || {
        let mut builder = mainline::Dht::builder();
        builder.bootstrap(&first).port(config.port).server_settings(ServerSettings {
            // Others' values (BEP 44) are no business of ours; the library keeps one at least.
            max_immutable_values: 1,
            max_mutable_values: 1,
            filter: Box::new(Pace::default()),
            ..ServerSettings::default()
        });
        if let Some(bind) = config.bind {
            builder.bind_address(bind);
        }
        builder.build()
    };
    // It waits for its thread.
    let built = tokio::task::spawn_blocking(build).await.map_err(io::Error::other)?;
    built.map(mainline::Dht::as_async)
}

impl Task {
    /// The nodes to ask first: those named, and some of those known from before.
    async fn first(&self) -> Vec<SocketAddrV4> {
        let named = match self.config.bootstrap.is_empty() {
            true => DEFAULT_BOOTSTRAP_NODES.map(str::to_owned).to_vec(),
            false => self.config.bootstrap.clone(),
        };
        let mut first = futures_util::future::join_all(named.iter().map(named_node)).await.concat();
        first.truncate(FIRST_MAX / 2);
        if let Some(path) = &self.config.state {
            first.extend(state::read(path, FIRST_MAX - first.len()).await);
        }
        first.sort_unstable();
        first.dedup();
        first
    }

    /// Looks torrents up until it is stopped or knows nobody.
    async fn serve(&self, node: &AsyncDht, orders: &mut mpsc::Receiver<Order>) -> End {
        let mut lookups = JoinSet::new();
        let mut keep = interval(KEEP_EVERY);
        keep.tick().await;
        let (mut look, mut joined) = (interval(LOOK_EVERY), None);
        look.tick().await;
        loop {
            tokio::select! {
                () = self.stop.cancelled() => {
                    self.keep(node).await;
                    return End::Told;
                }
                Some(order) = orders.recv(), if lookups.len() < LOOKUPS_MAX => {
                    let finder = self.finder();
                    let looking = look_up(node.clone(), order, finder, self.found.clone());
                    lookups.spawn(timeout(LOOKUP_TIME_MAX, looking));
                }
                Some(_) = lookups.join_next() => {}
                _ = look.tick() => tell(&mut joined, node.to_bootstrap().await.len()),
                _ = keep.tick() => {
                    if self.keep(node).await == 0 {
                        lookups.shutdown().await;
                        return End::Lost;
                    }
                }
            }
        }
    }

    /// Writes down the nodes that are known, and says how many.
    async fn keep(&self, node: &AsyncDht) -> usize {
        let known = node.to_bootstrap().await;
        if let Some(path) = self.config.state.as_ref().filter(|_| !known.is_empty()) {
            // It is of use, not needed.
            let _ = state::write(path, &known).await;
        }
        known.len()
    }

    /// Whose word it is that a peer is at an address: on this machine anybody's, if all stays here.
    fn finder(&self) -> Finder {
        let here = self.config.bind.filter(Ipv4Addr::is_loopback);
        Finder::Stranger(here.map(Into::into))
    }
}

/// Logs whether anybody of the network is known, where that changed.
fn tell(joined: &mut Option<bool>, nodes: usize) {
    if joined.replace(nodes > 0) == Some(nodes > 0) {
        return;
    }
    match nodes {
        0 => warn!(
            "no node of the DHT answers; trackers and named peers go on, and it is asked again"
        ),
        _ => info!(nodes, "joined the DHT"),
    }
}

/// The addresses of a node, none when its name is not known now.
async fn named_node(name: &String) -> Vec<SocketAddrV4> {
    let v4 = |address| match address {
        SocketAddr::V4(address) => Some(address),
        SocketAddr::V6(_) => None,
    };
    match timeout(NAME_TIME_MAX, lookup_host(name)).await {
        Ok(Ok(found)) => found.filter_map(v4).take(4).collect(),
        Ok(Err(_)) | Err(_) => Vec::new(),
    }
}

/// Asks node after node for peers, then tells the closest ones that we are one.
async fn look_up(node: AsyncDht, order: Order, finder: Finder, found: mpsc::Sender<Input>) {
    let id = Id::from(order.info_hash.0);
    let mut batches = node.get_peers(id);
    let mut left = FOUND_MAX;
    while let Some(batch) = batches.next().await {
        let addresses: Vec<SocketAddr> = batch.into_iter().take(left).map(Into::into).collect();
        left -= addresses.len();
        if !addresses.is_empty() {
            let input = Input::PeersFound { torrent: order.torrent, finder, addresses };
            if found.send(input).await.is_err() {
                return;
            }
        }
    }
    if let Some(port) = order.announce {
        // Nobody may be there; it is tried again in a while.
        let _ = node.announce_peer(id, Some(port)).await;
    }
}
