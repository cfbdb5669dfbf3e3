//! Links over byte streams: TCP and uTP (BEP 29), dialled and accepted, hidden (MSE) where asked.

mod bound;
mod dial;
mod greet;
mod listen;
mod pump;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use bytes::Bytes;
use headwater_base::{Digest1, InfoHash, LinkId};
use headwater_engine::{ACCEPTED_FROM, LinkEnd};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

pub use bound::Bound;

use super::link::LINK_WINDOW;
use super::{LinkEvent, mse};
use crate::filter::IpFilter;
use crate::proxy::Proxy;

/// How long the ends of all links may take.
const CLOSE_TIME_MAX: std::time::Duration = std::time::Duration::from_secs(1);

/// Whether streams hide that they are BitTorrent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encryption {
    /// Never; who insists on it is not reached.
    Off,
    /// With those that refuse to talk in plain.
    #[default]
    On,
    /// With everybody, and always RC4.
    Required,
}

/// How streams are made.
#[derive(Clone, Debug)]
pub struct StreamConfig {
    /// Where to listen and whence to dial: an address of this machine, or all of a family.
    pub interfaces: Vec<IpAddr>,
    /// The port for TCP and uTP; 0 for any that is free.
    pub port: u16,
    /// Whether TCP is spoken.
    pub tcp: bool,
    /// Whether uTP is spoken.
    pub utp: bool,
    /// Whether streams are encrypted.
    pub encryption: Encryption,
    /// What TCP is dialled through. With one nobody is listened for and uTP is not spoken: only TCP
    /// that we dial goes through a proxy.
    pub proxy: Option<Proxy>,
    /// Most links at a time.
    pub links_max: usize,
}

impl Default for StreamConfig {
    fn default() -> Self {
        Self {
            interfaces: vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()],
            port: 0,
            tcp: true,
            utp: true,
            encryption: Encryption::default(),
            proxy: None,
            links_max: 500,
        }
    }
}

/// Makes links over TCP and uTP. No call blocks; news comes as [`LinkEvent`]s.
pub struct StreamTransport {
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
}

/// What the tasks of all links share.
struct Shared {
    config: StreamConfig,
    bound: Bound,
    filter: IpFilter,
    events: mpsc::Sender<LinkEvent>,
    links: Mutex<BTreeMap<LinkId, Handle>>,
    next_accepted: AtomicU64,
    /// The torrents that are here, by the names they have in encrypted exchanges.
    names: RwLock<BTreeMap<Digest1, InfoHash>>,
}

struct Handle {
    commands: mpsc::UnboundedSender<Bytes>,
    queued: Arc<AtomicUsize>,
    /// Dropped with the handle, which ends the link's task.
    _alive: oneshot::Sender<()>,
}

/// A link's own end of its handle.
struct Ends {
    link: LinkId,
    commands: mpsc::UnboundedReceiver<Bytes>,
    queued: Arc<AtomicUsize>,
    gone: oneshot::Receiver<()>,
}

impl StreamTransport {
    /// Makes a transport that reports to `events` and accepts links at once. Must be called inside
    /// a Tokio runtime.
    pub fn new(
        config: StreamConfig,
        bound: Bound,
        filter: IpFilter,
        events: mpsc::Sender<LinkEvent>,
    ) -> Self {
        let shared = Shared {
            config,
            bound,
            filter,
            events,
            links: Mutex::default(),
            next_accepted: AtomicU64::new(ACCEPTED_FROM),
            names: RwLock::default(),
        };
        let (shared, mut tasks) = (Arc::new(shared), JoinSet::new());
        listen::start(&shared, &mut tasks);
        Self { shared, tasks }
    }

    /// Takes which torrents are here: those who hide ask for one of them.
    pub fn set_names(&self, info_hashes: impl Iterator<Item = InfoHash>) {
        let names = info_hashes.map(|hash| (mse::name_of(&hash), hash)).collect();
        *self.shared.names.write().unwrap_or_else(PoisonError::into_inner) = names;
    }

    /// Dials an address; `Opened` or `Closed` follows.
    pub fn dial(&mut self, link: LinkId, address: SocketAddr) {
        while self.tasks.try_join_next().is_some() {}
        let Some(ends) = self.shared.handle(link) else {
            let events = self.shared.events.clone();
            let closed = LinkEvent::Closed { link, end: LinkEnd::Unsupported };
            self.tasks.spawn(async move {
                let _ = events.send(closed).await;
            });
            return;
        };
        self.tasks.spawn(dial::run(Arc::clone(&self.shared), ends, address));
    }

    /// Queues bytes on a link; false when it is none of ours.
    pub fn send(&self, link: LinkId, bytes: &Bytes) -> bool {
        let links = self.shared.links();
        let Some(handle) = links.get(&link) else { return false };
        handle.queued.fetch_add(bytes.len(), Ordering::Relaxed);
        // A task that ended reports `Closed`; what comes after it goes nowhere.
        let _ = handle.commands.send(bytes.clone());
        true
    }

    /// Closes a link, or forgets one that reported `Closed`. What is queued may be lost.
    pub fn close(&self, link: LinkId) {
        self.shared.links().remove(&link);
    }

    /// Bytes the link takes before it is full; `None` when it is none of ours.
    pub fn window(&self, link: LinkId) -> Option<usize> {
        let links = self.shared.links();
        let queued = links.get(&link)?.queued.load(Ordering::Relaxed);
        Some(LINK_WINDOW.saturating_sub(queued))
    }

    /// Links and attempts alive.
    pub fn link_count(&self) -> usize {
        self.shared.links().len()
    }

    /// Closes every link and waits a little for the other sides to be told.
    pub async fn finish(&mut self) {
        self.shared.links().clear();
        self.shared.bound.close();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(CLOSE_TIME_MAX, all).await;
        self.tasks.abort_all();
    }
}

impl Shared {
    fn links(&self) -> MutexGuard<'_, BTreeMap<LinkId, Handle>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the handle of a new link, if there is room for one.
    fn handle(&self, link: LinkId) -> Option<Ends> {
        let mut links = self.links();
        if links.len() >= self.config.links_max {
            return None;
        }
        let (commands, to_do) = mpsc::unbounded_channel();
        let (alive, gone) = oneshot::channel();
        let queued = Arc::new(AtomicUsize::new(0));
        let handle = Handle { commands, queued: Arc::clone(&queued), _alive: alive };
        links.insert(link, handle);
        Some(Ends { link, commands: to_do, queued, gone })
    }

    fn find(&self, name: &Digest1) -> Option<InfoHash> {
        self.names.read().unwrap_or_else(PoisonError::into_inner).get(name).copied()
    }
}
