//! A small world for whole engines: shells that obey at once, a tracker, links with latency and
//! a window, memory for stores. Everything happens in virtual time and in a fixed order.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use headwater_base::{
    Bitfield, ByteCount, InfoHash, LinkId, PeerId, PieceIndex, Rng, Seed, Time, TorrentId,
    TrackerId, sha1,
};
use headwater_engine::{
    ACCEPTED_FROM, Action, AddTorrent, Config, Engine, Event, Input, LinkEnd, Step, Stored,
};
use headwater_metainfo::Torrent;
use headwater_metainfo::create::{Draft, Options};
use headwater_wire::tracker::{AnnounceReply, ClientMessage, Happening, TrackerMessage};

/// The only torrent of every host.
pub(crate) const T: TorrentId = TorrentId(1);
const URL: &str = "ws://tracker.example";
/// Bytes on the way in one direction of a link.
const WINDOW: usize = 256 * 1024;

/// Where a link ends: host and its name there.
type End = (usize, LinkId);

/// One engine and its shell.
pub(crate) struct Host {
    pub(crate) engine: Engine,
    pub(crate) peer: PeerId,
    pub(crate) events: Vec<Event>,
    /// Piece bytes that came over links.
    pub(crate) got: u64,
    /// Whether its shell ends its own offer when the peer that answers has offered too, as
    /// WebTorrent 3.0.21 does.
    pub(crate) drops_doubled: bool,
    /// Offers its shell made.
    pub(crate) offers: usize,
    /// Bytes the store has when it opens.
    content: Option<Arc<Vec<u8>>>,
    metainfo: Option<Arc<Torrent>>,
    pieces: BTreeMap<PieceIndex, Vec<u8>>,
}

/// Something that reaches a host or the tracker later.
enum Coming {
    Input(usize, Input),
    Bytes(End, Bytes),
    Tracker(usize, TrackerId, String),
}

/// Hosts, what is between them, and a tracker.
pub(crate) struct Net {
    pub(crate) now: Time,
    pub(crate) hosts: Vec<Host>,
    pub(crate) latency: Duration,
    pub(crate) tracker_down: bool,
    /// Hosts that cannot reach the tracker, whatever the others can.
    pub(crate) cut_off: BTreeSet<usize>,
    /// Pairs of hosts, the smaller first, between which no link opens.
    pub(crate) apart: BTreeSet<(usize, usize)>,
    /// Hosts whose shells see the addresses of those they are linked with.
    pub(crate) sees: BTreeSet<usize>,
    /// Who dialled whom, and when.
    pub(crate) dials: Vec<(Time, usize, SocketAddr)>,
    accepted: u64,
    /// Changes the settings of hosts to come.
    pub(crate) configure: fn(&mut Config),
    /// Sockets the tracker has: they break when it dies.
    sockets: BTreeSet<(usize, TrackerId)>,
    pub(crate) swarm: BTreeMap<(InfoHash, PeerId), (usize, TrackerId, u64)>,
    coming: BTreeMap<(Time, u64), Coming>,
    posted: u64,
    rng: Rng,
    /// The offer each answering end answers.
    answering: BTreeMap<End, End>,
    /// Open links, both ways.
    wires: BTreeMap<End, End>,
    on_the_way: BTreeMap<End, usize>,
    /// What happened in which order, to compare runs.
    pub(crate) trace: [u8; 20],
}

/// A torrent of `len` bytes that look random, and those bytes.
pub(crate) fn torrent(len: usize) -> (Arc<Torrent>, Arc<Vec<u8>>) {
    make(len, false)
}

/// The same for a private torrent.
pub(crate) fn private_torrent(len: usize) -> (Arc<Torrent>, Arc<Vec<u8>>) {
    make(len, true)
}

fn make(len: usize, private: bool) -> (Arc<Torrent>, Arc<Vec<u8>>) {
    let mut content = vec![0; len];
    Seed([77; 32]).split("content").fill(&mut content);
    let options = Options {
        piece_length: Some(64 * 1024),
        trackers: vec![vec![URL.to_owned()]],
        private,
        ..Options::default()
    };
    let mut draft =
        Draft::single("film.mp4", ByteCount(len as u64), options).expect("a valid draft");
    draft.feed(&content).expect("as many bytes as said");
    (Arc::new(draft.finish().expect("all bytes fed")), Arc::new(content))
}

