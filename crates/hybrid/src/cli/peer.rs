//! What `get`, `seed` and `serve` share: a running client by the options, and how it ends.

use std::net::IpAddr;

use headwater_base::{PeerId, Seed};
use headwater_client::{Attempts, Config, Event, TrackerTrouble, Warning};
use headwater_hybrid::dht::{self, DhtConfig};
use headwater_hybrid::filter::IpFilter;
use headwater_hybrid::lsd::{self, LsdConfig};
use headwater_hybrid::proxy::Proxy;
use headwater_hybrid::router::RouterConfig;
use headwater_hybrid::shell::{BoundFinders, Shell};
use headwater_hybrid::transport::{Bound, Encryption, Net, RtcConfig, StreamConfig};
use serde_json::{Value, json};

use super::args::{Hides, Peer, Speaks};
use super::descriptors;
use super::failure::Failure;
use super::folders;

/// A running client.
pub(crate) struct Started {
    pub(crate) shell: Shell,
    /// The port on which peers reach it over TCP and uTP.
    pub(crate) port: Option<u16>,
    /// What it calls itself.
    pub(crate) peer_id: PeerId,
    /// Whom it does not meet.
    pub(crate) filter: IpFilter,
}

/// Starts a client as the options say. Trackers that strangers name for a bridge may lie in private
/// networks only where that is allowed.
pub(crate) async fn start(
    peer: &Peer,
    trackers: Vec<String>,
    local_trackers: bool,
) -> Result<Started, Failure> {
    let filter = IpFilter::read(&peer.ip_filter).map_err(|e| Failure::input("ip-filter", e))?;
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|e| Failure::failed("random", e))?;
    let seed = Seed(seed);
    descriptors::make_room(peer);
    let links_max = usize::from(peer.max_peers.max(1));
    let webrtc = usize::from(peer.speaks(Speaks::Webrtc));
    let offered = usize::from(peer.max_webrtc_peers).min(links_max) * webrtc;
    let proxy = proxy(peer)?;
    let streams = streams(peer, links_max, proxy.as_ref());
    let bound = match &streams {
        Some(config) => Some(Bound::bind(config).await.map_err(|e| unbound(peer, &e))?),
        None => None,
    };
    let port = bound.as_ref().and_then(Bound::port);
    let peer_id = peer_id(&seed);
    let dht = if bound.is_some() { node(peer)? } else { None };
    let dht_port = dht.as_ref().map(dht::Bound::port);
    let lsd = bound.as_ref().and_then(|_| lsd(peer));
    let config = Config {
        trackers,
        links_max,
        links_per_torrent_max: links_max,
        offered_links_max: Some(offered),
        attempts: Attempts::PROGRAM,
        dials: bound.is_some(),
        listens: port,
        seeks: dht.is_some() || lsd.is_some(),
        dht_port,
        local_trackers,
        local_web_seeds: peer.local_web_seeds,
        active_downloads_max: peer.active_downloads,
        active_seeds_max: peer.active_seeds,
        upload_limit: peer.upload_limit,
        download_limit: peer.download_limit,
        heeds_wants: true,
        ..Config::new(peer_id)
    };
    let rtc = rtc(peer, offered);
    let router = streams.as_ref().and_then(|config| router(peer, config, (port?, dht_port)));
    let (finders, streams) = (BoundFinders { dht, lsd }, streams.zip(bound));
    let net = Net { rtc, streams, finders, router, filter: filter.clone(), proxy };
    let shell = Shell::start(config, seed, net);
    Ok(Started { shell, port, peer_id, filter })
}

/// The proxy to go through, if there is one.
fn proxy(peer: &Peer) -> Result<Option<Proxy>, Failure> {
    let Some(text) = &peer.proxy else { return Ok(None) };
    let proxy = Proxy::read(text).map_err(|e| Failure::input("proxy", format!("--proxy: {e}")))?;
    if peer.speaks(Speaks::Utp) {
        let message = "no proxy carries uTP: leave it out of --transports";
        return Err(Failure::input("proxy", message));
    }
    if peer.speaks(Speaks::Webrtc) {
        let message = "WebRTC goes around the proxy: pages see this machine's addresses";
        eprintln!("warning [proxy]: {message}; leave it out of --transports to hide them");
    }
    eprintln!(
        "note [proxy]: trackers, web seeds and peers over TCP are reached through {proxy}; UDP \
         trackers, the DHT, the local network and peers that dial us are left out"
    );
    Ok(Some(proxy))
}

/// How WebRTC links are made.
fn rtc(peer: &Peer, links_max: usize) -> RtcConfig {
    // Nothing is looked up that nobody uses: a name that is asked for tells who asks.
    let asks = links_max > 0 && peer.stun != "none" && !stays_here(peer);
    let stun = asks.then(|| peer.stun.clone());
    RtcConfig { stun, interfaces: peer.interface.clone(), links_max }
}

