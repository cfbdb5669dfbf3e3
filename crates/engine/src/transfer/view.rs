//! What a torrent shows of itself.

use headwater_base::ByteCount;

use super::{Stage, Transfer};
use crate::desk::Desk;
use crate::picker::Picker;
use crate::{PeerView, PieceState, TorrentState, TorrentView};

impl Transfer {
    pub(crate) fn view(&self, desk: &Desk) -> TorrentView {
        let (wanted, stored) = self.picker.as_ref().map_or((0, 0), Picker::progress);
        let joined = self.peers.values().filter(|peer| peer.is_joined());
        TorrentView {
            torrent: self.id,
            state: self.state(),
            wanted: ByteCount(wanted),
            wanted_stored: ByteCount(stored),
            open: ByteCount(self.picker.as_ref().map_or(0, Picker::open_bytes)),
            downloaded: ByteCount(self.fetched.total()),
            uploaded: ByteCount(self.sent.total()),
            wasted: ByteCount(self.wasted),
            download_speed: self.fetched.rate(desk.now),
            upload_speed: self.sent.rate(desk.now),
            peers: joined.clone().count(),
            seeds: joined.filter(|peer| peer.is_seed()).count(),
            rarest: self.picker.as_ref().and_then(Picker::rarest_copies),
            addresses_known: desk.discovery.addresses_known(self.id),
            trackers: desk.discovery.views(desk.now, self.id),
            web_seeds: self.web.views(desk.now),
        }
    }

    fn state(&self) -> TorrentState {
        match self.stage {
            Stage::Failed => TorrentState::Failed,
            _ if self.paused => TorrentState::Paused,
            // What is stored is looked at while it waits.
            Stage::Resolving | Stage::Running if self.queued => TorrentState::Queued,
            Stage::Resolving => TorrentState::Resolving,
            Stage::Opening | Stage::Checking => TorrentState::Checking,
            Stage::Running if self.is_done() => TorrentState::Seeding,
            Stage::Running => TorrentState::Leeching,
        }
    }

    pub(crate) fn peer_views(&self, desk: &Desk) -> Vec<PeerView> {
        self.peers.values().filter_map(|peer| peer.view(desk.now)).collect()
    }

    pub(crate) fn piece_states(&self) -> Vec<PieceState> {
        self.picker.as_ref().map(Picker::piece_states).unwrap_or_default()
    }

    /// How many peers finished their handshake.
    pub(crate) fn peer_count(&self) -> usize {
        self.peers.values().filter(|peer| peer.is_joined()).count()
    }
}
