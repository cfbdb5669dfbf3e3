//! Drives the client: takes what happened, drains what is to be done, and does it. Storage is
//! synchronous here, and hashing mostly, so their answers come within the same drain.

use std::sync::Arc;

use bytes::Bytes;
use headwater_base::{ByteCount, JobId, LinkId, Map, PeerId, ReaderId, Seed, TorrentId, TrackerId};
use headwater_client::{
    Action, AddOptions, Client, Config, Event, FetchError, FetchRange, Input, LinkEnd, PieceState,
    Priority, RangeHead, Source, Step, StoreError, Stored,
};
use headwater_metainfo::Torrent;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use web_sys::FileSystemSyncAccessHandle;

use crate::crossing::{Crossing, order};
use crate::hashing::Hashing;
use crate::links::Links;
use crate::worker::{fault, now, report_panics};
use crate::{Host, Store, show};

/// One client and what it needs of the worker. News go in by its methods; `pump` does the work.
#[wasm_bindgen]
pub struct Shell {
    host: Host,
    client: Client,
    links: Links,
    stores: Map<TorrentId, Store>,
    opening: Map<TorrentId, Arc<Torrent>>,
    written: Vec<(TorrentId, JobId)>,
    hashing: Hashing,
}

#[wasm_bindgen]
impl Shell {
    /// Starts a client; limits are bytes a second.
    #[wasm_bindgen(constructor)]
    pub fn new(
        host: Host,
        trackers: Vec<String>,
        max_peers: Option<u32>,
        upload: Option<f64>,
        download: Option<f64>,
    ) -> Result<Self, JsValue> {
        report_panics();
        let mut random = [0; 52];
        getrandom::fill(&mut random).map_err(|why| fault("no-randomness", &why))?;
        let mut config = Config::new(peer_id(&random[32..]));
        config.trackers = trackers;
        config.upload_limit = upload.map(|limit| limit as u64);
        config.download_limit = download.map(|limit| limit as u64);
        if let Some(max) = max_peers {
            config.links_per_torrent_max = max as usize;
        }
        let seed = random.first_chunk().map_or(Seed([0; 32]), |seed| Seed(*seed));
        Ok(Self {
            host,
            client: Client::new(config, seed),
            links: Links::default(),
            stores: Map::new(),
            opening: Map::new(),
            written: Vec::new(),
            hashing: Hashing::default(),
        })
    }

    /// Adds a torrent and answers `Added` of `www/src/message.ts` as JSON.
    pub fn add(
        &mut self,
        source: &[u8],
        trackers: Vec<String>,
        files: Option<Vec<u32>>,
        paused: bool,
        web_seeds: Vec<String>,
    ) -> Result<String, JsValue> {
        let options = AddOptions { files, trackers, web_seeds, paused, ..AddOptions::default() };
        let added = self.client.add(now(), &Source::read(source), options);
        let added = added.map_err(|error| fault(error.code(), &error))?;
        Ok(show::added(&self.client, added))
    }

    /// Does what the user wants of a torrent: `pause`, `resume`, `remove`, `delete`, `sequential`,
    /// `super` or `plain` seeding, or `choose` with a priority for each file.
    pub fn change(&mut self, torrent: u32, wish: &str, priorities: &[u8]) {
        let torrent = TorrentId(torrent);
        match wish {
            "pause" => self.client.pause(now(), torrent),
            "resume" => self.client.resume(now(), torrent),
            "sequential" => self.client.set_sequential(now(), torrent, true),
            "remove" => self.client.remove(now(), torrent, false),
            "delete" => self.client.remove(now(), torrent, true),
            "super" | "plain" => self.client.super_seed(now(), torrent, wish == "super"),
            _ => {
                let priorities = priorities.iter().map(priority).collect();
                self.client.choose_files(now(), torrent, priorities);
            }
        }
    }

    /// Sets the limits of all torrents together.
    pub fn limit(&mut self, upload: Option<f64>, download: Option<f64>) {
        let limit = |bytes: Option<f64>| bytes.map(|bytes| bytes as u64);
        self.client.set_limits(now(), limit(upload), limit(download));
    }

