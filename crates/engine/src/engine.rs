//! The whole engine: hands what happened to the part it concerns, and collects what to do.
//! Knows which link and job belongs to which torrent; knows nothing of how pieces are picked.

use std::sync::Arc;

use headwater_base::{Seed, Time, TorrentId};
use headwater_metainfo::Torrent;

use crate::{Config, EngineView, Input, PeerView, PieceState, Step, TorrentView};

/// The BitTorrent state machine of all torrents together.
pub struct Engine {
    config: Config,
}

impl Engine {
    /// Makes an engine without torrents. The same seed and inputs give the same outputs.
    pub fn new(config: Config, _seed: &Seed) -> Self {
        Self { config }
    }

    /// Takes note of something that happened. Call `next` afterwards.
    pub fn handle(&mut self, _now: Time, _input: Input) {}

    /// Returns the next thing to do. Call until it answers `Sleep`; a link may stall otherwise.
    pub fn next(&mut self, _now: Time) -> Step {
        Step::Sleep(None)
    }

    /// The settings it runs with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// A torrent's metadata, once it is known.
    pub fn metainfo(&self, _torrent: TorrentId) -> Option<Arc<Torrent>> {
        None
    }

    /// All torrents together.
    pub fn view(&self) -> EngineView {
        EngineView::default()
    }

    /// One torrent.
    pub fn torrent_view(&self, _torrent: TorrentId) -> Option<TorrentView> {
        None
    }

    /// The peers of one torrent that finished their handshake.
    pub fn peer_views(&self, _torrent: TorrentId) -> Vec<PeerView> {
        Vec::new()
    }

    /// Every piece of one torrent; empty while its metadata is unknown.
    pub fn piece_states(&self, _torrent: TorrentId) -> Vec<PieceState> {
        Vec::new()
    }
}