impl Net {
    pub(crate) fn new(seed: u8) -> Self {
        Self {
            now: Time::ZERO,
            hosts: Vec::new(),
            latency: Duration::from_millis(20),
            tracker_down: false,
            cut_off: BTreeSet::new(),
            apart: BTreeSet::new(),
            sees: BTreeSet::new(),
            dials: Vec::new(),
            accepted: 0,
            configure: |_| {},
            sockets: BTreeSet::new(),
            swarm: BTreeMap::new(),
            coming: BTreeMap::new(),
            posted: 0,
            rng: Seed([seed; 32]).split("net"),
            answering: BTreeMap::new(),
            wires: BTreeMap::new(),
            on_the_way: BTreeMap::new(),
            trace: [0; 20],
        }
    }

    /// A host that has everything.
    pub(crate) fn seed(&mut self, metainfo: &Arc<Torrent>, content: &Arc<Vec<u8>>) -> usize {
        self.host(metainfo, Some(content.clone()), Some(metainfo.clone()), false)
    }

    /// A host that has the torrent file and nothing else.
    pub(crate) fn torrent_file(&mut self, metainfo: &Arc<Torrent>) -> usize {
        self.host(metainfo, None, Some(metainfo.clone()), false)
    }

    /// A host that knows the torrent by a magnet link only.
    pub(crate) fn magnet(&mut self, metainfo: &Arc<Torrent>) -> usize {
        self.host(metainfo, None, None, false)
    }

    /// A host that knows the torrent's hash and joins its swarm for others.
    pub(crate) fn bridge(&mut self, metainfo: &Arc<Torrent>) -> usize {
        self.host(metainfo, None, None, true)
    }

    fn host(
        &mut self,
        torrent: &Arc<Torrent>,
        content: Option<Arc<Vec<u8>>>,
        metainfo: Option<Arc<Torrent>>,
        bridge: bool,
    ) -> usize {
        let n = self.hosts.len();
        let mut peer = PeerId(*b"-HW0100-............");
        self.rng.fill(&mut peer.0[8..]);
        let mut config = Config::new(peer);
        (self.configure)(&mut config);
        let mut engine = Engine::new(config, &Seed([n as u8; 32]));
        let add = Box::new(AddTorrent {
            info_hash: torrent.info_hash,
            info_hash_v2: None,
            metainfo,
            name: None,
            trackers: vec![vec![URL.to_owned()]],
            publication: None,
            web_seeds: Vec::new(),
            files: None,
            paused: false,
            bridge,
        });
        engine.handle(self.now, Input::TorrentAdded { torrent: T, add });
        self.hosts.push(Host {
            engine,
            peer,
            events: Vec::new(),
            got: 0,
            drops_doubled: false,
            offers: 0,
            content,
            metainfo: None,
            pieces: BTreeMap::new(),
        });
        n
    }

    /// Lets time pass until `done`, or for `span` at most; answers whether it was done.
    pub(crate) fn run_until(&mut self, span: Duration, done: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + span;
        loop {
            let mut wake: Option<Time> = None;
            for n in 0..self.hosts.len() {
                let at = self.drain(n);
                wake = wake.into_iter().chain(at).min();
            }
            if done(self) {
                return true;
            }
            let first = self.coming.keys().next().map(|(at, _)| *at);
            let next = wake.into_iter().chain(first).min().filter(|next| *next <= end);
            let Some(next) = next else { break };
            self.now = self.now.max(next);
            while let Some(first) = self.coming.first_entry() {
                if first.key().0 > self.now {
                    break;
                }
                let coming = first.remove();
                self.arrive(coming);
            }
        }
        self.now = end;
        false
    }

    pub(crate) fn run(&mut self, span: Duration) {
        self.run_until(span, |_| false);
    }

    /// Gives a host an input at once.
    pub(crate) fn tell(&mut self, n: usize, input: Input) {
        self.hosts[n].engine.handle(self.now, input);
    }

    fn drain(&mut self, n: usize) -> Option<Time> {
        loop {
            match self.hosts[n].engine.next(self.now) {
                Step::Action(action) => {
                    self.note(n, &action);
                    self.act(n, action);
                }
                Step::Event(event) => self.hosts[n].events.push(event),
                Step::Sleep(wake) => return wake.map(|wake| wake.at),
            }
        }
    }

