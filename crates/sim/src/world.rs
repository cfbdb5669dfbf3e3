//! The world: hosts, what is between them, and one clock. Takes one thing after the other out of
//! the queue; everything follows from the seed.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use headwater_base::{JobId, LinkId, PeerId, PieceIndex, Rng, Seed, Time, TorrentId, hex};
use headwater_client::{AddOptions, Client, Config, Finder, Input, Source, Step};
use headwater_metainfo::{Torrent, Version};

use crate::cheat::Mode;
use crate::dial::{FIND, address_of};
use crate::disk::Disk;
use crate::fault::Fault;
use crate::host::{Host, HostId, Spec};
use crate::money::vault::Vault;
use crate::net::{Flow, Net, Packet};
use crate::queue::Queue;
use crate::referee::SWEEP;
use crate::sample::{Sample, SampleId, Shape};
use crate::trace::{Log, Trace, WORLD};
use crate::tracker::{Caller, Tracker};

/// Something that is still to come.
pub(crate) enum Coming {
    /// A host joins.
    Join(usize),
    /// A host hears of something, unless it has another life by then.
    Input(usize, u32, Input),
    /// A store is open.
    Opened { host: usize, life: u32, torrent: TorrentId },
    /// A write ends.
    Written { host: usize, life: u32, job: JobId, torrent: TorrentId, piece: PieceIndex },
    /// A host's deadline.
    Wake(usize, u32),
    /// A cheater acts of itself.
    Tick(usize, u32),
    /// A packet has left its host.
    Left(Flow, u32, Packet),
    /// A packet reached the far end's line.
    Arrived(Flow, Packet),
    /// A packet is in.
    Landed(Flow, Packet),
    /// A link stalled for so long that both ends give it up.
    LinkDead(usize),
    /// A host's dial reaches whoever is there.
    Dialled { host: usize, life: u32, link: LinkId, to: SocketAddr },
    /// A message reaches a tracker.
    ToTracker(usize, Caller, String),
    /// A tracker's deadline.
    TrackerWake(usize),
    /// Forgotten words are looked for.
    Sweep,
    /// Something goes wrong, or right again.
    Fault(Fault),
}

/// Hosts, trackers, and what is between them.
pub struct World {
    pub(crate) now: Time,
    pub(crate) hosts: Vec<Host>,
    pub(crate) net: Net,
    pub(crate) trackers: Vec<Tracker>,
    pub(crate) samples: Vec<Sample>,
    pub(crate) queue: Queue<Coming>,
    pub(crate) rng: Rng,
    pub(crate) seed: Seed,
    pub(crate) names: BTreeMap<PeerId, usize>,
    pub(crate) trace: Trace,
    /// Which part of the world each host is in; parts do not reach each other.
    pub(crate) parts: Vec<u8>,
    /// Hosts that must finish and have not.
    pub(crate) waiting: usize,
    /// When the last planned fault happens.
    pub(crate) faults_end: Time,
    /// Whether somebody reads along on every link.
    pub(crate) refereed: bool,
    /// What pays promises.
    pub(crate) vault: Vault,
}

impl World {
    /// A world with one tracker and nobody in it.
    pub fn new(seed: Seed, log: Option<Log>) -> Self {
        let tracker = Tracker::new(&seed);
        let mut queue = Queue::default();
        queue.post(Time::ZERO + SWEEP, Coming::Sweep);
        Self {
            now: Time::from_millis(1),
            hosts: Vec::new(),
            net: Net::default(),
            trackers: vec![tracker],
            samples: Vec::new(),
            queue,
            rng: seed.split("world"),
            seed,
            names: BTreeMap::new(),
            trace: Trace::new(log),
            parts: Vec::new(),
            waiting: 0,
            faults_end: Time::ZERO,
            refereed: true,
            vault: Vault::default(),
        }
    }

    /// Has nobody read along on links, where speed matters more than finding mistakes.
    #[must_use]
    pub fn without_referee(mut self) -> Self {
        self.refereed = false;
        self
    }

    /// The time of the world.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Randomness for a scenario's own choices, the same in every world of one label and seed.
    pub fn choices(&self) -> Rng {
        self.seed.split("scenario")
    }

    /// A host.
    pub fn host(&self, host: HostId) -> &Host {
        &self.hosts[host.0]
    }

    /// Every host, in the order of joining the plan.
    pub fn hosts(&self) -> impl Iterator<Item = (HostId, &Host)> {
        self.hosts.iter().enumerate().map(|(at, host)| (HostId(at), host))
    }

