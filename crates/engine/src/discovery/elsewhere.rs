//! Trackers that a browser cannot ask: over HTTP and UDP. A tracker that has a bridge says so, and
//! is told of them, so that the bridge can ask them (`hw_trackers`). Nobody else is: an address may
//! hold a key to a private torrent.

use headwater_base::TorrentId;
use headwater_wire::limit::TRACKERS_TOLD_MAX;
use headwater_wire::tracker::{ClientMessage, is_told};

use super::{At, Discovery};
use crate::Action;

impl Discovery {
    /// Takes the trackers of a torrent that this shell cannot ask, the first tiers first.
    pub(super) fn take_elsewhere(&mut self, torrent: TorrentId, tiers: &[Vec<String>]) {
        if self.dialler.able() {
            return;
        }
        let Some(swarm) = self.torrents.get_mut(&torrent) else { return };
        let told = tiers.iter().flatten().filter(|url| is_told(url));
        swarm.elsewhere = told.take(TRACKERS_TOLD_MAX).cloned().collect();
    }

    /// Tells a tracker that has a bridge which trackers to ask for us.
    pub(super) fn tell_elsewhere(&mut self, at: At) {
        let Some(swarm) = self.swarm(at.1) else { return };
        if swarm.elsewhere.is_empty() || swarm.private == Some(true) || swarm.is_seed() {
            return;
        }
        let trackers = swarm.elsewhere.clone();
        let Some(mut announce) = self.announcement(at, None, &[]) else { return };
        announce.trackers = trackers;
        let text = ClientMessage::Announce(announce).encode();
        self.act(Action::SendTracker { tracker: at.0, text });
    }
}
