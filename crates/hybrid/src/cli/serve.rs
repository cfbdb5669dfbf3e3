//! `headwater serve`: tracker, web app and peer in one process.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use headwater_base::{PeerId, Seed};
use headwater_hybrid::bridge::Bridge;
use headwater_hybrid::filter::IpFilter;
use headwater_hybrid::log;
use headwater_hybrid::serve::{self, Certificate, Fleet, FleetConfig, Site, reached_at};
use headwater_hybrid::shell::{Shell, Stopped};
use headwater_tracker::server::Tracker;
use headwater_tracker::{Member, ProcessId, Sought};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::{info, warn};

use super::args::Serve;
use super::failure::Failure;
use super::front::Front;
use super::sell::Shop;
use super::share::{Sharing, Wanted};
use super::{bridge, descriptors, logs, owner, peer, print, print_line};

/// Longest wait for trackers, peers and files at the end.
const END_TIME_MAX: Duration = Duration::from_secs(15);

/// Longest wait for requests that are under way at the end.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(2);

/// Runs the command.
pub(crate) async fn run(args: Serve, json: bool) -> Result<(), Failure> {
    let told = peer::told();
    logs::start(&args)?;
    peer::check_trackers(&args.peer.tracker)?;
    let wanted = Wanted::read(&args)?;
    let certificate = certificate(&args)?;
    let bridge = bridge::config(&args)?;
    let fleet = fleet(&args)?;
    let shop = Shop::read(&args)?;
    let front = Front::start()?;
    let (listener, listen) = bind(&front, args.listen).await?;
    let sockets_max = descriptors::sockets_max(&args.peer);
    let (tracker, sought) = front.call(|| start_tracker(bridge.is_some(), sockets_max))?;
    let mut trackers = vec![own_tracker(&front, &tracker, listen, certificate.is_some()).await?];
    trackers.extend(args.peer.tracker.iter().cloned());
    let started = peer::start(&args.peer, trackers, args.local_trackers).await?;
    let shell = started.shell.clone();
    #[cfg(unix)]
    tokio::spawn(reload(certificate.clone(), started.filter.clone()));
    let logging = tokio::spawn(log::follow(shell.clone(), shell.news(), args.log_addresses));
    let place = Shop::open(shop, &shell).await?;
    let member = member(bridge.is_some(), started.peer_id)?;
    let fleet = fleet.map(|config| Fleet::start(config, member, tracker.clone()));
    let start = |(config, sought)| {
        let seekers = (tracker.clone(), sought);
        Bridge::start(config, started.peer_id, shell.clone(), seekers)
    };
    let bridge = bridge.zip(sought).map(start);
    let control = owner::control(&args, listen, &started)?;
    let library = control.as_ref().map(|control| Arc::clone(&control.library));
    let scheme = if certificate.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{}/", reached_at(listen));
    if let Some(control) = &control {
        owner::show_link(&url, control.token.reveal());
    }
    let named = args.peer.tracker.clone();
    let site = Site::new(shell.clone(), tracker.clone(), listen, args.host.clone(), named);
    let site = site.with_bridge(bridge).with_control(control).with_certificate(certificate);
    let site = Arc::new(site.with_pay(place));
    site.limit(owner::limits(&args, library.as_ref())).await?;
    if let Some(library) = &library {
        owner::restore(library).await?;
    }
    announce(&url, started.port, json);
    info!(version = env!("CARGO_PKG_VERSION"), "started");
    let serving = front.spawn(Arc::clone(&site).serve(listener));
    let opening = args.disk.opening();
    Sharing { shell: shell.clone(), site: Arc::clone(&site), library, opening }.start(wanted);
    Running { shell, tracker, fleet, site, logging, serving, _front: front }.until(told).await
}

/// Everything that ends with the command.
struct Running {
    shell: Shell,
    tracker: Tracker,
    fleet: Option<Fleet>,
    site: Arc<Site>,
    logging: JoinHandle<()>,
    serving: JoinHandle<io::Result<()>>,
    _front: Front,
}

impl Running {
    async fn until(mut self, told: impl Future<Output = ()>) -> Result<(), Failure> {
        tokio::select! {
            ended = &mut self.serving => {
                self.end().await;
                let ended = ended.map_err(|e| Failure::failed("serve", e))?;
                return ended.map_err(|e| Failure::failed("serve", e));
            }
            _ = &mut self.logging => return Err(Stopped.into()),
            () = told => {}
        }
        let again = peer::told();
        info!("stopping; a second signal ends it at once");
        tokio::spawn(async {
            again.await;
            std::process::exit(1);
        });
        // No new requests while peers and trackers are told.
        self.site.close();
        self.end().await;
        if timeout(ANSWER_TIME_MAX, &mut self.serving).await.is_err() {
            self.serving.abort();
        }
        info!("stopped");
        Ok(())
    }

