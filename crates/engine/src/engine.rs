//! The whole engine: hands what happened to the part it concerns, and collects what to do.
//! Knows which link and job belongs to which torrent; knows nothing of how pieces are picked.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::sync::Arc;

use bytes::Bytes;
use headwater_base::{
    InfoHash, JobId, LinkId, Map, PieceIndex, ReaderId, Seed, Time, TorrentId, TrackerId,
};
use headwater_metainfo::Torrent;

use crate::desk::{Desk, Job};
use crate::discovery::{DiscoveryInput, Out};
use crate::peer::PAYS;
use crate::picker::Window;
use crate::timer::Timer;
use crate::transfer::Transfer;
use crate::{
    ACCEPTED_FROM, AddTorrent, Asked, AskedFailure, Config, EngineView, Event, Input, LinkEnd,
    PayOrder, PeerView, PieceState, Step, TorrentView, Wake,
};

/// The BitTorrent state machine of all torrents together.
pub struct Engine {
    pub(crate) desk: Desk,
    pub(crate) transfers: Map<TorrentId, Transfer>,
    pub(crate) readers: Map<ReaderId, TorrentId>,
    /// Every torrent, those that may be active first.
    pub(crate) queue: Vec<TorrentId>,
}

impl Engine {
    /// Makes an engine without torrents. The same seed and inputs give the same outputs.
    pub fn new(config: Config, seed: &Seed) -> Self {
        let desk = Desk::new(config, seed);
        Self { desk, transfers: Map::new(), readers: Map::new(), queue: Vec::new() }
    }

    /// Takes note of something that happened. Call `next` afterwards.
    pub fn handle(&mut self, now: Time, input: Input) {
        self.desk.now = now.max(self.desk.now);
        match input {
            Input::TorrentAdded { torrent, add } => self.add(torrent, *add),
            Input::TorrentRemoved { torrent, delete } => self.remove(torrent, delete),
            Input::TorrentPaused(torrent) => self.with(torrent, Transfer::pause),
            Input::TorrentResumed(torrent) => self.with(torrent, Transfer::resume),
            Input::TorrentDoubted(torrent) => self.with(torrent, Transfer::doubt_all),
            Input::FilesChosen { torrent, priorities } => {
                self.with(torrent, |transfer, desk| transfer.choose(desk, priorities));
            }
            Input::OrderChosen { torrent, sequential } => {
                self.with(torrent, |transfer, _| transfer.order(sequential));
            }
            Input::SuperSeedChosen { torrent, on } => {
                self.with(torrent, |transfer, desk| transfer.choose_super(desk, on));
            }
            Input::ReaderMoved { reader, torrent, start, end } => {
                let window = Window { start: start.0, end: end.0 };
                self.move_reader(reader, torrent, window);
            }
            Input::ReaderClosed(reader) => {
                if let Some(torrent) = self.readers.remove(&reader) {
                    self.desk.requeue = true;
                    self.with(torrent, |transfer, desk| transfer.close_reader(desk, reader));
                }
            }
            Input::LimitsChanged { upload, download } => self.limits_changed(upload, download),
            Input::TorrentLimited { torrent, upload, download } => {
                self.with(torrent, |transfer, desk| transfer.limit(desk, upload, download));
            }
            Input::QueueLimited { downloads, seeds } => self.limit_queue(downloads, seeds),
            Input::QueueMoved { torrent, place } => self.move_in_queue(torrent, place),
            Input::PayOrdered(order) => self.pay_ordered(order),
            Input::StoreOpened { torrent, result } => {
                self.with(torrent, |transfer, desk| transfer.store_opened(desk, result));
            }
            Input::BlockRead { job, .. }
            | Input::PieceHashed { job, .. }
            | Input::BlocksHashed { job, .. }
            | Input::PieceWritten { job, .. } => self.job_done(job, input),
            Input::RangeAnswered { job, .. }
            | Input::RangeBytes { job, .. }
            | Input::RangeFetched { job, .. } => self.fetch_news(job, input),
            Input::LinkBytes { link, bytes } => self.link_said(link, bytes),
            Input::LinkWritable { link, window } => {
                self.on_link(link, |transfer, desk| transfer.writable(desk, link, window));
            }
            Input::LinkClosed { link, end } => self.link_closed(link, end),
            Input::PeersFound { torrent, finder, addresses } => {
                self.desk.discovery.peers_found(self.desk.now, torrent, finder, &addresses);
            }
            Input::PortsMapped { listens, dht } => self.ports_mapped(listens, dht),
            Input::LinkOpened { link, window, from } => self.link_opened(link, window, from),
            Input::LinkAccepted { link, window, from } => self.link_accepted(link, window, from),
            Input::TrackerOpened(tracker) => self.discover(DiscoveryInput::TrackerOpened(tracker)),
            Input::TrackerText { tracker, text } => {
                self.discover(DiscoveryInput::TrackerText { tracker, text });
            }
            Input::TrackerClosed { tracker, why } => self.tracker_closed(tracker, why),
            Input::Asked { tracker, info_hash, result } => self.asked(tracker, info_hash, result),
            Input::OfferMade { link, sdp } => {
                self.discover(DiscoveryInput::OfferMade { link, sdp });
            }
            Input::AnswerMade { link, sdp } => {
                self.discover(DiscoveryInput::AnswerMade { link, sdp });
            }
        }
    }