/// How streams are made, if they are.
fn streams(peer: &Peer, links_max: usize, proxy: Option<&Proxy>) -> Option<StreamConfig> {
    let mut config = StreamConfig {
        port: peer.port,
        tcp: peer.speaks(Speaks::Tcp),
        utp: peer.speaks(Speaks::Utp),
        encryption: match peer.encryption {
            Hides::Off => Encryption::Off,
            Hides::On => Encryption::On,
            Hides::Required => Encryption::Required,
        },
        proxy: proxy.cloned(),
        links_max,
        ..StreamConfig::default()
    };
    if !peer.interface.is_empty() {
        config.interfaces.clone_from(&peer.interface);
    }
    (config.tcp || config.utp).then_some(config)
}

/// How the DHT is joined, if it is. What stays on this machine has no part in the public one, and
/// no proxy carries its packets.
fn dht(peer: &Peer) -> Option<DhtConfig> {
    let stays = stays_here(peer);
    let v4 = |address: &IpAddr| match address {
        IpAddr::V4(address) => Some(*address),
        IpAddr::V6(_) => None,
    };
    let bind = peer.interface.iter().find_map(v4);
    // The library speaks IPv4 alone.
    let deaf = !peer.interface.is_empty() && bind.is_none();
    let named = !peer.dht_bootstrap.is_empty();
    (!peer.no_dht && peer.proxy.is_none() && !deaf && (named || !stays)).then(|| DhtConfig {
        bootstrap: peer.dht_bootstrap.clone(),
        state: folders::cache().filter(|_| !named).map(|folder| folder.join("dht-nodes")),
        bind,
        port: peer.dht_port,
    })
}

/// The port of the DHT node, if there is to be one.
fn node(peer: &Peer) -> Result<Option<dht::Bound>, Failure> {
    dht(peer).map(dht::Bound::bind).transpose().map_err(|e| no_node(peer, &e))
}

/// The groups of the local network, if it is told of what is here.
fn lsd(peer: &Peer) -> Option<lsd::Bound> {
    if peer.no_lsd || peer.proxy.is_some() || stays_here(peer) {
        return None;
    }
    let config = LsdConfig { interfaces: peer.interface.clone(), ..LsdConfig::default() };
    match lsd::Bound::join(&config) {
        Ok(joined) => Some(joined),
        Err(e) => {
            let message = "peers of the local network are not found; --no-lsd silences this";
            eprintln!("warning [lsd]: {e}: {message}");
            None
        }
    }
}

/// What the router is asked for, if it is: port and, where there is one, that of the DHT node.
fn router(
    peer: &Peer,
    config: &StreamConfig,
    (port, dht): (u16, Option<u16>),
) -> Option<RouterConfig> {
    (!peer.no_port_mapping && !stays_here(peer)).then(|| RouterConfig {
        interfaces: peer.interface.clone(),
        tcp: config.tcp.then_some(port),
        utp: config.utp.then_some(port),
        dht,
    })
}

/// Whether peers are found without a tracker.
pub(crate) fn seeks(peer: &Peer) -> bool {
    streams(peer, 1, None).is_some() && dht(peer).is_some()
}

fn no_node(peer: &Peer, error: &std::io::Error) -> Failure {
    let port = peer.dht_port;
    let message = format!("DHT port {port}: {error}; name another with --dht-port or use --no-dht");
    Failure::failed("listen", message)
}

/// Whether peers are met on this machine alone.
pub(crate) fn stays_here(peer: &Peer) -> bool {
    !peer.interface.is_empty() && peer.interface.iter().all(IpAddr::is_loopback)
}

fn unbound(peer: &Peer, error: &std::io::Error) -> Failure {
    let port = peer.port;
    Failure::failed("listen", format!("port {port}: {error}; name another with --port"))
}

/// A name after BEP 20: `-HW0001-` and twelve random digits.
fn peer_id(seed: &Seed) -> PeerId {
    let mut random = seed.split("peer id");
    let mut id = *b"-HW0001-............";
    for byte in &mut id[8..] {
        *byte = b'0' + random.below(10) as u8;
    }
    PeerId(id)
}

/// Checks trackers before they are used.
pub(crate) fn check_trackers(urls: &[String]) -> Result<(), Failure> {
    let schemes = ["ws://", "wss://", "http://", "https://", "udp://"];
    let usable = |url: &str| schemes.iter().any(|scheme| url.starts_with(scheme));
    match urls.iter().find(|url| !usable(url)) {
        Some(url) => {
            let message =
                format!("tracker {url:?} starts with none of ws:, wss:, http:, https:, udp:");
            Err(Failure::input("bad-tracker", message))
        }
        None => Ok(()),
    }
}