    /// A torrent of random bytes that announces to the world's trackers.
    pub fn torrent(&mut self, shape: Shape) -> SampleId {
        let urls = (0..self.trackers.len()).map(|at| vec![tracker_url(at)]).collect();
        let seed = self.own_seed("sample", self.samples.len(), 0);
        self.samples.push(Sample::new(&seed, shape, urls));
        SampleId(self.samples.len() - 1)
    }

    /// A torrent's bytes and metadata.
    pub fn sample(&self, sample: SampleId) -> &Sample {
        &self.samples[sample.0]
    }

    /// One more tracker; torrents made afterwards announce to it too.
    pub fn tracker(&mut self) -> usize {
        let seed = self.own_seed("tracker", self.trackers.len(), 0);
        self.trackers.push(Tracker::new(&seed));
        self.trackers.len() - 1
    }

    /// A seed of its own for something that has a number and a life.
    pub(crate) fn own_seed(&self, label: &str, number: usize, life: u32) -> Seed {
        let mut own = Seed([0; 32]);
        self.seed.split(&format!("{label} {number} {life}")).fill(&mut own.0);
        own
    }

    /// Adds a host, which joins at its time.
    pub fn join(&mut self, spec: Spec) -> HostId {
        let at = self.hosts.len();
        let sample = self.samples[spec.sample.0].clone();
        let have = spec.have.bits(sample.piece_count());
        let rng = self.own_seed("disk", at, 0).split("disk");
        let disk = Disk::new(sample, &have, spec.manners, rng);
        let joined = self.now + spec.at;
        let honest = matches!(spec.mode, Mode::Honest);
        self.waiting += usize::from(spec.must_finish);
        self.parts.push(0);
        self.hosts.push(Host {
            kind: spec.kind,
            path: spec.path,
            joined,
            done: None,
            sent: 0,
            got: 0,
            honest,
            must_finish: spec.must_finish,
            leaves: spec.leaves,
            sample: spec.sample,
            magnet: spec.magnet,
            trackers: spec.trackers,
            makes: spec.makes,
            finds: spec.finds,
            dialling: BTreeSet::new(),
            dialled: BTreeMap::new(),
            accepted: 0,
            config: spec.config,
            mode: spec.mode,
            client: None,
            purse: spec.purse,
            peer: PeerId([0; 20]),
            life: 0,
            disks: BTreeMap::from([(spec.sample, disk)]),
            torrents: BTreeMap::new(),
            ahead: Duration::ZERO,
            wake: None,
            wake_posted: None,
            idle_wakes: 0,
            drains: 0,
            frozen: false,
            held: Vec::new(),
            thawed: Time::ZERO,
            rested: Time::ZERO,
            sockets: BTreeMap::new(),
            links: BTreeMap::new(),
            partners: BTreeMap::new(),
            ready: Default::default(),
            up_busy: false,
            down_free: Time::ZERO,
            flows_in: 0,
        });
        self.fund(at);
        self.queue.post(joined, Coming::Join(at));
        HostId(at)
    }

    /// Begins a life of a host.
    pub(crate) fn wake_up(&mut self, at: usize) {
        if self.hosts[at].is_up() {
            return;
        }
        let seed = self.own_seed("host", at, self.hosts[at].life);
        let mut peer = PeerId(*b"-HW0100-............");
        seed.split("peer id").fill(&mut peer.0[8..]);
        self.names.insert(peer, at);
        let mut config = Config::new(peer);
        if self.hosts[at].makes.dials() {
            (config.dials, config.listens) = (true, Some(address_of(at).port()));
        }
        let change = self.hosts[at].config.clone();
        change(&mut config);
        let mut client = Client::new(config, seed);
        let sample = self.hosts[at].sample;
        let torrent = self.torrent_of(at);
        let (trackers, magnet) = (torrent.trackers.concat(), magnet(&torrent, at));
        let (source, options) = if self.hosts[at].magnet {
            let options = AddOptions { trackers, ..AddOptions::default() };
            (Source::Magnet(&magnet), options)
        } else {
            (Source::Torrent(torrent), AddOptions::default())
        };
        let now = self.local(at);
        let added = client.add(now, &source, options).expect("a torrent made here");
        let host = &mut self.hosts[at];
        host.torrents.insert(added.torrent, sample);
        host.peer = peer;
        host.client = Some(client);
        self.start_trade(at);
        let host = &mut self.hosts[at];
        let addresses: Vec<_> = host.finds.iter().map(|found| address_of(found.0)).collect();
        if !addresses.is_empty() {
            let torrent = added.torrent;
            let finder = Finder::Stranger(None);
            self.tell(at, FIND, Input::PeersFound { torrent, finder, addresses });
        }
        self.trace.note(self.now, at, format_args!("{} joins as {peer}", self.hosts[at].kind));
        if let Some(every) = self.hosts[at].mode.every() {
            self.queue.post(self.now + every, Coming::Tick(at, self.hosts[at].life));
        }
        self.drain(at);
    }

