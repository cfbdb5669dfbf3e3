//! `headwater get`: downloads a torrent, shows how it goes, ends when everything is there.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use headwater_base::{InfoHash, TorrentId};
use headwater_client::{AddOptions, Event, StoreError, TorrentState, TorrentView};
use headwater_hybrid::shell::{News, OwnedSource, Place, Shell, Stopped};
use headwater_hybrid::store;
use headwater_metainfo::{Magnet, Torrent};
use indicatif::{HumanBytes, ProgressBar};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use super::args::Get;
use super::create::style;
use super::failure::Failure;
use super::peer::Started;
use super::publisher::Told;
use super::show::{bytes, refused};
use super::{deliver, is_magnet, peer, print, print_line};

/// What is said when somebody ends it early.
const UNDONE: &str = "stopped before it was done; run the same command again to go on";

/// Time between two looks at how it goes.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How many looks make a line of JSON.
const LOOKS_PER_LINE: u32 = 4;

/// Runs the command.
pub(crate) async fn run(args: Get, json: bool) -> Result<(), Failure> {
    peer::check_trackers(&args.peer.tracker)?;
    peer::check_web_seeds(&args.web_seed)?;
    let folder = Folder::of(&args, json)?;
    let (source, trackers) = read(&args, &folder.path)?;
    let Started { shell, .. } = peer::start(&args.peer, Vec::new(), false).await?;
    let mut news = shell.news();
    let finished = args.disk.finished.clone();
    let (root, opening) = (folder.path.clone(), args.disk.opening());
    let place = Place { root, finished, opening, source: None };
    let options = AddOptions {
        trackers,
        web_seeds: args.web_seed.clone(),
        sequential: args.sequential,
        files: args.files.as_ref().map(|files| files.to_vec()),
        ..AddOptions::default()
    };
    let price = price(&args, &source);
    let is_resumed = is_magnet(&args.source) && matches!(source, OwnedSource::Torrent(_));
    let added = shell.add(source, options, place.clone()).await?;
    let added = added.map_err(|e| Failure::input(e.code(), e))?;
    if is_resumed {
        // What was kept of the metadata names no web seeds; the link may.
        let link = OwnedSource::Text(args.source.trim().to_owned());
        let _ = shell.add(link, AddOptions::default(), place).await?;
    }
    shell.meet(added.torrent, args.peer.peer.clone()).await?;
    let mut watch = Watch::new(json, added.torrent);
    if let Some(price) = price {
        let message = format!(
            "the content is encrypted: it can be fetched and shared, and not be read without its \
             key, which costs {price}; open the link in the web app, which buys it with a wallet"
        );
        watch.warn(&json!({ "code": "encrypted", "message": message, "price": price }));
    }
    let mut result = tokio::select! {
        result = fetch(&args, &shell, &mut watch, &mut news) => result,
        () = peer::told() => match args.stream {
            Some(_) => Ok(()),
            None => Err(Failure::failed("stopped", UNDONE)),
        },
    };
    watch.bar.finish_and_clear();
    if result.is_ok() && !folder.is_temporary && args.stream.is_none() {
        result = finish(&args, &shell, &watch).await;
    }
    shell.stop().await;
    result
}

/// What the key of the content costs, where the publisher signed that it is encrypted.
fn price(args: &Get, source: &OwnedSource) -> Option<String> {
    let told = match source {
        OwnedSource::Torrent(torrent) => {
            torrent.publication.as_ref().map(|said| Told::of(said, &(&**torrent).into()))
        }
        OwnedSource::Text(_) => None,
    };
    let link = || {
        let magnet = Magnet::parse(args.source.trim()).ok()?;
        magnet.publication.as_ref().map(|said| Told::of(said, &(&magnet).into()))
    };
    told.or_else(link)?.price()
}

/// Moves what is done to where it is to be, says where that is, and shares it from there.
async fn finish(args: &Get, shell: &Shell, watch: &Watch) -> Result<(), Failure> {
    let moved = shell.finish(watch.torrent).await?;
    let moved = moved.map_err(|e| Failure::failed("not-moved", e));
    if let Err(Failure { code, message, .. }) = &moved {
        watch.warn(&json!({ "code": code, "message": message }));
    }
    let root = args.disk.finished.as_ref().filter(|_| moved.is_ok()).unwrap_or(&args.output);
    done(shell, watch.torrent, root, watch.json).await?;
    tokio::select! {
        result = share(args, shell, watch.torrent) => result?,
        () = peer::told() => {}
    }
    moved
}

