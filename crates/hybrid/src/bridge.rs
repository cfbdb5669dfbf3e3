//! A bridge joins the ordinary swarms of torrents that browsers announce at our own tracker, and
//! serves them what they ask for. Decides which torrents to join, and when to leave; keeps what it
//! fetched in a cache of bounded size. What a bridged torrent fetches is the engine's business.

mod cache;
mod seekers;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use headwater_base::{InfoHash, PeerId, TorrentId, hex};
use headwater_client::{AddOptions, Event};
use headwater_tracker::server::Tracker;
use headwater_tracker::{FleetInput, Sought};
use tokio::sync::{broadcast, mpsc};
use tokio::time::{MissedTickBehavior, interval};

use crate::shell::{News, OwnedSource, Place, Shell, Stopped};
use crate::store;
use cache::Cache;
use seekers::Seekers;

/// Time between two looks at who needs what, and at the cache.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// How long a torrent is kept after it was announced last. Browsers announce every two minutes.
const NEEDED_FOR: Duration = Duration::from_secs(180);

/// Trackers that browsers may name for one torrent.
const TRACKERS_MAX: usize = 8;

/// Torrents remembered that are not to be joined again.
const REFUSED_MAX: usize = 10_000;

/// Which torrents are bridged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Those that the operator listed, by info-hash.
    Listed(BTreeSet<InfoHash>),
    /// Whatever browsers announce.
    Open,
}

/// How a bridge is run.
#[derive(Clone, Debug)]
pub struct BridgeConfig {
    /// Which torrents are bridged.
    pub policy: Policy,
    /// Where fetched pieces are kept, a folder a torrent.
    pub folder: PathBuf,
    /// Most bytes kept there.
    pub cache_bytes: u64,
    /// Most torrents bridged at once.
    pub torrents_max: usize,
    /// Most of those for one browser.
    pub torrents_per_browser_max: usize,
    /// Whether browsers may name trackers to ask.
    pub takes_trackers: bool,
    /// Peers to meet for every torrent: seeds of the operator's own.
    pub peers: Vec<SocketAddr>,
}

/// What a bridge did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BridgeStats {
    /// Torrents bridged now.
    pub torrents: u64,
    /// Torrents joined ever.
    pub joined: u64,
    /// Torrents left since nobody needed them.
    pub left: u64,
    /// Announces of torrents that were not joined: not listed, too many, or private.
    pub refused: u64,
    /// Bytes in the cache.
    pub cached_bytes: u64,
    /// Torrents whose cached bytes made way for others.
    pub evicted: u64,
}

/// A running bridge. It ends with the tracker it listens to, or with the shell.
#[derive(Clone, Debug, Default)]
pub struct Bridge {
    stats: Arc<Mutex<BridgeStats>>,
}

impl Bridge {
    /// Starts a bridge that the tracker tells of seekers by `sought`, `ourselves` among them: our
    /// own peer announces at the same tracker. Must be called inside a Tokio runtime.
    pub fn start(
        config: BridgeConfig,
        ourselves: PeerId,
        shell: Shell,
        (tracker, sought): (Tracker, mpsc::Receiver<Sought>),
    ) -> Self {
        let bridge = Self::default();
        let run = Run {
            cache: Cache::new(config.folder.clone()),
            seekers: Seekers::new(config.torrents_per_browser_max),
            config,
            ourselves,
            shell,
            tracker,
            stats: Arc::clone(&bridge.stats),
            joined: BTreeMap::new(),
            refused: BTreeSet::new(),
        };
        tokio::spawn(run.run(sought));
        bridge
    }

