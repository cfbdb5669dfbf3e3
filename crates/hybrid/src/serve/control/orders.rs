//! What the owner has the server do.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use headwater_base::{InfoHash, TorrentId};
use headwater_metainfo::{Magnet, Torrent};
use serde::{Deserialize, Deserializer};
use serde_json::json;
use url::form_urlencoded;

use super::super::Site;
use super::super::kept::{Choice, Limits};
use super::super::library::{Origin, priorities};
use super::{Body, Control, Denied, answer, body, kind, read, views};
use crate::shell::OwnedSource;

/// Choices of files in one request: more files than a torrent may have.
const FILES_MAX: usize = 1 << 20;

/// A torrent to add, with its options; for a torrent file these stand in the query.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Add {
    magnet: String,
    folder: String,
    paused: bool,
}

/// Changes of one torrent; what is left out stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    paused: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    upload_limit: Option<Option<u64>>,
    #[serde(default, deserialize_with = "given")]
    download_limit: Option<Option<u64>>,
    files: Option<Vec<Choice>>,
    #[serde(default)]
    verify: bool,
}

/// Changes of the limits of all torrents together; what is left out stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Limit {
    #[serde(default, deserialize_with = "given")]
    upload_limit: Option<Option<u64>>,
    #[serde(default, deserialize_with = "given")]
    download_limit: Option<Option<u64>>,
}

/// Tells `null`, which lifts a limit, from a field that was left out.
fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<u64>>, D::Error> {
    Option::<u64>::deserialize(from).map(Some)
}

/// `POST /torrents`.
pub(super) async fn add(
    State(site): State<Arc<Site>>,
    request: Request,
) -> Result<Response, Denied> {
    let control = control(&site)?;
    let (source, add) = if kind(request.headers()) == Some(Body::Torrent) {
        let add = query(request.uri().query().unwrap_or_default())?;
        let torrent = Torrent::parse(&body(request).await?).map_err(|e| refused(&e))?;
        (OwnedSource::Torrent(Arc::new(torrent)), add)
    } else {
        let add: Add = read(request).await?;
        // A file of this machine is no source: whoever has the token need not have its files.
        Magnet::parse(&add.magnet).map_err(|e| refused(&e))?;
        (OwnedSource::Text(add.magnet.clone()), add)
    };
    let hash = control.library.add(source, &add.folder, add.paused).await?;
    let (_, view) = views::one(&site, hash).await?;
    Ok(answer(StatusCode::CREATED, &view))
}

fn refused(error: &headwater_metainfo::Error) -> Denied {
    Denied::new(StatusCode::UNPROCESSABLE_ENTITY, error.code(), error.to_string())
}

fn query(text: &str) -> Result<Add, Denied> {
    let mut add = Add::default();
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        match &*name {
            "folder" => add.folder = value.into_owned(),
            "paused" => add.paused = yes(&value)?,
            _ => return Err(Denied::bad(format!("{name:?} is none of folder and paused"))),
        }
    }
    Ok(add)
}

fn yes(value: &str) -> Result<bool, Denied> {
    value.parse().map_err(|_| Denied::bad(format!("{value:?} is neither true nor false")))
}

/// `DELETE /torrents/{hash}`.
pub(super) async fn remove(
    State(site): State<Arc<Site>>,
    Path(hash): Path<String>,
    request: Request,
) -> Result<Response, Denied> {
    let control = control(&site)?;
    let mut data = false;
    let query = request.uri().query().unwrap_or_default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "data" => data = yes(&value)?,
            _ => return Err(Denied::bad(format!("{name:?} is not data"))),
        }
    }
    let (id, hash) = own(&site, control, &hash).await?;
    control.library.remove(id, hash, data).await?;
    site.forget(hash);
    Ok(answer(StatusCode::OK, &json!({ "removed": hash.to_string() })))
}

/// `PATCH /torrents/{hash}`.
pub(super) async fn change(
    State(site): State<Arc<Site>>,
    Path(hash): Path<String>,
    request: Request,
) -> Result<Response, Denied> {
    let control = control(&site)?;
    let change: Change = read(request).await?;
    let (id, hash) = own(&site, control, &hash).await?;
    let mut kept = control.library.kept(hash);
    set(&mut kept.limits, change.upload_limit, change.download_limit)?;
    if let Some(files) = change.files {
        check_files(&site, id, &files).await?;
        kept.files = files;
    }
    kept.paused = change.paused.unwrap_or(kept.paused);
    let now_kept = kept.clone();
    control.library.choose(hash, move |kept| *kept = now_kept)?;
    let files = priorities(&kept.files);
    site.shell
        .client(move |client, now| {
            client.set_torrent_limits(now, id, kept.limits.upload, kept.limits.download);
            if !files.is_empty() {
                client.choose_files(now, id, files);
            }
            if change.verify {
                client.verify(now, id);
            }
            match change.paused {
                Some(true) => client.pause(now, id),
                Some(false) => client.resume(now, id),
                None => {}
            }
        })
        .await?;
    let (_, view) = views::one(&site, hash).await?;
    Ok(answer(StatusCode::OK, &view))
}

/// Checks that choices are as many as there are files, where that is known.
async fn check_files(site: &Site, id: TorrentId, files: &[Choice]) -> Result<(), Denied> {
    let metainfo = site.shell.client(move |client, _| client.metainfo(id)).await?;
    let most = metainfo.map_or(FILES_MAX, |metainfo| metainfo.files.len());
    if files.len() > most {
        return Err(Denied::bad(format!("{} choices for {most} files", files.len())));
    }
    Ok(())
}

/// `PATCH /limits`.
pub(super) async fn limit(
    State(site): State<Arc<Site>>,
    request: Request,
) -> Result<Response, Denied> {
    let control = control(&site)?;
    let change: Limit = read(request).await?;
    let mut limits = site.limits();
    set(&mut limits, change.upload_limit, change.download_limit)?;
    control.library.choose_limits(limits)?;
    site.limit(limits).await?;
    Ok(answer(StatusCode::OK, &json!(limits)))
}

fn set(
    limits: &mut Limits,
    upload: Option<Option<u64>>,
    download: Option<Option<u64>>,
) -> Result<(), Denied> {
    if [upload, download].contains(&Some(Some(0))) {
        return Err(Denied::bad("a limit of 0 lets nothing through: pause instead, or give null"));
    }
    limits.upload = upload.unwrap_or(limits.upload);
    limits.download = download.unwrap_or(limits.download);
    Ok(())
}

/// The torrent of a path, which is the owner's and not a guest of the bridge.
async fn own(site: &Site, control: &Control, hash: &str) -> Result<(TorrentId, InfoHash), Denied> {
    let (id, hash) = named(site, hash).await?;
    if control.library.origin(hash) == Origin::Bridge {
        let why = "a bridged torrent comes and goes by itself";
        return Err(Denied::new(StatusCode::CONFLICT, "bridged", why));
    }
    Ok((id, hash))
}

/// The torrent of a path, and the hash it was added as.
pub(super) async fn named(site: &Site, hash: &str) -> Result<(TorrentId, InfoHash), Denied> {
    let hash = InfoHash::from_hex(hash).ok_or_else(Denied::unknown)?;
    site.shell
        .client(move |client, _| {
            let id = client.find(hash)?;
            Some((id, client.info_hash(id)?))
        })
        .await?
        .ok_or_else(Denied::unknown)
}

fn control(site: &Site) -> Result<&Control, Denied> {
    site.control.as_ref().ok_or_else(Denied::unknown)
}
