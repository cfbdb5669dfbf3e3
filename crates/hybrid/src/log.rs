//! What the server writes about itself, as structured events. Addresses, peer ids and the paths of
//! tracker URLs, which may hold passkeys, are left out unless somebody asks for them.

mod pay;

use std::io;

use headwater_base::TorrentId;
use headwater_client::{Client, Event, TrackerTrouble, Warning, WebSeedTrouble};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tracing::{debug, error, info, warn};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};
use url::Url;

use crate::router::{Mapping, Status, Trouble};
use crate::shell::{News, Shell, Stopped};

/// How events are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A line for a person.
    Text,
    /// A JSON object a line.
    Json,
}

/// Writes events of our own crates to stderr from here on, those of `level` and worse. What other
/// crates say is left out: it is full of addresses.
pub fn start(level: LevelFilter, format: Format) -> Result<(), TryInitError> {
    let ours = Targets::new().with_target("headwater", level);
    let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_target(false);
    let layer = match format {
        Format::Text => layer.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).boxed(),
        Format::Json => layer.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry().with(layer.with_filter(ours)).try_init()
}

/// Writes what happens until the client stops. With `addresses` it names whom it happens with.
pub async fn follow(shell: Shell, mut news: Receiver<News>, addresses: bool) {
    // A router may have answered before anybody listened.
    let mut stands = shell.router().await.ok().flatten();
    stands.iter().for_each(|status| router(status, addresses));
    loop {
        match news.recv().await {
            Ok(News::Client(event)) => {
                if tell(&shell, &event, addresses).await.is_err() {
                    return;
                }
            }
            Ok(News::LinkOpened { link, kind }) => {
                debug!(link = link.0, transport = %kind, "link opened");
            }
            Ok(News::LinkClosed { link, received, sent }) => {
                debug!(link = link.0, received, sent, "link closed");
            }
            Ok(News::Moved { torrent, result }) => {
                let Ok((torrent, name)) = known(&shell, torrent).await else { return };
                match result {
                    Ok(to) => info!(torrent, name, to = %to.display(), "torrent moved"),
                    Err(why) => warn!(torrent, name, %why, "torrent not moved"),
                }
            }
            Ok(News::Router(status)) if stands.as_ref() == Some(&status) => {}
            Ok(News::Router(status)) => {
                router(&status, addresses);
                stands = Some(status);
            }
            Ok(News::Pay(news)) => pay::tell(&news),
            Err(RecvError::Lagged(missed)) => warn!(missed, "events not logged"),
            Ok(News::Stopped) | Err(RecvError::Closed) => return,
        }
    }
}

async fn tell(shell: &Shell, event: &Event, addresses: bool) -> Result<(), Stopped> {
    match event {
        Event::MetadataKnown(torrent) => {
            let (torrent, name) = known(shell, *torrent).await?;
            info!(torrent, name, "metadata known");
        }
        Event::TorrentReady(torrent) => {
            let (torrent, name) = known(shell, *torrent).await?;
            info!(torrent, name, "torrent ready");
        }
        Event::TorrentDone(torrent) => {
            let (torrent, name) = known(shell, *torrent).await?;
            info!(torrent, name, "torrent done");
        }
        Event::TorrentFailed { torrent, error } => {
            let (torrent, name) = known(shell, *torrent).await?;
            error!(torrent, name, %error, "torrent failed");
        }
        Event::PeerLeft { link, reason, .. } => {
            let reason = addresses.then(|| reason.to_string());
            debug!(link = link.0, reason, "peer left");
        }
        Event::Warned { torrent, warning } => {
            let (torrent, _) = known(shell, *torrent).await?;
            warned(&torrent, warning, addresses);
        }
        Event::PieceStored { .. }
        | Event::ReaderReady { .. }
        | Event::ReaderFailed(_)
        | Event::PeerJoined { .. }
        | Event::Pay(_) => {}
    }
    Ok(())
}

