//! The loop around the client: inputs in as they come, steps out until it sleeps.

use std::collections::BTreeMap;
use std::future::pending;
use std::net::SocketAddr;

use bytes::Bytes;
use headwater_base::{LinkId, PieceIndex, Seed, Time, TorrentId};
use headwater_client::{
    Action, AddError, AddOptions, Added, Client, Event, Input, LinkEnd, Source, Step, StoreError,
    Wake,
};
use headwater_pay::RecordError;
use tokio::sync::{broadcast, mpsc, oneshot};

use super::announce::Announces;
use super::clock::Clock;
use super::disk::{Disk, Moved, Place};
use super::fetch::Fetches;
use super::finders::Finders;
use super::paying::{Paying, Purse, Said};
use super::tracker::Trackers;
use super::{News, Order};
use crate::router::{Router, Status};
use crate::transport::{Kind, LinkEvent, Links, Net, Transport as _};

/// Most inputs taken before the client is asked what to do.
const BATCH_MAX: usize = 64;

/// Answers and link events that may wait.
const QUEUE_MAX: usize = 256;

/// What all links did since the shell started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Links that opened.
    pub opened: u64,
    /// Links and attempts alive.
    pub alive: u64,
    /// Bytes that came in, protocol included.
    pub received: u64,
    /// Bytes that went out, protocol included.
    pub sent: u64,
    /// Addresses that were refused by a list.
    pub refused: u64,
}

/// Owns the client and everything it acts on.
pub(super) struct Driver {
    client: Client,
    clock: Clock,
    places: BTreeMap<TorrentId, Place>,
    links: Links,
    open: BTreeMap<LinkId, Flow>,
    totals: Totals,
    disk: Disk,
    fetches: Fetches,
    announces: Announces,
    trackers: Trackers,
    finders: Finders,
    router: Option<Router>,
    /// Nothing of payment runs without it.
    paying: Option<Paying>,
    link_events: mpsc::Receiver<LinkEvent>,
    answers: mpsc::Receiver<Input>,
    news: broadcast::Sender<News>,
    stopping: Option<oneshot::Sender<()>>,
}

#[derive(Clone, Copy)]
struct Flow {
    kind: Kind,
    received: u64,
    sent: u64,
}

impl Driver {
    pub(super) fn new(client: Client, mut net: Net, news: broadcast::Sender<News>) -> Self {
        let (tell_links, link_events) = mpsc::channel(QUEUE_MAX);
        let (answer, answers) = mpsc::channel(QUEUE_MAX);
        let listens = net.streams.as_ref().and_then(|(_, bound)| bound.port());
        let finders = core::mem::take(&mut net.finders);
        let proxy = net.proxy.take();
        let fetches = Fetches::new(answer.clone(), proxy.clone());
        let router = net.router.as_ref();
        let router = router.map(|config| Router::start(config, answer.clone(), news.clone()));
        Self {
            client,
            clock: Clock::start(),
            places: BTreeMap::new(),
            links: Links::new(net, &tell_links),
            open: BTreeMap::new(),
            totals: Totals::default(),
            disk: Disk::new(answer.clone()),
            announces: Announces::new(answer.clone(), fetches.net()),
            fetches,
            finders: Finders::start(finders, listens, &answer),
            router,
            paying: None,
            trackers: Trackers::new(answer, proxy),
            link_events,
            answers,
            news,
            stopping: None,
        }
    }

