//! The client: the engine with names for torrents and readers given out by itself.

use std::sync::Arc;

use headwater_base::{ByteCount, InfoHash, Map, ReaderId, Seed, Time, TorrentId};
use headwater_engine::{
    Config, Engine, EngineView, Input, PeerView, PieceState, Priority, Step, TorrentView,
};
use headwater_metainfo::Torrent;

use crate::source::{self, AddError, Source};

/// What a shell drives.
pub struct Client {
    engine: Engine,
    by_hash: Map<InfoHash, TorrentId>,
    torrents: Map<TorrentId, InfoHash>,
    readers: Map<ReaderId, TorrentId>,
    next_torrent: u32,
    next_reader: u64,
}

/// How to add a torrent.
#[derive(Clone, Debug, Default)]
pub struct AddOptions {
    /// Indices of the files to fetch; `None` for what the source says, or else all.
    pub files: Option<Vec<u32>>,
    /// Trackers besides those of the source, one tier each.
    pub trackers: Vec<String>,
    /// Whether it waits for `Client::resume`.
    pub paused: bool,
    /// Whether pieces come in the order of the torrent.
    pub sequential: bool,
}

/// What came of adding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Added {
    /// The torrent's name in this client.
    pub torrent: TorrentId,
    /// Whether it was not there before.
    pub new: bool,
}

impl Client {
    /// Makes a client without torrents. The same seed and calls give the same outputs.
    pub fn new(config: Config, seed: Seed) -> Self {
        Self {
            engine: Engine::new(config, &seed),
            by_hash: Map::new(),
            torrents: Map::new(),
            readers: Map::new(),
            next_torrent: 0,
            next_reader: 0,
        }
    }

    /// Adds a torrent, or gives a known one the source's trackers and metadata.
    pub fn add(
        &mut self,
        now: Time,
        source: &Source<'_>,
        options: AddOptions,
    ) -> Result<Added, AddError> {
        let mut add = source::read(source)?;
        add.trackers.extend(options.trackers.into_iter().map(|url| vec![url]));
        add.files = options.files.or(add.files);
        add.paused = options.paused;
        let known = self.by_hash.get(&add.info_hash).copied();
        let torrent = known.unwrap_or_else(|| {
            let torrent = TorrentId(self.next_torrent);
            self.next_torrent += 1;
            self.by_hash.insert(add.info_hash, torrent);
            self.torrents.insert(torrent, add.info_hash);
            torrent
        });
        self.engine.handle(now, Input::TorrentAdded { torrent, add: Box::new(add) });
        if options.sequential {
            self.set_sequential(now, torrent, true);
        }
        Ok(Added { torrent, new: known.is_none() })
    }

    /// Removes a torrent; with `delete` its stored data goes too.
    pub fn remove(&mut self, now: Time, torrent: TorrentId, delete: bool) {
        if let Some(hash) = self.torrents.remove(&torrent) {
            self.by_hash.remove(&hash);
            self.engine.handle(now, Input::TorrentRemoved { torrent, delete });
            self.readers.retain(|_, read| *read != torrent);
        }
    }

    /// Stops a torrent: its links close and nothing flows.
    pub fn pause(&mut self, now: Time, torrent: TorrentId) {
        self.engine.handle(now, Input::TorrentPaused(torrent));
    }

    /// Starts a paused or failed torrent again.
    pub fn resume(&mut self, now: Time, torrent: TorrentId) {
        self.engine.handle(now, Input::TorrentResumed(torrent));
    }

    /// Chooses what to fetch, a priority for each file in order; missing ones are `Normal`.
    pub fn choose_files(&mut self, now: Time, torrent: TorrentId, priorities: Vec<Priority>) {
        self.engine.handle(now, Input::FilesChosen { torrent, priorities });
    }

    /// Has pieces come in the order of the torrent, or the rarest first.
    pub fn set_sequential(&mut self, now: Time, torrent: TorrentId, sequential: bool) {
        self.engine.handle(now, Input::OrderChosen { torrent, sequential });
    }

    /// Sets the limits of all torrents together, in bytes a second; `None` for no limit.
    pub fn set_limits(&mut self, now: Time, upload: Option<u64>, download: Option<u64>) {
        self.engine.handle(now, Input::LimitsChanged { upload, download });
    }

