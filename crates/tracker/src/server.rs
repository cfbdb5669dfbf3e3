//! The server around the swarm table, over WebSocket and HTTP: one task owns the table, one task
//! each socket. Decides nothing about swarms; the clock enters here.

mod bus;
mod http;
mod hub;
mod socket;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;
use axum::routing::any;
use axum::serve::ListenerExt;
use headwater_base::{Seed, Time};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::{Config, Fellows, FleetInput, Member, SocketId, Sought, Stats, Swarms, limit};
pub use bus::Tell;
use bus::{Outbox, Room};
pub use http::Ask;
use hub::News;

/// A running tracker. Clones are the same tracker; it ends when told to or with the runtime.
#[derive(Clone, Debug)]
pub struct Tracker {
    news: mpsc::Sender<News>,
    sockets: Arc<AtomicU64>,
    /// Of what a fleet's bus brought.
    room: Room,
}

impl Tracker {
    /// Starts a tracker on the current runtime. The seed picks who gets whose offers.
    pub fn start(config: Config, seed: &Seed) -> Self {
        Self::run(config, seed, None)
    }

    /// The same, telling who seeks what.
    pub fn start_watched(config: Config, seed: &Seed) -> (Self, mpsc::Receiver<Sought>) {
        let (tell, sought) = mpsc::channel(limit::EVENTS_MAX);
        let config = Config { tells_seekers: true, ..config };
        (Self::run(config, seed, Some(tell)), sought)
    }

    fn run(config: Config, seed: &Seed, sought: Option<mpsc::Sender<Sought>>) -> Self {
        let (news, inbox) = mpsc::channel(limit::EVENTS_MAX);
        tokio::spawn(hub::run(Swarms::new(config, seed), inbox, sought));
        Self { news, sockets: Arc::default(), room: Room::new(limit::FLEET_INBOX_BYTES_MAX) }
    }

    /// A router for a tracker of its own. As clients expect, it upgrades at every path, and answers
    /// what is no upgrade at `/announce` and `/scrape`.
    fn router(&self) -> Router {
        let upgrades = |tracker: Self| {
            any(move |upgrade: WebSocketUpgrade| async move { tracker.upgrade(upgrade) })
        };
        Router::new()
            .route("/announce", http::door(self.clone(), Ask::Announce))
            .route("/scrape", http::door(self.clone(), Ask::Scrape))
            .fallback(upgrades(self.clone()))
    }

    /// Makes a client of whoever asked for this upgrade.
    pub fn upgrade(&self, upgrade: WebSocketUpgrade) -> Response {
        let id = SocketId(self.sockets.fetch_add(1, Ordering::Relaxed));
        let news = self.news.clone();
        upgrade
            .max_message_size(limit::FRAME_BYTES_MAX)
            .max_frame_size(limit::FRAME_BYTES_MAX)
            .read_buffer_size(limit::READ_BYTES)
            .on_upgrade(move |socket| socket::run(id, socket, news))
    }

    /// Makes it part of a fleet; answers what it has to tell the others, until it ends.
    pub async fn join(&self, member: Member) -> mpsc::Receiver<Tell> {
        let (outbox, tells) = Outbox::new();
        // Where the table's task has ended the outbox has too.
        let _ = self.news.send(News::Joined(member, outbox)).await;
        tells
    }

    /// Hands on what happened to the fleet's bus, once there is room for it. False once the tracker
    /// ended.
    pub async fn fleet(&self, input: FleetInput) -> bool {
        let len = if let FleetInput::Told(text) = &input { text.len() } else { 0 };
        let place = self.room.take(len).await;
        self.news.send(News::Fleet(input, place)).await.is_ok()
    }

    /// The other processes of the fleet.
    pub async fn fellows(&self) -> Fellows {
        let (answer, fellows) = oneshot::channel();
        // The table's task may have ended.
        let _ = self.news.send(News::Fellows(answer)).await;
        fellows.await.unwrap_or_default()
    }

    /// What the tracker holds and has done; `None` once it ended.
    pub async fn stats(&self) -> Option<Stats> {
        let (answer, stats) = oneshot::channel();
        self.news.send(News::Asked(answer)).await.ok()?;
        stats.await.ok()
    }

    /// Closes every socket and ends. Later upgrades are closed at once.
    pub async fn close(&self) {
        let (done, ended) = oneshot::channel();
        if self.news.send(News::Ended(done)).await.is_ok() {
            // Nothing is left to wait for when the task is gone already.
            let _ = ended.await;
        }
    }
}

/// A tracker with a listener of its own.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    tracker: Tracker,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<io::Result<()>>,
}

impl Server {
    /// Listens and serves until closed.
    pub async fn bind(address: SocketAddr, config: Config, seed: &Seed) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        // Answers and offers are small and follow each other: none may wait for an acknowledgement.
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        let tracker = Tracker::start(config, seed);
        let (stop, stopped) = oneshot::channel::<()>();
        let service = tracker.router().into_make_service_with_connect_info::<SocketAddr>();
        let serve = axum::serve(listener, service).with_graceful_shutdown(async {
            // A dropped server stops as a closed one does.
            let _ = stopped.await;
        });
        let serving = tokio::spawn(async move { serve.await });
        Ok(Self { address, tracker, stop, serving })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL that clients announce to.
    pub fn url(&self) -> String {
        format!("ws://{}/", self.address)
    }

    /// The tracker behind it.
    pub fn tracker(&self) -> &Tracker {
        &self.tracker
    }

    /// Closes every socket, stops listening and waits for the end of both.
    pub async fn close(self) -> io::Result<()> {
        self.tracker.close().await;
        // The receiver is gone only when serving ended by itself.
        let _ = self.stop.send(());
        self.serving.await.map_err(io::Error::other)?
    }
}

/// The time since the tracker started.
#[derive(Clone, Copy, Debug)]
struct Clock(Instant);

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the tracker's time enters")]
    fn start() -> Self {
        Self(Instant::now())
    }

    fn now(self) -> Time {
        Time::from_micros(u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX))
    }
}