    /// Does what payment orders, in a build that pays.
    fn pay_ordered(&mut self, order: PayOrder) {
        if !PAYS {
            return;
        }
        match order {
            PayOrder::Terms(terms) => {
                self.desk.pay_terms = terms;
                for transfer in self.transfers.values_mut() {
                    transfer.terms_chosen(&mut self.desk);
                }
            }
            PayOrder::Say { link, payload } => {
                self.on_link(link, |transfer, desk| transfer.say_pay(desk, link, payload));
            }
            PayOrder::Sell { link, weight } => {
                self.on_link(link, |transfer, desk| transfer.sell_slot(desk, link, weight));
            }
            PayOrder::Allow { link, bytes } => {
                self.on_link(link, |transfer, desk| transfer.allow_paid(desk, link, bytes));
            }
            PayOrder::Charge { link, charges } => {
                self.on_link(link, |transfer, _| transfer.charged_by(link, charges));
            }
            PayOrder::Meet(seeds) => self.desk.discovery.meet(self.desk.now, seeds),
        }
    }

    fn ports_mapped(&mut self, listens: Option<u16>, dht: Option<u16>) {
        if self.desk.discovery.map_ports(self.desk.now, listens, dht) {
            for transfer in self.transfers.values_mut() {
                transfer.say_ports(&mut self.desk);
            }
            self.drain_discovery();
        }
    }

    fn tracker_closed(&mut self, tracker: TrackerId, why: String) {
        self.discover(DiscoveryInput::TrackerClosed { tracker, why });
    }

    fn asked(&mut self, tracker: TrackerId, hash: InfoHash, result: Result<Asked, AskedFailure>) {
        self.desk.discovery.asked(self.desk.now, (tracker, hash), result);
        self.drain_discovery();
    }

    fn limits_changed(&mut self, upload: Option<u64>, download: Option<u64>) {
        self.desk.config.upload_limit = upload;
        self.desk.config.download_limit = download;
        self.desk.upload.set_rate(upload);
        self.desk.download.set_rate(download);
        self.desk.free_gates();
        for transfer in self.transfers.values_mut() {
            transfer.free_web_gates(&mut self.desk);
        }
    }

    fn link_closed(&mut self, link: LinkId, end: LinkEnd) {
        if self.desk.links.contains_key(&link) {
            self.on_link(link, |transfer, desk| transfer.link_closed(desk, link));
        } else {
            self.discover(DiscoveryInput::LinkClosed { link, end });
        }
    }

    fn link_opened(&mut self, link: LinkId, window: usize, from: Option<IpAddr>) {
        self.discover(DiscoveryInput::LinkOpened { link, window, from });
    }

    fn link_accepted(&mut self, link: LinkId, window: usize, from: SocketAddr) {
        assert!(link.0 >= ACCEPTED_FROM, "{link} is below {ACCEPTED_FROM}");
        self.discover(DiscoveryInput::LinkAccepted { link, window, from });
    }