    /// Sets the limits of one torrent.
    #[wasm_bindgen(js_name = limitOne)]
    pub fn limit_one(&mut self, torrent: u32, upload: Option<f64>, download: Option<f64>) {
        let limit = |bytes: Option<f64>| bytes.map(|bytes| bytes as u64);
        let torrent = TorrentId(torrent);
        self.client.set_torrent_limits(now(), torrent, limit(upload), limit(download));
    }

    /// Sets how many torrents may be active at once.
    pub fn queue(&mut self, downloads: Option<u32>, seeds: Option<u32>) {
        let most = |count: Option<u32>| count.map(|count| count as usize);
        self.client.set_queue(now(), most(downloads), most(seeds));
    }

    /// Gives a torrent another place in the queue.
    pub fn place(&mut self, torrent: u32, place: u32) {
        self.client.move_in_queue(now(), TorrentId(torrent), place as usize);
    }

    /// Does everything there is to do; answers after how many milliseconds to call it again though
    /// nothing happened, negative for never.
    pub fn pump(&mut self) -> f64 {
        loop {
            match self.client.next(now()) {
                Step::Action(action) => self.act(action),
                Step::Event(event) => self.tell(event),
                Step::Sleep(wake) => {
                    if self.settle() {
                        continue;
                    }
                    let wait = wake.map(|wake| wake.at.since(now()).as_secs_f64() * 1000.0);
                    return wait.unwrap_or(-1.0);
                }
            }
        }
    }

    /// Takes bytes that a link brought.
    pub fn bytes(&mut self, link: f64, bytes: Vec<u8>) {
        self.handle(Input::LinkBytes { link: link_id(link), bytes: Bytes::from(bytes) });
    }

    /// Takes news of a link: `opened`, `writable` with the bytes that still wait, `offered` and
    /// `answered` with a description, or how it ended: `closed`, `failed`, `unsupported`.
    pub fn link(&mut self, link: f64, news: &str, waiting: f64, sdp: Option<String>) {
        let link = link_id(link);
        let sdp = sdp.unwrap_or_default();
        let input = match news {
            "opened" => {
                let window = self.links.open(&self.host, link, now());
                Input::LinkOpened { link, window, from: None }
            }
            "writable" => match self.links.drained(&self.host, link, waiting as usize, now()) {
                Some(window) => Input::LinkWritable { link, window },
                None => return,
            },
            "offered" => Input::OfferMade { link, sdp },
            "answered" => Input::AnswerMade { link, sdp },
            end => {
                self.links.close(link);
                Input::LinkClosed { link, end: link_end(end) }
            }
        };
        self.handle(input);
    }

    /// Takes news of a tracker's socket: `opened`, `text` or `closed`.
    pub fn tracker(&mut self, tracker: u32, news: &str, text: String) {
        let tracker = TrackerId(tracker);
        self.handle(match news {
            "opened" => Input::TrackerOpened(tracker),
            "text" => Input::TrackerText { tracker, text },
            _ => Input::TrackerClosed { tracker, why: text },
        });
    }

    /// Takes what a server answered before the bytes: its status, and the headers
    /// `Content-Range`, `Content-Length`, `Content-Encoding` and `Retry-After`, of which the first
    /// is `?` where a page may not see it.
    #[wasm_bindgen(js_name = fetchAnswered)]
    pub fn fetch_answered(&mut self, job: f64, status: u16, headers: Vec<String>) {
        let header = |at: usize| headers.get(at).filter(|text| !text.is_empty()).cloned();
        let number = |at: usize| header(at)?.parse().ok();
        let range = header(0);
        let head = RangeHead {
            status,
            hidden: range.as_deref() == Some("?"),
            range: range.filter(|text| text != "?"),
            length: number(1),
            encoding: header(2),
            retry_after: number(3),
        };
        self.handle(Input::RangeAnswered { job: JobId(job as u64), head });
    }

    /// Takes the next bytes of a fetch.
    #[wasm_bindgen(js_name = fetchBytes)]
    pub fn fetch_bytes(&mut self, job: f64, bytes: Vec<u8>) {
        self.handle(Input::RangeBytes { job: JobId(job as u64), bytes: Bytes::from(bytes) });
    }

