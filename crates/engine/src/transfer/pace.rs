//! One torrent's own limits, and its waiting in the queue.

use super::{Stage, Transfer};
use crate::bucket::Bucket;
use crate::desk::Desk;
use crate::queue::Room;
use crate::timer::Timer;

/// What one torrent may send and fetch, whatever all may together.
pub(super) struct Pace {
    pub(super) upload: Bucket,
    pub(super) download: Bucket,
}

impl Pace {
    pub(super) fn new(upload: Option<u64>, download: Option<u64>) -> Self {
        Self { upload: Bucket::new(upload), download: Bucket::new(download) }
    }
}

impl Transfer {
    /// Sets the torrent's own limits, in bytes a second; `None` for none.
    pub(crate) fn limit(&mut self, desk: &mut Desk, upload: Option<u64>, download: Option<u64>) {
        self.pace.upload.set_rate(upload);
        self.pace.download.set_rate(download);
        for link in self.peers.keys() {
            for timer in [Timer::Upload(*link), Timer::Download(*link)] {
                if desk.timers.is_set(timer) {
                    desk.timers.set(timer, desk.now);
                }
            }
        }
        self.free_web_gates(desk);
        self.kick_all(desk);
    }

    /// What it takes room as among active torrents.
    pub(crate) fn room(&self) -> Room {
        if self.paused || self.stage == Stage::Failed {
            Room::Nothing
        } else if self.stage == Stage::Running && self.is_done() {
            Room::Seed
        } else {
            Room::Download
        }
    }

    /// Leaves the swarm until there is room.
    pub(crate) fn wait(&mut self, desk: &mut Desk) {
        if !core::mem::replace(&mut self.queued, true) {
            self.leave_swarm(desk);
        }
    }

    /// Joins the swarm, there being room.
    pub(crate) fn go_on_queued(&mut self, desk: &mut Desk) {
        if core::mem::replace(&mut self.queued, false) {
            self.join_swarm(desk);
        }
    }
}
