//! Decides when the shell looks for peers of a torrent where nobody keeps a list: in the DHT
//! (BEP 5) and on the local network (BEP 14). Never for a private torrent (BEP 27); one whose
//! metadata is not known counts as public, for whoever has a magnet link may ask anybody.

use core::time::Duration;

use headwater_base::{Time, TorrentId};

use super::limit::{SEEK_LONELY, SEEK_LONELY_MAX, SEEK_REST};
use super::{Discovery, Swarm, Timer};
use crate::Action;

/// When a torrent was sought.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seek {
    /// When it was announced last.
    announced: Option<Time>,
    /// When it was sought last, announced or not.
    sought: Option<Time>,
    /// How often it was sought in vain since it had a link.
    vain: u32,
}

impl Seek {
    /// Has it announced at once: it is known by one more hash, or reached at another port.
    pub(super) fn renew(&mut self) {
        self.announced = None;
    }

    fn announce_at(&self) -> Option<Time> {
        self.announced.map(|at| at + SEEK_REST)
    }

    /// How long it rests while nobody is found.
    fn rest(&self) -> Duration {
        SEEK_LONELY.saturating_mul(1 << self.vain.min(8)).min(SEEK_LONELY_MAX)
    }
}

impl Swarm {
    /// When it is sought next, and whether it must be announced then.
    fn next_seek(&self, now: Time) -> (Time, bool) {
        let announce = self.seek.announce_at().unwrap_or(now);
        let hopes = self.is_lonely() && self.wanted > 0;
        match self.seek.sought.filter(|_| hopes).map(|at| at + self.seek.rest()) {
            Some(at) if at < announce => (at, false),
            Some(_) | None => (announce, true),
        }
    }
}

impl Discovery {
    /// Sets when a torrent is sought next.
    pub(super) fn plan_seek(&mut self, now: Time, torrent: TorrentId) {
        let public = |swarm: &&Swarm| swarm.private != Some(true);
        match self.torrents.get(&torrent).filter(public) {
            Some(swarm) if self.seeks => {
                self.timers.set(Timer::Seek(torrent), swarm.next_seek(now).0);
            }
            Some(_) | None => self.timers.clear(Timer::Seek(torrent)),
        }
    }

    /// A torrent lost its last link after it was good for something: others come as easily.
    pub(super) fn seek_again(&mut self, now: Time, torrent: TorrentId) {
        if let Some(swarm) = self.torrents.get_mut(&torrent) {
            swarm.seek.vain = 0;
        }
        self.plan_seek(now, torrent);
    }

    /// A torrent may be sought.
    pub(super) fn seek_due(&mut self, now: Time, torrent: TorrentId) {
        let Some(swarm) = self.torrents.get_mut(&torrent) else { return };
        let (at, announce) = swarm.next_seek(now);
        if at <= now {
            swarm.seek.vain += u32::from(swarm.seek.sought.is_some());
            swarm.seek.sought = Some(now);
            if announce {
                swarm.seek.announced = Some(now);
            }
            let hashes = swarm.hashes.clone();
            let announce = self.dialler.ports().told().filter(|_| announce);
            for info_hash in hashes {
                self.act(Action::Seek { torrent, info_hash, announce });
            }
        }
        self.plan_seek(now, torrent);
    }
}
