//! Virtual time, hosts and links with latency, bandwidth and windows. Everything comes from one
//! seed: the same test gives the same trace.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use headwater_base::{JobId, LinkId, PeerId, Rng, Seed, Sha1, Time, sha1, sha256_many};
use headwater_engine::{
    ACCEPTED_FROM, Action, AddTorrent, Config, Engine, Event, Input, LinkEnd, Step,
};

use crate::T;
use crate::disk::Disk;
use crate::tracker::Tracker;
use crate::web::Server;

/// How a link behaves in both directions.
#[derive(Clone, Copy)]
pub(crate) struct Path {
    pub(crate) latency: Duration,
    /// Bytes a second.
    pub(crate) bandwidth: u64,
    /// Bytes a link takes before it is full.
    pub(crate) window: usize,
    /// Whether bytes arrive cut anywhere.
    pub(crate) cuts: bool,
}

impl Default for Path {
    fn default() -> Self {
        let latency = Duration::from_millis(20);
        Self { latency, bandwidth: 4_000_000, window: 256 * 1024, cuts: true }
    }
}

pub(crate) struct Host {
    pub(crate) engine: Engine,
    pub(crate) peer: PeerId,
    pub(crate) disk: Disk,
    pub(crate) events: Vec<(Time, Event)>,
    pub(crate) path: Path,
    /// Takes part in nothing: neither hears nor speaks.
    frozen: bool,
    /// What it will hear when it thaws.
    held: Vec<Coming>,
    /// It never gets to hash a stored piece for others.
    pub(crate) leafless: bool,
    /// Blocks hashed as they came.
    pub(crate) hashed_blocks: usize,
    /// Bytes handed to links.
    pub(crate) sent: u64,
    /// Its links are played by the test: what its engine says on them is dropped.
    pub(crate) puppet: bool,
    /// What a puppet heard on each link.
    pub(crate) heard: BTreeMap<LinkId, Vec<u8>>,
}

/// One end of an open link.
struct End {
    other: Side,
    /// Bytes taken and not yet on their way.
    buffered: usize,
    busy_until: Time,
    /// The engine was told a window and has used it up to this.
    window: i64,
    /// When its host hears that it is open; nothing arrives before.
    opens: Time,
}

type Side = (usize, LinkId);

enum Coming {
    Input(usize, Input),
    /// News of a fetch, unless it is cancelled.
    Fetched(usize, JobId, Input),
    ToTracker(usize, headwater_base::TrackerId, String),
    Arrive(Side, Bytes),
    Drained(Side, usize),
}

pub(crate) struct Net {
    pub(crate) now: Time,
    pub(crate) hosts: Vec<Host>,
    pub(crate) tracker: Tracker,
    /// Web servers by the start of their addresses.
    pub(crate) web: BTreeMap<String, Server>,
    /// Fetches under way.
    pub(crate) fetches: BTreeSet<(usize, JobId)>,
    coming: BTreeMap<(Time, u64), Coming>,
    posted: u64,
    rng: Rng,
    /// Answering side by offering side.
    pairs: BTreeMap<Side, Side>,
    ends: BTreeMap<Side, End>,
    closed: BTreeSet<Side>,
    trace: Sha1,
    /// Time between a job and its answer.
    pub(crate) job_time: Duration,
    /// Who dialled what. Nobody listens anywhere.
    pub(crate) dials: Vec<(Time, usize, SocketAddr)>,
}

impl Net {
    pub(crate) fn new(seed: u8) -> Self {
        Self {
            now: Time::from_millis(1),
            hosts: Vec::new(),
            tracker: Tracker::default(),
            web: BTreeMap::new(),
            fetches: BTreeSet::new(),
            coming: BTreeMap::new(),
            posted: 0,
            rng: Seed([seed; 32]).split("net"),
            pairs: BTreeMap::new(),
            ends: BTreeMap::new(),
            closed: BTreeSet::new(),
            trace: Sha1::default(),
            job_time: Duration::from_micros(500),
            dials: Vec::new(),
        }
    }

    /// Adds a host with default settings.
    pub(crate) fn join(&mut self, disk: Disk, add: AddTorrent) -> usize {
        self.join_with(disk, add, |_| {})
    }

