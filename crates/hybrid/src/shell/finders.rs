//! What finds peers where nobody keeps a list: the DHT and the local network.

use headwater_base::{InfoHash, TorrentId};
use headwater_engine::Input;
use tokio::sync::mpsc;

use crate::dht::{self, Dht};
use crate::lsd::{self, Lsd};

/// The finders of a shell, whose ports are taken.
#[derive(Debug, Default)]
pub struct Bound {
    /// The DHT node, if it has one.
    pub dht: Option<dht::Bound>,
    /// The groups of the local network, if it is in them.
    pub lsd: Option<lsd::Bound>,
}

/// The finders of a running shell.
pub(super) struct Finders {
    dht: Option<Dht>,
    lsd: Option<Lsd>,
}

impl Finders {
    /// Reports to `found`. The local network is told the TCP port `listens`, whatever a router
    /// makes of it. Must be called inside a Tokio runtime.
    pub(super) fn start(bound: Bound, listens: Option<u16>, found: &mpsc::Sender<Input>) -> Self {
        let lsd = bound.lsd.zip(listens);
        Self {
            dht: bound.dht.map(|bound| Dht::start(bound, found.clone())),
            lsd: lsd.map(|(bound, listens)| Lsd::start(bound, listens, found.clone())),
        }
    }

    /// Looks for peers of a torrent.
    pub(super) fn seek(&self, torrent: TorrentId, info_hash: InfoHash, announce: Option<u16>) {
        if let Some(dht) = &self.dht {
            dht.seek(dht::Order { torrent, info_hash, announce });
        }
        if let Some(lsd) = &self.lsd {
            lsd.seek(lsd::Order { torrent, info_hash });
        }
    }

    /// Ends.
    pub(super) async fn finish(&mut self) {
        self.lsd = None;
        if let Some(dht) = &mut self.dht {
            dht.finish().await;
        }
    }
}