/// Fetches what is wanted, or hands on what comes for as long as somebody takes it.
async fn fetch(
    args: &Get,
    shell: &Shell,
    watch: &mut Watch,
    news: &mut tokio::sync::broadcast::Receiver<News>,
) -> Result<(), Failure> {
    let (torrent, json) = (watch.torrent, watch.json);
    let hand_on = async {
        match args.stream {
            Some(listen) => deliver::over_http(shell, torrent, listen, json).await,
            None => {
                let metainfo = deliver::metainfo(shell, torrent).await?;
                let file = deliver::only_file(&metainfo, args.files.as_ref())?;
                deliver::to_stdout(shell, torrent, metainfo, file).await
            }
        }
    };
    if args.stream.is_none() && !is_stdout(args) {
        return watch.until_done(shell, news).await;
    }
    let watching = async {
        watch.until_done(shell, news).await?;
        watch.bar.finish_and_clear();
        std::future::pending().await
    };
    tokio::select! {
        result = hand_on => result,
        result = watching => result,
    }
}

/// Shares what was fetched, for as long as that was asked for.
async fn share(args: &Get, shell: &Shell, torrent: TorrentId) -> Result<(), Failure> {
    let Some(ratio) = args.seed_ratio else {
        if args.seed {
            std::future::pending::<()>().await;
        }
        return Ok(());
    };
    let mut look = tokio::time::interval(LOOK_EVERY);
    loop {
        look.tick().await;
        let view = shell.client(move |client, _| client.torrent_view(torrent)).await?;
        let Some(view) = view else { return Ok(()) };
        // Who had all of it before fetched nothing: then it counts from what there is.
        let fetched = if view.downloaded.0 > 0 { view.downloaded } else { view.wanted_stored };
        if view.uploaded.0 as f64 >= fetched.0 as f64 * ratio {
            return Ok(());
        }
    }
}

fn is_stdout(args: &Get) -> bool {
    args.output == Path::new("-")
}

/// Where a torrent's bytes lie.
struct Folder {
    path: PathBuf,
    /// It goes when the command ends.
    is_temporary: bool,
}