    /// Takes how a fetch ended: `done`, `refused` or `unreachable`.
    #[wasm_bindgen(js_name = fetchEnded)]
    pub fn fetch_ended(&mut self, job: f64, end: &str, why: String) {
        let result = match end {
            "done" => Ok(()),
            "refused" => Err(FetchError::Refused(why)),
            _ => Err(FetchError::Unreachable(why)),
        };
        self.handle(Input::RangeFetched { job: JobId(job as u64), result });
    }

    /// Takes what `Host::open_store` found: `opfs` with the handles of bytes and journal, `shared`
    /// with the user's files, or `memory`.
    #[wasm_bindgen(js_name = storeOpened)]
    pub fn store_opened(&mut self, torrent: u32, found: &str, parts: Array) {
        let torrent = TorrentId(torrent);
        let Some(metainfo) = self.opening.remove(&torrent) else {
            parts.iter().for_each(|part| drop(part.dyn_into().map(close)));
            return;
        };
        let opened = match found {
            "opfs" => match (parts.get(0).dyn_into(), parts.get(1).dyn_into()) {
                (Ok(data), Ok(journal)) => Store::opfs(metainfo, data, journal),
                (_, _) => Err(StoreError::Io("no file handles".to_owned())),
            },
            "shared" => Store::shared(metainfo, &parts),
            "memory" => Ok(Store::memory(metainfo)),
            _ => Err(StoreError::Io(format!("no place is called {found}"))),
        };
        let result = opened.map(|(store, stored)| self.keep(torrent, store, stored));
        if result.is_err() {
            self.host.close_store(torrent.0, false);
        }
        self.handle(Input::StoreOpened { torrent, result });
    }

    /// Says whether WebCrypto hashes faster than the wasm: one piece, several, one block, several.
    #[wasm_bindgen(js_name = chooseHashing)]
    pub fn choose_hashing(&mut self, piece: bool, pieces: bool, block: bool, blocks: bool) {
        self.hashing.choose([piece, pieces, block, blocks]);
    }

    /// Takes the digests of a batch given to `Host::digest`; none when it could not.
    pub fn hashed(&mut self, batch: u32, digests: &[u8]) {
        let done = self.hashing.hashed(batch, digests);
        self.all(done);
    }

    /// Makes a reader of a torrent.
    #[wasm_bindgen(js_name = openReader)]
    pub fn open_reader(&mut self, torrent: u32) -> f64 {
        self.client.open_reader(TorrentId(torrent)).0 as f64
    }

    /// Says what a reader waits for; `Host::reader` answers.
    #[wasm_bindgen(js_name = moveReader)]
    pub fn move_reader(&mut self, reader: f64, start: f64, end: f64) {
        let (start, end) = (ByteCount(start as u64), ByteCount(end as u64));
        self.client.move_reader(now(), ReaderId(reader as u64), start, end);
    }

    /// Ends a reader.
    #[wasm_bindgen(js_name = closeReader)]
    pub fn close_reader(&mut self, reader: f64) {
        self.client.close_reader(now(), ReaderId(reader as u64));
    }

    /// Reads bytes that a reader was told of: stored ones, and verified ones of open pieces.
    pub fn read(&mut self, torrent: u32, start: f64, len: u32) -> Result<Uint8Array, JsValue> {
        let store = self.stores.get_mut(&TorrentId(torrent));
        let store = store.ok_or_else(|| fault("not-stored", &"the torrent has no store"))?;
        let (client, torrent) = (&self.client, TorrentId(torrent));
        let open = |piece, begin, len| client.read_open(torrent, piece, begin, len);
        let bytes = store.read_span(start as u64, len, open);
        let bytes = bytes.map_err(|error| fault(show::store_code(&error), &error))?;
        Ok(Uint8Array::from(bytes.as_slice()))
    }

    /// Takes an order of payment, as `crossing` has it.
    pub fn pay(&mut self, word: &str, link: f64, number: f64, bytes: Vec<u8>) {
        if let Some(order) = order(word, link_id(link), number as u64, Bytes::from(bytes)) {
            self.handle(Input::PayOrdered(order));
        }
    }