    fn note(&mut self, n: usize, action: &Action) {
        let what = match action {
            Action::Send { link, bytes } => format!("send {link} {:?}", sha1(bytes)),
            Action::HashPiece { job, data } => format!("hash {job} {}", data.len()),
            Action::WritePiece { job, piece, .. } => format!("write {job} {piece}"),
            Action::OpenStore { .. }
            | Action::CloseStore { .. }
            | Action::ReadBlock { .. }
            | Action::HashStored { .. }
            | Action::FetchRange(_)
            | Action::CancelFetch(_)
            | Action::HashBlocks { .. }
            | Action::HashLeaves { .. }
            | Action::OpenTracker { .. }
            | Action::SendTracker { .. }
            | Action::CloseTracker(_)
            | Action::MakeOffer(_)
            | Action::MakeAnswer { .. }
            | Action::TakeAnswer { .. }
            | Action::Dial { .. }
            | Action::Ask(_)
            | Action::Seek { .. }
            | Action::CloseLink(_) => format!("{action:?}"),
        };
        let line = format!("{} {n} {what}", self.now.as_micros());
        self.trace = sha1(&[&self.trace, line.as_bytes()].concat());
    }

    fn post(&mut self, after: Duration, coming: Coming) {
        self.posted += 1;
        self.coming.insert((self.now + after, self.posted), coming);
    }

    fn answer(&mut self, n: usize, after_ms: u64, input: Input) {
        self.post(Duration::from_millis(after_ms), Coming::Input(n, input));
    }

    fn arrive(&mut self, coming: Coming) {
        match coming {
            Coming::Input(n, input) => self.hosts[n].engine.handle(self.now, input),
            Coming::Tracker(n, socket, text) => self.track(n, socket, &text),
            Coming::Bytes(to, bytes) => {
                let Some(from) = self.wires.get(&to).copied() else { return };
                let way = self.on_the_way.entry(from).or_default();
                *way -= bytes.len();
                let window = WINDOW - *way;
                self.hosts[to.0].got += bytes.len() as u64;
                self.hosts[to.0].engine.handle(self.now, Input::LinkBytes { link: to.1, bytes });
                self.answer(from.0, 0, Input::LinkWritable { link: from.1, window });
            }
        }
    }

    fn act(&mut self, n: usize, action: Action) {
        match action {
            Action::OpenTracker { tracker, .. }
                if self.tracker_down || self.cut_off.contains(&n) =>
            {
                let why = "connection refused".to_owned();
                self.answer(n, 5, Input::TrackerClosed { tracker, why });
            }
            Action::OpenTracker { tracker, .. } => {
                self.sockets.insert((n, tracker));
                self.answer(n, 20, Input::TrackerOpened(tracker));
            }
            Action::SendTracker { tracker, text } => {
                self.post(self.latency, Coming::Tracker(n, tracker, text));
            }
            Action::CloseTracker(tracker) => {
                self.sockets.remove(&(n, tracker));
            }
            Action::MakeOffer(link) => {
                self.hosts[n].offers += 1;
                self.answer(n, 300, Input::OfferMade { link, sdp: sdp((n, link)) });
            }
            Action::MakeAnswer { link, offer } => {
                self.answering.insert((n, link), author(&offer));
                self.answer(n, 200, Input::AnswerMade { link, sdp: sdp((n, link)) });
            }
            Action::TakeAnswer { link, answer } => self.connect((n, link), author(&answer)),
            Action::Dial { link, address } => self.dial((n, link), address),
            Action::Send { link, bytes } => self.send((n, link), bytes),
            Action::CloseLink(link) => self.close((n, link)),
            Action::OpenStore { torrent, metainfo } => self.open_store(n, torrent, metainfo),
            Action::CloseStore { .. }
            | Action::FetchRange(_)
            | Action::CancelFetch(_)
            | Action::Ask(_)
            | Action::Seek { .. } => {}
            Action::ReadBlock { job, piece, begin, len, .. } => {
                let bytes = &self.hosts[n].pieces[&piece][begin as usize..(begin + len) as usize];
                let result = Ok(Bytes::copy_from_slice(bytes));
                self.answer(n, 1, Input::BlockRead { job, result });
            }
            Action::HashPiece { job, data } => {
                self.answer(n, 1, Input::PieceHashed { job, result: Ok(sha1(&data)) });
            }
            Action::HashStored { job, piece, .. } => {
                let result = Ok(sha1(&self.hosts[n].pieces[&piece]));
                self.answer(n, 1, Input::PieceHashed { job, result });
            }
            Action::HashBlocks { .. } | Action::HashLeaves { .. } => {
                panic!("the torrent is of v1")
            }
            Action::WritePiece { job, piece, data, .. } => {
                self.hosts[n].pieces.insert(piece, data.to_vec());
                self.answer(n, 1, Input::PieceWritten { job, result: Ok(()) });
            }
        }
    }