    /// What it did so far.
    pub fn stats(&self) -> BridgeStats {
        *self.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A torrent that is bridged.
struct Joined {
    torrent: TorrentId,
    announced: Instant,
    /// What browsers named.
    trackers: BTreeSet<String>,
}

impl Joined {
    /// Of these trackers those that are news, as many as there is room for.
    fn news(&mut self, told: Vec<String>) -> Vec<String> {
        let room = TRACKERS_MAX.saturating_sub(self.trackers.len());
        let news = told.into_iter().filter(|url| !self.trackers.contains(url)).take(room);
        let news: Vec<String> = news.collect();
        self.trackers.extend(news.iter().cloned());
        news
    }
}

struct Run {
    config: BridgeConfig,
    ourselves: PeerId,
    shell: Shell,
    tracker: Tracker,
    cache: Cache,
    seekers: Seekers,
    stats: Arc<Mutex<BridgeStats>>,
    joined: BTreeMap<InfoHash, Joined>,
    /// Private torrents: their trackers alone may introduce peers (BEP 27).
    refused: BTreeSet<InfoHash>,
}

impl Run {
    async fn run(mut self, mut sought: mpsc::Receiver<Sought>) {
        let mut news = self.shell.news();
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let going = tokio::select! {
                sought = sought.recv() => match sought {
                    Some(sought) => self.sought(sought).await,
                    None => return,
                },
                heard = news.recv() => self.heard(heard).await,
                _ = look.tick() => self.look().await,
            };
            if going.is_err() {
                return;
            }
        }
    }

    /// Somebody seeks a torrent.
    async fn sought(&mut self, sought: Sought) -> Result<(), Stopped> {
        if sought.peer_id == self.ourselves {
            return Ok(());
        }
        let hash = sought.info_hash;
        if let Some(joined) = self.joined.get_mut(&hash) {
            joined.announced = now();
            let told = if self.config.takes_trackers { sought.trackers } else { Vec::new() };
            let news = joined.news(told);
            return if news.is_empty() { Ok(()) } else { self.ask(hash, news).await };
        }
        if self.is_served(hash).await? {
            return Ok(());
        }
        let allowed = match &self.config.policy {
            Policy::Listed(listed) => listed.contains(&hash),
            Policy::Open => true,
        };
        let allowed = allowed && !self.refused.contains(&hash);
        if allowed && self.joined.len() >= self.config.torrents_max {
            self.count(|stats| stats.refused += 1);
            // Where there is no fleet, or the tracker ended, nobody else has room.
            self.tracker.fleet(FleetInput::NoRoom(sought)).await;
            return Ok(());
        }
        if !allowed || !self.seekers.may_seek(now(), (sought.process, sought.socket), hash) {
            self.count(|stats| stats.refused += 1);
            return Ok(());
        }
        let trackers = if self.config.takes_trackers { sought.trackers } else { Vec::new() };
        self.join(hash, trackers).await
    }

    /// Has a torrent that is bridged ask more trackers.
    async fn ask(&self, hash: InfoHash, trackers: Vec<String>) -> Result<(), Stopped> {
        let options = AddOptions { trackers, ..AddOptions::default() };
        let place = Place { root: self.cache.folder(hash), ..Place::default() };
        // It is here, so that nothing is refused.
        let _ = self.shell.add(OwnedSource::Text(hex(&hash.0)), options, place).await?;
        Ok(())
    }

    /// Whether a torrent is here anyway, and no bridge needed.
    async fn is_served(&self, hash: InfoHash) -> Result<bool, Stopped> {
        self.shell.client(move |client, _| client.find(hash).is_some()).await
    }

    async fn join(&mut self, hash: InfoHash, trackers: Vec<String>) -> Result<(), Stopped> {
        let root = self.cache.use_folder(hash);
        // What an earlier visit learnt saves asking again.
        let source = match store::saved_torrent(&root, hash) {
            Some(torrent) => OwnedSource::Torrent(Arc::new(torrent)),
            None => OwnedSource::Text(hex(&hash.0)),
        };
        let trackers: BTreeSet<String> = trackers.into_iter().take(TRACKERS_MAX).collect();
        let named = trackers.iter().cloned().collect();
        let options = AddOptions { bridge: true, trackers: named, ..AddOptions::default() };
        let place = Place { root, ..Place::default() };
        // Forty hexadecimal digits are always a source.
        if let Ok(added) = self.shell.add(source, options, place).await? {
            self.shell.meet(added.torrent, self.config.peers.clone()).await?;
            self.joined.insert(hash, Joined { torrent: added.torrent, announced: now(), trackers });
            let torrents = self.joined.len() as u64;
            self.count(|stats| (stats.torrents, stats.joined) = (torrents, stats.joined + 1));
        }
        Ok(())
    }

    async fn heard(
        &mut self,
        heard: Result<News, broadcast::error::RecvError>,
    ) -> Result<(), Stopped> {
        let torrent = match heard {
            Ok(News::Client(Event::MetadataKnown(torrent))) => torrent,
            Ok(News::Stopped) | Err(broadcast::error::RecvError::Closed) => return Err(Stopped),
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return Ok(()),
        };
        let ours = self.joined.iter().find(|(_, joined)| joined.torrent == torrent);
        let Some((hash, _)) = ours.map(|(hash, joined)| (*hash, joined.torrent)) else {
            return Ok(());
        };
        let metainfo = self.shell.client(move |client, _| client.metainfo(torrent)).await?;
        if metainfo.is_some_and(|metainfo| metainfo.private) {
            if self.refused.len() < REFUSED_MAX {
                self.refused.insert(hash);
            }
            self.count(|stats| stats.refused += 1);
            self.leave(hash, true).await?;
        }
        Ok(())
    }

    /// Leaves what nobody needs, and makes room in the cache.
    async fn look(&mut self) -> Result<(), Stopped> {
        let fellows = self.tracker.fellows().await;
        self.seekers.forget_all_but(&fellows.processes);
        for hash in self.unneeded(fellows.peers).await? {
            self.leave(hash, false).await?;
            self.count(|stats| stats.left += 1);
        }
        let mut bytes = self.cache.measure().await;
        while bytes > self.config.cache_bytes {
            let in_use: BTreeSet<InfoHash> = self.joined.keys().copied().collect();
            // Where what is in use is more than all there may be, the largest begins anew.
            let idle = self.cache.oldest(|hash| !in_use.contains(&hash));
            let Some(hash) = idle.or_else(|| self.cache.largest()) else { break };
            self.leave(hash, true).await?;
            bytes -= self.cache.forget(hash).await;
            self.count(|stats| stats.evicted += 1);
        }
        let torrents = self.joined.len() as u64;
        self.count(|stats| (stats.torrents, stats.cached_bytes) = (torrents, bytes));
        Ok(())
    }

    /// Torrents that no browser is linked for, and that were announced by none lately. Peers of
    /// other processes of the fleet are no browsers: two bridges would keep each other for ever.
    async fn unneeded(&self, fellows: BTreeSet<PeerId>) -> Result<Vec<InfoHash>, Stopped> {
        let old = self.joined.iter().filter(|(_, joined)| joined.announced.elapsed() > NEEDED_FOR);
        let old: Vec<_> = old.map(|(hash, joined)| (*hash, joined.torrent)).collect();
        self.shell
            .client(move |client, _| {
                let alone = |torrent| {
                    let mut peers = client.peer_views(torrent).into_iter();
                    peers.all(|peer| peer.direct || fellows.contains(&peer.peer))
                };
                old.into_iter().filter(|(_, id)| alone(*id)).map(|(hash, _)| hash).collect()
            })
            .await
    }

    async fn leave(&mut self, hash: InfoHash, delete: bool) -> Result<(), Stopped> {
        let Some(joined) = self.joined.remove(&hash) else { return Ok(()) };
        self.cache.touch(hash);
        self.seekers.forget(hash);
        self.shell.remove(joined.torrent, delete).await
    }

    fn count(&self, change: impl FnOnce(&mut BridgeStats)) {
        change(&mut self.stats.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

#[expect(clippy::disallowed_methods, reason = "how long torrents are needed is wall time")]
fn now() -> Instant {
    Instant::now()
}