/// Checks web seeds before they are used.
pub(crate) fn check_web_seeds(urls: &[String]) -> Result<(), Failure> {
    match urls.iter().find(|url| headwater_metainfo::web_seed_url(url).is_none()) {
        Some(url) => {
            let message = format!("web seed {url:?} is no address with http: or https:");
            Err(Failure::input("bad-web-seed", message))
        }
        None => Ok(()),
    }
}

/// Listens from here on for Ctrl-C or a polite request to end, and waits for it when polled.
#[cfg(unix)]
pub(crate) fn told() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
    async move {
        let [Ok(mut interrupt), Ok(mut terminate)] = signals else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}

/// Listens for Ctrl-C.
#[cfg(not(unix))]
pub(crate) fn told() -> impl Future<Output = ()> {
    async {
        let _ = tokio::signal::ctrl_c().await;
    }
}

/// A warning as code and sentence; other events are none.
pub(crate) fn warning(event: &Event) -> Option<Value> {
    if let Event::TorrentFailed { error, .. } = event {
        let Failure { code, message, .. } = super::get::failed(error);
        let message =
            format!("a torrent stopped: {message}; mend that and start the command again");
        return Some(json!({ "code": code, "message": message }));
    }
    let Event::Warned { warning, .. } = event else { return None };
    let (code, message) = match warning {
        Warning::Tracker { url, trouble, .. } => match trouble {
            TrackerTrouble::Unreachable(why) => {
                let message = format!("tracker {url} is unreachable and tried again: {why}");
                return Some(
                    json!({ "code": "tracker-unreachable", "tracker": url, "message": message }),
                );
            }
            TrackerTrouble::Refused(why) => {
                ("tracker-refused", format!("tracker {url} refuses and is tried again: {why}"))
            }
            TrackerTrouble::Malformed => (
                "tracker-malformed",
                format!("tracker {url} sent what no tracker sends: check its address"),
            ),
        },
        Warning::PeerBanned { peer, piece } => {
            ("peer-banned", format!("peer {peer} sent wrong data for piece {piece} and is banned"))
        }
        Warning::MetadataFalse { peer } => {
            ("metadata-false", format!("peer {peer} gave metadata of another torrent"))
        }
        Warning::WebSeed { url, trouble } => {
            let code = if trouble.passes() { "web-seed-failing" } else { "web-seed-refused" };
            let message = format!("web seed {url}: {trouble}");
            return Some(json!({ "code": code, "web_seed": url, "message": message }));
        }
        Warning::PieceLost(piece) => {
            ("piece-lost", format!("stored piece {piece} is no longer right and is fetched again"))
        }
        Warning::Twin(_) => {
            let message = "it is added already by its other info-hash: this one is paused";
            ("twin", message.to_owned())
        }
        Warning::LinksUnsupported => {
            let message = "no link can be made on this machine: check that UDP is allowed, and \
                           raise the open-files limit or lower --max-peers";
            ("links-unsupported", message.to_owned())
        }
    };
    Some(json!({ "code": code, "message": message }))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::args::{Cli, Command};
    use super::*;

    /// What a router is asked for by a seed that is started so.
    fn asked(flags: &[&str]) -> Option<RouterConfig> {
        let line = ["headwater", "seed", "film.mp4"].iter().chain(flags);
        let Ok(Cli { command: Command::Seed(seed), .. }) = Cli::try_parse_from(line) else {
            panic!("{flags:?}")
        };
        let config = streams(&seed.peer, 1, None)?;
        router(&seed.peer, &config, (7000, Some(7001)))
    }

    #[test]
    fn no_router_is_asked_where_that_is_not_wanted_or_of_no_use() {
        let all = RouterConfig { tcp: Some(7000), utp: Some(7000), ..RouterConfig::default() };
        let all = RouterConfig { dht: Some(7001), ..all };
        assert_eq!(asked(&[]), Some(all.clone()));
        let interfaces = vec![IpAddr::from([192, 168, 1, 9])];
        let by_one = Some(RouterConfig { interfaces, ..all.clone() });
        assert_eq!(asked(&["--interface", "192.168.1.9"]), by_one);
        let tcp = Some(RouterConfig { utp: None, ..all });
        assert_eq!(asked(&["--transports", "tcp"]), tcp);
        for flags in [
            &["--no-port-mapping"][..],
            &["--interface", "127.0.0.1"],
            &["--interface", "::1", "--interface", "127.0.0.1"],
            &["--transports", "webrtc"],
        ] {
            assert_eq!(asked(flags), None, "{flags:?}");
        }
    }
}