    fn open_store(&mut self, n: usize, torrent: TorrentId, metainfo: Arc<Torrent>) {
        let host = &mut self.hosts[n];
        let count = metainfo.piece_count();
        if let Some(content) = &host.content {
            let pieces = content.chunks(metainfo.piece_length as usize);
            host.pieces = (0..).map(PieceIndex).zip(pieces.map(<[u8]>::to_vec)).collect();
        }
        let mut have = Bitfield::empty(count);
        for piece in host.pieces.keys() {
            have.set(*piece);
        }
        host.metainfo = Some(metainfo);
        let stored = Stored { have, doubtful: Bitfield::empty(count), read_only: false };
        self.answer(n, 1, Input::StoreOpened { torrent, result: Ok(stored) });
    }

    /// Joins two ends whose descriptions fit, unless the shell of the first knows better.
    fn connect(&mut self, ours: End, theirs: End) {
        let pair = (ours.0.min(theirs.0), ours.0.max(theirs.0));
        let fits = self.answering.get(&theirs) == Some(&ours) && !self.apart.contains(&pair);
        let doubled = |(answer, offer): (&End, &End)| answer.0 == ours.0 && offer.0 == theirs.0;
        let drops = self.hosts[ours.0].drops_doubled && self.answering.iter().any(doubled);
        if !fits || drops {
            self.answer(ours.0, 1, Input::LinkClosed { link: ours.1, end: LinkEnd::Failed });
            return;
        }
        self.wires.insert(ours, theirs);
        self.wires.insert(theirs, ours);
        for ((n, link), other) in [(ours, theirs.0), (theirs, ours.0)] {
            let from = self.sees.contains(&n).then(|| address(other).ip());
            self.answer(n, 60, Input::LinkOpened { link, window: WINDOW, from });
        }
    }

    /// Makes a link to whoever listens there.
    fn dial(&mut self, ours: End, to: SocketAddr) {
        self.dials.push((self.now, ours.0, to));
        let listens = |n: &usize| self.hosts[*n].engine.config().listens == Some(to.port());
        let host = (0..self.hosts.len()).find(|n| address(*n) == to && listens(n));
        let Some(host) = host else {
            let failed = Input::LinkClosed { link: ours.1, end: LinkEnd::Failed };
            return self.answer(ours.0, 3000, failed);
        };
        let link = LinkId(ACCEPTED_FROM + self.accepted);
        self.accepted += 1;
        self.wires.insert(ours, (host, link));
        self.wires.insert((host, link), ours);
        let from = SocketAddr::new(address(ours.0).ip(), 40_000 + link.0 as u16);
        let opened = Input::LinkOpened { link: ours.1, window: WINDOW, from: Some(to.ip()) };
        self.answer(ours.0, 60, opened);
        self.answer(host, 60, Input::LinkAccepted { link, window: WINDOW, from });
    }

    /// How often one host dialled another.
    pub(crate) fn dialled(&self, from: usize, to: usize) -> usize {
        self.dials.iter().filter(|(_, n, at)| *n == from && *at == address(to)).count()
    }

    fn send(&mut self, from: End, bytes: Bytes) {
        let Some(to) = self.wires.get(&from).copied() else { return };
        let way = self.on_the_way.entry(from).or_default();
        *way += bytes.len();
        assert!(*way <= WINDOW, "{} bytes on the way, {WINDOW} allowed", *way);
        self.post(self.latency, Coming::Bytes(to, bytes));
    }

    fn close(&mut self, end: End) {
        self.answering.remove(&end);
        if let Some(other) = self.wires.remove(&end) {
            self.wires.remove(&other);
            let ms = self.latency.as_millis() as u64;
            self.answer(other.0, ms, Input::LinkClosed { link: other.1, end: LinkEnd::Closed });
        }
    }

    /// Breaks every link, unseen by those at its ends until they are told.
    pub(crate) fn break_links(&mut self) {
        for (n, link) in core::mem::take(&mut self.wires).into_keys() {
            self.answer(n, 1, Input::LinkClosed { link, end: LinkEnd::Closed });
        }
    }

    /// Breaks every link between two hosts, in the same way.
    pub(crate) fn break_links_between(&mut self, a: usize, b: usize) {
        let ends: Vec<End> = self.wires.keys().copied().collect();
        for end in ends {
            let Some(other) = self.wires.get(&end).copied() else { continue };
            if (end.0, other.0) == (a, b) || (end.0, other.0) == (b, a) {
                self.wires.remove(&end);
                self.answer(end.0, 1, Input::LinkClosed { link: end.1, end: LinkEnd::Closed });
            }
        }
    }

    /// Open links between two hosts.
    pub(crate) fn links_between(&self, a: usize, b: usize) -> usize {
        self.wires.iter().filter(|(from, to)| from.0 == a && to.0 == b).count()
    }

