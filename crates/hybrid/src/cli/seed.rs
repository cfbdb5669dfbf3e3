//! `headwater seed`: shares files and folders and prints their magnet links.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use headwater_base::{Bitfield, TorrentId};
use headwater_client::AddOptions;
use headwater_hybrid::log::{self, Format};
use headwater_hybrid::router::{Mapping, Status, Trouble};
use headwater_hybrid::serve::{describe, magnet};
use headwater_hybrid::shell::{News, OwnedSource, Place, Shell};
use headwater_hybrid::store::{self, Opening};
use headwater_metainfo::create::Options;
use headwater_metainfo::{Sale, Torrent, Version};
use headwater_objects::{Location, Source};
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tracing_subscriber::filter::LevelFilter;

use super::args::Seed;
use super::content::Content;
use super::create::{defaults, hash};
use super::failure::Failure;
use super::objects::{self, Objects};
use super::paid::{self, Paid};
use super::peer::Started;
use super::publisher::Publisher;
use super::{folders, peer, print, print_line};

/// A torrent whose bytes all lie in `root`, or in an object store.
pub(crate) struct Made {
    root: PathBuf,
    pub(crate) torrent: Arc<Torrent>,
    /// Whether it was hashed just now.
    fresh: bool,
    /// What its key costs, where it is encrypted.
    sale: Option<Sale>,
    source: Option<Arc<Source>>,
}

impl Made {
    /// The same, whose key is sold.
    pub(super) fn sold(self, sale: Sale) -> Self {
        Self { sale: Some(sale), ..self }
    }
}

impl From<Arc<Source>> for Made {
    fn from(source: Arc<Source>) -> Self {
        let torrent = Arc::clone(source.torrent());
        Self { root: PathBuf::new(), torrent, fresh: false, sale: None, source: Some(source) }
    }
}

/// Runs the command.
pub(crate) async fn run(args: Seed, json: bool) -> Result<(), Failure> {
    peer::check_trackers(&args.peer.tracker)?;
    if args.peer.tracker.is_empty() && !peer::seeks(&args.peer) {
        eprintln!("warning [no-tracker]: nobody finds this without --tracker URL");
    }
    let publisher = Publisher::read(&args.publish, args.peer.proxy.as_deref()).await?;
    let paid = Paid::read(&args, publisher.as_ref())?;
    let mut made = make_all(&args, paid.as_ref()).await?;
    for made in &mut made {
        if let Some(publisher) = &publisher {
            publisher.sign(Arc::make_mut(&mut made.torrent), made.sale);
        }
    }
    let Started { shell, port, .. } =
        peer::start(&args.peer, args.peer.tracker.clone(), false).await?;
    if let Some(paid) = paid {
        paid.sell(&shell, made.iter().filter_map(|made| made.sale)).await?;
    }
    let logging = tokio::spawn(log(shell.clone(), shell.news()));
    for made in &made {
        let opening = Opening { verify: args.verify, ..Opening::default() };
        let torrent = share(&shell, made, opening).await?;
        shell.meet(torrent, args.peer.peer.clone()).await?;
        if args.super_seed {
            shell.client(move |client, now| client.super_seed(now, torrent, true)).await?;
        }
        if json {
            let mut told = describe(&made.torrent, &args.peer.tracker);
            told["info_hash"] = json!(made.torrent.info_hash.to_string());
            told["port"] = json!(port);
            print(&told);
        } else {
            print_line(&magnet(&made.torrent, &args.peer.tracker));
        }
    }
    peer::told().await;
    shell.stop().await;
    logging.await.map_err(|e| Failure::failed("stopped", e))
}

/// The torrents of all that is to be shared.
async fn make_all(args: &Seed, paid: Option<&Paid>) -> Result<Vec<Made>, Failure> {
    let version = args.kind.version();
    let given = args.torrent.as_deref().map(given).transpose()?;
    if given.is_some() && args.paths.len() > 1 {
        return Err(Failure::input("torrent", "--torrent says what one path is: give one"));
    }
    if args.paths.iter().any(|path| path.to_str().is_some_and(Location::is_url)) {
        // Stores that are out of reach are told of there.
        log::start(LevelFilter::WARN, Format::Text).map_err(|e| Failure::failed("log", e))?;
    }
    let records = folders::state().map(|state| state.join(objects::RECORDS));
    let objects = Objects { records, proxy: args.peer.proxy.clone() };
    let mut made = Vec::new();
    for path in &args.paths {
        let url = path.to_str().filter(|text| Location::is_url(text));
        made.push(match (url, &given) {
            (Some(url), given) => {
                let location = objects.location(url)?;
                objects.source(location, version, given.clone()).await?.into()
            }
            (None, None) => match paid {
                Some(paid) => paid.make(path, version)?,
                None => make(path, version)?,
            },
            (None, Some(torrent)) => take(path, torrent)?,
        });
    }
    Ok(made)
}

