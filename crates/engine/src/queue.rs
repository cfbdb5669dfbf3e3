//! Which torrents may be active at once: the first of the queue, downloads and seeds counted
//! apart. The others wait and go on by themselves when there is room.

use headwater_base::TorrentId;

use crate::engine::Engine;

/// What a torrent takes room as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// None: it is paused or has failed.
    Nothing,
    /// Something chosen is missing, or may be.
    Download,
    /// Everything chosen is stored.
    Seed,
}

impl Engine {
    /// Gives a torrent another place in the queue, 0 being the first.
    pub(crate) fn move_in_queue(&mut self, torrent: TorrentId, place: usize) {
        if let Some(at) = self.queue.iter().position(|queued| *queued == torrent) {
            self.queue.remove(at);
            self.queue.insert(place.min(self.queue.len()), torrent);
            self.desk.requeue = true;
        }
    }

    /// Sets how many torrents may be active at once.
    pub(crate) fn limit_queue(&mut self, downloads: Option<usize>, seeds: Option<usize>) {
        self.desk.config.active_downloads_max = downloads;
        self.desk.config.active_seeds_max = seeds;
        self.desk.requeue = true;
    }

    /// Has torrents wait or go on as the limits say. One that is being read never waits.
    pub(crate) fn review_queue(&mut self) {
        let config = &self.desk.config;
        let mut downloads = config.active_downloads_max.unwrap_or(usize::MAX);
        let mut seeds = config.active_seeds_max.unwrap_or(usize::MAX);
        // Torrents wait before others go on, so that there are never more than allowed.
        let mut going = Vec::new();
        for torrent in self.queue.clone() {
            let Some(transfer) = self.transfers.get_mut(&torrent) else { continue };
            let free = match transfer.room() {
                Room::Nothing => continue,
                Room::Download => &mut downloads,
                Room::Seed => &mut seeds,
            };
            if *free > 0 || self.readers.values().any(|read| *read == torrent) {
                *free = free.saturating_sub(1);
                going.push(torrent);
            } else {
                transfer.wait(&mut self.desk);
            }
        }
        for torrent in going {
            if let Some(transfer) = self.transfers.get_mut(&torrent) {
                transfer.go_on_queued(&mut self.desk);
            }
        }
    }
}