    /// Bytes that are verified at once, of a torrent that lacks any.
    #[wasm_bindgen(js_name = verifiedAtOnce)]
    pub fn verified_at_once(&self, torrent: u32) -> Option<f64> {
        self.client.verified_at_once(TorrentId(torrent)).map(|bytes| bytes as f64)
    }

    /// The `.torrent` file; nothing while metadata is unknown.
    #[wasm_bindgen(js_name = torrentFile)]
    pub fn torrent_file(&self, torrent: u32) -> Option<Vec<u8>> {
        self.client.metainfo(TorrentId(torrent)).map(|metainfo| metainfo.to_bytes())
    }

    /// `Snapshot` of `www/src/message.ts` as JSON; nothing when there is no such torrent.
    pub fn snapshot(&self, torrent: u32) -> Option<String> {
        show::snapshot(&self.client, TorrentId(torrent))
    }

    /// The state of every piece: 0 absent, 1 available, 2 partial, 3 stored.
    pub fn pieces(&self, torrent: u32) -> Vec<u8> {
        let states = self.client.piece_states(TorrentId(torrent));
        states.into_iter().map(piece_state).collect()
    }

    /// `ClientStats` of `www/src/message.ts` as JSON.
    pub fn totals(&self) -> String {
        show::totals(&self.client)
    }
}

impl Shell {
    fn handle(&mut self, input: Input) {
        self.client.handle(now(), input);
    }

    fn keep(&mut self, torrent: TorrentId, store: Store, stored: Stored) -> Stored {
        if let Some(old) = self.stores.insert(torrent, store) {
            old.close();
        }
        stored
    }

