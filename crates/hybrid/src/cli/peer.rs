//! What `get`, `seed` and `serve` share: a running client by the options, and how it ends.

use headwater_base::{PeerId, Seed};
use headwater_client::{Config, Event, TrackerTrouble, Warning};
use headwater_hybrid::shell::Shell;
use headwater_hybrid::transport::RtcConfig;
use serde_json::{Value, json};

use super::args::Peer;
use super::failure::Failure;

/// Starts a client as the options say.
pub(crate) fn start(peer: &Peer, trackers: Vec<String>) -> Result<Shell, Failure> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|e| Failure::failed("random", e))?;
    let seed = Seed(seed);
    let links_max = usize::from(peer.max_peers.max(1));
    let config = Config {
        trackers,
        links_max,
        links_per_torrent_max: links_max,
        local_web_seeds: peer.local_web_seeds,
        active_downloads_max: peer.active_downloads,
        active_seeds_max: peer.active_seeds,
        upload_limit: peer.upload_limit,
        download_limit: peer.download_limit,
        heeds_wants: true,
        ..Config::new(peer_id(&seed))
    };
    let stun = Some(peer.stun.clone()).filter(|stun| stun != "none");
    Ok(Shell::start(config, seed, &RtcConfig { stun, links_max }))
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
    let usable = |url: &str| ["ws://", "wss://"].iter().any(|scheme| url.starts_with(scheme));
    match urls.iter().find(|url| !usable(url)) {
        Some(url) => {
            let message = format!("tracker {url:?} is no WebSocket (ws: or wss:)");
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

/// Waits for Ctrl-C or a polite request to end.
pub(crate) async fn until_told() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut term) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = term.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
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
