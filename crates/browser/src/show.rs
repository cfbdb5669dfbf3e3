//! What the page is shown, as JSON in the shapes of `www/src/message.ts`.

use headwater_base::{TorrentId, hex};
use headwater_client::{
    Added, Client, CloseReason, Event, PeerView, StoreError, TorrentState, TrackerTrouble,
    TrackerView, Warning, WebSeedView,
};
use headwater_metainfo::{File, Magnet, RawPublication, mime_type, runs_scripts};
use serde::Serialize;

use crate::worker::json;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AddedShown {
    torrent: u32,
    info_hash: String,
    info_hash_v2: Option<String>,
    name: Option<String>,
    metadata: Option<MetadataShown>,
    new: bool,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum EventShown {
    Metadata { metadata: Box<MetadataShown> },
    Done,
    Peer { peer: String, joined: bool, reason: Option<String> },
    Warning { code: &'static str, message: String },
    Error { code: &'static str, message: String },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MetadataShown {
    name: String,
    version: &'static str,
    info_hash_v2: Option<String>,
    length: u64,
    piece_length: u32,
    piece_count: u32,
    private: bool,
    comment: Option<String>,
    magnet: String,
    paid: bool,
    trackers: Vec<String>,
    files: Vec<FileShown>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FileShown {
    path: String,
    length: u64,
    offset: u64,
    pad: bool,
    mime: &'static str,
    runs_scripts: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SnapshotShown {
    state: &'static str,
    wanted: u64,
    wanted_stored: u64,
    downloaded: u64,
    uploaded: u64,
    wasted: u64,
    download_speed: u64,
    upload_speed: u64,
    seeds: usize,
    peers: Vec<PeerShown>,
    trackers: Vec<TrackerShown>,
    web_seeds: Vec<WebSeedShown>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WebSeedShown {
    url: String,
    working: bool,
    trouble: String,
    downloaded: u64,
    download_speed: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PeerShown {
    id: String,
    client: String,
    progress: f64,
    downloaded: u64,
    uploaded: u64,
    download_speed: u64,
    upload_speed: u64,
    choking: bool,
    choked: bool,
    interested: bool,
    interesting: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TrackerShown {
    url: String,
    working: bool,
    trouble: String,
    complete: u32,
    incomplete: u32,
    next_in: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TotalsShown {
    download_speed: u64,
    upload_speed: u64,
    peers: usize,
    links: usize,
}

/// What came of adding.
pub(crate) fn added(client: &Client, added: Added) -> String {
    json(&AddedShown {
        torrent: added.torrent.0,
        info_hash: client.info_hash(added.torrent).map(|it| it.to_string()).unwrap_or_default(),
        info_hash_v2: client.info_hash_v2(added.torrent).map(|it| hex(&it)),
        name: client.metainfo(added.torrent).map(|metainfo| metainfo.name.clone()),
        metadata: metadata(client, added.torrent),
        new: added.new,
    })
}

/// All torrents together.
pub(crate) fn totals(client: &Client) -> String {
    let view = client.view();
    json(&TotalsShown {
        download_speed: view.download_speed,
        upload_speed: view.upload_speed,
        peers: view.peers,
        links: view.links,
    })
}

/// One torrent's figures.
pub(crate) fn snapshot(client: &Client, torrent: TorrentId) -> Option<String> {
    let view = client.torrent_view(torrent)?;
    let pieces = client.metainfo(torrent).map_or(0, |metainfo| metainfo.piece_count());
    let peers = client.peer_views(torrent).into_iter();
    Some(json(&SnapshotShown {
        state: state(view.state),
        wanted: view.wanted.0,
        wanted_stored: view.wanted_stored.0,
        downloaded: view.downloaded.0,
        uploaded: view.uploaded.0,
        wasted: view.wasted.0,
        download_speed: view.download_speed,
        upload_speed: view.upload_speed,
        seeds: view.seeds,
        peers: peers.map(|peer| peer_shown(peer, pieces)).collect(),
        trackers: view.trackers.into_iter().map(tracker_shown).collect(),
        web_seeds: view.web_seeds.into_iter().map(web_seed_shown).collect(),
    }))
}

/// An event that concerns one torrent; readers' events and single pieces are not for pages.
pub(crate) fn event(client: &Client, event: Event) -> Option<(TorrentId, String)> {
    let (torrent, shown) = match event {
        Event::MetadataKnown(torrent) => {
            let metadata = Box::new(metadata(client, torrent)?);
            (torrent, EventShown::Metadata { metadata })
        }
        Event::TorrentDone(torrent) => (torrent, EventShown::Done),
        Event::PeerJoined { torrent, peer, .. } => {
            (torrent, EventShown::Peer { peer: peer.to_string(), joined: true, reason: None })
        }
        Event::PeerLeft { torrent, reason, .. } => (torrent, left(&reason)?),
        Event::Warned { torrent, warning } => {
            let (code, message) = warning_shown(warning);
            (torrent, EventShown::Warning { code, message })
        }
        Event::TorrentFailed { torrent, error } => {
            let message = error.to_string();
            (torrent, EventShown::Error { code: store_code(&error), message })
        }
        Event::TorrentReady(_)
        | Event::PieceStored { .. }
        | Event::ReaderReady { .. }
        | Event::ReaderFailed(_)
        | Event::Pay(_) => return None,
    };
    Some((torrent, json(&shown)))
}

/// The stable name of a store's error.
pub(crate) fn store_code(error: &StoreError) -> &'static str {
    match error {
        StoreError::Full(_) => "storage-full",
        StoreError::Busy(_) => "storage-busy",
        StoreError::Newer(_) => "storage-newer",
        StoreError::Metadata(_) => "broken-torrent",
        StoreError::Io(_) => "storage-failed",
        StoreError::Contradiction(_) => "torrent-contradicts-itself",
    }
}

/// An attempt that never led to a peer is no news to a page.
fn left(reason: &CloseReason) -> Option<EventShown> {
    if matches!(reason, CloseReason::Unreachable) {
        return None;
    }
    let reason = Some(reason.to_string());
    Some(EventShown::Peer { peer: String::new(), joined: false, reason })
}

fn warning_shown(warning: Warning) -> (&'static str, String) {
    match warning {
        Warning::Tracker { url, trouble, .. } => match trouble {
            TrackerTrouble::Unreachable(why) => {
                ("tracker-unreachable", format!("{url} is out of reach: {why}"))
            }
            TrackerTrouble::Refused(why) => ("tracker-refused", format!("{url} refused: {why}")),
            TrackerTrouble::Malformed => {
                ("tracker-malformed", format!("{url} sent what is no tracker message"))
            }
        },
        Warning::PeerBanned { peer, piece } => {
            ("peer-banned", format!("peer {peer} sent wrong data for piece {piece}"))
        }
        Warning::MetadataFalse { peer } => {
            ("metadata-false", format!("peer {peer} sent metadata that does not match"))
        }
        Warning::WebSeed { url, trouble } => {
            let code = if trouble.passes() { "web-seed-failing" } else { "web-seed-refused" };
            (code, format!("web seed {url}: {trouble}"))
        }
        Warning::PieceLost(piece) => {
            ("piece-lost", format!("stored piece {piece} no longer hashes; it is fetched again"))
        }
        Warning::Twin(_) => {
            let message = "it is here already by its other info-hash: this one is paused";
            ("twin", message.to_owned())
        }
        Warning::LinksUnsupported => {
            ("no-webrtc", "this browser cannot make peer connections".to_owned())
        }
    }
}

/// What is known of a torrent's shape. Its magnet link names every tracker in use: whoever follows
/// it must meet us somewhere.
fn metadata(client: &Client, torrent: TorrentId) -> Option<MetadataShown> {
    let metainfo = client.metainfo(torrent)?;
    let view = client.torrent_view(torrent);
    let trackers = view.map_or_else(Vec::new, |view| view.trackers);
    let trackers: Vec<String> = trackers.into_iter().map(|tracker| tracker.url).collect();
    let magnet = Magnet {
        info_hash_v2: metainfo.info_hash_v2,
        name: Some(metainfo.name.clone()),
        trackers: trackers.clone(),
        web_seeds: metainfo.web_seeds.clone(),
        publication: metainfo.publication.clone(),
        ..Magnet::new(metainfo.info_hash)
    };
    Some(MetadataShown {
        name: metainfo.name.clone(),
        version: metainfo.version().name(),
        info_hash_v2: metainfo.info_hash_v2.map(|hash| hex(&hash)),
        length: metainfo.length.0,
        piece_length: metainfo.piece_length,
        piece_count: metainfo.piece_count(),
        private: metainfo.private,
        comment: metainfo.comment.clone(),
        magnet: magnet.to_string(),
        paid: metainfo.publication.as_ref().is_some_and(RawPublication::names_price),
        trackers,
        files: metainfo.files.iter().map(file_shown).collect(),
    })
}

fn file_shown(file: &File) -> FileShown {
    let mime = mime_type(&file.path);
    FileShown {
        mime,
        runs_scripts: runs_scripts(mime),
        path: file.path.clone(),
        length: file.length.0,
        offset: file.offset.0,
        pad: file.pad,
    }
}

fn state(state: TorrentState) -> &'static str {
    match state {
        TorrentState::Resolving => "resolving",
        TorrentState::Checking => "checking",
        TorrentState::Leeching => "leeching",
        TorrentState::Seeding => "seeding",
        TorrentState::Queued => "queued",
        TorrentState::Paused => "paused",
        TorrentState::Failed => "failed",
    }
}

fn peer_shown(peer: PeerView, pieces: u32) -> PeerShown {
    PeerShown {
        id: peer.peer.to_string(),
        client: peer.agent,
        progress: if pieces == 0 { 0.0 } else { f64::from(peer.pieces) / f64::from(pieces) },
        downloaded: peer.downloaded.0,
        uploaded: peer.uploaded.0,
        download_speed: peer.download_speed,
        upload_speed: peer.upload_speed,
        choking: peer.choking_us,
        choked: peer.choked,
        interested: peer.interested,
        interesting: peer.interesting,
    }
}

fn tracker_shown(tracker: TrackerView) -> TrackerShown {
    TrackerShown {
        url: tracker.url,
        working: tracker.working,
        trouble: tracker.trouble,
        complete: tracker.complete,
        incomplete: tracker.incomplete,
        next_in: tracker.next_in,
    }
}

fn web_seed_shown(seed: WebSeedView) -> WebSeedShown {
    WebSeedShown {
        url: seed.url,
        working: seed.working,
        trouble: seed.trouble,
        downloaded: seed.downloaded.0,
        download_speed: seed.download_speed,
    }
}