impl Folder {
    fn of(args: &Get, json: bool) -> Result<Self, Failure> {
        let is_temporary = is_stdout(args);
        if is_temporary && args.disk.finished.is_some() {
            let message = "what goes to stdout is not kept: leave --finished out";
            return Err(Failure::input("stdout", message));
        }
        if is_temporary && (json || args.stream.is_some()) {
            let message = "stdout takes the file or JSON, not both: leave --json and --stream out";
            return Err(Failure::input("stdout", message));
        }
        let path = match is_temporary {
            true => env::temp_dir().join(format!("headwater-{}", std::process::id())),
            false => args.output.clone(),
        };
        fs::create_dir_all(&path).map_err(|e| Failure::file(&path, &e))?;
        Ok(Self { path, is_temporary })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.is_temporary {
            // What cannot be deleted now, the system clears away.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Reads the source and takes what an earlier run kept of its metadata.
fn read(args: &Get, folder: &Path) -> Result<(OwnedSource, Vec<String>), Failure> {
    let mut trackers = args.peer.tracker.clone();
    let text = args.source.trim();
    let v2 = || headwater_base::unhex(text)?.try_into().ok();
    let hash = InfoHash::from_hex(text).or_else(|| v2().as_ref().map(InfoHash::cut));
    let hash = hash.filter(|_| !Path::new(text).exists());
    let hash = if is_magnet(text) {
        let magnet = Magnet::parse(text).map_err(|e| refused(&e))?;
        trackers.extend(magnet.trackers.iter().cloned());
        Some(magnet.info_hash)
    } else {
        hash
    };
    let torrent = match hash {
        Some(hash) => {
            let homes = [Some(folder), args.disk.finished.as_deref()];
            homes.into_iter().flatten().find_map(|home| store::saved_torrent(home, hash))
        }
        None => Some(Torrent::parse(&bytes(Path::new(text))?).map_err(|e| refused(&e))?),
    };
    let known = torrent.as_ref().map(|torrent| torrent.trackers.concat()).unwrap_or_default();
    let seeds = torrent.as_ref().is_some_and(|torrent| !torrent.web_seeds.is_empty());
    let nobody = trackers.is_empty() && known.is_empty() && args.peer.peer.is_empty();
    let alone = nobody && !seeds && args.web_seed.is_empty();
    if alone && !peer::seeks(&args.peer) {
        eprintln!("warning [no-tracker]: it names no tracker; give one with --tracker URL");
    }
    let source = match torrent {
        Some(torrent) => OwnedSource::Torrent(Arc::new(torrent)),
        None => OwnedSource::Text(text.to_owned()),
    };
    Ok((source, trackers))
}

/// Shows how a download goes.
struct Watch {
    json: bool,
    torrent: TorrentId,
    bar: ProgressBar,
    looks: u32,
}

impl Watch {
    fn new(json: bool, torrent: TorrentId) -> Self {
        let bar = if json { ProgressBar::hidden() } else { ProgressBar::new(0) };
        bar.set_style(style("{wide_msg} {bar:24} {bytes}/{total_bytes} {percent}%"));
        Self { json, torrent, bar, looks: 0 }
    }

    async fn until_done(
        &mut self,
        shell: &Shell,
        news: &mut tokio::sync::broadcast::Receiver<News>,
    ) -> Result<(), Failure> {
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                heard = news.recv() => match heard {
                    Ok(News::Client(event)) => {
                        if self.hear(&event)? {
                            return Ok(());
                        }
                    }
                    Ok(
                        News::LinkOpened { .. }
                        | News::LinkClosed { .. }
                        | News::Moved { .. }
                        | News::Router(_)
                        | News::Pay(_),
                    ) => {}
                    // What was missed shows at the next look.
                    Err(RecvError::Lagged(_)) => {}
                    Ok(News::Stopped) | Err(RecvError::Closed) => return Err(Stopped.into()),
                },
                _ = look.tick() => {
                    let id = self.torrent;
                    if let Some(view) = shell.client(move |c, _| c.torrent_view(id)).await? {
                        if view.state == TorrentState::Seeding {
                            return Ok(());
                        }
                        if view.state == TorrentState::Failed {
                            let message = "the torrent stopped; run the same command again";
                            return Err(Failure::failed("store-io", message));
                        }
                        self.show(&view);
                    }
                }
            }
        }
    }

    /// Takes note of an event and tells whether everything is there.
    fn hear(&self, event: &Event) -> Result<bool, Failure> {
        if let Event::TorrentFailed { torrent, error } = event
            && *torrent == self.torrent
        {
            return Err(failed(error));
        }
        self.tell(event);
        Ok(*event == Event::TorrentDone(self.torrent))
    }

    fn tell(&self, event: &Event) {
        if let Some(warning) = peer::warning(event) {
            self.warn(&warning);
        }
    }

    fn warn(&self, warning: &Value) {
        if self.json {
            let mut warning = warning.clone();
            warning["event"] = json!("warning");
            print(&warning);
        } else {
            let text = |key: &str| warning[key].as_str().unwrap_or_default().to_owned();
            self.bar.suspend(|| eprintln!("warning [{}]: {}", text("code"), text("message")));
        }
    }

    fn show(&mut self, view: &TorrentView) {
        self.bar.set_length(view.wanted.0);
        self.bar.set_position(view.wanted_stored.0);
        self.bar.set_message(sentence(view));
        if self.json && self.looks.is_multiple_of(LOOKS_PER_LINE) {
            print(&progress(view));
        }
        self.looks += 1;
    }
}

fn sentence(view: &TorrentView) -> String {
    let peers = view.peers;
    match view.state {
        TorrentState::Resolving => format!("asking {peers} peers what it is"),
        TorrentState::Checking => "checking what is there".to_owned(),
        TorrentState::Leeching => {
            let (down, up) = (HumanBytes(view.download_speed), HumanBytes(view.upload_speed));
            format!("{peers} peers, {down}/s in, {up}/s out")
        }
        TorrentState::Seeding => format!("sharing with {peers} peers"),
        TorrentState::Queued => "waiting for its turn".to_owned(),
        TorrentState::Paused => "paused".to_owned(),
        TorrentState::Failed => "failed".to_owned(),
    }
}

fn progress(view: &TorrentView) -> Value {
    json!({
        "event": "progress",
        "state": format!("{:?}", view.state).to_lowercase(),
        "wanted": view.wanted.0,
        "stored": view.wanted_stored.0,
        "downloaded": view.downloaded.0,
        "uploaded": view.uploaded.0,
        "wasted": view.wasted.0,
        "download_speed": view.download_speed,
        "upload_speed": view.upload_speed,
        "peers": view.peers,
        "addresses_known": view.addresses_known,
    })
}

pub(super) fn failed(error: &StoreError) -> Failure {
    let code = match error {
        StoreError::Full(_) => "store-full",
        StoreError::Busy(_) => "store-busy",
        StoreError::Newer(_) => "store-newer",
        StoreError::Metadata(_) => "broken-torrent",
        StoreError::Io(_) => "store-io",
        StoreError::Contradiction(_) => "torrent-contradicts-itself",
    };
    Failure::failed(code, error)
}

/// Says where every file is.
async fn done(shell: &Shell, id: TorrentId, root: &Path, json: bool) -> Result<(), Failure> {
    let Some(torrent) = shell.client(move |c, _| c.metainfo(id)).await? else { return Ok(()) };
    let uploaded = shell.client(move |c, _| c.torrent_view(id)).await?;
    let files = torrent.files.iter().enumerate().filter(|(_, file)| !file.pad);
    let files = files.filter_map(|(i, f)| Some((root.join(torrent.stored_path(i)?), f.length.0)));
    if json {
        let files: Vec<_> = files
            .map(|(path, length)| json!({ "path": path.display().to_string(), "length": length }))
            .collect();
        let hash = torrent.info_hash.to_string();
        let (down, wasted) = uploaded.map_or((0, 0), |view| (view.downloaded.0, view.wasted.0));
        print(&json!({
            "event": "done", "name": torrent.name, "info_hash": hash, "length": torrent.length.0,
            "downloaded": down, "wasted": wasted, "files": files,
        }));
    } else {
        for (path, _) in files {
            print_line(&path.display().to_string());
        }
    }
    Ok(())
}
