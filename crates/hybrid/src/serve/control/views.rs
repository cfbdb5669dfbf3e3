//! What the owner is shown.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use headwater_base::{InfoHash, TorrentId, hex};
use headwater_client::{Client, PeerView, PieceState, TorrentState, TorrentView};
use headwater_metainfo::Torrent;
use serde_json::{Value, json};

use super::super::Site;
use super::super::kept::{Choice, Kept};
use super::super::library::{Library, Origin};
use super::orders::named;
use super::{Denied, answer};
use crate::bridge::Bridge;
use crate::router::Status;
use crate::shell::Stopped;
use crate::transport::Kind;

/// Peers shown of one torrent: more than it may link with by default.
const PEERS_MAX: usize = 500;

/// `GET /server`.
pub(super) async fn server(State(site): State<Arc<Site>>) -> Result<Response, Denied> {
    Ok(answer(StatusCode::OK, &state(&site).await?))
}

/// `GET /torrents`.
pub(super) async fn torrents(State(site): State<Arc<Site>>) -> Result<Response, Denied> {
    let torrents: Vec<_> = all(&site).await?.into_iter().map(|(_, view)| view).collect();
    Ok(answer(StatusCode::OK, &json!({ "torrents": torrents })))
}

/// `GET /torrents/{hash}`.
pub(super) async fn torrent(
    State(site): State<Arc<Site>>,
    Path(hash): Path<String>,
) -> Result<Response, Denied> {
    let (_, hash) = named(&site, &hash).await?;
    let (id, mut view) = one(&site, hash).await?;
    detail(&site, id, hash, &mut view).await?;
    Ok(answer(StatusCode::OK, &view))
}

/// The server as a whole.
pub(super) async fn state(site: &Site) -> Result<Value, Stopped> {
    let view = site.shell.client(|client, _| client.view()).await?;
    let links = site.shell.totals().await?;
    let router = site.shell.router().await?;
    let tracker = site.tracker.stats().await.unwrap_or_default();
    let control = site.control.as_ref();
    let bridge = site.bridge.as_ref().map(Bridge::stats).map(|stats| {
        json!({
            "torrents": stats.torrents, "joined": stats.joined, "left": stats.left,
            "refused": stats.refused, "cached_bytes": stats.cached_bytes,
            "evicted": stats.evicted,
        })
    });
    Ok(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_seconds": control.map(|control| control.started.elapsed().as_secs()),
        "listen": site.listen.to_string(),
        "peer_port": control.and_then(|control| control.port),
        "port_mapping": router.as_ref().map(shown_router),
        "limits": site.limits(),
        "download_speed": view.download_speed,
        "upload_speed": view.upload_speed,
        "peers": view.peers,
        "links": { "alive": links.alive, "opened": links.opened,
            "received_bytes": links.received, "sent_bytes": links.sent },
        "tracker": { "sockets": tracker.sockets, "swarms": tracker.swarms,
            "peers": tracker.peers, "announces": tracker.announces },
        "bridge": bridge,
        "event_streams": control.map(|control| control.streams.load(Ordering::Relaxed)),
    }))
}

fn shown_router(status: &Status) -> Value {
    let (state, mapping, trouble) = match status {
        Status::Asking => ("asking", None, None),
        Status::Mapped(mapping) => ("mapped", Some(mapping), None),
        Status::Unmapped(why) => ("unmapped", None, Some(why.to_string())),
    };
    json!({
        "state": state, "trouble": trouble,
        "protocol": mapping.map(|mapping| mapping.by.to_string()),
        "peer_port": mapping.map(|mapping| mapping.listens),
        "dht_port": mapping.and_then(|mapping| mapping.dht),
        "address": mapping.and_then(|mapping| mapping.address).map(|ip| ip.to_string()),
    })
}

/// Every torrent, oldest first, by the hash it was added as.
pub(super) async fn all(site: &Site) -> Result<Vec<(InfoHash, Value)>, Stopped> {
    let Some(control) = &site.control else { return Ok(Vec::new()) };
    let looks = site.shell.client(|client, _| {
        let torrents = client.torrents();
        torrents.into_iter().filter_map(|id| Look::at(client, id)).collect::<Vec<_>>()
    });
    let shown = looks.await?.into_iter().map(|look| (look.hash, look.show(&control.library)));
    Ok(shown.collect())
}

/// One torrent by the hash it was added as.
pub(super) async fn one(site: &Site, hash: InfoHash) -> Result<(TorrentId, Value), Denied> {
    let control = site.control.as_ref().ok_or_else(Denied::unknown)?;
    let look = site.shell.client(move |client, _| {
        let torrents = client.torrents();
        let id = torrents.into_iter().find(|&id| client.info_hash(id) == Some(hash))?;
        Look::at(client, id)
    });
    let look = look.await?.ok_or_else(Denied::unknown)?;
    Ok((look.view.torrent, look.show(&control.library)))
}

/// What the client knows of a torrent at one moment.
struct Look {
    hash: InfoHash,
    v2: Option<String>,
    metainfo: Option<Arc<Torrent>>,
    view: TorrentView,
}