    /// Runs until it is stopped or nobody holds the shell any more.
    pub(super) async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let mut wake = self.drain();
        while self.stopping.is_none() {
            let alarm = wake.map(|wake| self.clock.moment(wake.at));
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => order(&mut self),
                    None => break,
                },
                Some(event) = self.link_events.recv() => self.link(event),
                Some(input) = self.answers.recv() => self.handle(input),
                said = Paying::next(&mut self.paying) => self.said(said),
                () = until(alarm) => {}
            }
            self.take_waiting();
            wake = self.drain();
        }
        self.goodbye().await;
    }

    /// Takes what else has come, so that one drain serves it all.
    fn take_waiting(&mut self) {
        for _ in 0..BATCH_MAX {
            let (event, input) = (self.link_events.try_recv(), self.answers.try_recv());
            let said = self.paying.as_mut().and_then(Paying::waiting);
            if event.is_err() && input.is_err() && said.is_none() {
                return;
            }
            if let Some(said) = said {
                self.said(said);
            }
            if let Ok(event) = event {
                self.link(event);
            }
            if let Ok(input) = input {
                self.handle(input);
            }
        }
    }

    async fn goodbye(&mut self) {
        for torrent in self.client.torrents() {
            self.client.remove(self.clock.now(), torrent, false);
        }
        self.drain();
        // Nobody takes events any more: a full queue must not hold up the links.
        self.link_events.close();
        self.answers.close();
        self.fetches.finish();
        let router = async {
            if let Some(router) = &mut self.router {
                router.finish().await;
            }
        };
        let paying = async {
            if let Some(paying) = &mut self.paying {
                paying.finish().await;
            }
        };
        tokio::join!(
            router,
            paying,
            self.announces.finish(),
            self.trackers.finish(),
            self.finders.finish(),
            self.links.finish(),
            self.disk.finish()
        );
        self.tell(News::Stopped);
        if let Some(done) = self.stopping.take() {
            let _ = done.send(());
        }
    }

    pub(super) fn stop(&mut self, done: oneshot::Sender<()>) {
        self.stopping = Some(done);
    }

    pub(super) fn add(
        &mut self,
        source: &Source<'_>,
        options: AddOptions,
        place: Place,
    ) -> Result<Added, AddError> {
        let added = self.client.add(self.clock.now(), source, options)?;
        if added.new && place.opening.verify {
            self.client.verify(self.clock.now(), added.torrent);
        }
        self.places.entry(added.torrent).or_insert(place);
        self.name_torrents();
        Ok(added)
    }

    pub(super) fn call<T>(&mut self, call: impl FnOnce(&mut Client, Time) -> T) -> T {
        call(&mut self.client, self.clock.now())
    }

    /// Lets the client pay and be paid, once.
    pub(super) fn pay(&mut self, purse: Purse, seed: &Seed) -> Result<(), RecordError> {
        if self.paying.is_none() {
            let now = self.clock.now();
            self.paying = Some(Paying::start(purse, &mut self.client, now, seed)?);
        }
        Ok(())
    }

    /// Whether payment runs.
    pub(super) fn pays(&self) -> bool {
        self.paying.is_some()
    }

    fn said(&mut self, said: Said) {
        match said {
            Said::Input(input) => self.client.handle_pay(self.clock.now(), input),
            Said::News(news) => self.tell(News::Pay(news)),
        }
    }

    /// Hands out what payment wants done.
    fn spend(&mut self) {
        while let Some(step) = self.client.next_pay() {
            let news = self.paying.as_mut().and_then(|paying| paying.act(step));
            if let Some(news) = news {
                self.tell(News::Pay(news));
            }
        }
    }

    /// Reads verified bytes of a piece, from the store or from an open piece.
    pub(super) fn read(
        &mut self,
        torrent: TorrentId,
        span: (PieceIndex, u32, u32),
        answer: oneshot::Sender<Result<Bytes, StoreError>>,
    ) {
        let (piece, begin, len) = span;
        match self.client.read_open(torrent, piece, begin, len) {
            Some(bytes) => {
                let _ = answer.send(Ok(bytes));
            }
            None => self.disk.read_for(torrent, span, answer),
        }
    }

    /// Moves a torrent to where it goes once it is done, if it goes anywhere.
    pub(super) fn finish(&self, torrent: TorrentId, answer: oneshot::Sender<Moved>) {
        match self.places.get(&torrent).and_then(|place| place.finished.clone()) {
            Some(to) => self.disk.move_to(torrent, to, answer),
            None => {
                let _ = answer.send(Ok(None));
            }
        }
    }

    /// Moves a torrent that is done, and tells what came of it.
    fn done(&self, torrent: TorrentId) {
        let (answer, moved) = oneshot::channel();
        self.finish(torrent, answer);
        let news = self.news.clone();
        tokio::spawn(async move {
            if let Ok(Some(result)) = moved.await.map(Result::transpose) {
                // Nobody has to listen.
                let _ = news.send(News::Moved { torrent, result });
            }
        });
    }

    /// What an open link is made of.
    pub(super) fn kind(&self, link: LinkId) -> Option<Kind> {
        self.open.get(&link).map(|flow| flow.kind)
    }

    pub(super) fn totals(&self) -> Totals {
        Totals { alive: self.links.count() as u64, refused: self.links.refused(), ..self.totals }
    }

    /// How it stands with the router, if it is asked for ports.
    pub(super) fn router(&self) -> Option<Status> {
        self.router.as_ref().map(Router::status)
    }

    fn handle(&mut self, input: Input) {
        self.client.handle(self.clock.now(), input);
    }

    fn link(&mut self, event: LinkEvent) {
        let input = match event {
            LinkEvent::OfferMade { link, sdp } => Input::OfferMade { link, sdp },
            LinkEvent::AnswerMade { link, sdp } => Input::AnswerMade { link, sdp },
            LinkEvent::Opened { link, kind, from } => {
                self.opened(link, kind);
                Input::LinkOpened { link, window: self.links.window(link), from }
            }
            LinkEvent::Accepted { link, kind, window, from } => {
                self.opened(link, kind);
                Input::LinkAccepted { link, window, from }
            }
            LinkEvent::Bytes { link, bytes } => {
                self.totals.received += bytes.len() as u64;
                if let Some(flow) = self.open.get_mut(&link) {
                    flow.received += bytes.len() as u64;
                }
                Input::LinkBytes { link, bytes }
            }
            LinkEvent::Drained(link) => {
                Input::LinkWritable { link, window: self.links.window(link) }
            }
            LinkEvent::Closed { link, end } => {
                self.forget(link);
                Input::LinkClosed { link, end }
            }
        };
        self.handle(input);
    }

    fn opened(&mut self, link: LinkId, kind: Kind) {
        self.open.insert(link, Flow { kind, received: 0, sent: 0 });
        self.totals.opened += 1;
        self.tell(News::LinkOpened { link, kind });
    }

    fn forget(&mut self, link: LinkId) {
        self.links.close(link);
        if let Some(Flow { received, sent, .. }) = self.open.remove(&link) {
            self.tell(News::LinkClosed { link, received, sent });
        }
    }

    fn tell(&self, news: News) {
        // Nobody has to listen.
        let _ = self.news.send(news);
    }

    /// Does what the client says until it sleeps.
    fn drain(&mut self) -> Option<Wake> {
        loop {
            match self.client.next(self.clock.now()) {
                Step::Action(action) => self.act(action),
                Step::Event(event) => {
                    if matches!(event, Event::MetadataKnown(_)) {
                        self.name_torrents();
                    }
                    if let Event::TorrentDone(torrent) = event {
                        self.done(torrent);
                    }
                    self.tell(News::Client(event));
                }
                Step::Sleep(wake) => {
                    self.spend();
                    return wake;
                }
            }
        }
    }

    fn close_store(&mut self, torrent: TorrentId, delete: bool) {
        if let Some(place) = self.places.get_mut(&torrent) {
            // What was verified once may change while the store is closed.
            (place.opening.verified, place.opening.verify) = (None, false);
        }
        self.disk.close(torrent, delete);
    }

    /// Dials, unless this shell was started without streams.
    fn dial(&mut self, link: LinkId, address: SocketAddr) {
        if !self.links.dial(link, address) {
            self.handle(Input::LinkClosed { link, end: LinkEnd::Unsupported });
        }
    }

    /// Tells the links which torrents are here: a torrent has two hashes once it is known as a
    /// hybrid.
    fn name_torrents(&self) {
        let torrents = self.client.torrents();
        self.links.set_names(torrents.into_iter().flat_map(|torrent| self.client.names(torrent)));
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::OpenStore { torrent, metainfo } => match self.places.get(&torrent).cloned() {
                Some(place) => self.disk.open(torrent, metainfo, place),
                None => {
                    let result = Err(StoreError::Io("no folder was named for it".to_owned()));
                    self.handle(Input::StoreOpened { torrent, result });
                }
            },
            Action::CloseStore { torrent, delete } => self.close_store(torrent, delete),
            Action::ReadBlock { job, torrent, piece, begin, len } => {
                self.disk.read(job, torrent, (piece, begin, len));
            }
            Action::HashPiece { job, data } => self.disk.hash(job, data),
            Action::HashStored { job, torrent, piece } => {
                self.disk.hash_stored(job, torrent, piece);
            }
            Action::HashBlocks { job, blocks } => self.disk.hash_blocks(job, blocks),
            Action::HashLeaves { job, torrent, piece } => {
                self.disk.hash_leaves(job, torrent, piece);
            }
            Action::WritePiece { job, torrent, piece, data } => {
                self.disk.write(job, torrent, piece, data);
            }
            Action::FetchRange(fetch) => self.fetches.get(fetch),
            Action::CancelFetch(job) => self.fetches.drop(job),
            Action::Ask(ask) => self.announces.ask(*ask),
            Action::OpenTracker { tracker, url } => self.trackers.open(tracker, url),
            Action::SendTracker { tracker, text } => self.trackers.send(tracker, text),
            Action::CloseTracker(tracker) => self.trackers.close(tracker),
            Action::MakeOffer(link) => self.links.rtc().make_offer(link),
            Action::MakeAnswer { link, offer } => self.links.rtc().make_answer(link, offer),
            Action::TakeAnswer { link, answer } => self.links.rtc().take_answer(link, answer),
            Action::Dial { link, address } => self.dial(link, address),
            Action::Seek { torrent, info_hash, announce } => {
                self.finders.seek(torrent, info_hash, announce);
            }
            Action::Send { link, bytes } => {
                self.totals.sent += bytes.len() as u64;
                if let Some(flow) = self.open.get_mut(&link) {
                    flow.sent += bytes.len() as u64;
                }
                self.links.send(link, bytes);
            }
            Action::CloseLink(link) => self.forget(link),
        }
    }
}

async fn until(alarm: Option<tokio::time::Instant>) {
    match alarm {
        Some(alarm) => tokio::time::sleep_until(alarm).await,
        None => pending().await,
    }
}