    pub(crate) fn join_with(
        &mut self,
        disk: Disk,
        add: AddTorrent,
        change: impl FnOnce(&mut Config),
    ) -> usize {
        let at = self.hosts.len();
        let peer = PeerId(core::array::from_fn(|i| if i == 0 { b'-' } else { at as u8 + 65 }));
        let mut config = Config::new(peer);
        change(&mut config);
        let mut engine = Engine::new(config, &Seed([at as u8 + 1; 32]));
        engine.handle(self.now, Input::TorrentAdded { torrent: T, add: Box::new(add) });
        self.hosts.push(Host {
            engine,
            peer,
            disk,
            events: Vec::new(),
            path: Path::default(),
            frozen: false,
            held: Vec::new(),
            leafless: false,
            hashed_blocks: 0,
            sent: 0,
            puppet: false,
            heard: BTreeMap::new(),
        });
        at
    }

    /// Adds a host whose links the test plays.
    pub(crate) fn join_puppet(&mut self, add: AddTorrent) -> usize {
        let at = self.join(Disk::default(), add);
        self.hosts[at].puppet = true;
        at
    }

    /// Waits until a puppet has a link.
    pub(crate) fn puppet_link(&mut self, host: usize) -> LinkId {
        // Another puppet would never speak.
        let find = |net: &Self| {
            let ends = net.ends.iter();
            let mut own =
                ends.filter(|(side, end)| side.0 == host && !net.hosts[end.other.0].puppet);
            own.next().map(|(side, _)| side.1)
        };
        let linked = |net: &Self| find(net).is_some();
        assert!(self.run_until(Duration::from_secs(300), linked).is_some(), "no link");
        self.run(Duration::from_millis(200));
        find(self).expect("a link that stays open")
    }

    /// Has a puppet dial a host; answers the puppet's end.
    pub(crate) fn dial_in(&mut self, puppet: usize, host: usize) -> LinkId {
        let link = LinkId(ACCEPTED_FROM + puppet as u64);
        let (ours, theirs) = ((host, link), (puppet, LinkId(0)));
        let window = self.hosts[host].path.window;
        for (side, other) in [(ours, theirs), (theirs, ours)] {
            let (busy_until, opens) = (self.now, self.now);
            let end = End { other, buffered: 0, busy_until, window: window as i64, opens };
            self.ends.insert(side, end);
        }
        self.put(host, Input::LinkAccepted { link, window, from: address(puppet) });
        theirs.1
    }

    /// Has a puppet say something on its link.
    pub(crate) fn say(&mut self, host: usize, link: LinkId, bytes: Vec<u8>) {
        if let Some(end) = self.ends.get_mut(&(host, link)) {
            end.window = i64::MAX / 2;
        }
        self.send((host, link), Bytes::from(bytes));
    }

    /// Tells a host's engine something.
    pub(crate) fn put(&mut self, host: usize, input: Input) {
        self.hosts[host].engine.handle(self.now, input);
    }

    /// Stops a host, or lets it go on with what it missed.
    pub(crate) fn freeze(&mut self, host: usize, frozen: bool) {
        self.hosts[host].frozen = frozen;
        if !frozen {
            for coming in std::mem::take(&mut self.hosts[host].held) {
                self.arrive(coming);
            }
        }
    }

    /// Whether a host is stopped.
    pub(crate) fn is_frozen(&self, host: usize) -> bool {
        self.hosts[host].frozen
    }

    fn post(&mut self, after: Duration, coming: Coming) {
        self.posted += 1;
        self.coming.insert((self.now + after, self.posted), coming);
    }

    /// Lets time pass until `until` is true, and says when that was.
    pub(crate) fn run_until(
        &mut self,
        most: Duration,
        until: impl Fn(&Self) -> bool,
    ) -> Option<Time> {
        let end = self.now + most;
        loop {
            for host in 0..self.hosts.len() {
                self.drain(host);
            }
            if until(self) {
                return Some(self.now);
            }
            let wakes = self.hosts.iter_mut().filter(|host| !host.frozen).filter_map(|host| {
                match host.engine.next(self.now) {
                    Step::Sleep(wake) => wake.map(|wake| wake.at),
                    step => panic!("{step:?} after Sleep"),
                }
            });
            let next = wakes.chain(self.coming.keys().next().map(|(at, _)| *at)).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            assert!(next >= self.now, "time runs backwards");
            self.now = next;
            while let Some(first) = self.coming.first_entry() {
                if first.key().0 > self.now {
                    break;
                }
                let coming = first.remove();
                self.arrive(coming);
            }
        }
        self.now = end;
        None
    }

