//! What `serve` shares from its start on: what lies in its folder and in object stores.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use headwater_hybrid::serve::{Library, Site};
use headwater_hybrid::shell::Shell;
use headwater_hybrid::store::Opening;
use headwater_objects::Location;
use tokio::time::sleep;
use tracing::{info, warn};

use super::args::Serve;
use super::failure::Failure;
use super::objects::Objects;
use super::owner;
use super::seed::{self, Made};

/// Wait before an object store that is out of reach is asked again; it doubles each time.
const AGAIN_MIN: Duration = Duration::from_secs(5);

/// Longest such wait.
const AGAIN_MAX: Duration = Duration::from_secs(300);

/// What lies in the folder, by name without regard to case. What is done is kept apart, since
/// those are torrents that were added.
fn entries(folder: &Path, finished: Option<&Path>) -> Result<Vec<PathBuf>, Failure> {
    let finished = finished.and_then(|finished| finished.canonicalize().ok());
    let unreadable = |e| Failure::input("unreadable", format!("{}: {e}", folder.display()));
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        let link = entry.file_type().map_err(unreadable)?.is_symlink();
        let apart = finished.is_some() && entry.path().canonicalize().ok() == finished;
        if !hidden && !link && !apart {
            entries.push(entry.path());
        }
    }
    entries.sort_by_key(|path| path.to_string_lossy().to_lowercase());
    Ok(entries)
}

/// What is to be shared.
pub(crate) struct Wanted {
    paths: Vec<PathBuf>,
    objects: Objects,
    locations: Vec<Location>,
}

impl Wanted {
    /// Looks at what the folder holds and whether the URLs can be used; makes the folder for what
    /// is done.
    pub(crate) fn read(args: &Serve) -> Result<Self, Failure> {
        let (dir, finished) = (args.dir.as_deref(), args.disk.finished.as_deref());
        check_finished(dir, finished)?;
        let paths = dir.map_or(Ok(Vec::new()), |dir| entries(dir, finished))?;
        let objects = Objects { records: owner::records(args), proxy: args.peer.proxy.clone() };
        let locations =
            args.share.iter().map(|url| objects.location(url)).collect::<Result<_, _>>();
        Ok(Self { paths, objects, locations: locations? })
    }
}

/// Makes the folder for what is done, which must not be the one that holds what is not.
fn check_finished(dir: Option<&Path>, finished: Option<&Path>) -> Result<(), Failure> {
    let Some(finished) = finished else { return Ok(()) };
    fs::create_dir_all(finished).map_err(|e| Failure::file(finished, &e))?;
    let same = |dir: &Path| dir.canonicalize().ok() == finished.canonicalize().ok();
    if dir.is_some_and(same) {
        let message = "--finished is the same folder as --dir: name another";
        return Err(Failure::input("finished", message));
    }
    Ok(())
}

/// Whom to tell what is shared.
#[derive(Clone)]
pub(crate) struct Sharing {
    pub(crate) shell: Shell,
    pub(crate) site: Arc<Site>,
    pub(crate) library: Option<Arc<Library>>,
    pub(crate) opening: Opening,
}

impl Sharing {
    /// Shares paths one after the other, and what lies at each location as soon as it is reached.
    pub(crate) fn start(self, Wanted { paths, objects, locations }: Wanted) {
        for location in locations {
            tokio::spawn(self.clone().share_objects(objects.clone(), location));
        }
        tokio::spawn(self.share_paths(paths));
    }

    /// Shares paths; one that cannot be shared is named and left out.
    async fn share_paths(self, paths: Vec<PathBuf>) {
        let claimed = self.library.as_ref().map_or_else(BTreeSet::new, |library| library.claimed());
        let is_claimed = |path: &Path| {
            path.file_name().is_some_and(|name| claimed.contains(&*name.to_string_lossy()))
        };
        for path in paths.into_iter().filter(|path| !is_claimed(path)) {
            if let Err(failure) = self.share_path(&path).await {
                let (path, code) = (path.display().to_string(), failure.code);
                warn!(path, code, why = failure.message, "not shared");
            }
        }
    }

    async fn share_path(&self, path: &Path) -> Result<(), Failure> {
        let owned = path.to_owned();
        let made = tokio::task::spawn_blocking(move || seed::make(&owned, None)).await;
        let made = made.map_err(|e| Failure::failed("hash", e))??;
        self.share(made).await
    }

    /// Shares what lies in an object store, which may be out of reach for a while.
    async fn share_objects(self, objects: Objects, location: Location) {
        let mut wait = AGAIN_MIN;
        loop {
            let shared = match objects.source(location.clone(), None, None).await {
                Ok(source) => self.share(source.into()).await,
                Err(failure) => Err(failure),
            };
            let Err(failure) = shared else { return };
            let (url, code, why) = (location.url(), failure.code, failure.message);
            if failure.exit == Failure::BAD_INPUT {
                warn!(url, code, why, "not shared");
                return;
            }
            warn!(url, code, why, seconds = wait.as_secs(), "not shared yet; tried again");
            sleep(wait).await;
            wait = (wait * 2).min(AGAIN_MAX);
        }
    }

    async fn share(&self, made: Made) -> Result<(), Failure> {
        let id = seed::share(&self.shell, &made, self.opening.clone()).await?;
        if let Some(library) = &self.library {
            library.shared(id, made.torrent.info_hash).await?;
        }
        let torrent = made.torrent.info_hash.to_string();
        info!(torrent, name = made.torrent.name, "torrent added");
        self.site.share(made.torrent);
        Ok(())
    }
}