impl Look {
    fn at(client: &Client, id: TorrentId) -> Option<Self> {
        let v2 = client.info_hash_v2(id).map(|hash| hex(&hash));
        let (hash, metainfo) = (client.info_hash(id)?, client.metainfo(id));
        Some(Self { hash, v2, metainfo, view: client.torrent_view(id)? })
    }

    fn show(self, library: &Library) -> Value {
        let Self { hash, v2, metainfo, view } = self;
        let kept = library.kept(hash);
        let name = metainfo.as_ref().map(|metainfo| metainfo.name.clone());
        let progress = match view.wanted.0 {
            0 if metainfo.is_none() => 0.0,
            0 => 1.0,
            wanted => view.wanted_stored.0 as f64 / wanted as f64,
        };
        json!({
            "info_hash": hash.to_string(), "info_hash_v2": v2, "name": name.or(named_by(&kept)),
            "origin": origin(library.origin(hash)), "folder": kept.folder,
            "state": state_name(view.state), "error": library.failure(view.torrent)
                .filter(|_| view.state == TorrentState::Failed),
            "length": metainfo.map(|metainfo| metainfo.length.0),
            "wanted_bytes": view.wanted.0, "stored_bytes": view.wanted_stored.0,
            "progress": progress,
            "downloaded_bytes": view.downloaded.0, "uploaded_bytes": view.uploaded.0,
            "wasted_bytes": view.wasted.0,
            "download_speed": view.download_speed, "upload_speed": view.upload_speed,
            "peers": view.peers, "seeds": view.seeds, "limits": kept.limits,
        })
    }
}

/// The name that a magnet link gives.
fn named_by(kept: &Kept) -> Option<String> {
    headwater_metainfo::Magnet::parse(kept.magnet.as_deref()?).ok()?.name
}

/// Adds what only a look at one torrent shows: files, peers, trackers, web seeds.
async fn detail(
    site: &Site,
    id: TorrentId,
    hash: InfoHash,
    view: &mut Value,
) -> Result<(), Denied> {
    let look = site.shell.client(move |client, _| {
        let mut peers = client.peer_views(id);
        peers.truncate(PEERS_MAX);
        (client.torrent_view(id), client.metainfo(id), client.piece_states(id), peers)
    });
    let (torrent, metainfo, pieces, peers) = look.await?;
    let torrent = torrent.ok_or_else(Denied::unknown)?;
    let kinds = site.shell.kinds(peers.iter().map(|peer| peer.link).collect()).await?;
    let chosen = site.control.as_ref().map(|control| control.library.kept(hash).files);
    let count = metainfo.as_ref().map_or(0, |metainfo| metainfo.piece_count());
    let files = metainfo.map(|metainfo| files(&metainfo, &pieces, &chosen.unwrap_or_default()));
    view["files"] = json!(files);
    view["pieces"] = json!(count);
    let peers = peers.iter().zip(kinds).map(|(peer, kind)| shown_peer(peer, kind, count));
    view["peer_list"] = peers.collect();
    let trackers = torrent.trackers.iter().map(|tracker| {
        json!({ "url": tracker.url, "working": tracker.working, "trouble": tracker.trouble,
            "complete": tracker.complete, "incomplete": tracker.incomplete,
            "next_in_seconds": tracker.next_in })
    });
    view["trackers"] = trackers.collect();
    let seeds = torrent.web_seeds.iter().map(|seed| {
        json!({ "url": seed.url, "working": seed.working, "trouble": seed.trouble,
            "downloaded_bytes": seed.downloaded.0, "download_speed": seed.download_speed })
    });
    view["web_seeds"] = seeds.collect();
    Ok(())
}

/// Every file, padding apart. Progress counts pieces that are stored whole.
fn files(torrent: &Torrent, pieces: &[PieceState], chosen: &[Choice]) -> Vec<Value> {
    let stored = |piece: u32| pieces.get(piece as usize) == Some(&PieceState::Stored);
    let files = torrent.files.iter().enumerate().filter(|(_, file)| !file.pad);
    let show = |(index, file): (usize, &headwater_metainfo::File)| {
        let range = torrent.file_pieces(index);
        let (all, done) = (range.clone().count(), range.filter(|piece| stored(*piece)).count());
        let progress = if all == 0 { 1.0 } else { done as f64 / all as f64 };
        json!({ "index": index, "path": file.path, "length": file.length.0,
            "progress": progress, "choice": chosen.get(index).copied().unwrap_or_default() })
    };
    files.map(show).collect()
}

fn shown_peer(peer: &PeerView, kind: Option<Kind>, pieces: u32) -> Value {
    let progress = f64::from(peer.pieces) / f64::from(pieces.max(1));
    json!({
        "client": peer.agent, "transport": kind.map(|kind| kind.to_string()),
        "address": peer.from.map(|address| address.to_string()),
        "progress": progress,
        "downloaded_bytes": peer.downloaded.0, "uploaded_bytes": peer.uploaded.0,
        "download_speed": peer.download_speed, "upload_speed": peer.upload_speed,
        "choking_us": peer.choking_us, "choked": peer.choked,
        "interested": peer.interested, "interesting": peer.interesting,
    })
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Folder => "folder",
        Origin::Added => "added",
        Origin::Bridge => "bridge",
    }
}

fn state_name(state: TorrentState) -> &'static str {
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
