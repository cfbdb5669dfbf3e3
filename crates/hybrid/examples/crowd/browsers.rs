//! Simulated browsers: whole clients that speak WebRTC alone and come to a torrent by magnet link.
//! Each fetches at a viewer's pace, is compared by hash, leaves, and comes again as somebody new.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use headwater_base::sha1;
use headwater_client::{AddOptions, Config, Event};
use headwater_hybrid::shell::{News, OwnedSource, Place, Shell};
use headwater_hybrid::transport::RtcConfig;
use headwater_metainfo::Torrent;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::tally::{Tally, Visit};
use crate::{Failure, Many, peer_id, seed, torrents};

/// Time between two browsers' coming: people do not open a page all at once.
const COME_EVERY: Duration = Duration::from_millis(40);

/// What a visit may take beyond its pace: meeting over the tracker, and a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Time between two visits.
const REST: Duration = Duration::from_secs(2);

/// What all browsers of a process share.
struct Site {
    tracker: String,
    rate: u64,
    end: Instant,
    tally: Tally,
}

pub(crate) async fn run(tracker: String, rate: u64, crowd: &Many) -> Result<(), Failure> {
    let torrents = torrents(&crowd.torrents)?;
    let end = Instant::now() + crowd.time();
    let site = Arc::new(Site { tracker, rate, end, tally: Tally::default() });
    let mut browsers = tokio::task::JoinSet::new();
    for at in 0..crowd.count {
        let number = crowd.first + at;
        let torrent = Arc::clone(&torrents[number % torrents.len()]);
        let site = Arc::clone(&site);
        browsers.spawn(async move {
            sleep(COME_EVERY * at as u32).await;
            site.visit_again_and_again(number, &torrent).await;
        });
    }
    site.tally.tell_for(crowd.time()).await;
    site.tally.tell_end(browsers).await;
    Ok(())
}

impl Site {
    async fn visit_again_and_again(&self, number: usize, torrent: &Torrent) {
        while Instant::now() < self.end {
            let folder = std::env::temp_dir()
                .join(format!("headwater-crowd-{}-{number}", std::process::id()));
            let visit = self.visit(&folder, torrent).await.map_err(|e| e.to_string());
            self.tally.ended(visit);
            let _ = fs::remove_dir_all(&folder);
            sleep(REST).await;
        }
    }

    async fn visit(&self, folder: &PathBuf, torrent: &Torrent) -> Result<Option<Visit>, Failure> {
        fs::create_dir_all(folder)?;
        let seed = seed()?;
        let config = Config { download_limit: Some(self.rate), ..Config::new(peer_id(&seed)) };
        let shell = Shell::start(config, seed, &RtcConfig::default());
        let news = shell.news();
        let from = Instant::now();
        let magnet = torrent.magnet().to_string();
        let options = AddOptions { trackers: vec![self.tracker.clone()], ..AddOptions::default() };
        let place = Place { root: folder.clone(), ..Place::default() };
        shell.add(OwnedSource::Text(magnet), options, place).await??;
        let mut links = Links { tally: &self.tally, open: 0 };
        let pace = Duration::from_secs(torrent.length.0 / self.rate);
        let visit = tokio::select! {
            visit = timeout(pace + PATIENCE, links.fetch(news, from)) => visit,
            () = sleep_until(self.end) => Ok(Ok(None)),
        };
        drop(links);
        shell.stop().await;
        let visit = visit.map_err(|_| "not done in time")??;
        let Some((first, whole)) = visit else { return Ok(None) };
        check(&fs::read(folder.join(&torrent.name))?, torrent)?;
        Ok(Some(Visit { first, whole, bytes: torrent.length.0 }))
    }
}

/// How many links a browser has, told when it has its first and loses its last.
struct Links<'a> {
    tally: &'a Tally,
    open: usize,
}

impl Drop for Links<'_> {
    fn drop(&mut self) {
        if self.open > 0 {
            self.tally.linked(false);
        }
    }
}

impl Links<'_> {
    /// Waits until everything is there; says when the first piece was, and when all were.
    async fn fetch(
        &mut self,
        mut news: Receiver<News>,
        from: Instant,
    ) -> Result<Option<(Duration, Duration)>, Failure> {
        let mut first = None;
        loop {
            match news.recv().await {
                Ok(News::Client(Event::PieceStored { .. })) => {
                    first.get_or_insert_with(|| from.elapsed());
                }
                Ok(News::Client(Event::TorrentDone(_))) => {
                    let whole = from.elapsed();
                    return Ok(Some((first.unwrap_or(whole), whole)));
                }
                Ok(News::Client(Event::TorrentFailed { error, .. })) => return Err(error.into()),
                Ok(News::Client(_) | News::Moved { .. } | News::Router(_) | News::Pay(_)) => {}
                Ok(News::LinkOpened { .. }) => {
                    self.open += 1;
                    if self.open == 1 {
                        self.tally.linked(true);
                    }
                }
                Ok(News::LinkClosed { .. }) => {
                    self.open -= 1;
                    if self.open == 0 {
                        self.tally.linked(false);
                    }
                }
                Err(RecvError::Lagged(missed)) => return Err(format!("{missed} missed").into()),
                Ok(News::Stopped) | Err(RecvError::Closed) => return Err("it stopped".into()),
            }
        }
    }
}

/// Whether these are the torrent's bytes.
fn check(bytes: &[u8], torrent: &Torrent) -> Result<(), Failure> {
    let mut pieces = bytes.chunks(torrent.piece_length as usize).map(sha1);
    if pieces.by_ref().eq(torrent.pieces.iter().copied()) {
        return Ok(());
    }
    Err("stored bytes differ from the torrent's".into())
}