    /// A host's torrent, with the trackers the host knows.
    fn torrent_of(&self, at: usize) -> Arc<Torrent> {
        let host = &self.hosts[at];
        let torrent = &self.samples[host.sample.0].torrent;
        let Some(known) = &host.trackers else { return torrent.clone() };
        let trackers = known.iter().map(|at| vec![tracker_url(*at)]).collect();
        Arc::new(Torrent { trackers, ..(**torrent).clone() })
    }

    /// Whether a host was ever linked to another.
    pub fn met(&self, host: HostId, other: HostId) -> bool {
        self.hosts[host.0].partners.values().any(|partner| *partner == other.0)
    }

    /// Plans something to go wrong, or right again, this long after the present.
    pub fn plan(&mut self, after: Duration, fault: Fault) {
        let at = self.now + after;
        self.faults_end = self.faults_end.max(at);
        self.queue.post(at, Coming::Fault(fault));
    }

    /// The time by a host's own clock.
    pub(crate) fn local(&self, host: usize) -> Time {
        self.now + self.hosts[host].ahead
    }

    /// Has a host hear of something later.
    pub(crate) fn tell(&mut self, host: usize, after: Duration, input: Input) {
        let life = self.hosts[host].life;
        self.queue.post(self.now + after, Coming::Input(host, life, input));
    }

    /// Lets time pass until `done` or for `span`; answers whether it was done.
    pub fn run_until(&mut self, span: Duration, done: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + span;
        loop {
            if done(self) {
                return true;
            }
            if self.queue.next_at().is_none_or(|at| at > end) {
                self.now = end;
                return false;
            }
            self.step();
        }
    }

    /// Lets time pass.
    pub fn run(&mut self, span: Duration) {
        self.run_until(span, |_| false);
    }

    /// Lets every planned fault happen; then everybody who must finish has `bound` to do so.
    pub fn finish(&mut self, bound: Duration) {
        let faults = self.faults_end.since(self.now);
        self.run(faults);
        let finished = self.run_until(bound, |world| world.waiting == 0);
        assert!(finished, "not finished {bound:?} after the last fault:\n{}", self.describe());
        self.judge_end();
    }

    /// How long hosts took from joining to the last piece, in seconds; one that did not get there
    /// counts with all the time there was.
    pub fn mean_took(&self, hosts: &[HostId]) -> f64 {
        let took = hosts.iter().map(|host| {
            let host = self.host(*host);
            host.took().unwrap_or(self.now.since(host.joined)).as_secs_f64()
        });
        took.sum::<f64>() / hosts.len().max(1) as f64
    }

    /// Takes the next thing out of the queue and lets it happen.
    fn step(&mut self) {
        let Some((at, coming)) = self.queue.pop() else { return };
        assert!(at >= self.now, "time runs backwards");
        self.now = at;
        match coming {
            Coming::Join(host) => self.wake_up(host),
            Coming::Input(host, life, input) => self.hear(host, life, input),
            Coming::Opened { host, life, torrent } => self.store_opened(host, life, torrent),
            Coming::Written { host, life, job, torrent, piece } => {
                self.write_ended((host, life), job, (torrent, piece));
            }
            Coming::Wake(host, life) => self.deadline(host, life),
            Coming::Tick(host, life) => self.tick(host, life),
            Coming::Left(flow, life, packet) => self.packet_left(flow, life, packet),
            Coming::Arrived(flow, packet) => self.packet_arrived(flow, packet),
            Coming::Landed(flow, packet) => self.packet_landed(flow, packet),
            Coming::LinkDead(link) => self.link_dead(link),
            Coming::Dialled { host, life, link, to } => self.dialled(host, life, link, to),
            Coming::ToTracker(tracker, caller, text) => {
                self.trackers[tracker].heard(self.now, caller, text);
                self.drain_tracker(tracker);
            }
            Coming::TrackerWake(tracker) => self.drain_tracker(tracker),
            Coming::Sweep => self.sweep(),
            Coming::Fault(fault) => self.fail(fault),
        }
    }