    /// Makes no link: a page cannot dial.
    fn refuse(&mut self, link: LinkId) {
        self.handle(Input::LinkClosed { link, end: LinkEnd::Unsupported });
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::OpenStore { torrent, metainfo } => {
                // By the name it was added as, by which the page looks for it.
                let name = self.client.info_hash(torrent).unwrap_or(metainfo.info_hash);
                self.host.open_store(torrent.0, &name.to_string());
                self.opening.insert(torrent, metainfo);
            }
            Action::CloseStore { torrent, delete } => self.close_store(torrent, delete),
            Action::ReadBlock { job, torrent, piece, begin, len } => {
                let read = self.stored(torrent, |store| store.read(piece, begin, len));
                self.handle(Input::BlockRead { job, result: read.map(Bytes::from) });
            }
            Action::HashPiece { job, data } => self.hashing.piece(job, data),
            Action::HashStored { job, torrent, piece } => {
                let result = self.stored(torrent, |store| store.hash(piece));
                self.handle(Input::PieceHashed { job, result });
            }
            Action::HashBlocks { job, blocks } => self.hashing.blocks(job, blocks),
            Action::HashLeaves { job, torrent, piece } => {
                let result = self.stored(torrent, |store| store.hash_leaves(piece));
                self.handle(Input::BlocksHashed { job, result });
            }
            Action::WritePiece { job, torrent, piece, data } => {
                match self.stored(torrent, |store| store.write(piece, &data)) {
                    Ok(()) => self.written.push((torrent, job)),
                    Err(error) => self.handle(Input::PieceWritten { job, result: Err(error) }),
                }
            }
            Action::FetchRange(FetchRange { job, url, start, end, .. }) => {
                self.host.fetch("get", job.0 as f64, &url, start as f64, end as f64);
            }
            Action::CancelFetch(job) => self.host.fetch("drop", job.0 as f64, "", 0.0, 0.0),
            Action::OpenTracker { tracker, url } => self.host.tracker("open", tracker.0, &url),
            Action::SendTracker { tracker, text } => self.host.tracker("send", tracker.0, &text),
            Action::CloseTracker(tracker) => self.host.tracker("close", tracker.0, ""),
            Action::MakeOffer(link) => self.peer("offer", link, None),
            Action::MakeAnswer { link, offer } => self.peer("answer", link, Some(&offer)),
            Action::TakeAnswer { link, answer } => self.peer("accept", link, Some(&answer)),
            Action::Dial { link, .. } => self.refuse(link),
            Action::Ask(_) | Action::Seek { .. } => {}
            Action::Send { link, bytes } => self.links.send(&self.host, link, &bytes),
            Action::CloseLink(link) => {
                self.links.flush_one(&self.host, link);
                self.links.close(link);
                self.host.peer("drop", link.0 as f64, "");
            }
        }
    }

    fn peer(&mut self, order: &str, link: LinkId, remote: Option<&str>) {
        self.links.describe(link, remote);
        self.host.peer(order, link.0 as f64, remote.unwrap_or_default());
    }

    fn stored<T>(
        &mut self,
        torrent: TorrentId,
        work: impl FnOnce(&mut Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match self.stores.get_mut(&torrent) {
            Some(store) => work(store),
            None => Err(StoreError::Io("the store is closed".to_owned())),
        }
    }

    /// Ends a drain: pieces written in it become safe together, and links send what is left.
    /// Answers whether the client heard anything new by that.
    fn settle(&mut self) -> bool {
        let done = self.hashing.work(&self.host);
        let mut heard = !done.is_empty();
        self.all(done);
        heard |= self.commit();
        let (client, at) = (&mut self.client, now());
        self.links.flush(&self.host, at, |link, window| {
            client.handle(at, Input::LinkWritable { link, window });
            heard = true;
        });
        heard
    }

    fn all(&mut self, inputs: Vec<Input>) {
        inputs.into_iter().for_each(|input| self.handle(input));
    }

    fn commit(&mut self) -> bool {
        let written = std::mem::take(&mut self.written);
        let mut results = Map::new();
        for (torrent, _) in &written {
            if !results.contains_key(torrent) {
                results.insert(*torrent, self.stored(*torrent, Store::commit));
            }
        }
        for (torrent, job) in &written {
            let result = results.get(torrent).cloned().unwrap_or(Ok(()));
            self.handle(Input::PieceWritten { job: *job, result });
        }
        !written.is_empty()
    }

    fn close_store(&mut self, torrent: TorrentId, delete: bool) {
        self.commit();
        self.opening.remove(&torrent);
        if let Some(store) = self.stores.remove(&torrent) {
            store.close();
        }
        self.host.close_store(torrent.0, delete);
    }

    fn tell(&mut self, event: Event) {
        if let Event::ReaderReady { reader, end } = event {
            self.host.reader(reader.0 as f64, end.0 as f64);
        } else if let Event::ReaderFailed(reader) = event {
            self.host.reader(reader.0 as f64, -1.0);
        } else if let Event::Pay(news) = event {
            let Crossing { word, link, number, bytes } = news.into();
            self.host.pay(word, link.0 as f64, number as f64, &bytes);
        } else if let Some((torrent, json)) = show::event(&self.client, event) {
            self.host.event(torrent.0, &json);
        }
    }
}

/// Client code and version as BEP 20 has it, then characters that every tracker takes.
fn peer_id(random: &[u8]) -> PeerId {
    const LETTERS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-.";
    let mut id = *b"-HW0100-000000000000";
    for (place, byte) in id[8..].iter_mut().zip(random) {
        *place = LETTERS[usize::from(byte % 64)];
    }
    PeerId(id)
}

fn link_id(link: f64) -> LinkId {
    LinkId(link as u64)
}

fn link_end(end: &str) -> LinkEnd {
    match end {
        "failed" => LinkEnd::Failed,
        "unsupported" => LinkEnd::Unsupported,
        _ => LinkEnd::Closed,
    }
}

fn priority(number: &u8) -> Priority {
    match number {
        0 => Priority::Skip,
        1 => Priority::Normal,
        _ => Priority::High,
    }
}

fn piece_state(state: PieceState) -> u8 {
    match state {
        PieceState::Absent => 0,
        PieceState::Available => 1,
        PieceState::Partial => 2,
        PieceState::Stored => 3,
    }
}

fn close(handle: FileSystemSyncAccessHandle) {
    handle.close();
}