    pub(crate) fn run(&mut self, span: Duration) {
        self.run_until(span, |_| false);
    }

    /// Lets time pass until `host` has told such an event.
    pub(crate) fn run_to(
        &mut self,
        host: usize,
        most: Duration,
        is: impl Fn(&Event) -> bool,
    ) -> Time {
        let seen = self.hosts[host].events.len();
        let found = self.run_until(most, |net| {
            net.hosts[host].events[seen..].iter().any(|(_, event)| is(event))
        });
        found.unwrap_or_else(|| {
            let host = &self.hosts[host];
            let view = host.engine.torrent_view(T);
            panic!("nothing after {most:?}; {view:#?} {:#?}", host.engine.peer_views(T))
        })
    }

    pub(crate) fn told(&self, host: usize, is: impl Fn(&Event) -> bool) -> usize {
        self.hosts[host].events.iter().filter(|(_, event)| is(event)).count()
    }

    /// SHA-1 of everything every engine did.
    pub(crate) fn trace(&self) -> [u8; 20] {
        self.trace.clone().finish()
    }

    /// Open links between hosts.
    pub(crate) fn links(&self) -> usize {
        self.ends.len() / 2
    }

    /// Breaks every link of a host.
    pub(crate) fn cut(&mut self, host: usize) {
        let sides: Vec<Side> = self.ends.keys().copied().filter(|side| side.0 == host).collect();
        for side in sides {
            if let Some(end) = self.ends.remove(&side) {
                self.ends.remove(&end.other);
                for (at, link) in [side, end.other] {
                    let closed = Input::LinkClosed { link, end: LinkEnd::Closed };
                    self.post(Duration::ZERO, Coming::Input(at, closed));
                }
            }
        }
    }

    fn drain(&mut self, host: usize) {
        if self.hosts[host].frozen {
            return;
        }
        for steps in 0.. {
            assert!(steps < 1_000_000, "host {host} never sleeps");
            let step = self.hosts[host].engine.next(self.now);
            match step {
                Step::Sleep(wake) => {
                    assert!(wake.is_none_or(|wake| wake.at > self.now), "{wake:?} is over");
                    return;
                }
                Step::Event(event) => {
                    self.trace.update(format!("{host} {:?} {event:?}", self.now).as_bytes());
                    self.hosts[host].events.push((self.now, event));
                }
                Step::Action(action) => self.act(host, action),
            }
        }
    }

    fn note(&mut self, host: usize, action: &Action) {
        let text = match action {
            Action::Send { link, bytes } => {
                format!("{host} {:?} send {link} {:?}", self.now, sha1(bytes))
            }
            Action::HashPiece { job, .. } => format!("{host} {:?} hash {job}", self.now),
            Action::HashBlocks { job, .. } => format!("{host} {:?} leaves {job}", self.now),
            Action::WritePiece { job, piece, .. } => {
                format!("{host} {:?} write {job} {piece}", self.now)
            }
            other => format!("{host} {:?} {other:?}", self.now),
        };
        self.trace.update(text.as_bytes());
    }

    fn answer(&mut self, host: usize, input: Input) {
        self.post(self.job_time, Coming::Input(host, input));
    }