fn router(status: &Status, addresses: bool) {
    match status {
        Status::Asking => {}
        Status::Mapped(Mapping { by, listens, dht, address, .. }) => {
            let address = address.filter(|_| addresses).map(|address| address.to_string());
            info!(%by, port = listens, dht_port = dht, address, "the router leads peers here");
        }
        // A server in a data centre has none, and needs none.
        Status::Unmapped(why @ Trouble::NoRouter) => debug!(%why, "no port is mapped"),
        // In its own words, which may name an address.
        Status::Unmapped(Trouble::Refused(_)) if !addresses => {
            info!(why = "the router refuses", "no port is mapped");
        }
        Status::Unmapped(why) => info!(%why, "no port is mapped"),
    }
}

/// The info-hash and the name of a torrent.
async fn known(shell: &Shell, torrent: TorrentId) -> Result<(String, String), Stopped> {
    let look = move |client: &mut Client, _| {
        let hash = client.info_hash(torrent).map(|hash| hash.to_string());
        let name = client.metainfo(torrent).map(|metainfo| metainfo.name.clone());
        (hash.unwrap_or_default(), tame(&name.unwrap_or_default()))
    };
    shell.client(look).await
}

/// Text of strangers without what steers a terminal.
pub(crate) fn tame(text: &str) -> String {
    text.replace(|c: char| c.is_control(), "\u{fffd}")
}

fn warned(torrent: &str, warning: &Warning, addresses: bool) {
    match warning {
        Warning::Tracker { url, trouble, .. } => {
            let (trouble, why) = match trouble {
                TrackerTrouble::Unreachable(why) => ("unreachable", why.as_str()),
                TrackerTrouble::Refused(why) => ("refuses", why.as_str()),
                TrackerTrouble::Malformed => ("malformed", ""),
            };
            let why = addresses.then(|| tame(why));
            warn!(torrent, tracker = place(url, addresses), trouble, why, "tracker trouble");
        }
        Warning::PeerBanned { peer, piece } => {
            let peer = addresses.then(|| peer.to_string());
            warn!(torrent, piece = piece.0, peer, "peer banned");
        }
        Warning::MetadataFalse { peer } => {
            let peer = addresses.then(|| peer.to_string());
            warn!(torrent, peer, "false metadata");
        }
        Warning::WebSeed { url, trouble } => {
            let passes = WebSeedTrouble::passes(trouble);
            let why = addresses.then(|| tame(&trouble.to_string()));
            warn!(torrent, web_seed = place(url, addresses), passes, why, "web seed trouble");
        }
        Warning::PieceLost(piece) => warn!(torrent, piece = piece.0, "stored piece lost"),
        Warning::Twin(_) => warn!(torrent, "paused: it is here by its other info-hash"),
        Warning::LinksUnsupported => {
            error!("no link can be made here: is UDP allowed, and the open-files limit enough?");
        }
    }
}

/// What a URL says of where it leads: all of it, or its scheme and the name of its host.
fn place(url: &str, addresses: bool) -> String {
    if addresses {
        return tame(url);
    }
    let Ok(url) = Url::parse(url) else { return "unreadable".to_owned() };
    let host = match url.host() {
        Some(url::Host::Domain(name)) => name.to_owned(),
        Some(url::Host::Ipv4(_) | url::Host::Ipv6(_)) | None => "address".to_owned(),
    };
    format!("{}://{host}", url.scheme())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_shows_neither_passkey_nor_address() {
        let url = "wss://user:word@tracker.example:7/a/passkey?key=1";
        assert_eq!(place(url, false), "wss://tracker.example");
        assert_eq!(place("ws://192.0.2.7:1/x", false), "ws://address");
        assert_eq!(place("ws://[2001:db8::1]/x", false), "ws://address");
        assert_eq!(place("ws://192.0.2.7:1/x", true), "ws://192.0.2.7:1/x");
    }
}