    /// Those of them that one of the two dialled.
    pub(crate) fn dialled_links_between(&self, a: usize, b: usize) -> usize {
        let between = self.wires.iter().filter(|(from, to)| from.0 == a && to.0 == b);
        between.filter(|(from, to)| from.1.0.max(to.1.0) >= ACCEPTED_FROM).count()
    }

    /// What a host has, byte for byte, if it has everything.
    pub(crate) fn content(&self, n: usize) -> Option<Vec<u8>> {
        let host = &self.hosts[n];
        let count = host.metainfo.as_ref()?.piece_count() as usize;
        (host.pieces.len() == count).then(|| host.pieces.values().flatten().copied().collect())
    }

    pub(crate) fn is_done(&self, n: usize) -> bool {
        self.hosts[n].events.contains(&Event::TorrentDone(T))
    }

    /// Ends the tracker and every socket to it.
    pub(crate) fn kill_tracker(&mut self) {
        self.tracker_down = true;
        self.swarm.clear();
        for (n, tracker) in core::mem::take(&mut self.sockets) {
            let why = "broken".to_owned();
            self.answer(n, 1, Input::TrackerClosed { tracker, why });
        }
    }

    fn track(&mut self, n: usize, socket: TrackerId, text: &str) {
        if self.tracker_down || !self.sockets.contains(&(n, socket)) && !text.contains("stopped") {
            return;
        }
        match ClientMessage::decode(text).expect("what our engine says") {
            ClientMessage::Announce(announce) => {
                let key = (announce.info_hash, announce.peer_id);
                if announce.happening == Some(Happening::Stopped) {
                    self.swarm.remove(&key);
                    return;
                }
                self.swarm.insert(key, (n, socket, announce.left.unwrap_or(1)));
                let swarm = self.swarm.iter().filter(|((hash, _), _)| *hash == key.0);
                let swarm: Vec<_> = swarm.map(|((_, peer), place)| (*peer, *place)).collect();
                let seeds = swarm.iter().filter(|(_, place)| place.2 == 0).count();
                let mut reply = AnnounceReply::new(key.0);
                reply.interval = Some(120);
                reply.complete = Some(seeds as u32);
                reply.incomplete = Some((swarm.len() - seeds) as u32);
                self.relay(n, socket, &TrackerMessage::Announce(reply));
                let mut others: Vec<_> =
                    swarm.into_iter().filter(|(peer, _)| *peer != key.1).collect();
                self.rng.shuffle(&mut others);
                for (offer, (_, (n, socket, _))) in announce.offers.into_iter().zip(others) {
                    let (info_hash, peer_id, offer_id) = (key.0, key.1, offer.offer_id);
                    let sdp = offer.sdp;
                    let offer = TrackerMessage::Offer { info_hash, peer_id, offer_id, sdp };
                    self.relay(n, socket, &offer);
                }
            }
            ClientMessage::Answer(answer) => {
                let (info_hash, offer_id) = (answer.info_hash, answer.offer_id);
                let (peer_id, sdp) = (answer.peer_id, answer.sdp);
                let place = self.swarm.get(&(info_hash, answer.to_peer_id)).copied();
                let Some((n, socket, _)) = place else { return };
                let answer = TrackerMessage::Answer { info_hash, peer_id, offer_id, sdp };
                self.relay(n, socket, &answer);
            }
            ClientMessage::Scrape(_) => {}
        }
    }

    fn relay(&mut self, n: usize, tracker: TrackerId, message: &TrackerMessage) {
        let text = message.encode();
        self.post(self.latency, Coming::Input(n, Input::TrackerText { tracker, text }));
    }
}

/// Where a host listens, if it does.
pub(crate) fn address(host: usize) -> SocketAddr {
    SocketAddr::from(([60, 0, 0, host as u8 + 1], 6881))
}

/// A session description that says whose it is.
fn sdp((host, link): End) -> String {
    format!(
        "v=0\r\no=- {host} {} IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
         m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n\
         a=candidate:1 1 udp 2113937151 192.168.0.7 50000 typ host\r\na=ice-ufrag:abcd\r\n\
         a=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=setup:actpass\r\na=mid:0\r\n\
         a=sctp-port:5000\r\na=max-message-size:262144\r\n",
        link.0
    )
}

/// Whose description it is.
fn author(sdp: &str) -> End {
    let line = sdp.lines().find_map(|line| line.strip_prefix("o=- ")).expect("our own form");
    let mut words = line.split(' ').map(|word| word.parse().unwrap_or(0));
    (words.next().unwrap_or(0) as usize, LinkId(words.next().unwrap_or(0)))
}