    /// Tells trackers and peers, and has what is verified written.
    async fn end(&mut self) {
        if let Ok(totals) = self.shell.totals().await {
            let (links, received, sent) = (totals.opened, totals.received, totals.sent);
            info!(links, received, sent, "link totals");
        }
        if timeout(END_TIME_MAX, self.shell.stop()).await.is_err() {
            warn!("not everybody was told in time");
        }
        self.tracker.close().await;
        if let Some(fleet) = self.fleet.take() {
            fleet.close().await;
        }
    }
}

/// Listens; what comes is dealt with by the threads of `front`.
async fn bind(front: &Front, at: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let bound = front.spawn(async move {
        let listener = TcpListener::bind(at).await?;
        let listen = listener.local_addr()?;
        Ok::<_, io::Error>((listener, listen))
    });
    let bound = bound.await.map_err(|e| Failure::failed("listen", e))?;
    bound.map_err(|e| Failure::failed("listen", format!("{at}: {e}")))
}

/// Where the fleet meets, if the process is to be part of one.
fn fleet(args: &Serve) -> Result<Option<FleetConfig>, Failure> {
    let Some(server) = &args.fleet else { return Ok(None) };
    let config = FleetConfig::new(server, &args.fleet_name);
    config.map(Some).map_err(|e| Failure::input("fleet", e))
}

/// This process as one of a fleet, under a name that it never had.
fn member(bridges: bool, peer: PeerId) -> Result<Member, Failure> {
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|e| Failure::failed("random", e))?;
    Ok(Member { id: ProcessId(id), bridges, peer })
}

/// Starts the tracker; with a bridge it tells what is sought.
fn start_tracker(
    bridge: bool,
    sockets_max: usize,
) -> Result<(Tracker, Option<mpsc::Receiver<Sought>>), Failure> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|e| Failure::failed("random", e))?;
    let config = headwater_tracker::Config { sockets_max, ..Default::default() };
    if bridge {
        let (tracker, sought) = Tracker::start_watched(config, &Seed(random));
        return Ok((tracker, Some(sought)));
    }
    Ok((Tracker::start(config, &Seed(random)), None))
}

/// Where our own peer reaches our own tracker. A certificate names the server as others know it,
/// which loopback is not: with one there is a door for ourselves alone.
async fn own_tracker(
    front: &Front,
    tracker: &Tracker,
    listen: SocketAddr,
    tls: bool,
) -> Result<String, Failure> {
    if !tls {
        return Ok(format!("ws://{}/tracker", reached_at(listen)));
    }
    let (listener, door) = bind(front, (Ipv4Addr::LOCALHOST, 0).into()).await?;
    front.spawn(serve::serve_programs(tracker.clone(), listener));
    Ok(format!("ws://{door}/tracker"))
}

/// The certificate to serve with.
fn certificate(args: &Serve) -> Result<Option<Certificate>, Failure> {
    let (chain, key) = match (&args.tls_cert, &args.tls_key) {
        (None, None) => return Ok(None),
        (Some(chain), Some(key)) => (chain, key),
        (Some(_), None) | (None, Some(_)) => {
            let message = "--tls-cert and --tls-key are needed together";
            return Err(Failure::input("tls", message));
        }
    };
    Certificate::read(chain, key).map(Some).map_err(|e| Failure::input("tls", e))
}

/// Reads certificate and lists again whenever the process is told to.
#[cfg(unix)]
async fn reload(certificate: Option<Certificate>, filter: IpFilter) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut hangups) = signal(SignalKind::hangup()) else { return };
    while hangups.recv().await.is_some() {
        match certificate.as_ref().map(Certificate::reload) {
            Some(Ok(())) => info!("certificate read again"),
            Some(Err(why)) => warn!(%why, "certificate not read; the one before stays"),
            None => {}
        }
        match filter.reload() {
            Ok(()) => info!("address lists read again"),
            Err(why) => warn!(%why, "address lists not read; those before stay"),
        }
    }
}

/// Says where it is reached, on the first line.
fn announce(url: &str, port: Option<u16>, json: bool) {
    if json {
        print(&json!({ "event": "listening", "url": url, "port": port }));
    } else {
        print_line(url);
    }
}