    /// A host hears of something.
    pub(crate) fn hear(&mut self, at: usize, life: u32, input: Input) {
        let host = &mut self.hosts[at];
        if host.life != life || host.client.is_none() {
            return;
        }
        if host.frozen {
            host.held.push(Coming::Input(at, life, input));
            return;
        }
        if matches!(input, Input::TorrentPaused(_) | Input::TorrentResumed(_)) {
            host.rested = self.now;
            // Who pauses forgets whom it dialled.
            host.dialled.clear();
        }
        self.note_input(at, &input);
        let Some(input) = self.puppet_hears(at, input) else { return };
        let now = self.local(at);
        if let Some(client) = &mut self.hosts[at].client {
            client.handle(now, input);
        }
        self.drain(at);
    }

    fn note_input(&mut self, at: usize, input: &Input) {
        if let Input::LinkBytes { link, bytes } = input {
            self.hosts[at].got += bytes.len() as u64;
            self.trace.note(self.now, at, format_args!("{} bytes on {link}", bytes.len()));
        } else if let Input::BlockRead { job, .. } = input {
            self.trace.note(self.now, at, format_args!("read {job}"));
        } else {
            self.trace.note(self.now, at, format_args!("{input:?}"));
        }
    }

    /// A host's deadline has come, or one that it has moved since.
    fn deadline(&mut self, at: usize, life: u32) {
        let host = &mut self.hosts[at];
        if host.life != life || host.wake_posted != Some(self.now) {
            return;
        }
        host.wake_posted = None;
        if host.frozen {
            // It is called when it thaws.
        } else if host.wake.is_some_and(|wake| wake <= self.now + host.ahead) {
            self.drain_due(at);
        } else {
            self.judge_rest(at);
            self.plan_wake(at);
        }
    }

    /// Has the world call a host at its deadline.
    pub(crate) fn plan_wake(&mut self, at: usize) {
        let host = &mut self.hosts[at];
        let Some(wake) = host.wake else { return };
        let due = (Time::ZERO + wake.since(Time::ZERO + host.ahead)).max(self.now);
        if host.wake_posted.is_none_or(|posted| posted > due) {
            host.wake_posted = Some(due);
            self.queue.post(due, Coming::Wake(at, host.life));
        }
    }

    /// Does everything a host's client wants done.
    pub(crate) fn drain(&mut self, at: usize) -> u64 {
        let now = self.local(at);
        let mut steps = 0;
        loop {
            let Some(client) = &mut self.hosts[at].client else { return steps };
            match client.next(now) {
                Step::Sleep(wake) => {
                    let why = wake.map(|wake| wake.why);
                    let wake = wake.map(|wake| wake.at);
                    assert!(wake.is_none_or(|wake| wake > now), "{why:?} of host {at} is over");
                    self.hosts[at].wake = wake;
                    if !self.trade(at) {
                        break;
                    }
                }
                Step::Action(action) => {
                    self.trace.action(self.now, at, &action);
                    self.act(at, action);
                }
                Step::Event(event) => {
                    self.trace.note(self.now, at, format_args!("{event:?}"));
                    self.told(at, &event);
                }
            }
            steps += 1;
            assert!(steps < crate::check::STEPS_MAX, "host {at} never sleeps");
        }
        self.plan_wake(at);
        self.judge_purse(at);
        self.judge_drained(at);
        steps
    }

    /// What happened, as one number and as lines.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Puts a line of the world's own into the trace.
    pub(crate) fn say(&mut self, what: core::fmt::Arguments<'_>) {
        self.trace.note(self.now, WORLD, what);
    }
}

/// The link that names a torrent: by each hash it has or, of three hosts, twice by one alone.
fn magnet(torrent: &Torrent, host: usize) -> String {
    let mut link = "magnet:?".to_owned();
    let hybrid = torrent.version() == Version::Hybrid;
    let (no_v1, no_v2) = (hybrid && host % 3 == 1, hybrid && host % 3 == 2);
    if torrent.version() != Version::V2 && !no_v1 {
        link.push_str(&format!("xt=urn:btih:{}&", torrent.info_hash));
    }
    if let Some(hash) = torrent.info_hash_v2.as_ref().filter(|_| !no_v2) {
        link.push_str(&format!("xt=urn:btmh:1220{}", hex(hash)));
    }
    link
}

/// Where a tracker of the world is said to be.
pub(crate) fn tracker_url(at: usize) -> String {
    format!("wss://tracker{at}.example")
}
