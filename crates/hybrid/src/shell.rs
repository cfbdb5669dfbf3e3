//! One task that owns the client and does what it says: links, files, trackers, timers.
//! Everybody else talks to it through a [`Shell`].

mod announce;
mod clock;
mod disk;
mod driver;
mod fetch;
mod finders;
mod objects;
mod paying;
mod reader;
mod tracker;

use std::net::SocketAddr;
use std::path::PathBuf;

use headwater_base::{LinkId, Seed, Time, TorrentId};
use headwater_client::{
    AddError, AddOptions, Added, Client, Config, Event, Finder, Input, Source, StoreError,
};
use headwater_pay::RecordError;
use tokio::sync::{broadcast, mpsc, oneshot};

pub use disk::Place;
use driver::Driver;
pub use driver::Totals;
pub use finders::Bound as BoundFinders;
pub use paying::{
    BadNode, ContentKeys, KeyFileError, Node, PayNews, Purse, Records, RecordsError, Unknown,
    open_key, read_records,
};
pub use reader::{ReadError, Reader};

use crate::router;
use crate::transport::{Kind, Net};

/// News the events of the last moments may pile up to before a slow listener misses some.
const NEWS_MAX: usize = 4096;

/// What the shell tells whoever listens.
#[derive(Clone, Debug)]
pub enum News {
    /// The client says so.
    Client(Event),
    /// A link opened.
    LinkOpened {
        /// Which link.
        link: LinkId,
        /// What it is made of.
        kind: Kind,
    },
    /// A link that was open closed, after so many bytes.
    LinkClosed {
        /// Which link.
        link: LinkId,
        /// Bytes that came in, protocol included.
        received: u64,
        /// Bytes that went out, protocol included.
        sent: u64,
    },
    /// A torrent that is done was moved to its folder for that, or could not be.
    Moved {
        /// Which torrent.
        torrent: TorrentId,
        /// Where it lies; or why it stays where it was.
        result: Result<PathBuf, StoreError>,
    },
    /// It stands otherwise with the router that is asked for ports.
    Router(router::Status),
    /// Something happened to money.
    Pay(PayNews),
    /// The client has stopped; nothing follows.
    Stopped,
}

/// A handle on a running client. Clones talk to the same one.
#[derive(Clone)]
pub struct Shell {
    orders: mpsc::Sender<Order>,
    news: broadcast::Sender<News>,
}

type Order = Box<dyn FnOnce(&mut Driver) + Send>;

/// The shell is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the client has stopped")]
pub struct Stopped;

impl Shell {
    /// Starts a client. Must be called inside a Tokio runtime.
    pub fn start(config: Config, seed: Seed, net: impl Into<Net>) -> Self {
        let (orders, to_do) = mpsc::channel(64);
        let (news, _) = broadcast::channel(NEWS_MAX);
        let driver = Driver::new(Client::new(config, seed), net.into(), news.clone());
        tokio::spawn(driver.run(to_do));
        Self { orders, news }
    }

    /// Listens from here on.
    pub fn news(&self) -> broadcast::Receiver<News> {
        self.news.subscribe()
    }

    /// Adds a torrent whose bytes lie in `place`.
    pub async fn add(
        &self,
        source: OwnedSource,
        options: AddOptions,
        place: Place,
    ) -> Result<Result<Added, AddError>, Stopped> {
        self.order(move |driver| driver.add(&source.borrowed(), options, place)).await
    }

    /// Calls any method of the client at this moment.
    pub async fn client<T: Send + 'static>(
        &self,
        call: impl FnOnce(&mut Client, Time) -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        self.order(move |driver| driver.call(call)).await
    }

    /// Has a torrent that is done moved to its folder for that, where it has one and is not there
    /// yet; answers once it lies there.
    pub async fn finish(&self, torrent: TorrentId) -> Result<Result<(), StoreError>, Stopped> {
        let (answer, answered) = oneshot::channel();
        self.order(move |driver| driver.finish(torrent, answer)).await?;
        Ok(answered.await.map_err(|_| Stopped)?.map(drop))
    }

    /// What all links did so far.
    pub async fn totals(&self) -> Result<Totals, Stopped> {
        self.order(|driver| driver.totals()).await
    }

    /// How it stands with the router that is asked for ports; `None` where none is.
    pub async fn router(&self) -> Result<Option<router::Status>, Stopped> {
        self.order(|driver| driver.router()).await
    }

    /// What each of these links is made of, where it is open.
    pub async fn kinds(&self, links: Vec<LinkId>) -> Result<Vec<Option<Kind>>, Stopped> {
        self.order(move |driver| links.iter().map(|link| driver.kind(*link)).collect()).await
    }

    /// Has a torrent know peers that the user named.
    pub async fn meet(
        &self,
        torrent: TorrentId,
        addresses: Vec<SocketAddr>,
    ) -> Result<(), Stopped> {
        let input = Input::PeersFound { torrent, finder: Finder::User, addresses };
        self.client(move |client, now| client.handle(now, input)).await
    }

    /// Removes a torrent; with `delete` its stored data goes too.
    pub async fn remove(&self, torrent: TorrentId, delete: bool) -> Result<(), Stopped> {
        self.client(move |client, now| client.remove(now, torrent, delete)).await
    }

    /// Lets the client pay and be paid with what is in `purse`; it still does neither before it is
    /// switched on. Only the first purse counts.
    pub async fn pay(&self, purse: Purse, seed: Seed) -> Result<Result<(), RecordError>, Stopped> {
        self.order(move |driver| driver.pay(purse, &seed)).await
    }

    /// Whether it has a purse.
    pub async fn pays(&self) -> Result<bool, Stopped> {
        self.order(|driver| driver.pays()).await
    }

    /// Says goodbye to every tracker and peer, and stops.
    pub async fn stop(&self) {
        let (done, stopped) = oneshot::channel();
        let order: Order = Box::new(move |driver| driver.stop(done));
        if self.orders.send(order).await.is_ok() {
            let _ = stopped.await;
        }
    }

    async fn order<T: Send + 'static>(
        &self,
        call: impl FnOnce(&mut Driver) -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        let (answer, answered) = oneshot::channel();
        let order: Order = Box::new(move |driver| {
            // Whoever asked may be gone.
            let _ = answer.send(call(driver));
        });
        self.orders.send(order).await.map_err(|_| Stopped)?;
        answered.await.map_err(|_| Stopped)
    }
}

/// A source that owns its bytes, to cross tasks.
#[derive(Clone, Debug)]
pub enum OwnedSource {
    /// A magnet link or 40 hex digits.
    Text(String),
    /// A torrent that is read already.
    Torrent(std::sync::Arc<headwater_metainfo::Torrent>),
}

impl OwnedSource {
    fn borrowed(&self) -> Source<'_> {
        match self {
            Self::Text(text) => Source::read(text),
            Self::Torrent(torrent) => Source::Torrent(std::sync::Arc::clone(torrent)),
        }
    }
}