    /// Makes a reader of a torrent; it asks for nothing until it is moved.
    pub fn open_reader(&mut self, torrent: TorrentId) -> ReaderId {
        let reader = ReaderId(self.next_reader);
        self.next_reader += 1;
        self.readers.insert(reader, torrent);
        reader
    }

    /// Says that `reader` lacks the bytes from `start` and will soon want those up to `end`, both
    /// counted from the torrent's first byte. `Event::ReaderReady` answers.
    pub fn move_reader(&mut self, now: Time, reader: ReaderId, start: ByteCount, end: ByteCount) {
        if let Some(&torrent) = self.readers.get(&reader) {
            self.engine.handle(now, Input::ReaderMoved { reader, torrent, start, end });
        }
    }

    /// Ends a reader.
    pub fn close_reader(&mut self, now: Time, reader: ReaderId) {
        if self.readers.remove(&reader).is_some() {
            self.engine.handle(now, Input::ReaderClosed(reader));
        }
    }

    /// Takes note of something that happened outside. Call `next` afterwards.
    pub fn handle(&mut self, now: Time, input: Input) {
        self.engine.handle(now, input);
    }

    /// Returns the next thing to do. Call until it answers `Sleep`; a link may stall otherwise.
    pub fn next(&mut self, now: Time) -> Step {
        self.engine.next(now)
    }

    /// A torrent's metadata, once it is known.
    pub fn metainfo(&self, torrent: TorrentId) -> Option<Arc<Torrent>> {
        self.engine.metainfo(torrent)
    }

    /// A torrent's identity.
    pub fn info_hash(&self, torrent: TorrentId) -> Option<InfoHash> {
        self.torrents.get(&torrent).copied()
    }

    /// Every torrent, oldest first.
    pub fn torrents(&self) -> Vec<TorrentId> {
        self.torrents.keys().copied().collect()
    }

    /// All torrents together.
    pub fn view(&self) -> EngineView {
        self.engine.view()
    }

    /// One torrent.
    pub fn torrent_view(&self, torrent: TorrentId) -> Option<TorrentView> {
        self.engine.torrent_view(torrent)
    }

    /// The peers of one torrent that finished their handshake.
    pub fn peer_views(&self, torrent: TorrentId) -> Vec<PeerView> {
        self.engine.peer_views(torrent)
    }

    /// Every piece of one torrent; empty while its metadata is unknown.
    pub fn piece_states(&self, torrent: TorrentId) -> Vec<PieceState> {
        self.engine.piece_states(torrent)
    }
}

#[cfg(test)]
mod tests {
    use headwater_base::PeerId;

    use super::*;

    const HEX: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn known_torrent_keeps_its_name_until_it_is_removed() {
        let mut client = Client::new(Config::new(PeerId([1; 20])), Seed([1; 32]));
        let mut add = || {
            let added = client.add(Time::ZERO, &Source::InfoHash(HEX), AddOptions::default());
            let Added { torrent, new } = added.unwrap();
            if !new {
                client.remove(Time::ZERO, torrent, false);
            }
            (torrent.0, new)
        };
        assert_eq!([add(), add(), add()], [(0, true), (0, false), (1, true)]);
        assert_eq!(client.torrents(), [TorrentId(1)]);
        assert_eq!(client.info_hash(TorrentId(1)), InfoHash::from_hex(HEX));
        assert_eq!(client.info_hash(TorrentId(0)), None);
    }

    #[test]
    fn reader_of_a_removed_torrent_is_told_so() {
        let mut client = Client::new(Config::new(PeerId([1; 20])), Seed([1; 32]));
        let source = Source::InfoHash(HEX);
        let added = client.add(Time::ZERO, &source, AddOptions::default()).unwrap();
        let reader = client.open_reader(added.torrent);
        client.move_reader(Time::ZERO, reader, ByteCount(0), ByteCount(9));
        client.remove(Time::ZERO, added.torrent, false);
        let mut steps = std::iter::from_fn(|| match client.next(Time::ZERO) {
            Step::Sleep(_) => None,
            step @ (Step::Action(_) | Step::Event(_)) => Some(step),
        });
        assert!(steps.any(|step| matches!(
            step,
            Step::Event(headwater_engine::Event::ReaderFailed(of)) if of == reader
        )));
    }
}