/// The torrent of a file that was made elsewhere.
fn given(file: &Path) -> Result<Arc<Torrent>, Failure> {
    let bytes = std::fs::read(file).map_err(|e| Failure::file(file, &e))?;
    let torrent = Torrent::parse(&bytes).map_err(|e| Failure::input(e.code(), e))?;
    Ok(Arc::new(torrent))
}

/// A path as the content of a torrent that was made elsewhere; it is hashed to see.
fn take(path: &Path, torrent: &Arc<Torrent>) -> Result<Made, Failure> {
    let content = Content::at(path).map_err(|e| Failure::input(e.code(), e))?;
    let content = content.for_version(torrent.version());
    if let Err(why) = content.fits(torrent) {
        return Err(Failure::input("other-content", why));
    }
    Ok(Made {
        root: content.root,
        torrent: Arc::clone(torrent),
        fresh: false,
        sale: None,
        source: None,
    })
}

/// The torrent of a path: one made before, or a new one. Without a version asked for, one made
/// before may be of any, and a new one is of v1.
pub(crate) fn make(path: &Path, version: Option<Version>) -> Result<Made, Failure> {
    let content = Content::at(path).map_err(|e| Failure::input(e.code(), e))?;
    let content = content.for_version(version.unwrap_or_default());
    let root = content.root.clone();
    if let Some(torrent) = content.made_before(version) {
        return Ok(Made {
            root,
            torrent: Arc::new(torrent),
            fresh: false,
            sale: None,
            source: None,
        });
    }
    let options = Options { version: version.unwrap_or_default(), ..defaults() };
    let mut torrent = hash(&content, options)?;
    // Bytes that are hashed anew are the same torrent, and say what they said before.
    let saved = store::saved_torrent(&root, torrent.info_hash);
    torrent.publication = saved.and_then(|saved| saved.publication);
    Ok(Made { root, torrent: Arc::new(torrent), fresh: true, sale: None, source: None })
}

/// Hands a torrent to the client. What was hashed just now is not hashed again.
pub(crate) async fn share(
    shell: &Shell,
    made: &Made,
    opening: Opening,
) -> Result<TorrentId, Failure> {
    let opening = match made.fresh {
        true => {
            let verified = Some(Bitfield::full(made.torrent.piece_count()));
            Opening { verified, verify: false, ..opening }
        }
        false => opening,
    };
    let source = made.source.clone();
    let place = Place { root: made.root.clone(), opening, source, ..Place::default() };
    if made.source.is_none()
        && let Err(e) = store::save_torrent(&made.root, &made.torrent)
    {
        eprintln!("warning [no-records]: {}: {e}; hashed again next time", made.root.display());
    }
    let source = OwnedSource::Torrent(Arc::clone(&made.torrent));
    let added = shell.add(source, AddOptions::default(), place).await?;
    added.map(|added| added.torrent).map_err(|e| Failure::input(e.code(), e))
}

/// Writes what happens to stderr until the client stops.
async fn log(shell: Shell, mut news: Receiver<News>) {
    // A router may have answered before anybody listened.
    let mut stands = shell.router().await.ok().flatten();
    stands.iter().for_each(say_router);
    // Who holds a shell keeps its client from ending.
    drop(shell);
    loop {
        match news.recv().await {
            Ok(News::Client(event)) => {
                if let Some(warning) = peer::warning(&event) {
                    let text = |key: &str| warning[key].as_str().unwrap_or_default().to_owned();
                    eprintln!("warning [{}]: {}", text("code"), text("message"));
                }
            }
            Ok(News::LinkOpened { link, kind }) => eprintln!("link {link} opened over {kind}"),
            Ok(News::LinkClosed { link, received, sent }) => {
                eprintln!("link {link} closed: {sent} bytes sent, {received} bytes received");
            }
            Ok(News::Pay(news)) => paid::tell(&news),
            Ok(News::Moved { .. }) => {}
            Ok(News::Router(status)) if stands.as_ref() == Some(&status) => {}
            Ok(News::Router(status)) => {
                say_router(&status);
                stands = Some(status);
            }
            Err(RecvError::Lagged(missed)) => eprintln!("{missed} messages not shown"),
            Ok(News::Stopped) | Err(RecvError::Closed) => return,
        }
    }
}

/// Says which port leads here, or why none does.
fn say_router(status: &Status) {
    match status {
        Status::Mapped(Mapping { by, listens, .. }) => {
            eprintln!("the router leads peers here from its port {listens} ({by})");
        }
        // Who has none needs none.
        Status::Asking | Status::Unmapped(Trouble::NoRouter) => {}
        Status::Unmapped(why) => eprintln!("no port is mapped: {why}"),
    }
}