    /// Hands bytes to the torrent of a link. Once those of a link that came in tell which torrent
    /// that is, it gets the link and all that came.
    fn link_said(&mut self, link: LinkId, bytes: Bytes) {
        if self.desk.links.contains_key(&link) {
            return self.on_link(link, |transfer, desk| transfer.received(desk, link, bytes));
        }
        let Some((hash, said)) = self.desk.discovery.arrival_said(link, &bytes) else { return };
        let found = self.transfers.iter().find(|(_, transfer)| transfer.version_of(hash).is_some());
        let torrent = found.map(|(torrent, _)| *torrent);
        self.desk.discovery.claim(self.desk.now, link, torrent);
        self.drain_discovery();
        self.on_link(link, |transfer, desk| transfer.received(desk, link, said));
    }

    /// Hands discovery its news. Links that open are taken over at once, since bytes may follow.
    fn discover(&mut self, news: DiscoveryInput) {
        self.desk.discovery.handle(self.desk.now, news);
        self.drain_discovery();
    }

    fn drain_discovery(&mut self) {
        while let Some(out) = self.desk.discovery.next(self.desk.now) {
            match out {
                Out::Action(action) => self.desk.act(action),
                Out::Event(event) => self.desk.tell(event),
                Out::Say { torrent, link, message } => {
                    self.with(torrent, |transfer, desk| {
                        transfer.say_signal(desk, link, &message);
                    });
                }
                Out::Linked { torrent, link, role, window, who } => {
                    assert!(self.transfers.contains_key(&torrent), "{link} is of no torrent");
                    self.desk.links.insert(link, torrent);
                    self.with(torrent, |transfer, desk| {
                        transfer.linked(desk, (link, role), window, who);
                    });
                }
            }
        }
    }

    /// Returns the next thing to do. Call until it answers `Sleep`; a link may stall otherwise.
    pub fn next(&mut self, now: Time) -> Step {
        self.desk.now = now.max(self.desk.now);
        loop {
            if core::mem::take(&mut self.desk.requeue) {
                self.review_queue();
            }
            if let Some(step) = self.desk.steps.pop_front() {
                return step;
            }
            if let Some((torrent, link)) = self.desk.kicks.pop_first() {
                self.with(torrent, |transfer, desk| transfer.work(desk, link));
                continue;
            }
            if let Some(timer) = self.desk.timers.due(self.desk.now) {
                self.rang(timer);
                continue;
            }
            if let Some(torrent) = self.desk.hash_due.pop_first() {
                self.with(torrent, Transfer::hash_queued);
                continue;
            }
            self.drain_discovery();
            let idle = self.desk.steps.is_empty() && self.desk.kicks.is_empty();
            if idle && !self.desk.requeue {
                return Step::Sleep(self.wake());
            }
        }
    }

    /// The next deadline, always later than the present.
    fn wake(&self) -> Option<Wake> {
        let ours = self.desk.timers.first().map(|(at, timer)| Wake { at, why: timer.name() });
        let theirs = self.desk.discovery.wake();
        let wake = ours.into_iter().chain(theirs).min_by_key(|wake| wake.at)?;
        let soon = self.desk.now + Duration::from_millis(1);
        Some(Wake { at: wake.at.max(soon), ..wake })
    }

    fn rang(&mut self, timer: Timer) {
        match timer {
            Timer::Handshake(link)
            | Timer::Greet(link)
            | Timer::KeepAlive(link)
            | Timer::Silence(link)
            | Timer::Snub(link)
            | Timer::Retire(link)
            | Timer::Useless(link)
            | Timer::Upload(link)
            | Timer::Download(link)
            | Timer::Pex(link) => {
                self.on_link(link, |transfer, desk| transfer.rang(desk, timer));
            }
            Timer::Choke(torrent)
            | Timer::Metadata(torrent)
            | Timer::Hashes(torrent)
            | Timer::Urgent(torrent)
            | Timer::WebSeeds(torrent)
            | Timer::Want(torrent) => {
                self.with(torrent, |transfer, desk| transfer.rang(desk, timer));
            }
            Timer::Measure => {
                let now = self.desk.now;
                if self.desk.sent.rate(now) + self.desk.fetched.rate(now) > 0 {
                    self.desk.measure();
                }
            }
        }
    }