    fn act(&mut self, host: usize, action: Action) {
        self.note(host, &action);
        let is_link = matches!(action, Action::Send { .. } | Action::CloseLink(_));
        if is_link && self.hosts[host].puppet {
            return;
        }
        let disk = &mut self.hosts[host].disk;
        match action {
            Action::OpenStore { torrent, metainfo } => {
                let result = disk.open(&metainfo);
                self.answer(host, Input::StoreOpened { torrent, result });
            }
            Action::CloseStore { delete, .. } => disk.deleted |= delete,
            Action::ReadBlock { job, piece, begin, len, .. } => {
                let result = disk.read(piece, begin, len);
                self.answer(host, Input::BlockRead { job, result });
            }
            Action::HashPiece { job, data } => {
                let result = Ok(sha1(&data));
                self.answer(host, Input::PieceHashed { job, result });
            }
            Action::HashStored { job, piece, .. } => {
                let result = Ok(disk.hash(piece));
                self.answer(host, Input::PieceHashed { job, result });
            }
            Action::HashBlocks { job, blocks } => {
                self.hosts[host].hashed_blocks += blocks.len();
                let blocks: Vec<&[u8]> = blocks.iter().map(|block| &block[..]).collect();
                let result = Ok(sha256_many(&blocks));
                self.answer(host, Input::BlocksHashed { job, result });
            }
            Action::HashLeaves { job, piece, .. } => {
                let result = Ok(disk.leaves(piece));
                if !self.hosts[host].leafless {
                    self.answer(host, Input::BlocksHashed { job, result });
                }
            }
            Action::WritePiece { job, piece, data, .. } => {
                let result = disk.write(piece, &data);
                self.answer(host, Input::PieceWritten { job, result });
            }
            Action::FetchRange(fetch) => {
                let server = self.web.iter_mut().find(|(url, _)| fetch.url.starts_with(*url));
                let coming = server.expect("a known server").1.answer(self.now, &fetch);
                self.fetches.insert((host, fetch.job));
                for (after, input) in coming {
                    self.post(after, Coming::Fetched(host, fetch.job, input));
                }
            }
            Action::CancelFetch(job) => {
                // It may have ended in the same moment.
                self.fetches.remove(&(host, job));
                if self.fetches.is_empty() {
                    self.web.values_mut().for_each(|server| server.idle(self.now));
                }
            }
            Action::OpenTracker { tracker, .. } => {
                let opened = Coming::Input(host, Input::TrackerOpened(tracker));
                self.post(Duration::from_millis(20), opened);
            }
            Action::SendTracker { tracker, text } => {
                let heard = Coming::ToTracker(host, tracker, text);
                self.post(Duration::from_millis(20), heard);
            }
            Action::CloseTracker(_) | Action::Ask(_) | Action::Seek { .. } => {}
            Action::MakeOffer(link) => {
                let made = Input::OfferMade { link, sdp: sdp((host, link)) };
                self.post(Duration::from_millis(50), Coming::Input(host, made));
            }
            Action::MakeAnswer { link, offer } => {
                self.pairs.insert(author(&offer), (host, link));
                let made = Input::AnswerMade { link, sdp: sdp((host, link)) };
                self.post(Duration::from_millis(50), Coming::Input(host, made));
            }
            Action::TakeAnswer { link, answer } => self.connect((host, link), author(&answer)),
            Action::Dial { link, address } => {
                self.dials.push((self.now, host, address));
                let end = LinkEnd::Failed;
                self.post(
                    Duration::from_secs(3),
                    Coming::Input(host, Input::LinkClosed { link, end }),
                );
            }
            Action::Send { link, bytes } => self.send((host, link), bytes),
            Action::CloseLink(link) => self.close((host, link)),
        }
    }

    fn connect(&mut self, ours: Side, theirs: Side) {
        let gone = self.closed.contains(&ours) || self.closed.contains(&theirs);
        if self.pairs.get(&ours) != Some(&theirs) || gone {
            return;
        }
        for (side, other) in [(ours, theirs), (theirs, ours)] {
            let window = self.hosts[side.0].path.window;
            let after = Duration::from_millis(30 + self.rng.below(5));
            let (busy_until, opens) = (self.now, self.now + after);
            let end = End { other, buffered: 0, busy_until, window: window as i64, opens };
            self.ends.insert(side, end);
            let opened = Input::LinkOpened { link: side.1, window, from: None };
            self.post(after, Coming::Input(side.0, opened));
        }
    }

