//! The HTTP face of `headwater serve`: web app, tracker, list of torrents, figures, health.
//! Film bytes never leave through it: those go to peers over WebRTC only.

mod announce;
mod assets;
mod control;
mod fleet;
mod host;
mod kept;
mod library;
mod metrics;
mod pay;
mod tls;
mod token;

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::serve::Listener;
use headwater_base::{InfoHash, hex};
use headwater_metainfo::{Torrent, Version};
use headwater_tracker::server::{Ask, Tracker};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::bridge::Bridge;
use crate::router::Status;
use crate::shell::{Shell, Stopped};
use announce::{ANNOUNCE, Caller, SCRAPE};
pub use control::Control;
pub use fleet::{BadFleet, Fleet, FleetConfig};
use host::{Hosts, is_literal};
pub use kept::Limits;
pub use library::{Library, Refusal, Shelf};
use metrics::Figures;
pub use pay::PayPlace;
pub use tls::Certificate;
use tls::TlsListener;
pub use token::Token;

/// One server: what its pages and answers are made of.
pub struct Site {
    shell: Shell,
    tracker: Tracker,
    hosts: Hosts,
    trackers: Vec<String>,
    shared: Mutex<Vec<Arc<Torrent>>>,
    bridge: Option<Bridge>,
    control: Option<Control>,
    certificate: Option<Certificate>,
    listen: SocketAddr,
    limits: Mutex<Limits>,
    closing: watch::Sender<bool>,
    pay: PayPlace,
    /// Where the peer's tasks run, which need not be where requests are answered.
    peer: Handle,
}

impl Site {
    /// Makes a site that listens at `listen` and is also reached by `names`. Its magnet links name
    /// its own tracker, over WebSocket and over HTTP, and then `trackers`.
    pub fn new(
        shell: Shell,
        tracker: Tracker,
        listen: SocketAddr,
        names: Vec<String>,
        trackers: Vec<String>,
    ) -> Self {
        let hosts = Hosts::new(listen, names);
        let (shared, limits) = (Mutex::default(), Mutex::default());
        let (bridge, control, certificate) = (None, None, None);
        let (closing, _) = watch::channel(false);
        Self {
            shell,
            tracker,
            hosts,
            trackers,
            shared,
            bridge,
            control,
            certificate,
            pay: PayPlace::default(),
            listen,
            limits,
            closing,
            peer: Handle::current(),
        }
    }

    /// Lets the owner control it.
    pub fn with_control(self, control: Option<Control>) -> Self {
        Self { control, ..self }
    }

    /// Speaks TLS, and TLS only.
    pub fn with_certificate(self, certificate: Option<Certificate>) -> Self {
        Self { certificate, ..self }
    }

    /// Tells visitors' pages where they may pay, once that is known.
    pub fn with_pay(self, pay: PayPlace) -> Self {
        Self { pay, ..self }
    }

    /// Shows the figures of a bridge too.
    pub fn with_bridge(self, bridge: Option<Bridge>) -> Self {
        Self { bridge, ..self }
    }

    /// Lists a torrent from here on.
    pub fn share(&self, torrent: Arc<Torrent>) {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).push(torrent);
    }

    /// Lists a torrent no longer.
    fn forget(&self, hash: InfoHash) {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.retain(|torrent| torrent.info_hash != hash);
    }

    /// The limits of all torrents together.
    fn limits(&self) -> Limits {
        *self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Limits all torrents together.
    pub async fn limit(&self, limits: Limits) -> Result<(), Stopped> {
        *self.limits.lock().unwrap_or_else(PoisonError::into_inner) = limits;
        let Limits { upload, download } = limits;
        self.shell.client(move |client, now| client.set_limits(now, upload, download)).await
    }

    /// Answers requests until it is closed or the listener fails. Whatever is being answered then
    /// is answered to its end.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) -> io::Result<()> {
        let mut closing = self.closing();
        let closed = async move {
            // The sender is held by the site itself, which is ours.
            let _ = closing.wait_for(|closing| *closing).await;
        };
        let certificate = self.certificate.clone();
        let router = self.router().into_make_service_with_connect_info::<Caller>();
        match certificate {
            Some(certificate) => {
                let listener = TlsListener::new(listener, certificate)?;
                axum::serve(listener, router).with_graceful_shutdown(closed).await
            }
            None => axum::serve(Prompt(listener), router).with_graceful_shutdown(closed).await,
        }
    }

    /// Tasks alive, of the peer and of whatever answers requests.
    fn tasks(&self) -> u64 {
        let here = Handle::current();
        let apart = (here.id() != self.peer.id()).then_some(&self.peer);
        let of = |runtime: &Handle| runtime.metrics().num_alive_tasks() as u64;
        of(&here) + apart.map_or(0, of)
    }

    /// Takes no further requests.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }

    fn closing(&self) -> watch::Receiver<bool> {
        self.closing.subscribe()
    }

    fn router(self: Arc<Self>) -> Router {
        let mut router = Router::new()
            .route("/tracker", any(tracker))
            .route(ANNOUNCE, announce::door(Ask::Announce))
            .route(SCRAPE, announce::door(Ask::Scrape))
            .route("/torrents.json", get(torrents))
            .route("/pay.json", get(pay::place))
            .route("/test-wallet.js", get(pay::test_wallet))
            .route("/metrics", get(figures))
            .route("/healthz", get(healthy));
        if self.control.is_some() {
            router = router.nest("/api/v1", control::router(&self));
        }
        router
            .fallback(get(assets::answer))
            .layer(middleware::from_fn_with_state(Arc::clone(&self), guard))
            .with_state(self)
    }
}