    fn with(&mut self, torrent: TorrentId, act: impl FnOnce(&mut Transfer, &mut Desk)) {
        if let Some(transfer) = self.transfers.get_mut(&torrent) {
            act(transfer, &mut self.desk);
        }
    }

    fn on_link(&mut self, link: LinkId, act: impl FnOnce(&mut Transfer, &mut Desk)) {
        if let Some(&torrent) = self.desk.links.get(&link) {
            self.with(torrent, act);
        }
    }

    fn add(&mut self, torrent: TorrentId, mut add: AddTorrent) {
        if let Some(transfer) = self.transfers.get_mut(&torrent) {
            transfer.merge(&mut self.desk, add);
            return;
        }
        let web_seeds = core::mem::take(&mut add.web_seeds);
        let mut transfer = Transfer::new(torrent, add, &self.desk.config);
        transfer.begin(&mut self.desk, web_seeds);
        self.transfers.insert(torrent, transfer);
        self.queue.push(torrent);
        self.desk.requeue = true;
    }

    fn remove(&mut self, torrent: TorrentId, delete: bool) {
        if let Some(transfer) = self.transfers.remove(&torrent) {
            transfer.remove(&mut self.desk, delete);
            self.queue.retain(|queued| *queued != torrent);
            self.desk.requeue = true;
            self.readers.retain(|_, of| *of != torrent);
        }
    }

    fn move_reader(&mut self, reader: ReaderId, torrent: TorrentId, window: Window) {
        match self.transfers.get_mut(&torrent) {
            Some(transfer) => {
                // A torrent that is read leaves the queue.
                self.desk.requeue |= self.readers.insert(reader, torrent) != Some(torrent);
                transfer.move_reader(&mut self.desk, reader, window);
            }
            None => self.desk.tell(Event::ReaderFailed(reader)),
        }
    }

    fn job_done(&mut self, job: JobId, answer: Input) {
        if let Some((torrent, done)) = self.desk.jobs.remove(&job) {
            self.with(torrent, |transfer, desk| transfer.job_done(desk, job, done, answer));
        }
    }

    /// News of a fetch; its job stays until the last.
    fn fetch_news(&mut self, job: JobId, news: Input) {
        if let Some(&(torrent, Job::Fetch { link })) = self.desk.jobs.get(&job) {
            self.with(torrent, |transfer, desk| transfer.fetch_news(desk, link, news));
        }
    }

    /// The settings it runs with.
    pub fn config(&self) -> &Config {
        &self.desk.config
    }

    /// Whether all that is chosen of a torrent is stored.
    pub fn is_done(&self, torrent: TorrentId) -> bool {
        self.transfers.get(&torrent).is_some_and(Transfer::is_done)
    }

    /// A torrent's metadata, once it is known.
    pub fn metainfo(&self, torrent: TorrentId) -> Option<Arc<Torrent>> {
        self.transfers.get(&torrent)?.metainfo()
    }

    /// Bytes of a piece that are verified and not stored yet; `None` when not all of them are.
    pub fn read_open(
        &self,
        torrent: TorrentId,
        piece: PieceIndex,
        begin: u32,
        len: u32,
    ) -> Option<Bytes> {
        self.transfers.get(&torrent)?.read_open(piece, begin, len)
    }

    /// All torrents together.
    pub fn view(&self) -> EngineView {
        let now = self.desk.now;
        EngineView {
            download_speed: self.desk.fetched.rate(now),
            upload_speed: self.desk.sent.rate(now),
            peers: self.transfers.values().map(Transfer::peer_count).sum(),
            links: self.desk.links.len() + self.desk.discovery.attempts(),
        }
    }

    /// One torrent.
    pub fn torrent_view(&self, torrent: TorrentId) -> Option<TorrentView> {
        Some(self.transfers.get(&torrent)?.view(&self.desk))
    }

    /// The peers of one torrent that finished their handshake.
    pub fn peer_views(&self, torrent: TorrentId) -> Vec<PeerView> {
        self.transfers.get(&torrent).map(|of| of.peer_views(&self.desk)).unwrap_or_default()
    }

    /// Every piece of one torrent; empty while its metadata is unknown.
    pub fn piece_states(&self, torrent: TorrentId) -> Vec<PieceState> {
        self.transfers.get(&torrent).map(Transfer::piece_states).unwrap_or_default()
    }
}