    fn send(&mut self, side: Side, bytes: Bytes) {
        let path = self.hosts[side.0].path;
        self.hosts[side.0].sent += bytes.len() as u64;
        let Some(other) = self.ends.get(&side).map(|end| end.other) else { return };
        let opens = self.ends[&other].opens;
        let Some(end) = self.ends.get_mut(&side) else { return };
        end.window -= bytes.len() as i64;
        let overdrawn = if bytes.len() >= 16 * 1024 { 0 } else { 32 * 1024 };
        assert!(end.window >= -overdrawn, "link {side:?} is overrun by {}", -end.window);
        end.buffered += bytes.len();
        let micros = bytes.len() as u64 * 1_000_000 / path.bandwidth;
        let leaves = end.busy_until.max(self.now) + Duration::from_micros(micros);
        end.busy_until = leaves;
        let wait = leaves.since(self.now);
        let len = bytes.len();
        self.post(wait, Coming::Drained(side, len));
        let wait = wait.max(opens.since(self.now).saturating_sub(path.latency));
        let mut rest = bytes;
        while path.cuts && rest.len() > 1 && self.rng.below(3) == 0 {
            let len = 1 + self.rng.below(rest.len() as u64 - 1) as usize;
            let part = rest.split_to(len);
            self.post(wait + path.latency, Coming::Arrive(side, part));
        }
        self.post(wait + path.latency, Coming::Arrive(side, rest));
    }

    fn close(&mut self, side: Side) {
        self.closed.insert(side);
        if let Some(end) = self.ends.remove(&side) {
            let (host, link) = end.other;
            let left = end.busy_until.since(self.now) + self.hosts[side.0].path.latency;
            let closed = Input::LinkClosed { link, end: LinkEnd::Closed };
            self.ends.remove(&end.other);
            self.post(left, Coming::Input(host, closed));
        }
    }

    fn arrive(&mut self, coming: Coming) {
        let to = match &coming {
            Coming::Input(host, _) | Coming::Fetched(host, ..) | Coming::Drained((host, _), _) => {
                Some(*host)
            }
            Coming::Arrive(side, _) => self.ends.get(side).map(|end| end.other.0),
            Coming::ToTracker(..) => None,
        };
        if let Some(host) = to.filter(|host| self.hosts[*host].frozen) {
            self.hosts[host].held.push(coming);
            return;
        }
        match coming {
            Coming::Input(host, input) => self.hosts[host].engine.handle(self.now, input),
            Coming::Fetched(host, job, input) => {
                let ends = matches!(input, Input::RangeFetched { .. });
                if self.fetches.contains(&(host, job)) {
                    self.hosts[host].engine.handle(self.now, input);
                }
                if ends {
                    self.fetches.remove(&(host, job));
                }
            }
            Coming::ToTracker(host, socket, text) => {
                let replies = self.tracker.hear((host, socket), &text, &mut self.rng);
                for ((to, tracker), text) in replies {
                    let heard = Input::TrackerText { tracker, text };
                    self.post(Duration::from_millis(20), Coming::Input(to, heard));
                }
            }
            Coming::Arrive(side, bytes) => {
                if let Some(end) = self.ends.get(&side) {
                    let (host, link) = end.other;
                    if self.hosts[host].puppet {
                        self.hosts[host].heard.entry(link).or_default().extend_from_slice(&bytes);
                    } else {
                        let heard = Input::LinkBytes { link, bytes };
                        self.hosts[host].engine.handle(self.now, heard);
                    }
                }
            }
            Coming::Drained(side, len) => {
                let path = self.hosts[side.0].path;
                let Some(end) = self.ends.get_mut(&side) else { return };
                end.buffered -= len;
                if end.buffered <= path.window / 2 {
                    let window = path.window - end.buffered;
                    end.window = window as i64;
                    let writable = Input::LinkWritable { link: side.1, window };
                    self.hosts[side.0].engine.handle(self.now, writable);
                }
            }
        }
    }
}

/// Where a host is.
pub(crate) fn address(host: usize) -> SocketAddr {
    SocketAddr::from(([60, 0, 1, host as u8 + 1], 6881))
}

/// A session description that says which link it is of.
fn sdp((host, link): Side) -> String {
    let fingerprint = vec!["AB"; 32].join(":");
    format!(
        "v=0\r\no=- {} 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
         m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n\
         a=candidate:1 1 udp 2113937151 192.168.0.7 50000 typ host\r\na=ice-ufrag:abcd\r\n\
         a=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=fingerprint:sha-256 {fingerprint}\r\n\
         a=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n",
        host as u64 * 1_000_000 + link.0
    )
}

/// Which link a session description is of.
fn author(sdp: &str) -> Side {
    let number: u64 = sdp.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a number");
    ((number / 1_000_000) as usize, LinkId(number % 1_000_000))
}