/// Where a program on the same machine reaches a listener.
pub fn reached_at(listen: SocketAddr) -> SocketAddr {
    match listen {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => (Ipv4Addr::LOCALHOST, v4.port()).into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => (Ipv6Addr::LOCALHOST, v6.port()).into(),
        SocketAddr::V4(_) | SocketAddr::V6(_) => listen,
    }
}

/// Turns away requests that are not meant for this server. Those of the tracker's clients are
/// whatever address they reached it by: a router's, say, that hands them on.
async fn guard(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let host = text(request.headers(), header::HOST);
    let is_client = [ANNOUNCE, SCRAPE].contains(&request.uri().path());
    if host.is_some_and(|host| site.hosts.allows_host(host) || is_client && is_literal(host)) {
        return next.run(request).await;
    }
    let host = host.unwrap_or("no name");
    let why =
        format!("this server is not reached as {host:?}; start it with --host NAME to allow\n");
    (StatusCode::MISDIRECTED_REQUEST, why).into_response()
}

async fn tracker(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    match text(&headers, header::ORIGIN) {
        Some(origin) if !site.hosts.allows_origin(origin) => {
            let why = format!("pages of {origin:?} may not use this tracker\n");
            (StatusCode::FORBIDDEN, why).into_response()
        }
        Some(_) | None => site.tracker.upgrade(upgrade),
    }
}

/// Lets programs of this machine use a tracker, and no page.
pub async fn serve_programs(tracker: Tracker, listener: TcpListener) -> io::Result<()> {
    let door = any(move |headers: HeaderMap, upgrade: WebSocketUpgrade| {
        let is_page = headers.contains_key(header::ORIGIN);
        let answer =
            if is_page { StatusCode::FORBIDDEN.into_response() } else { tracker.upgrade(upgrade) };
        async { answer }
    });
    axum::serve(Prompt(listener), Router::new().route("/tracker", door)).await
}

/// A listener whose streams send what is small at once: a tracker's answers and offers follow each
/// other, and none may wait until the one before was acknowledged.
struct Prompt(TcpListener);

impl Listener for Prompt {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        let (stream, from) = Listener::accept(&mut self.0).await;
        // Who is gone already needs nothing.
        let _ = stream.set_nodelay(true);
        (stream, from)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

async fn torrents(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let host = text(&headers, header::HOST).unwrap_or_default();
    let end = if site.certificate.is_some() { "s" } else { "" };
    let mut trackers =
        vec![format!("ws{end}://{host}/tracker"), format!("http{end}://{host}{ANNOUNCE}")];
    trackers.extend(site.trackers.iter().cloned());
    let shared = site.shared.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let list: Vec<Value> = shared.iter().map(|torrent| describe(torrent, &trackers)).collect();
    let controlled = if site.control.is_some() { "yes" } else { "no" };
    let fixed = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Whether the page shows a way to control the server.
        (HeaderName::from_static("headwater-control"), controlled),
        // Whether it shows a way to pay.
        (HeaderName::from_static("headwater-pay"), site.pay.is_known()),
    ];
    (fixed, format!("{}\n", Value::from(list))).into_response()
}

/// What a shared torrent is called and known by.
pub fn describe(torrent: &Torrent, trackers: &[String]) -> Value {
    let has_v1 = torrent.version() != Version::V2;
    json!({
        "name": torrent.name,
        "length": torrent.length.0,
        "version": torrent.version().name(),
        "info_hash_v1": has_v1.then(|| torrent.info_hash.to_string()),
        "info_hash_v2": torrent.info_hash_v2.map(|hash| hex(&hash)),
        "magnet": magnet(torrent, trackers),
    })
}

/// The link that leads to a torrent by these trackers before its own.
pub fn magnet(torrent: &Torrent, trackers: &[String]) -> String {
    let mut magnet = torrent.magnet();
    let own = std::mem::take(&mut magnet.trackers);
    for url in trackers.iter().cloned().chain(own) {
        if !magnet.trackers.contains(&url) {
            magnet.trackers.push(url);
        }
    }
    magnet.to_string()
}

async fn figures(State(site): State<Arc<Site>>) -> Response {
    let views = site.shell.client(|client, _| {
        let torrents = client.torrents();
        let views = torrents.into_iter().filter_map(|id| client.torrent_view(id));
        (client.view(), views.collect(), client.pay_view())
    });
    let shell = &site.shell;
    let asked = tokio::join!(views, shell.totals(), shell.router(), shell.pays());
    let (Ok((engine, torrents, money)), Ok(links), Ok(router), Ok(pays)) = asked else {
        return unwell();
    };
    let sold = pays.then_some(money);
    let ports_mapped = match router {
        Some(Status::Mapped(mapping)) => mapping.ports as u64,
        Some(Status::Asking | Status::Unmapped(_)) | None => 0,
    };
    let tracker = site.tracker.stats().await.unwrap_or_default();
    let bridge = site.bridge.as_ref().map(Bridge::stats);
    let tasks = site.tasks();
    let figures = Figures { engine, torrents, links, tracker, bridge, sold, ports_mapped, tasks };
    let text = metrics::text(&figures);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

async fn healthy(State(site): State<Arc<Site>>) -> Response {
    match site.shell.totals().await {
        Ok(_) => "ok\n".into_response(),
        Err(_) => unwell(),
    }
}

fn unwell() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, "the peer has stopped\n").into_response()
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}
