//! The client: the engine with names for torrents and readers given out by itself. Knows that both
//! info-hashes of a hybrid name one torrent.

use std::sync::Arc;

use bytes::Bytes;
use headwater_base::{
    BLOCK_LEN, ByteCount, Digest256, InfoHash, Map, PieceIndex, ReaderId, Seed, Time, TorrentId,
};
use headwater_engine::{
    Config, Engine, EngineView, Event, Input, PeerView, PieceState, Priority, Step, TorrentView,
    Warning, WebSeed,
};
use headwater_metainfo::Torrent;

use crate::source::{self, AddError, Source};

/// What a shell drives.
pub struct Client {
    pub(crate) engine: Engine,
    #[cfg(feature = "pay")]
    pub(crate) payment: crate::payment::Inside,
    /// Every info-hash that names a torrent; a hybrid has two once its metadata is known.
    by_hash: Map<InfoHash, TorrentId>,
    torrents: Map<TorrentId, Named>,
    readers: Map<ReaderId, TorrentId>,
    next_torrent: u32,
    next_reader: u64,
    /// What is to be told next.
    twin: Option<Event>,
}

/// What a torrent was added as.
struct Named {
    info_hash: InfoHash,
    v2: Option<Digest256>,
}

/// How to add a torrent.
#[derive(Clone, Debug, Default)]
pub struct AddOptions {
    /// Indices of the files to fetch; `None` for what the source says, or else all.
    pub files: Option<Vec<u32>>,
    /// Trackers besides those of the source, one tier each.
    pub trackers: Vec<String>,
    /// Web seeds besides those of the source (BEP 19), named by the user himself.
    pub web_seeds: Vec<String>,
    /// Whether it waits for `Client::resume`.
    pub paused: bool,
    /// Whether pieces come in the order of the torrent.
    pub sequential: bool,
    /// Whether it is joined for browsers, and only what they ask for is fetched.
    pub bridge: bool,
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
            #[cfg(feature = "pay")]
            payment: crate::payment::Inside::new(&seed),
            by_hash: Map::new(),
            torrents: Map::new(),
            readers: Map::new(),
            next_torrent: 0,
            next_reader: 0,
            twin: None,
        }
    }

    /// Adds a torrent, or gives a known one the source's trackers and metadata.
    pub fn add(
        &mut self,
        now: Time,
        source: &Source<'_>,
        options: AddOptions,
    ) -> Result<Added, AddError> {
        let (mut add, v2) = source::read(source)?;
        add.trackers.extend(options.trackers.into_iter().map(|url| vec![url]));
        let named =
            options.web_seeds.iter().filter_map(|url| headwater_metainfo::web_seed_url(url));
        let named = named.map(|url| WebSeed { url, trusted: true });
        add.web_seeds.splice(0..0, named);
        add.files = options.files.or(add.files);
        add.paused = options.paused;
        add.bridge = options.bridge;
        let names = [Some(add.info_hash), v2.as_ref().map(InfoHash::cut)];
        let known = names.iter().flatten().find_map(|name| self.by_hash.get(name).copied());
        let torrent = known.unwrap_or_else(|| {
            let torrent = TorrentId(self.next_torrent);
            self.next_torrent += 1;
            self.torrents.insert(torrent, Named { info_hash: add.info_hash, v2 });
            torrent
        });
        for name in names.into_iter().flatten() {
            self.by_hash.entry(name).or_insert(torrent);
        }
        if let Some(named) = self.torrents.get_mut(&torrent) {
            named.v2 = named.v2.or(v2);
        }
        self.engine.handle(now, Input::TorrentAdded { torrent, add: Box::new(add) });
        if options.sequential {
            self.set_sequential(now, torrent, true);
        }
        Ok(Added { torrent, new: known.is_none() })
    }

    /// Removes a torrent; with `delete` its stored data goes too.
    pub fn remove(&mut self, now: Time, torrent: TorrentId, delete: bool) {
        if self.torrents.remove(&torrent).is_some() {
            self.by_hash.retain(|_, named| *named != torrent);
            self.engine.handle(now, Input::TorrentRemoved { torrent, delete });
            self.readers.retain(|_, read| *read != torrent);
        }
    }

    /// Bytes that are verified at once, of a torrent that lacks any: a block in v2, a piece in v1.
    pub fn verified_at_once(&self, torrent: TorrentId) -> Option<u64> {
        verified_at_once(&self.engine, torrent)
    }

    /// Stops a torrent: its links close and nothing flows.
    pub fn pause(&mut self, now: Time, torrent: TorrentId) {
        self.engine.handle(now, Input::TorrentPaused(torrent));
    }

    /// Starts a paused or failed torrent again.
    pub fn resume(&mut self, now: Time, torrent: TorrentId) {
        self.engine.handle(now, Input::TorrentResumed(torrent));
    }

    /// Has everything that is stored hashed again, whatever its record says.
    pub fn verify(&mut self, now: Time, torrent: TorrentId) {
        self.engine.handle(now, Input::TorrentDoubted(torrent));
    }

    /// Chooses what to fetch, a priority for each file in order; missing ones are `Normal`.
    pub fn choose_files(&mut self, now: Time, torrent: TorrentId, priorities: Vec<Priority>) {
        self.engine.handle(now, Input::FilesChosen { torrent, priorities });
    }

    /// Has pieces come in the order of the torrent, or the rarest first.
    pub fn set_sequential(&mut self, now: Time, torrent: TorrentId, sequential: bool) {
        self.engine.handle(now, Input::OrderChosen { torrent, sequential });
    }

    /// Chooses whether a torrent that is whole shows its pieces one by one (BEP 16), so that a
    /// new torrent spreads while little leaves the seed twice.
    pub fn super_seed(&mut self, now: Time, torrent: TorrentId, on: bool) {
        self.engine.handle(now, Input::SuperSeedChosen { torrent, on });
    }

    /// Sets the limits of all torrents together, in bytes a second; `None` for no limit.
    pub fn set_limits(&mut self, now: Time, upload: Option<u64>, download: Option<u64>) {
        self.engine.handle(now, Input::LimitsChanged { upload, download });
    }

    /// Sets one torrent's own limits, in bytes a second; `None` for no limit.
    pub fn set_torrent_limits(
        &mut self,
        now: Time,
        torrent: TorrentId,
        upload: Option<u64>,
        download: Option<u64>,
    ) {
        self.engine.handle(now, Input::TorrentLimited { torrent, upload, download });
    }

    /// Sets how many torrents may be active at once; `None` for all.
    pub fn set_queue(&mut self, now: Time, downloads: Option<usize>, seeds: Option<usize>) {
        self.engine.handle(now, Input::QueueLimited { downloads, seeds });
    }

    /// Gives a torrent another place in the queue, 0 being the first.
    pub fn move_in_queue(&mut self, now: Time, torrent: TorrentId, place: usize) {
        self.engine.handle(now, Input::QueueMoved { torrent, place });
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
        if let Some(warning) = self.twin.take() {
            return Step::Event(warning);
        }
        #[cfg(feature = "pay")]
        let step = self.payment.step(now, &mut self.engine);
        #[cfg(not(feature = "pay"))]
        let step = self.engine.next(now);
        if let Step::Event(Event::MetadataKnown(torrent)) = step {
            self.learn_names(now, torrent);
        }
        step
    }

    /// Takes both info-hashes of a torrent whose metadata came. One that is another's shows that
    /// the two are the same torrent: the later one stops.
    fn learn_names(&mut self, now: Time, torrent: TorrentId) {
        let Some(metainfo) = self.engine.metainfo(torrent) else { return };
        let v2 = metainfo.info_hash_v2;
        for name in [Some(metainfo.info_hash), v2.as_ref().map(InfoHash::cut)].into_iter().flatten()
        {
            let named = *self.by_hash.entry(name).or_insert(torrent);
            if named != torrent {
                self.engine.handle(now, Input::TorrentPaused(torrent));
                let warning = Warning::Twin(named);
                self.twin = Some(Event::Warned { torrent, warning });
            }
        }
        if let Some(known) = self.torrents.get_mut(&torrent) {
            known.v2 = v2;
        }
    }

    /// A torrent's metadata, once it is known.
    pub fn metainfo(&self, torrent: TorrentId) -> Option<Arc<Torrent>> {
        self.engine.metainfo(torrent)
    }

    /// What a torrent was added as: it stays so, whatever other names it turns out to have.
    pub fn info_hash(&self, torrent: TorrentId) -> Option<InfoHash> {
        self.torrents.get(&torrent).map(|named| named.info_hash)
    }

    /// A torrent's v2 info-hash, once its source or its metadata said it.
    pub fn info_hash_v2(&self, torrent: TorrentId) -> Option<Digest256> {
        self.torrents.get(&torrent)?.v2
    }

    /// Every hash of 20 bytes that others may know a torrent by (BEP 52): what it was added as,
    /// that of v1, and that of v2 cut.
    pub fn names(&self, torrent: TorrentId) -> impl Iterator<Item = InfoHash> {
        let v1 = self.metainfo(torrent).map(|metainfo| metainfo.info_hash);
        let v2 = self.info_hash_v2(torrent).as_ref().map(InfoHash::cut);
        [self.info_hash(torrent), v1, v2].into_iter().flatten()
    }

    /// The torrent that others may know by this hash.
    pub fn find(&self, hash: InfoHash) -> Option<TorrentId> {
        self.torrents.keys().copied().find(|torrent| self.names(*torrent).any(|name| name == hash))
    }

    /// Every torrent, oldest first.
    pub fn torrents(&self) -> Vec<TorrentId> {
        self.torrents.keys().copied().collect()
    }

    /// Bytes of a piece that are verified and not stored yet; `None` when not all of them are. A
    /// reader that was told of bytes finds them here or in the store.
    pub fn read_open(
        &self,
        torrent: TorrentId,
        piece: PieceIndex,
        begin: u32,
        len: u32,
    ) -> Option<Bytes> {
        self.engine.read_open(torrent, piece, begin, len)
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

/// See [`Client::verified_at_once`].
pub(crate) fn verified_at_once(engine: &Engine, torrent: TorrentId) -> Option<u64> {
    let metainfo = engine.metainfo(torrent).filter(|_| !engine.is_done(torrent))?;
    let by_block = metainfo.info_hash_v2.is_some();
    Some(u64::from(if by_block { BLOCK_LEN } else { metainfo.piece_length }))
}

#[cfg(test)]
mod tests {
    use headwater_base::PeerId;
    use headwater_metainfo::create::{Draft, Options};
    use headwater_metainfo::{RawPublication, Version};

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

    fn hybrid() -> Torrent {
        let options = Options { version: Version::Hybrid, ..Options::default() };
        let mut draft = Draft::single("film", ByteCount(3), options).unwrap();
        draft.feed(b"abc").unwrap();
        draft.finish().unwrap()
    }

    fn client() -> Client {
        Client::new(Config::new(PeerId([1; 20])), Seed([1; 32]))
    }

    fn add(client: &mut Client, source: &str) -> Added {
        client.add(Time::ZERO, &Source::read(source), AddOptions::default()).unwrap()
    }

    fn events(client: &mut Client) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            match client.next(Time::ZERO) {
                Step::Sleep(_) => return events,
                Step::Event(event) => events.push(event),
                Step::Action(_) => {}
            }
        }
    }

    #[test]
    fn both_hashes_of_a_hybrid_name_one_torrent_once_that_is_known() {
        let (torrent, mut client) = (hybrid(), client());
        let v2 = headwater_base::hex(&torrent.info_hash_v2.unwrap());
        let added = add(&mut client, &v2);
        assert_eq!(
            client.info_hash(added.torrent),
            torrent.info_hash_v2.as_ref().map(InfoHash::cut)
        );
        // A link with both hashes tells it before any metadata does.
        let again = add(&mut client, &torrent.magnet().to_string());
        assert_eq!((again.torrent, again.new), (added.torrent, false));
        assert!(!add(&mut client, &torrent.info_hash.to_string()).new);
        client.remove(Time::ZERO, added.torrent, false);
        let source = Source::Torrent(Arc::new(torrent.clone()));
        let file = client.add(Time::ZERO, &source, AddOptions::default()).unwrap();
        assert!(file.new && !add(&mut client, &v2).new);
        assert_eq!(client.info_hash_v2(file.torrent), torrent.info_hash_v2);
    }

    #[test]
    fn what_a_file_or_else_the_first_link_says_of_the_publisher_counts() {
        let said = |text: &str| RawPublication::read(text.as_bytes()).unwrap();
        let (one, two) = (said("d1:xi1ee"), said("d1:xi2ee"));
        let plain = hybrid();
        let of = |publication: Option<&RawPublication>| Torrent {
            publication: publication.cloned(),
            ..plain.clone()
        };
        let link = |publication| of(Some(publication)).magnet().to_string();
        let file = |client: &mut Client, publication| {
            let source = Source::Torrent(Arc::new(of(publication)));
            client.add(Time::ZERO, &source, AddOptions::default()).unwrap().torrent
        };
        let known =
            |client: &Client, torrent| client.metainfo(torrent).unwrap().publication.clone();

        let mut links = client();
        let torrent = add(&mut links, &link(&one)).torrent;
        add(&mut links, &link(&two));
        file(&mut links, None);
        add(&mut links, &link(&two));
        assert_eq!(known(&links, torrent), Some(one.clone()));

        let mut late = client();
        let torrent = file(&mut late, None);
        assert_eq!(known(&late, torrent), None);
        add(&mut late, &link(&one));
        assert_eq!(known(&late, torrent), Some(one.clone()));

        let mut files = client();
        add(&mut files, &link(&one));
        let torrent = file(&mut files, Some(&two));
        add(&mut files, &link(&one));
        assert_eq!(known(&files, torrent), Some(two));
    }

    #[test]
    fn a_torrent_that_turns_out_to_be_another_stops() {
        let (torrent, mut client) = (hybrid(), client());
        let v1 = add(&mut client, &torrent.info_hash.to_string()).torrent;
        let v2 = add(&mut client, &headwater_base::hex(&torrent.info_hash_v2.unwrap()));
        assert!(v2.new, "nothing links the two yet");
        let (add, _) = source::read(&Source::Torrent(Arc::new(torrent))).unwrap();
        let input = Input::TorrentAdded { torrent: v2.torrent, add: Box::new(add) };
        client.handle(Time::ZERO, input);
        let warning = Warning::Twin(v1);
        let told = events(&mut client);
        assert!(told.contains(&Event::Warned { torrent: v2.torrent, warning }), "{told:?}");
        let state = |torrent| client.torrent_view(torrent).map(|view| view.state);
        assert_eq!(state(v2.torrent), Some(headwater_engine::TorrentState::Paused));
        assert_ne!(state(v1), Some(headwater_engine::TorrentState::Paused));
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
            Step::Event(Event::ReaderFailed(of)) if of == reader
        )));
    }
}
