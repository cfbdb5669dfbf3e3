//! The torrents of one server: those of its folder, those the owner added, and those bridged.
//! Remembers what the owner chose, so that the next start goes on from there.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use headwater_base::{InfoHash, TorrentId, hex};
use headwater_client::{AddError, AddOptions, Event, Priority};
use headwater_metainfo::Torrent;
use tokio::sync::broadcast::error::RecvError;

use super::kept::{self, Choice, Kept, Limits, State};
use crate::shell::{News, OwnedSource, Place, Shell, Stopped};
use crate::store::{self, Opening};

/// Torrents one may add before some must go: what is kept is written whole at every change.
pub(super) const ADDED_MAX: usize = 10_000;

/// Whence a torrent is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// It lies in the server's folder.
    Folder,
    /// The owner added it.
    Added,
    /// Browsers needed it.
    Bridge,
}

/// Why a torrent was not added.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The server has no folder.
    #[error("this server has no folder to put it in: start it with --dir")]
    NoFolder,
    /// The folder leads elsewhere.
    #[error("{0:?} is no plain folder below the server's own")]
    BadFolder(String),
    /// It is here.
    #[error("this torrent is here already")]
    Known,
    /// There are too many.
    #[error("{ADDED_MAX} torrents were added, which is all there may be")]
    TooMany,
    /// It is no torrent.
    #[error(transparent)]
    Source(#[from] AddError),
    /// The folder or the records cannot be written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The client is gone.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// Where the torrents of a library lie.
#[derive(Clone, Debug, Default)]
pub struct Shelf {
    /// The folder they are added to; without one there are none.
    pub folder: Option<PathBuf>,
    /// The folder they are moved to when they are done.
    pub finished: Option<PathBuf>,
    /// How their stores are opened.
    pub opening: Opening,
}

impl Shelf {
    fn place(&self, root: PathBuf, folder: &str) -> Place {
        let finished = self.finished.as_ref().map(|finished| finished.join(folder));
        Place { root, finished, opening: self.opening.clone(), source: None }
    }
}

/// All torrents of a server, and what was chosen for them.
pub struct Library {
    shell: Shell,
    shelf: Shelf,
    file: PathBuf,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    state: State,
    shared: BTreeSet<InfoHash>,
    failures: BTreeMap<TorrentId, String>,
}

impl Library {
    /// Makes a library whose torrents lie on `shelf` and whose memory is `file`. Tells where a
    /// memory went that could not be read.
    pub fn open(shell: Shell, shelf: Shelf, file: PathBuf) -> io::Result<(Self, Option<PathBuf>)> {
        let (state, aside) = kept::read(&file)?;
        let held = Mutex::new(Held { state, ..Held::default() });
        Ok((Self { shell, shelf, file, held }, aside))
    }

    /// The limits that an earlier run ended with.
    pub fn limits(&self) -> Limits {
        self.held().state.limits
    }

    /// Names in the server's folder that belong to torrents which were added: they are not to be
    /// shared as what they are, perhaps half a torrent.
    pub fn claimed(&self) -> BTreeSet<String> {
        let torrents = self.held().state.torrents.clone();
        let claims = torrents.iter().filter_map(|(hash, kept)| {
            let folder = kept.folder.as_deref()?;
            match folder.split('/').next() {
                Some(first) if !first.is_empty() => Some(first.to_owned()),
                _ => self.saved(hash, kept).map(|torrent| torrent.name.clone()),
            }
        });
        claims.collect()
    }

    /// Adds again what earlier runs were told to add. Returns those that could not be.
    pub async fn restore(&self) -> Result<Vec<(String, AddError)>, Stopped> {
        let torrents = self.held().state.torrents.clone();
        let mut refused = Vec::new();
        for (hash, kept) in torrents {
            let (Some(folder), Some(root)) = (&kept.folder, &self.shelf.folder) else { continue };
            let place = self.shelf.place(root.join(folder), folder);
            let torrent = self.saved(&hash, &kept);
            let link = kept.magnet.clone().unwrap_or(hash.clone());
            let first = match torrent {
                Some(torrent) => OwnedSource::Torrent(Arc::new(torrent)),
                None => OwnedSource::Text(link.clone()),
            };
            let options = AddOptions { paused: kept.paused, ..AddOptions::default() };
            match self.shell.add(first, options, place.clone()).await? {
                Ok(added) => {
                    // What is kept of the metadata lacks the trackers that the link names.
                    let link = OwnedSource::Text(link);
                    let _ = self.shell.add(link, AddOptions::default(), place).await?;
                    self.apply(added.torrent, &kept).await?;
                }
                Err(e) => refused.push((hash, e)),
            }
        }
        Ok(refused)
    }

    fn saved(&self, hash: &str, kept: &Kept) -> Option<Torrent> {
        let folder = kept.folder.as_ref()?;
        let homes = [&self.shelf.folder, &self.shelf.finished].into_iter().flatten();
        let hash = InfoHash::from_hex(hash)?;
        homes.into_iter().find_map(|home| store::saved_torrent(&home.join(folder), hash))
    }

    /// Takes note of a torrent of the folder, and does with it what was chosen before.
    pub async fn shared(&self, id: TorrentId, hash: InfoHash) -> Result<(), Stopped> {
        let kept = {
            let mut held = self.held();
            held.shared.insert(hash);
            held.state.torrents.get(&hex(&hash.0)).cloned()
        };
        match kept {
            Some(kept) => {
                if kept.paused {
                    self.shell.client(move |client, now| client.pause(now, id)).await?;
                }
                self.apply(id, &kept).await
            }
            None => Ok(()),
        }
    }

    async fn apply(&self, id: TorrentId, kept: &Kept) -> Result<(), Stopped> {
        let (limits, files) = (kept.limits, priorities(&kept.files));
        self.shell
            .client(move |client, now| {
                if limits != Limits::default() {
                    client.set_torrent_limits(now, id, limits.upload, limits.download);
                }
                if !files.is_empty() {
                    client.choose_files(now, id, files);
                }
            })
            .await
    }

    /// Adds a torrent into a folder below the server's own; an empty name is that itself.
    pub(super) async fn add(
        &self,
        source: OwnedSource,
        folder: &str,
        paused: bool,
    ) -> Result<InfoHash, Refusal> {
        if self.held().state.torrents.len() >= ADDED_MAX {
            return Err(Refusal::TooMany);
        }
        let root = self.place(folder)?;
        let magnet = match &source {
            OwnedSource::Text(text) => Some(text.clone()),
            OwnedSource::Torrent(torrent) => {
                store::save_torrent(&root, torrent)?;
                None
            }
        };
        let options = AddOptions { paused, ..AddOptions::default() };
        let place = self.shelf.place(root, folder);
        let added = self.shell.add(source, options, place).await??;
        if !added.new {
            return Err(Refusal::Known);
        }
        let id = added.torrent;
        let hash = self.shell.client(move |client, _| client.info_hash(id)).await?;
        let hash = hash.ok_or(Stopped)?;
        let kept = Kept { folder: Some(folder.to_owned()), magnet, paused, ..Kept::default() };
        self.change(|state| {
            state.torrents.insert(hex(&hash.0), kept);
        })?;
        Ok(hash)
    }

    /// The folder of that name, made if need be. No link leads out of the server's own.
    fn place(&self, folder: &str) -> Result<PathBuf, Refusal> {
        let root = self.shelf.folder.as_ref().ok_or(Refusal::NoFolder)?;
        let bad = || Refusal::BadFolder(folder.chars().take(80).collect());
        let plain = |part: Component<'_>| {
            matches!(part, Component::Normal(name)
                if !name.to_string_lossy().starts_with('.')
                    && !name.to_string_lossy().chars().any(|c| c.is_control() || c == '\\'))
        };
        let path = Path::new(folder);
        if folder.len() > 255 || folder.ends_with('/') || !path.components().all(plain) {
            return Err(bad());
        }
        let mut place = root.canonicalize()?;
        for part in path.components() {
            place.push(part);
            match std::fs::symlink_metadata(&place) {
                Ok(found) if found.is_dir() => {}
                Ok(_) => return Err(bad()),
                Err(_) => std::fs::create_dir(&place)?,
            }
        }
        Ok(place)
    }

    /// Removes a torrent; with `delete` its data goes too.
    pub(super) async fn remove(
        &self,
        id: TorrentId,
        hash: InfoHash,
        delete: bool,
    ) -> Result<(), Refusal> {
        self.shell.remove(id, delete).await?;
        let mut held = self.held();
        held.shared.remove(&hash);
        held.failures.remove(&id);
        drop(held);
        self.change(|state| {
            state.torrents.remove(&hex(&hash.0));
        })?;
        Ok(())
    }

    /// Remembers a choice for one torrent.
    pub(super) fn choose(&self, hash: InfoHash, choice: impl FnOnce(&mut Kept)) -> io::Result<()> {
        self.change(|state| {
            let kept = state.torrents.entry(hex(&hash.0)).or_default();
            choice(kept);
            if kept.is_plain() {
                state.torrents.remove(&hex(&hash.0));
            }
        })
    }

    /// Remembers the limits of all torrents together.
    pub(super) fn choose_limits(&self, limits: Limits) -> io::Result<()> {
        self.change(|state| state.limits = limits)
    }

    /// What was chosen for a torrent.
    pub(super) fn kept(&self, hash: InfoHash) -> Kept {
        self.held().state.torrents.get(&hex(&hash.0)).cloned().unwrap_or_default()
    }

    /// Whence a torrent is here.
    pub(super) fn origin(&self, hash: InfoHash) -> Origin {
        let held = self.held();
        let kept = held.state.torrents.get(&hex(&hash.0));
        if kept.is_some_and(|kept| kept.folder.is_some()) {
            Origin::Added
        } else if held.shared.contains(&hash) {
            Origin::Folder
        } else {
            Origin::Bridge
        }
    }

    /// Why a torrent stopped by itself.
    pub(super) fn failure(&self, id: TorrentId) -> Option<String> {
        self.held().failures.get(&id).cloned()
    }

    /// Listens for failures until the client stops.
    pub async fn watch(self: Arc<Self>) {
        let mut news = self.shell.news();
        loop {
            match news.recv().await {
                Ok(News::Client(Event::TorrentFailed { torrent, error })) => {
                    self.held().failures.insert(torrent, error.to_string());
                }
                Ok(News::Client(Event::TorrentReady(torrent))) => {
                    self.held().failures.remove(&torrent);
                }
                Ok(News::Stopped) | Err(RecvError::Closed) => return,
                Ok(_) | Err(RecvError::Lagged(_)) => {}
            }
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) -> io::Result<()> {
        let mut held = self.held();
        change(&mut held.state);
        kept::write(&self.file, &held.state)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Choices as the client takes them.
pub(super) fn priorities(choices: &[Choice]) -> Vec<Priority> {
    let priority = |choice: &Choice| match choice {
        Choice::Skip => Priority::Skip,
        Choice::Normal => Priority::Normal,
        Choice::High => Priority::High,
    };
    choices.iter().map(priority).collect()
}
